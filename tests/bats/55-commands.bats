#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is seen of a running attachment: list, show, stats, flows, doctor and the control
# socket itself. One container for the whole file, with real connections.

load bed
load expect

bats_require_minimum_version 1.5.0

setup_file() {
	bed_make
	bed_container C
	export C
	conf '{"addresses": ["private"], "udp": {"timeout": 600, "timeoutStream": 600},
		"forward": {"tcp": ["8080:80"]}}' |
		cni ADD "c$C" "/proc/$C/ns/net" eth0 > /dev/null
	bed_server ECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server UDP bed_peer udp 9 python3 "$BED_DIR/server.py" udp-echo 9
	bed_server WEB in_c tcp 80 python3 "$BED_DIR/server.py" echo 80
	# one connection that stays, with 5 bytes each way; one of a client of the host's loopback
	bed_bg TALK in_c python3 -c "$talk" "$PEER4" 7 hello
	bed_bg LOCAL bed_host python3 -c "$talk" 127.0.0.1 8080 local-one
}

talk='
import socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(sys.argv[3].encode())
got = b""
while len(got) < len(sys.argv[3]):
    got += s.recv(100)
time.sleep(600)'

teardown_file() {
	detach "$C" || true
	bed_remove
}

in_c() { bed_in "$C" "$@"; }
passt() { bed_user timeout 60 "$CNI_PASST" "$@"; }
field() { python3 -c 'import json, sys; o = json.load(sys.stdin)
for k in sys.argv[1].split("."):
    o = o[int(k) if isinstance(o, list) else k]
print(o)' "$1"; }
socket_of() { echo "$XDG/cni-passt/c$C@eth0/control.sock"; }

usage() { # usage WORDS ARGUMENT...: refused as wrong use, with one line that says so
	local words=$1
	shift
	run --separate-stderr passt "$@"
	same "status of $*" "$status" 2
	# shellcheck disable=SC2154
	[[ ${stderr_lines[0]} == *"$words"* ]] || die "of $*: $stderr"
	same "lines of $*" "${#stderr_lines[@]}" 1
	same "output of $*" "$output" ""
}

# what the daemon answers to LINE, as another program would ask
ask() { printf '%s\n' "$1" | bed_user timeout 20 socat -t 10 - "UNIX-CONNECT:$(socket_of)"; }

echoed() { [[ $(passt flows "c$C" --port 7) == *" 5 "*" 5 "* ]]; }
spliced() { [[ $(passt flows "c$C" --json) == *'"splice"'* ]]; }

@test "commands: flows shows each with its bytes, and filters" {
	bed_until 10 echoed || die "$(passt flows "c$C")"
	bed_until 10 spliced || die "$(passt flows "c$C")"
	run passt flows "c$C" --proto tcp --address "$PEER4"
	same "lines: $output" "${#lines[@]}" 2
	[[ ${lines[0]} == PROTO*STATE*PATH*CONTAINER*REMOTE*RETR ]] || die "$output"
	[[ ${lines[1]} =~ ^tcp\ +open\ +tap\ .*"$PEER4:7" ]] || die "$output"
	run passt flows "c$C" --port 8080
	[[ ${lines[1]} =~ ^tcp\ +open\ +splice,in ]] || die "$output"
	run passt flows "c$C" --address 2001:db8::/32
	same "lines of IPv6" "${#lines[@]}" 1
	run passt flows "c$C" --state closing
	same "lines of closing" "${#lines[@]}" 1
	json=$(passt flows "c$C" --json --port 7)
	same "bytes out" "$(field flows.0.tx_bytes <<< "$json")" 5
	same "bytes in" "$(field flows.0.rx_bytes <<< "$json")" 5
	same "retransmits" "$(field flows.0.retransmits <<< "$json")" 0
	[ "$(field flows.0.window <<< "$json")" -gt 1000 ]
	[ "$(field flows.0.own_window <<< "$json")" -gt 1000 ]
	same "inner address" "$(field flows.0.inner.address <<< "$json" | cut -d . -f 1)" 100
}

@test "commands: flows of UDP and ping, sorted by bytes" {
	in_c python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.sendto(b"x" * 1000, (sys.argv[1], 9))
s.recv(2000)
s.sendto(b"x" * 10, (sys.argv[1], 10))' "$PEER4"
	in_c ping -c 1 -W 10 "$PEER4" > /dev/null
	run passt flows "c$C" --sort rx
	[[ ${lines[1]} =~ ^udp\ +answered ]] || die "$output"
	[[ $output =~ udp\ +unanswered ]] || die "$output"
	[[ $output =~ ping\ +answered\ +tap ]] || die "$output"
	run passt flows "c$C" --proto udp --state answered --json
	same "bytes" "$(field flows.0.tx_bytes <<< "$output") $(field flows.0.rx_bytes <<< "$output")" "1000 1000"
	same "of the ping" "$(passt flows "c$C" --proto ping --json | field flows.0.rx_bytes)" 64
}

@test "commands: many flows, each once, while traffic goes on" {
	n=${BED_SHORT:+1000}
	n=${n:-10000}
	many() { # what the tap dropped is sent again
		in_c python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5555))
for i in range(int(sys.argv[2])):
    s.sendto(b"x", (sys.argv[1], 20000 + i))
    if i % 100 == 0:
        time.sleep(0.005)' "$PEER4" "$n"
		[ "$(passt stats "c$C" --json | field gauges.flows)" -gt "$n" ]
	}
	bed_until 60 many || die "$(passt stats "c$C")"
	begin=$(date +%s%N)
	passt flows "c$C" > /dev/null
	took=$((($(date +%s%N) - begin) / 1000000))	# some 40 ms (tests/bench/look); here the machine is busy
	[ "$took" -lt 3000 ] || die "$n flows took $took ms"
	json=$(passt flows "c$C" --proto udp --json)
	python3 -c '
