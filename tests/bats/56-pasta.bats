#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck disable=SC2154,SC2016 # what the inner shell is to expand
# The command line of pasta: its three ways to a namespace, its options by group,
# and the exact words that podman and RootlessKit start it with.

bats_require_minimum_version 1.5.0

load bed
load expect

setup_file() {
	bed_make
	head -c 4M /dev/urandom > "$BED_DIR/www/file"
	mkdir -p "$BED_DIR/bin"
	ln -s "$CORE" "$BED_DIR/bin/pasta"
	ln -s "$CORE" "$BED_DIR/bin/passt4netns"
	PASTA=$BED_DIR/bin/pasta
	export PASTA
	bed_server FILE bed_peer tcp 80 socat -U TCP4-LISTEN:80,fork,reuseaddr OPEN:"$BED_DIR/www/file",rdonly
	bed_server FILE6 bed_peer tcp 81 socat -U TCP6-LISTEN:81,fork,reuseaddr OPEN:"$BED_DIR/www/file",rdonly
	whoami LOCAL bed_host 8000
}

teardown_file() {
	bed_remove
}

teardown() {
	bed_kill "${C-}"
	bed_until 3 bed_no_core
}

# A server that says who connected, "ADDRESS PORT"
whoami() { # whoami VARIABLE FUNCTION PORT
	bed_server "$1" "$2" tcp "$3" socat "TCP4-LISTEN:$3,fork,reuseaddr" SYSTEM:'echo $SOCAT_PEERADDR $SOCAT_PEERPORT'
}

pasta() { bed_user timeout 30 "$PASTA" "$@"; }
in_c() { bed_in "$C" "$@"; }

# pasta with a command of its own: short forms of what nearly every test wants
own() { pasta -t none -u none --config-net "$@"; }

fetches() { # fetches FUNCTION...: the file, whole
	same "what came" "$("$@" timeout 20 socat -u "TCP:$PEER4:80" - | sum)" \
		"$(sum < "$BED_DIR/www/file")"
}

line() { # line FUNCTION SOCAT-ADDRESS: what a server says to who connects
	"$1" timeout 10 socat -t 5 -T 5 - "$2" < /dev/null
}

addresses() { # addresses IFNAME: of the container, global ones
	in_c ip -j addr show dev "$1" | jq -r '.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"' | sort | xargs
}

@test "pasta COMMAND: root in namespaces of its own, connected, and nothing is left" {
	run own -- sh -c 'id -u; ip -j link show dev h0 | jq ".[0].mtu"; socat -u TCP:'"$PEER4"':80 - | sha256sum'
	same "status: $output" "$status" 0
	same "user" "${lines[0]}" 0
	same "mtu" "${lines[1]}" 65520
	same "file" "${lines[2]%% *}" "$(sum < "$BED_DIR/www/file")"
	bed_no_core || die "a daemon outlived the command"
	bed_no_state || die "state outlived the command: $(bed_state)"
}

@test "pasta COMMAND: exit status, signals, standard input, a program that is not there" {
	run own sh -c 'exit 42'
	same "status" "$status" 42
	run own sh -c 'kill -TERM $$'
	same "status of one killed" "$status" 143
	run -127 own /does/not/exist
	same "input" "$(echo hello | own cat)" hello
	BED_OUT=$BED_DIR/tmp/out bed_bg P bed_user "$PASTA" -t none -u none --config-net \
		-- sh -c 'trap "echo got it; exit 5" USR1; echo ready; while :; do sleep 0.1; done'
	bed_until 10 grep -q ready "$BED_DIR/tmp/out"
	kill -USR1 "$P"
	status=0
	wait "$P" || status=$?
	same "status after a signal passed on" "$status" 5
	grep -q 'got it' "$BED_DIR/tmp/out"
}

@test "pasta COMMAND: who kills pasta kills the command" {
	bed_bg P bed_user "$PASTA" -t none -u none --config-net -- sleep 4711
	bed_until 10 pgrep -f '^sleep 4711$'
	kill -9 "$P"
	bed_until 5 bash -c '! pgrep -f "^sleep 4711$"'
	bed_until 3 bed_no_core
	bed_until 3 bed_no_state
}

@test "pasta without a command: \$SHELL" {
	same "the shell's word" "$(echo 'echo $0 from the shell; exit' | BED_ENV=(SHELL=/bin/sh) own 2> /dev/null)" "-sh from the shell"
}

@test "pasta PID: exits 0 when the network works, ends with the process" {
	bed_container C
	run pasta -t none -u none --config-net -P "$BED_DIR/tmp/pid" "$C"
	same "status: $output" "$status" 0
	same "output" "$output" ""
	fetches in_c
	same "pid file" "$(cat "$BED_DIR/tmp/pid")" "$(bed_main "$C")"
	same "addresses" "$(addresses h0)" "2001:db8:1::2/64 203.0.113.2/24"
	for fd in 0 1 2; do
		same "descriptor $fd of the daemon" "$(readlink "/proc/$(bed_main "$C")/fd/$fd")" /dev/null
	done
	bed_kill "$C"
	nothing_left
}

@test "pasta --netns PATH and NAME: ends within a second of the path's removal" {
	bed_container C
	touch "$BED_DIR/tmp/ns"
	mount --bind "/proc/$C/ns/net" "$BED_DIR/tmp/ns"
	run pasta --config-net -t none -u none --netns "$BED_DIR/tmp/ns" --userns "/proc/$C/ns/user"
	same "status: $output" "$status" 0
	fetches in_c
	umount -l "$BED_DIR/tmp/ns"
	rm "$BED_DIR/tmp/ns"
	bed_until 1 bed_no_core
	nothing_left "$C" h0
	run pasta --netns "there-is-no-such-$$"
	same "status" "$status" 1
	[[ $output == *"/run/netns/there-is-no-such-$$"* ]] || die "says: $output"
}

