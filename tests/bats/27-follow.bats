#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The host moves, and the container with it: another address, another interface, no
# network for a while. Its network is as the bed makes it, and is changed here.

# shellcheck disable=SC2154
load bed
load expect
load box

LOG=		# of the container's daemon

setup_file() {
	bed_make
	bed_server PEERWEB bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	bed_server PEERTCP bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	# a second way to the peer, for the tests that want one
	ip -n "$PEER" link add y0 type veth peer name x0 netns "$HOST"
	ip -n "$PEER" link set y0 up
	ip -n "$PEER" addr add 192.0.2.1/24 dev y0
	ip -n "$PEER" addr add 203.0.113.8/24 dev p0 noprefixroute
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	LOG=$XDG/c$C.log
	SERVER=
	PREV=
}

teardown() {
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$SERVER"
	bed_kill "$C"
	restore_host
	bed_until 3 bed_no_core
}

restore_host() {
	ip -n "$HOST" addr flush dev x0
	ip -n "$HOST" link set x0 down
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" link set h0 down mtu 1500
	ip -n "$HOST" link set h0 up
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" route replace default via 203.0.113.1
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
}

add() { # add [JSON]: ADD with a log of its own
	run_cni ADD "c$C" "$NS" eth0 < <(log_to "c$C" | jq --argjson m "${1-"{}"}" \
		'{cniVersion: "1.0.0", name: "test", type: "cni-passt"} + . + $m')
	same "status of ADD: $output" "$status" 0
	PREV=$stdout
	bed_until 3 test -s "$LOG"
}

check() { # with the result of the ADD, as a runtime does it
	run_cni CHECK "c$C" "$NS" eth0 < <(conf | jq --argjson p "$PREV" '. + {prevResult: $p}')
	same "CHECK: $output" "$status" 0
}

in_c() { bed_in "$C" "$@"; }
has() { in_c ip -o addr show dev eth0 | grep -qF " $1 "; }
lacks() { ! has "$1"; }
route_is() { in_c ip "$1" route show default | grep -q "$2"; }
no_route6() { [ -z "$(in_c ip -6 route show default)" ]; }
mtu_is() { in_c ip -o link show eth0 | grep -q "mtu $1 "; }
changes() { grep -c 'host changed=' "$LOG" || true; }
changed() { [ "$(changes)" -ge "$1" ]; }

udp() { # udp ADDRESS: a datagram comes back
	in_c python3 "$BED_DIR/client.py" udp-sizes "$1" 7 100
}

tcp() { # tcp ADDRESS: a connection echoes
	in_c timeout 10 python3 "$BED_DIR/client.py" slow-echo "$1" 7 1
}

works() {
	udp "$PEER4" && tcp "$PEER4"
}

await() { bed_until 6 "$@" || die "not within 6 s: $*; $(cat "$LOG"; in_c ip addr; in_c ip route)"; }

@test "another address: the container has it too, and new connections work" {
	add
	in_c ip addr add 192.168.7.7/32 dev eth0	# the container's own affair
	in_c ip route add 10.99.0.0/16 dev eth0
	works
	ip -n "$HOST" addr del "$HOST4/24" dev h0
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	ip -n "$HOST" route add default via 203.0.113.1
	await has 203.0.113.77/24
	await lacks "$HOST4/24"
	await route_is -4 'via 203.0.113.1'
	works
	has 192.168.7.7/32 || die "the container's own address is gone"
	in_c ip route show 10.99.0.0/16 | grep -q eth0 || die "the container's own route is gone"
	same "lines in the log" "$(changes)" 1
	grep -q 'changed=addresses,host outer=h0/h0 addresses=203.0.113.77/24,' "$LOG" || die "$(cat "$LOG")"
	check
	# hostAddress leads to the host as it is now
	bed_server SERVER bed_host udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	udp "$HOSTADDR"
}

@test "in the same network, at once: a secondary address becomes the first" {
	add '{"ipv6": false}'
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	await has 203.0.113.77/24
	nsenter --net="/run/netns/$HOST" sysctl -qw net.ipv4.conf.h0.promote_secondaries=1
	ip -n "$HOST" addr del "$HOST4/24" dev h0
	await lacks "$HOST4/24"
	has 203.0.113.77/24 || die "both went"
	await route_is -4 'via 203.0.113.1'
	works
	check
}

