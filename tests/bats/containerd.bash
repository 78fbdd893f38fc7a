# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# containerd: what the tests of it share, see 83-containerd.bats and
# 83-rootless-containerd.bats. After podman_world.

# Prints why containerd cannot be had here, or nothing.
containerd_missing() {
	local p
	bed_real_root || { echo "containerd needs the machine's root"; return; }
	for p in containerd ctr runc busybox; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$p" > /dev/null || { echo "no program $p"; return; }
	done
	[ -x /usr/lib/cni/host-local ] || echo "no CNI plugin host-local in /usr/lib/cni"
}

# containerd_image FILE: the busybox as docker's archives have one: a layer, a configuration, a manifest
containerd_image() {
	local dir=$BED_DIR/image sum
	mkdir -p "$dir"
	tar -C "$BED_DIR/podman/rootfs" -cf "$dir/layer.tar" .
	sum=$(sha256sum "$dir/layer.tar" | cut -d ' ' -f 1)
	jq -n --arg sum "sha256:$sum" '{architecture: "'"$(containerd_machine)"'", os: "linux", config: {Cmd: ["sh"], Env: ["PATH=/bin"]},
		rootfs: {type: "layers", diff_ids: [$sum]}}' > "$dir/config.json"
	jq -n '[{Config: "config.json", RepoTags: ["localhost/bb:latest"], Layers: ["layer.tar"]}]' > "$dir/manifest.json"
	tar -C "$dir" -cf "$1" manifest.json config.json layer.tar
}
containerd_machine() { uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/'; }

# containerd_toml FOLDER: a configuration, whose root is there
containerd_toml() {
	cat <<- END
		version = 2
		root = "$1"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "/run/containerd/containerd.sock"
	END
}

# containerd_stop NAME: task, container and snapshot, by the test's own `ctr`
containerd_stop() {
	ctr task kill -s SIGKILL "$1" > /dev/null 2>&1 || true
	bed_until 5 containerd_stopped "$1" || true
	ctr task delete "$1" > /dev/null 2>&1 || true
	ctr container delete "$1" > /dev/null 2>&1 || true
	ctr snapshot --snapshotter native delete "$1" > /dev/null 2>&1 || true
}
containerd_stopped() { ! ctr task list 2> /dev/null | grep -q "^$1 .*RUNNING"; }
