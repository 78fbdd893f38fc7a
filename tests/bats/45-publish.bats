#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Published ports: clients on the peer and on the host, servers in the container.

load bed
load expect

setup_file() {
	local size=64M
	[ -z "${BED_SHORT-}" ] || size=4M
	bed_make
	head -c "$size" /dev/urandom > "$BED_DIR/www/file"
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

forward() { # forward JSON: the configuration with these forward rules
	conf "{\"forward\": $1}"
}

add() { # add JSON: ADD with these rules, which must work
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(forward "$1")
	same "status of ADD: $output" "$status" 0
}

in_c() { bed_in "$C" "$@"; }

# The line that a server of the container says to who connects
line() { # line FUNCTION SOCAT-ADDRESS
	"$1" timeout 10 socat -t 5 -T 5 - "$2" < /dev/null
}

datagram() { # datagram FUNCTION SOCAT-ADDRESS: what comes back for one
	echo x | "$1" timeout 10 socat -t 1 -T 1 - "$2"
}

client_of() { cut -d ' ' -f 1 <<< "$1"; }

serve() { # serve tcp|udp KIND PORT...
	local proto=$1 kind=$2 port
	shift 2
	for port in "$@"; do
		bed_server SERVER in_c "$proto" "$port" python3 "$BED_DIR/server.py" "$kind" "$port"
	done
}

@test "publish: TCP from the peer, IPv4 and IPv6, with the client's own address and port" {
	add '{"tcp": ["8080:80"]}'
	serve tcp whoami 80
	same "IPv4" "$(line bed_peer "TCP4:$HOST4:8080,sourceport=4321")" "$PEER4 4321 $HOST4"
	same "IPv6" "$(line bed_peer "TCP6:[$HOST6]:8080,sourceport=4322")" "$PEER6 4322 $HOST6"
}

@test "publish: UDP from the peer, IPv4 and IPv6, answered from the address spoken to" {
	add '{"udp": ["5353:53"]}'
	serve udp udp-whoami 53
	# socat's UDP sockets are connected: an answer from elsewhere would not come
	same "IPv4" "$(datagram bed_peer "UDP4:$HOST4:5353,sourceport=4321")" "$PEER4 4321"
	same "IPv6" "$(datagram bed_peer "UDP6:[$HOST6]:5353,sourceport=4322")" "$PEER6 4322"
	ip -n "$HOST" addr add 203.0.113.77/24 dev h0
	same "another address" "$(datagram bed_peer "UDP4:203.0.113.77:5353,sourceport=4321")" "$PEER4 4321"
	ip -n "$HOST" addr del 203.0.113.77/24 dev h0
}

@test "publish: the host's loopback and its own address reach the container, as the host" {
	add '{"tcp": ["8080:80"], "udp": ["5353:53"]}'
	serve tcp whoami 80
	serve udp udp-whoami 53
	# from socket to socket, so from the container's own address, which is the host's here
	same "127.0.0.1" "$(client_of "$(line bed_host TCP4:127.0.0.1:8080)")" "$HOST4"
	same "own address" "$(client_of "$(line bed_host "TCP4:$HOST4:8080")")" "$HOST4"
	line bed_host "TCP6:[::1]:8080"
	line bed_host "TCP6:[$HOST6]:8080"
	same "127.0.0.1, UDP" "$(client_of "$(datagram bed_host UDP4:127.0.0.1:5353)")" "$HOST4"
	same "own address, UDP" "$(client_of "$(datagram bed_host "UDP4:$HOST4:5353")")" "$HOST4"
	same "::1, UDP" "$(client_of "$(datagram bed_host "UDP6:[::1]:5353")")" "$HOST6"
	same "own address, IPv6, UDP" "$(client_of "$(datagram bed_host "UDP6:[$HOST6]:5353")")" "$HOST6"
}

@test "publish: from the container to its own port by the host's address" {
	add '{"tcp": ["8080:80"], "udp": ["5353:53"]}'
	serve tcp whoami 80
	serve udp udp-whoami 53
	same "TCP" "$(client_of "$(line in_c "TCP4:$HOSTADDR:8080")")" "$HOST4"	# by splice on the way in
	same "UDP" "$(client_of "$(datagram in_c "UDP4:$HOSTADDR:5353")")" "$HOST4"
}

@test "publish: with an address of its own the container sees the host as what it is" {
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"addresses": ["10.9.0.2/24"],
		"ipv6": false, "forward": {"tcp": ["8080:80"]}}')
	same "status: $output" "$status" 0
	serve tcp whoami 80
	same "from the host" "$(line bed_host "TCP4:$HOST4:8080,sourceport=4400")" "$HOST4 4400 10.9.0.2"
	same "from the peer" "$(line bed_peer "TCP4:$HOST4:8080,sourceport=4400")" "$PEER4 4400 10.9.0.2"
	same "hairpin" "$(client_of "$(line in_c "TCP4:$HOST4:8080")")" "$HOST4"
	! line bed_peer "TCP6:[$HOST6]:8080" || die "IPv6 is served without IPv6"
}

