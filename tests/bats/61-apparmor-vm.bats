#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The AppArmor profile in conf/, loaded and enforced: by Debian's kernel in qemu (vm.bash),
# since the kernel that this runs on may well have no AppArmor. All takes place in the guest:
# guest.sh, which has the network as well, and apparmor.sh.

# shellcheck disable=SC2154,SC2016,SC2034
bats_require_minimum_version 1.5.0

load bed
load expect
load vm
load confined

VM_APPEND='apparmor=1 security=apparmor'
VM_FILL=fill

profile_missing() {
	PATH=$PATH:/usr/sbin command -v apparmor_parser > /dev/null || { echo "no program apparmor_parser"; return; }
	[ -e /etc/apparmor.d/abstractions/base ] || echo "no abstractions of AppArmor"
}

# Our programs; the parser with what profiles include
fill() {
	local root=$1
	confined_fill "$root" apparmor.sh
	vm_copy "$root" apparmor_parser
	cp -r /etc/apparmor "$root/etc/"
	mkdir -p "$root"/etc/apparmor.d "$root/usr/share"	# the latter: what parser.conf of Debian names
	[ ! -e /usr/share/apparmor-features ] || cp -rL /usr/share/apparmor-features "$root/usr/share/"
	cp -rL /etc/apparmor.d/{abi,abstractions,tunables} "$bed_tree/conf/apparmor.d/cni-passt-core" "$root/etc/apparmor.d/"
	# a front end with a profile of its own, as distributions have for container engines
	cat > "$root/etc/apparmor.d/engine" <<-'END'
		abi <abi/3.0>,
		profile engine /usr/libexec/cni/cni-passt flags=(attach_disconnected) {
			file,
			capability,
			network,
			signal,
			ptrace,
			unix,
			/usr/libexec/cni-passt/cni-passt-core px,
		}
	END
}

setup_file() {
	confined_start "$(profile_missing)"
}

teardown_file() {
	bed_remove
}

setup() {
	bed_skipped
}

teardown() {
	bed_skipping || same "what AppArmor denied" "$(g denied)" ""
}

CONFINED='cni-passt-core (enforce)'

# each is what it should be: [USER OF ALL THREE]
confined() {
	same "the processes" "$(g processes)" "engine: $CONFINED uid ${1-65534}
main: $CONFINED uid ${1-0}
nsagent: $CONFINED uid ${1-65534}"
}

@test "before it is loaded nothing is confined, and a stranger may read what is root's" {
	same "AppArmor" "$(g cat /sys/module/apparmor/parameters/enabled)" Y
	same "profiles" "$(g cat /sys/kernel/security/apparmor/profiles)" ""
	g add
	same "the processes" "$(g processes)" "engine: unconfined uid 65534
main: unconfined uid 0
nsagent: unconfined uid 65534"
	g del
	same "a stranger" "$(g '$STRANGER -u OPEN:/root/secret -')" secret
}

@test "enforced: all three are confined, and all that an attachment does goes on" {
	g apparmor_parser -r /etc/apparmor.d/cni-passt-core
	same "profiles" "$(g cat /sys/kernel/security/apparmor/profiles)" "$CONFINED"
	g "add '\"sandbox\": \"strict\", \"forward\": {\"tcp\": [\"8080:80\"]}'"
	confined
	same "TCP" "$(g 'line c1 TCP:$PEER:80')" "hello of peer"
	same "TCP, IPv6" "$(g 'line c1 TCP:[$PEER6]:80')" "hello of peer"
	same "UDP" "$(g 'echoed UDP:$PEER:90')" hello
	g 'c1 ping -c 1 -W 5 $PEER' > /dev/null
	g 'c1 ping -c 1 -W 5 $PEER6' > /dev/null
	same "published" "$(g 'line peer TCP:$HOST:8080')" "hello of c1"
	same "published, from the host" "$(g 'line host TCP:127.0.0.1:8080')" "hello of c1"
	# the host's resolver is another now: the file is read anew
	g 'echo nameserver $PEER > /etc/resolv.conf'
	g 'soon resolves'
	g check
}

