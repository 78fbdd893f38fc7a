#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The OCI hook with runc and crun, by the ordinary user and by root, from the
# bundles that examples/hook-bundle.sh makes; and by itself, with bundles nobody
# should make.

load bed
load expect
load podman

setup_file() {
	bed_make
	head -c 2M /dev/urandom > "$BED_DIR/www/file"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	[ -n "$(podman_missing)" ] || podman_world
}

teardown_file() {
	podman_remove
	bed_remove
}

setup() {
	HOOK=$BED_DIR/hooks/cni-passt-hook
	B=$BED_DIR/tmp/bundle$BATS_TEST_NUMBER
	E=$BED_DIR/tmp/said
}

teardown() {
	[ -z "${C-}" ] || { hook stopped > /dev/null 2>&1 || true; bed_kill "$C"; }
	bed_until 5 bed_no_core
}

# --- with the runtimes

need_runtimes() {
	local why
	why=$(podman_missing)
	[ -z "$why" ] || skip "$why"
}

# bundle root|user runc|crun COMMAND...: in $B, by the example's script
bundle() {
	podman_as "$1" sh -c "mkdir -p $B/rootfs && tar -C $B/rootfs -xf $BED_DIR/podman/bb.tar"
	podman_as "$1" env HOOK="$HOOK" "$BED_DIR/hooks/hook-bundle.sh" "$2" "$B" "${@:3}"
}

# change JQ: of the bundle's config.json
change() {
	jq "$1" "$B/config.json" > "$BED_DIR/changed.json"
	cat "$BED_DIR/changed.json" > "$B/config.json"
}

# oci root|user runc|crun COMMAND...: the runtime, in the bundle's folder
oci() {
	local more=()
	[ "$1$2" != rootcrun ] || more=(--cgroup-manager=disabled)
	# shellcheck disable=SC2016
	podman_as "$1" sh -c 'cd "$0" && exec "$@"' "$B" "$2" --root "$B/state" "${more[@]}" "${@:3}"
}

gone() { # gone: no process, no state of this bed
	bed_until 5 bed_no_core || die "processes left: $(bed_core_pids | xargs -r ps -o pid,args -p)"
	bed_until 3 bed_no_state || die "state left: $(bed_state)"
}

