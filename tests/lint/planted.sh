#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lints can fail: each is given a small tree that is in order, which it must
# pass, and then the same tree with one violation planted, which it must refuse
# and name.
set -eu
export LC_ALL=C

lint=$(cd "$(dirname "$0")" && pwd)
CC=${CC-cc}
AR=${AR-ar}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
n=0

tree() { # a tree in order, in $tmp/t
	rm -rf "$tmp/t"
	mkdir -p "$tmp"/t/core/{base,wire,conf,flow,proto,io,main,sandbox} "$tmp"/t/plugin/{attach,json} "$tmp"/t/hooks
	cd "$tmp/t"
	put core/base/b.h 'int b_call(void);'
	put core/base/b.c '#include "base/b.h"' 'int b_call(void) { return 1; }'
	put core/wire/w.c '#include "base/b.h"' 'int w_call(void);' 'int w_call(void) { return b_call(); }'
	put core/proto/port.h 'int port_send(void);'
	put core/proto/p.c '#include "proto/port.h"' 'int p_call(void);' 'int p_call(void) { return port_send(); }'
	put core/io/i.c '#include "proto/port.h"' 'int port_send(void) { return 0; }' 'int i_call(void);' 'int i_call(void) { return 0; }' 'int port_i(void) { return 0; }'
	put core/io/netlink.c '#include <netlink/netlink.h>' 'int nl_connect(void);' 'int n_call(void);' 'int n_call(void) { return nl_connect(); }'
	put plugin/attach/a.c '#include "base/b.h"' 'int a_call(void);' 'int a_call(void) { return b_call(); }'
	put plugin/p.c 'int q_call(void);' 'int q_call(void) { return 0; }'
	put plugin/json/j.c 'int j_call(void);' 'int j_call(void) { return 0; }'
	put hooks/h.c '#include "base/b.h"' 'int j_call(void);' 'int h_call(void);' 'int h_call(void) { return b_call() + j_call(); }'
	put README.md '# t'
}

put() { # put FILE LINE...
	local file=$1
	shift
	printf '%s\n' '/* SPDX-License-Identifier: GPL-2.0-or-later */' "$@" > "$file"
}

# The rooms' libraries of the tree, in $tmp/t/lib. Those of the tree in order are made once.
archive() {
	local dir room src stem
	mkdir -p include/netlink
	: > include/netlink/netlink.h
	if [ -d "$tmp/lib" ]; then
		cp -r "$tmp/lib" lib
	else
		mkdir lib
	fi
	for dir in core/* plugin/attach plugin/json plugin hooks; do
		room=${dir##*/}
		for src in "$dir"/*.c; do
			[ -f "$src" ] || continue
			stem=${src##*/} stem=${stem%.c}
			[ ! -e "lib/lib${room}_a-$stem.o" ] || continue
			# shellcheck disable=SC2086
			$CC -w -c -Icore -I. -Iinclude -o "lib/lib${room}_a-$stem.o" "$src"
			$AR cr "lib/lib$room.a" "lib/lib${room}_a-$stem.o" 2> /dev/null
		done
	done
	[ -d "$tmp/lib" ] || cp -r lib "$tmp/lib"
}

run() { # run LINT: its exit status; its words go to $tmp/said
	case $1 in
	rooms) archive && bash "$lint/rooms.sh" "$tmp/t" "$tmp/t/lib" ;;
	headers) NL_CFLAGS='' JSON_CFLAGS='' bash "$lint/headers.sh" "$tmp/t" ;;
	*) bash "$lint/$1.sh" "$tmp/t" ;;
	esac > "$tmp/said" 2>&1
}

expect_clean() { # expect_clean LINT
	n=$((n + 1))
	tree
	if ! run "$1"; then
		echo "$1.sh refuses a tree in order:" >&2
		cat "$tmp/said" >&2
		bad=1
	fi
}

expect_refusal() { # expect_refusal LINT WORDS FILE LINE...: FILE gets LINEs
	local name=$1 words=$2 file=$3
	shift 3
	n=$((n + 1))
	tree
	put "$file" "$@"
	if run "$name"; then
		echo "$name.sh does not see: $file: $*" >&2
		bad=1
	elif ! grep -q -- "$words" "$tmp/said"; then
		echo "$name.sh fails on $file: $*, but does not say \"$words\":" >&2
		cat "$tmp/said" >&2
		bad=1
	fi
}

