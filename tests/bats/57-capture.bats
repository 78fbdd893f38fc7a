#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# shellcheck disable=SC2016,SC2154 # what the inner shell is to expand; variables of `run`
# cni-passt capture: frames of a running attachment, as tshark reads them.

bats_require_minimum_version 1.5.0

load bed
load expect

setup_file() {
	bed_make
	head -c 1M /dev/urandom > "$BED_DIR/www/file"
	bed_server FILE bed_peer tcp 80 socat -U TCP4-LISTEN:80,fork,reuseaddr OPEN:"$BED_DIR/www/file",rdonly
	bed_server ECHO bed_peer udp 7 socat UDP4-LISTEN:7,fork,reuseaddr EXEC:cat
	bed_container C
	attach "$C" cap > /dev/null
	export C
}

teardown_file() {
	detach "$C" cap
	bed_remove
}

capture() { bed_user "$CNI_PASST" capture "$@"; }
in_c() { bed_in "$C" "$@"; }
fetch() { in_c timeout 20 socat -u "TCP:$PEER4:80" - | sum; }
ping_once() { in_c ping -c 1 -W 5 "$PEER4" > /dev/null; }
captures() { [ "$(bed_user "$CNI_PASST" stats cap --json | jq .gauges.captures)" = "$1" ]; }
# rows FILE FILTER: how many frames tshark finds (the file's bytes are by chance: no HTTP)
rows() { tshark -r "$1" -d tcp.port==80,data -Y "$2" 2> /dev/null | wc -l; }
# What came of the file, by the headers
file_bytes() {
	tshark -r "$1" -d tcp.port==80,data -Y "ip.src == $PEER4 && tcp.srcport == 80 && !tcp.analysis.retransmission" \
		-T fields -e tcp.len 2> /dev/null | awk '{ n += $1 } END { print n }'
}

# began FILE ARGUMENT...: a capture into FILE, under way; its process in CAP, what it says in FILE.says
began() {
	local file=$1
	shift
	BED_OUT=$file.says bed_bg CAP capture cap -w "$file" "$@"
	bed_until 5 captures 1
}

# ended [SIGNAL]: ends it, as Ctrl-C does
ended() {
	kill "-${1-INT}" "$CAP"
	bed_until 5 bed_gone "$CAP"
	wait "$CAP" || true
	rm -f "$BED_DIR/pids/$CAP"
	bed_until 5 captures 0
}

@test "into a file: every frame of a transfer, super-frames marked, bytes that match" {
	began "$BED_DIR/tmp/1"
	same "what came" "$(fetch)" "$(sum < "$BED_DIR/www/file")"
	ping_once
	ended
	file=$BED_DIR/tmp/1
	same "mode" "$(stat -c %a "$file")" 600
	same "malformed" "$(rows "$file" _ws.malformed)" 0
	same "bytes of the file" "$(file_bytes "$file")" 1048576
	same "requests" "$(rows "$file" 'icmp.type == 8')" 1
	[ "$(rows "$file" 'frame.comment contains "super-frame"')" -gt 10 ] || die "no frame is marked"
	same "large frames not marked" "$(rows "$file" 'frame.len > 1514 && !frame.comment')" 0
	same "interface" "$(tshark -r "$file" -c 1 -T fields -e frame.interface_name 2> /dev/null)" eth0
	same "description" "$(tshark -r "$file" -c 1 -T fields -e frame.interface_description 2> /dev/null)" "container cap"
	capinfos "$file" | grep -q 'attachment cap/eth0' || die "no comment: $(capinfos "$file")"
	# what is told is what is there
	n=$(rows "$file" frame)
	grep -q "$n frames.*$n of $n passed the filter; 0 dropped" "$file.says" || die "says: $(cat "$file.says"), there are $n"
	# the container's view: what it sends is outbound
	same "direction" "$(rows "$file" 'icmp.type == 8 && frame.packet_flags_direction == 2')" 1
}

@test "to standard output, read as it comes" {
	bed_bg T bash -c 'exec > "$1" 2> /dev/null; shift; "$@" | tshark -l -r - -T fields -e icmp.type; echo "${PIPESTATUS[0]}"' bash \
		"$BED_DIR/tmp/2" nsenter --net="/run/netns/$HOST" env XDG_RUNTIME_DIR="$XDG" setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups \
		"$CNI_PASST" capture cap --proto icmp -c 2
	bed_until 5 captures 1
	ping_once
	bed_until 10 bed_gone "$T"
	same "types" "$(xargs < "$BED_DIR/tmp/2")" "8 0 0"	# request, reply, exit status
}

