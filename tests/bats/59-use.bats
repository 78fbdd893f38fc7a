#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck disable=SC2016,SC2154 # what the inner shell is to expand; variables of `run`
# The commands as they are used: in pipes, on narrow terminals, with nothing there, with a
# daemon that hangs, by several at once, by another user; every option; what is said of wrong
# use; completion; the examples of conf/.

load bed
load expect

bats_require_minimum_version 1.5.0

setup_file() {
	bed_make
	bed_server WEB bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
	bed_server SINK bed_peer udp 9 python3 "$BED_DIR/server.py" udp-echo 9
	bed_container C
	export C
}

teardown_file() {
	detach "$C" web || true
	bed_remove
}

passt() { bed_user timeout 60 "$CNI_PASST" "$@"; }
in_c() { bed_in "$C" "$@"; }
have_web() { [ -d "$XDG/cni-passt/web@eth0" ] || attach "$C" web > /dev/null; }
ms() { echo $(($(date +%s%N) / 1000000)); }

# on_terminal COLUMNS WORDS...: as it looks on a terminal so wide
on_terminal() {
	local columns=$1
	shift
	bed_user script -qec "stty cols $columns rows 24; $CNI_PASST $*" /dev/null < /dev/null | tr -d '\r'
}

@test "with no attachments: an empty list, no id, nothing to tell" {
	run --separate-stderr passt list
	same "status" "$status" 0
	same "list" "$(wc -l <<< "$output") ${output%% *}$stderr" "1 CONTAINER"
	same "as JSON" "$(passt list --json | jq -c .)" '{"attachments":[]}'
	run --separate-stderr passt stats --prometheus
	same "prometheus" "$status$output$stderr" 0
	for verb in show stats flows capture; do
		run --separate-stderr passt $verb web
		same "$verb" "$status$output$stderr" '1cni-passt: no attachment of "web" here'
	done
}

@test "each list of conf/ that needs no IPAM makes an attachment as it stands" {
	for list in 99-cni-passt cni-passt-ports cni-passt-ipv6; do
		passt ADD --pid "$C" --container-id "$list" --conf "$BED_DIR/$list.conflist" > "$BED_DIR/tmp/result"
		[ "$(jq '.ips | length' "$BED_DIR/tmp/result")" -ge 1 ] || die "$(cat "$BED_DIR/tmp/result")"
		passt CHECK --pid "$C" --container-id "$list" --conf "$BED_DIR/$list.conflist" < /dev/null
		in_c ping -6 -c 1 -W 5 "$PEER6" > /dev/null
		[ $list = cni-passt-ipv6 ] || in_c ping -c 1 -W 5 "$PEER4" > /dev/null
		passt DEL --container-id "$list" --conf "$BED_DIR/$list.conflist"
	done
	# the others have a test with the engine that they are for
	for list in "$BED_DIR"/*.conflist; do
		case ${list##*/} in
		99-cni-passt.* | cni-passt-ports.* | cni-passt-ipv6.*) ;;
		*) grep -qE "${list##*/}|cni-passt-podman\*" "$BATS_TEST_DIRNAME"/*.bats || die "no test uses ${list##*/}" ;;
		esac
	done
}