@test "pasta --no-netns-quit: stays when the path goes, and ends when it is told to" {
	bed_container C
	touch "$BED_DIR/tmp/ns2"
	mount --bind "/proc/$C/ns/net" "$BED_DIR/tmp/ns2"
	pasta --config-net -t none -u none --no-netns-quit -P "$BED_DIR/tmp/pid2" --netns "$BED_DIR/tmp/ns2"
	umount -l "$BED_DIR/tmp/ns2"
	rm "$BED_DIR/tmp/ns2"
	sleep 1.3
	fetches in_c
	kill "$(cat "$BED_DIR/tmp/pid2")"
	nothing_left "$C" h0
}

@test "podman's words: the default, and with ports" {
	bed_container C
	run pasta --config-net --dns-forward 169.254.1.1 -t none -u none -T none -U none --no-map-gw \
		--quiet --netns "/proc/$C/ns/net" --map-guest-addr 169.254.1.2
	same "status: $output" "$status" 0
	same "output" "$output" ""
	fetches in_c
	[[ $(line in_c TCP:169.254.1.2:8000) == "$HOST4 "* ]] || die "169.254.1.2 is not the host"
	run line in_c TCP:203.0.113.1:8000
	[ "$status" -ne 0 ] || die "--no-map-gw: the gateway led to the host"
	bed_kill "$C"
	nothing_left
	bed_container C
	run pasta --config-net -t 8080-8081:80-81 -u "$HOST4/5353-5353:53-53" --dns-forward 169.254.1.1 \
		-T none -U none --no-map-gw --quiet --netns "/proc/$C/ns/net" --map-guest-addr 169.254.1.2
	same "status: $output" "$status" 0
	whoami S1 in_c 81
	[[ $(line bed_peer "TCP:$HOST4:8081") == "$PEER4 "* ]] || die "the published port"
	[ -n "$(bed_host ss -Hlun "sport = :5353")" ]
}

@test "an unknown option: exit 1, in getopt's words, as podman reads them" {
	run pasta --config-net --map-guest-addr-of-tomorrow 169.254.1.2
	same "status" "$status" 1
	[[ $output == *"unrecognized option '--map-guest-addr-of-tomorrow'"* ]] || die "says: $output"
}

@test "--version, --help, and RootlessKit's probe" {
	run pasta --version
	same "status" "$status" 0
	[[ ${lines[0]} == "pasta "* ]] || die "says: $output"
	run pasta --host-lo-to-ns-lo --version
	same "status" "$status" 0
	run bed_user "$BED_DIR/bin/passt4netns" --version
	[[ ${lines[0]} == "passt4netns "* ]] || die "says: $output"
	run pasta --help
	same "status" "$status" 0
	[[ $output == *--map-guest-addr* ]]
}

@test "RootlessKit's words" {
	bed_container C
	run pasta --stderr --ns-ifname=tap0 --mtu=1500 --config-net --address=10.0.2.100 --netmask=24 \
		--gateway=10.0.2.2 --dns-forward=10.0.2.3 --ipv4-only --tcp-ports=auto --udp-ports=none \
		--host-lo-to-ns-lo "$C"
	same "status: $output" "$status" 0
	same "addresses" "$(addresses tap0)" 10.0.2.100/24
	same "mtu" "$(in_c ip -j link show dev tap0 | jq '.[0].mtu')" 1500
	same "routes" "$(in_c ip -4 -j route | jq -r '.[] | .dst + " " + (.gateway // "-")' | sort | xargs)" \
		"10.0.2.0/24 - default 10.0.2.2"
	fetches in_c
	# the gateway is the host's loopback unless --no-map-gw says otherwise
	bed_server L8 bed_host tcp 8001 socat TCP-LISTEN:8001,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo loopback'
	same "by the gateway" "$(line in_c TCP:10.0.2.2:8001)" loopback
	bed_kill "$L8"
}

@test "--host-lo-to-ns-lo: the host's loopback reaches what listens on the container's only" {
	bed_container C
	pasta --config-net -u none -t 8082 --host-lo-to-ns-lo "$C"
	bed_server S2 in_c tcp 8082 socat TCP-LISTEN:8082,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo inner loopback'
	same "to the loopback" "$(line bed_host TCP:127.0.0.1:8082)" "inner loopback"
}

@test "addresses: -a with and without a length, -g, -n, -M, --ns-mac-addr, -I" {
	run own -a 10.9.8.7 -n 255.255.255.128 -g 10.9.8.1 -a fd09::7/80 -g fd09::1 -I net0 -M 02:00:00:00:00:99 \
		--ns-mac-addr 02:00:00:00:00:77 -- sh -c 'ip -j addr show dev net0; ip -j -4 route; ip -j -6 route show default'
	same "status: $output" "$status" 0
	same "addresses" "$(jq -r '.[0].addr_info[]? | select(.scope == "global") | "\(.local)/\(.prefixlen)"' <<< "${lines[0]}" | xargs)" \
		"10.9.8.7/25 fd09::7/80"
	same "MAC" "$(jq -r '.[0].address' <<< "${lines[0]}")" 02:00:00:00:00:77
	same "gateway" "$(jq -r '.[] | select(.dst == "default") | .gateway' <<< "${lines[1]}")" 10.9.8.1
	same "IPv6 gateway" "$(jq -r '.[].gateway' <<< "${lines[2]}")" fd09::1
	run own -a 10.9.8.7 -- sh -c 'ip -j -4 addr show dev h0 | jq -r ".[0].addr_info[0].prefixlen"'
	same "length by its class" "$output" 8
	run own -a "$HOST4" -- sh -c 'ip -j -4 addr show dev h0 | jq -r ".[0].addr_info[0].prefixlen"'
	same "length of the host's own" "$output" 24
}

