# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# bed: three hosts in network namespaces, for the tests, the benches and the
# quickstart. "peer" is the internet, "host" the machine the container runs on,
# the container a user and network namespace of an ordinary user.
#
#     peer   lo 198.51.100.10/32, 2001:db8:2::10/128      servers bind here
#            p0 203.0.113.1/24, 2001:db8:1::1/64
#      | veth
#     host   h0 203.0.113.2/24, 2001:db8:1::2/64          default routes via .1, ::1
#      | sockets of our daemon, run by the ordinary user
#     container   unshare -rUn                            nothing in it before ADD
#
# bed_chain puts two routers before another host, "far"; peer is then one of them:
#
#     peer   m0 192.0.2.1/30, 2001:db8:12::1/64           forwards; mtu 1400 on this link
#      | veth
#     mid    m1 192.0.2.2/30, 2001:db8:12::2/64
#            f0 192.0.2.5/30, 2001:db8:23::1/64           forwards
#      | veth
#     far    f1 192.0.2.6/30, 2001:db8:23::2/64           servers bind here
#
# Every bed has names of its own, so that several can stand at once. All that a
# bed starts or changes is ended and put back by bed_remove, by process id and
# by name; it never touches what it did not make. Run by an ordinary user, the
# whole bed stands inside a user namespace of that user (bed_enter_userns).

PEER4=198.51.100.10
PEER6=2001:db8:2::10
HOST4=203.0.113.2
HOST6=2001:db8:1::2
HOSTADDR=169.254.1.2		# the default hostAddress
MID4=192.0.2.2
MID6=2001:db8:12::2
FAR4=192.0.2.6
FAR6=2001:db8:23::2
CHAIN_MTU=1400
BED_ENV=()			# more variables for every program of the ordinary user
export PEER4 PEER6 HOST4 HOST6 HOSTADDR MID4 MID6 FAR4 FAR6 CHAIN_MTU

bed_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Prints why a bed cannot be made here, or nothing.
bed_missing() {
	local p
	for p in ip nsenter unshare setpriv sysctl flock; do
		command -v "$p" > /dev/null || { echo "no program $p"; return; }
	done
	[ "$(id -u)" = 0 ] || { echo "not root"; return; }
	[ -c /dev/net/tun ] || echo "no /dev/net/tun"
}

# ---- the machine: what a bed must change outside of itself, counted by holders

bed_hold=/run/cni-passt-bed

# The real root of the machine, not the root of a user namespace?
bed_real_root() {
	[ "$(id -u)" = 0 ] && [ "$(awk 'NR == 1 { print $3 }' /proc/self/uid_map)" = 4294967295 ]
}

# bed_set_saved NAME FILE VALUE: writes a kernel setting and remembers the old one
bed_set_saved() {
	[ -w "$2" ] || return 0
	[ "$(cat "$2")" != "$3" ] || return 0
	[ -e "$bed_hold/$1" ] || printf '%s %s\n' "$2" "$(cat "$2")" > "$bed_hold/$1"
	echo "$3" > "$2"
}

bed_machine_take() {
	bed_real_root || return 0
	mkdir -p "$bed_hold/holders"
	(
		flock 9
		: > "$bed_hold/holders/$$"
		if [ "$(stat -c %a /dev/net/tun)" != 666 ]; then
			[ -e "$bed_hold/tun" ] || stat -c %a /dev/net/tun > "$bed_hold/tun"
			chmod 0666 /dev/net/tun
		fi
		bed_set_saved userns1 /proc/sys/kernel/unprivileged_userns_clone 1
		bed_set_saved userns2 /proc/sys/kernel/apparmor_restrict_unprivileged_userns 0
	) 9> "$bed_hold/lock"
}