@test "in pipes: nothing is cut, no escapes, an end of the reader is quiet" {
	have_web
	in_c timeout 5 bash -c 'for i in {1..300}; do echo x > /dev/udp/'"$PEER4"'/$((30000 + i)); done'
	for words in list "show web" "stats web" "flows web" "forward web list" doctor "flows web --json" "stats --prometheus"; do
		# shellcheck disable=SC2086
		passt $words > "$BED_DIR/tmp/out" || die "$words"
		! grep -q $'\033' "$BED_DIR/tmp/out" || die "$words has escapes"
		# shellcheck disable=SC2086
		run --separate-stderr bash -c "$(declare -f passt bed_user exec_or_run); passt $words | true; echo \${PIPESTATUS[0]}"
		[[ $output == 0 || $output == 141 ]] || die "$words in a pipe that ends: $output"
		same "what $words says then" "$stderr" ""
	done
	passt flows web > "$BED_DIR/tmp/out"
	[ "$(wc -l < "$BED_DIR/tmp/out")" -ge 301 ] || die "flows are missing"
	same "flows with other ends than there are" "$(sed 1d "$BED_DIR/tmp/out" | grep -c "$PEER4:30")" 300
	# no room for it is an error
	run --separate-stderr bash -c "$(declare -f passt bed_user exec_or_run); passt flows web > /dev/full"
	same "status of a full disk" "$status" 1
	[[ $stderr == "cni-passt: stdout: No space left on device" ]] || die "$stderr"
	run -0 bash -c "$(declare -f passt bed_user exec_or_run); passt flows web --watch | head -3 | wc -l"
	same "lines of --watch" "$output" 3
}

@test "on a terminal: as wide as it is, the least important columns go first" {
	have_web
	for columns in 40 80 132 200; do
		run on_terminal $columns flows web
		same "wider than $columns" "$(awk -v n=$columns 'length > n' <<< "$output" | wc -l)" 0
		[ "${#lines[@]}" -gt 1 ] || die "nothing: $output"
	done
	run on_terminal 200 flows web
	[[ ${lines[0]} == PROTO*STATE*PATH*CONTAINER*REMOTE*AGE*IDLE*OUT*IN*WINDOW*RTT*RETR ]] || die "$output"
	run on_terminal 80 flows web
	[[ ${lines[0]} == PROTO*STATE*CONTAINER*REMOTE*IN && ${lines[0]} != *WINDOW* ]] || die "$output"
	[[ ${lines[1]} == *"$PEER4:"* ]] || die "$output"
	run on_terminal 60 list
	[[ ${lines[0]} == CONTAINER*HEALTH*ADDRESSES* && ${lines[0]} != *RESTARTS* ]] || die "$output"
	run on_terminal 0 list		# one that does not know its width
	[[ ${lines[0]} == *PORTS ]] || die "$output"
}

@test "names beyond ASCII, and with control characters" {
	bed_container D
	path=$BED_DIR/tmp/$'n\xc3\xbcrnberg\x1b[31m'
	log=$BED_DIR/tmp/$'pr\xc3\xbcfung.log'
	bed_user ln -s "/proc/$D/ns/net" "$path"
	jq -n --arg log "$log" '{cniVersion: "1.0.0", name: "n", type: "cni-passt", log: {target: $log}}' > "$BED_DIR/tmp/conf"
	passt ADD --netns "$path" --container-id umlaut --conf "$BED_DIR/tmp/conf" > /dev/null
	[ -s "$log" ] || die "no log"
	run passt show umlaut
	[[ $output == *$'namespace  '"$BED_DIR"$'/tmp/n\xc3\xbcrnberg?[31m'* ]] || die "$output"
	[[ $output != *$'\033'* ]] || die "an escape came through"
	[[ $output =~ log.target\ +"$log"\ +configuration ]] || die "$output"
	same "as JSON" "$(passt show umlaut --json | jq -r .netns)" "$path"
	passt DEL --container-id umlaut
	bed_kill "$D"
}

