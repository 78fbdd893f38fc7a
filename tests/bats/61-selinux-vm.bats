#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The SELinux module in conf/, in Debian's policy, loaded and enforced: by Debian's kernel in
# qemu (vm.bash), since the kernel that this runs on may well have no SELinux. All takes place
# in the guest: guest.sh, which has the network as well, and selinux.sh.

# shellcheck disable=SC2154,SC2016,SC2034
bats_require_minimum_version 1.5.0

load bed
load expect
load vm
load confined

# (the backlog: whatever is denied at once is to be seen)
VM_APPEND='security=selinux selinux=1 enforcing=0 audit_backlog_limit=8192 log_buf_len=4M'
VM_FILL=fill
VM_EARLY='. /guest; early'

policy=$bed_tree/build/vm/selinux	# a root folder with Debian's policy in it, and nothing else

policy_missing() {
	local p
	for p in checkmodule semodule_package semodule sefcontext_compile restorecon runcon; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$p" > /dev/null || { echo "no program $p"; return; }
	done
	[ -e "$policy" ] || make_policy > /dev/null 2>&1 || [ -e "$policy" ] ||
		echo "no policy: selinux-policy-default cannot be downloaded"
}

# Debian's policy as the package makes it where it is installed, but in a folder: this machine
# has none afterwards. Made once; what is there already is another run's, and the same.
make_policy() (
	set -e
	PATH=$PATH:/usr/sbin:/sbin
	mkdir -p "$bed_tree/build/vm"
	new=$(mktemp -d "$policy.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	cd "$new"
	apt-get download selinux-policy-default
	dpkg-deb -x selinux-policy-default_*.deb package
	mkdir -p root/etc/selinux root/var/lib/selinux
	cp -r package/etc/selinux/default root/etc/selinux/
	mapfile -t modules < package/usr/share/selinux/default/.modules
	modules=("${modules[@]/#/package/usr/share/selinux/default/}")
	semodule -n -s default -p "$new/root" -i "${modules[@]/%/.pp.bz2}"
	mv -T root "$policy"
)

# Built and installed as cni-passt-core(8) says, but into that folder, and not loaded
module() {
	checkmodule -M -m -o "$1.mod" "$1.te"
	if [ -e "$1.fc" ]; then
		semodule_package -o "$1.pp" -m "$1.mod" -f "$1.fc"
	else
		semodule_package -o "$1.pp" -m "$1.mod"
	fi
}

fill() {
	local root=$1 at=$BED_DIR/vm/policy PATH=$PATH:/usr/sbin:/sbin
	confined_fill "$root" selinux.sh
	mkdir "$at"
	cp -a "$policy" "$at/root"
	cp "$bed_tree"/conf/selinux/cni_passt.?? "$at"
	# A front end in a domain of its own, as policies have for container engines: it may do
	# anything, but what it does with ours and has no rule is seen
	cat > "$at/engine.te" <<-'END'
		module engine 1.0;
		require {
			attribute domain, file_type, tmpfsfile, cni_passt_caller;
			type unconfined_t, tmpfs_t;
			role unconfined_r;
			class process transition;
			class file create;
		}
		type engine_t, domain, cni_passt_caller;
		type engine_tmpfs_t, file_type, tmpfsfile;
		type_transition engine_t tmpfs_t:file engine_tmpfs_t;
		role unconfined_r types engine_t;
		permissive engine_t;
		allow unconfined_t engine_t:process transition;
	END
	(cd "$at" && module cni_passt && module engine)
	semodule -n -s default -p "$at/root" -i "$at/cni_passt.pp" "$at/engine.pp" 2> "$at/log" || { cat "$at/log"; return 1; }
	mkdir -p "$root"/etc/selinux
	cp -r "$at/root/etc/selinux/default" "$root/etc/selinux/"
	printf 'SELINUX=permissive\nSELINUXTYPE=default\n' > "$root/etc/selinux/config"
	vm_copy "$root" restorecon
	vm_copy "$root" runcon
	vm_copy "$root" chcon
	vm_copy "$root" stat		# it tells labels
	# the log's daemon, by the name that the policy knows
	vm_copy "$root" socat /usr/sbin/syslogd
	# what gets the policy's labels as in an installation, for tests and guest.sh to write into
	mkdir -p "$root"/{var/log,home/user,run/netns,run/user/1000,usr/share/zoneinfo}
	echo secret > "$root/root/secret"
	echo root:secret > "$root/etc/shadow"
	: > "$root/home/user/file"
	printf 'TZif2' > "$root/usr/share/zoneinfo/Zulu"
	ln -s Zulu "$root/usr/share/zoneinfo/UTC"
	# the kernel has a module that it lacks loaded by this
	mkdir -p "$root"/{sbin,lib/modules}
	printf '#!/bin/sh\nfor m in inet_diag tcp_diag udp_diag; do insmod /lib/modules/$m.ko; done\n' > "$root/sbin/modprobe"
	chmod 0755 "$root/sbin/modprobe"
	cp "$root"/modules/*_diag.ko "$root/lib/modules/"
	ln -s ../usr/share/zoneinfo/UTC "$root/etc/localtime"
}

setup_file() {
	confined_start "$(policy_missing)"
	bed_skipping || g enforce
}

teardown_file() {
	bed_remove
}

setup() {
	bed_skipped
}

teardown() {
	bed_skipping || same "what SELinux denied" "$(g denied)" ""
}

CONFINED=unconfined_u:unconfined_r:cni_passt_t:s0-s0:c0.c1023

# each is what it should be: [USER OF ALL THREE]
confined() {
	same "the processes" "$(g processes)" "engine: $CONFINED uid ${1-65534}
main: $CONFINED uid ${1-0}
nsagent: $CONFINED uid ${1-65534}"
}

@test "enforced: all three are confined, and all that an attachment does goes on" {
	same "SELinux" "$(g cat /sys/fs/selinux/enforce)" 1
	same "a person" "$(g cat /proc/self/attr/current)" unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023
	g "add '\"sandbox\": \"strict\", \"forward\": {\"tcp\": [\"8080:80\"]}'"
	confined
	same "the state" "$(g 'label /run/cni-passt/c1@eth0/*')" "control.sock cni_passt_runtime_t
life cni_passt_runtime_t
lock cni_passt_runtime_t
state.json cni_passt_runtime_t"
	same "TCP" "$(g 'line c1 TCP:$PEER:80')" "hello of peer"
	same "TCP, IPv6" "$(g 'line c1 TCP:[$PEER6]:80')" "hello of peer"
	same "UDP" "$(g 'echoed UDP:$PEER:90')" hello
	g 'c1 ping -c 1 -W 5 $PEER' > /dev/null
	g 'c1 ping -c 1 -W 5 $PEER6' > /dev/null
	same "published" "$(g 'line peer TCP:$HOST:8080')" "hello of c1"
	same "published, from the host" "$(g 'line host TCP:127.0.0.1:8080')" "hello of c1"
	# the host's resolver is another now: the file behind the link is read anew
	g 'echo nameserver $PEER > /etc/resolv.conf'
	g 'soon resolves'
	g check
	g status
	[[ $(g 'cni-passt list') == *c1*ok*tcp/8080:80* ]]
	g 'grep -q attached /var/log/socket'
	# the host is followed, and what became of it is written down
	g 'ip link set h0 mtu 1400; soon mtu 1400'
	g 'ip link set h0 mtu 1500; soon mtu 1500'
}

@test "enforced: engine and nsagent are started again, DEL leaves nothing" {
	confined_again
}

@test "enforced: log and capture in files, ports found by themselves" {
	local pass
	for pass in 1 2; do	# the files are there the second time
		g "add '\"forward\": {\"tcp\": [\"auto\", \"8080:80\"], \"udp\": [\"auto\"]}, \"reverse\": {\"tcp\": [\"5432\"]}, \"log\": {\"target\": \"/var/log/passt.log\"}, \"capture\": \"/tmp/c.pcapng\"'"
		confined
		same "a port found" "$(g 'soon line peer TCP:$HOST:80 2> /dev/null')" "hello of c1"
		[ "$pass" = 2 ] || g 'host socat TCP-LISTEN:5432,bind=127.0.0.1,fork,reuseaddr SYSTEM:"echo hello of host" > /dev/null 2>&1 &'
		same "the host's port" "$(g 'soon listens host 5432; line c1 TCP:127.0.0.1:5432')" "hello of host"
		g 'cni-passt capture c1 --count 1 > /home/user/c.pcapng 2> /dev/null & c1 ping -c 2 -W 5 $PEER > /dev/null; wait; test -s /home/user/c.pcapng'
		g del
		same "attached" "$(g 'grep -c attached /var/log/passt.log')" "$pass"
		same "the files" "$(g 'label /var/log/passt.log /tmp/c.pcapng')" "passt.log cni_passt_log_t
c.pcapng cni_passt_tmp_t"
	done
	run g "add '\"forward\": {\"tcp\": [\"5432\"]}'"
	[[ $status = 1 && $output == *"in use, by a process of user 0 that may not be looked into"* ]] || die "says: $output"
}

@test "enforced: a container that configures itself; namespaces and resolvers elsewhere" {
	local path
	for path in /run/user/1000/netns /run/other; do
		g "mkdir -p $path; : > $path/c1; mount --bind /run/netns/c1 $path/c1; NETNS=$path/c1 add"
		confined
		g "NETNS=$path/c1 del; umount $path/c1"
	done
	g "add '\"configure\": false'"
	confined
	g 'c1 ip link set eth0 up; c1 udhcpc -q -n -f -t 10 -T 1 -i eth0 -s /bin/lease4 > /dev/null 2>&1'
	same "TCP" "$(g 'line c1 TCP:$PEER:80')" "hello of peer"
	g 'nobody && resolver /etc/resolv.conf net_conf_t'
	g 'nobody && resolver /run/NetworkManager/resolv.conf NetworkManager_runtime_t'
	g del
}

@test "enforced: an ordinary user's container, pasta and passt" {
	g 'echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range'	# not in a raw socket
	g their
	confined 1000
	same "TCP" "$(g 'U=$(pidof sleep); line inside TCP:$PEER:80')" "hello of peer"
	g 'U=$(pidof sleep); inside ping -c 1 -W 5 $PEER' > /dev/null
	g 'U=$(pidof sleep); kill $U; none' > /dev/null
	same "pasta" "$(g 'pasta socat -u TCP:$PEER:80,connect-timeout=5 -')" "hello of peer"
	g none
	g 'user /usr/libexec/cni-passt/bin/passt -q -s /tmp/passt_1.socket'
	same "passt" "$(g processes)" "engine: $CONFINED uid 1000
main: $CONFINED uid 1000"
	same "ARP" "$(g 'arp /tmp/passt_1.socket')" 067061737374cb007101
	g 'kill $(pid_of main); none; ! test -e /tmp/passt_1.socket'
	# what it logs, to whom it stays with: a pipe, a terminal
	g 'user /usr/libexec/cni-passt/bin/passt -f -s /tmp/passt_2.socket 2>&1 | cat > /tmp/passt.log & soon grep -q passt_2 /tmp/passt.log; kill $(pid_of main); none'
	[[ $(g 'user /usr/libexec/cni-passt/bin/passt -f -s /tmp/passt_3.socket & soon test -n "$(pid_of main)"; sleep 1; kill $(pid_of main); none') == *passt_3* ]]
}

@test "enforced: root of a user namespace attaches, as in a rootless engine" {
	g 'user unshare -r -U -m /bin/sh -c ". /guest; rooted" > /tmp/rooted.log 2>&1 &'
	g 'soon grep "ADD is done" /tmp/rooted.log' || die "$(g 'cat /tmp/rooted.log')"
	confined 1000
	g 'cat /tmp/rooted.log'
	g ': > /tmp/rooted.end; soon grep "DEL is done" /tmp/rooted.log; none'
}

@test "enforced: a front end with no_new_privs, and one in a domain of its own" {
	g "/bin/setpriv --no-new-privs /bin/sh -c '. /guest; add'"
	confined
	g del
	g 'engine add'
	confined
	same "TCP" "$(g 'line c1 TCP:$PEER:80')" "hello of peer"
	g 'engine check'
	g 'engine cni-passt show c1' > /dev/null
	g 'engine cni-passt forward c1 add tcp 8088:80'
	g 'engine del'
	g 'engine add'
	g 'kill -STOP $(pid_of main)'
	g 'engine del'
}

# A stranger in our domain: ADDRESSES, what SELinux denied it then, among what a stranger asks for besides
refused() {
	run g "\$STRANGER $1 < /dev/null"
	[[ $output == *"Permission denied"* ]] || die "$1: $output"
	run g denied
	[[ $output == *"cni_passt_t $2"* ]] || die "$1: denied: $output"
}

@test "enforced: what the module does not have is refused" {
	# a person may
	same "read" "$(g 'cat /etc/shadow /root/secret /home/user/file')" "root:secret
secret"
	refused "-u OPEN:/etc/shadow -" "shadow_t:file { getattr }"
	refused "-u OPEN:/root/secret -" "user_home_dir_t:dir { search }"
	refused "-u - OPEN:/home/user/file,append" "home_root_t:dir { search }"
	refused "-u - OPEN:/etc/new,creat" "etc_t:dir { write }"
	g 'echo theirs > /tmp/theirs'
	refused "-u - OPEN:/tmp/theirs,append" "user_tmp_t:file { getattr }"
	refused "- EXEC:/bin/busybox" "bin_t:dir { search }"
	g 'socat UNIX-LISTEN:/tmp/socket,fork - > /dev/null 2>&1 & soon test -S /tmp/socket'
	refused "-u - UNIX-CONNECT:/tmp/socket" "user_tmp_t:sock_file { write }"
	# main itself
	run g "add '\"log\": {\"target\": \"/etc/passt.log\"}'"
	[[ $status = 1 && $output == *"log.target: cannot open /etc/passt.log: Permission denied"* ]] || die "a log elsewhere: $output"
	same "denied" "$(g denied)" "cni_passt_t etc_t:dir { write }"
	run g "add '\"capture\": \"/root/c.pcapng\"'"
	[[ $status = 1 && $output == *"capture: cannot open /root/c.pcapng: Permission denied"* ]] || die "a capture at home: $output"
	same "denied" "$(g denied)" "cni_passt_t user_home_dir_t:dir { search }"
	g none
}
