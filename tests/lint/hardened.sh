#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The programs as built: position-independent, relocations read-only before main(), no
# executable stack, nothing both writable and executable, stack protector, fortified calls.
#
# usage: hardened.sh [BUILD TREE]
set -u
cd "${1-${top_builddir-.}}" || exit 1
command -v readelf > /dev/null || { echo "no program readelf"; exit 77; }
bad=0

# has FILE WHAT PATTERN OPTION: readelf says so
has() { readelf -W "$4" "$1" 2> /dev/null | grep -qE "$3" || { echo "$1: no $2"; bad=1; }; }
not() { ! readelf -W "$4" "$1" 2> /dev/null | grep -qE "$3" || { echo "$1: $2"; bad=1; }; }

for f in core/cni-passt-core plugin/cni-passt hooks/cni-passt-hook cli/cni-passt-pasta; do
	[ -e "$f" ] || { echo "$f is not built"; exit 77; }
	if readelf -Ws "$f" | grep -q __asan_init; then
		echo "a build with sanitizers"
		exit 77
	fi
	has "$f" "position independence" '^ *Type: *DYN' -h
	has "$f" "read-only relocations" 'GNU_RELRO' -l
	has "$f" "early binding" '(BIND_NOW|NOW)' -d
	has "$f" "non-executable stack" 'GNU_STACK.* RW +' -l
	not "$f" "a segment that is written to and executed" 'LOAD.* RWE ' -l
	has "$f" "stack protector" '__stack_chk_fail' -s
	has "$f" "fortified calls" '__(snprintf|vsnprintf|memcpy|read|fprintf)_chk' -s
	not "$f" "a search path" '(RPATH|RUNPATH)' -d
done
exit $bad
