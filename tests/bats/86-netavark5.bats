#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2154
#
# The plugin driven by netavark itself (1.14, under podman 5 of Debian 13, trixie.bash):
# `podman network create --driver cni-passt`, then containers, rootful and rootless,
# with the broker and without. (84-netavark.bats holds the wording of the requests.)

load bed
load expect
load podman
load trixie

setup_file() {
	local why
	why=$(trixie_missing)
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	bed_make
	podman_make
	why=$(trixie_foreign)
	[ -z "$why" ] || { podman_remove; bed_remove; bed_skip "$why"; return 0; }
	bed_server WHO bed_host tcp 8000 python3 "$BED_DIR/server.py" whoami 8000
	head -c 1M /dev/urandom > "$BED_DIR/www/file"
	bed_server FILE bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
	BED_ENV=(PODMAN_IGNORE_CGROUPSV1_WARNING=1)
}

teardown() {
	! bed_skipping || return 0
	local who
	for who in root user; do
		podman_as "$who" podman rm -fa -t 0 > /dev/null 2>&1 || true
		podman_as "$who" podman network prune -f > /dev/null 2>&1 || true
	done
	bed_kill "${BROKER-}"
	bed_until 5 bed_no_core || die "left: $(bed_core_pids | xargs)"
}

fetch() { "$1" curl -sS -m 10 --noproxy '*' "http://$2/word"; }
httpd='mkdir -p /www; echo word > /www/word; exec httpd -f -v -p 80 -h /www'
serves() { [ "$(fetch "$@" 2> /dev/null)" = word ]; }

@test "create, inspect, ls, rm: podman asks the plugin, and keeps what it says" {
	run podman_root network create --driver cni-passt --opt mtu=1400 --opt forward=9090:80 web
	same "status: $output" "$status" 0
	same "driver and options" "$(podman_root network inspect web | jq -c '.[0] | [.driver, .options.mtu, .options.forward, .dns_enabled]')" \
		'["cni-passt","1400","9090:80",false]'
	podman_root info --format '{{.Plugins.Network}}' | grep -q cni-passt
	run podman_root network create --driver cni-passt --opt colour=red red
	[ "$status" -ne 0 ] || die "was taken"
	[[ $output == *"option colour"* ]] || die "says: $output"
	podman_root network rm web > /dev/null
}

@test "rootful: addresses of the host, options, -p, inspect, stop and rm" {
	podman_root network create --driver cni-passt --opt mtu=1400 --opt forward=9090:80 web > /dev/null
	podman_root run -d --name w --network web -p 8080:80 "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null || die "run"
	bed_until 5 serves bed_peer "$HOST4:8080" || die "no answer: $(podman_root logs w)"
	same "the network's own port" "$(fetch bed_peer "$HOST4:9090")" word
	podman_root logs w 2>&1 | grep -q "$PEER4" || die "who came: $(podman_root logs w 2>&1)"
	run podman_root exec w sh -c "ip -o link show eth0; ip -o addr show eth0; wget -q -O - http://$PEER4/file | sha256sum"
	[[ $output == *"mtu 1400"*"inet $HOST4/24"*"$(sum < "$BED_DIR/www/file")"* ]] || die "says: $output"
	same "inspect" "$(podman_root inspect w | jq -c '.[0].NetworkSettings.Networks.web | [.IPAddress, .IPPrefixLen, .GlobalIPv6Address]')" \
		"[\"$HOST4\",24,\"$HOST6\"]"
	same "MAC" "$(podman_root inspect w | jq -r '.[0].NetworkSettings.Networks.web.MacAddress')" \
		"$(podman_root exec w cat /sys/class/net/eth0/address)"
	podman_root stop -t 0 w > /dev/null
	bed_until 2 bed_no_core || die "a daemon outlived the stop"
	podman_root start w > /dev/null
	bed_until 5 serves bed_peer "$HOST4:8080"
	podman_root rm -f -t 0 w > /dev/null
	bed_until 2 bed_no_core || die "a daemon outlived the rm"
}

@test "rootful: podman's subnet and static address, two networks at once, connect and disconnect" {
	podman_root network create --driver cni-passt --subnet 10.7.0.0/16 --gateway 10.7.0.1 one > /dev/null
	podman_root network create --driver cni-passt two > /dev/null
	podman_root run -d --name s --network one:ip=10.7.0.99,mac=02:11:22:33:44:55 "$PODMAN_IMAGE" sleep 100 > /dev/null
	run podman_root exec s sh -c "ip -o addr show eth0; ip -o link show eth0; ip route; wget -q -O - http://$PEER4/file | sha256sum"
	[[ $output == *"inet 10.7.0.99/16"*02:11:22:33:44:55*"via 10.7.0.1"*"$(sum < "$BED_DIR/www/file")"* ]] || die "says: $output"
	podman_root network connect two s
	podman_root exec s ip -o addr show eth1 | grep -q "inet $HOST4/24"
	podman_root network disconnect two s
	run podman_root exec s ip link show eth1
	[ "$status" -ne 0 ] || die "eth1 is left"
	podman_root exec s wget -q -O /dev/null "http://$PEER4/file"
	podman_root rm -f -t 0 s > /dev/null
	bed_until 2 bed_no_core
}

@test "rootful: the container's program crashes, its daemon ends" {
	podman_root network create --driver cni-passt web > /dev/null
	podman_root run -d --name k --network web "$PODMAN_IMAGE" sleep 100 > /dev/null
	kill -9 "$(podman_root inspect -f '{{.State.Pid}}' k)"
	bed_until 5 bed_no_core || die "a daemon is left"
	podman_root rm -f k > /dev/null
}

@test "rootless: behind podman's own namespace; with the broker in the host's" {
	podman_user network create --driver cni-passt web > /dev/null
	run podman_user run --rm --network web "$PODMAN_IMAGE" sh -c "ip -o addr show eth0; wget -q -O - http://$PEER4/file | sha256sum"
	[[ $output == *"inet $HOST4/24"*"$(sum < "$BED_DIR/www/file")"* ]] || die "says: $output"
	bed_until 3 bed_no_core || die "left"
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user "$CNI_PASST" broker
	bed_until 5 grep -q listening "$BED_DIR/tmp/broker.log"
	podman_user run -d --name b --network web -p 8095:80 "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null || die "run"
	same "main's namespace" "$(readlink "/proc/$(bed_main "$(podman_user inspect -f '{{.State.Pid}}' b)")/ns/net")" \
		"$(bed_host readlink /proc/self/ns/net)"
	bed_until 5 serves bed_peer "$HOST4:8095" || die "no answer"
	podman_user exec b wget -q -O - "http://$PEER4/file" | sum | grep -q "$(sum < "$BED_DIR/www/file")"
	podman_user rm -f -t 0 b > /dev/null
	bed_until 3 bed_no_core || die "left"
}
