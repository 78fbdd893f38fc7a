#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Errors of the network and of hosts, hop limits and path MTUs, by the programs that
# people look at them with, through two routers (bed_chain). Seen from the container:
#
#     1 the host (hostAddress, or link-local)   2 peer   3 mid   4 far, behind 1400 bytes

load bed
load expect

setup_file() {
	bed_make
	bed_chain
	bed_server ECHO bed_far udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	bed_server HEADER bed_far udp 8 python3 "$BED_DIR/errors.py" header-server 8
	bed_server WEB bed_far tcp 80 python3 "$BED_DIR/server.py" echo 80
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	attach "$C" > /dev/null
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }
errors() { bed_in "$C" python3 "$BED_DIR/errors.py" "$@"; }

# The routers of a trace on standard input, one word each: "2 198.51.100.10" → address.
# In IPv6 the host speaks by the link-local address that we have on this link.
hops() { awk '$1 ~ /^[0-9]+[.:]?/ { print $2 }' | sed 's/^fe80::.*/host/' | tr '\n' ' '; }

here4="$HOSTADDR $PEER4 $MID4 $FAR4 "
here6="host $PEER6 $MID6 $FAR6 "

# reject WORDS: what mid forwards and this matches is refused by it
reject() {
	nsenter --net="/run/netns/$MID" nft -f - <<- END
		table inet filter {
			chain forward {
				type filter hook forward priority 0;
				$*
			}
		}
	END
}
reject_no_more() { nsenter --net="/run/netns/$MID" nft delete table inet filter; }
# Three times: the first can meet the host's socket at work, which then takes it for a hint.
rejected() { [ "$(nsenter --net="/run/netns/$MID" nft list ruleset | grep -o 'packets [0-9]*' | tr -dc 0-9)" -ge 3 ]; }

# What the host has learned of path MTUs.
forget_paths() {
	bed_host ip route flush cache
	bed_host ip -6 route flush cache
}

# trace WHAT WANTED COMMAND...: that trace shows these hops
trace() {
	local what=$1 wanted=$2
	shift 2
	bed_in "$C" "$@" > "$BED_DIR/trace" || die "$what: $(cat "$BED_DIR/trace")"
	same "hops by $what" "$(hops < "$BED_DIR/trace")" "$wanted"
}

@test "traceroute by UDP, echo and TCP shows every router, in both families" {
	local by
	for by in "" -I "-U -p 9" "-T -p 80" "-T -p 81"; do
		# shellcheck disable=SC2086
		trace "traceroute $by" "$here4" traceroute -n -q 1 -w 2 $by "$FAR4"
		# shellcheck disable=SC2086
		trace "traceroute $by, IPv6" "$here6" traceroute -n -q 1 -w 2 $by "$FAR6"
	done
}

@test "mtr, by echo and by UDP" {
	local by to
	for by in "" -u; do
		for to in "$FAR4" "$FAR6"; do
			# shellcheck disable=SC2086
			bed_in "$C" mtr -n -C -c 2 -i 0.2 -G 1 $by "$to" > "$BED_DIR/mtr"
			same "hops of mtr $by $to" "$(awk -F, 'NR > 1 { print NR - 1, $6 }' "$BED_DIR/mtr" | hops)" \
				"$([[ $to == *:* ]] && echo "$here6" || echo "$here4")"
			same "loss" "$(awk -F, 'NR > 1 && $7 > 0' "$BED_DIR/mtr")" ""
		done
	done
}

@test "tracepath finds the way there, its smaller MTU, and the way back as long" {
	local to
	for to in "$FAR4" "$FAR6"; do
		bed_in "$C" tracepath -n -m 8 "$to" > "$BED_DIR/path"
		grep -q "pmtu $CHAIN_MTU hops 4 back 4" "$BED_DIR/path" || die "$(cat "$BED_DIR/path")"
		! grep -q asymm "$BED_DIR/path" || die "$(cat "$BED_DIR/path")"
	done
}