@test "publish: ranges, exceptions, one address, one interface" {
	add '{"tcp": ["9000-9009:7000-7009", "~9005", "127.0.0.1:8001:81", "h0/8002:82", "lo/8003:83"]}'
	serve tcp whoami 7000 7009 81 82 83
	line bed_peer "TCP4:$HOST4:9000"
	line bed_peer "TCP4:$HOST4:9009"
	! bed_listening bed_host tcp 9005 || die "9005 is listened on"
	same "listeners" "$(bed_host ss -Htln 'sport >= :9000 and sport <= :9009' | wc -l)" 9
	line bed_host "TCP4:127.0.0.1:8001"
	! line bed_peer "TCP4:$HOST4:8001" || die "127.0.0.1 is reached from outside"
	line bed_peer "TCP4:$HOST4:8002"
	! line bed_host "TCP4:127.0.0.1:8002" || die "lo is not h0"
	line bed_host "TCP4:127.0.0.1:8003"
}

@test "publish: runtimeConfig.portMappings as podman and nerdctl write them" {
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"runtimeConfig": {"portMappings": [
		{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
		{"HostPort": 8081, "ContainerPort": 80, "Protocol": "tcp", "HostIP": "127.0.0.1"},
		{"hostPort": 0, "containerPort": 80, "protocol": "udp"}]}}')
	same "status: $output" "$status" 0
	serve tcp whoami 80
	line bed_peer "TCP4:$HOST4:8080"
	line bed_host "TCP4:127.0.0.1:8081"
	same "UDP listeners" "$(bed_host ss -Huln | wc -l)" 1
}

@test "publish: a port in use fails ADD with port, address and who has it, and undoes everything" {
	bed_server BUSY bed_user tcp 8085 python3 "$BED_DIR/server.py" echo 8085
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(forward '{"tcp": ["8080:80", "8085:80"]}')
	refused 103 "forward.tcp: port 8085 of all addresses is in use, by python3 (pid $BUSY)"
	nothing_left "$C"
	! bed_listening bed_host tcp 8080 || die "8080 is still listened on"
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"portConflict": "ignore",
		"forward": {"tcp": ["8080:80", "8085:80"]}}')
	same "status with ignore: $output" "$status" 0
	serve tcp whoami 80
	line bed_peer "TCP4:$HOST4:8080"
	bed_kill "$BUSY"
}

# hold NAME PORT: a process of that name, which engines keep their ports with, holds it
hold() {
	bed_server HOLDER bed_user tcp "$2" python3 -c '
import os, socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[2])))
s.set_inheritable(True)
os.execv(sys.argv[1], [sys.argv[1], "60"])' "$BED_DIR/tmp/$1" "$2"
	bed_until 3 named "$HOLDER" "$1"
}
named() { [ "$(cat "/proc/$1/comm")" = "$2" ]; }