@test "filters: protocol, port, address, direction; snap length" {
	began "$BED_DIR/tmp/3" --filter-proto udp
	ping_once
	in_c sh -c 'echo hi | socat -T 0.5 - UDP4:'"$PEER4"':7' | grep -q hi
	fetch > /dev/null
	ended TERM
	same "udp" "$(rows "$BED_DIR/tmp/3" udp)" 2
	same "all" "$(rows "$BED_DIR/tmp/3" frame)" 2

	began "$BED_DIR/tmp/4" --port 80 --direction out
	ping_once
	fetch > /dev/null
	ended
	[ "$(rows "$BED_DIR/tmp/4" 'tcp.dstport == 80')" -gt 5 ] || die "nothing"
	same "others" "$(rows "$BED_DIR/tmp/4" '!(tcp.dstport == 80)')" 0

	began "$BED_DIR/tmp/5" --address 203.0.113.1/32 --proto icmp
	in_c ping -c 1 -W 5 203.0.113.1 > /dev/null
	ping_once
	ended
	same "echo of that address" "$(rows "$BED_DIR/tmp/5" 'icmp && ip.addr == 203.0.113.1')" 2
	same "all" "$(rows "$BED_DIR/tmp/5" frame)" 2

	began "$BED_DIR/tmp/6" --snap 96 --proto tcp
	fetch > /dev/null
	ended
	same "longer ones" "$(rows "$BED_DIR/tmp/6" 'frame.cap_len > 96')" 0
	same "bytes, by the original lengths" "$(file_bytes "$BED_DIR/tmp/6")" 1048576
	[ "$(rows "$BED_DIR/tmp/6" 'frame.len > 1514')" -gt 5 ] || die "original lengths are lost"

	in_c ip neigh flush all
	began "$BED_DIR/tmp/7" --proto arp
	ping_once
	ended
	same "not arp" "$(rows "$BED_DIR/tmp/7" '!arp')" 0
	[ "$(rows "$BED_DIR/tmp/7" arp)" -ge 2 ] || die "no arp"
}

@test "count and size end it, with whole blocks" {
	began "$BED_DIR/tmp/8" -c 3
	in_c ping -c 5 -i 0.2 -W 5 "$PEER4" > /dev/null
	bed_until 5 bed_gone "$CAP"
	same "frames" "$(rows "$BED_DIR/tmp/8" frame)" 3
	began "$BED_DIR/tmp/9" --size 256K
	fetch > /dev/null
	bed_until 5 bed_gone "$CAP"
	size=$(stat -c %s "$BED_DIR/tmp/9")
	[ "$size" -le 262144 ] && [ "$size" -gt 131072 ] || die "$size bytes"
	same "errors" "$(tshark -r "$BED_DIR/tmp/9" 2>&1 > /dev/null | grep -vc 'Running as user')" 0
	bed_until 5 captures 0
}

@test "an engine's death does not end it, nor tear a frame" {
	began "$BED_DIR/tmp/10"
	bed_bg LOAD bed_in "$C" socat -u "TCP:$PEER4:80" OPEN:/dev/null
	kill -9 "$(bed_engine "$C")"
	bed_until 5 ping_once
	ended
	same "malformed" "$(rows "$BED_DIR/tmp/10" _ws.malformed)" 0
	[ "$(rows "$BED_DIR/tmp/10" 'icmp.type == 0')" -ge 1 ] || die "nothing after the death"
	same "errors" "$(tshark -r "$BED_DIR/tmp/10" 2>&1 > /dev/null | grep -vc 'Running as user')" 0
}

@test "who does not read loses frames, counted, and slows nothing" {
	mkfifo "$BED_DIR/tmp/slow"
	chown "$BED_UID:$BED_GID" "$BED_DIR/tmp/slow"
	bed_bg HOLD bash -c 'exec < "$1"; kill -STOP $$; exec cat > "$2"' bash "$BED_DIR/tmp/slow" "$BED_DIR/tmp/11"
	began "$BED_DIR/tmp/slow"
	for _ in {1..32}; do		# twice what waits for it at most
		same "what came" "$(fetch)" "$(sum < "$BED_DIR/www/file")"
	done
	kill -CONT "$HOLD"
	# once it reads again, the next frame says how many are not there, and so does the end
	bed_until 10 [ -s "$BED_DIR/tmp/11" ]
	sleep 0.5
	ping_once
	ended
	bed_until 10 bed_gone "$HOLD"
	dropped=$(grep -o '[0-9]* dropped' "$BED_DIR/tmp/slow.says" | cut -d ' ' -f 1)
	[ "$dropped" -gt 0 ] || die "says: $(cat "$BED_DIR/tmp/slow.says")"
	same "malformed" "$(rows "$BED_DIR/tmp/11" _ws.malformed)" 0
	same "counted" "$(bed_user "$CNI_PASST" stats cap --json | jq .counters.capture_dropped)" "$dropped"
}