says() { [ "$(bed_host curl -sS --http0.9 --max-time 5 "http://$1/" 2> /dev/null)" = "$2" ]; }

# A web server of sorts, reached from the host; a download inside.
whole_life() { # whole_life root|user runc|crun
	local run
	bundle "$1" "$2" sh -c "
		printf 'GET /file HTTP/1.0\r\n\r\n' | nc $PEER4 80 | tail -c $((2 << 20)) | sha256sum > /sum
		cp /etc/resolv.conf /etc/hosts /tmp
		while :; do echo served | nc -l -p 80; done"
	change '.root.readonly = false'
	BED_OUT=$E bed_bg run oci "$1" "$2" run "t$BATS_TEST_NUMBER"
	bed_until 10 says "127.0.0.1:8080" served || die "port 8080 does not answer: $(cat "$E")"
	bed_until 5 says "$HOST4:8080" served || die "nor the host's address"
	same "download inside" "$(cut -d ' ' -f 1 "$B/rootfs/sum")" "$(sum < "$BED_DIR/www/file")"
	same "own name in hosts" "$(awk -v a="$HOST4" '$1 == a { print $2 }' "$B/rootfs/tmp/hosts")" "$2"
	! grep -q "^nameserver [^1:]" /etc/resolv.conf || grep -q "^nameserver " "$B/rootfs/tmp/resolv.conf" ||
		die "no name server in the container"
	oci "$1" "$2" kill "t$BATS_TEST_NUMBER" KILL
	bed_until 10 bed_gone "$run" || die "$2 run does not return"
	gone
}

@test "crun, by an ordinary user: served, downloaded, nothing left" {
	need_runtimes
	whole_life user crun
}

@test "runc, by an ordinary user: served, downloaded, nothing left" {
	need_runtimes
	whole_life user runc
}

# The lines of examples/oci-hook.md that a newcomer pastes, as they stand.
pasted() { # pasted runc|crun
	local paste=$BED_DIR/tmp/paste.$1
	sed -n '/to paste$/,/^##* *[a-z]* *$/s/^    //p' "$BED_DIR/hooks/oci-hook.md" | sed '/^rm -r demo$/q' > "$paste"
	mkdir -p "$paste.d"
	chown "$BED_UID:$BED_GID" "$paste.d"
	# shellcheck disable=SC2016
	run podman_as user sh -c 'cd "$0" && exec sh -eu "$1"' "$paste.d" "$paste" > /dev/null
	[ "$status" = 0 ] || die "$(cat "$paste")"$'\n'"$output"
	[[ $output == *"hello from the container"* ]] || die "$output"
	[[ $output == *eth0*"$HOST4"* ]] || die "no interface in $output"
	[ ! -e "$paste.d/demo" ] || die "demo stays"
	gone
}

@test "the recipe of examples/oci-hook.md, pasted: crun and runc" {
	need_runtimes
	export runtime
	for runtime in crun runc; do
		BED_ENV+=(runtime="$runtime" examples="$BED_DIR/hooks" HOOK="$HOOK")
		pasted "$runtime"
	done
}

@test "runc, by root" {
	need_runtimes
	whole_life root runc
	[ -z "$(find /run/cni-passt -name "t$BATS_TEST_NUMBER@*" 2> /dev/null)" ]
}

@test "a hook that fails: the runtime says why in one line, no container, nothing left" {
	need_runtimes
	bundle user runc true
	change '.annotations["io.cni-passt.mtu"] = "17"'
	run oci user runc run bad
	[ "$status" -ne 0 ] || die "was started"
	[[ $output == *"cni-passt-hook: attach bad: mtu: 17 is not 0 or 576 to 65535"* ]] || die "$output"
	gone
	change '.annotations["io.cni-passt.mtu"] = "1400"'
	change '.process.args = ["cat", "/sys/class/net/eth0/mtu"]'
	same "mtu in the container" "$(oci user runc run good)" 1400
	gone
}

@test "crun without its createContainer hook says what is missing" {
	need_runtimes
	bundle user crun true
	change 'del(.hooks.createContainer) | .annotations["run.oci.hooks.stderr"] = "'"$E"'"'
	: > "$E"
	chown "$BED_UID" "$E"
	run oci user crun run bad
	[ "$status" -ne 0 ] || die "was started"
	grep -q 'createContainer hook, too' "$E" || die "$output, $(cat "$E")"
	gone
}

# --- the hook by itself

# A bundle and a container that is one for the hook.
fake() {
	bed_container C
	bed_user mkdir -p "$B/rootfs/etc"
	config '{}'
}

config() { # config JSON OBJECT: over the usual
	jq -n --argjson more "$1" '{ociVersion: "1.0.2", hostname: "box", root: {path: "rootfs"},
		linux: {namespaces: [{type: "network"}]}} + $more' > "$B/config.json"
}

state() { # state STATUS [JSON OBJECT]
	jq -n --arg status "$1" --arg id "h$C" --argjson pid "$C" --arg bundle "$B" --argjson more "${2-"{}"}" \
		'{ociVersion: "1.0.2", id: $id, status: $status, pid: $pid, bundle: $bundle} + $more'
}

# hook STATUS [JSON OBJECT [ARGUMENT...]]
hook() { state "$1" "${2-"{}"}" | bed_user "$HOOK" "${@:3}"; }

# refused_with WORDS STATUS [JSON OBJECT [ARGUMENT...]]: one line with these words, and nothing is left
refused_with() {
	local words=$1
	shift
	run hook "$@"
	[ "$status" = 1 ] || die "status $status, not 1: $output"
	[[ $output == "cni-passt-hook: "*"$words"* ]] || die "\"$output\" does not say \"$words\""
	same "lines" "${#lines[@]}" 1
	gone
}

works() { same "curl" "$(bed_in "$C" curl -sS --max-time 20 "http://$PEER4/file" | sum)" "$(sum < "$BED_DIR/www/file")"; }

@test "attach, once more for prestart, detach, once more; all without a word" {
	fake
	run hook creating '{"annotations": {"other": "x", "io.cni-passt.ipv6": "false"}, "unknown": [1]}'
	same "output" "$output" ""
	same "status" "$status" 0
	works
	[ -z "$(bed_in "$C" ip -6 addr show dev eth0 scope global)" ]
	run hook created
	same "status and output of the second" "$status$output" 0
	same "processes" "$(bed_core_pids | wc -l)" 3
	run hook stopped '{"pid": 0}'
	same "status and output of poststop" "$status$output" 0
	nothing_left "$C"
	run hook stopped '{"pid": null, "bundle": "/gone"}'
	same "status and output of poststop, again" "$status$output" 0
}

@test "the daemon ends with the container, also where the namespace's path stays" {
	local other
	fake
	bed_bg other bed_in "$C" sleep 600
	bed_until 5 in_namespace "$other"
	config "{\"linux\": {\"namespaces\": [{\"type\": \"network\", \"path\": \"/proc/$other/ns/net\"}]}}"
	hook created
	works
	bed_kill "$C"
	gone
	# the interface goes after the daemon, see tun_leave()
	bed_until 5 no_interface "$other" || die "the interface stays"
	bed_kill "$other"
}
no_interface() { ! bed_in "$1" ip link show dev eth0 > /dev/null 2>&1; }
in_namespace() { [ "$(readlink "/proc/$1/ns/net")" = "$(readlink "/proc/$C/ns/net")" ]; }

@test "annotations over the file over defaults; what is not allowed is refused by name" {
	fake
	local conf=$BED_DIR/hooks/hook.conf
	hook created '{"annotations": {"io.cni-passt.mtu": "1400", "io.cni-passt.publish": "8090:80, 5353:53/udp"}}' --conf "$conf"
	same "mtu" "$(bed_in "$C" cat /sys/class/net/eth0/mtu)" 1400
	[[ $(bed_in "$C" ip -4 -br addr show dev eth0) != *"$HOST4"* ]] || die "not the file's private address"
	[ -n "$(bed_host ss -Hltn 'sport = :8090')" ] || die "8090 is not published"
	[ -n "$(bed_host ss -Hlun 'sport = :5353')" ] || die "5353/udp is not published"
	grep -q '^search example.org$' "$B/rootfs/etc/resolv.conf" || [ ! -e "$B/rootfs/etc/resolv.conf" ]
	hook stopped
	nothing_left "$C"
	refused_with "annotation io.cni-passt.addresses is not allowed here" created \
		'{"annotations": {"io.cni-passt.addresses": "host"}}' --conf "$conf"
	refused_with "annotation io.cni-passt.reverse is not allowed here" created \
		'{"annotations": {"io.cni-passt.reverse": "22:22"}}'
	refused_with "annotation io.cni-passt.pubish is not one" created '{"annotations": {"io.cni-passt.pubish": "1:1"}}'
	refused_with "\"1500x\" is not a number" created '{"annotations": {"io.cni-passt.mtu": "1500x"}}'
	refused_with "is not a string" created '{"annotations": {"io.cni-passt.mtu": 1500}}'
	refused_with "forward.tcp: \"99999:80\"" created '{"annotations": {"io.cni-passt.publish": "99999:80"}}'
	hook created '{"annotations": {"io.cni-passt.attach": "false"}}'
	gone
}

@test "a shared namespace is refused, or skipped where that is asked for" {
	fake
	config '{"linux": {"namespaces": [{"type": "mount"}]}}'
	refused_with "has no network namespace of its own" created
	run hook created '{}' --skip-shared
	same "status and output" "$status$output" 0
	config '{"linux": {"namespaces": [{"type": "network"}]}}'
	hook created
	config "{\"linux\": {\"namespaces\": [{\"type\": \"network\", \"path\": \"/proc/$C/ns/net\"}]}}"
	run hook created '{"id": "second"}'
	[ "$status" = 1 ] && [[ $output == *eth0* ]] || die "$status: $output"
	run hook created '{"id": "second"}' --skip-shared
	same "status and output of the second in it" "$status$output" 0
	works
}

@test "hostile state: garbage, wrong types, huge annotations" {
	fake
	local more bad=(
		'{"id": 5}' '{"id": "../x"}' '{"id": ""}' '{"pid": "1"}' '{"pid": -1}' '{"pid": 4294967296}'
		'{"bundle": "relative"}' '{"bundle": {}}' '{"bundle": "/nowhere"}' '{"annotations": []}'
		'{"annotations": {"io.cni-passt.": "x"}}' '{"status": 7}' '{"status": "odd"}' '{"pid": 0}'
	)
	for more in "${bad[@]}"; do
		refused_with "" created "$more"
	done
	for more in '' '{' '[]' 'null' '{"id": "x", "id": ' "$(printf '{"id": "a\\u0000b"}')" '{"id":"x"}}'; do
		run bed_user "$HOOK" <<< "$more"
		[ "$status" = 1 ] && [ "${#lines[@]}" = 1 ] || die "$more: $status: $output"
	done
	jq -n '{"io.cni-passt.publish": ("1:1," * 5000)}' > "$BED_DIR/huge"
	run bed_user "$HOOK" < <(state created | jq --slurpfile a "$BED_DIR/huge" '.annotations = $a[0]')
	[ "$status" = 1 ] && [[ $output == *"longer than"* ]] || die "$status: $output"
	jq -n '{"other": ("x" * 2000000)}' > "$BED_DIR/huge"
	run bed_user "$HOOK" < <(state created | jq --slurpfile a "$BED_DIR/huge" '.annotations = $a[0]')
	[ "$status" = 1 ] && [[ $output == *"longer than"* ]] || die "$status: $output"
	run bed_user "$HOOK" detach <<< 'garbage'
	same "status of detach with garbage" "$status" 0
	gone
}

@test "hostile bundle: a root file system of links and devices" {
	fake
	local etc=$B/rootfs/etc f secret=$BED_DIR/tmp/secret
	for f in '{"root": 5}' '{"linux": []}' '{"linux": {"namespaces": [{"type": "network", "path": "x"}]}}' \
		'{"linux": {"namespaces": [{"type": "network", "path": "/etc/passwd"}]}}' '{"mounts": {}}' '{"annotations": 1}'; do
		config "$f"
		refused_with "" created
	done
	echo garbage > "$B/config.json"
	refused_with "config.json" created
	rm "$B/config.json"
	mkfifo "$B/config.json"
	refused_with "is not a file" created
	rm "$B/config.json"
	config '{}'
	echo secret > "$secret"
	chown "$BED_UID" "$secret"

	bed_user ln -s "$secret" "$etc/hosts"
	hook created '{}' --hosts
	same "what the link led to" "$(cat "$secret")" secret
	[ ! -L "$etc/hosts" ] && grep -q $'\tbox$' "$etc/hosts" || die "hosts is not a file with our lines"
	hook stopped
	hook created '{}' --hosts
	same "our lines after a second start" "$(grep -c $'^203.*\tbox$' "$etc/hosts")" 1
	hook stopped

	bed_user sh -c "rm $etc/hosts && mkfifo $etc/hosts"
	refused_with "/etc/hosts" created '{}' --hosts
	bed_user sh -c "rm $etc/hosts && mkdir $etc/hosts"
	refused_with "/etc/hosts" created '{}' --hosts
	bed_user sh -c "rm -r $etc && mkdir $B/elsewhere && ln -s $B/elsewhere $etc"
	refused_with "links are not followed" created '{}' --hosts
	bed_user sh -c "rm $etc && echo > $etc"
	refused_with "/etc" created '{}' --hosts
	same "what came out elsewhere" "$(ls "$B/elsewhere")" ""

	config '{"mounts": [{"destination": "/etc/"}]}'
	hook created '{}' --hosts --resolv-conf
	works
}

@test "killed by the runtime at any moment: whole or gone, and the next start works" {
	fake
	local i p n=20
	[ -z "${BED_SHORT-}" ] || n=8
	state created > "$BED_DIR/state.json"
	for ((i = 0; i < n; i++)); do
		bed_user "$HOOK" < "$BED_DIR/state.json" > "$E" 2>&1 3>&- &
		p=$!
		sleep "0.0$((RANDOM % 10))"
		kill -9 "$p" 2> /dev/null || true
		wait "$p" 2> /dev/null || true
		bed_until 10 settled || die "after kill $i: neither whole nor gone: $(bed_core_pids | xargs -r ps -o pid,args -p)"
		hook stopped '{"pid": 0}'
		bed_until 5 bed_no_core || die "processes left after kill $i"
		bed_until 5 bed_no_state || die "state left after kill $i: $(bed_state)"
	done
	hook created
	works
}
# all of it or nothing of it: the interface goes with the last process
settled() { case $(bed_core_pids | wc -l) in 0 | 3) ;; *) return 1 ;; esac; }

