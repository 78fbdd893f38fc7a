#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# TCP by real programs, under each congestion control the machine has.

load bed
load expect
load transfers

setup_file() {
	# The kernel's default decides how the container sends; the congestion
	# controls are the outer loop so that one bed serves each.
	bed_make cubic
	transfers_serve
	bed_server ECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server RESET bed_peer tcp 1001 python3 "$BED_DIR/server.py" reset 1001
	bed_server HASH bed_peer tcp 1002 python3 "$BED_DIR/server.py" hash-back 1002
	BED_OUT=$BED_DIR/early bed_server EARLY bed_peer tcp 1003 python3 "$BED_DIR/server.py" early-close 1003
	cp "$BATS_TEST_DIRNAME/oob.py" "$BED_DIR/"
	bed_server OOB bed_peer tcp 1005 python3 "$BED_DIR/oob.py" server 1005
	bed_server SINK bed_peer tcp 1004 socat -u TCP6-LISTEN:1004,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
	bed_server HOSTWEB bed_host tcp 8080 python3 "$BED_DIR/server.py" http 8080 "$BED_DIR/www"
	bed_server LOCAL4 bed_host tcp 8081 python3 "$BED_DIR/server.py" http 8081 "$BED_DIR/www" 127.0.0.1
	bed_server LOCAL6 bed_host tcp 8082 python3 "$BED_DIR/server.py" http 8082 "$BED_DIR/www" ::1
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	attach "$C" > /dev/null
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

# at_once MS ARGUMENT...: the slowest answer took less, in one of three runs: what waits for a
# timer of ours does so in each, a busy machine does not
at_once() {
	local most=$1 run worst
	shift
	for run in 1 2 3; do
		worst=$(client "$@")
		[ "$worst" -ge "$most" ] || return 0
		echo "run $run: the slowest of $* took $worst ms"
	done
	die "not at once"
}

client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }

@test "TCP: downloads and uploads arrive whole, IPv4 and IPv6, cubic" {
	same "congestion control" "$(bed_in "$C" sysctl -n net.ipv4.tcp_congestion_control)" cubic
	transfers "$C"
}

@test "TCP: the same with several transfers at once" {
	local p pids=()
	for p in 1 2 3; do
		fetched "$C" "http://$PEER4/file" 3>&- &
		pids+=($!)
		uploaded "$C" "http://[$PEER6]/up" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do
		wait "$p"
	done
}

@test "TCP: the client closes its side first, data in both directions after" {
	client half-close "$PEER4" 1002 5000000
	client half-close "$PEER6" 1002 5000000
	client half-close "$PEER4" 1002 0
}

@test "TCP: the server closes its side first, the client goes on sending" {
	local a
	for a in "$PEER4" "$PEER6"; do
		: > "$BED_DIR/early"
		client late-send "$a" 1003 5000000 > "$BED_DIR/early.sent"
		bed_until 3 test -s "$BED_DIR/early"
		same "hash at $a" "$(cat "$BED_DIR/early")" "$(cat "$BED_DIR/early.sent")"
	done
}

@test "TCP: a refused connection is refused at once" {
	client refused "$PEER4" 9
	client refused "$PEER6" 9
}

@test "TCP: a reset is a reset" {
	client reset "$PEER4" 1001
	client reset "$PEER6" 1001
}

@test "TCP: what cannot be reached is an error at once, not a time-out" {
	ip -n "$HOST" route add unreachable 192.0.2.0/24
	ip -n "$HOST" -6 route add unreachable 2001:db8:dead::/64
	client unreachable 192.0.2.1 80
	client unreachable 2001:db8:dead::1 80
	ip -n "$HOST" route del unreachable 192.0.2.0/24
	ip -n "$HOST" -6 route del unreachable 2001:db8:dead::/64
}

@test "TCP: single keystrokes come back at once, beside a bulk upload too" {
	at_once 150 typing "$PEER4" 7 300
	at_once 150 typing "$PEER6" 7 300
	at_once 200 bulk-and-typing "$PEER4" 7 1004
}

@test "TCP: 500 connections at once" {
	client many "$PEER4" 7 500
	client many "$PEER6" 7 100
}

@test "TCP: urgent data are urgent at the other end, both ways, where they were" {
	local n
	for n in 1 10 3000 500000; do
		bed_in "$C" python3 "$BED_DIR/oob.py" client "$PEER4" 1005 "$n"
		bed_in "$C" python3 "$BED_DIR/oob.py" client "$PEER6" 1005 "$n"
	done
}