import json, sys
flows = json.load(sys.stdin)["flows"]
ids = [f["id"] for f in flows]
assert len(set(ids)) == len(ids), "some are there twice"
ports = {f["remote"]["port"] for f in flows}
missing = [p for p in range(20000, 20000 + int(sys.argv[1])) if p not in ports]
assert not missing, f"{len(missing)} are missing"' "$n" <<< "$json"
	# the engine still carries
	in_c timeout 20 python3 -c "${talk/time.sleep(600)/}" "$PEER4" 7 still
	run bash -c "$(declare -f passt bed_user exec_or_run); passt flows c$C | head -2"
	same "status of a pipe that ends" "$status" 0
	same "lines" "${#lines[@]}" 2
}

@test "commands: stats counts by protocol and way, and tells it to prometheus" {
	run passt stats "c$C"
	same "status: $output" "$status" 0
	[[ ${lines[0]} =~ ^"c$C eth0: up "[0-9smh]+,\ cpu ]] || die "$output"
	[[ $output == *"flows "*" of 131072"*"held "*"reserved "* ]] || die "$output"
	[[ $output =~ tcp\ +[0-9]+\ +[0-9.]+[KM]?\ .*udp\ .*ping\ .*splice\ .*frames ]] || die "$output"
	json=$(passt stats "c$C" --json)
	[ "$(field counters.tcp_tx_bytes <<< "$json")" -ge 5 ]
	[ "$(field counters.tcp_rx_bytes <<< "$json")" -ge 5 ]
	[ "$(field counters.splice_bytes <<< "$json")" -ge 18 ]
	[ "$(field counters.splice_tx_bytes <<< "$json")" -ge 9 ]
	same "engine" "$(field gauges.engine_up <<< "$json")" True
	[ "$(field cpu_us <<< "$json")" -gt 0 ]
	run passt stats "c$C" --prometheus
	[[ $output == *"cni_passt_tcp_tx_bytes_total{container=\"c$C\",interface=\"eth0\"} "* ]] || die "$output"
	[[ $output == *"# TYPE cni_passt_flows gauge"* ]] || die "$output"
	python3 -c '
import re, sys
seen, name, told = set(), None, None
for line in sys.stdin:
    m = re.fullmatch(r"# HELP (\w+) \S.*\n", line)
    if m:
        told = m[1]
        continue
    m = re.fullmatch(r"# TYPE (\w+) (counter|gauge)\n", line)
    if m:
        name = m[1]
        assert name not in seen, f"{name} is there twice"
        assert name == told, f"{name} has no help"
        assert name.endswith("_total") == (m[2] == "counter"), line
        seen.add(name)
        continue
    m = re.fullmatch(r"(\w+)\{container=\"[^\"]*\",interface=\"[^\"]*\"\} (\d+(\.\d+)?)\n", line)
    assert m, line
    assert m[1] == name, line
assert {"cni_passt_up", "cni_passt_cpu_seconds_total", "cni_passt_uptime_seconds", "cni_passt_engine_up",
        "cni_passt_tcp_retransmits_total", "cni_passt_drop_wire_length_total"} <= seen' <<< "$output"
	same "without an id" "$(passt stats --prometheus | grep -c '^cni_passt_flows{')" 1
	# each second anew, until the reader goes
	run bash -c "$(declare -f passt bed_user exec_or_run); passt stats c$C --json --watch | head -2"
	same "lines of --watch" "${#lines[@]}" 2
	[ "$(field uptime_ms <<< "${lines[0]}")" -lt "$(field uptime_ms <<< "${lines[1]}")" ]
}

