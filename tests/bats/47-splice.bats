#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Local connections and datagrams, socket to socket: clients on the host's loopback, servers in the
# container, and the other way round; services of the host's loopback over the tap.

load bed
load expect

setup_file() {
	local size=128M
	[ -z "${BED_SHORT-}" ] || size=8M
	bed_make
	head -c "$size" /dev/urandom > "$BED_DIR/www/file"
	sum < "$BED_DIR/www/file" > "$BED_DIR/www/sum"
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
}

teardown() {
	detach "$C" || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

add() { # add JSON: ADD with these keys, which must work
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "$1")
	same "status of ADD: $output" "$status" 0
}

in_c() { bed_in "$C" "$@"; }
client() { bed_host python3 "$BED_DIR/client.py" "$@"; }
c_client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }

serve() { # serve FUNCTION KIND PORT [ARGUMENT...]
	bed_server SERVER "$1" tcp "$3" python3 "$BED_DIR/server.py" "${@:2}"
}

counter() { # counter NAME: of the attachment's log, as SIGUSR1 makes main write it
	kill -USR1 "$(bed_main "$C")"
	sleep 0.2
	grep -o " $1=[0-9]*" "$XDG/splice.log" | tail -n 1 | cut -d = -f 2
}

# Descriptors of a process that match a pattern
open_files() { find "/proc/$1/fd" -lname "$2" | wc -l; }

few_sockets() { [ "$(open_files "$1" 'socket:*')" -le 70 ]; }	# the pool's 64, listeners, main's

ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

@test "splice: whole files both ways, IPv4 and IPv6, and none of it over the tap" {
	local url before
	add "$(jq -n --argjson log "$(log_to splice)" '$log + {forward: {tcp: ["8080:80"]}}')"
	serve in_c http 80 "$BED_DIR/www"
	before=$(in_c cat /sys/class/net/eth0/statistics/rx_bytes)
	for url in http://127.0.0.1:8080 "http://[::1]:8080" "http://$HOST4:8080"; do
		same "download from $url" "$(bed_host curl -sSg --max-time 60 "$url/file" | sum)" "$(cat "$BED_DIR/www/sum")"
		same "upload to $url" "$(bed_host curl -sSg --max-time 60 -T "$BED_DIR/www/file" "$url/up")" "$(cat "$BED_DIR/www/sum")"
	done
	[ $(($(in_c cat /sys/class/net/eth0/statistics/rx_bytes) - before)) -lt 100000 ] || die "it went over the tap"
	[ "$(counter splice_opened)" -ge 6 ] || die "joined: $(counter splice_opened)"
}

@test "splice: a bulk's last bytes arrive though the connection stays open" {
	add "$(jq -n --argjson log "$(log_to splice)" '$log + {forward: {tcp: ["8080:80"]}}')"
	serve in_c http 80 "$BED_DIR/www"
	set -- -sS --max-time 60 -w '%{stderr}%{num_connects} %{time_total}\n'
	bed_host curl "$@" -T "$BED_DIR/www/file" http://127.0.0.1:8080/up -o "$BED_DIR/tmp/hash" \
		http://127.0.0.1:8080/file -o "$BED_DIR/tmp/1" http://127.0.0.1:8080/file -o "$BED_DIR/tmp/2" 2> "$BED_DIR/tmp/times"
	same "connections" "$(cut -d ' ' -f 1 "$BED_DIR/tmp/times" | xargs)" "1 0 0"
	same "files" "$(cat "$BED_DIR/tmp/1" "$BED_DIR/tmp/2" | sum)" "$(cat "$BED_DIR/www/file" "$BED_DIR/www/file" | sum)"
	same "upload" "$(cat "$BED_DIR/tmp/hash")" "$(cat "$BED_DIR/www/sum")"
}

