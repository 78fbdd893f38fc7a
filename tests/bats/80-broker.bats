#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2154
#
# The broker: front ends that stand where rootless podman calls its plugins, in a
# network namespace that many containers share and in a mount namespace made for
# one call, and the daemon where the host's sockets are.
#
#     host           the broker, by the ordinary user; the daemons it starts
#     "shared"       user+network+mount namespace of the same user; the plugin runs here
#     container      a network namespace in it, bound to a path that only "shared" sees

load bed
load expect

setup_file() {
	bed_make
	bed_bg SHARED bed_user unshare -rUnm sleep 3600
	bed_until 3 bed_contained "$SHARED"
	NS=$XDG/netns/c
	bed_user mkdir "$XDG/netns"
	printf '#!/bin/sh\n[ "$1" != bound ] || env\n' > "$BED_DIR/lease.sh"
	chmod 0755 "$BED_DIR/lease.sh"
	export SHARED NS
}

teardown_file() {
	bed_remove
}

setup() {
	bed_user touch "$NS"
	[ "$(in_shared stat -f -c %T "$NS")" = nsfs ] || in_shared unshare --net="$NS" ip link set lo up
	broker_start
}

teardown() {
	conf | shared_cni DEL c eth0 > /dev/null 2>&1 || true
	[ -z "${BROKER-}" ] || bed_kill "$BROKER"
	umount "$BED_DIR/cgroup" 2> /dev/null || true
	bed_until 3 bed_no_core
}

in_shared() { bed_user nsenter -t "$SHARED" -U -n -m --preserve-credentials "$@"; }
in_c() { in_shared nsenter --net="$NS" "$@"; }

# The plugin as podman calls it: in a mount namespace that goes with the call
shared_cni() { # shared_cni COMMAND ID IFNAME < CONFIGURATION
	in_shared unshare -m env CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="$NS" CNI_IFNAME="$3" \
		CNI_PATH="$BED_DIR/plugin" "$CNI_PASST"
}
run_shared() { # like run_cni
	status=0
	stdout=$(shared_cni "$@" 2> "$BED_DIR/stderr") || status=$?
	output="$stdout"$'\n'"$(cat "$BED_DIR/stderr")"
}

broker_start() { # broker_start ARGUMENT...
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user "$CNI_PASST" broker "$@"
	bed_until 5 grep -q listening "$BED_DIR/tmp/broker.log" || die "no broker: $(cat "$BED_DIR/tmp/broker.log")"
}
broker_stop() {
	bed_kill "$BROKER"
	BROKER=
}
started() { grep -c 'started pid' "$BED_DIR/tmp/broker.log" || true; }

netns_of() { readlink "/proc/$1/ns/net"; }
main_pid() { jq -r .pid "$XDG/cni-passt/$1@eth0/state.json"; }

@test "auto takes the broker: the daemon is in the host's namespace, DEL ends it from inside" {
	run_shared ADD c eth0 < <(conf)
	same "status of ADD: $output" "$status" 0
	same "requests" "$(started)" 1
	same "main's namespace" "$(netns_of "$(main_pid c)")" "$(bed_host readlink /proc/self/ns/net)"
	same "main's parent" "$(awk '/^PPid:/ { print $2 }' "/proc/$(main_pid c)/status")" "$BROKER"
	jq -e --arg ns "$NS" '.interfaces[0].sandbox == $ns' <<< "$stdout"
	in_c ip -o addr show eth0 | grep -q "inet $HOST4/24 "
	in_c ping -c 1 -W 2 "$PEER4"
	in_c ping -c 1 -W 2 "$PEER6"
	conf "$(jq -c '{prevResult: .}' <<< "$stdout")" > "$BED_DIR/tmp/check.json"
	run_shared CHECK c eth0 < "$BED_DIR/tmp/check.json"
	same "status of CHECK: $output" "$status" 0
	run_shared DEL c eth0 < <(conf)
	same "status of DEL: $output" "$status" 0
	nothing_left
	in_c ip link show eth0 2> /dev/null && die "the interface is left"
	bed_until 3 no_zombie || die "the broker does not reap"
}
no_zombie() { [[ $(ps -o stat= --ppid "$BROKER") != *Z* ]]; }

