#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rootless containerd: the whole of it in RootlessKit's namespaces, by the ordinary user,
# as examples/containerd.md has it. `ctr run --cni` calls our plugin there: with the broker
# the container has the host's network, without it what slirp4netns gives RootlessKit.

load bed
load expect
load podman
load containerd

setup_file() {
	local why
	why=$(containerd_missing)
	[ -n "$why" ] || why=$(podman_missing)
	[ -n "$why" ] || command -v rootlesskit > /dev/null || why="no program rootlesskit"
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	bed_make
	podman_world
	containerd_image "$BED_DIR/tmp/image.tar"
	chmod 0644 "$BED_DIR/tmp/image.tar"
	# ctr knows its two folders by heart
	cat > "$BED_DIR/tmp/inside" <<- END
		#!/bin/sh -e
		rm -rf /etc/cni && mkdir -p /etc/cni/net.d
		mount -t tmpfs none /run && mkdir /run/containerd
		mount -t tmpfs none /opt && mkdir -p /opt/cni/bin
		ln -s $BED_DIR/plugin/cni-passt /usr/lib/cni/host-local /opt/cni/bin/
		cp $BED_DIR/cni-passt-containerd.conflist /etc/cni/net.d/10-passt.conflist
		exec containerd --log-level warn --config $BED_DIR/tmp/containerd.toml
	END
	chmod 0755 "$BED_DIR/tmp/inside"
	containerd_toml "$BED_DIR/tmp/containerd" > "$BED_DIR/tmp/containerd.toml"
	export RK=$BED_DIR/tmp/rk
	BED_OUT=$BED_DIR/tmp/rk.log bed_bg KIT podman_as user rootlesskit --state-dir "$RK" --net slirp4netns --copy-up /etc \
		--copy-up /opt --copy-up /run --disable-host-loopback --port-driver builtin "$BED_DIR/tmp/inside"
	export KIT
	bed_until 20 ctr version > /dev/null 2>&1 || { cat "$BED_DIR/tmp/rk.log" >&2; return 1; }
	ctr image import "$BED_DIR/tmp/image.tar" > /dev/null
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	[ -z "${KIT-}" ] || bed_kill "$KIT"
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
	CHILD=$(cat "$RK/child_pid")
}

teardown() {
	! bed_skipping || return 0
	containerd_stop web
	containerd_stop other
	[ -z "${BROKER-}" ] || bed_kill "$BROKER"
	bed_until 5 bed_no_core
}

# A program where containerd is: root of the user namespace.
in_kit() {
	exec_or_run nsenter -t "$(cat "$RK/child_pid")" -U -m -n env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		XDG_RUNTIME_DIR="$XDG" LANG=C HOME="$BED_DIR/tmp" "${BED_ENV[@]}" "$@"
}
ctr() { in_kit ctr "$@"; }
# (no cgroup: an ordinary user has none of his own without systemd)
ctr_run() { ctr run --cni --snapshotter native --cgroup "" --cpu-shares 0 "$@"; }
broker() {
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user "$CNI_PASST" broker
	bed_until 5 grep -q listening "$BED_DIR/tmp/broker.log"
}
main_of() { bed_core_pids | while read -r p; do ! grep -qx passt-main "/proc/$p/comm" || echo "$p"; done; }
namespace() { bed_host readlink "/proc/$1/ns/net"; }
gone() { bed_until 10 bed_no_core || die "left: $(bed_core_pids | xargs -r ps -o pid,args -p)"; }

@test "with the broker: the host's network, IPv4 and IPv6, in the foreground" {
	broker
	ctr_run --rm localhost/bb:latest web \
		sh -c "ip -o addr show eth0; ping -c 1 -W 5 $PEER4; ping -6 -c 1 -W 5 $PEER6" > "$BED_DIR/seen" 2>&1 || die "$(cat "$BED_DIR/seen")"
	grep -q 'inet 10.89.' "$BED_DIR/seen"
	same "pings" "$(grep -c '1 packets received' "$BED_DIR/seen")" 2
	gone
}

@test "with the broker: a forwarded port, by the host's address" {
	broker
	in_kit sh -c 'cd /etc/cni/net.d && jq ".plugins[0].forward = {tcp: [\"8080:80\"]}" 10-passt.conflist > 05-ports.conflist'
	ctr_run -d localhost/bb:latest web sh -c 'while :; do echo hello | nc -l -p 80; done' > "$BED_DIR/seen" 2>&1 || die "$(cat "$BED_DIR/seen")"
	same "main's namespace" "$(namespace "$(main_of)")" "$(bed_host readlink /proc/self/ns/net)"
	same "the answer" "$(bed_peer timeout 5 socat -T 5 - "TCP:$HOST4:8080" < /dev/null)" hello
	in_kit rm /etc/cni/net.d/05-ports.conflist
	containerd_stop web
	gone
}

@test "without the broker: what RootlessKit has" {
	# (another name: ctr 1.6 gave web's address back to nobody)
	ctr_run -d localhost/bb:latest other sleep 60 > "$BED_DIR/seen" 2>&1 || die "$(cat "$BED_DIR/seen")"
	same "main's namespace" "$(namespace "$(main_of)")" "$(namespace "$CHILD")"
	ctr task exec --exec-id ping other ping -c 1 -W 5 "$PEER4" > "$BED_DIR/seen" 2>&1 || die "$(cat "$BED_DIR/seen")"
	containerd_stop other
	gone
}
