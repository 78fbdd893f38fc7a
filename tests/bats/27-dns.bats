#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The DNS forwarder: the container asks one address, the daemon the resolvers that the
# host's resolv.conf names at that time. Resolvers: "one" and "two" on the peer, "here"
# on the host's own loopback; each says in a TXT record who it is.

# shellcheck disable=SC2154
load bed
load expect
load box

TWO4=198.51.100.12
DEAD4=198.51.100.99	# nobody's: the peer drops what is for it
DNS4=169.254.1.1
DNS6=fd00::a9fe:101

setup_file() {
	bed_make
	ip -n "$PEER" addr add "$TWO4/32" dev lo
	head -c 1000000 /dev/urandom > "$BED_DIR/www/large"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	bed_server HOSTECHO bed_host tcp 8080 python3 "$BED_DIR/server.py" whoami 8080
	resolver bed_peer one "$PEER4" "$PEER6"
	resolver bed_peer two "$TWO4"
	resolver bed_host here 127.0.0.53 ::1
	make_names
}

# resolver FUNCTION NAME ADDRESS...: dnsmasq there
resolver() {
	local where=$1 name=$2 a listen=() long
	shift 2
	for a in "$@"; do listen+=(--listen-address="$a"); done
	long=$(printf 'x%.0s' {1..200})
	bed_bg "DNS_$name" "$where" dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null \
		"${listen[@]}" --bind-interfaces --user=root --pid-file= --cache-size=0 --local=/example/ \
		--address=/web.example/"$PEER4" --address=/web.example/"$PEER6" --txt-record=who.example,"$name" \
		--txt-record=long.example,"$long,$long,$long,$long,$long" --host-record=six.example,"$PEER6"
	bed_until 5 answers "$where" "$1" || die "resolver $name does not answer"
}

answers() { "$1" dig +short +time=1 +tries=1 "@$2" who.example TXT > /dev/null; }

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	rm -f "$NAMES/host/resolv.conf"
}