@test "splice: half-close, each way first, and many small messages" {
	add '{"forward": {"tcp": ["8001:1", "8002:2", "8003:3"]}}'
	serve in_c hash-back 1
	BED_OUT=$BED_DIR/tmp/early serve in_c early-close 2
	serve in_c echo 3
	client half-close 127.0.0.1 8001 3000000
	client half-close ::1 8001 1
	same "hash" "$(client late-send 127.0.0.1 8002 2000000)" "$(bed_until 3 test -s "$BED_DIR/tmp/early"; cat "$BED_DIR/tmp/early")"
	client typing 127.0.0.1 8003 200
}

@test "splice: a reset, from either side, is one on the other" {
	add '{"forward": {"tcp": ["8001:1", "8002:2"]}}'
	serve in_c reset 1
	BED_OUT=$BED_DIR/tmp/ends serve in_c ends 2
	client reset 127.0.0.1 8001
	client abort 127.0.0.1 8002
	bed_until 3 test -s "$BED_DIR/tmp/ends"
	same "what the container's program met" "$(cat "$BED_DIR/tmp/ends")" reset
}

@test "splice: nobody listens in the container: reset at once" {
	add '{"forward": {"tcp": ["8001:1"]}}'
	client reset 127.0.0.1 8001
	client reset ::1 8001
}

@test "splice: a program on the container's loopback is reached only by a rule that names it" {
	add '{"forward": {"tcp": ["8001:7", "8002:127.0.0.1:7"]}}'
	bed_server SERVER in_c tcp 7 socat TCP4-LISTEN:7,bind=127.0.0.1,fork,reuseaddr EXEC:"echo inside"
	client reset 127.0.0.1 8001
	same "named" "$(bed_host timeout 5 socat -t 2 - TCP4:127.0.0.1:8002 < /dev/null)" inside
	same "named, from the peer" "$(bed_peer timeout 5 socat -t 2 - "TCP4:$HOST4:8002" < /dev/null)" inside
}

@test "splice: preserveSource false takes all TCP clients" {
	add "$(jq -n --argjson log "$(log_to splice)" '$log + {preserveSource: false, forward: {tcp: ["8080:80"]}}')"
	serve in_c http 80 "$BED_DIR/www"
	same "from the peer" "$(bed_peer curl -sS --max-time 60 "http://$HOST4:8080/file" | sum)" "$(cat "$BED_DIR/www/sum")"
	same "from the peer, IPv6" "$(bed_peer curl -sSg --max-time 60 "http://[$HOST6]:8080/file" | sum)" "$(cat "$BED_DIR/www/sum")"
	same "joined" "$(counter splice_opened)" 2
}

@test "splice: urgent data are urgent at the other end, both ways, where they were" {
	local n
	add '{"forward": {"tcp": ["8002:2"]}}'
	bed_server OOB in_c tcp 2 python3 "$BATS_TEST_DIRNAME/oob.py" server 2
	for n in 1 10 3000 500000; do
		bed_host python3 "$BATS_TEST_DIRNAME/oob.py" client 127.0.0.1 8002 "$n"
		bed_host python3 "$BATS_TEST_DIRNAME/oob.py" client ::1 8002 "$n"
	done
}

@test "splice: the container's source ports are used again soon, unless somebody forbids it" {
	local reuse=net.ipv4.tcp_tw_reuse
	add '{"forward": {"tcp": ["8001:1"]}}'
	serve in_c echo 1
	same "before the first connection" "$(in_c sysctl -n $reuse)" 2
	client typing 127.0.0.1 8001 1
	same "after it" "$(in_c sysctl -n $reuse)" 1
	detach "$C"
	bed_until 3 bed_no_core
	in_c sysctl -qw $reuse=0
	add '{"forward": {"tcp": ["8001:1"]}}'
	client typing 127.0.0.1 8001 1
	same "switched off" "$(in_c sysctl -n $reuse)" 0
}

@test "splice: 2,000 connections at once" {
	local n=2000
	[ "$(ulimit -Hn)" -ge 8192 ] || skip "the limit of open files is $(ulimit -Hn)"
	add '{"forward": {"tcp": ["8001:1"]}}'
	ulimit -n 8192
	serve in_c echo 1
	# (With sanitizers, beside others, the last would wait for longer than anybody may.)
	[ -z "${BED_SHORT-}" ] || n=500
	client many 127.0.0.1 8001 "$n"
	client typing 127.0.0.1 8001 20
}