@test "many containers at once, attached and detached" {
	local i pids=() jobs=() n=${HOOK_MANY-100}
	[ -z "${BED_SHORT-}" ] || n=12
	C=
	bed_user mkdir -p "$B/rootfs/etc"
	config '{}'
	for ((i = 0; i < n; i++)); do
		bed_container C
		pids+=("$C")
	done
	for C in "${pids[@]}"; do
		hook created > "$BED_DIR/said.$C" 2>&1 3>&- &
		jobs+=($!)
	done
	for i in "${!jobs[@]}"; do
		wait "${jobs[i]}" || die "container $i: $(cat "$BED_DIR/said.${pids[i]}")"
	done
	same "attachments" "$(bed_state | wc -l)" "$n"
	for C in "${pids[@]:0:10}"; do
		bed_in "$C" ping -c 1 -W 5 "$PEER4" > /dev/null || die "container $C has no network"
	done
	jobs=()
	for C in "${pids[@]:0:$((n / 2))}"; do
		hook stopped 3>&- &
		jobs+=($!)
	done
	for C in "${pids[@]:$((n / 2))}"; do
		bed_kill "$C"		# the others go without poststop
	done
	for i in "${jobs[@]}"; do
		wait "$i"	# (not all children: the containers are some)
	done
	C=
	gone
	for i in "${pids[@]}"; do
		bed_kill "$i"
	done
}

@test "wrong usage, help and version" {
	run bed_user "$HOOK" attach too many < /dev/null
	same "status" "$status" 2
	run bed_user "$HOOK" atach < /dev/null
	same "status" "$status" 2
	run bed_user "$HOOK" --nothing < /dev/null
	same "status" "$status" 2
	[[ $(bed_user "$HOOK" --version) == "cni-passt-hook "* ]]
	[[ $(bed_user "$HOOK" --help) == *--skip-shared* ]]
}
