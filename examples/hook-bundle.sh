#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A bundle for runc or crun whose container gets the host's network by
# cni-passt-hook, without root. The folder has a root file system in rootfs/, for
# example busybox:
#
#     mkdir -p demo/rootfs/bin && cp /bin/busybox demo/rootfs/bin/sh   # a static one
#     examples/hook-bundle.sh crun demo sh -c 'echo hello | nc -l -p 80'
#     cd demo && crun run demo &
#     curl --http0.9 http://127.0.0.1:8080/
#
# It is `RUNTIME spec` and three changes: a network namespace of the container's
# own, the hooks and the annotations of hooks.json beside this script, and the
# command. Without the createContainer hook crun works for root only.
#
# usage: hook-bundle.sh runc|crun FOLDER COMMAND [ARGUMENT...]
# HOOK: where cni-passt-hook is, if it is not where hooks.json says.
set -eu

[ $# -ge 3 ] || { sed -n '4,19s/^# \{0,1\}//p' "$0" >&2; exit 2; }
runtime=$1
folder=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
rootless=--rootless
[ "$(id -u)" != 0 ] || rootless=

cd "$folder"
rm -f config.json
$runtime spec $rootless
# (one by one: jq would take "-c" for an option of its own)
command=$(for word; do jq -n --arg word "$word" '$word'; done | jq -s .)
jq --argjson command "$command" --slurpfile add "$here/hooks.json" --arg hook "${HOOK-}" '
	.process.terminal = false |
	.process.args = $command |
	# an ordinary user may not raise limits
	del(.process.rlimits) |
	.linux.namespaces = ([.linux.namespaces[] | select(.type != "network")] + [{type: "network"}]) |
	# the hook writes these two into rootfs/
	.mounts = [.mounts[]? | select(.destination != "/etc/resolv.conf" and .destination != "/etc/hosts")] |
	. + $add[0] |
	if $hook == "" then . else (.hooks[][].path) = $hook end
' config.json > config.new
mv config.new config.json
