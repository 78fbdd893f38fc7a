#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The profiles for AppArmor and SELinux in conf/ compile, the latter with its labels.
set -u
cd "${top_srcdir-$(dirname "$0")/../..}" || exit 1
PATH=$PATH:/usr/sbin:/sbin
for p in apparmor_parser checkmodule semodule_package; do
	command -v "$p" > /dev/null || { echo "no program $p"; exit 77; }
done
dir=$(mktemp -d)
out=$dir/cni_passt.mod	# checkmodule asks for that name
trap 'rm -rf "$dir"' EXIT
bad=0
for f in conf/apparmor.d/*; do
	apparmor_parser --skip-kernel-load --skip-cache "$f" || { echo "$f: see above"; bad=1; }
done
for f in conf/selinux/*.te; do
	{ checkmodule -M -m -o "$out" "$f" && semodule_package -o "$dir/out.pp" -m "$out" -f "${f%.te}.fc"; } ||
		{ echo "$f: see above"; bad=1; }
done
exit $bad
