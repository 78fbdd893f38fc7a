#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where a container's addresses come from: hosts of every kind, made of the bed's by
# taking away and adding, and addresses that are not the host's.

# shellcheck disable=SC2154
load bed
load expect
load box

setup_file() {
	bed_make
	bed_server PEERWEB bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	printf hello > "$BED_DIR/www/hello"
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	SERVER=
}

teardown() {
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$SERVER"
	bed_kill "$C"
	restore_host
	bed_until 3 bed_no_core
}

# The host as bed_wire makes it.
restore_host() {
	ip -n "$HOST" link del x0 2> /dev/null || true
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" addr flush dev lo scope global
	ip -n "$HOST" link set h0 down
	ip -n "$HOST" link set h0 up
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" route replace default via 203.0.113.1
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
}

# One more interface of the host, with a carrier.
add_x0() {
	ip -n "$HOST" link add x0 type veth peer name x1
	ip -n "$HOST" link set x1 up
	ip -n "$HOST" link set x0 up "$@"
}

add() { # add [JSON]
	run_cni ADD "c$C" "$NS" eth0 < <(conf "${1-"{}"}")
	same "status of ADD: $output" "$status" 0
}

ips() { jq -r '[.ips[].address] | join(" ")' <<< "$stdout"; }
route() { bed_in "$C" ip "$1" route show default; }
pings() { bed_in "$C" ping -c 1 -W 2 "$1" > /dev/null || die "no answer from $1"; }
# The host says that it has no route: an error at once, no time-out.
unreachable() { bed_in "$C" python3 "$BED_DIR/client.py" unreachable "$1" 80; }

@test "no default route: the interface that has addresses is copied" {
	ip -n "$HOST" route del default
	ip -n "$HOST" -6 route del default
	add
	same addresses "$(ips)" "$HOST4/24 $HOST6/64"
	pings 203.0.113.1
	bed_in "$C" ping -6 -c 1 -W 2 2001:db8:1::1
	unreachable "$PEER4"
	# each echo request is told which one it was (a kernel may miss one error in its way)
	bed_in "$C" ping -n -c 3 -i 0.2 -W 1 "$PEER4" > "$BED_DIR/ping" && die "answered"
	grep -q "From .*icmp_seq=3 .*Net Unreachable" "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
	bed_in "$C" ping -n -c 3 -i 0.2 -W 1 "$PEER6" > "$BED_DIR/ping" && die "answered"
	grep -q "From .*icmp_seq=3 .*No route" "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
	! grep -q "icmp_seq=0" "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
	# which is no cap that anything reached
	same flows_refused "$(bed_user "$CNI_PASST" stats "c$C" --json | jq '[.. | .flows_refused? // empty] | add')" 0
	# as soon as the host has one, so has the container
	ip -n "$HOST" route add default via 203.0.113.1
	pings "$PEER4"
}

@test "no IPv6: that family is left out" {
	ip -n "$HOST" -6 addr flush dev h0 scope global
	add
	same addresses "$(ips)" "$HOST4/24"
	pings "$PEER4"
	! bed_in "$C" ip -6 route show default | grep -q . || die "an IPv6 default route"
}

@test "no IPv4: that family is left out" {
	ip -n "$HOST" addr del "$HOST4/24" dev h0
	add
	same addresses "$(ips)" "$HOST6/64"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
	! bed_in "$C" ip -4 route show default | grep -q . || die "an IPv4 default route"
}

@test "several interfaces: the one of the default route with the least metric" {
	add_x0
	ip -n "$HOST" addr add 192.0.2.5/24 dev x0
	ip -n "$HOST" route add default via 192.0.2.1 metric 700
	add
	same addresses "$(ips)" "$HOST4/24 $HOST6/64"
	pings "$PEER4"
	pings 192.0.2.5
}

@test "only a link-local address" {
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" addr add 169.254.77.5/16 dev h0
	ip -n "$PEER" addr add 169.254.77.6/16 dev p0
	add '{"ipv6": false}'
	same addresses "$(ips)" 169.254.77.5/16
	pings 169.254.77.6
	ip -n "$PEER" addr del 169.254.77.6/16 dev p0
}

@test "only the loopback: addresses of its own, and a network as soon as there is one" {
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" link set h0 down
	add
	[[ $(ips) =~ ^100\.[0-9.]+/32\ fd[0-9a-f:]+/128$ ]] || die "addresses: $(ips)"
	unreachable "$PEER4"
	ip -n "$HOST" link set h0 up
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" route add default via 203.0.113.1
	pings "$PEER4"
}

@test "an address on the loopback of a host that routes, its links without" {
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" addr add 203.0.113.77/32 dev lo
	ip -n "$HOST" route add 203.0.113.1 dev h0
	ip -n "$HOST" route add default via 203.0.113.1 dev h0
	add '{"ipv6": false}'
	same addresses "$(ips)" 203.0.113.77/32
	pings "$PEER4"
}

