# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# vm: a virtual machine for the tests and benches of passt: Debian's kernel, an initial
# file system of busybox and a few programs of this machine with their libraries, and
# qemu, whose serial port is a shell for the tests. Emulated (TCG) unless VM_ACCEL says
# otherwise. Needs bed.bash.
#
#     vm_make               once a file: kernel and file system in $BED_DIR/vm
#     vm_start NAME SOCKET  boots; returns when the guest's shell is there. Without
#                           a SOCKET ("") it has no network interface
#     vm_do NAME COMMAND    runs it there: its output, its status
#     vm_stop NAME

VM_PROGRAMS=(socat getent dhclient iperf3)
VM_EXTRA=()		# more programs, which need the C library only
VM_FILL=		# a function that is given the file system's folder, to put more there
VM_ROOT=		# tmpfs: moved to one, since pivot_root(2) refuses the root that a kernel starts with
VM_MEMORY=256		# MiB
VM_APPEND=		# more for the kernel's command line
VM_EARLY=		# a command there, before the shell; it may execute "/init again" as something else
VM_MODULES=(failover net_failover virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_net)

# Prints why there can be no virtual machine here, or nothing.
vm_missing() {
	local p
	for p in qemu-system-x86_64 cpio "${VM_PROGRAMS[@]}" busybox; do
		PATH=$PATH:/usr/sbin command -v "$p" > /dev/null || { echo "no program $p"; return; }
	done
	[ -n "$(vm_kernel)" ] || echo "no kernel for it: none in /boot, and linux-image-amd64 cannot be downloaded"
}