@test "enforced: engine and nsagent are started again, DEL leaves nothing" {
	confined_again
}

@test "enforced: log and capture in files, ports found by themselves, the holder of one named" {
	g "add '\"forward\": {\"tcp\": [\"auto\", \"8080:80\"], \"udp\": [\"auto\"]}, \"reverse\": {\"tcp\": [\"5432\"]}, \"log\": {\"target\": \"/var/log/passt.log\"}, \"capture\": \"/root/c.pcapng\"'"
	confined
	same "a port found" "$(g 'soon line peer TCP:$HOST:80 2> /dev/null')" "hello of c1"
	g 'host socat TCP-LISTEN:5432,bind=127.0.0.1,fork,reuseaddr SYSTEM:"echo hello of host" > /dev/null 2>&1 &'
	same "the host's port" "$(g 'soon listens host 5432; line c1 TCP:127.0.0.1:5432')" "hello of host"
	g 'ls /root/c.pcapng && grep -q attached /var/log/passt.log' > /dev/null
	g del
	run g "add '\"forward\": {\"tcp\": [\"5432\"]}'"
	[[ $status = 1 && $output == *"in use, by socat (pid "* ]] || die "says: $output"
}

@test "enforced: an ordinary user's container, pasta and passt" {
	g their
	confined 1000
	same "TCP" "$(g 'U=$(pidof sleep); line inside TCP:$PEER:80')" "hello of peer"
	g 'U=$(pidof sleep); kill $U; none' > /dev/null
	same "pasta" "$(g 'pasta socat -u TCP:$PEER:80,connect-timeout=5 -')" "hello of peer"
	g none
	g 'user /usr/libexec/cni-passt/bin/passt -q -s /tmp/passt_1.socket'
	same "passt" "$(g processes)" "engine: $CONFINED uid 1000
main: $CONFINED uid 1000"
	g 'kill $(pid_of main); none; ! test -e /tmp/passt_1.socket'
}

@test "enforced: a front end that has a profile ends a daemon that does not hear" {
	g apparmor_parser -r /etc/apparmor.d/engine
	g add
	confined
	g 'kill -STOP $(pid_of main)'
	g del
	g apparmor_parser -R /etc/apparmor.d/engine
}

@test "enforced: what the profile does not have is refused" {
	run g '$STRANGER -u OPEN:/root/secret -'
	[[ $status = 1 && $output == *"Permission denied"* ]] || die "to read: $output"
	same "denied" "$(g denied)" 'open profile="cni-passt-core" name="/root/secret" comm="cni-passt-core" requested_mask="r" denied_mask="r"'
	run g '$STRANGER - EXEC:/bin/id'
	[[ $output == *"Permission denied"* && $output != *uid=* ]] || die "to execute: $output"
	same "denied" "$(g denied)" 'exec profile="cni-passt-core" name="/bin/busybox" comm="cni-passt-core" requested_mask="x" denied_mask="x"'
	# what the profile says of pasta: not from a process with no_new_privs, as main is
	run g '$STRANGER - EXEC:"/usr/libexec/cni-passt/cni-passt-pasta --version" < /dev/null'
	[[ $output == cni-passt-pasta* ]] || die "pasta: $output"
	run g '/bin/setpriv --no-new-privs $STRANGER - EXEC:"/usr/libexec/cni-passt/cni-passt-pasta --version" < /dev/null'
	[[ $output == *"Operation not permitted"* ]] || die "no_new_privs: $output"
	[[ $(g denied) == *'info="no new privs"'* ]] || die "not AppArmor's doing"
	run g "add '\"log\": {\"target\": \"/etc/passt.log\"}'"
	[[ $status = 1 && $output == *"log.target: cannot open /etc/passt.log: Permission denied"* ]] || die "a log elsewhere: $output"
	same "denied" "$(g denied)" 'mknod profile="cni-passt-core" name="/etc/passt.log" comm="passt-main" requested_mask="c" denied_mask="c"'
	g none
}
