#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A short run of tests/soak/soak with a fixed seed; its half hour is for a night.

@test "soak: mixed traffic over a link that loses now and then, and nothing is left of it" {
	run "$BATS_TEST_DIRNAME/../soak/soak" -m 0.4 -s 1
	echo "$output"
	[ "$status" -eq 0 ]
}
