#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# passt: qemu's UNIX socket in the place of a namespace: its words, the socket, and the
# stream, with a guest that is a few bytes of Python. A real one: 59-passt-vm.bats.

# shellcheck disable=SC2154,SC2016
bats_require_minimum_version 1.5.0

load bed
load expect

setup_file() {
	bed_make
	mkdir -p "$BED_DIR/bin"
	ln -s "$CORE" "$BED_DIR/bin/passt"
	PASST=$BED_DIR/bin/passt
	SOCK=$BED_DIR/tmp/vm.sock
	LOG=$BED_DIR/tmp/passt.log
	PIDFILE=$BED_DIR/tmp/passt.pid
	export PASST SOCK LOG PIDFILE
}

teardown_file() {
	bed_remove
}

setup() {
	rm -f "$LOG" "$PIDFILE"
}

teardown() {
	for p in $(bed_core_pids); do
		kill "$p" 2> /dev/null || true
	done
	bed_until 3 bed_no_core
}

passt() { # passt OPTION...: in the background, on our socket
	bed_user timeout 30 "$PASST" -s "$SOCK" -P "$PIDFILE" -l "$LOG" "$@"
}
raw() { bed_user timeout 60 python3 "$BED_DIR/passt.py" "$@"; }
it() { bed_user "$CNI_PASST" "$@"; }	# it COMMAND ID ...
id_of() { bed_state | head -n 1 | cut -d @ -f 1; }
counter() { it stats "$(id_of)" --json | jq ".counters.$1"; }
counted() { [ "$(counter "$1")" -ge "$2" ]; }
engine() { it show "$(id_of)" --json | jq .engine_pid; }
ends() { bed_until 3 bed_gone "$1"; }

@test "says where and how to connect; the socket is private, and goes with the daemon" {
	run --separate-stderr passt -t 8080:80
	same "status: $stderr" "$status" 0
	same "output" "$output" ""
	[[ $stderr == *"socket: $SOCK"* && $stderr == *"-netdev stream,id=net0,server=off,addr.type=unix,addr.path=$SOCK"* ]] || die "says: $stderr"
	[[ $stderr == *"address $HOST4/24"* && $stderr == *"MTU 65520"* ]] || die "says: $stderr"
	same "mode and owner" "$(stat -c '%F %a %u' "$SOCK")" "socket 700 $BED_UID"
	for fd in 0 1 2; do
		same "descriptor $fd" "$(readlink "/proc/$(cat "$PIDFILE")/fd/$fd")" /dev/null
	done
	same "processes" "$(bed_core_pids | wc -l)" 2
	run passt
	same "status of a second one: $output" "$status" 1
	[[ $output == *"another one listens there"* ]] || die "says: $output"
	same "pid file" "$(ps -o comm= -p "$(cat "$PIDFILE")")" passt-main
	kill "$(cat "$PIDFILE")"
	nothing_left
	[ ! -e "$SOCK" ] || die "the socket's file stays"
}

@test "without a path the first free one; what is left of a killed one makes way" {
	local first second first_state
	first=$(bed_user "$PASST" -P "$PIDFILE" 2>&1 | sed -n 's/^socket: //p')
	second=$(bed_user "$PASST" -P "$PIDFILE.2" 2>&1 | sed -n 's/^socket: //p')
	[[ $first == /tmp/passt_*.socket && $second == /tmp/passt_*.socket && $first != "$second" ]] || die "\"$first\" and \"$second\""
	kill "$(cat "$PIDFILE.2")"
	kill -9 "$(cat "$PIDFILE")"
	bed_until 3 bed_no_core
	[ -e "$first" ] || die "it went with a killed process"
	first_state=$(bed_state)
	same "the next one" "$(bed_user "$PASST" -P "$PIDFILE" 2>&1 | sed -n 's/^socket: //p')" "$first"
	[[ $(bed_state | wc -l) = 1 && $(bed_state) != "$first_state" ]] || die "states: $(bed_state | xargs)"
	kill -9 "$(cat "$PIDFILE")"
	bed_until 3 bed_no_core
	it list > /dev/null
	bed_no_state || die "state stays: $(bed_state)"
	same "one more" "$(bed_user "$PASST" -P "$PIDFILE" 2>&1 | sed -n 's/^socket: //p')" "$first"
	kill "$(cat "$PIDFILE")"
	bed_until 3 bed_no_core
	[ ! -e "$first" ] || die "$first stays"
	echo text > "$SOCK"
	run passt
	same "status at a file" "$status" 1
	same "the file" "$(cat "$SOCK")" text
	rm -f "$SOCK"
}