@test "a packet too large with DF: the router's MTU comes back at once, then from the host" {
	local to over router
	forget_paths
	for to in "$FAR4 28 $PEER4" "$FAR6 48 $PEER6"; do
		read -r to over router <<< "$to"
		bed_in "$C" ping -n -c 1 -W 2 -M "do" -s $((CHAIN_MTU - over)) "$to"
		bed_in "$C" ping -n -c 1 -W 2 -M "do" -s $((CHAIN_MTU - over + 1)) "$to" > "$BED_DIR/ping" 2>&1 &&
			die "went through: $(cat "$BED_DIR/ping")"
		grep -Eq "^From $router .*(Frag needed|Packet too big).*mtu ?= ?$CHAIN_MTU" "$BED_DIR/ping" ||
			die "$(cat "$BED_DIR/ping")"
		# the container forgets it, the host does not
		bed_in "$C" ip -"$([[ $to == *:* ]] && echo 6 || echo 4)" route flush cache
		bed_in "$C" ping -n -c 1 -W 2 -M "do" -s $((CHAIN_MTU - over + 9)) "$to" > "$BED_DIR/ping" 2>&1 &&
			die "went through: $(cat "$BED_DIR/ping")"
		grep -Eq "^From ($HOSTADDR|fe80::[^ ]*) .*mtu ?= ?$CHAIN_MTU" "$BED_DIR/ping" ||
			die "$(cat "$BED_DIR/ping")"
	done
}

@test "path MTU discovery of UDP and TCP: a program's datagrams get through, a transfer too" {
	errors path "$FAR4" 7 1472 "$CHAIN_MTU"
	errors path "$FAR6" 7 1452 "$CHAIN_MTU"
	client many "$FAR4" 80 5
	client many "$FAR6" 80 5
}

# unanswered ADDRESS WORDS: ping says so. It misses, on the host too, an error that is
# there before it looks, about every second time.
unanswered() {
	! bed_in "$C" ping -n -c 1 -W 2 "$1" > "$BED_DIR/ping" || die "answered"
	grep -q "$2" "$BED_DIR/ping"
}

@test "a closed port, an address nobody has, a network without a route, a filter" {
	errors refused "$FAR4" 9
	errors refused "$FAR6" 9
	client refused "$FAR4" 81
	client refused "$FAR6" 81
	bed_in "$C" dig +time=5 +tries=1 @"$FAR4" www.example > "$BED_DIR/dig" && die "answered"
	grep -q 'connection refused' "$BED_DIR/dig" || die "$(cat "$BED_DIR/dig")"
	bed_until 5 unanswered 10.9.8.7 "From $PEER4 .*Net Unreachable" || die "$(cat "$BED_DIR/ping")"
	bed_until 5 unanswered 2001:db8:77::7 "From $PEER6 .*No route" || die "$(cat "$BED_DIR/ping")"
	reject "meta l4proto { tcp, udp } th dport 5 reject with icmpx admin-prohibited"
	errors queue "$FAR4" 5 EHOSTUNREACH 3 13 "$MID4"
	errors queue "$FAR6" 5 EACCES 1 1 "$MID6"
	client unreachable "$FAR4" 5
	client unreachable "$FAR6" 5
	reject_no_more
}

# What we refuse ourselves: each error says of which request it is, or it is lost on ping
# and traceroute. (Three requests: an error that is there too soon is missed.)
@test "a metadata service: every way to ask hears that it is prohibited" {
	local a by
	for a in 169.254.169.254 fd00:ec2::254; do
		bed_in "$C" ping -n -c 3 -i 0.2 -W 1 "$a" > "$BED_DIR/ping" && die "answered"
		grep -Eq "icmp_seq=3 .*([Ff]iltered|prohibited)" "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		! grep -q "icmp_seq=0" "$BED_DIR/ping" || die "$(cat "$BED_DIR/ping")"
		for by in "" -I "-T -p 80"; do
			# shellcheck disable=SC2086
			bed_in "$C" traceroute -n -q 3 -w 2 -m 2 $by "$a" > "$BED_DIR/trace"
			grep -q '!X' "$BED_DIR/trace" || die "traceroute $by: $(cat "$BED_DIR/trace")"
		done
	done
}

@test "a connection that stands outlives a router that says unreachable for a while" {
	local to pid
	for to in "$FAR4" "$FAR6"; do
		rm -f "$BED_DIR"/{begin,end,up}
		errors stands "$to" 80 "$BED_DIR/begin" "$BED_DIR/end" > "$BED_DIR/up" 3>&- &
		pid=$!
		bed_until 5 test -s "$BED_DIR/up"
		reject "tcp dport 80 counter reject with icmpx admin-prohibited"
		: > "$BED_DIR/begin"
		bed_until 5 rejected
		reject_no_more
		: > "$BED_DIR/end"
		wait "$pid" || die "it broke"
	done
}