@test "addresses: -i, --no-copy-routes, --no-copy-addrs, -4, -6, -m" {
	bed_host ip link add d0 type veth peer name d1
	bed_host ip link set d1 up
	bed_host ip link set d0 up
	bed_host ip addr add 192.0.2.77/25 dev d0
	bed_host ip addr add 192.0.2.200/25 dev d0
	bed_host ip route add 198.18.0.0/15 dev d0
	run own -i d0 -4 -m 1400 -- sh -c 'ip -o addr show dev d0 | grep -c "inet "; ip route | grep -c 198.18; ip -j link show dev d0 | jq ".[0].mtu"; ip -6 addr show scope global | wc -l'
	same "all of it: $output" "$(xargs <<< "$output")" "2 1 1400 0"
	run own -i d0 -4 --no-copy-routes --no-copy-addrs -- sh -c 'ip -o addr show dev d0 | grep -c "inet "; ip route | grep -c 198.18'
	same "the first address only: $output" "$(xargs <<< "$output")" "1 0"
	bed_host ip link del d0
	run own -6 -- sh -c 'ip -4 -o addr show scope global | wc -l; ip -6 -o addr show scope global | wc -l'
	same "IPv6 only" "$(xargs <<< "$output")" "0 1"
	run own -4 -6 -- sh -c 'ip -4 -o addr show scope global | wc -l; ip -6 -o addr show scope global | wc -l'
	same "the last one counts" "$(xargs <<< "$output")" "0 1"
	run own -d -q -e true
	same "the last one counts: output" "$output" ""
}

@test "--outbound, --outbound-if4: what leaves has that address, and goes that way" {
	bed_host ip addr add 203.0.113.33/24 dev h0
	whoami WHO bed_peer 7001
	run own -o 203.0.113.33 -- socat -t 5 -T 5 - "TCP:$PEER4:7001"
	[[ $output == "203.0.113.33 "* ]] || die "came from: $output"
	run own --outbound-if4 h0 -- socat -t 5 -T 5 - "TCP:$PEER4:7001"
	[[ $output == "$HOST4 "* ]] || die "came from: $output"
	run own --outbound-if4 nowhere0 -I x0 -- true
	same "status: $output" "$status" 1
	bed_kill "$WHO"
	bed_host ip addr del 203.0.113.33/24 dev h0
}

@test "ports: ranges with exclusions, addresses, interfaces, a target, auto, -T" {
	bed_container C
	pasta --config-net -u none -t "7100-7110:8100-8110,~7105" -t "127.0.0.1/7200:80" -t "%h0/7300" \
		-t "$HOST4%h0/7301" -T 8000 "$C"
	open() { bed_host ss -Hltn | awk '{ print $4 }' | sed 's/\[::ffff:\(.*\)\]/\1/'; }
	same "of the range" "$(open | grep -cE ':71(0[0-9]|10)$')" 10
	open | grep -q '127.0.0.1:7200$'
	open | grep -q '%h0:7300$'
	open | grep -q "$HOST4%h0:7301$"
	whoami S3 in_c 8107
	[[ $(line bed_peer "TCP:$HOST4:7107") == "$PEER4 "* ]] || die "port 7107 does not lead to 8107"
	[[ $(line in_c TCP:127.0.0.1:8000) == "127.0.0.1 "* ]] || die "-T does not lead to the host's loopback"
	bed_kill "$C"
	nothing_left
	bed_container C
	pasta --config-net -u none -t auto,~7402 "$C"
	whoami S4 in_c 7402
	whoami S5 in_c 7401
	bed_until 5 bed_listening bed_host tcp 7401
	run bed_listening bed_host tcp 7402
	[ "$status" -ne 0 ] || die "the exclusion is open"
	# -T auto, the default: what the host has on its loopback, and nothing of our own
	bed_server L7 bed_host tcp 7600 socat TCP-LISTEN:7600,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo of the host'
	bed_until 5 bed_listening in_c tcp 7600
	same "the host's" "$(line in_c TCP:127.0.0.1:7600)" "of the host"
	same "listeners on 7401 in the container" "$(in_c ss -Hltn 'sport = :7401' | wc -l)" 1
	bed_kill "$L7"
}

@test "ports: all, less what is ephemeral, in use or forbidden" {
	[ "$(bed_user sh -c 'ulimit -Hn')" -gt 9000 ] || skip "fewer than 9,000 descriptors allowed"
	bed_container C
	bed_host sysctl -qw net.ipv4.ip_local_port_range="3000 60999"
	run pasta --config-net -u none -t all "$C"
	bed_host sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
	same "status: $output" "$status" 0
	bed_listening bed_host tcp 2999
	bed_listening bed_host tcp 61000
	run bed_listening bed_host tcp 3000
	[ "$status" -ne 0 ]
}

@test "ports: what is wrong is said, and nothing is left" {
	local spec
	for spec in 0 65536 80-70 80:90-91 none,80 80,,81 127.0.0.1 fe80::1%/80 @; do
		run own -t "$spec" true
		same "status of -t $spec: $output" "$status" 1
	done
	run own -t 8000 -- true
	same "status of a port in use" "$status" 1
	[[ $output == *8000* ]] || die "does not name it: $output"
	nothing_left
}

@test "--map-host-loopback, --map-gw" {
	bed_server L9 bed_host tcp 8009 socat TCP-LISTEN:8009,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo loopback'
	same "the address" "$(own --map-host-loopback 169.254.9.9 -- socat -t 5 -T 5 - TCP:169.254.9.9:8009)" loopback
	same "the gateway" "$(own --map-gw -- socat -t 5 -T 5 - TCP:203.0.113.1:8009)" loopback
	run own --map-host-loopback none -- socat -t 5 -T 5 - TCP:203.0.113.1:8009
	[ "$status" -ne 0 ] || die "none, and the gateway leads to the loopback"
	bed_kill "$L9"
}