@test "killed with a connection: the path and the ports are free when that is seen to end" {
	local i how
	# main has a CPU beside that one only, and late
	bed_bg BUSY taskset -c 0 sh -c 'while :; do :; done'
	for i in {1..8}; do
		how=$([ "$((i % 2))" = 0 ] && echo TERM || echo KILL)
		passt -q -1 -t 2022-2060
		BED_OUT=$BED_DIR/tmp/ended bed_bg GUEST raw ended "$SOCK"
		bed_until 3 counted stream_connections 1
		taskset -c -p 0 "$(cat "$PIDFILE")" > /dev/null
		chrt -i -p 0 "$(cat "$PIDFILE")"
		kill -s "$how" "$(cat "$PIDFILE")"
		wait "$GUEST" || true
		run passt -q -1 -t 2022-2060
		same "status of the next one after SIG$how: $output" "$status" 0
		same "SIG$how" "$(tail -n 1 "$BED_DIR/tmp/ended")" "the path is free"
		kill "$(cat "$PIDFILE")"
		bed_until 3 bed_no_core
	done
	bed_kill "$BUSY"
}

@test "words: a namespace's are unknown, auto opens none, libvirt's are taken" {
	for o in --netns=x --config-net -Tauto --no-splice; do
		run bed_user "$PASST" "$o"
		same "status of $o" "$status" 1
		[[ $output == *"unrecognized option"* || $output == *"invalid option"* ]] || die "$o says: $output"
	done
	run bed_user "$PASST" true
	[[ $status = 1 && $output == *"takes options only"* ]] || die "says: $output"
	run bed_user "$PASST" --version
	[[ ${lines[0]} == "passt "* ]] || die "says: $output"
	run passt -t auto
	[[ $status = 0 && $output == *"\"auto\" opens none"* ]] || die "says: $output"
	kill "$(cat "$PIDFILE")"
	bed_until 3 bed_no_core
	run bed_user "$PASST" --one-off --socket "$SOCK" --mac-addr 52:54:00:98:d8:b7 --pid "$PIDFILE" \
		--log-file "$LOG" --interface h0 --address "$HOST4" --netmask 24 --address "$HOST6" \
		--tcp-ports "$HOST4/2022:22" --tcp-ports '8000-8010:9000-9010,~8005' --udp-ports 5000:5001
	same "status: $output" "$status" 0
	same "TCP" "$(bed_host ss -Hltn | awk '{ print $4 }' | sort | xargs)" \
		"$(printf '%s\n' "$HOST4:2022" "*:80"{00,01,02,03,04,06,07,08,09,10} | sort | xargs)"
}

@test "frames in pieces of any size; connections one after the other, one at a time" {
	passt
	for size in 1 3 4 63 64 65 1000; do
		same "pieces of $size" "$(raw pieces "$SOCK" "$size")" "3 replies"
	done
	bed_user mkfifo "$BED_DIR/tmp/go"
	raw hold "$SOCK" < "$BED_DIR/tmp/go" > "$BED_DIR/tmp/hold" &
	same "connected" "$(it show "$(id_of)" --json | jq .connected)" false
	exec 7> "$BED_DIR/tmp/go"
	bed_until 5 grep -q connected "$BED_DIR/tmp/hold"
	same "connected" "$(it show "$(id_of)" --json | jq .connected)" true
	same "a second one" "$(raw second "$SOCK")" closed
	exec 7>&-
	wait $!
	same "the next one" "$(raw second "$SOCK")" served
	same "refused" "$(counter stream_refused)" 1
	same "connections" "$(counter stream_connections)" 9
	bed_until 3 bash -c "[ \$(find /proc/$(cat "$PIDFILE")/fd -lname 'socket:*' | wc -l) -lt 20 ]" || die "descriptors stay"
}