@test "hop limit, DSCP, ECN and DF of each datagram, both ways" {
	errors header "$FAR4" 8 3
	errors header "$FAR6" 8 3
}

@test "a program that is gone: the remote's next datagram is refused by the host" {
	local to late
	for to in "$FAR4" "$FAR6"; do
		BED_OUT=$BED_DIR/late bed_server late bed_far udp 4444 python3 "$BED_DIR/errors.py" late-server 4444
		errors leave "$to" 4444
		bed_until 8 bed_gone "$late"
		bed_kill "$late"
		same "what the remote heard" "$(cat "$BED_DIR/late")" ECONNREFUSED
	done
}

# two_pings PID PID: of two containers, with the same identifier, to one remote: each
# gets its own answers
two_pings() {
	local to pid
	for to in "$FAR4" "$FAR6"; do
		bed_in "$1" ping -n -c 20 -i 0.05 -W 2 -e 4711 "$to" > "$BED_DIR/ping1" 3>&- &
		pid=$!
		bed_in "$2" ping -n -c 20 -i 0.05 -W 2 -e 4711 "$to" > "$BED_DIR/ping2" || true
		wait "$pid" || true
		grep -q '20 packets transmitted, 20 received, 0%' "$BED_DIR/ping1" || die "$(cat "$BED_DIR/ping1")"
		grep -q '20 packets transmitted, 20 received, 0%' "$BED_DIR/ping2" || die "$(cat "$BED_DIR/ping2")"
		! grep -q DUP "$BED_DIR/ping1" "$BED_DIR/ping2" || die "answers of the other"
	done
}

@test "two containers ping the same host with the same identifier" {
	bed_container D
	attach "$D" > /dev/null
	two_pings "$C" "$D"
	detach "$D"
	bed_kill "$D"
}

# As a CNI runtime of root does it.
root_cni() {
	bed_host env XDG_RUNTIME_DIR="$BED_DIR/root" CNI_COMMAND="$1" CNI_CONTAINERID="r$2" \
		CNI_NETNS="/proc/$2/ns/net" CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf"
}

@test "where ping sockets are forbidden, root's echo goes by a raw one, opened before rights are given up" {
	local D E old pid
	mkdir -p "$BED_DIR/root"
	old=$(bed_host sysctl -n net.ipv4.ping_group_range)
	bed_host sysctl -qw net.ipv4.ping_group_range="1 0"
	bed_container D
	bed_container E
	root_cni ADD "$D" > /dev/null
	root_cni ADD "$E" > /dev/null
	two_pings "$D" "$E"
	C=$D trace "traceroute -I" "$here4" traceroute -n -q 1 -w 2 -I "$FAR4"
	C=$D trace "traceroute -I, IPv6" "$here6" traceroute -n -q 1 -w 2 -I "$FAR6"
	forget_paths
	bed_in "$D" ping -n -c 1 -W 2 -M "do" -s 1452 "$FAR4" > "$BED_DIR/ping1" && die "went through"
	grep -q "$PEER4 .*mtu = $CHAIN_MTU" "$BED_DIR/ping1" || die "$(cat "$BED_DIR/ping1")"
	bed_in "$D" ping -n -c 1 -W 2 -M "do" -s 1452 "$FAR6" > "$BED_DIR/ping1" && die "went through"
	grep -q "$PEER6 .*mtu=$CHAIN_MTU" "$BED_DIR/ping1" || die "$(cat "$BED_DIR/ping1")"
	# the next is the host's own to refuse
	bed_in "$E" ping -n -c 1 -W 2 -M "do" -s 1452 "$FAR4" > "$BED_DIR/ping1" && die "went through"
	grep -q "$HOSTADDR .*mtu = $CHAIN_MTU" "$BED_DIR/ping1" || die "$(cat "$BED_DIR/ping1")"
	for pid in $(bed_engine "$D"); do
		same "capabilities of the engine" "$(awk '/^Cap(Prm|Eff|Bnd|Amb):/ { print $2 }' "/proc/$pid/status" | sort -u)" \
			0000000000000000
	done
	bed_host sysctl -qw net.ipv4.ping_group_range="${old//$'\t'/ }"
	root_cni DEL "$D"
	root_cni DEL "$E"
	bed_kill "$D"
	bed_kill "$E"
}
