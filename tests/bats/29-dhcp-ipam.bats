#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The IPAM plugin dhcp of the reference plugins, with its daemon: its client asks over the
# attachment's interface, and is answered by the attachment's own server.

# shellcheck disable=SC2154
load bed
load expect

setup_file() {
	bed_make
	printf hello > "$BED_DIR/www/hello"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	DHCP_SOCK=$BED_DIR/run/dhcp.sock
	CNI_DIR=$(for d in /usr/lib/cni /opt/cni/bin; do [ ! -x $d/dhcp ] || echo $d; done | head -n 1)
	export DHCP_SOCK CNI_DIR
}

teardown_file() {
	bed_remove
}

setup() {
	[ -n "$CNI_DIR" ] || skip "no IPAM plugin dhcp"
	bed_real_root || skip "its daemon wants to enter namespaces"
	bed_container C
	NS=/proc/$C/ns/net
	DAEMON=
}

teardown() {
	netconf | call DEL > /dev/null 2>&1 || true
	bed_kill "$DAEMON"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

start_daemon() {
	rm -f "$DHCP_SOCK"
	BED_OUT=$BED_DIR/tmp/dhcpd bed_bg DAEMON bed_host "$CNI_DIR/dhcp" daemon -pidfile "$BED_DIR/dhcp.pid" \
		-socketpath "$DHCP_SOCK"
	bed_until 5 test -S "$DHCP_SOCK"
	chown "$BED_UID" "$DHCP_SOCK"
}

netconf() { # netconf [JSON]
	conf '{"ipam": {"type": "dhcp"}}' | jq --arg s "$DHCP_SOCK" --argjson more "${1-"{}"}" \
		'.ipam.daemonSocketPath = $s | . + $more'
}

call() { # call VERB < CONFIGURATION, with the reference plugins to be found
	bed_user env CNI_COMMAND="$1" CNI_CONTAINERID="c$C" CNI_NETNS="$NS" CNI_IFNAME=eth0 \
		CNI_PATH="$BED_DIR/plugin:$CNI_DIR" "$CNI_PASST"
}

add() {
	status=0
	output=$(netconf "${1-"{}"}" | call ADD 2> "$BED_DIR/tmp/stderr") || status=$?
	stdout=$output
	output+=$(cat "$BED_DIR/tmp/stderr")
}

leases() { grep -c 'lease acquired' "$BED_DIR/tmp/dhcpd" || true; }

@test "ADD, CHECK, DEL: the address is leased over the interface, then set" {
	local prev
	start_daemon
	add
	same "status of ADD: $output; $(cat "$BED_DIR/tmp/dhcpd")" "$status" 0
	prev=$stdout
	same "the result's" "$(jq -r '[.ips[].address] | join(" ")' <<< "$prev")" "$HOST4/24 $HOST6/64"
	same leases "$(leases)" 1
	bed_in "$C" ip -o -4 addr show eth0 | grep -q "inet $HOST4/24 " || die "$(bed_in "$C" ip addr)"
	bed_in "$C" ip route show default | grep -q 'via 203.0.113.1' || die "$(bed_in "$C" ip route)"
	same "by HTTP" "$(bed_in "$C" curl -sS -m 5 "http://$PEER4/hello")" hello
	netconf | jq --argjson p "$prev" '. + {prevResult: $p}' | call CHECK
	netconf | call DEL
	bed_no_link "$C" || die "the interface is left"
	# the daemon has let go of it: CHECK says so
	run bash -c "$(declare -f call bed_user exec_or_run netconf conf); netconf | call CHECK"
	[ "$status" -ne 0 ] || die "still leased"
	nothing_left
}

@test "private addresses, IPv4 only, and one a runtime asks for" {
	start_daemon
	add '{"addresses": ["private"], "ipv6": false}'
	same "status of ADD: $output" "$status" 0
	jq -e '.ips | length == 1 and (.[0].address | startswith("100."))' <<< "$stdout" > /dev/null || die "$stdout"
	same "by HTTP" "$(bed_in "$C" curl -sS -m 5 "http://$PEER4/hello")" hello
	netconf | call DEL
	add '{"addresses": ["10.7.0.5/24"], "gateways": ["10.7.0.1"], "ipv6": false}'
	same "status of ADD: $output" "$status" 0
	same "the result's" "$(jq -r '[.ips[].address] | join(" ")' <<< "$stdout")" 10.7.0.5/24
	same leases "$(leases)" 2
}

@test "no daemon: the ADD says so, and nothing is left" {
	add
	refused 999 dhcp.sock
	nothing_left "$C"
}

@test "no IPv4, or a container that configures itself: nothing is left to the plugin" {
	start_daemon
	add '{"ipv4": false}'
	refused 7 '"ipv4": false'
	add '{"configure": false}'
	refused 7 '"configure": false'
	nothing_left "$C"
}

@test "a front end that is killed while the plugin asks leaves nothing" {
	mkdir -p "$BED_DIR/tmp/bin"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || { : > %s/tmp/asked; exec sleep 100; }\n' "$BED_DIR" > "$BED_DIR/tmp/bin/dhcp"
	chmod 0755 "$BED_DIR/tmp/bin/dhcp"
	rm -f "$BED_DIR/tmp/asked"
	netconf > "$BED_DIR/tmp/conf"
	bed_bg FRONT bed_user env CNI_COMMAND=ADD CNI_CONTAINERID="c$C" CNI_NETNS="$NS" CNI_IFNAME=eth0 \
		CNI_PATH="$BED_DIR/tmp/bin" sh -c "exec $CNI_PASST < $BED_DIR/tmp/conf"
	bed_until 5 test -e "$BED_DIR/tmp/asked"
	! bed_no_link "$C" || die "no interface while it asks"
	kill -9 "$FRONT"
	bed_until 5 bed_no_link "$C"
	bed_until 5 bed_no_core
}
