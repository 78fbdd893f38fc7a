#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes of the daemon that die: what goes on, what is reset, what is told. How
# fast, tests/bench/recovery measures.

load bed
load expect

setup_file() {
	bed_make
	head -c 20M /dev/zero > "$BED_DIR/www/file"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	bed_server ECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server SINK bed_peer tcp 1004 socat -u TCP6-LISTEN:1004,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	LOG=$XDG/c$C.log
	cni ADD "c$C" "$NS" eth0 < <(conf "$(log_to "c$C")") > /dev/null
}

teardown() {
	detach "$C" > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

inside() { bed_in "$C" "$@"; }
passt() { bed_user "$CNI_PASST" "$@"; }
new_engine() { [ -n "$(bed_engine "$C")" ] && [ "$(bed_engine "$C")" != "$1" ]; }
kill_engine() {
	local old
	old=$(bed_engine "$C")
	kill -9 "$old"
	bed_until 5 new_engine "$old" || die "no new engine: $(tail -n 5 "$LOG")"
}

@test "20 kills under load: each time a new connection works, and one that only waits is reset" {
	local load line
	bed_bg load bed_in "$C" sh -c "while :; do curl -s -m 20 -o /dev/null http://$PEER4/file; done"
	bed_bg UP bed_in "$C" sh -c "while :; do socat -u OPEN:/dev/zero TCP:$PEER4:1004; done 2> /dev/null"
	coproc client { bed_in "$C" python3 "$BED_DIR/recovery.py" wait "$PEER4" 7 3>&-; }
	python3 "$BED_DIR/recovery.py" kill "$(bed_main "$C")" 20 0.3 <&"${client[0]}" 3> "$BED_DIR/tmp/figures" >&"${client[1]}"
	line=$(cat "$BED_DIR/tmp/figures")
	echo "# $(head -n 1 <<< "$line")" >&3
	bed_kill "$load"
	bed_kill "$UP"
	[[ $line == *", 20 times: "* && $line != *" inf"* ]] || die "$line"
	[[ $line == *"connection that waited: reset 20 "* ]] || die "$line"
	same "processes" "$(bed_core_pids | wc -l)" 3
	same "restarts" "$(passt stats "c$C" --json | jq .engine_restarts)" 20
	[ "$(bed_counter "$C" "$LOG" tcp_orphans)" -gt 20 ] || die "orphans: $(grep -o 'tcp_orphans=.*' "$LOG")"
}

@test "kill -9 of the engine resets remotes too, also clients of forwarded ports" {
	local how
	detach "$C"
	cni ADD "c$C" "$NS" eth0 < <(conf "$(log_to "c$C" | jq -c '. + {forward: {tcp: ["8090"]}}')") > /dev/null
	bed_server LISTEN inside tcp 8090 python3 "$BED_DIR/server.py" echo 8090
	bed_bg REMOTE bed_peer sh -c "exec python3 $BED_DIR/fate.py listen 1005 > $BED_DIR/tmp/remote 2>&1"
	bed_until 10 bed_listening bed_peer tcp 1005
	bed_bg CLIENT bed_peer sh -c "exec python3 $BED_DIR/fate.py connect $HOST4 8090 > $BED_DIR/tmp/client 2>&1"
	bed_bg INNER bed_in "$C" sh -c "exec python3 $BED_DIR/fate.py connect $PEER4 1005 > $BED_DIR/tmp/inner 2>&1"
	for how in remote client inner; do
		bed_until 10 grep -q open "$BED_DIR/tmp/$how" || die "$how did not connect: $(cat "$BED_DIR/tmp/$how")"
	done
	kill_engine
	for how in remote client inner; do
		bed_until 10 grep -q 'reset\|end' "$BED_DIR/tmp/$how" || die "$how was not told"
		same "the fate of $how" "$(tail -n 1 "$BED_DIR/tmp/$how")" reset
	done
}

@test "what the container ended in order before the kill arrives whole" {
	bed_bg SLOW bed_peer sh -c "exec python3 $BED_DIR/fate.py slow 1006 $BED_DIR/tmp/go > $BED_DIR/tmp/slow 2>&1"
	bed_until 10 bed_listening bed_peer tcp 1006
	# So little that the host's kernel has all of it, and the end.
	head -c 50000 /dev/zero | bed_in "$C" socat -u - "TCP:$PEER4:1006"
	ended() { passt flows "c$C" --json --port 1006 | jq -e '[.flows[].state] == ["closing"]' > /dev/null; }
	bed_until 5 ended || die "$(passt flows "c$C" --json)"
	kill_engine
	: > "$BED_DIR/tmp/go"
	bed_until 10 grep -q 'end\|reset' "$BED_DIR/tmp/slow" || die "$(cat "$BED_DIR/tmp/slow")"
	same "what arrived" "$(tail -n 1 "$BED_DIR/tmp/slow")" "50000 end"
}

@test "an engine that dies again and again gets pauses; log, list, stats, CHECK and STATUS say so; it recovers" {
	local end main
	main=$(bed_main "$C")
	again() { grep -q 'process=engine dies again and again' "$LOG"; }
	fine() { passt list --json | jq -e '.attachments[0].health == "ok"' > /dev/null; }
	end=$((SECONDS + 20))
	# As fast as it is started again, and a few times more.
	until again; do
		[ "$SECONDS" -lt "$end" ] || die "no pauses: $(tail -n 3 "$LOG")"
		pkill -9 -x -P "$main" passt-engine || sleep 0.01
	done
	for _ in 1 2 3; do
		bed_until 5 pkill -9 -x -P "$main" passt-engine
	done
	same "health" "$(passt list --json | jq -r '.attachments[0].health')" failing
	run passt CHECK --container-id "c$C"
	[[ $status != 0 && $output == *"dies again and again"* ]] || die "CHECK: $output"
	same "STATUS" "$(passt STATUS 2>&1)" "cni-passt: attachment c$C@eth0: its engine dies again and again; see its log"
	passt stats "c$C" --json | jq -e '.gauges.engine_failing' > /dev/null || die "stats: $(passt stats "c$C" --json)"
	bed_until 15 fine || die "$(passt list --json)"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
}

@test "nsagent killed: another does its work" {
	local old
	detach "$C"
	cni ADD "c$C" "$NS" eth0 < <(conf "$(log_to "c$C" | jq -c '. + {forward: {tcp: ["8091:127.0.0.1:8091"]}}')") > /dev/null
	bed_server LISTEN inside tcp 8091 python3 "$BED_DIR/server.py" echo 8091
	old=$(bed_nsagent "$C")
	kill -9 "$old"
	another() { [ -n "$(bed_nsagent "$C")" ] && [ "$(bed_nsagent "$C")" != "$old" ]; }
	bed_until 5 another || die "no new nsagent: $(tail -n 5 "$LOG")"
	# Inner sockets are of its making.
	bed_until 5 bed_peer python3 "$BED_DIR/client.py" typing "$HOST4" 8091 5
	same "restarts" "$(passt stats "c$C" --json | jq .nsagent_restarts)" 1
	same "restarts of list" "$(passt list --json | jq -c '.attachments[0] | [.engine_restarts, .nsagent_restarts]')" "[0,1]"
	same "lines about it" "$(grep -c "process=nsagent pid=$old killed by signal 9\|nsagent running again, restarts=1$" "$LOG")" 2
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	detach "$C"
	nothing_left "$C"
}

@test "main killed: commands say that the daemon has ended, and what to do; ADD again works" {
	local words
	kill -9 "$(bed_main "$C")"
	bed_until 5 bed_no_core
	for words in "stats c$C" "show c$C" "flows c$C" "stats c$C --json" "stats --prometheus c$C" "forward c$C list"; do
		# shellcheck disable=SC2086
		run passt $words
		[[ $status != 0 && $output == "cni-passt: the attachment's daemon has ended"*"ADD again"* ]] || die "$words: $output"
	done
	run passt doctor --pid "$C"
	[[ $status != 0 && $output =~ FAIL\ +daemon\ .*"the attachment's daemon has ended" && $output == *"ADD again"* ]] || die "$output"
	[[ $output != *"Connection refused"* ]] || die "$output"
	cni ADD "c$C" "$NS" eth0 < <(conf) > /dev/null
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
}

# --- an engine that lives and does not get on

# An engine that loops for ever, as a frame might have it do some day.
spin() {
	local rc=0
	SPINNING=$(bed_engine "$C")
	python3 "$BED_DIR/spin.py" "$SPINNING" || rc=$?
	[ "$rc" != 77 ] || skip "no process can be made to loop here"
	same "spin.py" "$rc" 0
	bed_in "$C" ping -c 1 -W 1 "$PEER4" > /dev/null 2>&1 || true	# wakes it, if it still sleeps
	bed_until 5 is_running "$SPINNING" || die "it does not loop"
}
is_running() { grep -q '^State:.R' "/proc/$1/status"; }
looping() { [[ $(passt flows "c$C" 2>&1) == *"one thing has it busy for more than a second"* ]]; }

@test "an engine that loops for ever is replaced, and the log says that main did it" {
	spin
	looping || new_engine "$SPINNING" || die "$(passt flows "c$C" 2>&1)"
	bed_until 15 new_engine "$SPINNING" || die "it is not replaced: $(tail -n 5 "$LOG")"
	bed_in "$C" curl -s -m 20 -o /dev/null "http://$PEER4/file"
	grep -q "process=engine pid=$SPINNING killed by main: it did not answer while it used [4-9]\.[0-9] s of CPU time" "$LOG" ||
		die "$(cat "$LOG")"
	same "lines about it" "$(grep -c "pid=$SPINNING " "$LOG")" 1
	same "restarts" "$(passt stats "c$C" --json | jq .engine_restarts)" 1
	grep -q 'engine running again, restarts=1$' "$LOG" || die "$(cat "$LOG")"
	# again, and again: each has a timer of its own
	spin
	bed_until 15 new_engine "$SPINNING" || die "the second is not replaced: $(tail -n 5 "$LOG")"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
}

@test "an engine that loops does not keep an order waiting: it is killed at once, and the log says why" {
	spin
	passt forward "c$C" add tcp 8092:80 > /dev/null
	bed_until 5 new_engine "$SPINNING" || die "it is not replaced"
	grep -q "pid=$SPINNING killed by main: it did not answer for 1 s and used [0-9.]* s of CPU time meanwhile" "$LOG" ||
		die "$(cat "$LOG")"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
}

@test "an engine that is stopped for 10 s is left alone, and goes on" {
	local engine
	engine=$(bed_engine "$C")
	kill -STOP "$engine"
	bed_in "$C" ping -c 1 -W 1 "$PEER4" > /dev/null 2>&1 || true
	sleep 10
	same "engine" "$(bed_engine "$C")" "$engine"
	same "health" "$(passt list --json | jq -r '.attachments[0].health')" hung
	kill -CONT "$engine"
	bed_in "$C" ping -c 1 -W 5 "$PEER4"
	same "restarts" "$(passt stats "c$C" --json | jq .engine_restarts)" 0
	! grep -q killed "$LOG" || die "$(cat "$LOG")"
}

@test "an engine under full load is left alone, for more CPU time than one that loops is; idle, nothing wakes" {
	local load up ping engine
	engine=$(bed_engine "$C")
	bed_bg load bed_in "$C" timeout 120 sh -c "while :; do curl -s -m 20 -o /dev/null http://$PEER4/file; done"
	bed_bg up bed_in "$C" timeout 120 socat -u OPEN:/dev/zero "TCP:$PEER4:1004"
	bed_bg ping bed_in "$C" timeout 120 ping -q -f "$PEER4"
	sleep 10
	bed_until 30 has_used "$engine" 600 || die "it has used $USED ticks only"
	bed_kill "$load"
	bed_kill "$up"
	bed_kill "$ping"
	echo "# the engine used $USED ticks of CPU time" >&3
	same "engine" "$(bed_engine "$C")" "$engine"
	! grep -q killed "$LOG" || die "$(cat "$LOG")"
	# (the container's kernel says something of itself now and then in its first seconds)
	for _ in {1..6}; do
		idle_for_10_s && return
	done
	die "an idle attachment wakes: $WOKEN switches in 10 s"
}
has_used() { USED=$(awk '{ print $14 + $15 }' "/proc/$1/stat") && [ "$USED" -ge "$2" ]; }	# in ticks of 10 ms
switches() { for p in $(bed_core_pids); do awk '/ctxt_switches/ { print $2 }' "/proc/$p/status"; done | awk '{ n += $1 } END { print n }'; }
idle_for_10_s() {
	local before
	before=$(switches)
	sleep 10
	WOKEN=$(($(switches) - before))
	[ "$WOKEN" = 0 ]
}