@test "commands: show says where each value came from" {
	run passt show "c$C"
	same "status: $output" "$status" 0
	[[ ${lines[0]} =~ ^container\ +"c$C"$ ]] || die "$output"
	[[ $output =~ udp.timeout\ +600\ +configuration ]] || die "$output"
	[[ $output =~ follow\ +true\ +default ]] || die "$output"
	[[ $output =~ via\ +direct\ +default ]] || die "$output"
	[[ $output =~ addresses\ +100\.[0-9.]+/32\ +private ]] || die "$output"
	[[ $output =~ mtu\ +1500\ +host ]] || die "$output"
	[[ $output =~ hostAddress\ +169.254.1.2\ +default ]] || die "$output"
	[[ $output =~ forward\ +tcp\ 8080:80\ +configuration ]] || die "$output"
	[[ $output =~ outer\ +h0\ +host ]] || die "$output"
	json=$(passt show "c$C" --json)
	[ -d "/proc/$(field engine_pid <<< "$json")" ]
	same "keys of the protocol" "$(grep -c '"ok"' <<< "$json")" 0
}

@test "commands: list, with one whose daemon is gone, and after an engine's death" {
	bed_container D
	attach "$D" > /dev/null
	main=$(passt show "c$D" --json | field pid)
	run passt list
	same "lines: $output" "${#lines[@]}" 3
	[[ $output =~ "c$C"\ +eth0\ +ok\ .*100\.[0-9.]+/32.*tcp/8080:80 ]] || die "$output"
	kill -9 "$main"
	bed_until 5 bed_gone "$main"
	run passt list
	[[ $output =~ "c$D"\ +eth0\ +gone ]] || die "$output"
	json=$(passt list --json)
	same "container" "$(field attachments.0.container <<< "$json")" "c$C"
	same "attachments" "$(grep -c '"health"' <<< "$json")" 1
	same "folders" "$(bed_state)" "c$C@eth0"
	bed_kill "$D"
	engine=$(passt show "c$C" --json | field engine_pid)
	kill -9 "$engine"
	restarted() { [ "$(passt stats "c$C" --json | field engine_restarts)" = 1 ]; }
	bed_until 10 restarted
	bed_until 10 in_c ping -c 1 -W 2 "$PEER4" > /dev/null
	[ "$(passt stats "c$C" --json | field counters.tcp_tx_bytes)" -ge 5 ]
}

@test "commands: wrong use is said in one line" {
	usage "the container's id is missing" show
	usage "the container's id is missing" stats
	usage "the container's id is missing" flows --json
	usage 'one word too many: more' show c more
	usage 'one word too many: x' list x
	usage 'one word too many: x' doctor x
	usage '"flow" is not a command; did you mean "flows"?' flow "c$C"
	usage '"chekc" is not a command; did you mean "CHECK"?' chekc
	usage '"frob" is not a command; see cni-passt --help' frob
	usage 'forward.tcp: "80:80/udp" has a protocol at its end: leave that out' forward "c$C" add tcp 80:80/udp
	usage '--port: "0" is not a port' flows "c$C" --port 0
	usage '--port: "80x" is not a port' flows "c$C" --port 80x
	usage '--port: "65536" is not a port' flows "c$C" --port 65536
	usage '--address: "nowhere" is neither an address nor a prefix' flows "c$C" --address nowhere
	usage '--proto: "sctp" is none of tcp udp ping' flows "c$C" --proto sctp
	usage '--state: "up" is none of' flows "c$C" --state up
	usage '--sort: "size" is none of' flows "c$C" --sort size
	usage 'an option that another command has was given to list' list --watch
	usage 'an option that another command has was given to flows' flows "c$C" --prometheus
	usage '--prometheus goes with neither' stats "c$C" --prometheus --json
	run --separate-stderr passt show nobody
	same "status of nobody" "$status" 1
	same "error of nobody" "$stderr" 'cni-passt: no attachment of "nobody" here'
}