@test "publish: ports that podman or nerdctl hold are told with what to set" {
	local name
	for name in conmon podman; do
		cp "$(command -v sleep)" "$BED_DIR/tmp/$name"
		hold "$name" 8086
		run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(forward '{"tcp": ["8086:80"]}')
		refused 103 "by $name (pid $HOLDER)"
		refused 103 "enable_port_reservation=false"
		bed_kill "$HOLDER"
	done
	cp "$(command -v sleep)" "$BED_DIR/tmp/sleep"
	hold sleep 8086
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(forward '{"tcp": ["8086:80"]}')
	refused 103 '"portConflict": "ignore"'
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"portConflict": "ignore",
		"runtimeConfig": {"portMappings": [{"HostPort": 8086, "ContainerPort": 80, "Protocol": "tcp"},
		{"HostPort": 8087, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]}}')
	same "status with ignore: $output" "$status" 0
	serve tcp whoami 80
	line bed_peer "TCP4:$HOST4:8087"
	bed_kill "$HOLDER"
}

@test "publish: what cannot be listened on is refused by name" {
	[ "$(bed_host sysctl -n net.ipv4.ip_unprivileged_port_start)" -gt 80 ] || skip "port 80 is free for all here"
	local ns=/proc/$C/ns/net
	if [ "$BED_UID" != 0 ]; then
		run_cni ADD "c$C" "$ns" eth0 < <(forward '{"tcp": ["80:80"]}')
		refused 100 "port 80 of all addresses: no right to listen there"
	fi
	run_cni ADD "c$C" "$ns" eth0 < <(forward '{"tcp": ["192.0.2.1:8080:80"]}')
	refused 103 "port 8080 of 192.0.2.1: the host has no such address"
	run_cni ADD "c$C" "$ns" eth0 < <(forward '{"udp": ["nope0/8080:80"]}')
	refused 103 "on nope0: the host has no such interface"
	run_cni ADD "c$C" "$ns" eth0 < <(forward '{"tcp": ["1024-65535:1024-65535"], "udp": ["1024-65535:1024-65535"]}')
	refused 103 "129024 ports need a limit of 129280 open files"
	run_cni ADD "c$C" "$ns" eth0 < <(conf '{"runtimeConfig": {"portMappings": [
		{"hostPort": 8080, "containerPort": 80, "protocol": "sctp"}]}}')
	refused 2 "sctp"
	nothing_left "$C"
}

@test "publish: low ports where the host allows them" {
	bed_host sysctl -qw net.ipv4.ip_unprivileged_port_start=80
	add '{"tcp": ["80:80"]}'
	bed_host sysctl -qw net.ipv4.ip_unprivileged_port_start=1024
	serve tcp whoami 80
	line bed_peer "TCP4:$HOST4:80"
}

@test "publish: nobody listens in the container: the client is reset at once" {
	add '{"tcp": ["8080:80"]}'
	bed_peer timeout 5 python3 - "$HOST4" <<- 'END'
		import socket, sys, time
		start = time.monotonic()
		try:
		    s = socket.create_connection((sys.argv[1], 8080), 3)
		    s.settimeout(3)
		    assert not s.recv(1), "data came"
		    sys.exit("an ordinary end came")
		except (ConnectionResetError, ConnectionRefusedError):
		    pass
		assert time.monotonic() - start < 1
	END
}

@test "publish: a server that resets resets its client" {
	add '{"tcp": ["8080:80"]}'
	serve tcp reset 80
	bed_peer python3 "$BED_DIR/client.py" reset "$HOST4" 8080
}