@test "splice: clients that never read cost nothing, and hinder nobody" {
	local engine before stuck=()
	add '{"forward": {"tcp": ["8001:1", "8002:2"]}}'
	serve in_c flood 1
	serve in_c echo 2
	while [ ${#stuck[@]} -lt 20 ]; do
		bed_bg "stuck[${#stuck[@]}]" client never-read 127.0.0.1 8001
	done
	sleep 1.5
	engine=$(bed_engine "$C")
	before=$(ticks "$engine")
	sleep 2
	# Of 200 ticks; a loop that wakes up for nothing uses all.
	[ $(($(ticks "$engine") - before)) -lt 20 ] || die "$(($(ticks "$engine") - before)) ticks of CPU in two seconds"
	client typing 127.0.0.1 8002 20
}

@test "splice: pipes and sockets are given back" {
	local engine
	add '{"forward": {"tcp": ["8080:80"]}}'
	serve in_c http 80 "$BED_DIR/www"
	engine=$(bed_engine "$C")
	same "pipes before" "$(open_files "$engine" 'pipe:*')" 0
	[ "$(open_files "$engine" 'socket:*')" -le 6 ] || die "sockets are kept before any is needed"
	for _ in {1..40}; do bed_host curl -sS --max-time 60 http://127.0.0.1:8080/sum > /dev/null; done
	few_sockets "$engine" || die "sockets: $(open_files "$engine" 'socket:*')"
	[ "$(open_files "$engine" 'socket:*')" -ge 32 ] || die "the pool of inner sockets is not filled again"
	for _ in {1..3}; do bed_host curl -sS --max-time 60 http://127.0.0.1:8080/file > /dev/null; done
	bed_until 3 few_sockets "$engine" || die "sockets: $(open_files "$engine" 'socket:*')"
	[ "$(open_files "$engine" 'pipe:*')" -le 64 ] || die "pipes: $(open_files "$engine" 'pipe:*')"
	same "nsagent's sockets" "$(open_files "$(bed_nsagent "$C")" 'socket:*')" 1
}

@test "splice: without pipes (the user's limit) bytes are copied" {
	add "$(jq -n --argjson log "$(log_to splice)" '$log + {forward: {tcp: ["8080:80"]}}')"
	serve in_c http 80 "$BED_DIR/www"
	local hold
	# Pipes of the same user, who may have 1024 of the default size.
	bed_bg hold bed_user python3 -c '
import os, resource, time
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
p = [os.pipe() for _ in range(1100)]
time.sleep(3600)'
	sleep 1
	same "download" "$(bed_host curl -sS --max-time 60 http://127.0.0.1:8080/file | sum)" "$(cat "$BED_DIR/www/sum")"
	same "upload" "$(bed_host curl -sS --max-time 60 -T "$BED_DIR/www/file" http://127.0.0.1:8080/up)" "$(cat "$BED_DIR/www/sum")"
	[ "$BED_UID" = 0 ] || [ "$(counter splice_no_pipe)" -gt 0 ] || die "there were pipes"
	bed_kill "$hold"
}

@test "splice: a killed engine resets its connections, the next one serves" {
	local pid
	add '{"forward": {"tcp": ["8001:1", "8003:3"]}, "reverse": {"tcp": ["5432"]}}'
	BED_OUT=$BED_DIR/tmp/ends serve in_c ends 3
	serve in_c echo 1
	serve bed_host echo 5432
	client typing 127.0.0.1 8001 3
	BED_OUT=$BED_DIR/tmp/client bed_bg pid client typing 127.0.0.1 8003 100000
	sleep 0.5
	kill -9 "$(bed_engine "$C")"
	bed_until 3 bed_gone "$pid" || die "the client hears nothing"
	grep -q "ConnectionResetError" "$BED_DIR/tmp/client" || die "no reset: $(cat "$BED_DIR/tmp/client")"
	bed_until 3 grep -q reset "$BED_DIR/tmp/ends" || die "no reset for the server: $(cat "$BED_DIR/tmp/ends")"
	bed_until 5 client typing 127.0.0.1 8001 3
	client typing 127.0.0.1 8001 20
	c_client typing 127.0.0.1 5432 20
	# and after a dead nsagent its sockets come from the next one
	kill -9 "$(bed_nsagent "$C")"
	client many 127.0.0.1 8001 100
}

serve_udp() { # serve_udp FUNCTION KIND PORT
	bed_server SERVER "$1" udp "$3" python3 "$BED_DIR/server.py" "${@:2}"
}

@test "splice: datagrams of all sizes, in bulk, of many clients, and none of it over the tap" {
	local before
	add "$(jq -n --argjson log "$(log_to splice)" '$log + {forward: {udp: ["5007:7"]}}')"
	serve_udp in_c udp-echo 7
	before=$(in_c cat /sys/class/net/eth0/statistics/rx_packets)
	# the first of them wait for the inner socket
	client udp-sizes 127.0.0.1 5007 0 1 1472 9000 65507
	client udp-sizes ::1 5007 0 1 65507
	client udp-sizes "$HOST4" 5007 1
	client udp-gso 127.0.0.1 5007 1000 40
	client udp-gso ::1 5007 1 64
	client udp-short-flows 127.0.0.1 5007 200
	[ $(($(in_c cat /sys/class/net/eth0/statistics/rx_packets) - before)) -lt 50 ] || die "they went over the tap"
	[ "$(counter splice_udp)" -ge 200 ] || die "joined: $(counter splice_udp)"
	same "lost" "$(counter splice_datagrams_lost)" ""	# what is 0 is not in the log
	same "what the flows are shown as" \
		"$(bed_user "$CNI_PASST" flows "c$C" --json | jq -r '[.flows[] | select(.path == "relay").protocol] | unique[]')" udp
}

inside() { [ "$(echo x | bed_host timeout 5 socat -t 1 - "UDP4:127.0.0.1:$1")" = inside ]; }

@test "splice: datagrams to a program on the container's loopback, and with preserveSource false" {
	add '{"preserveSource": false, "forward": {"udp": ["5353:53", "5354:127.0.0.1:54", "5355:[::1]:54"]}}'
	serve_udp in_c udp-whoami 53
	bed_server FOUR in_c udp 54 python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 54))
while True:
    s.sendto(b"inside\n", s.recvfrom(10)[1])'
	same "named" "$(echo x | bed_host timeout 5 socat -t 2 - UDP4:127.0.0.1:5354)" inside
	same "named, from the peer" "$(echo x | bed_peer timeout 5 socat -t 2 - "UDP4:$HOST4:5354")" inside
	same "from the peer" "$(echo x | bed_peer timeout 5 socat -t 2 - "UDP4:$HOST4:5353" | cut -d ' ' -f 1)" "$HOST4"
	same "from the peer, IPv6" "$(echo x | bed_peer timeout 5 socat -t 2 - "UDP6:[$HOST6]:5353" | cut -d ' ' -f 1)" "$HOST6"
	same "nobody serves" "$(echo x | bed_host timeout 5 socat -t 1 - "UDP6:[::1]:5355")" ""
	kill -9 "$(bed_engine "$C")"
	bed_until 5 inside 5354
	kill -9 "$(bed_nsagent "$C")"
	client udp-short-flows 127.0.0.1 5353 100
}

