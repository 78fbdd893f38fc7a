#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# guest.sh: what the guests of 61-apparmor-vm.bats and 61-selinux-vm.bats know how to do,
# before what only one of them does (apparmor.sh, selinux.sh); every line that a test has
# one run reads both first. busybox, and ip of iproute2.
# shellcheck disable=SC2034 # for those lines
#
#     peer   lo 198.51.100.10/32, 2001:db8:2::10/128   servers, DNS (network namespace "peer")
#            p0 203.0.113.1/24, 2001:db8:1::1/64
#      | veth
#     guest  h0 203.0.113.2/24, 2001:db8:1::2/64       default routes via .1, ::1
#      | sockets of our daemon
#     c1     the container             (network namespace "c1")

PEER=198.51.100.10
PEER6=2001:db8:2::10
HOST=203.0.113.2
CORE=/usr/libexec/cni-passt/cni-passt-core
STRANGER=/usr/local/libexec/cni-passt/cni-passt-core	# socat, where a profile expects our program
PLUGIN=/usr/libexec/cni/cni-passt
LOG=/var/log/messages

start() {
	prepare		# apparmor.sh, selinux.sh
	mkdir -p /run/user/1000 /home/user /var/log /dev/shm
	chown 1000:1000 /run/user/1000 /home/user
	chmod 1777 /tmp
	chmod 0666 /dev/net/tun
	# every denial is to be seen, and none of ours lost behind another's
	echo 0 > /proc/sys/kernel/printk_ratelimit
	ip netns add peer
	ip netns add c1
	ip link add h0 type veth peer name p0 netns peer
	ip addr add 203.0.113.2/24 dev h0
	ip addr add 2001:db8:1::2/64 dev h0 nodad
	ip link set lo up
	ip link set h0 up
	ip -n peer addr add 203.0.113.1/24 dev p0 noprefixroute
	ip -n peer addr add 2001:db8:1::1/64 dev p0 nodad
	ip -n peer addr add "$PEER/32" dev lo
	ip -n peer addr add "$PEER6/128" dev lo
	ip -n peer link set lo up
	ip -n peer link set p0 up
	ip -n peer route add 203.0.113.0/24 dev p0 src "$PEER"
	ip route add default via 203.0.113.1
	ip -6 route add default via 2001:db8:1::1
	ip -n c1 link set lo up
	echo "nameserver 192.0.2.1" > /etc/resolv.conf	# nobody
	echo secret > /root/secret
	peer socat TCP6-LISTEN:80,ipv6only=0,fork,reuseaddr SYSTEM:'echo hello of peer' > /dev/null 2>&1 &
	peer socat UDP6-RECVFROM:90,ipv6only=0,fork EXEC:/bin/cat > /dev/null 2>&1 &
	peer dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null --listen-address="$PEER" \
		--bind-interfaces --user=root --pid-file= --address=/web.example/"$PEER" > /tmp/dnsmasq.log 2>&1 &
	c1 socat TCP6-LISTEN:80,ipv6only=0,fork,reuseaddr SYSTEM:'echo hello of c1' > /dev/null 2>&1 &
	soon listens c1 80 && soon listens peer 80 && soon listens peer 53
}

# busybox's shell takes its own before the one in /bin
ip() { /bin/ip "$@"; }
soon() { # soon COMMAND...: true once that is, within 10 seconds
	for soon in $(seq 100); do
		! "$@" || return 0
		sleep 0.1
	done
	return 1
}

peer() { /bin/ip netns exec peer "$@"; }
c1() { /bin/ip netns exec c1 "$@"; }
listens() { "$1" netstat -ltn | grep -q ":$2 "; }	# listens FUNCTION PORT

# user [VARIABLE=VALUE ...] COMMAND...: as an ordinary one
user() {
	(cd /home/user && exec /bin/setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all \
		/bin/env HOME=/home/user XDG_RUNTIME_DIR=/run/user/1000 "$@")
}

conf() { printf '{"cniVersion": "1.0.0", "name": "basic", "type": "cni-passt"%s}' "${1:+, $1}"; }
cni() { # cni COMMAND [MEMBERS OF THE CONFIGURATION]
	conf "$2" | CNI_COMMAND=$1 CNI_CONTAINERID=c1 CNI_NETNS="${NETNS-/run/netns/c1}" CNI_IFNAME=eth0 \
		CNI_PATH=/usr/libexec/cni "$PLUGIN"
}
add() { cni ADD "$1" > /tmp/result || { cat /tmp/result; return 1; }; }
del() { cni DEL && none; }
check() { cni CHECK "$1${1:+, }\"prevResult\": $(cat /tmp/result)"; }

# line FUNCTION ADDRESS: what a server says, asked from there
line() { "$1" socat -t 5 -u "$2,connect-timeout=5" -; }
echoed() { echo hello | c1 socat -t 5 - "$1"; }		# echoed ADDRESS: by a server of UDP
resolves() { c1 nslookup -type=a web.example 169.254.1.1 | grep -q "Address: $PEER"; }
host() { "$@"; }

pids() { # of our daemons, by what they run
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/exe")" != "$CORE" ] || echo "${p#/proc/}"
	done
}
parent() { awk '/^PPid:/ { print $2 }' "/proc/$1/status"; }
nsof() { stat -L -c %i "$1"; }
role() {
	if [ "$(readlink "/proc/$(parent "$1")/exe")" != "$CORE" ]; then
		echo main
	elif [ "$(nsof "/proc/$1/ns/net")" = "$(nsof /proc/1/ns/net)" ]; then
		echo engine
	else
		echo nsagent
	fi
}
# One line a process: what it is, its profile as the kernel tells it, its user
processes() {
	for p in $(pids); do
		echo "$(role "$p"): $(cat "/proc/$p/attr/current") uid $(awk '/^Uid:/ { print $3 }' "/proc/$p/status")"
	done | sort
}
pid_of() { for p in $(pids); do [ "$(role "$p")" != "$1" ] || echo "$p"; done; }
killed() { # killed ROLE: and another is there soon
	killed=$(pid_of "$1")
	kill -9 "$killed"
	soon another "$1"
}
another() { [ -n "$(pid_of "$1")" ] && [ "$(pid_of "$1")" != "$killed" ] && [ ! -e "/proc/$killed" ]; }

# Soon no process, no state, no interface
nothing() {
	[ -z "$(pids)$(find /run/cni-passt /run/user/1000/cni-passt -name '*@*' 2> /dev/null)" ] &&
		! c1 ip link show eth0 > /dev/null 2>&1
}
none() {
	soon nothing || { processes; find /run/cni-passt /run/user/1000/cni-passt -name '*@*'; return 1; }
}

# A container of the ordinary user, its first process in $U
their() {
	user unshare -r -U -n sleep 100 &
	soon pidof sleep > /dev/null
	U=$(pidof sleep)
	soon unshared
	conf '"sandbox": "strict"' | user CNI_COMMAND=ADD CNI_CONTAINERID=u "CNI_NETNS=/proc/$U/ns/net" CNI_IFNAME=eth0 \
		CNI_PATH=/usr/libexec/cni "$PLUGIN" > /tmp/result || { cat /tmp/result; return 1; }
}
unshared() { [ "$(nsof "/proc/$U/ns/net")" != "$(nsof /proc/1/ns/net)" ]; }
inside() { nsenter -t "$U" -U -n "$@"; }
pasta() { user /usr/libexec/cni-passt/bin/pasta --config-net -- "$@"; }