@test "--no-tcp, --no-udp, --no-icmp, --no-splice" {
	run own --no-tcp -- sh -c "timeout 1 socat -u TCP:$PEER4:80 - > /dev/null || echo none; ping -c 1 -W 5 $PEER4 > /dev/null && echo pong"
	same "without TCP" "$(tail -2 <<< "$output" | xargs)" "none pong"
	run own --no-icmp -- sh -c "ping -c 1 -W 1 $PEER4 > /dev/null || echo none; socat -u TCP:$PEER4:80 - | wc -c"
	same "without ICMP" "$(xargs <<< "$output")" "none 4194304"
	bed_server ECHO bed_peer udp 7007 socat UDP-LISTEN:7007,fork,reuseaddr EXEC:cat
	run own -- sh -c "echo x | socat -t 2 -T 2 - UDP:$PEER4:7007"
	same "with UDP" "$output" x
	run own --no-udp -- sh -c "echo x | socat -t 1 -T 1 - UDP:$PEER4:7007"
	same "without UDP" "$output" ""
	bed_kill "$ECHO"
	bed_container C
	pasta --config-net -u none -t 7500 --no-splice "$C"
	whoami S6 in_c 7500
	[[ $(line bed_host TCP:127.0.0.1:7500) == "203.0.113.1 "* ]] || die "did not come over the tap, from the gateway"
}

@test "without --config-net: DHCP and DHCPv6 do it; --dhcp-dns, -D, -S; --no-dhcp, --no-ra, --no-ndp" {
	local script=$BED_DIR/tmp/udhcpc
	printf '#!/bin/sh\n[ "$1" != bound ] || env > "$OUT"\n' > "$script"
	chmod 755 "$script"
	lease() { # lease OPTION...: what udhcpc was told
		rm -f "$BED_DIR/tmp/lease"
		pasta -t none -u none "$@" -- sh -c "ip link set h0 up; OUT=$BED_DIR/tmp/lease udhcpc -i h0 -n -q -t 2 -T 1 -s $script -O search -O mtu > /dev/null 2>&1"
	}
	lease --dhcp-dns --dhcp-search -D 192.0.2.53 -S "example.net example.org" -m 1400
	grep -qx "ip=$HOST4" "$BED_DIR/tmp/lease"
	grep -qx "dns=192.0.2.53" "$BED_DIR/tmp/lease"
	grep -qx "search=example.net example.org" "$BED_DIR/tmp/lease"
	grep -qx "mtu=1400" "$BED_DIR/tmp/lease"
	lease -D 192.0.2.53
	run grep dns= "$BED_DIR/tmp/lease"
	[ "$status" -ne 0 ] || die "name servers were told without --dhcp-dns"
	lease --no-dhcp || true
	[ ! -e "$BED_DIR/tmp/lease" ] || die "--no-dhcp gave a lease"
	local ready='ip link set h0 up; until ip -6 addr show dev h0 -tentative | grep -q fe80; do sleep 0.1; done'
	run pasta -t none -u none -- sh -c "$ready; timeout 10 rdisc6 -1 h0"
	[[ $output == *2001:db8:1::/64* ]] || die "no advertisement: $output"
	for option in --no-ra --no-ndp; do
		run pasta -t none -u none $option -- sh -c "$ready; timeout 5 rdisc6 -1 -w 700 -r 1 h0"
		[[ $output != *2001:db8:1::/64* ]] || die "$option: advertised"
	done
}

@test "-f stays, logs to stderr, and ends with a signal; -l, --log-size, -d" {
	bed_container C
	BED_OUT=$BED_DIR/tmp/err bed_bg P bed_user "$PASTA" -f -d -t none -u none --config-net "$C"
	bed_until 10 grep -q attached "$BED_DIR/tmp/err" || die "log: $(cat "$BED_DIR/tmp/err")"
	kill -0 "$P"
	kill "$P"
	bed_until 5 bed_gone "$P"
	nothing_left "$C" h0
	pasta -l "$BED_DIR/tmp/log" --log-size 4096 -t none -u none --config-net "$C"
	bed_until 5 grep -q attached "$BED_DIR/tmp/log"
	for _ in {1..40}; do kill -USR1 "$(bed_main "$C")"; sleep 0.02; done
	[ "$(stat -c %s "$BED_DIR/tmp/log")" -lt 8192 ] || die "the log has no limit"
}

@test "--pcap: from the first frame, both ways, readable, an engine's death included" {
	bed_container C
	pasta -t none -u none --config-net -p "$BED_DIR/tmp/cap" "$C"
	fetches in_c
	kill -9 "$(bed_engine "$C")"
	bed_until 5 fetches in_c
	in_c ping -c 1 -W 5 "$PEER4" > /dev/null
	bed_kill "$C"
	bed_until 3 bed_no_core
	# the whole file once, in frames larger than any MTU, and no frame that does not decode;
	# the file's bytes are by chance, some of which tshark would take for broken HTTP
	[ "$(tshark -r "$BED_DIR/tmp/cap" -Y "ip.src == $PEER4 && tcp.len > 9000" 2> /dev/null | wc -l)" -gt 1 ]
	same "requests" "$(tshark -r "$BED_DIR/tmp/cap" -Y 'icmp.type == 8' 2> /dev/null | wc -l)" 1
	same "replies" "$(tshark -r "$BED_DIR/tmp/cap" -Y 'icmp.type == 0' 2> /dev/null | wc -l)" 1
	same "connections" "$(tshark -r "$BED_DIR/tmp/cap" -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 0' 2> /dev/null | wc -l)" 2
	same "malformed" "$(tshark -r "$BED_DIR/tmp/cap" -d tcp.port==80,data -Y _ws.malformed 2> /dev/null | wc -l)" 0
	run own -p /does/not/exist true
	same "status" "$status" 1
	[[ $output == *capture*/does/not/exist* ]] || die "says: $output"
}