@test "publish: half-close, bulk both ways, many at once" {
	add '{"tcp": ["8080:80", "8081:81", "8082:82"]}'
	serve tcp hash-back 80
	serve tcp echo 81
	bed_server WEB in_c tcp 82 python3 "$BED_DIR/server.py" http 82 "$BED_DIR/www"
	bed_peer python3 "$BED_DIR/client.py" half-close "$HOST4" 8080 1000000
	bed_peer python3 "$BED_DIR/client.py" half-close "$HOST6" 8080 1000000
	bed_peer python3 "$BED_DIR/client.py" many "$HOST4" 8081 500
	same "download" "$(bed_peer curl -sS --max-time 60 "http://$HOST4:8082/file" | sum)" "$(sum < "$BED_DIR/www/file")"
	same "upload" "$(bed_peer curl -sSg --max-time 60 -T "$BED_DIR/www/file" "http://[$HOST6]:8082/up")" \
		"$(sum < "$BED_DIR/www/file")"
}

@test "publish: datagrams of all sizes, GSO, from the peer" {
	add '{"udp": ["5353:53"]}'
	serve udp udp-echo 53
	bed_peer python3 "$BED_DIR/client.py" udp-sizes "$HOST4" 5353 0 1 512 1472
	bed_peer python3 "$BED_DIR/client.py" udp-sizes "$HOST6" 5353 1 1452
	bed_peer python3 "$BED_DIR/client.py" udp-gso "$HOST4" 5353 1000 40
}

@test "publish: ports stay while the engine is killed, and serve again" {
	local engine
	add '{"tcp": ["8080:80"], "udp": ["5353:53"]}'
	serve tcp whoami 80
	serve udp udp-whoami 53
	engine=$(bed_engine "$C")
	kill -9 "$engine"
	line bed_peer "TCP4:$HOST4:8080"	# the kernel keeps the client until there is one
	datagram bed_peer "UDP4:$HOST4:5353" | grep -q "$PEER4"
	[ "$(bed_engine "$C")" != "$engine" ]
}

@test "publish: DEL frees the ports before it returns, also when the daemon hangs" {
	local i main rounds=${BED_SHORT:+20}
	add '{"tcp": ["8080:80"], "udp": ["8080:80"]}'
	serve tcp whoami 80
	# clients all the while, so that ports are taken with connections on them
	bed_bg LOAD bed_peer bash -c "while :; do socat -t 1 -T 1 - TCP4:$HOST4:8080 < /dev/null; done"
	for ((i = 0; i < ${rounds:-200}; i++)); do
		forward '{}' | cni DEL "c$C" "/proc/$C/ns/net" eth0
		run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(forward '{"tcp": ["8080:80"], "udp": ["8080:80"]}')
		same "status of ADD in round $i: $output" "$status" 0
	done
	line bed_peer "TCP4:$HOST4:8080"
	main=$(bed_main "$C")
	kill -STOP "$main" "$(bed_engine "$C")"
	forward '{}' | cni DEL "c$C" "/proc/$C/ns/net" eth0
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(forward '{"tcp": ["8080:80"], "udp": ["8080:80"]}')
	same "status of ADD after a daemon that hung: $output" "$status" 0
	# shellcheck disable=SC2153
	bed_kill "$LOAD"
}

connected() { [ -n "$(bed_host ss -Htn state established "sport = :$1")" ]; }
gone() { ! bed_listening "$@"; }

@test "publish: DEL and ADD with the same ports, again and again, under load" {
	local rounds=${BED_SHORT:+20} load
	bed_server SERVER in_c tcp 80 python3 "$BED_DIR/server.py" whoami 80
	# shellcheck disable=SC2016
	bed_bg load bed_peer bash -c 'while :; do : < "/dev/tcp/$1/8080"; sleep 0.02; done 2> /dev/null' bash "$HOST4"
	for ((i = 0; i < ${rounds:-200}; i++)); do
		add '{"tcp": ["8080:80", "9000-9009:80-89"], "udp": ["5353:53"]}'
		((i % 10)) || line bed_host TCP4:127.0.0.1:8080 > /dev/null
		forward '{}' | cni DEL "c$C" "/proc/$C/ns/net" eth0
	done
	bed_kill "$load"
	nothing_left "$C"
}

