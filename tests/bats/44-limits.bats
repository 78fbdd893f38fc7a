#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The host has no more descriptors, ports or memory: new flows suffer, those that stand
# do not, no CPU is burnt over it, and all is well when there is room again.

load bed
load expect

setup_file() {
	bed_make
	bed_server ECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server UECHO bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	LOG=$XDG/c$C.log
}

teardown() {
	[ -z "${TAKER_PID-}" ] || kill "$TAKER_PID"
	detach "$C" > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

# attach_with NOFILE JSON: the daemon's limit of open files is the plugin's
attach_with() {
	bed_user prlimit --nofile="$1:$1" env CNI_COMMAND=ADD CNI_CONTAINERID="c$C" CNI_NETNS="$NS" \
		CNI_IFNAME=eth0 CNI_PATH="$BED_DIR/plugin" "$CNI_PASST" \
		< <(conf "$(log_to "c$C" | jq -c --argjson more "${2-"{}"}" '. + $more')") > /dev/null
}
inside() { bed_in "$C" "$@"; }
works() { inside python3 "$BED_DIR/client.py" typing "$PEER4" 7 5; }

# take KIND COUNT: exhaust.py in the container, as the coprocess TAKER; its first line
take() {
	# shellcheck disable=SC2034
	coproc TAKER { bed_in "$C" python3 "$BED_DIR/exhaust.py" "$1" "$PEER4" 7 "$2" 3>&-; }
	read -r TOOK FAILED <&"${TAKER[0]}"
}
alive() {
	local n of all
	echo >&"${TAKER[1]}"
	read -r n of all <&"${TAKER[0]}"
	[ "$n" = "$all" ] || die "$n $of $all live"
}
give_back() {
	kill "$TAKER_PID"
	wait "$TAKER_PID" 2> /dev/null || true
}

# ticks PID: the clock ticks it has used
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
# A process that spins uses all of it, one that tries again now and then little.
idles() { # idles PID
	local before after
	before=$(ticks "$1")
	sleep 1.5
	after=$(ticks "$1")
	[ $((after - before)) -lt 60 ] || die "$((after - before)) ticks of $(($(getconf CLK_TCK) * 3 / 2))"
}

@test "no descriptor for one more connection: it is refused, the others live, room again works" {
	attach_with 350
	take tcp 500
	echo "# $TOOK connections with 350 descriptors" >&3
	[ "$TOOK" -gt 100 ] && [ "$FAILED" -ge 20 ] || die "took $TOOK, failed $FAILED"
	idles "$(bed_engine "$C")"
	alive
	grep -q 'no socket for a new tcp flow: Too many open files' "$LOG" || die "$(tail -n 3 "$LOG")"
	[ "$(grep -c 'no socket for a new' "$LOG")" -le 2 ] || die "a line for each"
	# Echo and names are not of less worth: an idle UDP flow would make way, here there is none.
	[ "$(bed_counter "$C" "$LOG" flows_refused)" -ge 20 ] || die "not counted"
	give_back
	bed_until 5 works
	same "restarts" "$(bed_user "$CNI_PASST" stats "c$C" --json | jq .engine_restarts)" 0
}

@test "no descriptor: UDP flows make way for new ones of any kind" {
	attach_with 350
	take udp 500
	same "flows that did not open" "$FAILED" 0
	works
	[ "$(bed_counter "$C" "$LOG" flows_evicted)" -gt 100 ] || die "none evicted"
	idles "$(bed_engine "$C")"
	give_back
}

@test "no descriptor for accept(): clients of forwarded ports wait, and are served when there is room" {
	local waiting
	attach_with 350 '{"forward": {"tcp": ["8090", "8091:127.0.0.1:8091"]}}'
	bed_server IN1 inside tcp 8090 python3 "$BED_DIR/server.py" echo 8090
	bed_server IN2 inside tcp 8091 python3 "$BED_DIR/server.py" echo 8091
	bed_peer python3 "$BED_DIR/client.py" typing "$HOST4" 8091 3
	take tcp 500
	[ "$FAILED" -ge 20 ] || die "took $TOOK, failed $FAILED"
	waiting=()
	for port in 8090 8091; do
		bed_peer timeout 60 python3 "$BED_DIR/client.py" typing "$HOST4" "$port" 3 3>&- &
		waiting+=($!)
	done
	idles "$(bed_engine "$C")"
	[ "$(bed_counter "$C" "$LOG" inbound_paused)" -ge 1 ] || die "accept() did not pause"
	alive
	give_back
	for pid in "${waiting[@]}"; do
		wait "$pid" || die "a client was not served"
	done
}

@test "ephemeral ports gone: that destination fails, others work, and it too when there is room" {
	nsenter --net="/run/netns/$HOST" sysctl -qw net.ipv4.ip_local_port_range="40000 40039"
	attach_with 20000
	take tcp 200
	[ "$TOOK" -ge 20 ] && [ "$TOOK" -le 40 ] && [ "$FAILED" -ge 20 ] || die "took $TOOK, failed $FAILED"
	idles "$(bed_engine "$C")"
	alive
	grep -q 'Cannot assign requested address' "$LOG" || die "$(tail -n 3 "$LOG")"
	# Of another destination a port is free, and UDP has ports of its own.
	inside python3 "$BED_DIR/client.py" udp-sizes "$PEER4" 7 100
	inside python3 "$BED_DIR/client.py" typing "$PEER6" 7 3
	give_back
	nsenter --net="/run/netns/$HOST" sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
	bed_until 10 works
}

# inject WHAT...: the engine's calls fail so while the rest runs
inject() {
	strace -qq -o /dev/null true || skip "strace cannot trace here"
	! grep -q __asan_init "$CORE" || skip "strace slows sanitizers down too much"
	bed_bg TRACE strace -qq -o "$BED_DIR/tmp/strace.$1" -p "$(bed_engine "$C")" "${@:2}"
	bed_until 10 traced
}
traced() { grep -q '^TracerPid:.[1-9]' "/proc/$(bed_engine "$C")/status"; }

@test "errors of the kernel for want of memory or descriptors cost a flow at most" {
	command -v strace > /dev/null || skip "no program strace"
	attach_with 20000 '{"forward": {"tcp": ["8090"]}}'
	bed_server IN1 inside tcp 8090 python3 "$BED_DIR/server.py" echo 8090
	local engine f
	engine=$(bed_engine "$C")
	take tcp 5
	for f in "socket:error=ENFILE" "connect:error=ENOBUFS" "accept4:error=ENFILE" "epoll_ctl:error=ENOMEM" \
		"sendmsg:error=ENOBUFS" "sendmmsg:error=ENOBUFS" "recvmmsg:error=ENOMEM" "writev:error=ENOBUFS"; do
		inject "${f%%:*}" -e trace="${f%%:*}" -e inject="$f:syscall=getpid:when=1+2"
		timeout 1 bash -c ". '$BATS_TEST_DIRNAME/bed.bash'
			bed_in $C python3 '$BED_DIR/client.py' typing $PEER4 7 5
			bed_in $C python3 '$BED_DIR/client.py' udp-sizes $PEER4 7 100
			bed_peer python3 '$BED_DIR/client.py' typing $HOST4 8090 3" > /dev/null 2>&1 3>&- || true
		bed_kill "$TRACE"
		same "the engine after $f" "$(bed_engine "$C")" "$engine"
		bed_until 5 works || die "after $f"
	done
	# What was open when sendmsg() failed is open still.
	alive
	give_back
}

private() { awk '/^Private_Dirty:/ { print $2 }' "/proc/$(bed_engine "$C")/smaps_rollup"; }
small_again() { [ "$(private)" -lt $(($1 + 4096)) ]; }

@test "what was held for remotes that do not read goes back to the host" {
	bed_server DEAF bed_peer tcp 9 python3 "$BED_DIR/server.py" deaf 9
	attach_with 20000
	local before peak
	before=$(private)
	coproc TAKER { bed_in "$C" python3 "$BED_DIR/client.py" fill "$PEER4" 9 250 3>&-; }
	read -r -t 30 <&"${TAKER[0]}" || die "the connections do not fill"
	peak=$(private)
	echo "# engine $before kB, $peak at the peak" >&3
	[ "$peak" -gt $((before + 12288)) ] || die "only $peak kB at the peak, $before before"
	works
	give_back
	bed_kill "$DEAF"	# its connections are reset
	bed_until 20 small_again "$before" || die "$before kB before, $(private) after"
}