@test "control: JSON lines for other programs, several on one connection" {
	same "version" "$(ask '{"v":1,"do":"show"}' | field v)" 1
	run ask $'{"v":1,"do":"stats"}\n{"v":1,"do":"forward-list"}\n{"v":1,"do":"flows","from":0}'
	same "answers" "${#lines[@]}" 3
	same "rules" "$(field rules.0.rule <<< "${lines[1]}")" 8080:80
	same "ok" "$(field ok <<< "${lines[2]}")" True
	same "added" "$(ask '{"v":1,"do":"forward-add","protocol":"tcp","rule":"8081:80"}' | field rules.0.listeners)" 1
	same "deleted" "$(ask '{"v":1,"do":"forward-del","protocol":"tcp","rule":"8081:80"}' | field ok)" True
	for bad in '' 'x' '[]' '{}' '{"v":2,"do":"show"}' '{"v":1,"do":"end"}' '{"v":1,"do":"show","x":1}' \
		'{"v":1,"do":["show"]}' '{"v":1,"do":"forward-add","protocol":"tcp","rule":"80:x"}'; do
		run ask "$bad"
		same "ok of $bad: $output" "$(field ok <<< "$output")" False
		[ -n "$(field error <<< "$output")" ]
	done
}

@test "control: hostile clients cost nothing" {
	BED_OUT=$BED_DIR/tmp/hostile bed_bg HOSTILE bed_user python3 -c '
import socket, sys, time
def new():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(5)
    while True:
        try:
            s.connect(sys.argv[1])
            return s
        except BlockingIOError:     # too many wait already
            time.sleep(0.01)
keep = []
for i in range(30):               # silent ones, half a line, far too much, never reading
    s = new()
    keep.append(s)
    try:
        if i % 3 == 1:
            s.sendall(b"{\"v\":1,")
        elif i % 3 == 2:
            s.sendall(b"{\"v\":1,\"do\":\"stats\"}\n" * 2000)
    except OSError:
        pass
s = new()
s.sendall(b"x" * 1500)
assert b"longer than" in s.recv(1000)
print("done", flush=True)
time.sleep(600)' "$(socket_of)"
	bed_until 20 grep -q "done" "$BED_DIR/tmp/hostile" || die "$(cat "$BED_DIR/tmp/hostile")"
	same "stats meanwhile" "$(passt stats "c$C" --json | field interface)" eth0
	in_c timeout 20 python3 -c "${talk/time.sleep(600)/}" "$PEER4" 7 still
	bed_kill "$HOSTILE"
	same "stats afterwards" "$(passt stats "c$C" --json | field interface)" eth0
}

@test "doctor: a machine that works, and the way out of a container" {
	run passt doctor
	same "status: $output" "$status" 0
	[[ $output =~ ok\ +tun\ .*ok\ +userns\ .*ok\ +daemon\ .*ok\ +trial ]] || die "$output"
	run passt doctor --pid "$C"
	same "status: $output" "$status" 0
	[[ $output =~ ok\ +attachment\ +"c$C@eth0" ]] || die "$output"
	[[ $output =~ ok\ +engine\ .*ok\ +interface\ .*ok\ +outside ]] || die "$output"
	[[ $output =~ ok\ +route\ .*ok\ +ports\ .*"each listens" ]] || die "$output"
	[[ $output == *"names        the DNS forwarder at 169.254.1.1 answers inside"* ]] || die "$output"
	[[ $output == *"UDP_GRO"*"tap "*"offloads: "*"pidfd"*"seccomp"*"broker"* ]] || die "$output"
	same "works" "$(passt doctor --json | field works)" True
	# each finding that is not well says why and what mends it
	same "without a why or a mend" "$(passt doctor --json | jq -c '.findings[] | select(.level != "ok" and (.why == null or .mend == null))')" ""
	[[ $(passt doctor) =~ ok\ +network\ +"packets find a way out, by IPv4 and IPv6" ]] || die "$(passt doctor)"
	# no interface but lo: an ADD works, and leads nowhere
	run bed_user unshare -rn "$CNI_PASST" doctor
	same "status without a network: $output" "$status" 0
	[[ $output =~ note\ +network\ +"no route leads out of here".*"why: ".*"mend: bring an interface up".*ok\ +trial ]] ||
		die "$output"
	run passt doctor --netns /proc/self/ns/pid
	same "status of no network namespace" "$status" 1
	[[ $output =~ FAIL\ +namespace ]] || die "$output"
	run passt doctor --pid $$
	same "status of a namespace that has none of ours" "$status" 1
	in_c ip link set eth0 down
	run passt doctor --pid "$C"
	same "status of an interface that is down" "$status" 1
	[[ $output =~ FAIL\ +interface ]] || die "$output"
	in_c ip link set eth0 up
}