# The last holder puts everything back.
bed_machine_drop() {
	bed_real_root || return 0
	[ -d "$bed_hold/holders" ] || return 0
	(
		flock 9
		rm -f "$bed_hold/holders/$$"
		for h in "$bed_hold"/holders/*; do
			[ -e "$h" ] || continue
			[ -d "/proc/${h##*/}" ] && exit 0
			rm -f "$h"
		done
		for s in "$bed_hold"/userns1 "$bed_hold"/userns2; do
			[ -e "$s" ] || continue
			read -r file value < "$s"
			echo "$value" > "$file"
		done
		[ ! -e "$bed_hold/tun" ] || chmod "$(cat "$bed_hold/tun")" /dev/net/tun
		rm -rf "$bed_hold"
	) 9> "$bed_hold/lock"
	return 0
}

# An ordinary user without rights becomes root of a namespace of its own, where
# it may make namespaces: re-executes the calling script there.
bed_enter_userns() { # bed_enter_userns SCRIPT ARGUMENT...
	exec unshare --user --map-root-user --net --mount --propagation private \
		bash -c 'mount -t tmpfs none /run && exec "$@"' bash "$@"
}

# New network namespaces take their congestion control from the first one, at
# the moment they are made: it is changed for that moment only.
bed_cc_begin() {
	bed_real_root && [ -n "${BED_CC-}" ] || return 0
	mkdir -p "$bed_hold"
	exec {bed_cc_lock}> "$bed_hold/cc.lock"
	flock "$bed_cc_lock"
	bed_cc_old=$(sysctl -n net.ipv4.tcp_congestion_control)
	sysctl -qw net.ipv4.tcp_congestion_control="$BED_CC"
}

bed_cc_end() {
	[ -n "${bed_cc_old-}" ] || return 0
	sysctl -qw net.ipv4.tcp_congestion_control="$bed_cc_old"
	exec {bed_cc_lock}>&-
	unset bed_cc_old bed_cc_lock
}

bed_cc_available() { [[ " $(sysctl -n net.ipv4.tcp_available_congestion_control) " == *" $1 "* ]]; }

# ---- making and removing

