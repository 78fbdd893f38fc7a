# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# box: what DHCP clients run in, the container of process C with files of its own in
# place of the machine's; and the files of host and container that name resolvers. Loaded
# behind bed.

# The files clients write, in place of the machine's: a folder each for /etc, /run and
# /var, and users that are all root there, which is the one the container has.
make_box() {
	BOX=$BED_DIR/tmp/box
	export BOX
	mkdir -p "$BOX"/etc/systemd/network "$BOX"/run/systemd/netif "$BOX"/var/lib/{dhcp,dhcpcd}
	cp -rL /etc/dhcp /etc/udhcpc /etc/alternatives /etc/nsswitch.conf /etc/protocols /etc/services \
		/etc/ld.so.cache "$BOX/etc/" 2> /dev/null || true
	sed -E 's/^([^:]*:[^:]*):[0-9]+:[0-9]+:/\1:0:0:/' /etc/passwd > "$BOX/etc/passwd"
	sed -E 's/^([^:]*:[^:]*):[0-9]+:/\1:0:/' /etc/group > "$BOX/etc/group"
	echo 0123456789abcdef0123456789abcdef > "$BOX/etc/machine-id"
	: > "$BOX/etc/fstab"
	: > "$BOX/etc/resolv.conf"
	printf '%s\n' 'hostname box' 'option rapid_commit, domain_name_servers, domain_search, interface_mtu' \
		'option classless_static_routes' > "$BOX/etc/dhcpcd.conf"
	printf '%s\n' '[Match]' Name=eth0 '[Network]' DHCP=yes IPv6AcceptRA=yes '[DHCPv4]' UseMTU=yes \
		UseDomains=yes '[IPv6AcceptRA]' UseDomains=yes > "$BOX/etc/systemd/network/eth0.network"
	chown -R "$BED_UID:$BED_GID" "$BOX"
}

# box COMMAND...: in the container, with the box's files
box() {
	# shellcheck disable=SC2016
	bed_in "$C" unshare -m bash -c 'for d in etc run var; do mount --bind "$0/$d" "/$d" || exit; done
		mount -t tmpfs none /tmp && exec "$@"' "$BOX" "$@"
}

# The processes that a client left behind in our container's namespace.
end_clients() {
	local p
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/ns/net" 2> /dev/null)" = "$(readlink "$NS")" ] || continue
		[[ ${p##*/} == "$C" || $(readlink "$p/exe") == "$CORE"* ]] || kill "${p##*/}" 2> /dev/null || true
	done
}

# networkd FILE: systemd-networkd in the background, what it says in FILE
networkd() {
	# (it waits for udev unless /sys is read-only)
	BED_OUT=$1 bed_bg CLIENT box bash -c \
		'mount -t sysfs none /sys && mount -o remount,bind,ro /sys && exec /lib/systemd/systemd-networkd'
}

# Folders in place of the host's /etc, as the daemon sees it, and the container's.
make_names() {
	local d
	NAMES=$BED_DIR/tmp/names
	export NAMES
	mkdir -p "$NAMES/host" "$NAMES/in"
	for d in host in; do
		printf 'hosts: files dns\n' > "$NAMES/$d/nsswitch.conf"
		printf '127.0.0.1 localhost\n' > "$NAMES/$d/hosts"
		cp /etc/passwd /etc/group /etc/services "$NAMES/$d/"
	done
	chmod -R a+rX "$NAMES"
}

# boxed FUNCTION ARGUMENT...: with the box's files in place of the host's /etc
boxed() {
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -c 'mount --bind "$0/host" /etc && source "$1/bed.bash" && shift &&
		"$@"' "$NAMES" "$BATS_TEST_DIRNAME" "$@"
}

# in_box COMMAND...: in the container, with the resolv.conf that the result asks for
in_box() {
	# shellcheck disable=SC2016
	bed_in "$C" unshare -m bash -c 'mount --bind "$0/in" /etc && exec "$@"' "$NAMES" "$@"
}

host_asks() { # host_asks ADDRESS...: from now on, as programs do it, by rename
	printf 'nameserver %s\n' "$@" > "$NAMES/host/resolv.new"
	mv "$NAMES/host/resolv.new" "$NAMES/host/resolv.conf"
}

# A VPN between host and peer, of real programs: v0 10.8.0.6/32 and v1 on tun devices, which go
# with the programs. 10.8.0.1 is its other end.
vpn_up() {
	bed_bg VPN1 bed_peer socat UDP4:"$HOST4":4501,bind=203.0.113.1:4500 TUN:10.8.0.1/30,tun-name=v1,iff-up
	bed_bg VPN0 bed_host socat UDP4:203.0.113.1:4500,bind="$HOST4":4501 TUN:10.8.0.6/32,tun-name=v0,iff-up
	bed_until 5 vpn_is_up
	ip -n "$HOST" link set v0 mtu 1400
	ip -n "$PEER" route replace 10.8.0.6 dev v1 src "$PEER4"
	ip -n "$HOST" addr flush dev v0
	ip -n "$HOST" addr add 10.8.0.6 peer 10.8.0.1/32 dev v0
	ip -n "$HOST" route replace 203.0.113.1 dev h0
}

vpn_is_up() {
	ip -n "$HOST" -o addr show dev v0 2> /dev/null | grep -q 10.8.0.6 &&
		ip -n "$PEER" -o addr show dev v1 2> /dev/null | grep -q 10.8.0.1
}

vpn_down() {
	bed_kill "$VPN0"
	bed_kill "$VPN1"
	ip -n "$HOST" route del 203.0.113.1 dev h0 2> /dev/null || true
}
