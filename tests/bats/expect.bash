# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# expect: what the tests assert, each with words when it does not hold.

die() {
	printf '%s\n' "$*" >&2
	return 1
}

same() { # same WHAT GOT WANTED
	[ "$2" = "$3" ] || die "$1: got \"$2\", wanted \"$3\""
}

# The daemon of container PID has gone with all it made, within 3 seconds.
nothing_left() { # nothing_left [PID [IFNAME]]
	bed_until 3 bed_no_core || die "processes left: $(bed_core_pids | xargs -r ps -o pid,args -p)"
	bed_until 3 bed_no_state || die "state left: $(bed_state)"
	[ -z "${1-}" ] || bed_no_link "$@" || die "the interface is left"
}

# After `run cni …`: a CNI error object with this code, whose message has these words.
refused() { # refused CODE WORDS
	[ "$status" -ne 0 ] || die "was not refused: $output"
	local code text
	code=$(jq -r .code <<< "$stdout") || die "no error object: $output"
	text=$(jq -r '.msg + " | " + (.details // "")' <<< "$stdout")
	same "code of \"$text\"" "$code" "$1"
	[[ $text == *$2* ]] || die "message \"$text\" does not say \"$2\""
	[[ $text != *$'\n'* ]] || die "message of several lines: $text"
}

# run_cni ARGUMENT… < CONFIGURATION: like `run cni`, with standard output in $stdout
run_cni() {
	local err=$BATS_TMPDIR/stderr.$$
	status=0
	stdout=$(cni "$@" 2> "$err") || status=$?
	output="$stdout"$'\n'"$(cat "$err")"
	rm -f "$err"
}

# conf [JSON OBJECT]: a configuration on standard output, that object merged into it
conf() {
	jq -n --argjson more "${1-"{}"}" \
		'{cniVersion: "1.0.0", name: "test", type: "cni-passt"} + $more'
}

log_to() { # log_to NAME: the log key that makes this container's daemon write a file
	jq -n --arg p "$XDG/$1.log" '{log: {level: "debug", target: $p}}'
}

sum() { sha256sum | cut -d ' ' -f 1; }