@test "a daemon that hangs: list says so in a bounded time, the others fail with a line" {
	have_web
	for i in 1 2 3; do
		bed_container D$i
		n=D$i
		attach "${!n}" "hang$i" > /dev/null
		kill -STOP "$(passt show "hang$i" --json | jq .pid)"
	done
	begin=$(ms)
	run -0 passt list
	took=$(($(ms) - begin))
	same "silent ones" "$(grep -c '^hang[123] .* silent ' <<< "$output")" 3
	[[ $output =~ web\ +eth0\ +ok ]] || die "$output"
	[ "$took" -lt $((6000 * BED_PATIENCE)) ] || die "it took $took ms"
	run -0 passt stats --prometheus
	same "up" "$(grep -c '^cni_passt_up{.* 0$' <<< "$output") $(grep -c '^cni_passt_up{.* 1$' <<< "$output")" "3 1"
	pids=()		# all at once: each waits for its 5 s
	for words in "show hang1" "stats hang1" "flows hang2" "forward hang2 list" "capture hang3 -w $BED_DIR/tmp/no"; do
		# shellcheck disable=SC2086
		passt $words > "$BED_DIR/tmp/said.${#pids[@]}" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		! wait "$pid" || die "one of them worked"
	done
	same "what they say" "$(cat "$BED_DIR"/tmp/said.* | sort | uniq -c | xargs)" "5 cni-passt: the daemon did not answer in time"
	# who waits on a terminal is told for what
	[[ $(on_terminal 80 show hang1) == *"waiting for the daemon"*"did not answer in time"* ]] || die "nothing is said meanwhile"
	run passt doctor --pid "$D1"
	[[ $status == 1 && $output =~ FAIL\ +daemon\ .*"did not answer in time" ]] || die "$output"
	for i in 1 2 3; do
		n=D$i
		detach "${!n}" "hang$i"
		bed_kill "${!n}"
	done
	same "left" "$(bed_state)" web@eth0
}

@test "an engine that hangs: counters are told, flows say why not" {
	have_web
	engine=$(passt show web --json | jq .engine_pid)
	kill -STOP "$engine"
	run -0 passt stats web --json
	same "engine" "$(jq -c '[.gauges | .engine_up, .engine_hung]' <<< "$output")" "[false,true]"
	[[ $(passt stats web) == *"flows unknown: the engine runs and does not answer"* ]] || die "$(passt stats web)"
	same "health" "$(passt list --json | jq -r '.attachments[] | select(.container == "web").health')" hung
	run --separate-stderr passt flows web
	same "flows" "$status$output" 1
	[[ $stderr == "cni-passt: the engine does not answer: process $engine is stopped, or gets no CPU"*"kill -CONT $engine"* ]] || die "$stderr"
	kill -CONT "$engine"
	again() { passt flows web > /dev/null; }
	bed_until 5 again
}

@test "several at once: changes and listings, each right" {
	have_web
	pids=()
	for i in {1..6}; do
		for _ in 1 2 3; do
			passt flows web --json | jq -e '.flows | length >= 0' > /dev/null || echo "flows $i" >> "$BED_DIR/tmp/bad"
			passt stats web --json | jq -e .counters > /dev/null || echo "stats $i" >> "$BED_DIR/tmp/bad"
			passt forward web add tcp "900$i:80" > /dev/null || echo "add $i" >> "$BED_DIR/tmp/bad"
			passt forward web del tcp "900$i:80" > /dev/null || echo "del $i" >> "$BED_DIR/tmp/bad"
		done &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ ! -s "$BED_DIR/tmp/bad" ] || die "$(cat "$BED_DIR/tmp/bad")"
	same "rules left" "$(passt forward web list --json | jq length)" 0
}

