#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# apparmor.sh: what is AppArmor's only in the guest of 61-apparmor-vm.bats, behind guest.sh

prepare() {
	mount -t securityfs none /sys/kernel/security
	syslogd -O "$LOG" -l 8
}

# What AppArmor denied since the last time: the program, what, where
denied() {
	sleep 0.3	# the kernel writes its log in a thread of its own
	dmesg -c | sed -n 's/.*apparmor="DENIED" operation="\([^"]*\)"\(.*\)/\1\2/p' |
		sed 's/ \(pid\|fsuid\|ouid\)=[0-9]*//g'
}
