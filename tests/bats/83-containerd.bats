#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# containerd's `ctr run --cni` with the list of conf/, as examples/containerd.md has it:
# one network, the first file of /etc/cni/net.d, plugins of /opt/cni/bin; ADD between the
# task's making and its start, DEL with an empty CNI_NETNS, or, with -d, none at all: the
# daemon ends with its container. The image is made by hand.

load bed
load expect
load podman
load containerd

setup_file() {
	local why
	why=$(containerd_missing)
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	bed_make
	podman_world
	containerd_start
	containerd_image "$BED_DIR/image.tar"
	ctr image import "$BED_DIR/image.tar" > /dev/null
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	[ -z "${CONTAINERD-}" ] || bed_kill "$CONTAINERD"
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
}

teardown() {
	! bed_skipping || return 0
	local name
	for name in web other third fourth; do
		containerd_stop "$name"
	done
	bed_until 5 bed_no_core
}

# The two folders that ctr knows by heart stand in root's mount namespace only.
containerd_start() {
	# shellcheck disable=SC2016
	podman_as root sh -c 'mkdir -p /etc/cni && mount -t tmpfs none /etc/cni && mkdir /etc/cni/net.d &&
		mount -t tmpfs none /opt && mkdir -p /opt/cni/bin && ln -s "$1/plugin/cni-passt" /usr/lib/cni/host-local /opt/cni/bin/ &&
		cp "$1/cni-passt-containerd.conflist" /etc/cni/net.d/10-passt.conflist' sh "$BED_DIR"
	containerd_toml "$BED_DIR/containerd/root" > "$BED_DIR/containerd.toml"
	BED_OUT=$BED_DIR/containerd.log bed_bg CONTAINERD podman_as root containerd --log-level warn --config "$BED_DIR/containerd.toml"
	export CONTAINERD
	bed_until 20 ctr version > /dev/null 2>&1 || { cat "$BED_DIR/containerd.log" >&2; return 1; }
}

ctr() { podman_as root ctr "$@"; }

start() { # start NAME COMMAND: in the background; ctr returns when the task runs
	ctr run -d --cni --snapshotter native localhost/bb:latest "$1" sh -c "$2" > "$BED_DIR/seen" 2>&1 ||
		die "ctr run: $(cat "$BED_DIR/seen")"
}
inside() { ctr task exec --exec-id "x$RANDOM" "$1" sh -c "$2"; }
attachments() { podman_as root sh -c 'ls -d /run/cni-passt/*@* 2> /dev/null | wc -l'; }
nothing_is_left() { [ "$(attachments)" = 0 ] && bed_no_core; }

@test "ctr run --cni: in the foreground, the network is there and goes with the container" {
	ctr run --rm --cni --snapshotter native localhost/bb:latest web \
		sh -c "ip -o addr show eth0; ping -c 1 -W 5 $PEER4; ping -6 -c 1 -W 5 $PEER6" > "$BED_DIR/seen" 2>&1 || die "$(cat "$BED_DIR/seen")"
	grep -q 'inet 10.89.' "$BED_DIR/seen"
	grep -q 'inet6 fd89:1:' "$BED_DIR/seen"
	same "pings" "$(grep -c '1 packets received' "$BED_DIR/seen")" 2
	bed_until 5 nothing_is_left || die "left: $(bed_core_pids | xargs)"
}

@test "ctr run -d --cni: survives ctr, serves by forward, ends with the kill" {
	podman_as root sh -c 'cd /etc/cni/net.d && jq ".plugins[0].forward = {tcp: [\"8080:80\"]}" 10-passt.conflist > 05-ports.conflist'
	start web 'while :; do echo hello | nc -l -p 80; done'
	same "attachments" "$(attachments)" 1
	same "the answer" "$(bed_peer timeout 5 socat -T 5 - "TCP:$HOST4:8080" < /dev/null)" hello
	# a second one with the same port is refused by name, and undone
	run ctr run -d --cni --snapshotter native localhost/bb:latest other sh -c "sleep 60"
	[ "$status" != 0 ] || die "a port was given twice"
	[[ $output == *"port 8080 of all addresses is in use"* ]] || die "$output"
	containerd_stop other
	same "attachments" "$(attachments)" 1
	podman_as root rm /etc/cni/net.d/05-ports.conflist
	start other 'sleep 3600'
	inside other "ping -c 1 -W 5 $PEER4" | grep -q '1 packets received'
	containerd_stop web
	containerd_stop other
	bed_until 5 nothing_is_left || die "left: $(bed_core_pids | xargs)"
}

# (ctr 1.6 calls no DEL for what it started with -d, and host-local keeps the address for that name.)
@test "ctr run --cni: a container that crashes leaves no daemon" {
	start third 'sleep 3600'
	kill -9 "$(ctr task list | awk '$1 == "third" { print $2 }')"
	bed_until 10 bed_no_core || die "left: $(bed_core_pids | xargs)"
	# what examples/containerd.md says of that
	podman_as root env CNI_PATH=/opt/cni/bin /opt/cni/bin/cni-passt DEL --container-id default-third --conf /etc/cni/net.d/10-passt.conflist
	[ -z "$(podman_as root grep -l default-third -r /var/lib/cni/networks)" ] || die "the address is still third's"
	start fourth 'sleep 3600'
	inside fourth "ip -o addr show eth0" | grep -q 'inet 10.89.'
}
