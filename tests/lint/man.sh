#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mandoc finds nothing to warn about in the man pages.
set -eu
export LC_ALL=C

cd "${top_srcdir-$(dirname "$0")/../..}"
if ! command -v mandoc > /dev/null; then
	echo "skipped: no mandoc"
	exit 77
fi
exec mandoc -T lint -W warning man/*.[0-9]
