#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A short run of tests/soak/crowd; its 15,000 and 100,000 connections are for a quiet machine.

@test "crowd: many idle connections in little memory, many opened and ended, and nothing is left of them" {
	run "$BATS_TEST_DIRNAME/../soak/crowd" -i 1500 -n 4000
	echo "$output"
	[ "$status" -eq 0 ]
}
