#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# passt as libvirt starts it, for <interface type='user'><backend type='passt'/>: the real
# libvirt and qemu of Debian 13 (trixie.bash; Debian 12 builds its libvirt without that
# backend), an ordinary user's session, a guest of vm.bash that boots by TCG. One libvirtd and
# one guest for the file, whose tests go on where the one before ended.

# shellcheck disable=SC2034,SC2154,SC2016
bats_require_minimum_version 1.5.0

load bed
load expect
load podman
load trixie
load vm

LIBVIRT_PACKAGES=(libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86)

setup_file() {
	local why
	why=$(vm_missing)
	[ -n "$why" ] || why=$(trixie_missing)
	[ -n "$why" ] || why=$(trixie_add "${LIBVIRT_PACKAGES[@]}")
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	bed_make
	podman_world
	why=$(trixie_foreign)
	[ -z "$why" ] || { podman_remove; bed_remove; bed_skip "$why"; return 0; }
	ln -s "$CORE" "$BED_DIR/bin/passt"
	# libvirt wants to know its user's group by name
	{ cat "$TRIXIE_TREE/etc/group"; echo "bed:x:$BED_GID:"; } > "$BED_DIR/podman/etc/group"
	nsenter -t "$PODMAN_HOLD_USER" -m mount --bind "$BED_DIR/podman/etc/group" /etc/group
	PASSTS=$XDG/libvirt/qemu/run/passt	# libvirt's sockets and numbers
	LOG=$BED_DIR/tmp/passt.log
	WORDS=$BED_DIR/tmp/.cache/libvirt/qemu/log/A.log
	export PASSTS LOG WORDS
	bed_user mkdir -p "$BED_DIR/tmp/.config/libvirt"
	# (else virtlogd writes that log, one more daemon)
	echo 'stdio_handler = "file"' > "$BED_DIR/tmp/.config/libvirt/qemu.conf"
	bed_server FILE bed_peer tcp 80 socat -U TCP6-LISTEN:80,ipv6only=0,fork,reuseaddr SYSTEM:'echo from the peer'
	vm_make
	libvirtd_up
	bed_user mkfifo "$BED_DIR/tmp/A.in" "$BED_DIR/tmp/A.out"
	interface 56 "<source dev='h0'/><ip family='ipv4' address='172.17.2.5' prefix='24'/>
		<ip family='ipv6' address='2001:db8:ac10:fd01::20'/>
		<portForward proto='tcp'><range start='2022' to='22'/></portForward>
		<portForward proto='tcp' address='$HOST4' dev='h0'>
			<range start='8000' end='8010' to='22'/><range start='8005' exclude='yes'/></portForward>
		<portForward proto='udp'><range start='5000' end='5001' to='6000'/></portForward>" |
		domain > "$BED_DIR/tmp/A.xml"
	sh_ define "$BED_DIR/tmp/A.xml"
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	sh_ destroy A > /dev/null 2>&1 || true
	libvirtd_down || true
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
}

