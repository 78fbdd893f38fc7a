#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sources.am must list every .c and .h of the tree, and the scripts of tests/packet. `sources.sh` checks it,
# `sources.sh --write` writes it: run that after adding or removing a file.
#
# A room's file that has a main() belongs to the program, every other to the
# room's library. A test that includes a header named fake* is linked with the
# fake world in place of io.
set -eu
export LC_ALL=C

root=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"

find_files() { # find_files DIR DEPTH PATTERN...: sorted names
	local dir=$1 depth=$2
	shift 2
	[ -d "$dir" ] || return 0
	find "$dir" -maxdepth "$depth" -type f \( -name "$1" ${2:+-o -name "$2"} \) | sort
}

list() { # list VARIABLE: an automake list of the names on stdin
	local name names=
	while read -r name; do
		[ -z "$name" ] || names+=$' \\\n\t'$name
	done
	printf '%s =%s\n\n' "$1" "$names"
}
main_files() { xargs -r grep "$1" '^int main(' || true; }
without_main() { main_files -L; }
with_main() { main_files -l; }
programs() { sed 's/\.c$//'; }

room() { find_files "$1" 1 '*.c' '*.h'; }

program_rules() { # the link line of each program on stdin that does not take the default
	local p v
	while read -r p; do
		v=${p//[!A-Za-z0-9]/_}
		case $p in tests/fuzz/*)
			echo "${v}_LDFLAGS = \$(fuzz_ldflags)" ;;
		esac
		if grep -Eq '^#include "([a-z/]*/)?fake[a-z0-9_]*\.h"' "$p.c"; then
			case $p in
			tests/fuzz/*) echo "${v}_LDADD = \$(fuzz_main) \$(seam_libs)" ;;
			*) echo "${v}_LDADD = \$(seam_libs) \$(CMOCKA_LIBS)" ;;
			esac
		else
			case $p in
			tests/fuzz/*) echo "${v}_LDADD = \$(fuzz_main) \$(unit_libs)" ;;
			esac
		fi
	done
}

write() {
	local r
	printf '# SPDX-License-Identifier: GPL-2.0-or-later\n'
	printf '# Written by tests/lint/sources.sh --write.\n\n'
	for r in base wire conf flow proto io sandbox main; do
		room "core/$r" | without_main | list "${r}_files"
	done
	{ room core; room core/main; } | with_main | list core_program_files
	room plugin/attach | without_main | list attach_files
	room plugin/json | without_main | list json_files
	room plugin | without_main | list plugin_files
	room plugin | with_main | list plugin_program_files
	room hooks | without_main | list hooks_files
	room hooks | with_main | list hooks_program_files
	room cli | without_main | list cli_files
	room cli | with_main | list cli_program_files
	find_files tests 9 '*.c' '*.h' | grep -Ev '/(test_|fuzz_)[^/]*\.c$|^tests/(bench|soak)/|/replay\.c$' |
		list fakeport_files
	find_files tests/packet 1 '*.pkt' | list packet_scripts
	find_files tests/unit 9 'test_*.c' | programs | list unit_programs
	find_files tests/fuzz 1 'fuzz_*.c' | programs | list fuzz_programs
	{
		find_files tests/unit 9 'test_*.c'
		find_files tests/fuzz 1 'fuzz_*.c'
	} | programs | program_rules
}

case ${1-} in
--write)
	write > sources.am.new
	mv sources.am.new sources.am
	;;
'')
	if ! diff -u sources.am <(write); then
		echo "sources.am is out of date: run tests/lint/sources.sh --write" >&2
		exit 1
	fi
	;;
*)
	echo "usage: sources.sh [--write]" >&2
	exit 2
	;;
esac
