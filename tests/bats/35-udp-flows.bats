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

# seen SOURCE [ADDRESS]: the container's endpoint as two servers see it, each once
seen() { client udp-one-port "${2-$PEER4}" "$1" 17 18; }

@test "one endpoint has one port towards all remotes, in each family, and hears nobody else" {
	local heard
	bed_server ONE bed_peer udp 17 python3 "$BED_DIR/server.py" udp-whoami 17
	bed_server TWO bed_peer udp 18 python3 "$BED_DIR/server.py" udp-whoami 18
	up
	same "IPv4" "$(seen 44000)" "$HOST4 44000"$'\n'"$HOST4 44000"
	same "IPv6, the same port" "$(seen 44000 "$PEER6")" "$HOST6 44000"$'\n'"$HOST6 44000"
	# on the host it is somebody's: another one, for all of them
	bed_server TAKEN bed_host udp 44100 socat -u UDP4-RECV:44100 -
	heard=$(seen 44100)
	[[ $heard != *" 44100"* ]] || die "who has it on the host gives it away: $heard"
	same "ports of both" "$(sort -u <<< "$heard" | wc -l)" 1
	bed_kill "$TAKEN"
	# two containers of one user do not share: no answer for one goes to the other
	bed_container D
	attach "$D" d > /dev/null
	client udp-one-port "$PEER4" 44200 17 18 > "$BED_DIR/first" &
	bed_in "$D" python3 "$BED_DIR/client.py" udp-one-port "$PEER4" 44200 17 18 > "$BED_DIR/second"
	wait "$!"
	detach "$D" d
	bed_kill "$D"
	same "lines of both" "$(cat "$BED_DIR/first" "$BED_DIR/second" | wc -l)" 4
	[ "$(sort -u "$BED_DIR/first")" != "$(sort -u "$BED_DIR/second")" ] || die "both at $(cat "$BED_DIR/first")"
	# the host by two addresses, from one port: the answer comes to each
	detach "$C"
	up '{"hostAddress": ["169.254.1.2", "169.254.1.3"]}'
	bed_server LOCAL bed_host udp 19 python3 "$BED_DIR/server.py" udp-echo 19
	bed_in "$C" python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 44400))
s.settimeout(2)
for to in ("169.254.1.2", "169.254.1.3", "169.254.1.2", "169.254.1.3"):
    s.sendto(to.encode(), (to, 19))
    data, peer = s.recvfrom(99)
    assert peer == (to, 19) and data == to.encode(), (to, peer, data)'
	bed_kill "$LOCAL"
	# a stranger speaks to that port all the while
	bed_bg STRANGER bed_peer sh -c "while :; do echo stranger; done | socat -b 9 - UDP4-SENDTO:$HOST4:44300,sourceport=99"
	same "beside a stranger" "$(seen 44300)" "$HOST4 44300"$'\n'"$HOST4 44300"
	bed_kill "$STRANGER"
	bed_kill "$ONE"
	bed_kill "$TWO"
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