named() {	# named COMMAND...: in Debian 13, where our passt is found first
	BED_ENV=(PATH="$BED_DIR/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	podman_as user "$@"
}
# (by its socket: virsh starts no libvirtd of its own then)
sh_() { named timeout 60 virsh -q -c "qemu:///session?socket=$XDG/libvirt/libvirt-sock" "$@"; }

libvirtd_up() {
	BED_OUT=$BED_DIR/tmp/libvirtd.log bed_bg LIBVIRTD named libvirtd
	echo "$LIBVIRTD" > "$BED_DIR/libvirtd"
	bed_until 20 libvirtd_is_up || die "no libvirtd: $(tail -n 5 "$BED_DIR/tmp/libvirtd.log")"
}
libvirtd_is_up() { [ -S "$XDG/libvirt/libvirt-sock" ] && sh_ version > /dev/null 2>&1; }
libvirtd_down() { bed_kill "$(cat "$BED_DIR/libvirtd")"; }

interface() {	# interface MAC-END XML
	echo "<interface type='user'><mac address='52:54:00:12:34:$1'/>$2<model type='virtio'/>
		<backend type='passt' logFile='$LOG'/></interface>"
}

domain() {	# domain < INTERFACES
	cat <<- END
		<domain type='qemu'><name>A</name><memory unit='MiB'>$VM_MEMORY</memory><vcpu>1</vcpu><cpu mode='maximum'/>
		<os><type arch='x86_64' machine='pc'>hvm</type><kernel>$BED_DIR/vm/kernel</kernel><initrd>$BED_DIR/vm/initrd</initrd>
		<cmdline>console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off random.trust_cpu=on</cmdline></os>
		<features><acpi/></features><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
		<controller type='usb' model='none'/><memballoon model='none'/>
		<serial type='pipe'><source path='$BED_DIR/tmp/A'/></serial>
		$(cat)
		</devices></domain>
	END
}

start() {
	sh_ start A
	booted
}
booted() {
	VM_A=$(cat "$XDG/libvirt/qemu/run/A.pid")
	vm_ready A
}
in_vm() { vm_do A "$*"; }
passt_pid() { cat "$PASSTS"/*-net0-passt.pid; }
fetch() { same "from the peer" "$(in_vm "timeout ${1-10} socat -u TCP:$PEER4:80 -")" "from the peer"; }
fetched() { fetch 2 2> /dev/null; }
who() { bed_peer timeout 10 socat -t 5 - "TCP:$HOST4:$1" < /dev/null 2>&1; }
serve() {
	in_vm "socat TCP-LISTEN:22,fork,reuseaddr SYSTEM:'echo \$SOCAT_PEERADDR' > /dev/null 2>&1 &"
	bed_until 5 in_vm "netstat -ltn | grep -q ':22 '"
}
nothing_of_passt() {
	nothing_left
	[ -z "$(ls "$PASSTS")" ] || die "files stay: $(ls "$PASSTS")"
}

@test "virsh start: the words, DHCP, out and in; libvirtd begins anew, the guest too" {
	local before got
	start
	grep -q "^passt --one-off --socket $PASSTS/.*-net0.socket --pid $PASSTS/.*-net0-passt.pid --interface h0 --log-file $LOG" "$WORDS" ||
		die "started with: $(grep '^passt' "$WORDS")"
	same "TCP" "$(bed_host ss -Hltn | awk '{ print $4 }' | sort | xargs)" \
		"$(printf '%s\n' "*:2022" "$HOST4%h0:80"{00,01,02,03,04,06,07,08,09,10} | sort | xargs)"
	in_vm net
	same "IPv4" "$(in_vm ip -4 addr show dev eth0 | awk '/inet/ { print $2 }')" 172.17.2.5/24
	in_vm net6
	got=$(in_vm ip -6 addr show dev eth0)
	[[ $got == *" 2001:db8:ac10:fd01::20/128 "* ]] || die "IPv6: $got"
	fetch
	serve
	same "port 2022" "$(who 2022)" "$PEER4"
	same "port 8000" "$(who 8000)" "$PEER4"
	in_vm "socat UDP4-RECVFROM:6001,fork EXEC:cat > /dev/null 2>&1 &"
	bed_until 5 in_vm "netstat -lun | grep -q ':6001 '"
	same "UDP" "$(echo hello | bed_peer socat -t 3 - "UDP:$HOST4:5001")" hello
	libvirtd_down
	libvirtd_up
	same "the domain" "$(sh_ domstate A)" running
	same "port 2022, libvirtd anew" "$(who 2022)" "$PEER4"
	before=$(passt_pid)
	sh_ reset A
	booted
	in_vm net
	fetch
	same "passt after a reset" "$(passt_pid)" "$before"
}

@test "passt is killed: libvirt starts it anew, qemu connects again; save, restore, destroy" {
	local before
	before=$(passt_pid)
	kill -9 "$before"
	bed_until 10 fetched || die "no network: $(tail -n 5 "$LOG")"
	[ "$(passt_pid)" != "$before" ] || die "pid $before is still said"
	same "attachments" "$(bed_state | wc -l)" 1
	serve
	same "port 2022" "$(who 2022)" "$PEER4"
	sh_ save A "$BED_DIR/tmp/saved"
	nothing_of_passt
	sh_ restore "$BED_DIR/tmp/saved"
	bed_until 10 fetched || die "no network after the restore: $(tail -n 5 "$LOG")"
	same "port 2022, restored" "$(who 2022)" "$PEER4"
	sh_ destroy A
	nothing_of_passt
}

@test "a port that is taken; attach-device and detach-device; the guest powers off" {
	bed_server TAKEN bed_host tcp 2022 socat TCP-LISTEN:2022,fork,reuseaddr -
	run sh_ start A
	[[ $status = 1 && $output == *"exit status 1: passt: forward.tcp: port 2022 of all addresses is in use"* ]] ||
		die "status $status: $output"
	nothing_of_passt
	bed_kill "$TAKEN"
	start
	interface 57 "<portForward proto='tcp'><range start='2023' to='22'/></portForward>" > "$BED_DIR/tmp/if.xml"
	interface 58 "<portForward proto='tcp'><range start='2023'/></portForward>" > "$BED_DIR/tmp/if2.xml"
	sh_ attach-device A "$BED_DIR/tmp/if.xml"
	bed_until 5 in_vm ip link set eth1 up || die "no eth1: $(in_vm ip link)"
	in_vm "udhcpc -q -n -f -t 10 -T 1 -i eth1 -s /bin/lease4 > /dev/null 2>&1"
	same "IPv4 of eth1" "$(in_vm ip -4 addr show dev eth1 | awk '/inet/ { print $2 }')" "$HOST4/24"
	serve
	same "port 2023" "$(who 2023)" "$PEER4"
	run sh_ attach-device A "$BED_DIR/tmp/if2.xml"
	[[ $status = 1 && $output == *"port 2023 of all addresses is in use"*"attachment passt-"*" has it"* ]] ||
		die "status $status: $output"
	sh_ detach-device A "$BED_DIR/tmp/if.xml"
	one() { [ "$(bed_state | wc -l)" = 1 ]; }
	bed_until 5 one || die "attachments: $(bed_state | xargs)"
	[ -z "$(bed_host ss -Hltn 'sport = :2023')" ] || die "port 2023 is still there"
	in_vm net
	fetch
	vm_type A 'poweroff -f'
	off() { [ "$(sh_ domstate A)" = "shut off" ]; }
	bed_until 20 off || die "$(sh_ domstate A)"
	nothing_of_passt
}
