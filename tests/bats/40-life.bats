#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The life of attachments: several at once, ends of every kind, and no stray
# process, interface or state after any of them.

load bed
load expect

setup_file() {
	bed_make
	head -c 20M /dev/urandom > "$BED_DIR/www/file"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	bed_server SINK bed_peer tcp 1004 socat -u TCP6-LISTEN:1004,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
}

teardown() {
	detach "$C" > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

works() { same "curl in $1" "$(bed_in "$1" curl -sS --max-time 20 "http://$PEER4/file" | sum)" "$(sum < "$BED_DIR/www/file")"; }

upload() { # upload VARIABLE PID: without end, in the background
	bed_bg "$1" bed_in "$2" socat -u OPEN:/dev/zero "TCP:$PEER4:1004"
	sleep 0.5
}

three() { same "processes of the attachment" "$(bed_core_pids | wc -l)" 3; }

@test "two attachments at once, each with its own, one outliving the other" {
	local D
	bed_container D
	attach "$C" > /dev/null
	attach "$D" > /dev/null
	same "attachments" "$(bed_state | wc -l)" 2
	works "$C"
	works "$D"
	detach "$D"
	bed_until 3 bed_no_link "$D"
	works "$C"
	three
	detach "$C"
	bed_kill "$D"
	nothing_left "$C"
}

@test "50 ADDs at once, all work, and 50 DELs at once" {
	local pids=() jobs=() p i
	for i in {1..50}; do
		bed_container p
		pids+=("$p")
	done
	for p in "${pids[@]}"; do
		attach "$p" > "$BED_DIR/result.$p" 2>&1 3>&- &
		jobs+=($!)
	done
	for i in "${!jobs[@]}"; do
		wait "${jobs[i]}" || die "ADD $i: $(cat "$BED_DIR/result.${pids[i]}")"
	done
	same "attachments" "$(bed_state | wc -l)" 50
	same "processes" "$(bed_core_pids | wc -l)" 150
	for p in "${pids[@]}"; do
		bed_in "$p" ping -c 1 -W 5 "$PEER4" > /dev/null || die "container $p has no network"
	done
	jobs=()
	for p in "${pids[@]}"; do
		detach "$p" 3>&- &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i"
	done
	nothing_left "${pids[0]}"
	for p in "${pids[@]}"; do
		bed_kill "$p"
	done
}

@test "20 ADDs at once for the same attachment: one wins, the others are refused" {
	local jobs=() i won=0
	for i in {1..20}; do
		attach "$C" > "$BED_DIR/result.$i" 2>&1 3>&- &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		if wait "$i"; then won=$((won + 1)); fi
	done
	same "winners" "$won" 1
	three
	works "$C"
}

@test "DEL while traffic runs, in both directions" {
	local up down
	attach "$C" > /dev/null
	upload up "$C"
	bed_bg down bed_in "$C" curl -sS --limit-rate 1M -o /dev/null "http://$PEER4/file"
	sleep 0.5
	detach "$C"
	nothing_left "$C"
	bed_kill "$up"
	bed_kill "$down"
}

@test "kill -9 of main ends all three, with and without traffic" {
	local up
	attach "$C" > /dev/null
	three
	kill -9 "$(bed_main "$C")"
	bed_until 3 bed_no_core || die "left: $(bed_core_pids)"
	bed_until 3 bed_no_link "$C" || die "the interface is left"
	detach "$C" # cleans the state
	nothing_left "$C"
	attach "$C" > /dev/null
	upload up "$C"
	kill -9 "$(bed_main "$C")"
	bed_until 3 bed_no_core || die "left: $(bed_core_pids)"
	detach "$C"
	nothing_left "$C"
	bed_kill "$up"
}

@test "after kill -9 of main, the next ADD for the same container works" {
	attach "$C" > /dev/null
	kill -9 "$(bed_main "$C")"
	bed_until 3 bed_no_core
	attach "$C" > /dev/null
	works "$C"
	three
}

@test "kill -9 of the engine: another takes over, new connections work" {
	local up i old
	attach "$C" > /dev/null
	upload up "$C"
	for i in 1 2 3; do
		old=$(bed_engine "$C")
		kill -9 "$old"
		bed_until 2 new_engine "$old" || die "no new engine"
		works "$C"
		bed_in "$C" ping -c 1 -W 2 "$PEER4"
		bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
		three
	done
	bed_kill "$up"
	bed_in "$C" ip -o addr show eth0 | grep -q "$HOST4"
	detach "$C"
	nothing_left "$C"
}
new_engine() { [ -n "$(bed_engine "$C")" ] && [ "$(bed_engine "$C")" != "$1" ]; }

@test "kill -9 of nsagent leaves no stray process, and DEL works" {
	attach "$C" > /dev/null
	kill -9 "$(bed_nsagent "$C")"
	sleep 1
	# Either all of it ends, or the network goes on without it.
	bed_no_core || works "$C"
	detach "$C"
	nothing_left "$C"
}

@test "the container ends: all is gone within 3 seconds, without a DEL" {
	attach "$C" > /dev/null
	kill -9 "$C"
	bed_until 3 bed_no_core || die "left: $(bed_core_pids)"
	bed_until 3 bed_no_state || die "state left: $(bed_state)"
}

@test "the container ends while traffic runs: all is gone within 3 seconds" {
	local up
	attach "$C" > /dev/null
	upload up "$C"
	kill -9 "$C" "$up"
	bed_until 3 bed_no_core || die "left: $(bed_core_pids)"
	bed_until 3 bed_no_state || die "state left: $(bed_state)"
}

@test "the namespace's path is removed: all is gone within 3 seconds" {
	ip netns add "$BED-c"
	bed_host env -u XDG_RUNTIME_DIR CNI_COMMAND=ADD CNI_CONTAINERID="$BED" CNI_NETNS="/run/netns/$BED-c" \
		CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf" > "$BED_DIR/result" || die "$(cat "$BED_DIR/result")"
	three
	ip netns del "$BED-c"
	bed_until 3 bed_no_core || die "left: $(bed_core_pids)"
	[ ! -e "/run/cni-passt/$BED@eth0" ] || die "state left"
}

@test "SIGTERM to main ends the attachment in order" {
	attach "$C" > /dev/null
	kill "$(bed_main "$C")"
	nothing_left "$C"
}

@test "a front end killed in the middle of ADD leaves nothing" {
	local i front
	for i in {1..15}; do
		bed_bg front attach_slowly
		sleep "0.0$((RANDOM % 30))"
		kill -9 "$front" 2> /dev/null || true
		bed_until 3 settled || die "half an attachment: $(bed_core_pids | wc -l) processes, state: $(bed_state)"
		detach "$C"
		nothing_left "$C"
	done
}
attach_slowly() {
	bed_user env CNI_COMMAND=ADD CNI_CONTAINERID="c$C" CNI_NETNS="$NS" CNI_IFNAME=eth0 CNI_PATH=/ \
		sh -c "exec $CNI_PASST < $BED_DIR/basic.conf"
}
# either nothing, or a whole attachment whose front end got to its end
settled() {
	bed_no_core || { [ "$(bed_core_pids | wc -l)" = 3 ] && [ -s "$XDG/cni-passt/$(bed_state)/state.json" ]; }
}

@test "a folder whose daemon is gone is cleaned by the next command that meets it" {
	attach "$C" > /dev/null
	local core
	for core in $(bed_core_pids); do
		kill -9 "$core"
	done
	bed_until 3 bed_no_core
	same "attachments" "$(bed_state | wc -l)" 1
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	same "ADD over a dead one: $output" "$status" 0
	works "$C"
}

@test "the state folder is the user's alone" {
	attach "$C" > /dev/null
	same "mode of the folder" "$(stat -c %a "$XDG/cni-passt")" 700
	same "mode of the attachment" "$(stat -c %a "$XDG/cni-passt/$(bed_state)")" 700
	jq -e . "$XDG/cni-passt/$(bed_state)/state.json" > /dev/null
}

@test "the processes stand where they should: namespaces, rights, session" {
	attach "$C" > /dev/null
	local main engine agent host p
	main=$(bed_main "$C")
	engine=$(bed_engine "$C")
	agent=$(bed_nsagent "$C")
	host=$(bed_host readlink /proc/self/ns/net)
	same "namespace of main" "$(readlink "/proc/$main/ns/net")" "$host"
	same "namespace of engine" "$(readlink "/proc/$engine/ns/net")" "$host"
	same "rights of the engine" "$(awk '/^Cap(Prm|Eff|Amb|Inh):/ && $2 ~ /[1-9a-f]/' "/proc/$engine/status")" ""
	for p in "$main" "$engine" "$agent"; do
		same "no new privileges of $p" "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$p/status")" 1
	done
	[ "$(ps -o sid= -p "$main")" != "$(ps -o sid= -p $$)" ] || die "main is in the caller's session"
}

@test "ADD takes less than 100 ms with its programs around it, and three runs in a row" {
	local t0 t1 i best=1000000
	for ((i = 0; i < 5 || (i < 20 && best >= 100); i++)); do	# a busy machine is slow now and then
		t0=$(date +%s%N)
		attach "$C" > /dev/null
		t1=$(date +%s%N)
		detach "$C"
		[ $(((t1 - t0) / 1000000)) -ge "$best" ] || best=$(((t1 - t0) / 1000000))
	done
	echo "# ADD took $best ms" >&3
	[ "$best" -lt 100 ]
}

@test "idle memory of the three processes is below 3 MB" {
	# shellcheck disable=SC2153
	! grep -q __asan_init "$CORE" || skip "the sanitizers' own memory is not counted"
	attach "$C" > /dev/null
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	local p sum=0
	for p in $(bed_core_pids); do
		sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup")))
	done
	echo "# $sum kB PSS" >&3
	[ "$sum" -lt 3000 ]
}
