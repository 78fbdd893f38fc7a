#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# selinux.sh: what is SELinux's only in the guest of 61-selinux-vm.bats, behind guest.sh

PERSON=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023	# as Debian logs people and root in

# Before the shell, while nothing is refused yet: the policy, a label for each file, and the
# shell becomes a person's. The log's daemon is in the domain where an init starts it.
early() {
	mount -t selinuxfs none /sys/fs/selinux
	dd if="$(echo /etc/selinux/default/policy/policy.*)" of=/sys/fs/selinux/load bs=16M 2> /dev/null
	restorecon -R -F -e /proc -e /sys /
	echo 0 > /proc/sys/kernel/printk_ratelimit
	for log in socket dev-log; do
		mkdir -p /run/systemd/journal
		as system_u:system_r:syslogd_t:s0 /usr/sbin/syslogd -u UNIX-RECV:"/run/systemd/journal/$log",mode=0666 \
			OPEN:"/var/log/$log",creat,append < /dev/null > /dev/null 2>&1 &
	done
	ln -s /run/systemd/journal/dev-log /dev/log
	/bin/chcon -t user_tty_device_t /dev/ttyS0	# as a login does
	soon test -S /run/systemd/journal/socket && soon test -S /run/systemd/journal/dev-log
	restorecon -F -R /dev/log /run/systemd
	exec /bin/runcon "$PERSON" /bin/sh /init again
}

# As they are where systemd-resolved and people are at home
prepare() {
	mkdir -p /run/systemd/resolve
	ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
	: > /run/systemd/resolve/stub-resolv.conf
	restorecon -F -R /run/systemd
	rmmod tcp_diag udp_diag inet_diag	# as where nobody asked for them yet
}

enforce() {
	dmesg -c > /dev/null
	echo 1 > /sys/fs/selinux/enforce
}

as() { /bin/runcon "$@"; }		# as CONTEXT COMMAND...

# What SELinux denied our daemons, or others of them, since the last time: to whom of
# them what of whom
denied() {
	sleep 0.3	# the kernel writes its log in a thread of its own
	dmesg -c | grep 'avc:  denied .*cni_passt' |
		sed 's/.*denied  \({.*}\) .*scontext=[^:]*:[^:]*:\([^:]*\):.*tcontext=[^:]*:[^:]*:\([^:]*\):.* tclass=\([^ ]*\).*/\2 \3:\4 \1/'
}

# A frame of ARP for the gateway, as qemu sends it; the answer's sender
arp() {
	{
		printf '\0\0\0\052\377\377\377\377\377\377\002\0\0\0\0\001\010\006\0\001\010\0\006\004\0\001'
		printf '\002\0\0\0\0\001\313\0\161\002\0\0\0\0\0\0\313\0\161\001'
		sleep 1
	} | socat -t 2 - "UNIX-CONNECT:$1" | hexdump -v -e '1/1 "%02x"' | sed -n 's/.*08060001080006040002\(.\{20\}\).*/\1/p'
}

# label FILE...: its name, its type
label() { for f in "$@"; do echo "${f##*/} $(/bin/stat -c %C "$f" | cut -d : -f 3)"; done; }
status() { conf | sed 's/1\.0\.0/1.1.0/' | CNI_COMMAND=STATUS CNI_PATH=/usr/libexec/cni "$PLUGIN"; }
# resolver FILE TYPE: the host's is peer, says that file, which is resolv.conf or where it leads to
resolver() {
	mkdir -p "${1%/*}"
	restorecon -F "${1%/*}"
	echo "nameserver $PEER" > "$1.new"
	/bin/chcon -t "$2" "$1.new"
	mv "$1.new" "$1"
	[ "$1" = /etc/resolv.conf ] || { ln -s "$1" /etc/resolv.conf.new && mv /etc/resolv.conf.new /etc/resolv.conf; }
	soon told "$PEER"
	resolves
}
told() { [ "$(sed -n 's/^CNI_PASST_RESOLVERS=//p' /var/log/socket | tail -n 1)" = "$1" ]; }
nobody() { echo "nameserver 192.0.2.1" > /etc/resolv.conf; soon told 192.0.2.1; }
mtu() { [ "$(c1 cat /sys/class/net/eth0/mtu)" = "$1" ]; }
engine() { as unconfined_u:unconfined_r:engine_t:s0-s0:c0.c1023 /bin/sh -c ". /guest; $*"; }

apart() { [ "$(nsof "/proc/$U/ns/net")" != "$(nsof /proc/self/ns/net)" ]; }

# In a user namespace of its own, as its root: attaches, says so, detaches when told
rooted() {
	unshare -n sleep 100 &
	U=$!
	soon apart
	conf '"reverse": {"tcp": ["443"]}' > /tmp/rooted.conf
	for rooted in ADD DEL; do
		CNI_COMMAND=$rooted CNI_CONTAINERID=r CNI_NETNS=/proc/$U/ns/net CNI_IFNAME=eth0 \
			CNI_PATH=/usr/libexec/cni "$PLUGIN" < /tmp/rooted.conf || break
		nsenter -t "$U" -n socat -t 5 -u "TCP:$PEER:80,connect-timeout=5" -
		echo "$rooted is done"
		soon test -e /tmp/rooted.end
	done
	kill "$U"
}
