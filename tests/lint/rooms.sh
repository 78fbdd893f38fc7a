#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A room includes and calls only itself and the rooms to its left
# (ARCHITECTURE.md, "Rooms"). Includes are read from the sources, calls from
# the symbols of the rooms' libraries. The one call to the right is the seam of
# core/proto/port.h: declared by proto, defined by io, at link time.
#
# usage: rooms.sh [SOURCE TREE [FOLDER OF THE LIBRARIES]]
set -eu
export LC_ALL=C

root=${1-${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}}
libs=${2-${top_builddir-$root}}
NM=${NM-nm}
cd "$root"

declare -A may=(
	[base]="base"
	[wire]="base wire"
	[conf]="base wire conf"
	[flow]="base wire conf flow"
	[proto]="base wire conf flow proto"
	[io]="base wire conf flow proto io"
	[sandbox]="base conf sandbox"
	[main]="base wire conf flow proto io sandbox main"
	[attach]="base conf attach"
	[json]="base conf json"
	[plugin]="base conf attach json plugin"
	[hooks]="base conf attach json hooks"
)
declare -A folder=(
	[base]=core/base [wire]=core/wire [conf]=core/conf [flow]=core/flow [proto]=core/proto
	[io]=core/io [sandbox]=core/sandbox [main]=core/main
	[attach]=plugin/attach [json]=plugin/json [plugin]=plugin [hooks]=hooks
)
# A library's headers, the files that may include them, and its symbols.
libraries=(
	'^(netlink|libnl3)/ ^core/io/netlink\.[ch]$ ^(nl|rtnl|nla|nlmsg)_'
	'^json(-c)?(/|\.h) ^(plugin|hooks)/ ^json_'
	'^seccomp\.h ^core/sandbox/ ^seccomp_'
)
bad=0

fail() {
	echo "$*" >&2
	bad=1
}

room_of_include() { # prints the room "X/y.h" belongs to, nothing for none
	case $1 in
	plugin/attach/*) echo attach ;;
	plugin/json/*) echo json ;;
	plugin/*) echo plugin ;;
	hooks/*) echo hooks ;;
	*/*) [ "${folder[${1%%/*}]-}" != "core/${1%%/*}" ] || echo "${1%%/*}" ;;
	esac
}

allowed() { # allowed FROM TO
	[[ " ${may[$1]} " == *" $2 "* ]]
}

check_include() { # check_include ROOM FILE NAME
	local to
	to=$(room_of_include "$3")
	if [ -z "$to" ]; then
		[[ $3 != */* && -f $(dirname "$2")/$3 ]] ||
			fail "$2: \"$3\" is in no room: include as \"room/file.h\""
	elif ! allowed "$1" "$to"; then
		fail "$2: room $1 includes $3, and may include only: ${may[$1]}"
	fi
}

check_library_include() { # check_library_include FILE NAME
	local row header where symbol
	for row in "${libraries[@]}"; do
		read -r header where symbol <<< "$row"
		[[ ! $2 =~ $header || $1 =~ $where ]] ||
			fail "$1: includes <$2>, which only $where may"
	done
}

check_file() { # check_file ROOM FILE
	local name
	while read -r name; do
		check_include "$1" "$2" "$name"
	done < <(sed -nE 's/^[ \t]*#[ \t]*include[ \t]*"([^"]+)".*/\1/p' "$2")
	while read -r name; do
		check_library_include "$2" "$name"
	done < <(sed -nE 's/^[ \t]*#[ \t]*include[ \t]*<([^>]+)>.*/\1/p' "$2")
}

files=0
for room in "${!folder[@]}"; do
	for file in "${folder[$room]}"/*.[ch]; do
		[ -f "$file" ] || continue
		check_file "$room" "$file"
		files=$((files + 1))
	done
done
# core/*.c: the programs themselves, right of everything.
for file in core/*.[ch]; do
	[ -f "$file" ] && check_file main "$file"
done

# Symbols: who defines what, then who wants what.
declare -A owner=()
archives=0
for room in "${!folder[@]}"; do
	lib=$libs/lib$room.a
	[ -f "$lib" ] || continue
	archives=$((archives + 1))
	while read -r symbol; do
		owner[$symbol]=$room
	done < <("$NM" -g --defined-only "$lib" 2> /dev/null | awk 'NF == 3 && $2 != "U" { print $3 }')
done
[ "$archives" -ge 1 ] || fail "no library of a room in $libs"

seam() { # seam FROM TO SYMBOL
	[ "$1" = proto ] && [ "$2" = io ] && [[ $3 == port_* ]] &&
		grep -qw "$3" core/proto/port.h 2> /dev/null
}

check_symbol() { # check_symbol ROOM OBJECT SYMBOL
	local to=${owner[$3]-} row header where symbol source
	if [ -n "$to" ]; then
		allowed "$1" "$to" || seam "$1" "$to" "$3" ||
			fail "lib$1.a($2): calls $3 of room $to, and may call only: ${may[$1]}"
		return
	fi
	source=${folder[$1]}/${2#lib"$1"_a-}
	for row in "${libraries[@]}"; do
		read -r header where symbol <<< "$row"
		[[ ! $3 =~ $symbol || ${source%.o}.c =~ $where ]] ||
			fail "lib$1.a($2): calls $3, which only $where may"
	done
}

for room in "${!folder[@]}"; do
	[ -f "$libs/lib$room.a" ] || continue
	object=
	while read -r a b; do
		case $a in
		*.o:) object=${a%:} ;;
		U) check_symbol "$room" "$object" "$b" ;;
		esac
	done < <("$NM" -u "$libs/lib$room.a" 2> /dev/null)
done

echo "rooms: $files files, $archives libraries, ${#owner[@]} symbols"
exit $bad
