#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The host moves while programs in the container are at work: DHCP clients, downloads
# over a name, and a daemon that slept through it.

# shellcheck disable=SC2154
load bed
load expect
load box

NEW4=203.0.113.77
TWO4=198.51.100.12

setup_file() {
	bed_make
	printf hello > "$BED_DIR/www/hello"
	head -c 6000000 /dev/urandom > "$BED_DIR/www/large"
	ip -n "$PEER" addr add "$TWO4/32" dev lo
	# a second way to the peer
	ip -n "$PEER" link add y0 type veth peer name x0 netns "$HOST"
	ip -n "$PEER" link set y0 up
	ip -n "$PEER" addr add 192.0.2.1/24 dev y0 noprefixroute
	ip -n "$PEER" route add 192.0.2.0/24 dev y0 src "$PEER4"
	start_nginx
	resolver ONE bed_peer "$PEER4"
	resolver TWO bed_peer "$TWO4"
	resolver HERE bed_host 127.0.0.53
	make_box
	make_names
}

# resolver VARIABLE FUNCTION ADDRESS: dnsmasq there
resolver() {
	bed_bg "$1" "$2" dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null --listen-address="$3" \
		--bind-interfaces --user=root --pid-file= --cache-size=0 --address=/web.example/"$PEER4"
	bed_until 5 answers "$2" "$3" || die "no resolver at $3"
}
answers() { "$1" dig +short +time=1 +tries=1 "@$2" web.example > /dev/null; }

start_nginx() {
	cat > "$BED_DIR/nginx.conf" <<- END
		user root;
		daemon off;
		worker_processes 1;
		pid $BED_DIR/nginx.pid;
		error_log $BED_DIR/nginx.log;
		events { worker_connections 512; }
		http {
			access_log off;
			client_body_temp_path $BED_DIR/www.body;
			proxy_temp_path $BED_DIR/www.proxy;
			fastcgi_temp_path $BED_DIR/www.fastcgi;
			uwsgi_temp_path $BED_DIR/www.uwsgi;
			scgi_temp_path $BED_DIR/www.scgi;
			server {
				listen $PEER4:80;
				root $BED_DIR/www;
				location /large { limit_rate 300k; }
			}
		}
	END
	bed_server NGINX bed_peer tcp 80 nginx -c "$BED_DIR/nginx.conf" -e "$BED_DIR/nginx.log"
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	LOG=$XDG/c$C.log
	CLIENT=
}

teardown() {
	end_clients
	bed_kill "$CLIENT"
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$C"
	restore_host
	bed_until 3 bed_no_core
}

restore_host() {
	ip -n "$HOST" addr flush dev x0
	ip -n "$HOST" link set x0 down
	ip -n "$HOST" addr flush dev h0
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" route replace default via 203.0.113.1
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
}

add() { # add [JSON]: ADD with a log of its own
	local result
	[ -e "$NAMES/host/resolv.conf" ] || host_asks "$PEER4"
	result=$(boxed cni ADD "c$C" "$NS" eth0 < <(log_to "c$C" | jq --argjson m "${1-"{}"}" \
		'{cniVersion: "1.0.0", name: "test", type: "cni-passt"} + . + $m')) || die "ADD: $result"
	jq -r '.dns.nameservers[]? | "nameserver " + .' <<< "$result" > "$NAMES/in/resolv.conf"
}

