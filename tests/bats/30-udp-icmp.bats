#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# UDP and ICMP by real programs.

load bed
load expect

setup_file() {
	bed_make
	bed_server ECHO bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	bed_server HOSTECHO bed_host udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	bed_server DNS bed_peer udp 53 dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null \
		--listen-address="$PEER4" --listen-address="$PEER6" --bind-interfaces --user=root --pid-file= \
		--address=/www.example/192.0.2.80 --address=/www.example/2001:db8::80 \
		--txt-record=big.example,"$(printf 'x%.0s' {1..250})","$(printf 'y%.0s' {1..250})","$(printf 'z%.0s' {1..250})"
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

client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }

@test "UDP: dig asks a real server, over both families, by UDP and by TCP" {
	local server
	for server in "$PEER4" "$PEER6"; do
		same "A from $server" "$(bed_in "$C" dig +time=2 +tries=2 +short @"$server" www.example A)" 192.0.2.80
		same "AAAA from $server" "$(bed_in "$C" dig +time=2 +tries=2 +short @"$server" www.example AAAA)" 2001:db8::80
		same "by TCP from $server" "$(bed_in "$C" dig +tcp +time=2 +tries=2 +short @"$server" www.example A)" 192.0.2.80
		bed_in "$C" dig +time=2 +tries=2 +short @"$server" big.example TXT | grep -q zzz
	done
}

@test "UDP: 200 questions at once" {
	local i
	for i in {1..200}; do echo "n$i.www.example A"; done > "$BED_DIR/questions"
	bed_in "$C" dig +time=2 +tries=3 +short @"$PEER4" -f "$BED_DIR/questions" > "$BED_DIR/answers"
	same "answers" "$(grep -c '^192.0.2.80$' "$BED_DIR/answers")" 200
}

@test "UDP: datagrams of every size up to the path's come back as they went" {
	client udp-sizes "$PEER4" 7 0 1 2 7 8 100 511 512 1000 1371 1372 1471 1472
	client udp-sizes "$PEER6" 7 0 1 2 7 8 100 511 512 1000 1371 1372 1451 1452
}

@test "UDP: with segmentation offload, segments come back as they went" {
	client udp-gso "$PEER4" 7 1000 20
	client udp-gso "$PEER4" 7 1472 40
	client udp-gso "$PEER6" 7 1452 40
	client udp-gso "$PEER4" 7 100 60
}

@test "UDP: a closed port is refused at once" {
	client udp-refused "$PEER4" 9
	client udp-refused "$PEER6" 9
}

@test "UDP: hostAddress reaches the host" {
	client udp-sizes "$HOSTADDR" 7 1 100 1472
}

@test "UDP: iperf3 both ways" {
	bed_server IPERF bed_peer tcp 5201 iperf3 -s -B "$PEER4"
	bed_in "$C" iperf3 -c "$PEER4" -u -b 200M -l 1372 -t 2 -J > "$BED_DIR/up.json" || die "$(cat "$BED_DIR/up.json")"
	jq -e '.end.sum.lost_percent < 5 and .end.sum.packets > 1000' "$BED_DIR/up.json"
	bed_in "$C" iperf3 -c "$PEER4" -u -b 200M -l 1372 -t 2 -R -J > "$BED_DIR/down.json" || die "$(cat "$BED_DIR/down.json")"
	jq -e '.end.sum.lost_percent < 5 and .end.sum.packets > 1000' "$BED_DIR/down.json"
	bed_kill "$IPERF"
}

@test "ICMP: ping and ping -6, small, large and many" {
	bed_in "$C" ping -c 3 -i 0.2 -W 2 "$PEER4"
	bed_in "$C" ping -6 -c 3 -i 0.2 -W 2 "$PEER6"
	bed_in "$C" ping -c 1 -W 2 -s 0 "$PEER4"
	bed_in "$C" ping -c 1 -W 2 -s 1472 -M "do" "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 -s 1452 "$PEER6"
	bed_in "$C" ping -c 100 -i 0.005 -W 2 "$PEER4" | grep -q ' 0% packet loss'
}

@test "ICMP: two pings at once get their own answers" {
	bed_in "$C" ping -c 10 -i 0.1 -W 2 "$PEER4" > "$BED_DIR/ping1" 3>&- &
	local one=$!
	bed_in "$C" ping -c 10 -i 0.1 -W 2 "$PEER4" > "$BED_DIR/ping2"
	wait "$one"
	grep -q '10 packets transmitted, 10 received' "$BED_DIR/ping1"
	grep -q '10 packets transmitted, 10 received' "$BED_DIR/ping2"
	! grep -q DUP "$BED_DIR/ping1" "$BED_DIR/ping2" || die "answers of the other"
}

@test "ICMP: no answer where there is none" {
	! bed_in "$C" ping -c 1 -W 1 203.0.113.77 || die "an address nobody has answers"
	! bed_in "$C" ping -6 -c 1 -W 1 2001:db8:1::77 || die "an address nobody has answers"
}

@test "ICMP: where ping sockets are closed, TCP and UDP go on, and the log says why" {
	local old D
	[ "$BED_UID" != 0 ] || skip "root of a user namespace may open raw sockets there"
	old=$(bed_host sysctl -n net.ipv4.ping_group_range)
	bed_host sysctl -qw net.ipv4.ping_group_range="1 0"
	bed_container D
	cni ADD "c$D" "/proc/$D/ns/net" eth0 < <(conf "$(log_to "c$D")") > /dev/null
	bed_in "$D" ping -c 1 -W 1 "$PEER4" && status=0 || status=$?
	bed_in "$D" python3 "$BED_DIR/client.py" udp-sizes "$PEER4" 7 100
	cni DEL "c$D" "/proc/$D/ns/net" eth0 < <(conf)
	bed_kill "$D"
	bed_host sysctl -qw net.ipv4.ping_group_range="${old//$'\t'/ }"
	same "status of ping" "$status" 1
	grep -q ping_group_range "$XDG/c$D.log" || die "$(cat "$XDG/c$D.log")"
}

@test "neighbours: the gateway and any other address have one hardware address, our own none" {
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	bed_in "$C" ip neigh show 203.0.113.1 | grep -q lladdr
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
	bed_in "$C" ip -6 neigh show 2001:db8:1::1 | grep -q lladdr
}
