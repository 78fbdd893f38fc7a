#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# IP itself: fragments both ways, large datagrams, headers and protocols that are
# refused, sources that are not the container's.

load bed
load expect

setup_file() {
	bed_make
	bed_server ECHO bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	bed_server TECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	LOG=$XDG/c$C.log
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

# up [JSON OBJECT]: attaches, that object merged into the configuration
up() {
	cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "$(log_to "c$C" | jq -c ". + ${1-"{}"}")") > /dev/null
}

client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }
ipfrag() { bed_in "$C" python3 "$BED_DIR/ipfrag.py" "$1" eth0 "$PEER4" "$PEER6" "${@:2}"; }

count() { bed_counter "$C" "$LOG" "$1"; }

@test "ping of the largest size, both families" {
	up
	bed_in "$C" ping -c 3 -i 0.2 -W 2 -s 65507 "$PEER4"
	bed_in "$C" ping -6 -c 3 -i 0.2 -W 2 -s 65507 "$PEER6"
	bed_in "$C" ping -c 1 -W 2 -s 1473 "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 -s 1453 "$PEER6"
	[ "$(count frag_reassembled)" -ge 8 ] || die "not reassembled: $(cat "$LOG")"
	[ "$(count frag_tx)" -ge 274 ] || die "answers did not leave in fragments"
}

@test "UDP: datagrams larger than the path's MTU, to the largest there is" {
	up
	client udp-sizes "$PEER4" 7 1473 1480 2000 8192 32768 65507
	client udp-sizes "$PEER6" 7 1453 1460 2000 8192 32768 65507
	[ "$(count frag_reassembled)" -ge 12 ]
}

@test "UDP: a stream of NFS-like datagrams comes back whole" {
	up
	client udp-nfs "$PEER4" 7 32900 200
	client udp-nfs "$PEER6" 7 32900 200
}

@test "UDP: socat carries a file in datagrams of 60000 bytes" {
	local OUT=$BED_DIR/tmp/received
	up
	head -c 600000 /dev/urandom > "$BED_DIR/sent"
	bed_server SINK bed_peer udp 5300 socat -u -b 65536 "UDP4-RECV:5300,rcvbuf=4000000" "CREATE:$OUT"
	bed_in "$C" socat -u -b 60000 "OPEN:$BED_DIR/sent" "UDP4-SENDTO:$PEER4:5300"
	bed_until 3 cmp -s "$BED_DIR/sent" "$OUT" || die "another file arrived ($(stat -c %s "$OUT") bytes)"
	bed_kill "$SINK"
}

@test "without offloads, large datagrams both ways" {
	# shellcheck disable=SC2034
	BED_ENV=(CNI_PASST_WITHOUT=offload)
	up
	client udp-sizes "$PEER4" 7 1473 9000 65507
	client udp-sizes "$PEER6" 7 1453 9000 65507
	bed_in "$C" ping -c 1 -W 2 -s 65507 "$PEER4"
}

@test "fragments in any order, and TCP in fragments" {
	up
	ipfrag orders
	ipfrag tcp
}

@test "fragments that overlap or contradict each other make the datagram vanish" {
	up
	ipfrag overlaps
	[ "$(count frag_refused)" -gt 0 ]
	client udp-sizes "$PEER4" 7 9000
}

@test "a flood of unfinished datagrams costs others nothing" {
	local before after
	up
	client udp-sizes "$PEER4" 7 65507
	ipfrag flood 20000
	[ "$(count frag_evicted)" -gt 10000 ]
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$(bed_engine "$C")/status")
	ipfrag flood 20000
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$(bed_engine "$C")/status")
	[ $((after - before)) -lt 2048 ] || die "memory went from $before to $after KiB"
	client udp-sizes "$PEER4" 7 100 65507
	client udp-sizes "$PEER6" 7 100 65507
}

@test "a datagram that does not become whole in 30 seconds: time exceeded, code 1" {
	up
	ipfrag time-out
	same "counted" "$(count frag_timeouts)" 2
}

# inside COMMAND...: in a network behind the container's
inside() { bed_user nsenter -t "$INSIDE" -U -n --preserve-credentials "$@"; }

inside_up() { # inside_up MTU: as the container has it on the way there; what comes may be larger
	bed_bg INSIDE bed_in "$C" unshare -n sleep 60
	bed_until 3 bed_contained "$INSIDE"
	bed_in "$C" ip link add n0 type veth peer name n1 netns "$INSIDE"
	bed_in "$C" ip addr add 10.9.0.1/24 dev n0
	bed_in "$C" ip addr add fd00:9::1/64 dev n0 nodad
	bed_in "$C" ip link set n0 up
	bed_in "$C" ip route change 10.9.0.0/24 dev n0 src 10.9.0.1 mtu lock "$1"
	bed_in "$C" ip -6 route change fd00:9::/64 dev n0 metric 256 mtu "$1"
	bed_in "$C" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	inside ip addr add 10.9.0.2/24 dev n1
	inside ip addr add fd00:9::2/64 dev n1 nodad
	inside ip link set n1 up
	inside ip route add default via 10.9.0.1
	inside ip -6 route add default via fd00:9::1
}

# Its own MTU, which SYNs tell and requests may have, is the usual one. What is lost for
# its size is sent again by TCP and, here, by the program.
@test "a smaller link behind the container: TCP, datagrams and echo replies get through" {
	up
	inside_up 1300
	for peer in "$PEER4" "$PEER6"; do
		inside timeout 10 python3 - "$peer" <<- 'END'
			import socket, sys
			s = socket.create_connection((sys.argv[1], 7), 5)
			for size in 1400, 100000:
			    s.sendall(bytes(size))
			    while size:
			        got = len(s.recv(size))
			        size = size - got if got else sys.exit("the end")
		END
		inside python3 "$BED_DIR/client.py" udp-sizes "$peer" 7 1200 1400 4000
		inside ping -c 3 -i 0.2 -W 1 -s 1400 "$peer" > "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		grep -q ' 2 received' "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
	done
	same "heeded" "$(count icmp_errors_heeded)" 6
}

@test "other protocols, SCTP among them, are refused by an ICMP error" {
	up
	ipfrag refused
	bed_in "$C" python3 - "$PEER4" <<- 'END'
		import errno, socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
		s.setsockopt(socket.IPPROTO_IP, 11, 1)          # IP_RECVERR
		s.connect((sys.argv[1], 0))
		s.settimeout(2)
		s.send(bytes(12))
		try:
		    s.recv(100)
		    sys.exit("an answer")
		except OSError as e:
		    if e.errno != errno.ENOPROTOOPT:
		        sys.exit(f"not ENOPROTOOPT: {e}")
	END
}

@test "a flood of what is refused is answered at a bounded rate" {
	up
	ipfrag refused-flood 5000
	[ "$(count icmp_errors_limited)" -gt 1000 ] || die "limited: $(count icmp_errors_limited)"
}

@test "sourceCheck drops what comes from others' addresses" {
	up '{"sourceCheck": true}'
	client udp-sizes "$PEER4" 7 100
	client udp-sizes "$PEER6" 7 100
	bed_in "$C" ip addr add 203.0.113.99/32 dev eth0
	! bed_in "$C" ping -c 1 -W 1 -I 203.0.113.99 "$PEER4" || die "was let through"
	[ "$(count drop_source)" -gt 0 ]
}

@test "without sourceCheck any unicast source gets its answers" {
	up
	bed_in "$C" ip addr add 203.0.113.99/32 dev eth0
	bed_in "$C" ping -c 1 -W 2 -I 203.0.113.99 "$PEER4"
	same "dropped" "$(count drop_source)" 0
}