@test "-U: UDP ports of the host's loopback, given and by themselves" {
	bed_server U1 bed_host udp 7053 socat UDP4-LISTEN:7053,bind=127.0.0.1,fork,reuseaddr EXEC:cat
	says() { echo "$1" | in_c timeout 5 socat -t 2 -T 2 - "UDP4:127.0.0.1:$2"; }
	bed_container C
	pasta --config-net -t none -u none -T none -U 7153:7053 -U 127.0.0.1/7154:7053 -U %lo/7155:7053 "$C"
	for port in 7153 7154 7155; do
		same "answer of $port" "$(says hello $port)" hello
	done
	bed_kill "$C"
	nothing_left
	bed_container C
	pasta --config-net -t none -u none -T none "$C"		# -U auto is the default
	bed_until 5 bed_listening in_c udp 7053
	same "answer" "$(says again 7053)" again
	bed_kill "$U1"
}

@test "UDP by itself: where TCP is listened on, too, both ways; not if -u and -U are given" {
	bed_server L11 bed_host tcp 7060 socat TCP-LISTEN:7060,bind=127.0.0.1,fork /dev/null
	bed_container C
	pasta --config-net "$C"
	bed_server S16 in_c tcp 7061 socat TCP-LISTEN:7061,fork /dev/null
	bed_until 5 bed_listening bed_host udp 7061
	bed_until 5 bed_listening in_c udp 7060
	# the program itself may come later
	bed_server S17 in_c udp 7061 python3 "$BED_DIR/server.py" udp-echo 7061
	same "a datagram in" "$(echo x | bed_peer timeout 5 socat -t 2 -T 2 - "UDP:$HOST4:7061")" x
	bed_server S19 in_c tcp 7062 iperf3 -s -p 7062
	bed_until 5 bed_listening bed_host udp 7062
	same "iperf3 -u: lost" "$(bed_peer timeout 15 iperf3 -u -c "$HOST4" -p 7062 -t 1 -b 5M -J | jq '.end.sum.lost_percent | round')" 0
	bed_kill "$C"
	nothing_left
	bed_container C
	pasta --config-net -t auto -u auto -T auto -U auto "$C"
	bed_server S18 in_c tcp 7061 socat TCP-LISTEN:7061,fork /dev/null
	bed_until 5 bed_listening bed_host tcp 7061
	bed_until 5 bed_listening in_c tcp 7060
	sleep 1.3
	run bed_listening bed_host udp 7061
	[ "$status" -ne 0 ] || die "UDP of TCP's number, in"
	run bed_listening in_c udp 7060
	[ "$status" -ne 0 ] || die "UDP of TCP's number, out"
	bed_kill "$L11"
}

@test "-T all and -U all: what the host could serve, the container's own listeners left out" {
	[ "$(bed_user sh -c 'ulimit -Hn')" -gt 9000 ] || skip "fewer than 9,000 descriptors allowed"
	bed_server U2 bed_host tcp 2100 socat TCP4-LISTEN:2100,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo the host'
	bed_container C
	whoami S8 in_c 2101
	bed_host sysctl -qw net.ipv4.ip_local_port_range="3000 60999"
	run pasta --config-net -t none -u none -4 -T all,~1-1999,~61000-65535 -U all,~1-1999,~61000-65535 "$C"
	bed_host sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
	same "status: $output" "$status" 0
	same "through" "$(line in_c TCP:127.0.0.1:2100)" "the host"
	[[ $(line in_c TCP:127.0.0.1:2101) == "127.0.0.1 "* ]] || die "the container's own server is gone"
	bed_kill "$U2"
}

@test "ports: a target's address" {
	bed_container C
	in_c ip link set lo up
	in_c ip addr add 192.0.2.5/32 dev lo
	pasta --config-net -u none -t 0.0.0.0/7801:192.0.2.5/7802 -t 7803:192.0.2.5 -t 127.0.0.6/all:192.0.2.5,~1-7803,~7805-65535 "$C"
	bed_server S9 in_c tcp 7802 socat TCP-LISTEN:7802,bind=192.0.2.5,fork,reuseaddr SYSTEM:'echo $SOCAT_SOCKADDR'
	bed_server S10 in_c tcp 7803 socat TCP-LISTEN:7803,bind=192.0.2.5,fork,reuseaddr SYSTEM:'echo $SOCAT_SOCKADDR'
	bed_server S11 in_c tcp 7804 socat TCP-LISTEN:7804,bind=192.0.2.5,fork,reuseaddr SYSTEM:'echo $SOCAT_SOCKADDR'
	same "address and port" "$(line bed_peer "TCP:$HOST4:7801")" 192.0.2.5
	same "address, the same port" "$(line bed_peer "TCP:$HOST4:7803")" 192.0.2.5
	same "all of one address" "$(line bed_host TCP:127.0.0.6:7804)" 192.0.2.5
	run own -T 7100:192.0.2.5/80 true
	same "status of a way out of the host's loopback: $output" "$status" 1
}

@test "--freebind: an address that the host has not yet" {
	bed_container C
	run pasta --config-net -u none -t 203.0.113.99/7850 -t 2001:db8:1::99/7850 "$C"
	same "status without it: $output" "$status" 1
	nothing_left
	pasta --config-net -u none --freebind -t 203.0.113.99/7850 -t 2001:db8:1::99/7850 "$C"
	whoami S12 in_c 7850
	bed_host ip addr add 203.0.113.99/24 dev h0
	bed_host ip addr add 2001:db8:1::99/64 dev h0 nodad
	[[ $(line bed_peer TCP:203.0.113.99:7850) == "$PEER4 "* ]] || die "does not work once it is there"
	line bed_peer "TCP:[2001:db8:1::99]:7850" > /dev/null
	bed_host ip addr del 203.0.113.99/24 dev h0
	bed_host ip addr del 2001:db8:1::99/64 dev h0
}