h_listens() { bed_listening bed_host "$@"; }
h_silent() { ! bed_listening bed_host "$@"; }

@test "ready: a program on the container's loopback is followed by the rules that lead there" {
	add '{"listen": "ready", "forward": {"tcp": ["8001:127.0.0.1:7", "8002:7"], "udp": ["8003:127.0.0.1:9"]}}'
	h_silent tcp 8001 || die "8001 listens though nobody is there"
	bed_until 3 h_silent udp 8003
	bed_server FOUR in_c tcp 7 socat TCP4-LISTEN:7,bind=127.0.0.1,fork,reuseaddr EXEC:"echo inside"
	bed_until 5 h_listens tcp 8001
	same "answer" "$(bed_host timeout 5 socat -t 2 - TCP4:127.0.0.1:8001 < /dev/null)" inside
	h_silent tcp 8002 || die "8002 follows a program that it does not reach"
	bed_server UDP in_c udp 9 socat UDP4-RECVFROM:9,bind=127.0.0.1,fork EXEC:"sed s/.*/inside/"
	bed_until 5 h_listens udp 8003
	bed_kill "$FOUR"
	bed_until 5 h_silent tcp 8001
}

@test "reverse: datagrams to the host's loopback, IPv4 and IPv6, and nothing else of it" {
	add '{"reverse": {"udp": ["5007:7", "5010-5012:10-12", "~5011"]}}'
	serve_udp bed_host udp-echo 7
	bed_server WHO bed_host udp 10 python3 "$BED_DIR/server.py" udp-whoami 10
	c_client udp-sizes 127.0.0.1 5007 0 1 1472 65507
	c_client udp-sizes ::1 5007 0 1 65507
	c_client udp-gso 127.0.0.1 5007 1000 40
	same "as whom" "$(echo x | in_c timeout 5 socat -t 2 - UDP4:127.0.0.1:5010 | cut -d ' ' -f 1)" 127.0.0.1
	c_client udp-refused 127.0.0.1 5011
	c_client udp-refused 127.0.0.1 7
	client udp-refused 127.0.0.1 5007	# it is the container's
	kill -9 "$(bed_engine "$C")"
	bed_until 5 c_client udp-sizes 127.0.0.1 5007 1
}

