# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# podman: real podman, rootful (with runc) and rootless (with crun), on the bed's
# "host", and a root file system for it and for bundles of runc and crun. Each of
# the two stands in a mount namespace of its own, held by one process of the bed,
# so that the machine keeps its cgroup mounts, its /run, its users and its /etc:
#
#     /sys/fs/cgroup         the user's: cgroup2 alone (crun refuses the hybrid tree;
#                            root's needs CAP_SYS_RESOURCE on it, which may be missing)
#     /run, /var/lib/cni     empty
#     /etc/passwd, subuid    the machine's and the ordinary user, who has subordinate ids
#     /etc/containers        policy.json
#     $BED_DIR/podman        configuration, hooks.d; root's storage and net.d
#     $BED_DIR/tmp/podman    the ordinary user's storage and net.d
#
# podman_make after bed_make (podman_world: all but images and podman's storage, for
# bundles of runc and crun), podman_remove before bed_remove. Then
#
#     podman_root, podman_user ARGUMENT...            podman, as the machine's root, as the ordinary user
#     podman_as root|user COMMAND...                  another program, likewise
#
# Network backend is CNI with our plugin before the distribution's; the image is
# localhost/bb, a busybox. Hooks are looked for in $BED_DIR/podman/hooks.d.

PODMAN_IMAGE=localhost/bb
export PODMAN_IMAGE

# Prints why podman cannot be had here, or nothing.
podman_missing() {
	local p
	bed_real_root || { echo "podman needs the machine's root, and more users than one"; return; }
	for p in podman crun runc conmon newuidmap slirp4netns busybox; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$p" > /dev/null || { echo "no program $p"; return; }
	done
}

