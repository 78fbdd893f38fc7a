#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A container that sends what no kernel would: dropped, counted, and survived.

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
	cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "$(log_to "c$C")") > /dev/null
	ENGINE=$(bed_engine "$C")
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

alive() {
	same "the engine's process" "$(bed_engine "$C")" "$ENGINE"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
	bed_in "$C" python3 "$BED_DIR/client.py" typing "$PEER4" 7 5
	bed_in "$C" python3 "$BED_DIR/client.py" udp-sizes "$PEER6" 7 100
}

# The counters main writes into the log on SIGUSR1: "name=value" words.
counters() {
	: > "$LOG"
	kill -USR1 "$(bed_main "$C")"
	bed_until 3 grep -q 'tap_rx_frames=' "$LOG"
	sleep 0.1
}

dropped() { # the sum of all drop counters
	counters
	grep -oE 'drop_[a-z_]+=[0-9]+' "$LOG" | awk -F= '{ n += $2 } END { print n + 0 }'
}

@test "malformed frames of every kind are dropped and counted, and change nothing" {
	local before after must
	before=$(dropped)
	must=$(bed_in "$C" python3 "$BED_DIR/hostile.py" named eth0 "$PEER4" "$PEER6")
	[ "$must" -gt 60 ]
	sleep 0.3
	after=$(dropped)
	[ $((after - before)) -ge "$must" ] || die "$must should have been dropped, $((after - before)) were"
	alive
}

@test "each reason has a counter of its own" {
	local reason
	bed_in "$C" python3 "$BED_DIR/hostile.py" named eth0 "$PEER4" "$PEER6"
	sleep 0.3
	counters
	for reason in short length version checksum option chain; do
		grep -qE "drop_(wire_)?$reason=[1-9]" "$LOG" || die "none counted for $reason: $(grep -oE 'drop_[a-z_]+=[0-9]+' "$LOG" | xargs)"
	done
}

@test "20000 mutated frames, with lying virtio-net headers among them" {
	local sent seed
	for seed in 1 2; do
		sent=$(bed_in "$C" python3 "$BED_DIR/hostile.py" random eth0 "$PEER4" "$PEER6" "$seed" 10000)
		[ "$sent" -gt 5000 ] || die "only $sent left"
	done
	sleep 0.5
	alive
}

@test "a flood of connections to nowhere leaves room for others" {
	bed_in "$C" timeout 5 python3 - "$PEER4" <<- 'END' || true
		import socket, sys
		kept = []
		for port in range(1, 3000):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    try:
		        s.sendto(b"x", (sys.argv[1], 20000 + port))
		    except OSError:
		        pass
		    if port % 500:
		        s.close()
		    else:
		        kept.append(s)
	END
	alive
}

@test "the log does not grow with what a container sends" {
	local before after
	bed_in "$C" python3 "$BED_DIR/hostile.py" random eth0 "$PEER4" "$PEER6" 7 200 > /dev/null
	before=$(wc -l < "$LOG")
	bed_in "$C" python3 "$BED_DIR/hostile.py" random eth0 "$PEER4" "$PEER6" 8 10000 > /dev/null
	after=$(wc -l < "$LOG")
	[ $((after - before)) -lt 100 ] || die "$((after - before)) lines for 10000 frames"
}