@test "ready: the host's port listens while the container's program does" {
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf '{"listen": "ready",
		"forward": {"tcp": ["8080:80"], "udp": ["5353:53"]}}')
	same "status: $output" "$status" 0
	bed_until 1 gone bed_host udp 5353 || die "UDP 5353 is open though nobody is there"
	! bed_listening bed_host tcp 8080 || die "8080 listens though nobody is there"
	# it is taken all the same
	run bed_user timeout 2 python3 "$BED_DIR/server.py" echo 8080
	[[ $output == *"Address already in use"* ]] || die "8080 can be taken: $output"
	serve tcp whoami 80
	bed_until 1 bed_listening bed_host tcp 8080 || die "8080 does not follow"
	same "TCP" "$(client_of "$(line bed_peer "TCP4:$HOST4:8080")")" "$PEER4"
	bed_kill "$SERVER"
	bed_until 1 gone bed_host tcp 8080 || die "8080 still listens"
	run bed_peer python3 "$BED_DIR/client.py" refused "$HOST4" 8080
	same "refused: $output" "$status" 0
	serve tcp whoami 80
	bed_until 1 bed_listening bed_host tcp 8080 || die "8080 does not follow again"
	line bed_peer "TCP4:$HOST4:8080"
	kill -9 "$(bed_engine "$C")" "$(bed_nsagent "$C")"
	line bed_peer "TCP4:$HOST4:8080"
	bed_kill "$SERVER"
	bed_until 3 gone bed_host tcp 8080 || die "8080 does not follow a new nsagent"
	serve udp udp-whoami 53
	bed_until 1 bed_listening bed_host udp 5353 || die "UDP 5353 does not follow"
	same "UDP" "$(client_of "$(datagram bed_peer "UDP4:$HOST4:5353")")" "$PEER4"
}

@test "auto: the host's ports are those of the container, within 250 ms" {
	add '{"tcp": ["auto", "~7001", "8080:7002"], "udp": ["127.0.0.1:auto"]}'
	serve tcp whoami 7000 7001 7002
	bed_server LOOPBACK in_c tcp 7003 python3 "$BED_DIR/server.py" http 7003 "$BED_DIR/www" 127.0.0.1
	bed_until 1 bed_listening bed_host tcp 7002
	line bed_peer "TCP4:$HOST4:7000"
	line bed_peer "TCP6:[$HOST6]:7002"
	line bed_peer "TCP4:$HOST4:8080"
	! bed_listening bed_host tcp 7001 || die "7001 is excepted"
	! bed_listening bed_host tcp 7003 || die "7003 is of the container's loopback only"
	serve udp udp-whoami 7053
	bed_until 1 bed_listening bed_host udp 7053
	same "UDP" "$(client_of "$(datagram bed_host "UDP4:127.0.0.1:7053")")" "$HOST4"
	# how long it takes, ten times; the one who connects says when to go on
	mkfifo "$BED_DIR/tmp/next"
	in_c python3 -c '
import socket, sys, time
for port in range(7100, 7110):
    s = socket.create_server(("", port))
    print(port, time.monotonic(), flush=True)
    sys.stdin.readline()' < "$BED_DIR/tmp/next" > "$BED_DIR/tmp/opened" &
	local opener=$!
	bed_host timeout 60 python3 - "$BED_DIR/tmp/opened" "$BED_DIR/tmp/next" <<- 'END'
		import socket, sys, time
		go_on = open(sys.argv[2], "w")
		for port in range(7100, 7110):
		    while True:
		        try:
		            socket.create_connection(("127.0.0.1", port)).close()
		            break
		        except OSError:
		            time.sleep(0.002)
		    seen = time.monotonic()
		    opened = dict(line.split() for line in open(sys.argv[1]))[str(port)]
		    print("followed after %.0f ms" % ((seen - float(opened)) * 1000))
		    print(file=go_on, flush=True)
	END
	wait "$opener"
}