@test "reverse: a UDP port that the container's program has fails ADD, named" {
	bed_server SERVER in_c udp 5432 socat UDP4-RECVFROM:5432,bind=127.0.0.1,fork EXEC:true
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"reverse": {"udp": ["5432"]}}')
	refused 103 "reverse.udp: cannot listen on port 5432 of 127.0.0.1 in the container"
	nothing_left "$C"
}

@test "reverse: a service of the host's loopback on the container's, and nothing else of it" {
	add '{"reverse": {"tcp": ["8081:80", "8090-8092:90-92", "[::1]:7000:7000", "~8091"]}}'
	serve bed_host http 80 "$BED_DIR/www" 127.0.0.1
	same "download" "$(in_c curl -sS --max-time 60 http://127.0.0.1:8081/file | sum)" "$(cat "$BED_DIR/www/sum")"
	same "upload" "$(in_c curl -sS --max-time 60 -T "$BED_DIR/www/file" http://127.0.0.1:8081/up)" "$(cat "$BED_DIR/www/sum")"
	c_client reset ::1 8081			# listens there too; on the host's ::1 nobody does
	c_client reset 127.0.0.1 8090		# nobody serves
	c_client refused 127.0.0.1 8091		# excepted
	c_client refused 127.0.0.1 7000		# of the other family only
	c_client reset ::1 7000
	c_client refused 127.0.0.1 80
	bed_host python3 "$BED_DIR/client.py" refused 127.0.0.1 8081	# it is the container's
}

@test "reverse: a port that the container's program has fails ADD, named, and leaves nothing" {
	bed_server SERVER in_c tcp 5432 socat TCP4-LISTEN:5432,bind=127.0.0.1,fork EXEC:true
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"reverse": {"tcp": ["5432"]}}')
	refused 103 "reverse.tcp: cannot listen on port 5432 of 127.0.0.1 in the container"
	nothing_left "$C"
}

@test "reverse: without IPv6 in the container the IPv4 loopback serves" {
	in_c sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	add '{"reverse": {"tcp": ["5432"]}}'
	serve bed_host echo 5432
	c_client typing 127.0.0.1 5432 5
}

c_listens() { in_c ss -Htln "sport = :$1" | grep -qF "$2"; }
c_silent() { ! in_c ss -Htln "sport = :$1" | grep -q .; }

