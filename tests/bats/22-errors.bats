#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Errors keep their meaning: a program in the container sees the error that a
# program on the host sees. And what stands still costs nothing.

load bed
load expect
load transfers

REJECTS=(port-unreachable host-unreachable no-route admin-prohibited)

setup_file() {
	bed_make cubic
	transfers_serve
	bed_server ECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server RESET bed_peer tcp 1001 python3 "$BED_DIR/failing.py" serve-reset 1001
	bed_server READRESET bed_peer tcp 1003 python3 "$BED_DIR/failing.py" serve-read-reset 1003
	BED_OUT=$BED_DIR/ends bed_server ENDS bed_peer tcp 1002 python3 "$BED_DIR/failing.py" serve-ends 1002
	bed_server SINK bed_peer tcp 1004 socat -u TCP6-LISTEN:1004,fork,reuseaddr,ipv6only=0 OPEN:/dev/null
	bed_server MUTE bed_peer tcp 1005 socat -u TCP6-LISTEN:1005,reuseaddr,ipv6only=0 OPEN:/dev/null
	kill -STOP "$MUTE"	# the kernel accepts for it, nobody reads
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
	nsenter --net="/run/netns/$PEER" nft delete table inet test 2> /dev/null || true
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

errors() { bed_in "$C" timeout 60 python3 "$BED_DIR/failing.py" "$@"; }
native() { bed_user timeout 60 python3 "$BED_DIR/failing.py" "$@"; }

# peer_rule RULE...: in the way of what comes to the peer
peer_rule() {
	local rule
	nsenter --net="/run/netns/$PEER" nft -f - <<- END || skip "this kernel has no nftables"
		table inet test {
			chain in {
				type filter hook input priority 0;
				$(for rule in "$@"; do echo "$rule;"; done)
			}
		}
	END
}

counter() {
	: > "$LOG"
	kill -USR1 "$(bed_main "$C")"
	bed_until 3 grep -q ' nd_replies=' "$LOG"
	grep -o " $1=[0-9]*" "$LOG" | cut -d = -f 2
}

# ticks: of the clock that the engine has run so far
ticks() { sed 's/.*) //' "/proc/$ENGINE/stat" | awk '{ print $12 + $13 }'; }

# quiet: nothing spins in these two seconds (an engine that does takes all of them)
quiet() {
	local before after
	before=$(ticks)
	sleep 2
	after=$(ticks)
	[ $((after - before)) -lt $(($(getconf CLK_TCK) / 10)) ] || die "$((after - before)) ticks of $(($(getconf CLK_TCK) * 2))"
}

# stands_still PORT: all buffers on the way are full
stands_still() {
	local a b
	a=$(bed_host ss -Htn state established "dport = :$1" | awk '{ print $1, $2 }')
	sleep 0.3
	b=$(bed_host ss -Htn state established "dport = :$1" | awk '{ print $1, $2 }')
	[ -n "$a" ] && [ "$a" = "$b" ]
}

# at_once "… slowest_ms=N": far from any time-out. A second is for the kernel, which
# misses an ICMP error that is back before connect() has let go of the socket, as
# over a veth it can be, and hears the next one when it sends the SYN again.
at_once() { [ "${1##*=}" -lt 2500 ] || die "not at once: $1"; }

@test "errors: what a router says of the way is what the program sees, at once" {
	local i port=2000 rules=() address got
	# a kernel says so once a second to each host
	bed_peer sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	for i in "${!REJECTS[@]}"; do
		rules+=("tcp dport $((port + i)) reject with icmpx type ${REJECTS[i]}")
	done
	peer_rule "${rules[@]}"
	for i in "${!REJECTS[@]}"; do
		for address in "$PEER4" "$PEER6"; do
			got=$(errors many "$address" $((port + i)) 1)
			at_once "$got"
			same "${REJECTS[i]} of $address" "${got%% *}" "$(native many "$address" $((port + i)) 1 | cut -d ' ' -f 1)"
		done
	done
}

# routed KIND WANTED-IPV4 WANTED-IPV6: a route of the host that refuses
routed() {
	ip -n "$HOST" route add "$1" 192.0.2.0/24
	ip -n "$HOST" -6 route add "$1" 2001:db8:dead::/64
	same "$1, IPv4" "$(errors connect 192.0.2.1 80)" "$2"
	same "$1, IPv6" "$(errors connect 2001:db8:dead::1 80)" "$3"
	ip -n "$HOST" route del "$1" 192.0.2.0/24
	ip -n "$HOST" -6 route del "$1" 2001:db8:dead::/64
}

@test "errors: what the host's routes say is what the program would see behind such a router" {
	routed unreachable EHOSTUNREACH EHOSTUNREACH
	routed prohibit EHOSTUNREACH EACCES
}

@test "errors: no answer from anybody is a time-out, in the container's own time" {
	local address
	peer_rule "tcp dport 2000 drop"
	bed_host sysctl -qw net.ipv4.tcp_syn_retries=1
	bed_in "$C" sysctl -qw net.ipv4.tcp_syn_retries=1
	for address in "$PEER4" "$PEER6"; do
		same "the error at $address" "$(errors connect "$address" 2000)" ETIMEDOUT
	done
	bed_host sysctl -qw net.ipv4.tcp_syn_retries=6
}

@test "errors: a reset in the middle of a download is one" {
	same "IPv4" "$(errors read "$PEER4" 1001)" ECONNRESET
	same "IPv6" "$(errors read "$PEER6" 1001)" ECONNRESET
}

@test "errors: a reset in the middle of an upload is one, on either side" {
	local n
	[[ $(errors write "$PEER4" 1003) =~ ^(ECONNRESET|EPIPE)$ ]]
	for n in 0 1 100000 5000000; do
		: > "$BED_DIR/ends"
		errors reset "$PEER4" 1002 "$n"
		bed_until 3 test -s "$BED_DIR/ends"
		same "the server's end after $n bytes" "$(cat "$BED_DIR/ends")" ECONNRESET
	done
}

@test "errors: the host has no more descriptors: a reset at once, a counter, one line in the log" {
	local got
	same "before" "$(errors connect "$PEER4" 7)" connected
	bed_user prlimit --pid "$ENGINE" --nofile=40:40
	: > "$LOG"
	got=$(errors many "$PEER4" 7 60)
	[[ $got =~ ^ECONNREFUSED=([0-9]+)\ connected=([0-9]+)\ slowest ]] || die "$got"
	[ "${BASH_REMATCH[2]}" -ge 20 ] || die "$got"
	at_once "$got"
	same "lines in the log" "$(grep -c 'limit of open files' "$LOG")" 1
	[ "$(counter flows_refused)" -ge "${BASH_REMATCH[1]}" ] || die "$(counter flows_refused) counted of $got"
	# the others went when their program did
	same "after" "$(errors connect "$PEER4" 7)" connected
	same "the engine's process" "$(bed_engine "$C")" "$ENGINE"
}

@test "errors: the daemon was started with few descriptors: the same" {
	local got D
	bed_container D
	bed_user prlimit --nofile=64:64 env CNI_COMMAND=ADD CNI_CONTAINERID="c$D" CNI_NETNS="/proc/$D/ns/net" \
		CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < <(conf "$(log_to "c$D")") > /dev/null
	got=$(bed_in "$D" python3 "$BED_DIR/failing.py" many "$PEER4" 7 100)
	[[ $got =~ ^ECONNREFUSED=[0-9]+\ connected=([0-9]+)\ slowest ]] || die "$got"
	[ "${BASH_REMATCH[1]}" -ge 20 ] || die "$got"
	at_once "$got"
	same "after" "$(bed_in "$D" python3 "$BED_DIR/failing.py" connect "$PEER6" 7)" connected
	detach "$D"
	bed_kill "$D"
}

@test "stalls: a reader on the peer that stands still costs no time, nor the container's others" {
	local up
	bed_bg up bed_in "$C" socat -u OPEN:/dev/zero "TCP:$PEER4:1005"
	bed_until 10 stands_still 1005
	quiet
	same "another connection" "$(errors connect "$PEER4" 7)" connected
	bed_kill "$up"
}

@test "stalls: a reader in the container that stands still costs no time, and gets all when it goes on" {
	local down
	BED_OUT=$BED_DIR/tmp/got bed_bg down bed_in "$C" sh -c "curl -sS --max-time 60 http://$PEER4/file | sh -c 'kill -STOP \$\$; exec sha256sum'"
	bed_until 10 stands_still 80
	quiet
	same "another connection" "$(errors connect "$PEER4" 7)" connected
	kill -CONT "$(pgrep -P "$down" -x sh)"
	bed_until 30 test -s "$BED_DIR/tmp/got"
	same "sha256" "$(cut -d ' ' -f 1 "$BED_DIR/tmp/got")" "$(cat "$BED_DIR/www/sum")"
	bed_kill "$down"
}

@test "idle: connections live, with keep-alive probes and without" {
	local p pids=() what
	for what in keep-alive idle; do
		errors "$what" "$PEER4" 7 6 > "$BED_DIR/tmp/$what.4" 3>&- &
		pids+=($!)
		errors "$what" "$PEER6" 7 6 > "$BED_DIR/tmp/$what.6" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p"; done
	same "all four" "$(sort "$BED_DIR"/tmp/{keep-alive,idle}.{4,6} | uniq -c | xargs)" "4 alive"
}

@test "gone: the remote host vanishes in the middle of an upload: an error, and nothing is left" {
	local got
	bed_host sysctl -qw net.ipv4.tcp_retries2=3
	errors write "$PEER4" 1004 > "$BED_DIR/tmp/vanished" 3>&- &
	got=$!
	sleep 0.5
	peer_rule "tcp dport 1004 drop"
	wait "$got"
	[[ $(cat "$BED_DIR/tmp/vanished") =~ ^(ETIMEDOUT|ECONNRESET|EPIPE|EHOSTUNREACH)$ ]] || die "$(cat "$BED_DIR/tmp/vanished")"
	bed_host sysctl -qw net.ipv4.tcp_retries2=15
	bed_until 3 no_socket_to 1004 || die "a socket is left"
}
no_socket_to() { [ -z "$(bed_host ss -Htn state established "dport = :$1")" ]; }

# Who waits hears of it by its own keep-alive, as without us.
@test "gone: the remote host vanishes while nothing is said: the container's keep-alive is passed on" {
	local pids=() p
	bed_host sysctl -qw net.ipv4.tcp_keepalive_probes=2
	errors keep-waiting "$PEER4" 7 > "$BED_DIR/tmp/vanished.4" 3>&- &
	pids+=($!)
	errors keep-waiting "$PEER6" 7 > "$BED_DIR/tmp/vanished.6" 3>&- &
	pids+=($!)
	sleep 2.5
	same "still waiting" "$(cat "$BED_DIR"/tmp/vanished.?)" ""
	peer_rule "tcp dport 7 drop"
	for p in "${pids[@]}"; do wait "$p"; done
	bed_host sysctl -qw net.ipv4.tcp_keepalive_probes=9
	for p in 4 6; do
		[[ $(cat "$BED_DIR/tmp/vanished.$p") =~ ^(ETIMEDOUT|ECONNRESET)$ ]] || die "$(cat "$BED_DIR/tmp/vanished.$p")"
	done
}