teardown() {
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

add() { # add [JSON]
	local more
	more=$(jq -n --argjson a "${1-"{}"}" --argjson b "$(log_to "$C")" '$a + $b')
	: > "$XDG/$C.log"
	chown "$BED_UID" "$XDG/$C.log"
	result=$(boxed cni ADD "c$C" "$NS" eth0 < <(conf "$more")) || die "ADD: $result"
	jq -r '.dns.nameservers[]? | "nameserver " + .' <<< "$result" > "$NAMES/in/resolv.conf"
}

who() { in_box dig +short +time=5 +tries=1 "${@:2}" "@$1" who.example TXT | tr -d '"'; }
asks() { [ "$(who "$DNS4")" = "$1" ]; }
log_says() { grep -q "$1" "$XDG/$C.log"; }

@test "the result names the forwarder, and it asks the host's resolver" {
	host_asks "$PEER4"
	add
	same "the result's" "$(jq -c .dns <<< "$result")" "{\"nameservers\":[\"$DNS4\"]}"
	same "by IPv4" "$(who "$DNS4")" one
	same "by IPv6" "$(who "$DNS6")" one
	same "by TCP" "$(who "$DNS4" +tcp)" one
	same "by the C library" "$(in_box getent ahostsv4 web.example | awk 'NR == 1 { print $1 }')" "$PEER4"
	same "a name that is not there" "$(in_box dig +noall +comments "@$DNS4" none.example | grep -o 'status: [A-Z]*')" "status: NXDOMAIN"
	log_says "resolvers=$PEER4 " || die "the log does not tell: $(cat "$XDG/$C.log")"
}

@test "resolvers on the host's loopback, of both families" {
	host_asks 127.0.0.53
	add
	same "127.0.0.53" "$(who "$DNS4")" here
	same "by TCP" "$(who "$DNS4" +tcp)" here
	host_asks ::1
	bed_until 5 log_says "resolvers=::1 " || die "$(cat "$XDG/$C.log")"
	same "::1" "$(who "$DNS4")" here
	same "::1 by TCP" "$(who "$DNS6" +tcp)" here
	# and nothing else of that loopback
	! in_box curl -s -m 2 -o /dev/null "http://$DNS4:80/" || die "port 80 of the forwarder leads somewhere"
}

@test "resolv.conf changes: written, replaced, a link, missing at first" {
	add
	host_asks "$PEER4"
	bed_until 5 asks one || die "missing at first: $(who "$DNS4")"
	echo "nameserver $TWO4" > "$NAMES/host/resolv.conf"
	bed_until 5 asks two || die "written"
	mkdir -p "$NAMES/run"
	echo "nameserver $PEER4" > "$NAMES/run/stub.conf"
	ln -sfn "$NAMES/run/stub.conf" "$NAMES/host/resolv.conf.new"
	mv -T "$NAMES/host/resolv.conf.new" "$NAMES/host/resolv.conf"
	bed_until 5 asks one || die "a link"
	echo "nameserver $TWO4" > "$NAMES/run/stub.conf"
	bed_until 5 asks two || die "behind the link"
}

@test "a first resolver that is dead, or refuses" {
	host_asks "$DEAD4" "$PEER4"
	add
	same "the first time" "$(who "$DNS4")" one
	same "by TCP" "$(who "$DNS4" +tcp)" one
	host_asks 127.0.0.77 "$TWO4"
	bed_until 5 asks two || die "refused: $(who "$DNS4")"
	same "refused, by TCP" "$(who "$DNS4" +tcp)" two
	host_asks 127.0.0.77
	bed_until 5 log_says "resolvers=127.0.0.77 "
	same "nobody" "$(in_box dig +noall +comments +time=5 +tries=1 "@$DNS4" who.example TXT | grep -o 'status: [A-Z]*')" \
		"status: SERVFAIL"
	[ "$(bed_counter "$C" "$XDG/$C.log" dns_failed)" -ge 1 ] || die "not counted"
}

@test "truncated answers, EDNS and answers of several fragments" {
	host_asks "$PEER4"
	add
	in_box dig +noedns +ignore +noall +comments "@$DNS4" long.example TXT | grep -q 'flags: .*\<tc\>' || die "no tc"
	same "by TCP then" "$(in_box dig +noedns +noall +answer "@$DNS4" long.example TXT | wc -c)" \
		"$(bed_peer dig +noedns +noall +answer "@$PEER4" long.example TXT | wc -c)"
	in_box dig +bufsize=1232 +ignore +noall +comments "@$DNS4" long.example TXT | tee "$BED_DIR/tmp/edns" |
		grep -q 'udp: ' || die "no EDNS: $(cat "$BED_DIR/tmp/edns")"
	! grep -q 'flags: .*\<tc\>' "$BED_DIR/tmp/edns" || die "truncated for no reason"
}

@test "the host's names" {
	local name
	name=$(hostname)
	host_asks "$PEER4"
	add '{"dns": {"search": []}}'
	for n in host.containers.internal host.docker.internal "$name"; do
		[[ $n != localhost* ]] || continue
		same "$n" "$(in_box dig +short "@$DNS4" "$n" A)" "$HOSTADDR"
		same "$n has no AAAA" "$(in_box dig +noall +comments "@$DNS4" "$n" AAAA | grep -o 'status: [A-Z]*, \|ANSWER: [0-9]*' | tr -d '\n')" \
			"status: NOERROR, ANSWER: 0"
	done
	same "by TCP" "$(in_box dig +short +tcp "@$DNS4" host.containers.internal A)" "$HOSTADDR"
	same "by TCP and IPv6, with others on one connection" "$(in_box dig +short +tcp +keepopen "@$DNS6" \
		who.example TXT host.docker.internal A who.example TXT -x "$HOSTADDR" | tr '\n' ' ')" \
		"\"one\" $HOSTADDR \"one\" host.containers.internal. "
	same "by the C library and TCP" "$(in_box env RES_OPTIONS=use-vc getent ahostsv4 host.containers.internal |
		awk 'NR == 1 { print $1 }')" "$HOSTADDR"
	same "the way back" "$(in_box dig +short "@$DNS4" -x "$HOSTADDR")" host.containers.internal.
	same "by the C library" "$(in_box getent ahostsv4 host.containers.internal | awk 'NR == 1 { print $1 }')" "$HOSTADDR"
	in_box bash -c 'exec 3<> /dev/tcp/host.containers.internal/8080 && head -c 1 <&3 > /dev/null'
	conf | cni DEL "c$C" "$NS" eth0
	add '{"dns": {"hostNames": false}}'
	same "switched off" "$(in_box dig +noall +comments "@$DNS4" host.containers.internal | grep -o 'status: [A-Z]*')" \
		"$(bed_peer dig +noall +comments "@$PEER4" host.containers.internal | grep -o 'status: [A-Z]*')"
	conf | cni DEL "c$C" "$NS" eth0
	add '{"addresses": ["private"]}'
	same "private, by IPv6 its own" "$(in_box dig +short "@$DNS4" host.containers.internal AAAA)" "$HOST6"
}

