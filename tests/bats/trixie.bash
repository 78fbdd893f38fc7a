# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# trixie: podman 5, buildah, netavark and RootlessKit 2 as Debian 13 has them, in a tree
# of that release's packages (debootstrap) which is the root of the bed's "host":
#
#     /                   the tree, read-only; built once, kept in CNI_PASST_TRIXIE, else
#                         build/trixie, about 600 MB
#     $BED_DIR            the machine's, under the same path, with our programs
#     /sys, /dev          the machine's; /sys/fs/cgroup as podman.bash says
#     /run, /tmp, /var    of the bed's own
#     /etc/resolv.conf    asks $PEER4
#
# After bed.bash and podman.bash, whose functions it serves with another podman_hold and
# another podman_conf: trixie_missing, trixie_add if there is to be more in it, bed_make,
# podman_make or podman_world, then podman_root, podman_user, podman_as as there.

TRIXIE_TREE=${CNI_PASST_TRIXIE-$bed_tree/build/trixie}
TRIXIE_MIRROR=${CNI_PASST_MIRROR-http://deb.debian.org/debian}
TRIXIE_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
TRIXIE_PACKAGES=podman,buildah,crun,runc,netavark,aardvark-dns,nftables,rootlesskit,uidmap,catatonit,iproute2,libnl-3-200,libjson-c5,libseccomp2

# Builds the tree if it is not there. Prints why podman 5 cannot be had here, or nothing.
trixie_missing() {
	local p
	bed_real_root || { echo "podman needs the machine's root, and more users than one"; return; }
	for p in debootstrap curl pivot_root busybox newuidmap; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$p" > /dev/null || { echo "no program $p"; return; }
	done
	[ -e "$TRIXIE_KEYS" ] || { echo "no $TRIXIE_KEYS"; return; }
	mkdir -p "$(dirname "$TRIXIE_TREE")"
	(
		flock 9
		trixie_is_built || trixie_build
	) 9> "$TRIXIE_TREE.lock"
}

trixie_is_built() { [ "$(cat "$TRIXIE_TREE/built" 2> /dev/null)" = "$TRIXIE_PACKAGES" ]; }

# trixie_add PACKAGE...: into the tree that is built. Prints why they cannot be had, or nothing.
trixie_add() {
	(
		flock 9
		[ "$(cat "$TRIXIE_TREE/added" 2> /dev/null)" = "$*" ] || trixie_try added trixie_apt "$@"
	) 9> "$TRIXIE_TREE.lock"
}

trixie_build() { trixie_try built trixie_fetch; }

# trixie_try MARK COMMAND...: what did not work is not tried again within the hour: several
# files and runs ask.
trixie_try() {
	local failed=$TRIXIE_TREE.failed-$1 proxy
	shift
	if [ -z "$(find "$failed" -mmin -60 2> /dev/null)" ]; then
		proxy=$(apt-config shell p Acquire::http::Proxy 2> /dev/null | sed -n "s/^p='\(.*\)'\$/\1/p")
		http_proxy=${http_proxy-$proxy} "$@" > "$failed"
	fi
	if [ -s "$failed" ]; then
		echo "Debian 13 cannot be had from here: $(cat "$failed")"
	else
		rm -f "$failed"
	fi
}

trixie_apt() {
	local log=$TRIXIE_TREE.log-added policy=$TRIXIE_TREE/usr/sbin/policy-rc.d rc=0
	local apt=(env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C http_proxy="$http_proxy"
		PATH=/usr/sbin:/usr/bin:/sbin:/bin timeout 300 apt-get -y)
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 0755 "$policy"
	{ chroot "$TRIXIE_TREE" "${apt[@]}" update &&
		chroot "$TRIXIE_TREE" "${apt[@]}" install --no-install-recommends "$@"; } < /dev/null > "$log" 2>&1 || rc=1
	rm -rf "$policy" "$TRIXIE_TREE"/var/cache/apt/archives/*.deb "$TRIXIE_TREE"/var/lib/apt/lists/*
	if [ "$rc" = 0 ]; then
		echo "$*" > "$TRIXIE_TREE/added"
	else
		grep -E '^(E|W|Err): ?' "$log" | tail -n 1 | grep . || echo "apt-get failed, see $log"
	fi
}

# Beside its place first, so that one that was cut off is never taken for whole.
trixie_fetch() {
	local log=$TRIXIE_TREE.log
	export http_proxy
	curl -fsS -m 20 -o /dev/null "$TRIXIE_MIRROR/dists/trixie/InRelease" 2>&1 || return 0
	rm -rf "$TRIXIE_TREE.new"
	if timeout 300 debootstrap --variant=minbase --keyring="$TRIXIE_KEYS" --include="$TRIXIE_PACKAGES" \
		trixie "$TRIXIE_TREE.new" "$TRIXIE_MIRROR" > "$log" 2>&1; then
		rm -rf "$TRIXIE_TREE.new"/var/cache/apt/archives/*.deb "$TRIXIE_TREE"
		echo "127.0.0.1 localhost" > "$TRIXIE_TREE.new/etc/hosts"
		echo "$TRIXIE_PACKAGES" > "$TRIXIE_TREE.new/built"
		mv "$TRIXIE_TREE.new" "$TRIXIE_TREE"
	else
		grep -E '^[EW]: ' "$log" | head -n 1 || echo "debootstrap failed, see $log"
		rm -rf "$TRIXIE_TREE.new"
	fi
}

# After podman_world: prints why our programs cannot be run in the tree, or nothing (a build
# with sanitizers, or for a newer C library).
trixie_foreign() {
	podman_as root "$CNI_PASST" --version > /dev/null 2> "$BED_DIR/tmp/foreign" ||
		echo "the programs built here do not run in Debian 13: $(sed -n "1s/.*: error/error/; 1p" "$BED_DIR/tmp/foreign")"
}

podman_hold() {
	mkdir -p "$BED_DIR/podman/var" "$BED_DIR/netavark" "$BED_DIR/bin"
	ln -sf "$CNI_PASST" "$BED_DIR/netavark/cni-passt"
	ln -sf "$CORE" "$BED_DIR/bin/pasta"
	echo "nameserver $PEER4" > "$BED_DIR/podman/etc/resolv.conf"
	# shellcheck disable=SC2016
	bed_bg PODMAN_HOLD_ROOT bed_host unshare -m --propagation private bash -c '
		set -e
		bed=$0 tree=$1
		mount --bind "$tree" "$tree"
		mount -o remount,ro,bind "$tree"
		mount -t proc proc "$tree/proc"
		mount --rbind /sys "$tree/sys"
		mount --rbind /dev "$tree/dev"
		mount -t tmpfs none "$tree/run"
		mount -t tmpfs none "$tree/tmp"
		chmod 1777 "$tree/tmp"
		mkdir -p "$tree/run/lock" "$tree/run/netns" "$tree$bed" "$bed"/podman/var/{tmp,lib,cache,log}
		ln -s /run "$bed/podman/var/run"
		chmod 1777 "$bed/podman/var/tmp"
		mount --bind "$bed/podman/var" "$tree/var"
		mount --bind "$bed" "$tree$bed"
		for f in passwd subuid subgid resolv.conf; do mount --bind "$bed/podman/etc/$f" "$tree/etc/$f"; done
		mount --bind "$bed/podman/etc/containers" "$tree/etc/containers"
		cd "$tree"
		pivot_root . .
		umount -l .
		cd /
		mount --make-rshared /
		exec sleep 86400' "$BED_DIR" "$TRIXIE_TREE"
	podman_held "$PODMAN_HOLD_ROOT" || return 1
	bed_bg PODMAN_HOLD_USER nsenter -t "$PODMAN_HOLD_ROOT" -m -n unshare -m --propagation private sh -c '
		umount -R /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup && mount --make-rshared / && exec sleep 86400'
	podman_held "$PODMAN_HOLD_USER" || return 1
	export PODMAN_HOLD_ROOT PODMAN_HOLD_USER
}

# podman_conf root|user RUNTIME STORAGE NETWORKS
podman_conf() {
	cat > "$BED_DIR/podman/$1.conf" <<- END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
		default_sysctls = ["net.ipv4.ping_group_range=0 0"]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "$2"
		enable_port_reservation = false
		hooks_dir = ["$BED_DIR/podman/hooks.d"]
		helper_binaries_dir = ["$BED_DIR/bin", "/usr/lib/podman", "/usr/libexec/podman"]
		[network]
		network_backend = "netavark"
		netavark_plugin_dirs = ["$BED_DIR/netavark"]
		network_config_dir = "$4"
	END
	cat > "$BED_DIR/podman/$1.storage" <<- END
		[storage]
		driver = "vfs"
		graphroot = "$3/storage"
		runroot = "$3/run"
		rootless_storage_path = "$3/storage"
	END
}