# bed_make [CONGESTION CONTROL]: sets and exports BED, BED_DIR, BED_UID …
# The programs come from CNI_PASST_BUILD (default ./build) and are copied to where
# the ordinary user can read them, in the layout of the build tree.
bed_make() {
	local build=${CNI_PASST_BUILD-$bed_tree/build}
	BED_CC=${1-}
	BED_DIR=$(mktemp -d /tmp/cni-passt-bed.XXXXXX)
	BED=cp${BED_DIR##*.}
	chmod 0755 "$BED_DIR"
	bed_pick_user
	mkdir -p "$BED_DIR"/{plugin,core,hooks,run,www,tmp,pids}
	cp "$build/plugin/cni-passt" "$BED_DIR/plugin/"
	cp "$build/core/cni-passt-core" "$build/cli/cni-passt-pasta" "$BED_DIR/core/"
	cp "$build/hooks/cni-passt-hook" "$BED_DIR/hooks/"
	cp "$bed_tree/examples/basic.conf" "$bed_tree"/conf/*.conflist "$BED_DIR/"
	cp "$bed_tree"/examples/{hook*,oci-hook.md} "$BED_DIR/hooks/"
	cp "$bed_tree"/tests/bats/*.py "$BED_DIR/" 2> /dev/null || true
	chmod 0700 "$BED_DIR/run"
	chown "$BED_UID:$BED_GID" "$BED_DIR/run" "$BED_DIR/tmp"
	CNI_PASST=$BED_DIR/plugin/cni-passt
	CORE=$BED_DIR/core/cni-passt-core
	XDG=$BED_DIR/run
	PEER=$BED-peer
	HOST=$BED-host
	export BED BED_CC BED_DIR BED_UID BED_GID CNI_PASST CORE XDG PEER HOST
	bed_machine_take
	bed_cc_begin
	ip netns add "$PEER" && ip netns add "$HOST"
	bed_cc_end
	bed_wire
}

# The ordinary user: BED_USER if given, else numbers without a name, which is
# all the kernel looks at. Root of a user namespace has one number only: 0.
bed_pick_user() {
	BED_UID=61234
	BED_GID=61234
	if [ -n "${BED_USER-}" ]; then
		BED_UID=$(id -u "$BED_USER")
		BED_GID=$(id -g "$BED_USER")
	fi
	if ! bed_real_root; then
		BED_UID=0
		BED_GID=0
	fi
}

bed_wire() {
	local ns range="0 2147483647"
	bed_real_root || range="0 0"
	for ns in "$PEER" "$HOST"; do
		nsenter --net="/run/netns/$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0 \
			net.ipv4.ping_group_range="$range"
		ip -n "$ns" link set lo up
	done
	ip -n "$PEER" link add p0 type veth peer name h0 netns "$HOST"
	ip -n "$PEER" link set p0 up
	ip -n "$HOST" link set h0 up
	# UDP replies leave from the servers' address, not from the link's.
	ip -n "$PEER" addr add 203.0.113.1/24 dev p0 noprefixroute
	ip -n "$PEER" addr add 2001:db8:1::1/64 dev p0 noprefixroute nodad
	ip -n "$PEER" addr add "$PEER4/32" dev lo
	ip -n "$PEER" addr add "$PEER6/128" dev lo
	ip -n "$HOST" addr add "$HOST4/24" dev h0
	ip -n "$HOST" addr add "$HOST6/64" dev h0 nodad
	ip -n "$HOST" route add default via 203.0.113.1
	ip -n "$HOST" -6 route add default via 2001:db8:1::1
	ip -n "$PEER" route add 203.0.113.0/24 dev p0 src "$PEER4"
	ip -n "$PEER" -6 route add 2001:db8:1::/64 dev p0 src "$PEER6"
}

# bed_link NAMESPACE INTERFACE IPV4 IPV6 NAMESPACE INTERFACE IPV4 IPV6 MTU
bed_link() {
	ip -n "$1" link add "$2" mtu "$9" type veth peer name "$6" mtu "$9" netns "$5"
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" addr add "$4" dev "$2" nodad
	ip -n "$5" addr add "$7" dev "$6"
	ip -n "$5" addr add "$8" dev "$6" nodad
	ip -n "$1" link set "$2" up
	ip -n "$5" link set "$6" up
}

# After bed_make: sets and exports MID and FAR.
bed_chain() {
	local ns
	MID=$BED-mid
	FAR=$BED-far
	export MID FAR
	for ns in "$MID" "$FAR"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
		nsenter --net="/run/netns/$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 \
			net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0
	done
	for ns in "$PEER" "$MID" "$FAR"; do	# each error is sent, however many there are
		nsenter --net="/run/netns/$ns" sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	done
	for ns in "$PEER" "$MID"; do
		nsenter --net="/run/netns/$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	bed_link "$PEER" m0 192.0.2.1/30 2001:db8:12::1/64 "$MID" m1 "$MID4/30" "$MID6/64" "$CHAIN_MTU"
	bed_link "$MID" f0 192.0.2.5/30 2001:db8:23::1/64 "$FAR" f1 "$FAR4/30" "$FAR6/64" 1500
	ip -n "$PEER" route add 192.0.2.4/30 via "$MID4"
	ip -n "$PEER" -6 route add 2001:db8:23::/64 via "$MID6"
	ip -n "$MID" route add default via 192.0.2.1
	ip -n "$MID" -6 route add default via 2001:db8:12::1
	ip -n "$FAR" route add default via 192.0.2.5
	ip -n "$FAR" -6 route add default via 2001:db8:23::1
}

# False if a sanitizer had something to say.
bed_remove() {
	local pid ns rc=0
	bed_cc_end
	[ -n "${BED-}" ] || return 0
	for pid in "$BED_DIR"/pids/*; do
		[ ! -e "$pid" ] || bed_kill "${pid##*/}"
	done
	for pid in $(bed_core_pids); do
		kill -9 "$pid" 2> /dev/null || true
	done
	for ns in "$HOST" "$PEER" ${FAR:+"$MID" "$FAR"}; do
		for pid in $(ip netns pids "$ns" 2> /dev/null); do
			kill -9 "$pid" 2> /dev/null || true
		done
		ip netns del "$ns" 2> /dev/null || true
	done
	# (one of a process killed while it looked for leaks has no finding in it)
	if grep -lE 'ERROR: |runtime error: ' "$BED_DIR"/tmp/sanitizer.* 2> /dev/null; then
		cat "$BED_DIR"/tmp/sanitizer.* >&2
		rc=1
	fi
	[[ $BED_DIR == /tmp/cni-passt-bed.* ]] && rm -rf "$BED_DIR"
	bed_machine_drop
	unset BED MID FAR
	return $rc
}

