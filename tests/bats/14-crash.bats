#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many at once, and the plugin killed at every system call: whatever it leaves,
# the next DEL or GC cleans. Also: no room and no right for the state.

load bed
load expect

setup_file() {
	bed_make
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	IPAM_DIR=$BED_DIR/tmp/ipam
}

teardown() {
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
	rm -rf "$IPAM_DIR"
}

ipam_conf() { # a configuration whose addresses are host-local's
	conf "$(jq -n --arg d "$IPAM_DIR" '{ipam: {type: "host-local", dataDir: $d, ranges: [[{subnet: "10.88.0.0/24"}]]}}')"
}
reserved() { find "$IPAM_DIR" -name '10.*' -printf '%f\n' 2> /dev/null; }

# strace_cni OPTIONS COMMAND: the plugin under strace, by the user
strace_cni() {
	local options
	read -ra options <<< "$1"
	bed_user env CNI_COMMAND="$2" CNI_CONTAINERID="c$C" CNI_NETNS="$NS" CNI_IFNAME=eth0 \
		CNI_PATH="$BED_DIR/plugin:/usr/lib/cni" ASAN_OPTIONS=detect_leaks=0 \
		strace -qq -o "$BED_DIR/tmp/strace" "${options[@]}" "$CNI_PASST" < "$BED_DIR/tmp/conf"
}

# kill_points COMMAND: "SYSCALL N" for every call that COMMAND makes after it has
# been loaded; leaves it done
kill_points() {
	strace_cni "" "$1" > /dev/null
	awk -F'(' '/^[a-z_0-9]+\(/ { n[$1]++; if ($1 == "fcntl") on = 1; if (on) print $1, n[$1] }' "$BED_DIR/tmp/strace"
}

# With sanitizers and when little time is given: one point in eight.
some() { if [ -n "${BED_SHORT-}" ]; then awk 'NR % 8 == 1'; else cat; fi; }

no_ipam_runs() { ! pgrep -x -U "$BED_UID" host-local > /dev/null; }

swept_by_del() { # swept_by_del WHERE
	run_cni DEL "c$C" "$NS" eth0 < "$BED_DIR/tmp/conf"
	same "DEL after $1: $output" "$status$stdout" 0
	nothing_left "$C" || die "after $1"
	same "addresses reserved after $1" "$(reserved | xargs)" ""
}

prepare_kills() {
	command -v strace > /dev/null || skip "no program strace"
	[ -x /usr/lib/cni/host-local ] || skip "no CNI plugin host-local in /usr/lib/cni"
	ipam_conf > "$BED_DIR/tmp/conf"
	strace_cni "-e trace=none" VERSION > /dev/null 2>&1 || skip "strace cannot trace here"
	cp /usr/lib/cni/host-local "$BED_DIR/plugin/"
}

@test "ADD killed at every system call: the next DEL cleans" {
	local call n count=0
	prepare_kills
	kill_points ADD > "$BED_DIR/tmp/points"
	swept_by_del "the first ADD"
	[ "$(wc -l < "$BED_DIR/tmp/points")" -gt 100 ] || die "too few points: $(cat "$BED_DIR/tmp/points")"
	while read -r call n <&3; do
		strace_cni "-e trace=$call -e inject=$call:signal=SIGKILL:when=$n" ADD > /dev/null 2>&1 || true
		bed_until 2 no_ipam_runs
		swept_by_del "a kill at $call $n"
		count=$((count + 1))
	done 3< <(some < "$BED_DIR/tmp/points")
	echo "# killed at $count points" >&3
}

@test "DEL killed at every system call: the next DEL cleans" {
	local call n count=0
	prepare_kills
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/tmp/conf"
	same "ADD: $output" "$status" 0
	kill_points DEL > "$BED_DIR/tmp/points"
	nothing_left "$C"
	while read -r call n <&3; do
		run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/tmp/conf"
		same "ADD before a kill at $call $n: $output" "$status" 0
		strace_cni "-e trace=$call -e inject=$call:signal=SIGKILL:when=$n" DEL > /dev/null 2>&1 || true
		bed_until 2 no_ipam_runs
		swept_by_del "a kill at $call $n"
		count=$((count + 1))
	done 3< <(some < "$BED_DIR/tmp/points")
	echo "# killed at $count points" >&3
}

@test "ADD and DEL killed at some system calls: GC cleans" {
	local command call n swept='{"cniVersion": "1.1.0", "cni.dev/valid-attachments": []}'
	prepare_kills
	conf > "$BED_DIR/tmp/conf"
	for command in ADD DEL; do
		[ "$command" = ADD ] || attach "$C" > /dev/null
		kill_points "$command" | awk 'NR % 9 == 0' > "$BED_DIR/tmp/points-$command"
		conf "$swept" | cni GC "" "" ""
		nothing_left "$C"
		while read -r call n <&3; do
			[ "$command" = ADD ] || cni ADD "c$C" "$NS" eth0 < "$BED_DIR/tmp/conf" > /dev/null
			strace_cni "-e trace=$call -e inject=$call:signal=SIGKILL:when=$n" "$command" > /dev/null 2>&1 || true
			# What was not committed undoes itself, in a moment.
			BED_PATIENCE=1 bed_until 1 bed_no_core || true
			run_cni GC "" "" "" < <(conf "$swept")
			same "GC after a kill of $command at $call $n: $output" "$status$stdout" 0
			nothing_left "$C" || die "after a kill of $command at $call $n"
		done 3< <(some < "$BED_DIR/tmp/points-$command")
	done
}