@test "the default route moves to another interface, and back" {
	add '{"ipv6": false}'
	ip -n "$HOST" link set x0 up
	ip -n "$HOST" addr add 192.0.2.5/24 dev x0
	ip -n "$PEER" route replace 192.0.2.0/24 dev y0 src "$PEER4"
	ip -n "$HOST" route replace default via 192.0.2.1 dev x0
	await has 192.0.2.5/24
	await route_is -4 'via 192.0.2.1'
	grep -q 'outer=x0/' "$LOG" || die "$(cat "$LOG")"
	works
	in_c ping -c 1 -W 2 "$PEER4"
	check
	ip -n "$HOST" route replace default via 203.0.113.1
	await has "$HOST4/24"
	works
	same "lines in the log" "$(changes)" 2
}

@test "a VPN comes up, by two routes that hide the default one, and goes" {
	local line
	add '{"ipv6": false}'
	works
	vpn_up
	ip -n "$HOST" route add 0.0.0.0/1 dev v0
	ip -n "$HOST" route add 128.0.0.0/1 dev v0
	# those that have a default route of their own are followed; these the host's kernel
	# chooses for each new connection, by the same rules as for its own
	works
	line=$(in_c python3 "$BED_DIR/client.py" udp-sizes "$PEER4" 7 100 && bed_host ss -Hun dst "$PEER4" | awk '{ print $3 }')
	[[ $line == *10.8.0.6:* ]] || die "not by the VPN: $line"
	vpn_down
	works
	check
}

@test "a VPN takes the default route, and goes" {
	add '{"ipv6": false}'
	vpn_up
	ip -n "$HOST" route del default
	ip -n "$HOST" route add default dev v0
	await has 10.8.0.6/32
	await mtu_is 1400
	works
	check
	vpn_down
	ip -n "$HOST" route replace default via 203.0.113.1
	await has "$HOST4/24"
	await mtu_is 1500
	works
	check
}

@test "with private addresses a running connection lives on while the default route moves" {
	lives_on '{"addresses": ["private"], "ipv6": false}'
}

@test "with a copy of the host's too, as long as the host has the address" {
	lives_on '{"ipv6": false}'
	has 192.0.2.5/24 || die "not the new one"
	has "$HOST4/32" || die "the old one went though the host has it"
	same "source of new connections" "$(in_c ip -4 route get "$PEER4" | grep -o 'src [0-9.]*')" "src 192.0.2.5"
	ip -n "$HOST" route del "$PEER4"
	ip -n "$PEER" route replace 192.0.2.0/24 dev y0 src "$PEER4"
	ip -n "$HOST" addr del "$HOST4/24" dev h0
	await lacks "$HOST4/32"
	works
	check
	# and when it is the one again
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" route replace default via 203.0.113.1 dev h0
	await has "$HOST4/24"
	lacks "$HOST4/32" || die "twice"
	works
	check
}

@test "IPv6 too: the address that stays has no network, and gets it back" {
	add
	ip -n "$HOST" link set x0 up
	ip -n "$HOST" addr add 2001:db8:9::5/64 dev x0 nodad
	ip -n "$PEER" addr replace 2001:db8:9::1/64 dev y0 nodad noprefixroute
	ip -n "$PEER" -6 route replace 2001:db8:9::/64 dev y0 src "$PEER6"
	ip -n "$HOST" -6 route replace default via 2001:db8:9::1 dev x0 metric 512
	await has 2001:db8:9::5/64
	has "$HOST6/128" || die "the old one went though the host has it"
	udp "$PEER6"
	same "source of new connections" "$(in_c ip -6 route get "$PEER6" | grep -o 'src [0-9a-f:]*')" "src 2001:db8:9::5"
	check
	ip -n "$HOST" -6 route del default via 2001:db8:9::1 dev x0 metric 512
	await has "$HOST6/64"
	lacks "$HOST6/128" || die "twice"
	has 2001:db8:9::5/128 || die "the other one went though the host has it"
	udp "$PEER6"
	check
	ip -n "$PEER" addr del 2001:db8:9::1/64 dev y0
}

