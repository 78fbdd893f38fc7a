#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# podman, rootless and rootful, with the file of hooks.d that is installed: a
# container with --network=none and an annotation of ours has the host's network.

load bed
load expect
load podman

setup_file() {
	local build=${CNI_PASST_BUILD-$bed_tree/build}
	[ -z "$(podman_missing)" ] || return 0
	bed_make
	head -c 1M /dev/urandom > "$BED_DIR/www/file"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	podman_make
	jq --arg hook "$BED_DIR/hooks/cni-passt-hook" '.hook.path = $hook' \
		"$build/conf/50-cni-passt.json" > "$BED_DIR/podman/hooks.d/50-cni-passt.json"
}

teardown_file() {
	podman_remove
	[ -z "${BED-}" ] || bed_remove
}

setup() {
	local why
	why=$(podman_missing)
	[ -z "$why" ] || skip "$why"
}

gone() {
	bed_until 10 bed_no_core || die "processes left: $(bed_core_pids | xargs -r ps -o pid,args -p)"
	bed_until 5 bed_no_state || die "state left: $(bed_state)"
}

fetch="printf 'GET /file HTTP/1.0\\r\\n\\r\\n' | nc $PEER4 80 | tail -c $((1 << 20)) | sha256sum"

# downloads WHO CONTAINER
downloads() {
	same "download in $2" "$("podman_$1" exec "$2" sh -c "$fetch" | cut -d ' ' -f 1)" \
		"$(sum < "$BED_DIR/www/file")"
}

says() { [ "$(bed_host curl -sS --http0.9 --max-time 5 "http://$1/" 2> /dev/null)" = "$2" ]; }

run_detached() { # run_detached WHO NAME
	"podman_$1" run -d --name "$2" --network=none --annotation io.cni-passt.publish=8080:80 \
		"$PODMAN_IMAGE" sh -c 'while :; do echo served | nc -l -p 80; done' > /dev/null
}

whole_life() { # whole_life WHO
	run_detached "$1" web
	downloads "$1" web
	bed_until 10 says 127.0.0.1:8080 served || die "port 8080 does not answer"
	"podman_$1" restart -t 0 web > /dev/null
	bed_until 10 says "$HOST4:8080" served || die "port 8080 does not answer after a restart"
	downloads "$1" web
	"podman_$1" stop -t 0 web > /dev/null
	gone
	"podman_$1" start web > /dev/null
	downloads "$1" web
	"podman_$1" rm -f -t 0 web > /dev/null
	gone
}

@test "rootless: run, exec, restart, stop, start, rm" {
	whole_life user
}

@test "rootful: run, exec, restart, stop, start, rm" {
	whole_life root
}

@test "in the foreground podman returns when the container has ended; without annotation nothing is attached" {
	same "download" "$(podman_user run --rm --network=none --annotation io.cni-passt.ipv6=false "$PODMAN_IMAGE" sh -c "$fetch" | cut -d ' ' -f 1)" \
		"$(sum < "$BED_DIR/www/file")"
	gone
	run podman_user run --rm --network=none "$PODMAN_IMAGE" ip addr show dev eth0
	[ "$status" -ne 0 ] || die "has an interface: $output"
}

@test "a bad annotation keeps the container from starting" {
	run podman_user run --rm --network=none --annotation io.cni-passt.mtu=17 "$PODMAN_IMAGE" true
	[ "$status" -ne 0 ] || die "was started"
	gone
	run podman_root run --rm --network=none --annotation io.cni-passt.mtu=17 "$PODMAN_IMAGE" true
	[ "$status" -ne 0 ] && [[ $output == *"mtu: 17 is not"* ]] || die "$status: $output"
	gone
}

@test "--network=host is left alone" {
	podman_user run --rm --network=host --annotation io.cni-passt.publish=8080:80 "$PODMAN_IMAGE" true
	gone
}

@test "pod: the container that is annotated attaches the pod's namespace" {
	podman_user pod create --name pod --network=none --infra-image "$PODMAN_IMAGE" --infra-command 'sleep 1000' > /dev/null
	podman_user run -d --pod pod --name first --annotation io.cni-passt.publish=8080:80 "$PODMAN_IMAGE" sleep 1000 > /dev/null
	podman_user run -d --pod pod --name second "$PODMAN_IMAGE" sh -c 'while :; do echo second | nc -l -p 80; done' > /dev/null
	downloads user second
	bed_until 10 says 127.0.0.1:8080 second || die "port 8080 does not lead to the pod"
	podman_user pod rm -f -t 0 pod > /dev/null
	gone
}