@test "100 ADDs at once, to one container" {
	local i n=100
	[ -z "${BED_SHORT-}" ] || n=20
	pids=()
	for ((i = 0; i < n; i++)); do
		conf "{\"addresses\": [\"10.9.$i.1/24\"], \"ipv6\": false}" |
			cni ADD "many$i" "$NS" "net$i" > "$BED_DIR/tmp/add-$i" 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || die "ADD $i: $(cat "$BED_DIR/tmp/add-$i")"
	done
	same "interfaces" "$(bed_in "$C" ip -o link show | grep -c ': net')" "$n"
	same "attachments" "$(bed_state | wc -l)" "$n"
	pids=()
	for ((i = 0; i < n; i++)); do
		conf | cni DEL "many$i" "" "net$i" 3>&- &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || die "DEL $i failed"
	done
	nothing_left "$C"
	same "interfaces left" "$(bed_in "$C" ip -o link show | grep -c ': net')" 0
}

@test "ADD and DEL of one attachment racing: each is whole or not at all" {
	local i j pids
	for i in {1..5}; do
		pids=()
		for j in 1 2 3; do
			attach "$C" > "$BED_DIR/tmp/out" 2>&1 3>&- &
			pids+=($!)
			detach "$C" > "$BED_DIR/tmp/del-$j" 2>&1 3>&- &
			wait $! || die "DEL: $(cat "$BED_DIR/tmp/del-$j")"
		done
		for j in "${pids[@]}"; do
			wait "$j" || true	# exists, or interrupted by nothing
		done
		sleep 0.3	# an nsagent sees the kernel free the interface after its DEL
		if bed_no_core; then
			bed_no_state || die "state without a daemon: $(bed_state)"
		else
			same "processes" "$(bed_core_pids | wc -l)" 3
			bed_in "$C" ping -c 1 -W 2 "$PEER4"
		fi
		detach "$C"
		nothing_left "$C"
	done
}

@test "no room for the state: ADD is refused whole and leaves nothing, DEL works" {
	local room refusals=0
	# A file system of so many inodes: with each the ADD gets one step further.
	for room in {1..8}; do
		status=0
		# shellcheck disable=SC2016
		stdout=$(bed_host unshare -m bash -c 'mount -t tmpfs -o nr_inodes="$2",mode=0700,uid="$3" none "$1" &&
			cd "$1" && shift 3 && { CNI_COMMAND=ADD "$@" < '"$BED_DIR"'/basic.conf; echo $? > '"$BED_DIR"'/tmp/add
			CNI_COMMAND=DEL "$@" < '"$BED_DIR"'/basic.conf; echo $? > '"$BED_DIR"'/tmp/del
			find . -name "*@*" > '"$BED_DIR"'/tmp/left; }' bash "$XDG" "$room" "$BED_UID" \
			setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all \
			env XDG_RUNTIME_DIR="$XDG" CNI_CONTAINERID="c$C" CNI_NETNS="$NS" CNI_IFNAME=eth0 "$CNI_PASST") || status=$?
		same "status of DEL with $room inodes: $stdout" "$(cat "$BED_DIR/tmp/del")" 0
		same "left with $room inodes" "$(cat "$BED_DIR/tmp/left")" ""
		nothing_left "$C" || die "with $room inodes"
		[ "$(cat "$BED_DIR/tmp/add")" != 0 ] || continue
		refusals=$((refusals + 1))
		jq -e '.code == 5 and (.msg | test("No space"))' <<< "$stdout" > /dev/null || die "with $room inodes: $stdout"
	done
	[ "$refusals" -ge 4 ] || die "only $refusals refusals"
	[ "$(cat "$BED_DIR/tmp/add")" = 0 ] || die "not even 8 inodes are enough: $stdout"
}

@test "a state folder that cannot be written" {
	status=0
	# shellcheck disable=SC2016
	stdout=$(bed_host unshare -m bash -c 'mount -t tmpfs -o ro,mode=0755,uid='"$BED_UID"' none "$1" && shift && exec "$@"' bash "$XDG" \
		setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all \
		env XDG_RUNTIME_DIR="$XDG" CNI_COMMAND=ADD CNI_CONTAINERID="c$C" CNI_NETNS="$NS" CNI_IFNAME=eth0 "$CNI_PASST" < <(conf)) || status=$?
	output=$stdout
	refused 100 "Read-only"
	nothing_left "$C"
}

@test "the clock set back and forth does not change who the daemon is" {
	attach "$C" > /dev/null
	# What identifies it is not of the wall clock: start time in boot ticks, boot id.
	local state main
	state=$(cat "$XDG/cni-passt/c$C@eth0/state.json")
	main=$(bed_main "$C")
	same "startTime" "$(jq .startTime <<< "$state")" "$(awk '{ print $22 }' "/proc/$main/stat")"
	same "bootId" "$(jq -r .bootId <<< "$state")" "$(cat /proc/sys/kernel/random/boot_id)"
	# Another boot's file: nobody it names is touched, the daemon is still found.
	jq '.bootId = "00000000-0000-0000-0000-000000000000" | .pid = 1' <<< "$state" > "$XDG/cni-passt/c$C@eth0/state.json"
	detach "$C"
	nothing_left "$C"
}
