# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# For the scripts of this folder, behind bed.bash: what they found, and what the daemon holds.

failures=()
failure() { failures+=("$*"); echo "FAILED  $*"; }
good() { echo "ok      $*"; }

# verdict NAME: the end of a script
verdict() {
	bed_remove || failure "the sanitizers found something"
	if [ ${#failures[@]} -gt 0 ]; then
		# Once more, where whoever sees only the end of it sees it.
		printf '%s\n' "${failures[@]/#/$1: }"
		echo "$1: FAILED"
		exit 1
	fi
	echo "$1: passed"
	exit 0
}

# ---- what the daemon holds

# held_by CONTAINER: whose processes the rest is about; their log is $log
held_by() {
	main=$(bed_main "$1")
	engine=$(bed_engine "$1")
	agent=$(bed_nsagent "$1")
}

# Its sockets of one kind (t or u; echo sockets count with u) on the host.
sockets() { bed_host ss -Han"$1"p | grep -c "pid=$engine,"; }
descriptors() { find "/proc/$engine/fd" -mindepth 1 | wc -l; }
counter() { { echo "=0"; grep -o " $1=[0-9]*" "$log"; } | tail -n 1 | cut -d = -f 2; } # 0 is not told

open_flows() {
	: > "$log"
	kill -USR1 "$main"
	bed_until 3 grep -q ' nd_replies=' "$log" || return 1
	echo $(($(counter flows_opened) - $(counter flows_closed)))
}

kib() {
	local p n=0
	for p in "$main" "$engine" "$agent"; do
		n=$((n + $(awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup" 2> /dev/null || echo 0)))
	done
	echo "$n"
}

no_tcp() { [ "$(sockets t)" = 0 ]; }
no_udp() { [ "$(sockets u)" = 0 ]; }
