#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How long UDP flows live, and that none is forgotten.

load bed
load expect

setup_file() {
	bed_make
	bed_server ECHO bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	bed_server DNS bed_peer udp 53 dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null \
		--listen-address="$PEER4" --bind-interfaces --user=root --pid-file= --address=/www.example/192.0.2.80
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }

# up [JSON OBJECT]
up() {
	LOG=$XDG/c$C.log
	cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "$(log_to "c$C" | jq -c ". + ${1-"{}"}")") > /dev/null
	ENGINE=$(bed_engine "$C")
}

sockets() { find "/proc/$ENGINE/fd" -lname 'socket:*' 2> /dev/null | wc -l; }
no_more_sockets() { [ "$(sockets)" -le "$1" ]; }

@test "time-outs are as configured, one way and both ways" {
	local idle
	up '{"udp": {"timeout": 2, "timeoutStream": 5}}'
	idle=$(sockets)
	bed_in "$C" socat -u "EXEC:echo unanswered" "UDP4-SENDTO:$PEER4:9999"
	client udp-sizes "$PEER4" 7 100
	[ "$(sockets)" -gt "$idle" ]
	bed_until 4 no_more_sockets $((idle + 1)) || die "not ended after 2 seconds"
	same "answered" "$(sockets)" $((idle + 1))
	bed_until 5 no_more_sockets "$idle" || die "not ended after 5 seconds"
}

@test "a flow to port 53 ends with its answer" {
	local idle
	up
	idle=$(sockets)
	same "answer" "$(bed_in "$C" dig +time=2 +tries=2 +short @"$PEER4" www.example A)" 192.0.2.80
	bed_until 2 no_more_sockets "$idle" || die "$(sockets) sockets, $idle before"
}

@test "bad time-outs are refused by name" {
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"udp": {"timeout": 0}}')
	refused 7 udp.timeout
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"udp": {"timeout": 60, "timeoutStream": 30}}')
	refused 7 udp.timeoutStream
}

@test "100000 short flows leave nothing behind" {
	local idle before after n=50000
	[ -z "${BED_SHORT-}" ] || n=5000
	up '{"udp": {"timeout": 2, "timeoutStream": 2}}'
	idle=$(sockets)
	# While a neighbour is not resolved the container's kernel keeps some 256 of 500 datagrams.
	client udp-sizes "$PEER4" 7 100
	client udp-sizes "$PEER6" 7 100
	client udp-short-flows "$PEER4" 7 "$n"
	bed_until 6 no_more_sockets "$idle" || die "$(sockets) sockets, $idle before"
	before=$(awk '/^VmRSS/ { print $2 }' "/proc/$ENGINE/status")
	client udp-short-flows "$PEER6" 7 "$n"
	bed_until 6 no_more_sockets "$idle" || die "$(sockets) sockets, $idle before"
	after=$(awk '/^VmRSS/ { print $2 }' "/proc/$ENGINE/status")
	[ $((after - before)) -lt 4096 ] || die "memory went from $before to $after KiB"
	client udp-sizes "$PEER4" 7 100
	same "the engine's process" "$(bed_engine "$C")" "$ENGINE"
	same "flows opened" "$(bed_counter "$C" "$LOG" flows_opened)" $((2 * n + 3))
}

@test "an idle flow costs no CPU" {
	local before after
	up
	client udp-sizes "$PEER4" 7 100
	sleep 0.2
	before=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$ENGINE/status")
	sleep 2
	after=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$ENGINE/status")
	[ $((after - before)) -le 4 ] || die "woke $((after - before)) times in two seconds"
}
