#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each header compiles alone, and twice in a row, without a warning.
#
# usage: headers.sh [SOURCE TREE]
set -eu
export LC_ALL=C

root=${1-${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}}
CC=${CC-cc}
cd "$root"

bad=0
n=0
while read -r header; do
	n=$((n + 1))
	# CC may be several words ("gcc -m32"), and so are the flags.
	# shellcheck disable=SC2086
	if ! printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$header" "$header" |
		$CC -std=gnu17 -Wall -Wextra -Werror -D_GNU_SOURCE -I. -Icore \
			${NL_CFLAGS-} ${JSON_CFLAGS-} -fsyntax-only -x c -; then
		echo "$header does not compile alone" >&2
		bad=1
	fi
done < <(find core plugin hooks cli -name '*.h' 2> /dev/null | sort)

echo "headers: $n"
[ "$n" -gt 0 ] || bad=1
exit $bad