@test "/32 and /128 with gateways that are on the link" {
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" addr add "$HOST4/32" dev h0
	ip -n "$HOST" addr add "$HOST6/128" dev h0 nodad
	ip -n "$HOST" route add default via 203.0.113.1 dev h0 onlink
	ip -n "$HOST" -6 route add 2001:db8:1::1 dev h0
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1 dev h0
	add
	same addresses "$(ips)" "$HOST4/32 $HOST6/128"
	pings "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
}

@test "a point-to-point link" {
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" addr add "$HOST4" peer 203.0.113.1/32 dev h0
	ip -n "$HOST" route add default via 203.0.113.1
	add '{"ipv6": false}'
	same addresses "$(ips)" "$HOST4/32"
	pings "$PEER4"
}

@test "a VPN as default route, a device without gateway" {
	add_x0 mtu 1380
	ip -n "$HOST" addr add 10.8.0.6/24 dev x0
	ip -n "$HOST" route add "$PEER4" via 203.0.113.1
	ip -n "$HOST" route replace default dev x0
	add '{"ipv6": false}'
	same addresses "$(ips)" 10.8.0.6/24
	bed_in "$C" ip -o link show eth0 | grep -q 'mtu 1380'
	route -4 | grep -q '^default dev eth0' || die "$(route -4)"
	pings "$PEER4"
}

@test "a VPN of a real program as default route: a tun device with one address" {
	vpn_up
	ip -n "$HOST" route replace default dev v0
	bed_host ping -c 1 -W 2 10.8.0.1 || die "no VPN"
	add '{"ipv6": false}'
	same addresses "$(ips)" 10.8.0.6/32
	bed_in "$C" ip -o link show eth0 | grep -q 'mtu 1400'
	pings 10.8.0.1
	pings "$PEER4"
	bed_in "$C" python3 "$BED_DIR/client.py" udp-sizes "$PEER4" 7 1 1300 3000
	vpn_down
}

@test "private: stable addresses of its own, and every one of the host's is reached" {
	local first
	bed_server SERVER bed_host udp 8 python3 "$BED_DIR/server.py" udp-echo 8
	add '{"addresses": ["private"]}'
	first=$(ips)
	[[ $first =~ ^100\.[0-9.]+/32\ fd[0-9a-f:]+/128$ ]] || die "addresses: $first"
	pings "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
	pings "$HOST4"
	bed_in "$C" ping -6 -c 1 -W 2 "$HOST6"
	bed_in "$C" python3 "$BED_DIR/client.py" udp-sizes "$HOST4" 8 1 100
	bed_in "$C" python3 "$BED_DIR/client.py" udp-sizes "$HOSTADDR" 8 1 100
	conf | cni DEL "c$C" "$NS" eth0
	add '{"addresses": ["private"]}'
	same "addresses at the next start" "$(ips)" "$first"
}

# What the host sent on behalf of anybody: echo requests, datagrams, connections begun.
sent_outside() {
	bed_host cat /proc/net/snmp /proc/net/snmp6 | awk '
		/^Icmp: .*OutEchos/ || /^Udp: .*OutDatagrams/ || /^Tcp: .*ActiveOpens/ {
			for (i = 2; i <= NF; i++) name[i] = $1 $i
			next
		}
		/^(Icmp|Udp|Tcp):/ { for (i = 2; i <= NF; i++) value[name[i]] = $i }
		/^Icmp6OutEchos|^Udp6OutDatagrams/ { value[$1] = $2 }
		END { print value["Icmp:OutEchos"], value["Udp:OutDatagrams"], value["Tcp:ActiveOpens"],
			value["Icmp6OutEchos"], value["Udp6OutDatagrams"] }'
}

# ours ADDRESS...: the daemon answers by these as a router does, and nothing of it leaves
ours() {
	local a size before
	before=$(sent_outside)
	for a; do
		bed_in "$C" ping -n -c 3 -i 0.01 -W 2 "$a" > "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		grep -q '3 received' "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		grep -q 'icmp_seq=3 ttl=64' "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		# up to the largest, whole and in fragments both ways: ping looks at each byte
		for size in 0 1452 1473 9000 65507; do
			bed_in "$C" ping -n -c 1 -W 2 -s "$size" -p a5c3 "$a" > "$BED_DIR/ping" ||
				die "$size bytes: $(cat "$BED_DIR/ping")"
			! grep -q 'wrong data' "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		done
		bed_in "$C" python3 "$BED_DIR/client.py" refused "$a" 80
		bed_in "$C" python3 "$BED_DIR/client.py" udp-refused "$a" 80
		# one hop, and there it is
		bed_in "$C" traceroute -n -q 1 -w 2 -m 3 "$a" > "$BED_DIR/trace"
		same "hops to $a" "$(awk '$1 ~ /^[0-9]+$/ { print $1, $2 }' "$BED_DIR/trace")" "1 $a"
	done
	same "what left meanwhile" "$(sent_outside)" "$before"
}

# The router's link-local address, as who sends RAs and who is the first hop show it.
router6() {
	local r
	r=$(bed_in "$C" traceroute -6 -n -q 1 -w 2 -m 1 "$PEER6" | awk '$1 == 1 { print $2 }')
	[[ $r == fe80::* ]] || die "first hop: $r"
	echo "$r"
}