expect_clean rooms
expect_clean headers
expect_clean spdx

expect_refusal rooms 'room base includes wire/w.h' core/base/c.h '#include "wire/w.h"'
expect_refusal rooms 'room wire includes flow/f.h' core/wire/c.h '#include "flow/f.h"'
expect_refusal rooms 'room proto includes io/i.h' core/proto/c.h '#include "io/i.h"'
expect_refusal rooms 'room sandbox includes wire/w.h' core/sandbox/c.h '#include "wire/w.h"'
expect_refusal rooms 'room attach includes io/i.h' plugin/attach/c.h '#include "io/i.h"'
expect_refusal rooms 'is in no room' core/io/c.h '#include "../base/b.h"'
expect_refusal rooms 'which only .* may' core/io/c.h '#include <netlink/route/link.h>'
expect_refusal rooms 'which only .* may' core/conf/c.h '#include <json-c/json.h>'
expect_refusal rooms 'which only .* may' core/io/c.h '#include <seccomp.h>'
# the same without an include: a declaration by hand
expect_refusal rooms 'calls w_call of room wire' core/base/c.c 'int w_call(void);' 'int c(void) { return w_call(); }'
expect_refusal rooms 'calls i_call of room io' core/proto/c.c 'int i_call(void);' 'int c(void) { return i_call(); }'
expect_refusal rooms 'calls port_send of room io' core/flow/c.c 'int port_send(void);' 'int c(void) { return port_send(); }'
# a call through a seam that port.h does not name
expect_refusal rooms 'calls port_i of room io' core/proto/c.c 'int port_i(void);' 'int c(void) { return port_i(); }'
expect_refusal rooms 'calls i_call of room io' plugin/attach/c.c 'int i_call(void);' 'int c(void) { return i_call(); }'
expect_refusal rooms 'room hooks includes plugin/p.h' hooks/c.c '#include "plugin/p.h"'
expect_refusal rooms 'room json includes plugin/attach/a.h' plugin/json/c.c '#include "plugin/attach/a.h"'
expect_refusal rooms 'calls q_call of room plugin' hooks/c.c 'int q_call(void);' 'int c(void) { return q_call(); }'
expect_refusal rooms 'calls h_call of room hooks' plugin/c.c 'int h_call(void);' 'int c(void) { return h_call(); }'
expect_refusal rooms 'calls nl_connect, which only' core/io/c.c 'int nl_connect(void);' 'int c(void) { return nl_connect(); }'
expect_refusal rooms 'calls json_object_get, which only' core/conf/c.c 'int json_object_get(void);' 'int c(void) { return json_object_get(); }'
expect_refusal headers 'c.h does not compile alone' core/wire/c.h 'uint8_t x(void);'
expect_refusal headers 'c.h does not compile alone' core/wire/c.h 'struct twice { int a; };'

n=$((n + 1))
tree
echo 'int x;' > core/wire/c.c
if run spdx || ! grep -q 'core/wire/c.c: no SPDX line' "$tmp/said"; then
	echo "spdx.sh does not see a file without the line" >&2
	bad=1
fi

n=$((n + 2))
tree
mkdir -p tests/packet
printf '%s\n' '# SPDX-License-Identifier: GPL-2.0-or-later' '# What is so (RFC' '# 9293, 3.6).' 'connect ok' > tests/packet/a.pkt
if ! run packets; then
	echo "packets.sh refuses a tree in order:" >&2
	cat "$tmp/said" >&2
	bad=1
fi
# what stands behind the head does not count
printf '%s\n' '# SPDX-License-Identifier: GPL-2.0-or-later' '# What is so.' 'connect ok' '# RFC 9293' > tests/packet/b.pkt
if run packets || ! grep -q 'b.pkt: its first comment names neither' "$tmp/said" || grep -q 'a.pkt' "$tmp/said"; then
	echo "packets.sh does not see a script that names no section" >&2
	bad=1
fi

echo "planted: $n cases"
exit $bad
