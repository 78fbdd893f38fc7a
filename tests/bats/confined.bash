# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016,SC2034
#
# confined: a guest (vm.bash) whose kernel confines our daemon, by a profile of conf/. What
# it does, guest.sh knows. Needs bed.bash and vm.bash.
#
#     confined_start MISSING      for setup_file(): the guest, or why there is none
#     confined_fill ROOT SCRIPT   for VM_FILL: programs, and a script behind guest.sh
#     confined_again              what dies is started again, confined; and DEL
#     g COMMAND                   in the guest, which knows both scripts

VM_PROGRAMS=(ip socat dnsmasq setpriv)
VM_MODULES=(veth tun inet_diag tcp_diag udp_diag)
VM_ROOT=tmpfs
VM_MEMORY=384

confined_start() {
	VM_NOT=$(vm_missing)
	[ -n "$VM_NOT" ] || VM_NOT=$(confined_missing)
	[ -n "$VM_NOT" ] || VM_NOT=$1
	export VM_NOT
	[ -z "$VM_NOT" ] || { bed_skip "$VM_NOT"; return 0; }
	bed_make
	vm_make
	vm_start A ""
	g start
}

# Without files and namespaces given up, and with a leak checker that attaches to its
# own process, it is not the program that a profile is for.
confined_missing() {
	! grep -q __asan_init "${CNI_PASST_BUILD-$bed_tree/build}/core/cni-passt-core" ||
		echo "sanitizers: a build with them does not seal its processes"
}

# Our programs as `make install` with prefix /usr has them
confined_fill() {
	local root=$1 name
	vm_copy "$root" "$CORE" /usr/libexec/cni-passt/cni-passt-core
	vm_copy "$root" "$BED_DIR/core/cni-passt-pasta" /usr/libexec/cni-passt/cni-passt-pasta
	vm_copy "$root" "$CNI_PASST" /usr/libexec/cni/cni-passt
	vm_copy "$root" "$BED_DIR/hooks/cni-passt-hook" /usr/libexec/oci/hooks.d/cni-passt-hook
	mkdir -p "$root/usr/libexec/cni-passt/bin"
	for name in pasta passt4netns passt; do
		ln -s ../cni-passt-pasta "$root/usr/libexec/cni-passt/bin/$name"
	done
	ln -s /usr/libexec/cni/cni-passt "$root/bin/cni-passt"
	# a stranger at a place that is our program's
	vm_copy "$root" socat /usr/local/libexec/cni-passt/cni-passt-core
	cat "$bed_tree/tests/bats/guest.sh" "$bed_tree/tests/bats/$2" > "$root/guest"
	printf 'nobody:x:65534:65534::/:/bin/false\nuser:x:1000:1000::/home/user:/bin/sh\n' >> "$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\nuser:x:1000:\n' > "$root/etc/group"
}

g() { vm_do A ". /guest; $*"; }

# The attachment that is there: engine and nsagent die, and main ends one that hangs; DEL. Its
# test file says what is confined().
confined_again() {
	g killed engine
	confined
	same "TCP" "$(g 'line c1 TCP:$PEER:80')" "hello of peer"
	g killed nsagent
	confined
	same "restarts" "$(g 'cni-passt stats c1 --json' | jq -c '[.engine_restarts, .nsagent_restarts]')" '[1,1]'
	# it is root, the engine is not any more
	g 'killed=$(pid_of engine); kill -STOP $killed; cni-passt forward c1 add tcp 8088:80; soon another engine'
	confined
	g check
	g del
}