in_c() { bed_in "$C" "$@"; }
has() { in_c ip -o addr show dev eth0 | grep -v tentative | grep -qE " inet6? $1/"; }
lacks() { ! has "$1"; }
fetches() { [ "$(in_c curl -sS -m 5 "http://$PEER4/hello")" = hello ]; }
await() { bed_until "$1" "${@:2}" || die "not within $1 s: ${*:2}; $(cat "$LOG"; in_c ip addr; in_c ip route)"; }

# The host has another address, and the old one no more.
renumber() {
	ip -n "$HOST" addr add "$NEW4/24" dev h0
	nsenter --net="/run/netns/$HOST" sysctl -qw net.ipv4.conf.h0.promote_secondaries=1
	ip -n "$HOST" addr del "$HOST4/24" dev h0
}

@test "dhcpcd asks anew when the host's address is another" {
	add '{"configure": false, "dns": {"nameservers": ["198.51.100.10"]}}'
	BED_OUT=$BED_DIR/client bed_bg CLIENT box dhcpcd -d -B eth0
	await 20 has "$HOST4"
	fetches
	renumber
	await 15 has "$NEW4"
	await 5 lacks "$HOST4"
	fetches
}

@test "systemd-networkd asks anew when the host's address is another" {
	add '{"configure": false, "dns": {"nameservers": ["198.51.100.10"]}}'
	networkd "$BED_DIR/networkd"
	await 20 has "$HOST4"
	fetches
	renumber
	await 15 has "$NEW4"
	await 5 lacks "$HOST4"
	fetches
}

@test "an address of old serves until the client renews, and is refused then" {
	add '{"configure": false, "ipv6": false}'
	BED_OUT=$BED_DIR/client bed_bg CLIENT box udhcpc -f -i eth0 -s /etc/udhcpc/default.script
	await 20 has "$HOST4"
	renumber
	await 5 grep -q 'host changed=' "$LOG"
	sleep 2
	fetches
	has "$HOST4" || die "the address is gone before its time"
	kill -USR1 "$(pgrep -P "$CLIENT" udhcpc || echo "$CLIENT")"	# renew
	await 15 has "$NEW4"
	fetches
}

# What the container's programs do all the time: fetch a page by name, a new connection each;
# and one large file, in as many as it takes. SMALL and LARGE have what became of them.
begin_fetching() {
	SMALL=$BED_DIR/tmp/small.$BATS_TEST_NUMBER
	LARGE=$BED_DIR/tmp/large.$BATS_TEST_NUMBER
	# shellcheck disable=SC2016
	BED_OUT=$SMALL bed_bg FETCH in_box bash -c 'n=0; while :; do n=$((n + 1))
		curl -s -m 3 -o /dev/null http://web.example/hello && echo "$n ok" || echo "$n failed"; sleep 0.05; done'
	# shellcheck disable=SC2016
	BED_OUT=$LARGE.said bed_bg GET in_box bash -c 'until curl -sS -C - --speed-time 2 --speed-limit 1 -m 60 \
		-o "$0" http://web.example/large; do echo again; sleep 0.1; done; echo "done"' "$LARGE"
	bed_until 5 fetched 3
}

small() { wc -l < "$SMALL"; }
fetched() { [ "$(grep -c ok "$SMALL")" -ge "$1" ]; }

# From now on, and a moment of settling, every page comes; but for one that was under way at the
# change, if its address was the container's no more when the answer came.
comes_on() { # comes_on WHAT
	local from
	sleep 1.5
	from=$(small)
	bed_until 10 fetched_since "$from" 10 || die "$1: nothing comes: $(tail -n 5 "$SMALL"; cat "$LOG")"
	! tail -n +$((from + 2)) "$SMALL" | grep failed || die "$1: $(tail -n 20 "$SMALL")"
	[ -s "$LARGE" ] || die "$1: nothing of the large file: $(cat "$LARGE.said")"
}
fetched_since() { [ "$(tail -n +$(($1 + 1)) "$SMALL" | grep -c ok)" -ge "$2" ]; }

end_fetching() {
	bed_until 60 grep -q "done" "$LARGE.said" || die "the large file does not end: $(cat "$LARGE.said")"
	same "the large file" "$(sum < "$LARGE")" "$(sum < "$BED_DIR/www/large")"
	bed_kill "$FETCH"
	echo "# pages: $(grep -c ok "$SMALL") came, $(grep -c failed "$SMALL") did not;" \
		"the large file went on anew $(grep -c again "$LARGE.said") times" >&3
}

@test "downloads over a name: other resolvers, another way out, another address" {
	add
	begin_fetching
	host_asks 127.0.0.53
	comes_on "a resolver on the loopback"
	host_asks "$TWO4"
	comes_on "another resolver"
	renumber
	comes_on "another address"
	await 5 has "$NEW4"
	ip -n "$HOST" link set x0 up
	ip -n "$HOST" addr add 192.0.2.5/24 dev x0
	ip -n "$HOST" route replace default via 192.0.2.1 dev x0
	comes_on "a second interface"
	await 5 has 192.0.2.5
	ip -n "$HOST" route replace default via 203.0.113.1 dev h0
	comes_on "the first interface"
	await 5 has "$NEW4"
	end_fetching
	# the one that went from the old address ended with it
	grep -q again "$LARGE.said" || die "the large file came in one: the address was not its own?"
	same "lines in the log" "$(grep -c 'host changed=' "$LOG")" 3
}

@test "downloads over a name: the interface is unplugged, and back" {
	add
	begin_fetching
	ip -n "$HOST" link del h0
	sleep 2
	has "$HOST4" || die "a host without network took the address"
	ip -n "$PEER" link add p0 type veth peer name h0 netns "$HOST"
	ip -n "$PEER" link set p0 up
	ip -n "$HOST" link set h0 up
	ip -n "$PEER" addr add 203.0.113.1/24 dev p0 noprefixroute
	ip -n "$PEER" addr add 2001:db8:1::1/64 dev p0 noprefixroute nodad
	ip -n "$PEER" route add 203.0.113.0/24 dev p0 src "$PEER4"
	ip -n "$PEER" -6 route add 2001:db8:1::/64 dev p0 src "$PEER6"
	restore_host
	comes_on "back"
	end_fetching
	same "engines that died" "$(grep -c 'restarts=' "$LOG")" 0
}

@test "a daemon that slept while the host moved" {
	local pids p late=$BED_DIR/tmp/late
	add '{"udp": {"timeout": 1, "timeoutStream": 2}}'
	cat > "$BED_DIR/tmp/late.py" <<- 'END'
		import socket, sys, time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		if sys.argv[1] == "serve":
		    s.bind((sys.argv[2], 99))
		    data, who = s.recvfrom(100)
		    s.sendto(b"at once", who)
		    time.sleep(2)
		    s.sendto(b"later", who)
		else:
		    s.settimeout(15)
		    s.sendto(b"?", (sys.argv[2], 99))
		    for i in range(2):
		        print(s.recv(100).decode(), flush=True)
	END
	chmod a+r "$BED_DIR/tmp/late.py"
	bed_server SERVE bed_peer udp 99 python3 "$BED_DIR/tmp/late.py" serve "$PEER4"
	BED_OUT=$late bed_bg ASK in_c python3 "$BED_DIR/tmp/late.py" ask "$PEER4"
	bed_until 5 grep -q 'at once' "$late" || die "$(cat "$late")"
	pids=$(bed_core_pids)
	# shellcheck disable=SC2086
	kill -STOP $pids
	# more than the kernel keeps for who does not listen
	for p in {1..250}; do
		echo "addr add 192.0.2.$p/32 dev h0"
		echo "addr del 192.0.2.$p/32 dev h0"
	done > "$BED_DIR/tmp/flood"
	ip -n "$HOST" -batch "$BED_DIR/tmp/flood"
	sleep 3
	ip -n "$HOST" -batch "$BED_DIR/tmp/flood"
	renumber
	host_asks "$TWO4"
	sleep 1
	# shellcheck disable=SC2086
	kill -CONT $pids
	await 5 has "$NEW4"
	await 5 lacks "$HOST4"
	await 5 grep -q "resolvers=$TWO4 " "$LOG"
	same "by name" "$(in_box curl -sS -m 5 http://web.example/hello)" hello
	# what came meanwhile was taken before the flow's time was over
	bed_until 5 grep -q later "$late" || die "lost: $(cat "$late")"
	[ "$(bed_counter "$C" "$LOG" late_turns)" -ge 1 ] || die "no late turn"
	same "processes" "$(bed_core_pids | sort)" "$(sort <<< "$pids")"
	! grep -q 'host resumed' "$LOG" || die "that was no suspend"
}
