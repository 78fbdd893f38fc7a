#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016
#
# RootlessKit, as rootless containerd and nerdctl stand in it: the plugin runs in its user,
# mount and network namespace, behind slirp4netns. Ports: RootlessKit listens on the host
# and leads to the same port of its own namespace, where our daemon listens (portMappings
# as nerdctl rewrites them); with the broker the host's network, and ports by `forward`.

load bed
load expect
load podman

setup_file() {
	local why
	why=$(podman_missing)
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	command -v rootlesskit > /dev/null || { bed_skip "no program rootlesskit"; return 0; }
	bed_make
	podman_world
	# RootlessKit, and what it holds: a network namespace of a container
	cat > "$BED_DIR/tmp/inside" <<- 'END'
		#!/bin/sh
		cd "$(dirname "$0")" || exit 1
		unshare -n sleep 3600 &
		echo $! > container
		echo $$ > holder
		exec sleep 3600
	END
	chmod 0755 "$BED_DIR/tmp/inside"
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
	RK=$BED_DIR/tmp/rk
	rm -rf "$RK" "$BED_DIR"/tmp/{container,holder}
	BED_OUT=$BED_DIR/tmp/rk.log bed_bg KIT podman_as user rootlesskit --state-dir "$RK" --net slirp4netns --copy-up /etc \
		--disable-host-loopback --port-driver builtin "$BED_DIR/tmp/inside"
	bed_until 20 test -s "$BED_DIR/tmp/holder" || die "$(cat "$BED_DIR/tmp/rk.log")"
	CHILD=$(cat "$RK/child_pid")
	bed_until 5 in_kit sh -c 'ip route | grep -q default' || die "$(cat "$BED_DIR/tmp/rk.log")"
}

teardown() {
	! bed_skipping || return 0
	bed_kill "${WEB-}"
	bed_kill "${BROKER-}"
	kill -9 "$(cat "$BED_DIR/tmp/container")" 2> /dev/null || true	# it outlives RootlessKit
	bed_kill "$KIT"
	bed_until 5 bed_no_core
}

# A program as containerd's are there: root of the user namespace, in all of its namespaces
in_kit() {
	exec_or_run nsenter -t "$CHILD" -U -m -n env -i PATH="$BED_DIR/plugin:/usr/sbin:/usr/bin:/sbin:/bin" \
		XDG_RUNTIME_DIR="$XDG" LANG=C HOME="$BED_DIR/tmp" "${BED_ENV[@]}" "$@"
}
# A program in the container
in_box() { in_kit nsenter -t "$(cat "$BED_DIR/tmp/container")" -n "$@"; }

kit_cni() { # kit_cni COMMAND NETNS: the configuration is stdin
	in_kit env CNI_COMMAND="$1" CNI_CONTAINERID=default-kit CNI_NETNS="$2" CNI_IFNAME=eth0 CNI_PATH="$BED_DIR/plugin" \
		CNI_ARGS="IgnoreUnknown=1" cni-passt
}
box() { echo "/proc/$(cat "$BED_DIR/tmp/container")/ns/net"; }
main_of() { jq -r .pid "$XDG/cni-passt/"*@eth0/state.json; }
says() { bed_peer timeout 5 socat -T 5 - "TCP:$HOST4:$1" < /dev/null; }
serves() { [ "$(says "$1" 2> /dev/null)" = hello ]; }

@test "in RootlessKit's namespace: the network behind slirp4netns, ports by RootlessKit under the same number" {
	conf '{"addresses": ["private"], "runtimeConfig": {"portMappings": [
		{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": "127.0.0.1"}]}}' > "$BED_DIR/tmp/kit.json"
	kit_cni DEL "" < "$BED_DIR/tmp/kit.json"
	kit_cni ADD "$(box)" < "$BED_DIR/tmp/kit.json" > "$BED_DIR/seen" || die "$(cat "$BED_DIR/seen")"
	same "main's namespace" "$(readlink "/proc/$(main_of)/ns/net")" "$(readlink "/proc/$CHILD/ns/net")"
	in_box ping -c 1 -W 5 "$PEER4" > /dev/null
	bed_bg WEB in_box socat TCP-LISTEN:80,fork,reuseaddr EXEC:"echo hello"
	in_kit rootlessctl --socket "$RK/api.sock" add-ports "0.0.0.0:8080:8080/tcp" > /dev/null
	bed_until 5 serves 8080 || die "no answer through RootlessKit's port: $(cat "$BED_DIR/tmp/rk.log")"
	kit_cni DEL "" < "$BED_DIR/tmp/kit.json"
	nothing_left
	bed_kill "$WEB"
}

@test "with the broker: the host's network, forwarded ports with the client's address" {
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user "$CNI_PASST" broker
	bed_until 5 grep -q listening "$BED_DIR/tmp/broker.log"
	conf '{"forward": {"tcp": ["8080:80"]}}' > "$BED_DIR/tmp/kit.json"
	kit_cni ADD "$(box)" < "$BED_DIR/tmp/kit.json" > "$BED_DIR/seen" || die "$(cat "$BED_DIR/seen")"
	same "main's namespace" "$(readlink "/proc/$(main_of)/ns/net")" "$(bed_host readlink /proc/self/ns/net)"
	in_box ip -o addr show eth0 | grep -q "inet $HOST4/24"
	in_box ping -c 1 -W 5 "$PEER4" > /dev/null
	bed_bg WEB in_box python3 "$BED_DIR/server.py" whoami 80
	bed_until 5 in_box sh -c 'ss -Htln | grep -q :80'
	same "the client" "$(says 8080 | cut -d ' ' -f 1)" "$PEER4"
	kit_cni DEL "" < "$BED_DIR/tmp/kit.json"
	nothing_left
	bed_kill "$WEB"
}

@test "the container ends: so does the daemon" {
	conf '{}' > "$BED_DIR/tmp/kit.json"
	kit_cni ADD "$(box)" < "$BED_DIR/tmp/kit.json" > "$BED_DIR/seen" || die "$(cat "$BED_DIR/seen")"
	kill -9 "$(cat "$BED_DIR/tmp/container")"
	bed_until 10 bed_no_core || die "left: $(bed_core_pids | xargs)"
}
