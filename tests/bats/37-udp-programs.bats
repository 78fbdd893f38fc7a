#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that live on UDP: time, latency, HTTP/3.

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
	attach "$C" > /dev/null
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

@test "NTP: the time of chrony, over both families" {
	local server
	printf 'local stratum 5\nallow all\ncmdport 0\npidfile %s\nbindcmdaddress /\n' \
		"$BED_DIR/chrony.pid" > "$BED_DIR/chrony.conf"
	# (its clock stays as it is: -x)
	bed_server NTP bed_peer udp 123 chronyd -x -d -u root -f "$BED_DIR/chrony.conf"
	for server in "$PEER4" "$PEER6"; do
		bed_in "$C" ntpdate -q -t 2 -p 2 "$server" > "$BED_DIR/ntp"
		grep -E '\+/- .* s5 ' "$BED_DIR/ntp" || { cat "$BED_DIR/ntp"; false; }
	done
	bed_kill "$NTP"
}

@test "TFTP: the server answers from a port of its own, over both families" {
	local server
	mkdir -p "$BED_DIR/tftp"
	head -c 300000 /dev/urandom > "$BED_DIR/tftp/file"
	chmod -R a+rX "$BED_DIR/tftp"
	for server in "$PEER4" "$PEER6"; do
		bed_server TFTP bed_peer udp 69 dnsmasq --no-daemon --port=0 --conf-file=/dev/null --user=root --pid-file= \
			--enable-tftp --tftp-root="$BED_DIR/tftp" --listen-address="$server" --bind-interfaces
		if [ "$server" = "$PEER6" ]; then server="[$server]"; fi
		bed_in "$C" curl -sS -m 20 -o "$BED_DIR/tmp/tftp" "tftp://$server/file"
		cmp "$BED_DIR/tmp/tftp" "$BED_DIR/tftp/file"
		bed_kill "$TFTP"
	done
}

@test "sockperf: no datagram lost, doubled or out of order, one by one and under load" {
	bed_server PERF bed_peer udp 11111 sockperf server -i "$PEER4"
	bed_in "$C" sockperf ping-pong -i "$PEER4" -t 1 -m 64 > "$BED_DIR/perf"
	grep -q 'dropped messages = 0; # duplicated messages = 0; # out-of-order messages = 0' "$BED_DIR/perf"
	bed_in "$C" sockperf under-load -i "$PEER4" -t 1 -m 1400 --mps 2000 > "$BED_DIR/perf"
	grep -q 'dropped messages = 0; # duplicated messages = 0; # out-of-order messages = 0' "$BED_DIR/perf" ||
		{ cat "$BED_DIR/perf"; false; }
	bed_kill "$PERF"
}

@test "HTTP/3: a file by QUIC, over both families" {
	local server
	head -c 3M /dev/urandom > "$BED_DIR/www/quic"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=peer.test \
		-keyout "$BED_DIR/key.pem" -out "$BED_DIR/cert.pem" 2> /dev/null
	for server in "$PEER4" "$PEER6"; do
		bed_server QUIC bed_peer udp 443 gtlsserver -q -d "$BED_DIR/www" "$server" 443 \
			"$BED_DIR/key.pem" "$BED_DIR/cert.pem"
		rm -f "$BED_DIR/tmp/quic"
		bed_in "$C" timeout 30 gtlsclient -q --exit-on-all-streams-close --no-quic-dump --no-http-dump \
			--download "$BED_DIR/tmp" "$server" 443 https://peer.test/quic
		cmp "$BED_DIR/www/quic" "$BED_DIR/tmp/quic"
		bed_kill "$QUIC"
	done
}