@test "doctor: what is missing, why it matters, what mends it" {
	bed_real_root || skip "only root can take the tun device or namespaces away"
	# shellcheck disable=SC2016
	run bed_host unshare -m bash -c 'mount -t tmpfs none /dev/net && exec setpriv --reuid "$1" \
		--regid "$1" --clear-groups --inh-caps=-all env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$2" \
		"$3" doctor' bash "$BED_UID" "$XDG" "$CNI_PASST"
	same "status without tun: $output" "$status" 1
	[[ $output =~ FAIL\ +tun\ .*"why: ".*"mend: modprobe tun" ]] || die "$output"
	[[ $output =~ FAIL\ +trial ]] || die "$output"
	[[ ${lines[-1]} == "cni-passt: doctor: 2 of the findings keep it from working" ]] || die "$output"
	# shellcheck disable=SC2016
	run bed_host unshare -m bash -c 'mount -t tmpfs -o dev none /dev/net && mknod -m 0600 /dev/net/tun c 10 200 &&
		exec setpriv --reuid "$1" --regid "$1" --clear-groups --inh-caps=-all env -i PATH=/usr/bin:/bin \
		XDG_RUNTIME_DIR="$2" "$3" doctor' bash "$BED_UID" "$XDG" "$CNI_PASST"
	same "status of a tun device that is closed: $output" "$status" 1
	[[ $output =~ FAIL\ +tun\ .*"Permission denied".*"why: ".*"mend: chmod 0666 /dev/net/tun" ]] || die "$output"
	[[ $output =~ FAIL\ +trial ]] || die "$output"
	# the limit of a user namespace of its own, so that the machine's stays
	bed_bg U bed_host unshare -U sleep 60
	bed_until 3 bed_contained "$U"
	echo "0 0 4294967295" > "/proc/$U/uid_map"
	echo "0 0 4294967295" > "/proc/$U/gid_map"
	# shellcheck disable=SC2016
	run bed_host nsenter -t "$U" -U bash -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --reuid "$1" \
		--regid "$1" --clear-groups --inh-caps=-all env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$2" "$3" doctor' \
		bash "$BED_UID" "$XDG" "$CNI_PASST"
	bed_kill "$U"
	same "status without user namespaces: $output" "$status" 1
	[[ $output =~ FAIL\ +userns\ .*"user.max_user_namespaces is 0".*"why: ".*"mend: sysctl -w user.max_user_namespaces" ]] || die "$output"
	[[ $output =~ FAIL\ +trial ]] || die "$output"
	# clients and what each would use: a folder of its own stands for the home
	mkdir -p "$BED_DIR/tmp/.config/cni/net.d"
	cp "$BED_DIR/cni-passt-podman-rootless.conflist" "$BED_DIR/tmp/.config/cni/net.d/"
	if command -v podman > /dev/null; then
		run passt doctor
		[[ $output =~ ok\ +podman\ .*" uses network "[a-z-]+" of "[^\ ]*"/tmp/.config/cni/net.d/cni-passt-podman-rootless.conflist, with --network" ]] || die "$output"
	fi
	rm -r "$BED_DIR/tmp/.config"
	bed_bg BROKER bed_user "$CNI_PASST" broker
	broker() { [[ $(passt doctor) == *"broker       it answers, version "*" from this network namespace"* ]]; }
	bed_until 5 broker || die "$(passt doctor)"
	bed_kill "$BROKER"
	cp "$CORE" "$BED_DIR/tmp/other"
	printf '#!/bin/sh\necho cni-passt-core 9.9\n' > "$BED_DIR/tmp/other"
	chmod 0755 "$BED_DIR/tmp/other"
	run bed_user env CNI_PASST_CORE="$BED_DIR/tmp/other" "$CNI_PASST" doctor
	same "status of another version" "$status" 1
	[[ $output =~ FAIL\ +daemon\ .*"is of version 9.9, this is" ]] || die "$output"
	run bed_user env CNI_PASST_CORE=/nonexistent "$CNI_PASST" doctor
	same "status without a core" "$status" 1
	[[ $output =~ FAIL\ +daemon\ .*CNI_PASST_CORE ]] || die "$output"
}
