#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every packet script says at its head which section of an RFC it is about, or, where
# the behaviour is a decision of ours, that ARCHITECTURE.md has it.
#
# usage: packets.sh [SOURCE TREE]
set -eu
export LC_ALL=C

cd "${1-${top_srcdir-$(dirname "$0")/../..}}"
# The head is taken as one line: "RFC" may stand at the end of a line, its number on the next.
awk '
	FNR == 1 { tell(); name = FILENAME; head = ""; n++; in_head = 1 }
	!/^#/ { in_head = 0 }
	in_head { head = head " " substr($0, 2) }
	END { tell(); print "packets: " n " scripts"; exit bad || !n }
	function tell() {
		gsub(/[ \t]+/, " ", head)
		if (name != "" && head !~ /RFC [0-9]+|ARCHITECTURE\.md/) {
			print name ": its first comment names neither \"RFC N, SECTION\" nor ARCHITECTURE.md"
			bad = 1
		}
	}
' tests/packet/*.pkt
