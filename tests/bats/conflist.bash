# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# conflist: what a CNI runtime does with a list of plugins (CNI SPEC.md, section
# 3): requests derived from the list, results handed on, the last one kept for
# CHECK and DEL, DEL in reverse order. By the ordinary user, in the host's
# namespace; CNI_LIST_AS=root is for plugins that need the machine's root.
#
#     conflist ADD|CHECK|DEL FILE ID NETNS IFNAME     conflist GC|STATUS FILE
#
# LIST_CAPS   capability arguments, a JSON object; each plugin gets those it declares
# LIST_ARGS   CNI_ARGS
# LIST_VALID  for GC: the list of valid attachments, JSON; not given where unset
# LIST_PATH   CNI_PATH

conflist_who() {
	if [ "${CNI_LIST_AS-}" = root ]; then
		bed_host env -u XDG_RUNTIME_DIR "$@"
	else
		bed_user "$@"
	fi
}

# conflist_request FILE INDEX PREVIOUS RESULT: the configuration for one plugin
conflist_request() {
	jq --argjson i "$2" --argjson prev "${3:-null}" --argjson caps "${LIST_CAPS-"{}"}" \
		--argjson valid "${LIST_VALID-null}" '
		. as $list | .plugins[$i] |
		(.capabilities // {} | with_entries(select(.value))) as $can |
		($caps | with_entries(select(.key as $k | $can | has($k)))) as $run |
		. + {name: $list.name, cniVersion: $list.cniVersion} +
		(if $run != {} then {runtimeConfig: $run} else {} end) +
		(if $prev != null then {prevResult: $prev} else {} end) +
		(if $valid != null then {"cni.dev/valid-attachments": $valid} else {} end)' "$1"
}

# conflist_call COMMAND FILE INDEX PREVIOUS [ID NETNS IFNAME]: one plugin, its output
conflist_call() {
	local type path request
	type=$(jq -r ".plugins[$3].type" "$2")
	path=$(conflist_find "$type") || return 1
	request=$(conflist_request "$2" "$3" "$4") || return 1
	conflist_who CNI_COMMAND="$1" CNI_CONTAINERID="${5-}" CNI_NETNS="${6-}" CNI_IFNAME="${7-}" \
		CNI_ARGS="${LIST_ARGS-}" CNI_PATH="${LIST_PATH-$BED_DIR/plugin:/usr/lib/cni}" "$path" <<< "$request"
}

conflist_find() { # conflist_find TYPE: the first in the path
	local dir dirs
	IFS=: read -ra dirs <<< "${LIST_PATH-$BED_DIR/plugin:/usr/lib/cni}"
	for dir in "${dirs[@]}"; do
		[ ! -f "$dir/$1" ] || { echo "$dir/$1"; return 0; }
	done
	echo "no plugin $1" >&2
	return 1
}

conflist() {
	local n i prev='' cache=$BED_DIR/result-${3-}-${5-}
	n=$(jq '.plugins | length' "$2") || return 1
	case $1 in
	ADD)
		for ((i = 0; i < n; i++)); do
			prev=$(conflist_call ADD "$2" "$i" "$prev" "${@:3}") || { echo "$prev"; return 1; }
		done
		echo "$prev" | tee "$cache"
		;;
	DEL)
		[ ! -s "$cache" ] || prev=$(cat "$cache")
		for ((i = n - 1; i >= 0; i--)); do
			conflist_call DEL "$2" "$i" "$prev" "${@:3}" || return 1
		done
		rm -f "$cache"
		;;
	CHECK)
		prev=$(cat "$cache") || return 1
		for ((i = 0; i < n; i++)); do
			conflist_call CHECK "$2" "$i" "$prev" "${@:3}" || return 1
		done
		;;
	GC | STATUS)
		for ((i = 0; i < n; i++)); do
			conflist_call "$1" "$2" "$i" '' || return 1
		done
		;;
	esac
}
