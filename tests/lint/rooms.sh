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
	[cli]="base conf attach cli"
)
declare -A folder=(
	[base]=core/base [wire]=core/wire [conf]=core/conf [flow]=core/flow [proto]=core/proto
	[io]=core/io [sandbox]=core/sandbox [main]=core/main
	[attach]=plugin/attach [json]=plugin/json [plugin]=plugin [hooks]=hooks [cli]=cli
)
# A library's headers, the files that may include them, and its symbols.
libraries=(
	'^(netlink|libnl3)/ ^core/io/netlink\.[ch]$ ^(nl|rtnl|nla|nlmsg)_'
	'^json(-c)?(/|\.h) ^(plugin|hooks)/ ^json_'
	'^seccomp\.h ^core/sandbox/ ^seccomp_'
)
lib_header=() lib_where=() lib_symbol=()
for row in "${libraries[@]}"; do
	read -r header where symbol <<< "$row"
	lib_header+=("$header") lib_where+=("$where") lib_symbol+=("$symbol")
done
bad=0

fail() {
	echo "$*" >&2
	bad=1
}

room_of_include() { # into the variable $to: the room "X/y.h" belongs to, nothing for none
	to=
	case $1 in
	plugin/attach/*) to=attach ;;
	plugin/json/*) to=json ;;
	plugin/*) to=plugin ;;
	hooks/*) to=hooks ;;
	cli/*) to=cli ;;
	*/*) [ "${folder[${1%%/*}]-}" != "core/${1%%/*}" ] || to=${1%%/*} ;;
	esac
}

allowed() { # allowed FROM TO
	[[ " ${may[$1]} " == *" $2 "* ]]
}

check_include() { # check_include ROOM FILE NAME
	local to
	room_of_include "$3"
	if [ -z "$to" ]; then
		[[ $3 != */* && -f ${2%/*}/$3 ]] ||
			fail "$2: \"$3\" is in no room: include as \"room/file.h\""
	elif ! allowed "$1" "$to"; then
		fail "$2: room $1 includes $3, and may include only: ${may[$1]}"
	fi
}

check_library_include() { # check_library_include FILE NAME
	local i
	for i in "${!lib_header[@]}"; do
		[[ ! $2 =~ ${lib_header[i]} || $1 =~ ${lib_where[i]} ]] ||
			fail "$1: includes <$2>, which only ${lib_where[i]} may"
	done
}

files=0
sources=()
declare -A room_of=()
for room in "${!folder[@]}"; do
	for file in "${folder[$room]}"/*.[ch]; do
		[ -f "$file" ] || continue
		sources+=("$file")
		room_of[$file]=$room
		files=$((files + 1))
	done
done
# core/*.c: the programs themselves, right of everything.
for file in core/*.[ch]; do
	[ -f "$file" ] || continue
	sources+=("$file")
	room_of[$file]=main
done
# (one grep for all, for a shell is slow to start programs)
while IFS=: read -r file line; do
	name=${line#*[\"<]}
	name=${name%%[\">]*}
	case $line in
	*include*\"*) check_include "${room_of[$file]}" "$file" "$name" ;;
	*) check_library_include "$file" "$name" ;;
	esac
done < <(grep -HE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' "${sources[@]}")

# Symbols: who defines what, then who wants what.
declare -A owner=()
archives=()
for room in "${!folder[@]}"; do
	[ ! -f "$libs/lib$room.a" ] || archives+=("$libs/lib$room.a")
done
room_of_archive() { # into $room, from nm's "path/libROOM.a:object.o:", and the object into $object
	room=${1##*/lib}
	object=${room#*:}
	object=${object%%:*}
	room=${room%%.a:*}
}
[ "${#archives[@]}" -ge 1 ] || { fail "no library of a room in $libs"; exit 1; }
while read -r where kind symbol; do
	[ -n "$symbol" ] || continue	# an archive's name
	room_of_archive "$where"
	owner[$symbol]=$room
done < <("$NM" -A -g --defined-only "${archives[@]}" 2> /dev/null)

port_h=$(cat core/proto/port.h 2> /dev/null || true)

seam() { # seam FROM TO SYMBOL
	[ "$1" = proto ] && [ "$2" = io ] && [[ $3 == port_* ]] && [[ $port_h =~ (^|[^a-z0-9_])$3[^a-z0-9_] ]]
}

check_symbol() { # check_symbol ROOM OBJECT SYMBOL
	local to=${owner[$3]-} i source
	if [ -n "$to" ]; then
		allowed "$1" "$to" || seam "$1" "$to" "$3" ||
			fail "lib$1.a($2): calls $3 of room $to, and may call only: ${may[$1]}"
		return
	fi
	source=${folder[$1]}/${2#lib"$1"_a-}
	for i in "${!lib_symbol[@]}"; do
		[[ ! $3 =~ ${lib_symbol[i]} || ${source%.o}.c =~ ${lib_where[i]} ]] ||
			fail "lib$1.a($2): calls $3, which only ${lib_where[i]} may"
	done
}

while read -r where kind symbol; do
	room_of_archive "$where"
	[ "$kind" != U ] || check_symbol "$room" "$object" "$symbol"
done < <("$NM" -A -u "${archives[@]}" 2> /dev/null)

echo "rooms: $files files, ${#archives[@]} libraries, ${#owner[@]} symbols"
exit $bad
