# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# need: what quickstart and check need of the machine, and its installation on
# Debian and Ubuntu. A need is "kind:name=package"; kinds are program, module
# (pkg-config) and file.

need_build=(
	program:gcc=gcc program:make=make program:autoreconf=autoconf program:aclocal=automake
	program:pkg-config=pkg-config file:/usr/include/stdlib.h=libc6-dev
	module:libnl-3.0=libnl-3-dev
	module:json-c=libjson-c-dev module:libseccomp=libseccomp-dev
)
need_demo=(
	program:ip=iproute2 program:nsenter=util-linux program:setpriv=util-linux
	program:sysctl=procps program:ping=iputils-ping program:curl=curl program:python3=python3
)
need_check=(
	program:clang-tidy=clang-tidy program:cppcheck=cppcheck program:readelf=binutils
	program:clang=clang program:shellcheck=shellcheck program:bats=bats program:mandoc=mandoc
	module:cmocka=libcmocka-dev program:socat=socat program:dig=bind9-dnsutils
	program:dnsmasq=dnsmasq-base program:iperf3=iperf3 program:jq=jq program:nm=binutils
	program:tshark=tshark program:xz=xz-utils program:nft=nftables program:strace=strace program:apparmor_parser=apparmor program:checkmodule=checkpolicy
	program:semodule_package=semodule-utils program:semodule=policycoreutils program:sefcontext_compile=selinux-utils	# tests/bats/61-selinux-vm.bats
	file:/usr/lib/cni/portmap=containernetworking-plugins program:iptables=iptables
	program:traceroute=traceroute program:mtr=mtr-tiny program:tracepath=iputils-tracepath
	# tests/bats/37-udp-programs.bats
	program:chronyd=chrony program:ntpdate=ntpsec-ntpdate program:sockperf=sockperf
	program:gtlsclient=ngtcp2-client program:gtlsserver=ngtcp2-server program:openssl=openssl
	# tests/bats/74-clients.bats
	program:wget=wget program:ssh=openssh-client program:sshd=openssh-server program:rsync=rsync
	program:git=git program:pg_ctlcluster=postgresql program:redis-server=redis-server
	program:redis-benchmark=redis-tools program:nginx=nginx-light program:wrk=wrk
	program:avahi-daemon=avahi-daemon file:/usr/lib/python3/dist-packages/zeroconf/__init__.py=python3-zeroconf
	program:udhcpc=udhcpc program:dhclient=isc-dhcp-client program:dhcpcd=dhcpcd-base
	program:rdisc6=ndisc6 file:/lib/systemd/systemd-networkd=systemd
	program:containerd=containerd program:rootlesskit=rootlesskit	# tests/bats/81-*, 83-*
	program:zsh=zsh program:script=bsdutils	# tests/bats/59-use.bats
	program:qemu-system-x86_64=qemu-system-x86 program:cpio=cpio	# tests/bats/vm.bash
	# tests/bats/podman.bash
	program:debootstrap=debootstrap file:/usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring	# tests/bats/trixie.bash
	program:podman=podman program:crun=crun program:runc=runc program:newuidmap=uidmap
	program:slirp4netns=slirp4netns program:busybox=busybox-static file:/usr/libexec/podman/catatonit=catatonit
)

# need_show PID TEXT COMMAND...: while that child runs, on a terminal, how far it is: each two
# seconds the command's output behind the text. Returns its status.
need_show() {
	local pid=$1 text=$2
	shift 2
	if [ -t 1 ]; then
		while sleep 2 && kill -0 "$pid" 2> /dev/null; do
			printf '\r\e[K   %s %s' "$text" "$("$@" 2> /dev/null)"
		done
		printf '\r\e[K'
	fi
	wait "$pid"
}

need_has() { # need_has KIND:NAME
	case $1 in
	program:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#*:}" > /dev/null ;;
	module:*) command -v pkg-config > /dev/null && pkg-config --exists "${1#*:}" ;;
	file:*) [ -e "${1#*:}" ] || compgen -G "/usr/include/*/${1##*/}" > /dev/null ;;
	esac
}

need_missing() { # need_missing NEED...: packages, one a line
	local n
	for n in "$@"; do
		need_has "${n%%=*}" || echo "${n#*=}"
	done | sort -u
}

# need_install NEED...: true when all is there. Installs as root, else says the
# one command that would.
need_install() {
	local missing
	mapfile -t missing < <(need_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	if ! command -v apt-get > /dev/null; then
		echo "missing, by their Debian names: ${missing[*]}" >&2
		return 1
	fi
	if [ "$(id -u)" != 0 ]; then
		printf 'missing packages. Run this, then start again:\n    sudo apt-get install -y %s\n' \
			"${missing[*]}" >&2
		return 1
	fi
	echo "installing ${missing[*]}"
	need_apt "${missing[@]}" || return 1
	mapfile -t missing < <(need_missing "$@")
	[ "${#missing[@]}" -eq 0 ] || { echo "still missing: ${missing[*]}" >&2; return 1; }
}

# Servers are for the tests to start, not for their packages: a policy-rc.d says so
# while they are installed, unless the machine has one of its own.
need_apt() {
	local policy=/usr/sbin/policy-rc.d rc=0
	if [ -e "$policy" ]; then
		need_apt_get "$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 0755 "$policy"
	need_apt_get "$@" || rc=1
	rm -f "$policy"
	return "$rc"
}

need_apt_get() {
	local log
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get install -y --no-install-recommends "$@" ||
		{ apt-get update && apt-get install -y --no-install-recommends "$@"; }; } \
		< /dev/null > "$log" 2>&1 &
	if ! need_show "$!" "" tail -n 1 "$log"; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