# "KERNEL MODULES": this machine's newest that has both, else one of the distribution's,
# unpacked below build/ and not installed. One unpacked without the modules that are
# unpacked today (tcp_diag is the last that was added) is unpacked again.
vm_kernel() {
	local k v found=
	for k in "$bed_tree"/build/vm/boot/vmlinuz-* /boot/vmlinuz-*; do
		v=${k##*/vmlinuz-}
		[ -r "$k" ] && [ -d "${k%/boot/*}/lib/modules/$v/kernel" ] || continue
		[[ $k == /boot/* ]] || compgen -G "${k%/boot/*}/lib/modules/$v/kernel/net/ipv4/tcp_diag.ko*" > /dev/null || continue
		found="$k ${k%/boot/*}/lib/modules/$v"
	done
	[ -n "$found" ] || { [ -z "${1-}" ] && vm_download && found=$(vm_kernel again); }
	echo "$found"
}

vm_download() {
	local package
	package=$(apt-cache depends linux-image-amd64 2> /dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
	[ -n "$package" ] && mkdir -p "$bed_tree/build/vm" || return 1
	(
		cd "$bed_tree/build/vm" && apt-get download "$package" &&
			dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x --wildcards './boot/vmlinuz-*' \
				'*/drivers/virtio/*.ko*' '*/virtio_net.ko*' '*/net_failover.ko*' '*/failover.ko*' \
				'*/drivers/net/veth.ko*' '*/drivers/net/tun.ko*' '*/net/ipv4/*_diag.ko*' &&
			rm -f "$package"_*.deb
	) > /dev/null 2>&1
}

# vm_copy ROOT PROGRAM [PLACE]: with the libraries it names
vm_copy() {
	local file lib
	file=$(PATH=$PATH:/usr/sbin command -v "$2")
	install -D "$file" "$1${3-/bin/$2}"
	while read -r lib; do
		install -D "$lib" "$1$lib"
	done < <(ldd "$file" | grep -o '/[^ ]*')
}

vm_make() {
	local root=$BED_DIR/vm/root kernel modules m p
	read -r kernel modules < <(vm_kernel)
	mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,run,var/lib/dhcp,modules,root}
	cp "$kernel" "$BED_DIR/vm/kernel"
	cp "$(command -v busybox)" "$root/bin/busybox"
	for p in "${VM_PROGRAMS[@]}"; do
		vm_copy "$root" "$p"
	done
	for p in "${VM_EXTRA[@]}"; do
		install -D "$p" "$root/bin/${p##*/}"
	done
	for m in "${VM_MODULES[@]}"; do
		p=$(find "$modules" -name "$m.ko*" | head -n 1)
		case $p in
		*.xz) xz -dc "$p" > "$root/modules/$m.ko" ;;
		*.zst) zstd -qdc "$p" > "$root/modules/$m.ko" ;;
		?*) cp "$p" "$root/modules/$m.ko" ;;
		esac
	done
	printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
	printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
	printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root/etc/passwd"
	cat > "$root/init" <<-'END'
		#!/bin/busybox sh
		if [ -e /move ]; then
			/bin/busybox rm /move
			/bin/busybox mkdir /moved
			/bin/busybox mount -t tmpfs -o mode=0755 none /moved
			for f in /*; do [ $f = /moved ] || /bin/busybox cp -a $f /moved; done
			exec /bin/busybox switch_root /moved /init
		fi
		if [ "$1" != again ]; then
		/bin/busybox mkdir -p /usr/bin /usr/sbin /sbin
		/bin/busybox --install -s /bin
		export PATH=/bin HOME=/root
		mount -t devtmpfs none /dev
		mount -t proc none /proc
		mount -t sysfs none /sys
		# who needs whom differs from kernel to kernel
		for pass in 1 2 3; do
			for m in MODULES; do insmod /modules/$m.ko 2> /dev/null; done
		done
		echo 1 > /proc/sys/net/ipv6/conf/all/optimistic_dad
		ip link set lo up
		EARLY
		fi
		stty -F /dev/ttyS0 raw -echo
		exec < /dev/ttyS0 > /dev/ttyS0 2>&1
		echo "=READY"
		# Not by process 1: an orphan that ends would interrupt its read, which begins anew and
		# loses what it had of the line.
		{
			while read -r line; do
				sh -c "$line" < /dev/null
				echo "=END $?"
			done
			poweroff -f
		} < /dev/ttyS0 &
		while :; do wait; sleep 1; done
	END
	sed -i "s/MODULES/${VM_MODULES[*]}/; s|EARLY|${VM_EARLY:-:}|" "$root/init"
	# what it is told is written down, and set
	cat > "$root/bin/lease4" <<-'END'
		#!/bin/sh
		[ "$1" = bound ] || [ "$1" = renew ] || exit 0
		ip addr replace "$ip/$mask" dev "$interface"
		[ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
		for r in $router; do
			ip route replace "$r" dev "$interface"
			ip route replace default via "$r" dev "$interface"
		done
		: > /etc/resolv.conf
		for d in $dns; do echo "nameserver $d" >> /etc/resolv.conf; done
		env > /tmp/lease4
	END
	cat > "$root/bin/lease6" <<-'END'
		#!/bin/sh
		case $reason in
		PREINIT6) exit 0 ;;
		BOUND6|RENEW6|REBIND6) ip -6 addr replace "$new_ip6_address/128" dev "$interface" ;;
		esac
		env > /tmp/lease6
	END
	cat > "$root/bin/net" <<-'END'
		#!/bin/sh
		ip link set eth0 up
		udhcpc -q -n -f -t 10 -T 1 -i eth0 -O mtu -s /bin/lease4 > /tmp/udhcpc.log 2>&1 || exit 1
	END
	cat > "$root/bin/net6" <<-'END'
		#!/bin/sh
		n=0
		until ip -6 route show default | grep -q via; do
			[ $((n += 1)) -lt 100 ] || exit 1
			sleep 0.1
		done
		timeout 20 dhclient -6 -1 -sf /bin/lease6 -lf /tmp/leases6 -pf /tmp/dhclient6.pid eth0
	END
	[ -z "$VM_ROOT" ] || touch "$root/move"
	[ -z "$VM_FILL" ] || "$VM_FILL" "$root"
	chmod 0755 "$root/init" "$root"/bin/{lease4,lease6,net,net6}
	(cd "$root" && find . -print0 | cpio --quiet -0 -o -H newc) > "$BED_DIR/vm/initrd"
	rm -rf "$root"
	chmod 0644 "$BED_DIR/vm"/{kernel,initrd}
}

# vm_start NAME SOCKET [QEMU OPTION...]
vm_start() {
	local name=$1 at=$BED_DIR/tmp/$1 net=()
	[ -z "$2" ] || net=(-netdev "stream,id=n,server=off,addr.type=unix,addr.path=$2"
		-device "virtio-net-pci,netdev=n,romfile=,mac=${VM_MAC:-52:54:00:12:34:56}")
	shift 2
	rm -f "$at".{in,out}
	bed_user mkfifo "$at.in" "$at.out"
	: > "$at.log"
	bed_bg "VM_$name" "bed_${VM_USER:-user}" qemu-system-x86_64 -accel "${VM_ACCEL:-tcg}" -cpu "${VM_CPU:-max}" \
		-m "$VM_MEMORY" -nodefaults -no-user-config -display none -monitor none \
		-kernel "$BED_DIR/vm/kernel" -initrd "$BED_DIR/vm/initrd" \
		-append 'console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off random.trust_cpu=on'"${VM_APPEND:+ $VM_APPEND}" \
		-chardev "pipe,id=c,path=$at" -serial chardev:c "${net[@]}" "$@"
	export "VM_$name"
	vm_ready "$name"
}

vm_ready() {
	local line out pid end=$((SECONDS + 120))
	exec {out}<> "$BED_DIR/tmp/$1.out"
	pid=VM_$1
	while [ "$SECONDS" -lt "$end" ] && ! bed_gone "${!pid}"; do
		IFS= read -r -t 1 -u "$out" line || continue
		printf '%s\n' "$line" >> "$BED_DIR/tmp/$1.log"
		[[ $line != *=READY* ]] || { exec {out}>&-; return 0; }
	done
	exec {out}>&-
	echo "the virtual machine does not boot" >&2
	tail -n 20 "$BED_DIR/tmp/$1.log" >&2
	return 1
}

# vm_do NAME COMMAND: one line. To be read to its end: the next one begins there.
vm_do() {
	local line out rc=
	# both ways at once: to open waits for nobody
	exec {out}<> "$BED_DIR/tmp/$1.out"
	vm_type "$1" "$2"
	while [ -z "$rc" ] && IFS= read -r -t "${VM_PATIENCE:-60}" -u "$out" line; do
		line=${line%$'\r'}
		printf '# %s\n' "$line" >> "$BED_DIR/tmp/$1.log"
		if [[ $line =~ ^(.*)=END\ ([0-9]+)$ ]]; then
			rc=${BASH_REMATCH[2]}
			[ -z "${BASH_REMATCH[1]}" ] || printf '%s\n' "${BASH_REMATCH[1]}"
		else
			printf '%s\n' "$line"
		fi
	done
	exec {out}>&-
	[ -n "$rc" ] || { echo "the virtual machine says nothing more" >&2; rc=1; }
	return "$rc"
}

vm_type() { printf '%s\n' "$2" 1<> "$BED_DIR/tmp/$1.in" >&1; }

vm_stop() {
	local pid=VM_$1
	[ -n "${!pid-}" ] || return 0
	bed_kill "${!pid}"
	unset "$pid"
}
