#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every file that can hold a comment names its licence in its first three lines.
#
# usage: spdx.sh [SOURCE TREE]
set -eu
export LC_ALL=C

root=${1-${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}}
cd "$root"

files() {
	if [ -e .git ] && git rev-parse > /dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else # a release: the tree without what a build makes at its top
		find core plugin hooks conf docs tests examples man .ci -type f 2> /dev/null
		find . -maxdepth 1 -type f \( -name '*.ac' -o -name '*.am' -o -name '*.md' \
			-o -name quickstart -o -name check \) | sed 's,^\./,,'
	fi | sort
}

bad=0
n=0
while read -r file; do
	[ -f "$file" ] || continue
	case $file in
	LICENSE | *.json | *.conf | *.conflist | tests/fuzz/corpus/*) continue ;;
	*.o | *.a | *.log | *.trs | *.dirstamp | *.Po) continue ;;
	esac
	# an empty file, or a program a build left in the tree
	grep -qI . "$file" || continue
	n=$((n + 1))
	if ! sed -n 1,3p "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later'; then
		echo "$file: no SPDX line" >&2
		bad=1
	fi
done < <(files)

echo "spdx: $n files"
[ "$n" -gt 0 ] || bad=1
exit $bad
