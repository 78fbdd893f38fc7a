#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# TCP over a link that loses segments between the container and the daemon, each
# way: nftables in the container's own namespace drops them by chance. Everything
# arrives whole, and at a rate that no retransmission time-out (200 ms and
# more, for one segment) could give.

load bed
load expect
load transfers

setup_file() {
	# shellcheck disable=SC2034
	transfers_mib=32
	bed_make cubic
	transfers_serve
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

# lose PERCENT: of the segments in, and of those out
lose() {
	bed_in "$C" nft -f - <<- END || skip "this kernel has no nftables to lose segments with"
		table inet loss {
			chain in {
				type filter hook input priority 0;
				meta l4proto tcp numgen random mod 100 < $1 counter drop
			}
			chain out {
				type filter hook output priority 0;
				meta l4proto tcp numgen random mod 100 < $1 counter drop
			}
		}
	END
}

lost() { bed_in "$C" nft list ruleset | grep -o 'packets [0-9]*' | awk '{ n += $2 } END { print n + 0 }'; }

# over_loss PERCENT SECONDS: four transfers over such a link in that time
over_loss() {
	local start=$SECONDS
	attach "$C" > /dev/null
	lose "$1"
	transfers "$C"
	[ $((SECONDS - start)) -le "$2" ] || die "took $((SECONDS - start)) seconds"
	[ "$(lost)" -gt 0 ] || die "nothing was lost, so nothing was tested"
}

@test "1 % of the segments lost each way" { over_loss 1 60; }
@test "5 % of the segments lost each way" { over_loss 5 60; }

@test "5 % lost each way, without offloads: single segments" {
	# shellcheck disable=SC2034
	BED_ENV=(CNI_PASST_WITHOUT=offload)
	over_loss 5 60
}

@test "5 % lost each way, without offloads and SO_PEEK_OFF" {
	# shellcheck disable=SC2034
	BED_ENV=('CNI_PASST_WITHOUT=offload,peek')
	over_loss 5 60
}

@test "20 % lost each way: a small page still comes" {
	attach "$C" > /dev/null
	lose 20
	same "the small file" "$(bed_in "$C" curl -sS --max-time 60 --retry 3 "http://$PEER4/sum")" "$(cat "$BED_DIR/www/sum")"
}
