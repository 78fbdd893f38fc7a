#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Shellcheck finds nothing to say about any script.
set -eu
export LC_ALL=C

cd "${top_srcdir-$(dirname "$0")/../..}"
if ! command -v shellcheck > /dev/null; then
	echo "skipped: no shellcheck"
	exit 77
fi
scripts=(quickstart check .ci/run tests/lint/*.sh examples/*.sh)
for f in tests/bats/*.bash tests/bats/*.bats tests/bats/*.sh tests/bench/* tests/soak/*; do
	[ -f "$f" ] && head -n 1 "$f" | grep -Eq 'bash|bats|/sh' && scripts+=("$f")
done
echo "scripts: ${#scripts[@]}"
# SC2317, SC2030, SC2031: functions called through a variable look unreachable to it,
# and each bats test a subshell that loses what it sets.
exec shellcheck -x -e SC2317,SC2030,SC2031 "${scripts[@]}"
