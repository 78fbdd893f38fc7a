#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same transfers where the kernel lacks what we like to use.

load bed
load expect
load transfers

setup_file() {
	# shellcheck disable=SC2034
	transfers_mib=64
	bed_make
	transfers_serve
	bed_server ECHO bed_peer udp 7 python3 "$BED_DIR/server.py" udp-echo 7
	cp "$BATS_TEST_DIRNAME/oob.py" "$BED_DIR/"
	bed_server OOB bed_peer tcp 1005 python3 "$BED_DIR/oob.py" server 1005
	bed_server TECHO bed_peer tcp 7 python3 "$BED_DIR/server.py" echo 7
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_until 3 bed_no_core
}

client() { bed_in "$C" python3 "$BED_DIR/client.py" "$@"; }

# without WORDS: everything works with these features left out, and nothing waits
# for a retransmission time-out on the way
without() {
	local start=$SECONDS
	# shellcheck disable=SC2034
	BED_ENV=(CNI_PASST_WITHOUT="$1")
	attach "$C" > /dev/null
	transfers "$C"
	client udp-sizes "$PEER4" 7 0 1 100 1472
	client udp-sizes "$PEER6" 7 0 1 100 1452
	client udp-gso "$PEER4" 7 1472 40
	client udp-gso "$PEER6" 7 1200 20
	client typing "$PEER4" 7 50
	bed_in "$C" python3 "$BED_DIR/oob.py" client "$PEER4" 1005 30000
	bed_in "$C" ping -c 2 -i 0.2 -W 2 "$PEER4"
	bed_in "$C" ping -6 -c 2 -i 0.2 -W 2 "$PEER6"
	[ $((SECONDS - start)) -le 60 ] || die "took $((SECONDS - start)) seconds"
}

@test "without any tap offload" { without offload; }
@test "without UDP segmentation on the tap" { without uso; }
@test "without SO_PEEK_OFF" { without peek; }
@test "without UDP_SEGMENT and UDP_GRO outside" { without udpgso; }
@test "without all of them" { without offload,peek,uso,udpgso; }
@test "a word that is none is refused" {
	# shellcheck disable=SC2034
	BED_ENV=(CNI_PASST_WITHOUT=nonsense)
	run_cni ADD "c$C" "/proc/$C/ns/net" eth0 < "$BED_DIR/basic.conf"
	refused 4 CNI_PASST_WITHOUT
}