@test "TCP: socat both ways at once" {
	local got
	got=$(bed_in "$C" sh -c "head -c 20000000 /dev/zero | socat -t 20 - TCP:$PEER4:7 | wc -c")
	same "echoed bytes" "$got" 20000000
}

@test "TCP: a slow reader stops a fast sender, and gets all of it" {
	local got
	got=$(bed_in "$C" bash -c "exec 5<> /dev/tcp/$PEER4/80; printf 'GET /file HTTP/1.0\r\n\r\n' >&5
		for i in 1 2 3 4 5; do head -c 20000 <&5 > /dev/null; sleep 0.3; done; cat <&5" | tail -c 1000 | sum)
	same "the end of the file" "$got" "$(tail -c 1000 "$BED_DIR/www/file" | sum)"
}

# With losses a segment finds no memory at its receiver, which takes back the window that it had shown:
# acknowledgments have to come from within what is left of it.
@test "TCP: who reads nothing any more still sends" {
	local p clients=()
	bed_server CHATTER bed_peer tcp 1006 python3 "$BED_DIR/server.py" chatter 1006
	bed_in "$C" nft -f - <<- END
		table inet loss {
			chain in {
				type filter hook input priority 0;
				meta l4proto tcp numgen random mod 100 < 10 drop
			}
		}
	END
	for p in {1..6}; do
		client deaf-send "$PEER4" 1006 1000000 &
		clients+=($!)
		client deaf-send "$PEER6" 1006 1000000 &
		clients+=($!)
	done
	for p in "${clients[@]}"; do wait "$p"; done
}

@test "TCP: hostAddress reaches the host's services, not those on its loopback" {
	same "by hostAddress" "$(bed_in "$C" curl -sS --max-time 60 "http://$HOSTADDR:8080/sum")" "$(cat "$BED_DIR/www/sum")"
	fetched "$C" "http://$HOSTADDR:8080/file"
	client refused "$HOSTADDR" 8081
	client refused "$HOSTADDR" 8082
	# nor by any other name of the host
	local url
	for url in "http://127.0.0.1:8081" "http://[::1]:8082" "http://0.0.0.0:8081" "http://[::]:8082" \
		"http://[::ffff:127.0.0.1]:8081" "http://$HOST4:8081" "http://[$HOST6]:8082" "http://127.1.2.3:8081"; do
		! bed_in "$C" curl -sg --max-time 2 "$url/sum" || die "the host's loopback answers at $url"
	done
	# A raw packet to 127.0.0.1 out of the tap, which the container's own kernel would not send.
	bed_in "$C" ip route del local 127.0.0.0/8 table local
	bed_in "$C" ip addr del 127.0.0.1/8 dev lo
	bed_in "$C" sysctl -qw net.ipv4.conf.all.route_localnet=1
	bed_in "$C" ip route add 127.0.0.0/8 dev eth0
	! bed_in "$C" curl -sg --max-time 2 "http://127.0.0.1:8081/sum" || die "the host's loopback answers to a martian"
}

@test "TCP: downloads and uploads under bbr" {
	bed_cc_available bbr || skip "this kernel has no bbr"
	local D
	export BED_CC=bbr
	bed_container D
	attach "$D" > /dev/null
	# both ends: the peer's sockets too
	nsenter --net="/run/netns/$PEER" sysctl -qw net.ipv4.tcp_congestion_control=bbr || true
	same "congestion control" "$(bed_in "$D" sysctl -n net.ipv4.tcp_congestion_control)" bbr
	transfers "$D"
	nsenter --net="/run/netns/$PEER" sysctl -qw net.ipv4.tcp_congestion_control=cubic
	detach "$D"
	bed_kill "$D"
}

@test "TCP: iperf3 both ways" {
	bed_server IPERF bed_peer tcp 5201 iperf3 -s -B "$PEER4"
	bed_in "$C" iperf3 -c "$PEER4" -t 2 -J > "$BED_DIR/iperf.json" || die "$(cat "$BED_DIR/iperf.json")"
	jq -e '.end.sum_received.bytes > 1000000' "$BED_DIR/iperf.json"
	bed_in "$C" iperf3 -c "$PEER4" -t 2 -R -J > "$BED_DIR/iperf.json" || die "$(cat "$BED_DIR/iperf.json")"
	jq -e '.end.sum_received.bytes > 1000000' "$BED_DIR/iperf.json"
	bed_kill "$IPERF"
}
