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
		find core plugin hooks cli conf docs tests examples man .ci -type f 2> /dev/null
		find . -maxdepth 1 -type f \( -name '*.ac' -o -name '*.am' -o -name '*.md' \
			-o -name quickstart -o -name check \) | sed 's,^\./,,'
	fi | sort
}

# What can hold a comment; grep leaves out empty files, and programs a build left in the tree.
mapfile -t commented < <(files | grep -Ev \
	'^LICENSE$|\.(json|json\.in|conf|conflist|o|a|log|trs|dirstamp|Po)$|^tests/fuzz/corpus/' |
	tr '\n' '\0' | xargs -0 -r grep -lIs . --)
n=${#commented[@]}
bad=0
[ "$n" = 0 ] || awk '
	FNR == 1 { tell(); name = FILENAME; found = 0 }
	/SPDX-License-Identifier: GPL-2.0-or-later/ { found = 1 }
	FNR == 3 { nextfile }
	END { tell(); exit bad }
	function tell() { if (name != "" && !found) { print name ": no SPDX line"; bad = 1 } }
' "${commented[@]}" >&2 || bad=1

echo "spdx: $n files"
[ "$n" -gt 0 ] || bad=1
exit $bad