@test "reverse auto: what the host's loopback has, the container's has too, while it has it" {
	add '{"reverse": {"tcp": ["auto", "~7003"]}, "forward": {"tcp": ["7004:7004"]}}'
	bed_server OWN in_c tcp 7002 socat TCP4-LISTEN:7002,bind=127.0.0.1,fork EXEC:true
	bed_server FOUR bed_host tcp 7001 python3 "$BED_DIR/server.py" http 7001 "$BED_DIR/www" 127.0.0.1
	bed_until 5 c_listens 7001 127.0.0.1:7001 || die "not there: $(in_c ss -tln)"
	same "download" "$(in_c curl -sS --max-time 60 http://127.0.0.1:7001/sum)" "$(cat "$BED_DIR/www/sum")"
	c_client refused ::1 7001		# of the other family nothing listens
	serve bed_host echo 7002		# the container's own program keeps it
	serve bed_host echo 7003		# excepted
	serve bed_host echo 7005		# of all addresses and both families
	bed_until 5 c_listens 7005 "[::1]:7005"
	c_client typing 127.0.0.1 7005 5
	c_client typing ::1 7005 5
	c_silent 7003 || die "excepted, and there"
	c_silent 7004 || die "it leads back into the container"
	# processes that are replaced
	kill -9 "$(bed_engine "$C")"
	kill -9 "$(bed_nsagent "$C")"
	bed_until 5 c_client typing 127.0.0.1 7005 5
	bed_kill "$FOUR"
	bed_until 5 c_silent 7001 || die "7001 is still there"
	bed_server FOUR bed_host tcp 7006 python3 "$BED_DIR/server.py" http 7006 "$BED_DIR/www" 127.0.0.1
	bed_until 10 c_listens 7006 127.0.0.1:7006
}

c_bound() { in_c ss -Huan "sport = :$1" | grep -qF "$2"; }
c_unbound() { ! in_c ss -Huan "sport = :$1" | grep -q .; }

@test "reverse auto: UDP that the host's loopback has, the container's has too, while it has it" {
	add '{"reverse": {"udp": ["auto", "~7103"]}, "forward": {"udp": ["7104:7104"]}}'
	serve_udp bed_host udp-echo 7103	# excepted
	bed_server FOUR bed_host udp 7101 socat UDP4-RECVFROM:7101,bind=127.0.0.1,fork EXEC:"sed s/.*/outside/"
	serve_udp bed_host udp-echo 7105	# of all addresses and both families
	bed_until 5 c_bound 7101 127.0.0.1:7101 || die "not there: $(in_c ss -uan)"
	bed_until 5 c_bound 7105 "[::1]:7105"
	same "answer" "$(echo x | in_c timeout 10 socat -t 8 - UDP4:127.0.0.1:7101)" outside
	c_client udp-sizes 127.0.0.1 7105 1 1000
	c_client udp-sizes ::1 7105 1 1000
	c_unbound 7103 || die "excepted, and there"
	c_unbound 7104 || die "it leads back into the container"
	c_silent 7105 || die "TCP was not asked for"
	bed_kill "$FOUR"
	bed_until 10 c_unbound 7101 || die "7101 is still there"
}

@test "hostLoopback: services of the host's loopback by an address of their own, by no other" {
	add '{"hostLoopback": ["169.254.1.3", "fd00::3"]}'
	serve bed_host http 80 "$BED_DIR/www" 127.0.0.1
	same "download" "$(in_c curl -sS --max-time 60 http://169.254.1.3/file | sum)" "$(cat "$BED_DIR/www/sum")"
	serve bed_host http 81 "$BED_DIR/www" ::1
	same "IPv6" "$(in_c curl -sSg --max-time 60 "http://[fd00::3]:81/file" | sum)" "$(cat "$BED_DIR/www/sum")"
	c_client refused fd00::3 80
	c_client refused 169.254.1.3 81
	c_client refused "$HOSTADDR" 80
	bed_server UDP bed_host udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	c_client udp-sizes 169.254.1.3 7 0 1 1472
	in_c ping -c 1 -W 2 169.254.1.3 > /dev/null
}