fwd() { bed_user "$CNI_PASST" forward "$@"; }

@test "forward: list, add and del at run time, by a prefix of the id" {
	add '{"tcp": ["8080:80", "0:80"]}'
	serve tcp whoami 80
	serve tcp echo 81
	local picked
	picked=$(fwd "c$C" list --json | jq '.[1].port')
	line bed_peer "TCP4:$HOST4:$picked"
	same "head" "$(fwd "c$C/eth0" list | head -n 1 | xargs)" "PROTO RULE PORT LISTENERS CLIENTS REFUSED OUT IN FROM"
	same "list" "$(fwd "c$C/eth0" list | sed -n 2p | xargs)" "tcp 8080:80 - 1 0 0 0 0 configuration"
	same "what was added" "$(fwd c add tcp 8081:81 | sed -n 2p | xargs)" "tcp 8081:81 - 1 0 0 0 0 command"
	bed_peer python3 "$BED_DIR/client.py" many "$HOST4" 8081 20
	line bed_host "TCP4:$HOST4:8080"	# from socket to socket
	line bed_peer "TCP4:$HOST4:8080"
	fwd c add tcp 8082:82		# nobody listens there
	line bed_peer "TCP4:$HOST4:8082" | grep -q . && die "8082 serves"
	counted() { fwd c list --json | jq -c "map([.rule, .clients, .refused, .tx_bytes > 0, .rx_bytes > 0])"; }
	same "counters" "$(counted)" '[["8080:80",2,0,true,false],["0:80",1,0,true,false],["8081:81",20,0,true,true],["8082:82",1,1,false,false]]'
	fwd c del tcp 8082:82
	# a connection that stays open over all that follows
	bed_bg STAY bed_peer python3 "$BED_DIR/client.py" slow-echo "$HOST4" 8081 30
	bed_until 5 connected 8081 || die "no connection"
	fwd c add tcp 9000-9005:9000-9005
	! fwd c add tcp 9003:1 || die "a port was given twice"
	! fwd c del tcp 9003 || die "a part of a rule was deleted"
	fwd c del tcp 9000-9005:9000-9005
	fwd c add tcp 9003:80	# free at once
	line bed_peer "TCP4:$HOST4:9003"
	fwd c del tcp 8081:81
	! line bed_peer "TCP4:$HOST4:8081" || die "a deleted port still serves"
	wait "$STAY" || die "the connection of a deleted port ended"
	rm -f "$BED_DIR/pids/$STAY"
	fwd c add udp 5353:53
	serve udp udp-whoami 53
	same "UDP" "$(datagram bed_peer "UDP4:$HOST4:5353,sourceport=4321")" "$PEER4 4321"
	same "UDP counters" "$(fwd c list --json | jq -c 'map(select(.protocol == "udp")) | map([.clients, .refused, .tx_bytes, .rx_bytes > 0])')" \
		"[[1,0,$((${#PEER4} + 6)),true]]"
	fwd c del udp 5353:53
	! datagram bed_peer "UDP4:$HOST4:5353" | grep -q . || die "a deleted UDP port still answers"
}

@test "forward: what was added survives an engine, and goes with the attachment" {
	add '{}'
	fwd c add tcp 8080:80
	serve tcp whoami 80
	kill -9 "$(bed_engine "$C")"
	line bed_peer "TCP4:$HOST4:8080"
	same "list" "$(fwd c list | sed -n 2p | xargs | cut -d " " -f 1-6)" "tcp 8080:80 - 1 1 0"
	fwd c del tcp 8080:80
	! bed_listening bed_host tcp 8080 || die "8080 is still listened on"
	fwd c add tcp 8080:80
	kill -STOP "$(bed_engine "$C")"		# replaced when it does not listen
	fwd c add tcp 8081:80
	line bed_peer "TCP4:$HOST4:8081"
	forward '{}' | cni DEL "c$C" "/proc/$C/ns/net" eth0
	! bed_listening bed_host tcp 8080 || die "8080 is still listened on"
	nothing_left "$C"
}