@test "published ports are the host's, with the client's address, and change at run time" {
	local line s
	run_shared ADD c eth0 < <(conf '{"forward": {"tcp": ["8080:80"]}}')
	same "status of ADD: $output" "$status" 0
	bed_bg s in_c socat TCP-LISTEN:80,fork,reuseaddr 'SYSTEM:echo $SOCAT_PEERADDR'
	bed_until 5 listening_in_c
	line=$(bed_peer socat -T 5 - "TCP:$HOST4:8080" < /dev/null)
	same "client seen" "$line" "$PEER4"
	in_shared unshare -m "$CNI_PASST" forward c add tcp 8081:80
	line=$(bed_peer socat -T 5 - "TCP:$HOST4:8081" < /dev/null)
	same "client seen at the second port" "$line" "$PEER4"
	bed_kill "$s"
}
listening_in_c() { [ -n "$(in_c ss -Hltn 'sport = :80')" ]; }

@test "name servers are the host's, not those of the shared namespace" {
	local want
	want=$(awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)
	in_shared sh -c "printf 'nameserver 192.0.2.77\n' > $XDG/resolv.conf && mount --bind $XDG/resolv.conf /etc/resolv.conf"
	run_shared ADD c eth0 < <(conf '{"configure": false, "addresses": ["10.9.0.2/24"], "gateways": ["10.9.0.1"], "dns": {"forward": []}}')
	in_shared umount /etc/resolv.conf
	same "status of ADD: $output" "$status" 0
	in_c sh -c "cd $BED_DIR/tmp && exec timeout 10 busybox udhcpc -i eth0 -n -q -f -s $BED_DIR/lease.sh" > "$BED_DIR/tmp/lease"
	grep -q '^ip=10.9.0.2' "$BED_DIR/tmp/lease"
	[ "$(grep -c 192.0.2.77 "$BED_DIR/tmp/lease")" = 0 ]
	[ -z "$want" ] || [[ $want == 127.* ]] || [[ $want == *:* ]] || grep -q "^dns=.*$want" "$BED_DIR/tmp/lease"
}

@test "the daemon ends with the path, though the mount namespace it was seen in is long gone" {
	run_shared ADD c eth0 < <(conf)
	same "status of ADD: $output" "$status" 0
	sleep 1.2
	in_c ping -c 1 -W 2 "$PEER4"
	in_shared sh -c "umount $NS && rm $NS"
	nothing_left
}

@test "without a broker auto stays in the shared namespace, broker says how to get one" {
	broker_stop
	run_shared ADD c eth0 < <(conf '{"via": "broker"}')
	refused 11 "no broker answers | start it in the host's network namespace"
	run_shared STATUS "" "" < <(conf '{"via": "broker", "cniVersion": "1.1.0"}')
	refused 50 "no broker answers"
	nothing_left
	run_shared ADD c eth0 < <(conf '{"addresses": ["10.9.0.2/24"]}')
	same "status of ADD: $output" "$status" 0
	same "main's namespace" "$(netns_of "$(main_pid c)")" "$(in_shared readlink /proc/self/ns/net)"
}

@test "STATUS asks where the daemon would run" {
	run_shared STATUS "" "" < <(conf '{"cniVersion": "1.1.0"}')
	same "status: $output" "$status" 0
	same "requests" "$(started)" 1
}

@test "in the host's namespace auto is direct, and broker outlives caller and broker" {
	bed_container C
	run_cni ADD c "/proc/$C/ns/net" eth0 < <(conf)
	same "status of ADD: $output" "$status" 0
	same "requests" "$(started)" 0
	conf | cni DEL c "/proc/$C/ns/net" eth0
	run_cni ADD c "/proc/$C/ns/net" eth0 < <(conf '{"via": "broker"}')
	same "status of ADD: $output" "$status" 0
	same "requests" "$(started)" 1
	bed_user "$CNI_PASST" broker 2>&1 | grep -q "another broker listens there"
	broker_stop
	[ ! -e "$XDG/cni-passt/broker.sock" ]
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	broker_start
	run_cni DEL c "/proc/$C/ns/net" eth0 < <(conf)
	same "status of DEL: $output" "$status" 0
	nothing_left "$C"
	bed_kill "$C"
}