@test "private: the gateways are ours, and answer as routers do" {
	add '{"addresses": ["private"]}'
	ours 169.254.1.1 fe80::1%eth0 fd00::a9fe:101 "$(router6)"
	pings "$HOSTADDR"
}

@test "host: the forwarder's addresses and our link-local one answer; the gateway is the host's router" {
	local before
	add
	ours 169.254.1.1 fd00::a9fe:101 "$(router6)"
	before=$(sent_outside)
	pings 203.0.113.1
	bed_in "$C" ping -6 -c 1 -W 2 2001:db8:1::1
	[ "$(sent_outside)" != "$before" ] || die "who answered?"
	pings "$HOSTADDR"
	# no forwarder, no address of it: it is the network's
	conf | cni DEL "c$C" "$NS" eth0
	add '{"dns": {"forward": []}}'
	! bed_in "$C" ping -n -c 1 -W 1 169.254.1.1 > "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
}

@test "hostAddress: another one, two, none" {
	bed_server SERVER bed_host udp 8 python3 "$BED_DIR/server.py" udp-echo 8
	reaches() { bed_in "$C" timeout 3 python3 "$BED_DIR/client.py" udp-sizes "$1" 8 1 100 2> /dev/null; }
	add '{"hostAddress": ["10.9.9.9", "fd00::9"]}'
	reaches 10.9.9.9 && reaches fd00::9 || die "not by the addresses given"
	! reaches "$HOSTADDR" || die "by the default one too"
	conf | cni DEL "c$C" "$NS" eth0
	add '{"hostAddress": []}'
	! reaches "$HOSTADDR" || die "though switched off"
	pings "$PEER4"
}

@test "private: not an address of a network the host has" {
	local first
	add '{"addresses": ["private"], "ipv6": false}'
	first=$(ips)
	conf | cni DEL "c$C" "$NS" eth0
	add_x0
	ip -n "$HOST" route add "${first%.*}.0/24" dev x0
	add '{"addresses": ["private"], "ipv6": false}'
	[ "$(ips)" != "$first" ] || die "still $first"
	pings "$PEER4"
}

@test "private, of a container that configures itself" {
	add '{"addresses": ["private"], "configure": false, "ipv6": false}'
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nenv > %s/udhcpc.$1\n' "$BED_DIR/tmp" > "$BED_DIR/tmp/env.script"
	chmod 755 "$BED_DIR/tmp/env.script"
	bed_in "$C" udhcpc -n -q -f -i eth0 -O staticroutes -s "$BED_DIR/tmp/env.script"
	local address
	address=$(ips)
	grep -qx "ip=${address%/32}" "$BED_DIR/tmp/udhcpc.bound" && grep -qx mask=32 "$BED_DIR/tmp/udhcpc.bound" &&
		grep -qx 'staticroutes=169.254.1.1/32 0.0.0.0 0.0.0.0/0 169.254.1.1' "$BED_DIR/tmp/udhcpc.bound" ||
		die "$(cat "$BED_DIR/tmp/udhcpc.bound")"
}

@test "host and private exclude each other" {
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"addresses": ["host", "private"]}')
	refused 7 '"private"'
}

# seen_from ADDRESS: what a datagram of the container has for a source at the peer
seen_from() {
	local seen=$BED_DIR/seen
	# shellcheck disable=SC2016
	BED_OUT=$seen bed_bg SERVER bed_peer socat -u UDP4-RECVFROM:99,bind="$PEER4",fork SYSTEM:'read -r x; echo $SOCAT_PEERADDR'
	bed_until 3 bed_listening bed_peer udp 99
	bed_in "$C" bash -c "echo hello > /dev/udp/$PEER4/99"
	bed_until 3 test -s "$seen"
	bed_kill "$SERVER"
	same source "$(cat "$seen")" "$1"
}

@test "outbound.addresses: what leaves has that source" {
	ip -n "$HOST" addr add 203.0.113.9/24 dev h0
	add '{"outbound": {"addresses": ["203.0.113.9"]}}'
	seen_from 203.0.113.9
	pings "$PEER4"
	bed_server WEB bed_peer tcp 81 python3 "$BED_DIR/server.py" http 81 "$BED_DIR/www"
	same "by HTTP" "$(bed_in "$C" curl -sS -m 5 "http://$PEER4:81/hello")" hello
	bed_kill "$WEB"
}

@test "outbound.interface: its addresses are copied, and what leaves goes by it" {
	ip -n "$PEER" link add y0 type veth peer name x0 netns "$HOST"
	ip -n "$PEER" link set y0 up
	ip -n "$PEER" addr add 192.0.2.1/24 dev y0
	ip -n "$HOST" link set x0 up
	ip -n "$HOST" addr add 192.0.2.5/24 dev x0
	ip -n "$HOST" route add default via 192.0.2.1 metric 700
	add '{"ipv6": false, "outbound": {"interface": "x0"}}'
	same addresses "$(ips)" 192.0.2.5/24
	seen_from 192.0.2.5
	pings "$PEER4"
	pings "$HOSTADDR"
}

@test "outbound.interface that the host does not have" {
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"outbound": {"interface": "nope0"}}')
	refused 7 'the host has no "nope0"'
}
