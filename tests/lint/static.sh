#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What analysers find in the sources without running them: gcc -fanalyzer, clang-tidy
# and cppcheck, over every room. Findings that are none stand in static.allow, each with
# why; one that is not there fails. (What other versions of them do not find, is noted.)
# (shellcheck is in scripts.sh, the programs' own hardening in hardened.sh.)
#
# usage: static.sh [BUILD TREE]      part `static` of ./check; not of make check, it takes a minute or two
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1-build/gcc}" && pwd) || exit 1
for p in clang-tidy cppcheck gcc; do
	command -v "$p" > /dev/null || { echo "no program $p"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
jobs=$(nproc)

# flags for both compilers, as the build has them
var() { sed -n "s/^$1 = //p" "$build/Makefile"; }
read -ra flags <<< "-std=gnu11 -D_GNU_SOURCE -I. -Icore $(var NL_CFLAGS) $(var JSON_CFLAGS) $(var SECCOMP_CFLAGS)"
flags+=('-DPKGLIBEXECDIR="/usr/libexec/cni-passt"' '-DPACKAGE_VERSION="0"')
mapfile -t files < <(find core plugin hooks cli tests/soak -name '*.c' | sort)

# Paths are gcc's affair; of clang-tidy what it sees in the text, less matters of style and C as it is.
tidy='-*,bugprone-*,cert-err34-c,cert-flp30-c,cert-pos44-c,misc-redundant-expression'
for c in easily-swappable-parameters narrowing-conversions reserved-identifier macro-parentheses \
	implicit-widening-of-multiplication-result branch-clone assignment-in-if-condition; do
	tidy+=",-bugprone-$c"
done

# Each prints "FILE:LINE: [CHECK] TEXT".
analyzer() {
	printf '%s\n' "${files[@]}" | xargs -P "$jobs" -I{} nice gcc "${flags[@]}" -O2 -fanalyzer -fdiagnostics-plain-output -S -o /dev/null {} 2>&1 |
		sed -nE 's/^([^ :]+:[0-9]+):[0-9]+: (warning|fatal error|error): (.*) \[-W([a-z-]+)\]$/\1: [\4] \3/p; s/^([^ :]+:[0-9]+):[0-9]+: (fatal )?error: (.*)/\1: [error] \3/p'
}
clang_tidy() {
	# shellcheck disable=SC2016
	printf '%s\n' "${files[@]}" | xargs -P "$jobs" -n 8 "$BASH" -c 'n=$1; shift
		nice clang-tidy --quiet --checks="$0" "${@:n+1}" -- "${@:1:n}" 2> /dev/null' "$tidy" "${#flags[@]}" "${flags[@]}" |
		sed -nE "s|^$PWD/([^ :]+:[0-9]+):[0-9]+: (warning\|error): (.*) \[([A-Za-z.,-]+)\]$|\1: [\4] \3|p"
}
cpp_check() {
	nice cppcheck -q -j "$jobs" --enable=warning,performance,portability --std=c11 -Icore -I. \
		--suppress=missingIncludeSystem --template='{file}:{line}: [{id}] {message}' core plugin hooks cli 2>&1 |
		grep -E '^[^ :]+:[0-9]+: \['
}
analyzer > "$dir/found"
{ clang_tidy; cpp_check; } >> "$dir/found"
sort -u "$dir/found" > "$dir/all"

# static.allow: FILE CHECK REASON...; "*" for any file
awk -v allow=tests/lint/static.allow '
	BEGIN {
		while ((getline line < allow) > 0) {
			if (line ~ /^#/ || split(line, w, " ") < 3)
				continue
			reason[w[1] " " w[2]] = 1
		}
	}
	{
		file = $1; sub(/:.*/, "", file)
		check = $2; gsub(/[][]/, "", check)
		if ((file " " check) in reason)
			used[file " " check] = 1
		else {
			print
			bad = 1
		}
	}
	END {
		for (k in reason)
			if (!(k in used))
				print "note: tests/lint/static.allow: nothing found here for: " k
		exit bad
	}' "$dir/all"