# add_in CGROUP JSON: the plugin as a service would call it that is one cgroup
add_in() {
	( echo "$BASHPID" > "$1/cgroup.procs" && conf "$2" | cni ADD c "/proc/$C/ns/net" eth0 > /dev/null )
}
@test "a caller whose cgroup is killed takes its daemons along, but not the broker's" {
	bed_real_root || skip "a cgroup needs the machine's root"
	local group=$BED_DIR/cgroup/cp-${BED_DIR##*.}
	mkdir -p "$BED_DIR/cgroup"
	mount -t cgroup2 none "$BED_DIR/cgroup" 2> /dev/null || skip "no cgroup2"
	mkdir "$group" && [ -e "$group/cgroup.kill" ] || { umount "$BED_DIR/cgroup"; skip "no cgroup.kill: Linux 5.14"; }
	bed_container C
	add_in "$group" '{"via": "broker"}'
	echo 1 > "$group/cgroup.kill"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	conf | cni DEL c "/proc/$C/ns/net" eth0
	add_in "$group" '{}'
	echo 1 > "$group/cgroup.kill"
	bed_until 5 bed_no_core || die "the caller's own daemon outlived its cgroup"
	bed_until 5 rmdir "$group" 2> /dev/null	# (what was killed may not be gone yet)
	umount "$BED_DIR/cgroup"
	# what is left of it is cleaned by the next command
	conf | cni DEL c "/proc/$C/ns/net" eth0
	nothing_left "$C"
	bed_kill "$C"
}

@test "a broker that was killed leaves a socket that the next one replaces" {
	kill -9 "$BROKER"
	bed_kill "$BROKER"
	[ -S "$XDG/cni-passt/broker.sock" ]
	run_shared ADD c eth0 < <(conf '{"via": "broker"}')
	refused 11 "no broker answers"
	broker_start
	run_shared ADD c eth0 < <(conf '{"via": "broker"}')
	same "status of ADD: $output" "$status" 0
}

@test "a front end that dies before its commit leaves nothing" {
	local n
	command -v strace > /dev/null || skip "no program strace"
	in_shared strace -qq -e trace=none true 2> /dev/null || skip "strace cannot trace here"
	conf > "$BED_DIR/tmp/conf"
	# its last words but for the commit: state.json, the second time
	for n in 1 2; do
		in_shared env CNI_COMMAND=ADD CNI_CONTAINERID=c CNI_NETNS="$NS" CNI_IFNAME=eth0 CNI_PATH=/ \
			ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null -e trace=renameat \
			-e inject=renameat:signal=SIGKILL:when="$n" "$CNI_PASST" < "$BED_DIR/tmp/conf" && die "was not killed"
		bed_until 3 bed_no_core || die "processes left"
		run_shared DEL c eth0 < <(conf)
		same "status of DEL: $output" "$status" 0
		nothing_left
	done
	same "requests" "$(started)" 2
}

@test "namespaces of others, other users and nonsense are refused" {
	bed_container C
	run_cni ADD c "/run/netns/$PEER" eth0 < <(conf '{"via": "broker"}')
	refused 100 "not in a user namespace of the broker's user"
	nothing_left
	bed_real_root || skip "one user only"
	run_cni ADD c "/proc/$C/ns/net" eth0 < <(conf '{"via": "broker"}')
	same "status: $output" "$status" 0
	conf | cni DEL c "/proc/$C/ns/net" eth0
	# root has a store of its own; the variable leads it here
	status=0
	stdout=$(conf '{"via": "broker"}' | bed_host env CNI_COMMAND=ADD CNI_CONTAINERID="$BED" CNI_NETNS="/proc/$C/ns/net" \
		CNI_IFNAME=eth0 CNI_PASST_BROKER="$XDG/cni-passt/broker.sock" "$CNI_PASST") || status=$?
	output=$stdout
	refused 100 "the broker belongs to another user"
	bed_kill "$C"
	bed_user python3 "$BED_DIR/broker.py" nonsense "$XDG/cni-passt/broker.sock"
	run_shared ADD c eth0 < <(conf)
	same "status of ADD: $output" "$status" 0
}

@test "a hundred clients that say nothing delay nobody for long" {
	bed_bg SILENT bed_user python3 "$BED_DIR/broker.py" silent "$XDG/cni-passt/broker.sock"
	bed_until 5 silent_there
	run_shared ADD c eth0 < <(conf '{"via": "broker"}')
	bed_kill "$SILENT"
	same "status of ADD: $output" "$status" 0
}
silent_there() { [ "$(find "/proc/$BROKER/fd" -lname 'socket:*' | wc -l)" -ge 64 ]; }

# unit FILE KEY: a value of one of the units we ship, as it reads for this user
unit() { sed -n "s|^$2=||p" "$bed_tree/conf/$1" | sed "s|%t|$XDG|; s|@bindir@|$BED_DIR/plugin|"; }

@test "it takes a listening socket from systemd, as the units say" {
	local start sock
	broker_stop
	sock=$(unit cni-passt-broker.socket ListenSequentialPacket)
	read -ra start <<< "$(unit cni-passt-broker.service.in ExecStart)"
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user python3 "$BED_DIR/broker.py" activate "$sock" "${start[@]}"
	bed_until 5 grep -q "listening on the socket of systemd" "$BED_DIR/tmp/broker.log"
	run_shared ADD c eth0 < <(conf '{"via": "broker"}')
	same "status of ADD: $output" "$status" 0
	tr '\0' '\n' < "/proc/$(main_pid c)/environ" > "$BED_DIR/tmp/environ"
	[ "$(grep -c LISTEN_ "$BED_DIR/tmp/environ")" = 0 ]
	broker_stop
	[ -S "$sock" ]
	rm "$sock"
	if command -v systemd-analyze > /dev/null; then
		mkdir -p "$BED_DIR/units"
		cp "$bed_tree/conf/cni-passt-broker.socket" "$BED_DIR/units/"
		sed "s|@bindir@|$BED_DIR/plugin|" "$bed_tree/conf/cni-passt-broker.service.in" > "$BED_DIR/units/cni-passt-broker.service"
		systemd-analyze verify --man=no "$BED_DIR"/units/cni-passt-broker.*
	fi
}

@test "--listen and CNI_PASST_BROKER name another socket" {
	broker_stop
	broker_start --listen "$XDG/other.sock"
	BED_ENV=(CNI_PASST_BROKER="$XDG/other.sock")
	run_shared ADD c eth0 < <(conf '{"via": "broker"}')
	BED_ENV=()
	same "status of ADD: $output" "$status" 0
}

@test "many at once" {
	local i pids=() n=${BED_SHORT:+4}
	n=${n:-12}
	for ((i = 0; i < n; i++)); do
		bed_bg pid in_shared unshare -n sleep 3600
		bed_until 3 bed_contained "$pid"
		pids+=("$pid")
	done
	i=0
	for pid in "${pids[@]}"; do
		conf | bed_user nsenter -t "$SHARED" -U -n -m --preserve-credentials env CNI_COMMAND=ADD CNI_CONTAINERID="m$pid" \
			CNI_NETNS="/proc/$pid/ns/net" CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" > "$BED_DIR/tmp/m$pid" 2>&1 3>&- &
	done
	for job in $(jobs -p); do
		[ -e "$BED_DIR/pids/$job" ] || wait "$job" || die "an ADD failed: $(cat "$BED_DIR"/tmp/m[0-9]*)"
	done
	same "requests" "$(started)" "$n"
	same "daemons" "$(bed_core_pids | wc -l)" $((3 * n))
	for pid in "${pids[@]}"; do
		bed_kill "$pid"		# the pidfd went over
	done
	nothing_left
	bed_until 3 no_zombie
}
