#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# passt with a real kernel in qemu (vm.bash), emulated, which takes seconds to boot: one guest
# for the whole file, whose tests go on where the one before ended.

# shellcheck disable=SC2154,SC2016
bats_require_minimum_version 1.5.0

load bed
load expect
load vm

setup_file() {
	VM_NOT=$(vm_missing)
	export VM_NOT
	[ -z "$VM_NOT" ] || { bed_skip "$VM_NOT"; return 0; }
	bed_make
	head -c 4M /dev/urandom > "$BED_DIR/www/file"
	mkdir -p "$BED_DIR/bin"
	ln -s "$CORE" "$BED_DIR/bin/passt"
	SOCK=$BED_DIR/tmp/vm.sock
	LOG=$BED_DIR/tmp/passt.log
	export SOCK LOG
	bed_server FILE bed_peer tcp 80 socat -U TCP6-LISTEN:80,ipv6only=0,fork,reuseaddr OPEN:"$BED_DIR/www/file",rdonly
	bed_server SINK bed_peer tcp 81 python3 "$BED_DIR/server.py" hash-back 81
	bed_server ECHO bed_peer udp 90 python3 "$BED_DIR/server.py" udp-echo 90
	bed_bg DNS bed_peer dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null \
		--listen-address="$PEER4" --bind-interfaces --user=root --pid-file= --address=/web.example/"$PEER4"
	vm_make
	bed_user "$BED_DIR/bin/passt" -s "$SOCK" -l "$LOG" -t 8080:80 -u 9090:90 \
		-p "$BED_DIR/tmp/vm.pcapng" --dns-host "$PEER4" -S 'example lan.example'
	vm_start A "$SOCK"
}

teardown_file() {
	bed_remove
}

setup() {
	bed_skipped
}

it() { bed_user "$CNI_PASST" "$@"; }	# it COMMAND ID ...
id_of() { bed_state | head -n 1 | cut -d @ -f 1; }
counter() { it stats "$(id_of)" --json | jq ".counters.$1"; }
engine() { it show "$(id_of)" --json | jq .engine_pid; }
line() { "$1" timeout 10 socat -t 5 -T 5 - "$2" < /dev/null; }
in_vm() { vm_do A "$*"; }
says() { # says PATTERN COMMAND: of the guest, whose words are read to their end
	local got
	got=$(in_vm "$2")
	grep -q -- "$1" <<< "$got" || die "$2 says: $got"
}
fetch() { same "what came by $1" "$(in_vm "timeout 20 socat -u TCP:$1:80 - | sha256sum")" "$(sum < "$BED_DIR/www/file")  -"; }

large_comes_back() { # large_comes_back SOCAT-ADDRESS
	[ "$(in_vm "dd if=/dev/zero bs=60000 count=1 2> /dev/null | socat -b 65000 -t 2 - $1 2> /dev/null | wc -c")" = 60000 ]
}

@test "DHCP, DHCPv6 and NDP configure the guest; ping, DNS, TCP and UDP go out" {
	vm_do A net
	vm_do A net6
	same "IPv4" "$(in_vm ip -4 addr show dev eth0 | awk '/inet/ { print $2 }')" "$HOST4/24"
	says "$HOST6/128" 'ip addr show dev eth0'
	says 'mtu 65520' 'ip link show dev eth0'
	says '^default via 203.0.113.1 ' 'ip route'
	says '^default via fe80::470:61ff:fe73:7374' 'ip -6 route'
	same "resolv.conf" "$(in_vm cat /etc/resolv.conf)" "nameserver 169.254.1.1"
	in_vm ping -c 2 -W 5 "$PEER4" > /dev/null
	in_vm ping -c 2 -W 5 "$PEER6" > /dev/null
	same "DNS" "$(in_vm getent ahostsv4 web.example | awk 'NR == 1 { print $1 }')" "$PEER4"
	fetch "$PEER4"
	fetch "[$PEER6]"
	same "upload" "$(in_vm "dd if=/dev/zero bs=1M count=4 2> /dev/null | socat -t 20 - TCP:$PEER4:81 2> /dev/null | head -c 64")" \
		"$(head -c 4M /dev/zero | sum)"
	for a in "UDP:$PEER4:90" "UDP6:[$PEER6]:90"; do
		same "UDP $a" "$(in_vm "echo hello | socat -t 2 - $a")" hello
		# larger than the path's MTU: the first is answered by that (DF), what follows is cut
		bed_until 15 large_comes_back "$a" || die "UDP in fragments $a"
	done
	same "what tshark counts" "$(tshark -n -r "$BED_DIR/tmp/vm.pcapng" -Y 'dhcp.option.dhcp == 5 && eth.dst == 52:54:00:12:34:56' 2> /dev/null | wc -l)" 1
}

@test "published ports from host, loopback and outside; forward at run time" {
	in_vm "socat TCP4-LISTEN:80,fork,reuseaddr SYSTEM:'echo \$SOCAT_PEERADDR' > /dev/null 2>&1 &"
	in_vm "socat UDP4-RECVFROM:90,fork EXEC:cat > /dev/null 2>&1 &"
	bed_until 5 in_vm "netstat -ltn | grep -q ':80 ' && netstat -lun | grep -q ':90 '" || die "no servers"
	same "from outside" "$(line bed_peer "TCP:$HOST4:8080")" "$PEER4"
	same "from the loopback" "$(line bed_host TCP:127.0.0.1:8080)" 203.0.113.1
	same "UDP" "$(echo hello | bed_peer socat -t 3 - "UDP:$HOST4:9090")" hello
	it forward "$(id_of)" add tcp 8081:80
	same "added" "$(line bed_peer "TCP:$HOST4:8081")" "$PEER4"
	run it forward "$(id_of)" add tcp 8082:127.0.0.1:80
	[[ $status = 1 && $output == *"loopback"* ]] || die "says: $output"
	it list | grep -q "$(id_of) *vm0 *ok" || die "$(it list)"
	it show "$(id_of)" | grep -q "socket *$SOCK" || die "$(it show "$(id_of)")"
	it flows "$(id_of)" | grep -q tcp || die "$(it flows "$(id_of)")"
	(sleep 1; in_vm ping -c 3 -i 0.2 "$PEER4" > /dev/null) &
	same "capture" "$(it capture "$(id_of)" --count 2 --filter-proto icmp -w - | tshark -n -r - 2> /dev/null | wc -l)" 2
	wait $!
}

@test "stopped in a download, its engine killed, rebooted, gone and come again" {
	in_vm "socat -u TCP:$PEER4:80 - | sha256sum > /tmp/sum &"
	kill -STOP "$VM_A"
	sleep 1
	kill -CONT "$VM_A"
	bed_until 20 in_vm test -s /tmp/sum
	same "stopped" "$(in_vm cat /tmp/sum)" "$(sum < "$BED_DIR/www/file")  -"
	kill -9 "$(engine)"
	bed_until 5 in_vm ping -c 1 -W 1 "$PEER4" > /dev/null
	fetch "$PEER4"
	same "connections" "$(counter stream_connections)" 1
	vm_type A 'reboot -f'
	vm_ready A
	vm_do A net
	fetch "$PEER4"
	same "connections" "$(counter stream_connections)" 1
	vm_stop A
	bed_until 3 grep -q 'stream ended number=1 why="closed' "$LOG" || die "$(cat "$LOG")"
	vm_start A "$SOCK"
	vm_do A net
	fetch "$PEER4"
	same "connections" "$(counter stream_connections)" 2
	same "restarts" "$(it stats "$(id_of)" --json | jq .engine_restarts)" 1
}