@test "forward: wrong words, unknown and ambiguous ids, other users, silent clients" {
	local state
	add '{"tcp": ["8080:80"]}'
	run bed_user "$CNI_PASST" forward
	same "status without words" "$status" 2
	run bed_user "$CNI_PASST" forward c frob
	same "status of frob" "$status" 2
	run bed_user "$CNI_PASST" forward c add tcp 80:x
	same "status of a rule that is none" "$status" 2
	[[ $output == *'forward.tcp: "80:x" has a target port that is none'* ]] || die "$output"
	run bed_user "$CNI_PASST" forward nope list
	[[ $output == *'no attachment of "nope"'* ]] || die "$output"
	bed_container D
	forward '{}' | cni ADD "cx$D" "/proc/$D/ns/net" eth0 > /dev/null
	run bed_user "$CNI_PASST" forward c list
	[[ $output == *'"c" is not one attachment: 2 begin so'* ]] || die "$output"
	run bed_user "$CNI_PASST" forward cx add tcp 8080:80
	same "status of a port of another attachment" "$status" 1
	[[ $output == *'port 8080 of all addresses is in use'* ]] || die "$output"
	[[ $output == *"attachment c$C@eth0 has it"* ]] || die "$output"
	forward '{}' | cni DEL "cx$D" "/proc/$D/ns/net" eth0
	bed_kill "$D"
	state=$XDG/cni-passt/c$C@eth0/control.sock
	# twenty that say nothing, one that talks nonsense
	bed_bg SILENT bed_user python3 -c '
import socket, sys, time
s = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(20)]
for x in s:
    x.connect(sys.argv[1])
s[19].send(b"x" * 5000)
time.sleep(30)' "$state"
	sleep 0.3
	same "list" "$(fwd "c$C" list | sed -n 2p | xargs)" "tcp 8080:80 - 1 0 0 0 0 configuration"
	bed_kill "$SILENT"
	if [ "$BED_UID" != 0 ]; then
		chmod 0777 "$state"
		chmod 0755 "$XDG" "$XDG/cni-passt" "$XDG/cni-passt/c$C@eth0"
		run bed_host setpriv --reuid 61235 --regid 61235 --clear-groups \
			env -i PATH=/usr/bin:/bin python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
sys.exit(1 if s.recv(10) else 0)' "$state"
		same "status of another user: $output" "$status" 0
		chmod 0700 "$XDG"
	fi
}

@test "publish: what a filter in the container refuses resets the client at once" {
	add '{"tcp": ["8080:80"]}'
	bed_in "$C" nft -f - <<- 'END'
		table inet filter {
			chain input {
				type filter hook input priority 0;
				tcp dport 80 reject with icmpx admin-prohibited
			}
		}
	END
	for to in "$HOST4" "$HOST6"; do
		same "a client of $to" "$(bed_peer timeout 10 python3 "$BED_DIR/failing.py" read "$to" 8080)" ECONNRESET
	done
}

@test "publish: 15000 ports open, serve, and close" {
	[ "$(ulimit -Hn)" -ge 16000 ] || skip "the limit of open files is $(ulimit -Hn)"
	add '{"tcp": ["10000-24999:10000-24999"]}'
	same "listeners" "$(bed_host ss -Htln | wc -l)" 15000
	serve tcp whoami 10000 24999
	line bed_peer "TCP4:$HOST4:10000"
	line bed_peer "TCP6:[$HOST6]:24999"
}
