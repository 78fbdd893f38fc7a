#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# TCP against the kernel's TCP: congestion control of both ends and of the host
# between them, MTU of the container, MTU outside, tap offloads. Whatever
# they are, a random stream arrives whole, each way, in each family.
#
# Not the full product. Each congestion control meets each MTU of the container;
# each MTU is there with and without offloads, equal to the outer one, below and
# above it; and the pairs that are apt to break each other: bbr, which paces, with
# segments of 64 KiB and with the smallest; large segments inside where the path
# outside has small ones; single segments of 64 KiB, each one frame; and these
# without SO_PEEK_OFF, where the daemon keeps a copy of its own.

load bed
load expect
load transfers

setup_file() {
	# shellcheck disable=SC2034
	transfers_mib=${BED_SHORT:+4}
	# shellcheck disable=SC2034
	transfers_mib=${transfers_mib:-16}
	bed_make cubic
	transfers_serve
}

teardown_file() {
	bed_remove
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

# outside CONGESTION CONTROL MTU: what the host and the peer use from here on
outside() {
	local ns
	for ns in "$HOST" "$PEER"; do
		nsenter --net="/run/netns/$ns" sysctl -qw net.ipv4.tcp_congestion_control="$1"
	done
	ip -n "$HOST" link set h0 mtu "$2"
	ip -n "$PEER" link set p0 mtu "$2"
}

# cell CONGESTION CONTROL MTU OUTER-MTU [WITHOUT]
cell() {
	bed_cc_available "$1" || skip "this kernel has no $1"
	outside "$1" "$3"
	BED_CC=$1 bed_container C
	# shellcheck disable=SC2034
	BED_ENV=(CNI_PASST_WITHOUT="${4-}")
	cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "{\"mtu\": $2}") > /dev/null
	same "congestion control" "$(bed_in "$C" sysctl -n net.ipv4.tcp_congestion_control)" "$1"
	same "MTU" "$(bed_in "$C" ip -j link show eth0 | jq ".[0].mtu")" "$2"
	transfers "$C"
}

@test "cubic, MTU 1280, 1500 outside" { cell cubic 1280 1500; }
@test "cubic, MTU 1500, 1280 outside" { cell cubic 1500 1280; }
@test "cubic, MTU 9000, 9000 outside" { cell cubic 9000 9000; }
@test "cubic, MTU 65520, 1500 outside" { cell cubic 65520 1500; }
@test "cubic, MTU 65520, 65520 outside, without offloads and SO_PEEK_OFF" { cell cubic 65520 65520 offload,peek; }
@test "bbr, MTU 1280, 9000 outside, without offloads" { cell bbr 1280 9000 offload; }
@test "bbr, MTU 1500, 1500 outside, without offloads" { cell bbr 1500 1500 offload; }
@test "bbr, MTU 9000, 1500 outside" { cell bbr 9000 1500; }
@test "bbr, MTU 65520, 65520 outside" { cell bbr 65520 65520; }
@test "bbr, MTU 65520, 1280 outside, without offloads" { cell bbr 65520 1280 offload; }
@test "reno, MTU 1280, 1280 outside" { cell reno 1280 1280; }
@test "reno, MTU 1500, 65520 outside" { cell reno 1500 65520; }
@test "reno, MTU 9000, 1280 outside, without offloads" { cell reno 9000 1280 offload; }
@test "reno, MTU 65520, 9000 outside, without SO_PEEK_OFF" { cell reno 65520 9000 peek; }
