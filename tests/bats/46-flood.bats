#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A container that floods, by tests/soak/frames, beside one that behaves: the first keeps to its
# caps, its own connections go on, and the second's transfer does not notice.

load bed
load expect

setup_file() {
	bed_make
	cp "${CNI_PASST_BUILD-$bed_tree/build}/tests/soak/frames" "$BED_DIR/"
	head -c 20M /dev/urandom > "$BED_DIR/www/file"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	bed_server ECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server UECHO bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	bed_container D
	LOG=$XDG/c$C.log
	cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "$(log_to "c$C")") > /dev/null
	attach "$D" > /dev/null
	ENGINE=$(bed_engine "$C")
}

teardown() {
	detach "$C"
	detach "$D"
	bed_kill "$C"
	bed_kill "$D"
	bed_until 3 bed_no_core
}

rss() { awk '/^VmRSS:/ { print $2 }' "/proc/$ENGINE/status"; }

# flood KIND: for some seconds, while both containers work
flood() {
	local out=$BED_DIR/tmp/flood.$1 n of all
	# (The server may still be at work on what a flood before left it.)
	bed_until 20 bed_in "$C" timeout 5 python3 "$BED_DIR/client.py" typing "$PEER4" 7 1
	coproc HOLD { bed_in "$C" python3 "$BED_DIR/exhaust.py" tcp "$PEER4" 7 3 3>&-; }
	read -r n of <&"${HOLD[0]}"
	same "connections before $1" "$n $of" "3 0"
	BED_OUT=$out bed_bg FLOOD bed_in "$C" "$BED_DIR/frames" flood eth0 "$PEER4" "$PEER6" "$1" 4
	# The neighbour's transfer, and conversations of the container's own kernel.
	same "curl of the other one under $1" "$(bed_in "$D" curl -sS --max-time 60 "http://$PEER4/file" | sum)" \
		"$(sum < "$BED_DIR/www/file")"
	# (A new one of its may fail: its own queue is full, and ARP is lost first.)
	echo >&"${HOLD[1]}"
	read -r n of all <&"${HOLD[0]}"
	same "connections under $1" "$n $of $all" "3 of 3"
	wait "$FLOOD" || die "the flood: $(cat "$out")"
	kill "$HOLD_PID"
	echo "# $1: $(cat "$out") frames, engine $(rss) kB" >&3
	[ "$(cut -d ' ' -f 1 "$out")" -gt 2000 ] || die "no flood: $(cat "$out")"
	same "the engine" "$(bed_engine "$C")" "$ENGINE"
	same "restarts" "$(bed_user "$CNI_PASST" stats "c$C" --json | jq .engine_restarts)" 0
	bed_in "$C" ping -c 1 -W 5 "$PEER4"
	bed_in "$D" ping -c 1 -W 5 "$PEER4"
	[ "$(wc -l < "$LOG")" -lt 50 ] || die "it writes the log full: $(wc -l < "$LOG") lines"
}

# counted NAME: a counter of the flooded attachment
counted() { bed_user "$CNI_PASST" stats "c$C" --json | jq ".counters.$1"; }
capped() { [ "$(bed_user "$CNI_PASST" stats "c$C" --json | jq '.gauges.flows <= .gauges.flows_max')" = true ]; }

@test "SYNs to everywhere" {
	flood syn
	capped
}

@test "UDP to random ports" {
	flood udp
	capped
}

@test "fragments of datagrams that never become whole" {
	flood fragment
	[ "$(counted frag_evicted)" -gt 100 ] || die "evicted: $(counted frag_evicted)"
}

@test "ARP" {
	flood arp
	[ "$(counted arp_replies)" -gt 100 ] || die "replies: $(counted arp_replies)"
}

@test "DHCP" {
	flood dhcp
}

@test "connections that are not read" {
	flood unread
}

@test "frames right in most fields, then broken: nothing falls over" {
	local n=200000 before after
	[ -z "${BED_SHORT-}" ] || n=60000
	bed_in "$C" "$BED_DIR/frames" random eth0 "$PEER4" "$PEER6" 1 $((n / 10)) > /dev/null
	before=$(rss)
	bed_in "$C" "$BED_DIR/frames" random eth0 "$PEER4" "$PEER6" 2 "$n" > "$BED_DIR/tmp/random"
	after=$(rss)
	echo "# $(cat "$BED_DIR/tmp/random") frames, engine $before kB, then $after kB" >&3
	[ "$(cut -d ' ' -f 1 "$BED_DIR/tmp/random")" -ge "$n" ] || die "only $(cat "$BED_DIR/tmp/random") left"
	same "the engine" "$(bed_engine "$C")" "$ENGINE"
	bed_until 10 bed_in "$C" python3 "$BED_DIR/client.py" typing "$PEER4" 7 3
	[ "$(counted tcp_accepted)" -gt 20 ] || die "no connection came of it: $(counted tcp_accepted)"
	bed_in "$D" ping -c 1 -W 5 "$PEER4"
}