lives_on() { # lives_on JSON
	local client
	add "$1"
	# by an address that both ways lead to
	BED_OUT=$BED_DIR/tmp/slow bed_bg client in_c sh -c \
		"python3 $BED_DIR/client.py slow-echo $PEER4 7 25; echo status=\$?"
	bed_until 5 bed_connected
	ip -n "$HOST" route add "$PEER4" via 203.0.113.1
	ip -n "$HOST" link set x0 up
	ip -n "$HOST" addr add 192.0.2.5/24 dev x0
	ip -n "$HOST" route replace default via 192.0.2.1 dev x0
	await changed 1
	works
	bed_until 10 grep -q status= "$BED_DIR/tmp/slow" || die "it hangs"
	same "end of the connection" "$(grep -o 'status=.*' "$BED_DIR/tmp/slow")" status=0
	bed_kill "$client"
	check
}

bed_connected() { [ -n "$(bed_peer ss -Htn state established sport = :7)" ]; }

@test "IPv6 goes and comes back" {
	add
	udp "$PEER6"
	ip -n "$HOST" -6 addr del "$HOST6/64" dev h0
	await lacks "$HOST6/64"
	await no_route6
	works
	check
	ip -n "$HOST" addr add 2001:db8:1::77/64 dev h0 nodad
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
	await has 2001:db8:1::77/64
	await route_is -6 via
	udp "$PEER6"
	check
}

@test "the link goes down and comes back: the container keeps what it has" {
	add
	ip -n "$HOST" link set h0 down
	await changed 1
	has "$HOST4/24" || die "the address is gone"
	has "$HOST6/64" || die "the IPv6 address is gone"
	check
	ip -n "$HOST" link set h0 up
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" route replace default via 203.0.113.1
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
	await changed 2
	await route_is -4 'via 203.0.113.1'
	await route_is -6 via
	works
	udp "$PEER6"
	check
}

nothing_at_all() {
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" link set h0 down
}

network_again() {
	ip -n "$HOST" link set h0 up
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" route add default via 203.0.113.1
}

@test "started before the network was up: a copy gets it when it comes" {
	nothing_at_all
	add
	has "$HOST4/24" && die "where from?"
	network_again
	await has "$HOST4/24"
	await route_is -4 'via 203.0.113.1'
	works
	check
}

@test "started before the network was up: private addresses stay and work" {
	local first
	nothing_at_all
	add '{"addresses": ["private"]}'
	first=$(jq -r .ips[0].address <<< "$PREV")
	network_again
	await changed 1
	has "$first" || die "not the address it had: $first"
	works
	check
}

@test "the MTU" {
	add
	ip -n "$HOST" link set h0 mtu 1400
	await mtu_is 1400
	works
	check
	ip -n "$HOST" link set h0 mtu 1500
	await mtu_is 1500
	check
}

line() { bed_peer timeout 10 socat -t 5 -T 5 - "$1" < /dev/null; }
answers() { [ -n "$(line "$1" 2> /dev/null)" ]; }

@test "a published port that is bound to the host's address moves with it" {
	add '{"forward": {"tcp": ["203.0.113.2:8080:80", "8081:80"]}}'
	bed_server SERVER in_c tcp 80 python3 "$BED_DIR/server.py" whoami 80
	answers "TCP4:$HOST4:8080" || die "not published"
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	nsenter --net="/run/netns/$HOST" sysctl -qw net.ipv4.conf.h0.promote_secondaries=1
	ip -n "$HOST" addr del "$HOST4/24" dev h0
	await answers TCP4:203.0.113.77:8080
	await answers TCP4:203.0.113.77:8081
	same listeners "$(bed_host ss -Htln sport = :8080 | awk '{ print $4 }')" 203.0.113.77:8080
	# the rule is still called what it was
	bed_user "$CNI_PASST" forward "c$C" del tcp 203.0.113.2:8080:80
	[ -z "$(bed_host ss -Htln sport = :8080)" ] || die "still listened on"
}

@test "a published port of an interface that is made anew" {
	add '{"forward": {"tcp": ["x0/8082:80"]}}'
	bed_server SERVER in_c tcp 80 python3 "$BED_DIR/server.py" whoami 80
	ip -n "$HOST" link del x0
	ip -n "$PEER" link add y0 type veth peer name x0 netns "$HOST"
	ip -n "$PEER" addr add 192.0.2.1/24 dev y0
	ip -n "$PEER" link set y0 up
	ip -n "$HOST" addr add 192.0.2.5/24 dev x0
	ip -n "$HOST" link set x0 up
	await answers TCP4:192.0.2.5:8082
}