@test "lengths that no frame has end the connection, and nothing else" {
	local n=0
	passt
	for hex in 00000000 0000000d00 00010041 00020000 7fffffff ffffffff; do
		[[ $(raw nonsense "$SOCK" "$hex") == *", closed" ]] || die "$hex does not end it"
		n=$((n + 1))
		same "counted" "$(counter stream_nonsense)" "$n"
	done
	same "a frame cut off" "$(raw nonsense "$SOCK" 000000)" "1 replies, open"
	same "afterwards" "$(raw pieces "$SOCK" 1000)" "3 replies"
	same "restarts" "$(it stats "$(id_of)" --json | jq .engine_restarts)" 0
}

@test "a guest that only sends: bounded memory, no CPU while it is deaf, whole frames after" {
	local pid cpu
	passt
	bed_user mkfifo "$BED_DIR/tmp/deaf"
	raw deaf "$SOCK" 400000 < "$BED_DIR/tmp/deaf" > "$BED_DIR/tmp/replies" &
	exec 7> "$BED_DIR/tmp/deaf"
	bed_until 20 grep -q sent "$BED_DIR/tmp/replies"
	pid=$(engine)
	bed_until 5 counted tap_rx_frames 400000 || die "frames read: $(counter tap_rx_frames)"
	[ "$(counter tap_tx_again)" -gt 0 ] || die "its buffer has no end"
	cpu=$(cut -d ' ' -f 14,15 "/proc/$pid/stat")
	sleep 1
	same "CPU" "$(cut -d ' ' -f 14,15 "/proc/$pid/stat")" "$cpu"
	[ "$(awk '/^Rss/ { print $2 }' "/proc/$pid/smaps_rollup")" -lt 24576 ] || die "$(cat "/proc/$pid/smaps_rollup")"
	echo >&7
	exec 7>&-
	wait $!
	n=$(sed -n 's/ replies//p' "$BED_DIR/tmp/replies")
	[ "$n" -gt 50000 ] || die "replies: $(cat "$BED_DIR/tmp/replies")"
	same "answered" "$n" "$(counter arp_replies)"
}

@test "--one-off and --fd end with the connection" {
	local pid
	passt -1
	pid=$(cat "$PIDFILE")
	same "served" "$(raw second "$SOCK")" served
	ends "$pid" || die "--one-off lives on"
	nothing_left
	[ ! -e "$SOCK" ] || die "the socket's file stays"
	same "--fd" "$(raw fd "$PASST" -f -q)" "3 replies, status 0"
	nothing_left
	run bed_user "$PASST" --fd 33
	[[ $status = 1 && $output == *"is not a connected socket"* ]] || die "says: $output"
}

@test "an engine's death costs neither the connection nor its place in the stream" {
	bed_user mkfifo "$BED_DIR/tmp/kill"
	passt
	raw deaf "$SOCK" 20000 < "$BED_DIR/tmp/kill" > "$BED_DIR/tmp/killed" &
	exec 7> "$BED_DIR/tmp/kill"
	for _ in 1 2 3 4 5; do
		kill -9 "$(engine)" 2> /dev/null || true
		sleep 0.1
	done
	bed_until 20 grep -q sent "$BED_DIR/tmp/killed"
	kill -9 "$(engine)"
	echo >&7
	exec 7>&-
	wait $!
	n=$(sed -n 's/ replies//p' "$BED_DIR/tmp/killed")
	[ "$n" -gt 10000 ] || die "replies: $(cat "$BED_DIR/tmp/killed")"
	same "connections" "$(counter stream_connections)" 1
}