@test "nobody reads any more, or the client is killed: it ends; four at a time" {
	capture cap 2> /dev/null | head -c 100 > /dev/null &
	ping_once
	bed_until 5 captures 0
	for i in 1 2 3 4; do
		bed_bg "CAP$i" capture cap -w "$BED_DIR/tmp/n$i"
	done
	bed_until 5 captures 4
	run -1 --separate-stderr capture cap -w "$BED_DIR/tmp/n5"
	[[ $stderr == *"4 of this attachment are under way; end one"* ]] || die "$stderr"
	[ ! -e "$BED_DIR/tmp/n5" ] || die "a file was made"
	ping_once
	for i in 1 2 3 4; do
		n=CAP$i
		bed_until 5 pinged "$BED_DIR/tmp/n$i" || die "capture $i saw nothing"
		kill -9 "${!n}"
	done
	bed_until 5 captures 0
}

pinged() { [ "$(rows "$1" icmp)" -ge 2 ]; }

@test "the attachment's end is the capture's" {
	bed_container D
	attach "$D" other > /dev/null
	BED_OUT=$BED_DIR/tmp/12.says bed_bg CAP capture other -w "$BED_DIR/tmp/12"
	bed_until 5 bed_has "$BED_DIR/tmp/12"
	bed_in "$D" ping -c 1 -W 5 "$PEER4" > /dev/null
	detach "$D" other
	bed_until 5 bed_gone "$CAP"
	same "replies" "$(rows "$BED_DIR/tmp/12" 'icmp.type == 0')" 1
	grep -q ' frames, ' "$BED_DIR/tmp/12.says" || die "$(cat "$BED_DIR/tmp/12.says")"
	bed_kill "$D"
}

bed_has() { [ -s "$1" ]; }

@test "wrong use: exit 2 and a line that says what" {
	misused() { # misused TEXT ARGUMENT...
		local text=$1
		shift
		run -2 --separate-stderr capture "$@"
		[[ $stderr == *"$text"* ]] && same "lines" "$(wc -l <<< "$stderr")" 1 || die "$*: $stderr"
		same "output" "$output" ""
	}
	misused "id is missing"
	misused "one word too many: b" a b
	misused '--proto: "igmp" is none of tcp udp icmp arp' cap --proto igmp
	misused '--direction: "up" is none of in out' cap --direction up
	misused '--port: "0" is not a number from 1 to 65535' cap --port 0
	misused '--port: "80x"' cap --port 80x
	misused '--count: "-1"' cap -c -1
	misused '--count: "0"' cap --count 0
	misused '--size: "4T"' cap --size 4T
	misused '--size: "99999999999999999999"' cap --size 99999999999999999999
	misused '--size: "1K" is not a number from 4096' cap --size 1K
	misused '--snap: "13" is not a number from 14 to 65535' cap --snap 13
	misused '--address: "nowhere"' cap --address nowhere
	misused '--address: "10.0.0.0/33"' cap --address 10.0.0.0/33
	misused 'no --json' cap --json
	misused 'an option that another command has' cap --sort rtt
	run -2 --separate-stderr script -qec "env XDG_RUNTIME_DIR=$XDG $CNI_PASST capture cap" /dev/null
	[[ $output == *"stdout is a terminal: -w FILE"* ]] || die "$output"
	run -1 --separate-stderr capture nobody
	[[ $stderr == *nobody* ]] || die "$stderr"
	run -1 --separate-stderr capture cap -w /does/not/exist
	[[ $stderr == *"/does/not/exist: No such file"* ]] || die "$stderr"
	bed_until 5 captures 0
	run -1 --separate-stderr capture cap -w /dev/full
	[[ $stderr == *"cannot write /dev/full: No space left"* ]] || die "$stderr"
	bed_until 5 captures 0
}