@test "names: --dns-host, and a gateway that is a resolver of the host" {
	resolver() { # resolver FUNCTION ADDRESS NAME
		bed_bg "DNS_$3" "$1" dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null --listen-address="$2" \
			--bind-interfaces --user=root --pid-file= --cache-size=0 --local=/example/ --txt-record=who.example,"$3"
		bed_until 5 asks "$1" dig "@$2"
	}
	asks() { [[ $("$@" +short +time=2 +tries=1 who.example TXT) == \"* ]]; }
	resolver bed_peer "$PEER4" far
	resolver bed_peer 203.0.113.1 gateway
	local say='dig +short +time=2 +tries=1 who.example TXT'
	same "--dns-host" "$(own --dns-forward 169.254.1.1 --dns-host "$PEER4" -- sh -c "$say @169.254.1.1; $say +tcp @169.254.1.1" | xargs)" "far far"
	# the gateway's address leads to the host's loopback, where nobody answers
	run own -- sh -c "$say @203.0.113.1"
	[[ $output != *gateway* ]] || die "not the host's loopback: $output"
	echo nameserver 203.0.113.1 > "$BED_DIR/tmp/resolv.conf"
	run unshare -m --propagation private bash -c 'mount --bind "$1" /etc/resolv.conf && source "$2/bed.bash" && shift 2 && "$@"' \
		bash "$BED_DIR/tmp/resolv.conf" "$BATS_TEST_DIRNAME" bed_user timeout 30 "$PASTA" -t none -u none --config-net -- sh -c "$say @203.0.113.1; $say +tcp @203.0.113.1"
	same "the gateway" "$(xargs <<< "$output")" "gateway gateway"
	bed_kill "$DNS_far"
	bed_kill "$DNS_gateway"
}

@test "-H, --fqdn: names by DHCP" {
	local script=$BED_DIR/tmp/udhcpc2
	printf '#!/bin/sh\n[ "$1" != bound ] || env > "$OUT"\n' > "$script"
	chmod 755 "$script"
	pasta -t none -u none -H web --fqdn web.example. -- sh -c \
		"ip link set h0 up; OUT=$BED_DIR/tmp/lease2 udhcpc -i h0 -n -q -t 2 -T 1 -s $script -O hostname -O 81 > /dev/null 2>&1"
	grep -qx hostname=web "$BED_DIR/tmp/lease2" || die "$(cat "$BED_DIR/tmp/lease2")"
	# flags E and N, two bytes of 255, then the name as DNS writes it
	grep -qix opt81=0cffff03776562076578616d706c6500 "$BED_DIR/tmp/lease2" || die "$(cat "$BED_DIR/tmp/lease2")"
	run own -H 'a b' true
	same "status of what is no name" "$status" 1
}

@test "--no-pidns: in the caller's PID namespace, and with its end all the same" {
	same "namespace" "$(own --no-pidns readlink /proc/self/ns/pid)" "$(readlink /proc/self/ns/pid)"
	[ "$(own readlink /proc/self/ns/pid)" != "$(readlink /proc/self/ns/pid)" ]
	run own --no-pidns sh -c 'kill -TERM $$'
	same "status" "$status" 143
	bed_bg P bed_user "$PASTA" -t none -u none --config-net --no-pidns -- sleep 4712
	bed_until 10 pgrep -f '^sleep 4712$'
	kill -9 "$P"
	bed_until 5 bash -c '! pgrep -f "^sleep 4712$"'
	bed_container C
	run pasta --no-pidns "$C"
	same "status with PID" "$status" 1
}

@test "--runas, and whom root leaves the work to without it" {
	bed_real_root || skip "not the machine's root"
	root_pasta() { BED_UID=0 BED_GID=0 bed_user timeout 30 "$PASTA" -t none -u none --config-net "$@"; }
	same "user" "$(root_pasta --runas "$BED_UID:$BED_GID" -- sh -c 'cat /proc/self/uid_map' | xargs)" "0 $BED_UID 1"
	same "works" "$(root_pasta --runas "$BED_UID:$BED_GID" -- sh -c "socat -u TCP:$PEER4:80 - | wc -c")" 4194304
	same "by name" "$(root_pasta --runas nobody -- sh -c 'cat /proc/self/uid_map' | xargs)" "0 $(id -u nobody) 1"
	run root_pasta --runas nobody-of-that-name true
	same "status of nobody's name" "$status" 1
	run own --runas 0:0 true
	same "status without the right: $output" "$status" 1
	[[ $output == *"--runas: cannot become user 0"* ]] || die "says: $output"
	run own --runas "$BED_UID:$BED_GID" true
	same "status of who one is: $output" "$status" 0
	! grep -q __asan_init "$CORE" || return 0	# sanitizers keep their user
	bed_container C
	root_pasta "$C"
	same "the engine's user" "$(awk '/^Uid:/ { print $2 }' "/proc/$(bed_engine "$C")/status")" "$(id -u cni-passt 2> /dev/null || id -u nobody)"
	bed_kill "$C"
	bed_until 3 bed_no_core
	bed_container C
	root_pasta --runas 0 "$C"
	same "the engine's user" "$(awk '/^Uid:/ { print $2 }' "/proc/$(bed_engine "$C")/status")" 0
}

@test "--stats: counters by themselves, when there is news" {
	local log=$BED_DIR/tmp/stats
	bed_container C
	BED_OUT=$log bed_bg P bed_user "$PASTA" -f --stats 1 -t none -u none --config-net "$C"
	bed_until 10 grep -q 'attached' "$log" || die "$(cat "$log")"
	in_c ping -c 2 -i 0.2 "$PEER4" > /dev/null
	bed_until 3 grep -q 'counters.*icmp' "$log" || die "$(cat "$log")"
	sleep 3		# neighbours, router advertisements
	: > "$log"
	sleep 2.2
	run grep -c counters "$log"
	[ "$output" -le 1 ] || die "no news, and told: $(cat "$log")"
	kill "$P"
	bed_until 5 bed_gone "$P"
	run own --stats 0 true
	same "status of no delay" "$status" 1
}

@test "the last one of a family counts: --map-guest-addr, --map-host-loopback, -g, -o, --dns-forward" {
	bed_container C
	run pasta --config-net -t none -u none --map-guest-addr 169.254.7.7 --map-guest-addr fd00::7:7 --map-guest-addr 169.254.8.8 \
		-a 10.1.1.1/24 -a 203.0.113.77/24 -g 203.0.113.7 -g 203.0.113.8 -o 203.0.113.200 -o "$HOST4" --dns-forward 192.0.2.1 --dns-forward 192.0.2.2 "$C"
	same "status: $output" "$status" 0
	[[ $(line in_c TCP:169.254.8.8:8000) == "$HOST4 "* ]] || die "the last is not the host"
	run in_c timeout 2 socat -u TCP:169.254.7.7:8000 -
	[ "$status" -ne 0 ] || die "the first is the host as well"
	same "gateway" "$(in_c ip -4 -j route show default | jq -r '.[].gateway')" 203.0.113.8
	same "address" "$(addresses h0)" "2001:db8:1::2/64 203.0.113.77/24"
}

@test "a host without a default route, and one without an address of a family" {
	bed_host ip route del default via 203.0.113.1
	bed_host ip -6 route del default via 2001:db8:1::1
	run own -- sh -c 'ip -o -4 addr show dev h0; ip -o link show lo; socat -u TCP:203.0.113.1:80 - | wc -c'
	bed_host ip route add default via 203.0.113.1
	bed_host ip -6 route add default via 2001:db8:1::1
	[[ $output == *"inet $HOST4/24"*"LOOPBACK,UP"*4194304 ]] || die "says: $output"
}

@test "what excludes each other, and what is not there" {
	refused_with() { # refused_with WORDS OPTION...
		local words=$1
		shift
		run own "$@" true
		same "status of $*: $output" "$status" 1
		[[ $output == *"$words"* ]] || die "of $*: $output"
	}
	refused_with "has a length already" -a 10.0.0.7/24 -n 16
	refused_with "exclude each other" --host-lo-to-ns-lo --no-splice
	refused_with "--userns goes with" --userns /proc/self/ns/user
	refused_with "unrecognized option '--conf-path'" --conf-path /x
	refused_with "invalid option -- 'c'" -c /x
	refused_with "unrecognized option '--vhost-user'" --vhost-user
	run own --no-dhcp-dns --no-dhcp-search true
	same "status" "$status" 0
}

@test "--splice-only: loopback to loopback, no interface; either process may die" {
	bed_server L10 bed_host tcp 8012 socat TCP-LISTEN:8012,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo of the host'
	bed_container C
	pasta --splice-only -t 8080:80 -u 8080:80 -t auto -T 8012 "$C"
	bed_server S13 in_c tcp 80 socat TCP6-LISTEN:80,ipv6only=0,fork,reuseaddr SYSTEM:'echo to the loopback'
	bed_server S14 in_c udp 80 python3 "$BED_DIR/server.py" udp-echo 80
	bed_server S15 in_c tcp 8086 socat TCP-LISTEN:8086,bind=127.0.0.1,fork,reuseaddr SYSTEM:'echo found by itself'
	same "interfaces" "$(in_c ip -j link | jq -r '.[].ifname' | xargs)" lo
	passes() {
		same "in" "$(line bed_host TCP:127.0.0.1:8080)" "to the loopback" &&
			same "in, IPv6" "$(line bed_host 'TCP:[::1]:8080')" "to the loopback" &&
			same "UDP" "$(echo x | bed_host timeout 5 socat -t 2 -T 2 - UDP:127.0.0.1:8080)" x &&
			same "out" "$(line in_c TCP:127.0.0.1:8012)" "of the host"
	}
	passes
	bed_until 5 bed_listening bed_host tcp 8086
	same "auto" "$(line bed_host TCP:127.0.0.1:8086)" "found by itself"
	run line bed_peer "TCP:$HOST4:8080"
	[ "$status" -ne 0 ] || die "answers the peer"
	kill -9 "$(bed_engine "$C")"
	bed_until 5 passes
	kill -9 "$(bed_nsagent "$C")"
	bed_until 5 passes
	bed_kill "$C"
	nothing_left
	run own --splice-only --no-splice true
	same "status" "$status" 1
	same "a command's loopback" "$(own --splice-only -T 8012 socat -t 5 -T 5 - TCP:127.0.0.1:8012)" "of the host"
	bed_kill "$L10"
}

@test "an interface that is there: a tap of nobody's is taken (RootlessKit 2.0), nothing else" {
	bed_container C
	in_c ip tuntap add name tap0 mode tap
	in_c ip link set tap0 up
	in_c ip link add veth0 type veth peer name veth1
	in_c ip tuntap add name tun0 mode tun
	for name in veth0 tun0; do
		run pasta --config-net -t none -u none -I "$name" "$C"
		same "status of $name: $output" "$status" 1
		[[ $output == *"$name already exists"* ]] || die "says: $output"
	done
	nothing_left
	pasta --config-net -t none -u none -I tap0 "$C"
	fetches in_c
	# a second one: not the same interface, but another
	run pasta --config-net -t none -u none -T none -U none -I tap0 "$C"
	same "status of the second: $output" "$status" 1
	[[ $output == *"tap0 already exists"* ]] || die "says: $output"
	pasta --config-net -t none -u none -T none -U none -I tap1 -a 10.9.9.9 -n 24 -g 10.9.9.1 --no-copy-routes "$C"
	fetches in_c
	in_c ip -o addr show tap1 | grep -q 10.9.9.9/24
}

@test "a tap that was there before goes with the container, also where its namespace stays" {
	local other
	bed_container C
	in_c ip tuntap add name tap0 mode tap
	bed_bg other in_c sleep 600
	bed_until 5 has_namespace_of "$C" "$other"
	pasta --config-net -t none -u none -I tap0 "$C"
	fetches in_c
	bed_kill "$C"
	bed_until 5 bed_no_core
	bed_until 5 lacks_tap0 "$other" || die "tap0 stays"
	bed_kill "$other"
}
has_namespace_of() { [ "$(readlink "/proc/$2/ns/net")" = "$(readlink "/proc/$1/ns/net")" ]; }
lacks_tap0() { ! bed_in "$1" ip link show dev tap0 > /dev/null 2>&1; }

@test "-a with the network's own address, as in podman's manual" {
	run own -a 10.0.2.0 -n 24 -g 10.0.2.2 -- sh -c "ip -o -4 addr show dev h0; socat -u TCP:$PEER4:80 - | wc -c"
	[[ $output == *"inet 10.0.2.0/24"*4194304 ]] || die "says: $output"
	run own -a 10.0.2.255 -n 24 true
	same "status of the broadcast address" "$status" 1
}

@test "attack: the path goes at once, or while pasta starts" {
	local delay
	bed_container C
	for delay in 0 0.002 0.005 0.01 0.02 0.04; do
		touch "$BED_DIR/tmp/ns3"
		mount --bind "/proc/$C/ns/net" "$BED_DIR/tmp/ns3"
		bed_bg P bed_user "$PASTA" --config-net -t none -u none --netns "$BED_DIR/tmp/ns3"
		sleep "$delay"
		umount -l "$BED_DIR/tmp/ns3"
		rm "$BED_DIR/tmp/ns3"
		bed_until 5 bed_gone "$P"
		bed_until 2 bed_no_core || die "a daemon is left after $delay s"
		bed_until 1 bed_no_state || die "state is left after $delay s: $(bed_state)"
	done
}

@test "attack: signals to pasta while it starts leave nothing" {
	local delay signal
	bed_container C
	for signal in TERM INT KILL; do
		for delay in 0 0.006 0.02; do
			bed_bg P bed_user "$PASTA" --config-net -t none -u none "$C"
			sleep "$delay"
			kill -s "$signal" "$P" 2> /dev/null || true
			bed_until 5 bed_gone "$P"
			# it may have been through already: then its daemon is a whole one
			if ! bed_until 0 bed_no_core; then
				fetches in_c || die "half of a daemon after SIG$signal at $delay s"
				kill "$(bed_main "$C")"
				bed_until 3 bed_no_core
			fi
			bed_until 2 bed_no_link "$C" h0 || die "the interface is left after SIG$signal at $delay s"
			# whom a SIGKILL met before the commit leaves a folder that the next command removes
			[ "$signal" != KILL ] || bed_user "$CNI_PASST" list > /dev/null
			bed_no_state || die "state is left after SIG$signal at $delay s: $(bed_state)"
		done
	done
}

@test "attack: no terminal, no descriptors, no /dev/net/tun, no right to the log or the pid file" {
	local hidden='mount -t tmpfs none /dev/net && source "$1/bed.bash" && shift && "$@"'
	bed_container C
	setsid "$BASH" -c 'source "$1/bed.bash"; BED_EXEC=1; bed_user "$2" --config-net -t none -u none "$3" <&- >&- 2>&-' \
		bash "$BATS_TEST_DIRNAME" "$PASTA" "$C"
	fetches in_c
	bed_kill "$C"
	nothing_left
	bed_container C
	run unshare -m --propagation private bash -c "$hidden" bash "$BATS_TEST_DIRNAME" bed_user "$PASTA" --config-net "$C"
	same "status: $output" "$status" 1
	[[ $output == *"no /dev/net/tun here"* ]] || die "says: $output"
	for option in "-P /does/not/exist" "-l /does/not/exist"; do
		# shellcheck disable=SC2086
		run pasta --config-net $option "$C"
		same "status of $option: $output" "$status" 1
		[[ $output == *"/does/not/exist"* ]] || die "says: $output"
	done
	nothing_left "$C" h0
	run -127 own /does/not/exist
	[[ $output == *"cannot run /does/not/exist"* ]] || die "says: $output"
	run -126 own /etc/passwd
	run pasta 4194303
	same "status of a process that is not there: $output" "$status" 1
}

@test "a host with IPv6 alone, and one with nothing" {
	bed_host ip addr del "$HOST4/24" dev h0
	run own -- sh -c "ip -o addr show dev h0 scope global; socat -u TCP6:[$PEER6]:81 - | wc -c"
	local six=$output
	bed_host ip link set h0 down
	run own -- sh -c 'ip -o addr show dev tap0 scope global; ip route'
	bed_host ip link set h0 up
	bed_host ip addr add "$HOST4/24" dev h0
	bed_host ip addr add "$HOST6/64" dev h0 nodad
	bed_host ip route add default via 203.0.113.1
	bed_host ip -6 route add default via 2001:db8:1::1
	[[ $six == *"inet6 $HOST6/64"*4194304 ]] || die "IPv6 alone: $six"
	[[ $six != *"inet "* ]] || die "IPv6 alone, and IPv4 there: $six"
	[[ $output == *"inet "*"default via"* ]] || die "nothing: $output"
}

@test "every option stands in the manual's table" {
	local option table
	table=$(sed -n '/State of the options/,/^\.El/p' "$BATS_TEST_DIRNAME/../../man/cni-passt-pasta.1" | tr -d "\\\\")
	for option in $(pasta --help | grep -oE '^ .*--[a-z0-9-]+' | grep -oE '\-\-[a-z0-9-]+'); do
		grep -qE -- "$option( |\$)" <<< "$table" || die "$option does not"
	done
}

@test "what has no counterpart is taken and said; -q says nothing" {
	run own --stderr --chroot-fallback true
	same "status" "$status" 0
	[[ $output == *--stderr*--chroot-fallback* ]] || die "says: $output"
	run own -q --stderr --chroot-fallback true
	same "output" "$output" ""
}

@test "without XDG_RUNTIME_DIR" {
	run env -u XDG_RUNTIME_DIR true
	same "status" "$(BED_ENV=(XDG_RUNTIME_DIR=) own true; echo $?)" 0
	same "and the attachment is a plain one" "$(BED_ENV=(XDG_RUNTIME_DIR="$XDG") own sh -c "ls $XDG/cni-passt" | grep -c '^pasta-[0-9]*@h0$')" 1
}