@test "IPv6 is new: ports that all addresses have are served by it too" {
	ip -n "$HOST" -6 addr del "$HOST6/64" dev h0
	add '{"forward": {"tcp": ["8080:80"]}}'
	bed_server SERVER in_c tcp 80 python3 "$BED_DIR/server.py" whoami 80
	answers "TCP4:$HOST4:8080" || die "not published"
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
	await has "$HOST6/64"
	await answers "TCP6:[$HOST6]:8080"
	await answers "TCP4:$HOST4:8080"
}

@test "processes that are replaced know what the host is now" {
	local agent engine
	add '{"ipv6": false}'
	agent=$(bed_nsagent "$C")
	engine=$(bed_engine "$C")
	# it cannot do what it is told, and dies over it
	kill -STOP "$agent"
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	await changed 1
	lacks 203.0.113.77/24 || die "who did that?"
	kill -9 "$agent"
	kill -9 "$engine"
	await has 203.0.113.77/24
	bed_server SERVER bed_host udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	udp "$HOSTADDR"
	works
	check
}

@test "a container that configures itself is told by advertisements" {
	add '{"configure": false, "ipv4": false}'
	in_c sysctl -qw net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.eth0.accept_ra_min_lft=0 || true
	in_c ip link set eth0 addrgenmode eui64
	in_c ip link set eth0 down
	in_c ip link set eth0 up
	await route_is -6 'proto ra'
	ip -n "$HOST" addr add 2001:db8:5::2/64 dev h0 nodad
	ip -n "$HOST" -6 addr del "$HOST6/64" dev h0
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1 dev h0 onlink 2> /dev/null ||
		ip -n "$HOST" -6 route replace default dev h0
	await deprecated 2001:db8:1:
	await preferred 2001:db8:5:
}

@test "a container that configures itself hears that the host has no IPv6 any more" {
	add '{"configure": false}'
	await route_is -6 'proto ra'
	ip -n "$HOST" -6 addr del "$HOST6/64" dev h0
	await no_route6
	await deprecated 2001:db8:1:
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
	await route_is -6 'proto ra'
	await preferred 2001:db8:1:
}

deprecated() { in_c ip -o -6 addr show dev eth0 | grep "$1" | grep -q 'deprecated\|preferred_lft 0sec'; }
preferred() { in_c ip -o -6 addr show dev eth0 | grep "$1" | grep -qv deprecated; }

@test "\"follow\": false" {
	add '{"follow": false}'
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	ip -n "$HOST" link set h0 mtu 1400
	sleep 1
	lacks 203.0.113.77/24 || die "it followed"
	mtu_is 1500 || die "it followed"
	same "lines in the log" "$(changes)" 0
}

ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }

@test "a flood of changes costs little, and nothing stays of it" {
	local main before open
	add '{"ipv6": false}'
	main=$(bed_main "$C")
	open=$(descriptors "$main")
	before=$(ticks "$main")
	# a routing daemon's routes, thousands of them, and addresses that come and go
	for i in {0..9}; do
		for j in {0..199}; do echo "route add 10.$i.$j.0/24 via 203.0.113.1 proto bgp"; done
	done > "$BED_DIR/tmp/flood"
	sed 's/add/del/' "$BED_DIR/tmp/flood" > "$BED_DIR/tmp/ebb"
	for i in {1..250}; do
		echo "addr add 192.0.2.$i/32 dev h0"
		echo "addr del 192.0.2.$i/32 dev h0"
	done > "$BED_DIR/tmp/addrs"
	for i in 1 2; do
		ip -n "$HOST" -batch "$BED_DIR/tmp/flood"
		ip -n "$HOST" -batch "$BED_DIR/tmp/addrs"
		ip -n "$HOST" -batch "$BED_DIR/tmp/ebb"
	done
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	await has 203.0.113.77/24
	same "addresses" "$(in_c ip -o -4 addr show dev eth0 | wc -l)" 2
	same "routes" "$(in_c ip -4 route show | wc -l)" 2
	[ $(($(ticks "$main") - before)) -lt 30 ] || die "$(($(ticks "$main") - before)) ticks of CPU"
	same "descriptors of main" "$(descriptors "$main")" "$open"
	check
}
