#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a CNI runtime does, step by step, from bash and as an ordinary user: a
# container with nothing in it, ADD, a program in it, DEL.
#
# usage: cni-by-hand.sh [COMMAND ARGUMENT...]
#   COMMAND runs in the container; default: its addresses and routes
#   PLUGIN and CONF name the plugin and the network configuration
set -eu

here=$(cd "$(dirname "$0")" && pwd)
plugin=${PLUGIN:-$(command -v cni-passt || echo "$here/../build/plugin/cni-passt")}
conf=${CONF:-$here/basic.conf}
[ $# -gt 0 ] || set -- sh -c 'ip -br addr; ip route; ip -6 route'

# The container: a user and a network namespace, held by a process.
unshare -rUn sleep 600 &
pid=$!
until [ "$(cat "/proc/$pid/comm")" = sleep ]; do sleep 0.01; done

# The request: five variables and the configuration on standard input.
export CNI_CONTAINERID=by-hand-$pid
export CNI_NETNS=/proc/$pid/ns/net
export CNI_IFNAME=eth0
CNI_PATH=$(dirname "$plugin")
export CNI_PATH

finish() {
	CNI_COMMAND=DEL "$plugin" < "$conf"
	kill "$pid"
}
trap finish EXIT

# The answer: a result, or an error object and a status other than 0.
CNI_COMMAND=ADD "$plugin" < "$conf"

nsenter -t "$pid" -U -n --preserve-credentials "$@"