# ---- what this machine lacks

# For setup_file(), and then `return 0`: a skip there is a failure to bats (1.8). Each test
# is skipped by bed_skipped, the first word of setup(); the first of teardown() is
# bed_skipping, or what follows finds no bed.
bed_skip() {
	BED_SKIP=$1
	export BED_SKIP
}
bed_skipped() { [ -z "${BED_SKIP-}" ] || skip "$BED_SKIP"; }
bed_skipping() { [ -n "${BED_SKIP-}" ]; }

# ---- running things

bed_peer() { exec_or_run nsenter --net="/run/netns/$PEER" "$@"; }
bed_host() { exec_or_run nsenter --net="/run/netns/$HOST" "$@"; }
bed_far() { exec_or_run nsenter --net="/run/netns/$FAR" "$@"; }

# The ordinary user on the host. Every step replaces the one before, so that a
# background job's $! is the program itself.
bed_user() {
	local drop=(setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all)
	[ "$BED_UID" != 0 ] || drop=()
	exec_or_run nsenter --net="/run/netns/$HOST" "${drop[@]}" \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME="$BED_DIR/tmp" LANG=C XDG_RUNTIME_DIR="$XDG" \
		ASAN_OPTIONS="log_path=$BED_DIR/tmp/sanitizer" UBSAN_OPTIONS="log_path=$BED_DIR/tmp/sanitizer" \
		"${BED_ENV[@]}" "$@"
}

# bed_in PID COMMAND...: inside the container of PID, as its root
bed_in() {
	local pid=$1
	shift
	bed_user nsenter -t "$pid" -U -n --preserve-credentials "$@"
}

exec_or_run() {
	if [ "${BED_EXEC-}" = 1 ]; then
		exec "$@"
	else
		"$@"
	fi
}

# bed_bg VARIABLE FUNCTION ARGUMENT...: in the background, its process id in
# VARIABLE; ended by bed_remove at the latest. Its output goes to BED_OUT.
bed_bg() {
	local -n bed_bg_ret=$1
	shift
	BED_EXEC=1 "$@" < /dev/null > "${BED_OUT-/dev/null}" 2>&1 3>&- &
	bed_bg_ret=$!
	bed_birth "$bed_bg_ret" > "$BED_DIR/pids/$bed_bg_ret"
}

# When a process began, in clock ticks: its number alone may be another's by now.
bed_birth() { sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 20; }

# Ends one of our own and waits until it is gone.
bed_kill() {
	[ -n "${1-}" ] && [ -e "$BED_DIR/pids/$1" ] || return 0
	if [ "$(bed_birth "$1")" = "$(cat "$BED_DIR/pids/$1")" ]; then
		kill "$1" 2> /dev/null || true
		BED_PATIENCE=1 bed_until 2 bed_gone "$1" || kill -9 "$1" 2> /dev/null || true
	fi
	wait "$1" 2> /dev/null || true
	rm -f "$BED_DIR/pids/$1"
}

bed_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.[ZX]' "/proc/$1/status" 2> /dev/null; }

# A machine that runs several suites at once is slower than one that waits for us: what
# ought to be true after so many seconds is given BED_PATIENCE times as many.
: "${BED_PATIENCE:=4}"