@test "another user gets a plain line, and nothing else" {
	bed_real_root || skip "there is one user only"
	have_web
	other() { bed_host setpriv --reuid 61235 --regid 61235 --clear-groups env -i PATH=/usr/bin:/bin XDG_RUNTIME_DIR="$XDG" "$CNI_PASST" "$@"; }
	for words in list "show web" "stats web" "flows web" "forward web list" "forward web add tcp 9009:80" "capture web -w /dev/null" "stats --prometheus"; do
		# shellcheck disable=SC2086
		run --separate-stderr other $words
		same "status of $words" "$status" 1
		same "output of $words" "$output" ""
		[[ ${#stderr_lines[@]} == 1 && $stderr == "cni-passt: "*"belongs to user $BED_UID, not 61235"* ]] || die "$words: $stderr"
	done
	# root is heard by the socket
	same "root" "$(echo '{"v":1,"do":"show"}' | socat -t 5 - "UNIX-CONNECT:$XDG/cni-passt/web@eth0/control.sock" | jq .ok)" true
	same "another" "$(echo '{"v":1,"do":"show"}' | setpriv --reuid 61235 --regid 61235 --clear-groups \
		socat -t 5 - "UNIX-CONNECT:$XDG/cni-passt/web@eth0/control.sock" 2> /dev/null)" ""
}

@test "control: random bytes, cut and crossed requests, for a while" {
	have_web
	bed_user timeout 60 python3 -c '
import json, random, socket, sys
random.seed(7)
words = [b"{", b"}", b"\"v\":1", b"\"do\":\"stats\"", b"\"do\":\"flows\"", b"\"from\":", b"4294967295", b"-1", b"1e9", b",", b"\n",
         b"\"do\":\"capture\"", b"\"count\":1", b"\"do\":\"forward-add\"", b"\"rule\":\"", b"\"protocol\":\"tcp\"", b"\\u0000", b"\xff\xfe", b"[" * 50]
answers = 0
for i in range(400):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(2)
    s.connect(sys.argv[1])
    if i % 3 == 0:
        data = bytes(random.randrange(256) for _ in range(random.randrange(3000)))
    else:
        data = b"".join(random.choice(words) for _ in range(random.randrange(60)))
    try:
        for at in range(0, len(data), 700):
            s.sendall(data[at:at + 700])
        s.shutdown(socket.SHUT_WR)
        got = b""
        while chunk := s.recv(65536):
            got += chunk
    except OSError:
        pass
    for line in got.split(b"\n")[:-1]:
        if line.startswith(b"{"):
            o = json.loads(line)
            assert o["v"] == 1 and (o["ok"] or o["error"]), line
            answers += 1
    s.close()
assert answers > 300, answers' "$XDG/cni-passt/web@eth0/control.sock"
	same "restarts" "$(passt stats web --json | jq '.engine_restarts + .nsagent_restarts')" 0
	passt stats web > /dev/null
	in_c ping -c 1 -W 5 "$PEER4" > /dev/null
}

@test "every option of each command does what it says" {
	have_web
	in_c timeout 20 python3 -c '
import socket, sys
t = socket.create_connection((sys.argv[1], 7)); t.sendall(b"x"); t.recv(1)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(9); u.sendto(b"abc", (sys.argv[1], 9)); u.recv(9)
import subprocess
ends = lambda *a: [(f["protocol"], f["remote"]["port"]) for f in __import__("json").loads(
    subprocess.run(["cat", sys.argv[2]], capture_output=True).stdout)["flows"]]
open(sys.argv[2] + ".ready", "w"); sys.stdin.read()' "$PEER4" "$BED_DIR/tmp/x" < <(sleep 4) &
	inside=$!
	bed_until 5 [ -e "$BED_DIR/tmp/x.ready" ]
	flows() { passt flows web --json "$@" | jq -c '[.flows[] | [.protocol, .remote.port]] | unique'; }
	same "--port" "$(flows --port 7)" '[["tcp",7]]'
	same "--proto" "$(flows --proto tcp --state open)" '[["tcp",7]]'
	same "--state" "$(flows --state answered --port 9)" '[["udp",9]]'
	same "--path" "$(flows --path splice) $(flows --path relay) $(flows --path tap --port 9)" '[] [] [["udp",9]]'
	same "--address" "$(flows --address 192.0.2.0/24) $(flows --address "$PEER4" --port 7)" '[] [["tcp",7]]'
	for by in age idle tx rx window rtt retransmits container remote; do
		passt flows web --sort $by > /dev/null || die "--sort $by"
	done
	same "--sort" "$(passt flows web --sort rx --json | jq -c '[.flows[].rx_bytes] | . == (sort | reverse)')" true
	same "--sort remote" "$(passt flows web --sort remote --json | jq -c '[.flows[] | .remote.port] | . == sort')" true
	wait $inside
	same "stats --json" "$(passt stats web --json | jq -r .interface)" eth0
	same "ID/ifname" "$(passt show web/eth0 --json | jq -r .container)" web
	same "a prefix" "$(passt show w --json | jq -r .container)" web
	same "--version" "$(passt --version | cut -d ' ' -f 1)" cni-passt
	same "--help" "$(passt --help | head -1)" "Usage: cni-passt ADD|DEL|CHECK|GC|STATUS|VERSION [option...]"
	passt STATUS
	passt GC
	same "VERSION" "$(passt VERSION | jq -r '.supportedVersions[-1]')" 1.1.0
	passt doctor --netns "/proc/$C/ns/net" > /dev/null
}

@test "wrong use of each command: exit 2, one line on standard error, nothing else" {
	have_web
	misused() { # misused WORDS ARGUMENT...
		local words=$1
		shift
		run --separate-stderr passt "$@"
		same "status of $*: $stderr" "$status" 2
		[[ ${#stderr_lines[@]} == 1 && $stderr == *"$words"* && -z $output ]] || die "$*: $output$stderr"
	}
	misused 'no command given' --json
	misused '"frob" is not a command' frob
	misused 'one word too many: x' list x
	misused 'one word too many: x' STATUS x
	misused 'one word too many: x' broker x
	misused 'id is missing' show
	misused 'one word too many: b' stats a b
	misused 'one word too many: b' flows a b
	misused 'one word too many: b' capture a b
	misused 'too few or too many words' forward web
	misused 'neither list, add nor del' forward web frob tcp 80
	misused 'neither tcp nor udp' forward web add sctp 80
	misused 'forward.tcp: "80:x"' forward web add tcp 80:x
	misused 'too few or too many words' forward web list more
	misused '--pid: "x" is not a process id' doctor --pid x
	misused '--pid: "0" is not a process id' doctor --pid 0
	misused '--netns and --pid' doctor --pid 1 --netns /proc/1/ns/net
	misused 'ADD needs --netns or --pid' ADD --container-id a --conf /dev/null
	misused 'DEL needs --container-id' DEL
	misused '--path: "frob" is none of' flows web --path frob
	misused 'an option that another command has' list --watch
	misused 'an option that another command has' show web --port 1
	misused 'an option that another command has' stats web --path tap
	misused 'an option that another command has' flows web --count 1
	misused 'an option that another command has' doctor --snap 100
	for option in netns pid container-id ifname conf port address proto state path sort write count size snap direction listen; do
		misused "option '--$option' requires an argument" list --$option
	done
	misused "unrecognized option '--frob'" list --frob
	misused "option '--json' doesn't allow an argument" list --json=1
}

@test "completion by real shells: commands, options, their words, ids" {
	have_web
	mkdir -p "$BED_DIR/tmp/completion"
	cp "$BATS_TEST_DIRNAME"/../../conf/completion/* "$BED_DIR/tmp/completion/"
	for shell in bash zsh; do
		script=$BED_DIR/tmp/completion/cni-passt
		[ $shell = bash ] || script=$BED_DIR/tmp/completion/_cni-passt
		run bed_user python3 "$BED_DIR/complete.py" $shell "$script" "cni-passt ca" "cni-passt show w" \
			"cni-passt flows web --sta" "cni-passt flows web --state clo" "cni-passt flows web --path re" \
			"cni-passt forward web a" "cni-passt forward w" "cni-passt DEL --container-id w" "cni-passt capture web --di"
		same "$shell" "$(printf '%s\n' "${lines[@]% }")" "cni-passt capture
cni-passt show web
cni-passt flows web --state
cni-passt flows web --state closing
cni-passt flows web --path relay
cni-passt forward web add
cni-passt forward web
cni-passt DEL --container-id web
cni-passt capture web --direction"
	done
	# no option or command is forgotten
	for word in $(passt --help | grep -oE -- '--[a-z-]+' | sort -u) list show stats flows forward capture doctor broker; do
		case $word in --filter-proto) continue ;; esac
		grep -q -- "$word" "$BED_DIR/tmp/completion/cni-passt" || die "bash does not know $word"
		grep -q -- "$word" "$BED_DIR/tmp/completion/_cni-passt" || die "zsh does not know $word"
	done
}