# podman_rootfs FOLDER: a busybox with the libraries it needs, be it static or not
podman_rootfs() {
	local busybox lib applet
	busybox=$(command -v busybox)
	mkdir -p "$1"/{bin,dev,etc,proc,root,run,sys,tmp,var}
	chmod 1777 "$1/tmp"
	cp "$busybox" "$1/bin/busybox"
	for lib in $(ldd "$busybox" 2> /dev/null | grep -o '/[^ ]*'); do
		mkdir -p "$1$(dirname "$lib")"
		cp -L "$lib" "$1$lib"
	done
	for applet in $(busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$1/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' > "$1/etc/passwd"
	echo 'root:x:0:' > "$1/etc/group"
}

# All but podman's own: for bundles.
podman_world() {
	local name
	mkdir -p "$BED_DIR"/podman/{etc,hooks.d,net.d,root} "$BED_DIR/tmp/podman/net.d"
	name=$(getent passwd "$BED_UID" | cut -d : -f 1)
	cp /etc/passwd "$BED_DIR/podman/etc/"
	if [ -z "$name" ]; then
		name=bed
		echo "bed:x:$BED_UID:$BED_GID::$BED_DIR/tmp:/bin/sh" >> "$BED_DIR/podman/etc/passwd"
	fi
	echo "$name:1000000:65536" | tee "$BED_DIR/podman/etc/subuid" > "$BED_DIR/podman/etc/subgid"
	mkdir -p "$BED_DIR/podman/etc/containers"
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$BED_DIR/podman/etc/containers/policy.json"
	podman_conf root runc "$BED_DIR/podman/root" "$BED_DIR/podman/net.d"
	podman_conf user crun "$BED_DIR/tmp/podman" "$BED_DIR/tmp/podman/net.d"
	chown -R "$BED_UID:$BED_GID" "$BED_DIR/tmp/podman"
	podman_hold || return 1
	podman_rootfs "$BED_DIR/podman/rootfs"
	tar -C "$BED_DIR/podman/rootfs" -cf "$BED_DIR/podman/bb.tar" .
}

podman_make() {
	podman_world || return 1
	PODMAN_MADE=1
	export PODMAN_MADE
	podman_root import -q "$BED_DIR/podman/bb.tar" "$PODMAN_IMAGE" > /dev/null &&
		podman_user import -q "$BED_DIR/podman/bb.tar" "$PODMAN_IMAGE" > /dev/null
}

# podman_conf root|user RUNTIME STORAGE NETWORKS
podman_conf() {
	cat > "$BED_DIR/podman/$1.conf" <<- END
		[containers]
		# Where CAP_SYS_RESOURCE is missing podman cannot raise them to its defaults.
		default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "$2"
		hooks_dir = ["$BED_DIR/podman/hooks.d"]
		enable_port_reservation = false
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["$BED_DIR/plugin", "/usr/lib/cni"]
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

# The mount namespaces and their holders.
podman_hold() {
	# shellcheck disable=SC2016
	bed_bg PODMAN_HOLD_ROOT bed_host unshare -m --propagation private sh -c '
		mount -t tmpfs none /run && mkdir /run/lock /run/netns &&
		for f in passwd subuid subgid; do
			[ -e "/etc/$f" ] || : > "/etc/$f"
			mount --bind "$0/etc/$f" "/etc/$f" || exit 1
		done &&
		mkdir -p /etc/containers && mount --bind "$0/etc/containers" /etc/containers &&
		mkdir -p /var/lib/cni && mount -t tmpfs none /var/lib/cni && mount --make-rshared / &&
		exec sleep 86400' "$BED_DIR/podman"
	podman_held "$PODMAN_HOLD_ROOT" || return 1
	bed_bg PODMAN_HOLD_USER nsenter -t "$PODMAN_HOLD_ROOT" -m -n unshare -m --propagation private sh -c '
		umount -R /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup && mount --make-rshared / && exec sleep 86400'
	podman_held "$PODMAN_HOLD_USER" || return 1
	export PODMAN_HOLD_ROOT PODMAN_HOLD_USER
}
podman_sleeps() { [ "$(cat "/proc/$1/comm" 2> /dev/null)" = sleep ]; }
podman_held() { bed_until 5 podman_sleeps "$1" || { echo "no mount namespace for podman" >&2; return 1; }; }

# podman_as root|user COMMAND...
podman_as() {
	local who=$1 drop=() home=$BED_DIR/podman/root xdg=() hold=$PODMAN_HOLD_ROOT
	shift
	if [ "$who" = user ]; then
		hold=$PODMAN_HOLD_USER
		drop=(setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all)
		home=$BED_DIR/tmp
		xdg=(XDG_RUNTIME_DIR="$XDG")
	fi
	exec_or_run nsenter -t "$hold" -m -n "${drop[@]}" \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME="$home" LANG=C "${xdg[@]}" CONTAINERS_CONF="$BED_DIR/podman/$who.conf" \
		CONTAINERS_STORAGE_CONF="$BED_DIR/podman/$who.storage" \
		ASAN_OPTIONS="log_path=$BED_DIR/tmp/sanitizer" UBSAN_OPTIONS="log_path=$BED_DIR/tmp/sanitizer" \
		"${BED_ENV[@]}" "$@"
}
podman_root() { podman_as root podman "$@"; }
podman_user() { podman_as user podman "$@"; }

# Every container, pod and helper of this bed's podman.
podman_remove() {
	local who
	[ -n "${PODMAN_HOLD_USER-}" ] || return 0
	for who in ${PODMAN_MADE+root user}; do
		podman_as "$who" podman pod rm -fa -t 0 > /dev/null 2>&1 || true
		podman_as "$who" podman rm -fa -t 0 > /dev/null 2>&1 || true
	done
	# the rootless pause process, known by its file
	[ -z "${PODMAN_MADE-}" ] || podman_as user podman system migrate > /dev/null 2>&1 || true
	bed_kill "$PODMAN_HOLD_USER"
	bed_kill "$PODMAN_HOLD_ROOT"
	unset PODMAN_HOLD_ROOT PODMAN_HOLD_USER PODMAN_MADE
}