@test "IPv6 only" {
	host_asks "$PEER4" "$PEER6"
	add '{"ipv4": false}'
	same "the result's" "$(jq -c .dns.nameservers <<< "$result")" "[\"$DNS6\"]"
	same "its answer" "$(who "$DNS6")" one
	same "by the C library" "$(in_box getent ahostsv6 six.example | awk 'NR == 1 { print $1 }')" "$PEER6"
	same "by name" "$(in_box curl -sS -m 10 http://six.example/large | sum)" "$(sum < "$BED_DIR/www/large")"
}

@test "who asks by DHCP or Router Advertisement is told the forwarder" {
	host_asks 127.0.0.53
	add '{"configure": false}'
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ -z "$dns" ] || echo "dns=$dns"\n' > "$BED_DIR/tmp/said"
	chmod 0755 "$BED_DIR/tmp/said"
	bed_in "$C" udhcpc -f -n -q -t 10 -i eth0 -s "$BED_DIR/tmp/said" > "$BED_DIR/tmp/udhcpc" 2>&1 || true
	grep -qx "dns=$DNS4" "$BED_DIR/tmp/udhcpc" || die "$(cat "$BED_DIR/tmp/udhcpc")"
	bed_until 5 bed_in "$C" rdisc6 -1 -r 3 -w 1000 eth0 > "$BED_DIR/tmp/rdisc6" 2>&1 || true
	grep -q "Recursive DNS server *: $DNS6" "$BED_DIR/tmp/rdisc6" || die "$(cat "$BED_DIR/tmp/rdisc6")"
}

@test "port 853, DNS over TLS, leads to the resolver, and passes as it is" {
	local got
	host_asks "$PEER4"
	add
	bed_server TLS bed_peer tcp 853 python3 "$BED_DIR/server.py" whoami 853
	for a in "$DNS4" "[$DNS6]"; do
		got=$(in_box socat -t 3 -T 3 - "TCP:$a:853" < /dev/null)
		[ -n "$got" ] || die "nothing from $a"
	done
	bed_kill "$TLS"
}

@test "configured servers stay, and dns.forward [] is none" {
	host_asks "$PEER4"
	add '{"dns": {"nameservers": ["9.9.9.9"], "forward": ["169.254.1.53"]}}'
	same "the result's" "$(jq -c .dns.nameservers <<< "$result")" '["9.9.9.9"]'
	same "at its own address" "$(who 169.254.1.53)" one
	conf | cni DEL "c$C" "$NS" eth0
	add '{"dns": {"forward": []}}'
	same "none in the result" "$(jq -c .dns <<< "$result")" '{}'
	! in_box dig +time=1 +tries=1 "@$DNS4" who.example TXT > /dev/null || die "somebody answers"
}

@test "a download over a name, and questions all the time, while the resolvers change" {
	host_asks "$PEER4"
	add
	bed_bg GET in_box curl -sS --limit-rate 400k -m 60 -o "$BED_DIR/tmp/got" http://web.example/large
	# shellcheck disable=SC2016
	BED_OUT=$BED_DIR/tmp/asked bed_bg ASK in_box bash -c 'for i in $(seq 40); do
		getent ahostsv4 web.example > /dev/null || echo "lost $i"; done; echo done'
	for _ in 1 2 3 4; do
		host_asks 127.0.0.53
		sleep 0.1
		host_asks "$TWO4"
		sleep 0.1
		host_asks "$DEAD4" "$PEER4"
		sleep 0.1
	done
	bed_until 60 grep -q 'done' "$BED_DIR/tmp/asked"
	same "questions" "$(cat "$BED_DIR/tmp/asked")" "done"
	bed_until 60 bed_gone "$GET"
	same "the download" "$(sum < "$BED_DIR/tmp/got")" "$(sum < "$BED_DIR/www/large")"
	same "a new one" "$(in_box curl -sS -m 20 http://web.example/large | sum)" "$(sum < "$BED_DIR/www/large")"
}

@test "a new engine knows the resolvers of now" {
	local old
	host_asks "$PEER4"
	add
	host_asks "$TWO4"
	bed_until 5 asks two
	old=$(bed_engine "$C")
	kill -9 "$old"
	bed_until 5 bed_gone "$old"
	bed_until 10 asks two || die "$(who "$DNS4")"
}