# bed_until SECONDS COMMAND...: true once the command is, false after that time
bed_until() {
	local end=$((SECONDS + $1 * BED_PATIENCE + 1))
	shift
	while ! "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# bed_container VARIABLE: a container with nothing in it; its first process's id
bed_container() {
	local bed_c_pid
	bed_cc_begin
	if [ -n "${bed_cc_lock-}" ]; then
		bed_bg bed_c_pid bed_user unshare -rUn sleep 3600 {bed_cc_lock}>&-
	else
		bed_bg bed_c_pid bed_user unshare -rUn sleep 3600
	fi
	bed_until 3 bed_contained "$bed_c_pid" || { bed_cc_end; echo "no container" >&2; return 1; }
	bed_cc_end
	bed_in "$bed_c_pid" ip link set lo up
	printf -v "$1" %s "$bed_c_pid"
}

# unshare has become the program: its namespaces and maps are made
bed_contained() { [ "$(cat "/proc/$1/comm" 2> /dev/null)" = sleep ]; }

# bed_listening FUNCTION tcp|udp PORT
bed_listening() { [ -n "$("$1" ss -Hln"${2:0:1}" "sport = :$3")" ]; }

# bed_server VARIABLE FUNCTION tcp|udp PORT COMMAND...: starts a server, waits until it listens
bed_server() {
	local name=$1 where=$2 proto=$3 port=$4
	shift 4
	bed_bg "$name" "$where" "$@"
	bed_until 20 bed_listening "$where" "$proto" "$port" ||
		{ echo "$1 does not listen on $proto port $port" >&2; return 1; }
}

# ---- the plugin

# cni COMMAND ID NETNS IFNAME < CONFIGURATION: as a CNI runtime does it
cni() {
	bed_user env CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="$3" CNI_IFNAME="$4" \
		CNI_PATH="$BED_DIR/plugin" "$CNI_PASST"
}

# attach PID [ID]: ADD with examples/basic.conf
attach() { cni ADD "${2-c$1}" "/proc/$1/ns/net" eth0 < "${CONF-$BED_DIR/basic.conf}"; }
detach() { cni DEL "${2-c$1}" "/proc/$1/ns/net" eth0 < "${CONF-$BED_DIR/basic.conf}"; }

# Our daemons' processes: each bed has a copy of the program of its own.
bed_core_pids() {
	[ -n "${CORE-}" ] || return 0	# a bed that is half made: all processes would match
	find /proc/[0-9]* -maxdepth 1 -name exe -lname "$CORE*" 2> /dev/null | cut -d / -f 3
}

# The three processes of the attachment of container PID, by what they are:
# nsagent is in the container's namespace, main is the other two's parent.
bed_nsagent() {
	local p
	for p in $(bed_core_pids); do
		[ "$(readlink "/proc/$p/ns/net")" != "$(readlink "/proc/$1/ns/net")" ] || echo "$p"
	done
}
bed_main() {
	local p
	p=$(awk '/^PPid:/ { print $2 }' "/proc/$(bed_nsagent "$1")/status")
	# an orphan's parent is a stranger
	[[ $(readlink "/proc/$p/exe") != "$CORE"* ]] || echo "$p"
}
bed_engine() {
	local p main agent
	main=$(bed_main "$1")
	agent=$(bed_nsagent "$1")
	for p in $(bed_core_pids); do
		[ "$p" = "$agent" ] || [ "$(awk '/^PPid:/ { print $2 }' "/proc/$p/status" 2> /dev/null)" != "$main" ] ||
			echo "$p"
	done
}

# bed_counter PID LOG NAME: one of the counters that main writes on SIGUSR1; what is 0 is not written
bed_counter() {
	: > "$2"
	kill -USR1 "$(bed_main "$1")"
	bed_until 3 grep -q 'tap_rx_frames=' "$2"
	sleep 0.1
	awk -v name="$3" '{ for (i = 1; i <= NF; i++) if (index($i, name "=") == 1) n = substr($i, length(name) + 2) }
		END { print n + 0 }' "$2"
}

bed_state() { find "$XDG/cni-passt" -mindepth 1 -maxdepth 1 -name '*@*' -printf '%f\n' 2> /dev/null; }
bed_no_core() { [ -z "$(bed_core_pids)" ]; }
bed_no_state() { [ -z "$(bed_state)" ]; }
bed_no_link() { ! bed_in "$1" ip link show "${2-eth0}" > /dev/null 2>&1; }
