#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The CNI contract, row by row: each row begins with the section of the
# specification (SPEC.md 1.1.0 of containernetworking/cni) it stands for. Lists
# of plugins are run as a runtime runs them (conflist.bash), with the reference
# plugins as packaged.

load bed
load expect
load conflist

setup_file() {
	bed_make
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	LIST=$BED_DIR/tmp/list.conflist
	IPAM_DIR=$BED_DIR/tmp/ipam
}

teardown() {
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	rm -rf "$IPAM_DIR"
	if [ -e "/run/netns/$BED-c" ]; then
		CNI_LIST_AS=root conflist DEL "$LIST" "$BED" "/run/netns/$BED-c" eth0 > /dev/null 2>&1 || true
		ip netns del "$BED-c"
	fi
	bed_kill "$C"
	bed_until 3 bed_no_core
}

reference() { # skips where the reference plugins are not installed
	[ -x "/usr/lib/cni/$1" ] || skip "no CNI plugin $1 in /usr/lib/cni"
}

# A namespace that root's plugins can enter.
root_container() {
	ip netns add "$BED-c"
	ip -n "$BED-c" link set lo up
	NS=/run/netns/$BED-c
	export CNI_LIST_AS=root
}

list() { # list VERSION PLUGIN...: a list of plugins, each a JSON object
	local v=$1
	shift
	printf '%s\n' "$@" | jq -s --arg v "$v" '{cniVersion: $v, name: "chain", plugins: .}' > "$LIST"
}

check_with() { # check_with RESULT [VERSION]: CHECK against that result
	run_cni CHECK "c$C" "$NS" eth0 < <(conf "{\"cniVersion\": \"${2-1.0.0}\", \"prevResult\": $1}")
}

# section | command | version | id, namespace and interface, "-" for empty | more keys | code, 0 for success
verbs=(
	'2 ADD|ADD|1.0.0|x - eth0|{}|4'
	'2 ADD|ADD|1.0.0|- NS eth0|{}|4'
	'2 ADD|ADD|1.0.0|x NS -|{}|4'
	'2 DEL: netns is optional|DEL|1.0.0|x - eth0|{}|0'
	'2 DEL|DEL|1.0.0|x NS -|{}|4'
	'2 DEL|DEL|1.0.0|- NS eth0|{}|4'
	'2 DEL: without error where nothing is|DEL|1.0.0|nobody /nowhere eth0|{}|0'
	'2 DEL: keys that went bad|DEL|1.0.0|x - eth0|{"nonsense": 1, "mtu": "x"}|0'
	'2 DEL: prevResult absent, empty or another|DEL|1.0.0|x - eth0|{"prevResult": {}}|0'
	'2 DEL|DEL|1.0.0|x - eth0|{"prevResult": null}|0'
	'2 CHECK: since 0.4.0|CHECK|0.1.0|x NS eth0|{"prevResult": {}}|1'
	'2 CHECK|CHECK|0.3.1|x NS eth0|{"prevResult": {}}|1'
	'2 CHECK: needs a namespace|CHECK|1.0.0|x - eth0|{"prevResult": {}}|4'
	'2 CHECK: needs prevResult|CHECK|1.0.0|x NS eth0|{}|7'
	'2 CHECK|CHECK|1.0.0|x NS eth0|{"prevResult": 7}|7'
	'2 CHECK: never made|CHECK|1.0.0|x NS eth0|{"prevResult": {}}|104'
	'2 STATUS: since 1.1.0|STATUS|1.0.0|- - -|{}|1'
	'2 STATUS|STATUS|1.1.0|- - -|{}|0'
	'2 STATUS: a configuration that cannot be|STATUS|1.1.0|- - -|{"mtu": 1}|7'
	'2 STATUS|STATUS|1.1.0|- - -|{"mtu": 1000, "ipv6": true}|7'
	'2 GC: since 1.1.0|GC|1.0.0|- - -|{}|1'
	'2 GC: no list given|GC|1.1.0|- - -|{}|0'
	'2 GC|GC|1.1.0|- - -|{"cni.dev/valid-attachments": []}|0'
	'2 GC|GC|1.1.0|- - -|{"cni.dev/valid-attachments": [{"containerID": "x"}]}|7'
	'2 GC|GC|1.1.0|- - -|{"cni.dev/valid-attachments": "x"}|7'
	'2 VERSION|VERSION|1.0.0|- - -|{}|0'
	'2 parameters: unknown command|FROB|1.0.0|x NS eth0|{}|4'
	'2 parameters: commands are in capitals|add|1.0.0|x NS eth0|{}|4'
	'2 GC: the name that the tag spec-v1.1.0 had|GC|1.1.0|- - -|{"cni.dev/attachments": []}|0'
	'2 parameters: CNI_CONTAINERID begins with a letter or digit|ADD|1.0.0|.x NS eth0|{}|4'
	'2 parameters: CNI_CONTAINERID has letters, digits, "_.-"|ADD|1.0.0|x/y NS eth0|{}|4'
	'2 parameters: CNI_IFNAME has no slash|ADD|1.0.0|x NS a/b|{}|4'
	'2 parameters: CNI_IFNAME has no colon|ADD|1.0.0|x NS a:b|{}|4'
	'2 parameters: CNI_IFNAME is at most 15 long|ADD|1.0.0|x NS a234567890123456|{}|4'
	'2 parameters: CNI_IFNAME is not ".."|ADD|1.0.0|x NS ..|{}|4'
	'2 ADD: an interface of that name exists|ADD|1.0.0|x NS lo|{}|101'
	'2 ADD: CNI_NETNS is not there|ADD|1.0.0|x /nowhere eth0|{}|8'
	'2 ADD: CNI_NETNS is no namespace|ADD|1.0.0|x /etc/passwd eth0|{}|8'
	'1 name: letters, digits, "_.-"|ADD|1.0.0|x NS eth0|{"name": "a b"}|7'
	'1 name: begins with a letter or digit|ADD|1.0.0|x NS eth0|{"name": "-a"}|7'
	'3 prevResult is an object|ADD|1.0.0|x NS eth0|{"prevResult": 7}|7'
	'3 runtimeConfig: what cannot be is named|ADD|1.0.0|x NS eth0|{"runtimeConfig": {"mac": "zz"}}|7'
	'3 runtimeConfig|ADD|1.0.0|x NS eth0|{"runtimeConfig": {"portMappings": [{"hostPort": 70000, "containerPort": 1}]}}|7'
	'4 ipam.type names a plugin, no path|ADD|1.0.0|x NS eth0|{"ipam": {"type": "../x"}}|7'
	'5 Error, code 1|ADD|1.2.0|x NS eth0|{}|1'
	'5 Error, code 1|DEL|1.2.0|x NS eth0|{}|1'
	'5 Error, code 1|GC|2.0.0|- - -|{}|1'
)

@test "verbs: from which version, with what, and the error code otherwise" {
	local row command version names keys code id ns ifname
	for row in "${verbs[@]}"; do
		IFS='|' read -r _ command version names keys code <<< "$row"
		read -r id ns ifname <<< "${names/NS/$NS}"
		run_cni "$command" "${id/#-/}" "${ns/#-/}" "${ifname/#-/}" \
			< <(conf "$keys" | jq --arg v "$version" '.cniVersion = $v')
		if [ "$code" = 0 ]; then
			same "status of $row: $output" "$status" 0
			[ "$command" = VERSION ] || same "output of $row" "$stdout" ""
		else
			refused "$code" "" || die "in: $row"
			jq -e 'has("cniVersion") and (.msg | length > 0)' <<< "$stdout" > /dev/null || die "$row: $stdout"
		fi
	done
	nothing_left "$C"
}

@test "section 5: nothing but the contract on standard output, in every version" {
	local v
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"cniVersion\": \"$v\"}")
		same "status in $v: $output" "$status" 0
		jq -es 'length == 1' <<< "$stdout" > /dev/null || die "$v: not one document: $stdout"
		same "keys in $v" "$(jq -r 'keys - ["cniVersion", "interfaces", "ips", "routes", "dns", "ip4", "ip6"] | length' <<< "$stdout")" 0
		case $v in 0.[4].* | 1.*)
			check_with "$stdout" "$v"
			same "CHECK in $v: $output" "$status$stdout" 0
			;;
		esac
		run_cni DEL "c$C" "$NS" eth0 < <(conf "{\"cniVersion\": \"$v\"}")
		same "DEL in $v: $output" "$status$stdout" 0
	done
}

@test "section 2, CHECK: each thing that is not as it was made is named" {
	local result row break mend words
	# what the container does to its interface | how it is mended | words of the error
	local rows=(
		"ip link set eth0 down|ip link set eth0 up|is down"
		"ip addr del $HOST4/24 dev eth0|ip addr add $HOST4/24 dev eth0|$HOST4/24"
		"ip -6 addr del $HOST6/64 dev eth0|ip -6 addr add $HOST6/64 dev eth0 nodad|$HOST6/64"
		"ip route del default|ip route add default via 203.0.113.1|0.0.0.0/0"
		"ip route replace default via 203.0.113.9|ip route replace default via 203.0.113.1|0.0.0.0/0"
		"ip link set eth0 mtu 1400|ip link set eth0 mtu 1500|MTU"
		"ip link set eth0 address 02:00:00:00:00:77||MAC"
	)
	result=$(cni ADD "c$C" "$NS" eth0 < <(conf '{"cniVersion": "1.1.0"}'))
	for row in "${rows[@]}"; do
		IFS='|' read -r break mend words <<< "$row"
		# what goes with an address that goes, or a link that goes down
		bed_in "$C" ip -6 route replace default via 2001:db8:1::1 dev eth0
		bed_in "$C" ip route replace default via 203.0.113.1 dev eth0
		check_with "$result" 1.1.0
		same "CHECK before $break: $output" "$status" 0
		# shellcheck disable=SC2086
		bed_in "$C" $break
		check_with "$result" 1.1.0
		refused 104 "$words" || die "after $break"
		# shellcheck disable=SC2086
		[ -z "$mend" ] || bed_in "$C" $mend
		[[ $break != *down ]] || bed_in "$C" ip -6 addr replace "$HOST6/64" dev eth0 nodad
	done
	bed_in "$C" ip link set eth0 name other0
	check_with "$result" 1.1.0
	refused 104 "is gone"
}

@test "section 2, CHECK: the daemon gone, stopped, and in another namespace" {
	local result other main
	result=$(attach "$C")
	check_with "$result"
	same "CHECK at once: $output" "$status" 0
	bed_container other
	run_cni CHECK "c$C" "/proc/$other/ns/net" eth0 < <(conf "{\"prevResult\": $result}")
	refused 7 "/proc/$other/ns/net"
	result=$(jq --arg ns "/proc/$other/ns/net" '.interfaces[].sandbox = $ns' <<< "$result")
	run_cni CHECK "c$C" "/proc/$other/ns/net" eth0 < <(conf "{\"prevResult\": $result}")
	refused 104 "is gone"
	bed_kill "$other"
	main=$(bed_main "$C")
	kill -STOP "$main"
	check_with "$(jq --arg ns "$NS" '.interfaces[].sandbox = $ns' <<< "$result")"
	kill -CONT "$main"
	refused 104 "does not answer"
	kill -STOP "$(bed_engine "$C")"
	check_with "$(jq --arg ns "$NS" '.interfaces[].sandbox = $ns' <<< "$result")"
	kill -CONT "$(bed_engine "$C")"
	refused 104 "does not answer for the gateway"
	check_with "$(jq --arg ns "$NS" '.interfaces[].sandbox = $ns' <<< "$result")"
	same "CHECK of a daemon that goes on: $output" "$status" 0
	kill -9 "$main"
	bed_until 3 bed_no_core
	check_with "$(jq --arg ns "$NS" '.interfaces[].sandbox = $ns' <<< "$result")"
	refused 104 "has ended"
}

@test "section 2, CHECK: what a later plugin took away or changed is not missed" {
	local result
	result=$(attach "$C")
	bed_in "$C" ip addr del "$HOST4/24" dev eth0
	check_with "$(jq --arg a "$HOST4/24" 'del(.ips[] | select(.address == $a)) | del(.routes[] | select(.dst == "0.0.0.0/0"))' <<< "$result")"
	same "an address taken from prevResult: $output" "$status" 0
	bed_in "$C" ip link set eth0 address 02:00:00:00:00:77
	check_with "$(jq --arg a "$HOST4/24" '.interfaces[].mac = "02:00:00:00:00:77" | del(.ips[0]) | .routes = []' <<< "$result")"
	same "another MAC address in prevResult: $output" "$status" 0
}

@test "section 2, GC: what is not listed goes, of this network only" {
	local key
	for key in cni.dev/valid-attachments cni.dev/attachments; do
		attach "$C" keep > /dev/null
		cni ADD stale "$NS" eth1 < <(conf '{"name": "basic"}') > /dev/null
		cni ADD alien "$NS" eth2 < <(conf '{"name": "alien"}') > /dev/null
		mkdir -p "$XDG/cni-passt/not-ours" "$XDG/cni-passt/dead@eth0"
		chown "$BED_UID" "$XDG/cni-passt/dead@eth0"
		run_cni GC "" "" "" < <(conf '{"cniVersion": "1.1.0", "name": "basic"}')
		same "GC without a list: $output" "$status" 0
		same "after GC without a list" "$(bed_state | sort | xargs)" "alien@eth2 keep@eth0 stale@eth1"
		run_cni GC "" "" "" < <(conf "{\"cniVersion\": \"1.1.0\", \"name\": \"basic\",
			\"$key\": [{\"containerID\": \"keep\", \"ifname\": \"eth0\"}]}")
		same "GC: $output" "$status$stdout" 0
		same "after GC" "$(bed_state | sort | xargs)" "alien@eth2 keep@eth0"
		bed_no_link "$C" eth1 || die "eth1 is left"
		bed_in "$C" ping -c 1 -W 2 "$PEER4"
		[ -d "$XDG/cni-passt/not-ours" ] || die "took what is not ours"
		rmdir "$XDG/cni-passt/not-ours"
		cni GC "" "" "" < <(conf "{\"cniVersion\": \"1.1.0\", \"name\": \"basic\", \"$key\": []}")
		cni GC "" "" "" < <(conf "{\"cniVersion\": \"1.1.0\", \"name\": \"alien\", \"$key\": []}")
		nothing_left "$C"
	done
}

@test "section 2, STATUS: each thing an ADD needs, taken away" {
	status_conf() { conf '{"cniVersion": "1.1.0"}'; }
	run_cni STATUS "" "" "" < <(status_conf)
	same "STATUS: $output" "$status$stdout" 0
	nothing_left
	BED_ENV=(CNI_PASST_CORE=/nowhere/core)
	run_cni STATUS "" "" "" < <(status_conf)
	refused 50 /nowhere/core
	BED_ENV=(XDG_RUNTIME_DIR=/proc)
	run_cni STATUS "" "" "" < <(status_conf)
	refused 50 /proc
	BED_ENV=(CNI_PASST_CORE=/bin/true)	# not of our version
	run_cni STATUS "" "" "" < <(status_conf)
	refused 50 ""
	BED_ENV=()
	run_cni STATUS "" "" "" < <(conf '{"cniVersion": "1.1.0", "outbound": {"interface": "nowhere"}}')
	refused 50 nowhere
	ip -n "$HOST" link set h0 down	# an ADD is served all the same
	run_cni STATUS "" "" "" < <(status_conf)
	ip -n "$HOST" link set h0 up
	ip -n "$HOST" addr replace "$HOST6/64" dev h0 nodad
	ip -n "$HOST" route replace default via 203.0.113.1
	ip -n "$HOST" -6 route replace default via 2001:db8:1::1
	same "STATUS without a network: $output" "$status" 0
	run_cni STATUS "" "" "" < <(status_conf)
	same "STATUS again: $output" "$status" 0
}

@test "section 5: an error that standard output does not take is told on standard error" {
	local row command words
	for row in 'ADD|stdout: No space left on device' 'NONE|CNI_COMMAND: "NONE" is not a command'; do
		IFS='|' read -r command words <<< "$row"
		status=0
		cni "$command" "c$C" "$NS" eth0 < <(conf) > /dev/full 2> "$BED_DIR/tmp/stderr" || status=$?
		same "status of $command" "$status" 1
		same "said of $command" "$(cat "$BED_DIR/tmp/stderr")" "cni-passt: $words"
	done
	status=0
	cni ADD "c$C" "$NS" eth0 < <(conf) >&- 2> "$BED_DIR/tmp/stderr" || status=$?
	same "status of an ADD without standard output" "$status" 1
	same "said without standard output" "$(cat "$BED_DIR/tmp/stderr")" "cni-passt: stdout: Bad file descriptor"
	nothing_left "$C"
}

@test "section 2, STATUS: no tap device, and no user namespaces" {
	in_mounts() { # in_mounts SCRIPT: STATUS where the machine is as the script makes it
		status=0
		# shellcheck disable=SC2016
		stdout=$(bed_host unshare -m bash -c "$1"' && exec "$@"' bash \
			setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all \
			env XDG_RUNTIME_DIR="$XDG" CNI_COMMAND=STATUS "$CNI_PASST" \
			< <(conf '{"cniVersion": "1.1.0"}')) || status=$?
		output=$stdout
	}
	mkdir -p "$BED_DIR/empty"
	in_mounts "mount --bind '$BED_DIR/empty' /dev/net"
	refused 50 /dev/net/tun
	# A user namespace that may have no other in it.
	status=0
	# shellcheck disable=SC2016
	stdout=$(bed_user unshare -Ur bash -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --bounding-set=-all env CNI_COMMAND=STATUS "$1"' \
		bash "$CNI_PASST" < <(conf '{"cniVersion": "1.1.0"}')) || status=$?
	output=$stdout
	[[ $stdout == *code* ]] || skip "the limit of user namespaces cannot be set here"
	refused 50 namespace
}

@test "section 1.9 of the specification's conventions: keys of runtimeConfig in any case, CNI_ARGS, aliases" {
	local result
	result=$(cni ADD "c$C" "$NS" eth0 < <(conf '{"capabilities": {"ips": true, "dns": true}, "runtimeConfig": {
		"IPS": ["10.9.8.7/24"], "Mac": "02:00:00:00:00:42", "DNS": {"Servers": ["9.9.9.9"], "Searches": ["example.org"], "Options": ["ndots:2"]},
		"aliases": {"chain": ["web", "www"]}, "cgroupPath": "/x", "Io.Kubernetes.cri.pod-annotations": {"a": "b"}}}'))
	jq -e '.interfaces[0].mac == "02:00:00:00:00:42" and .ips[0].address == "10.9.8.7/24" and
		.dns == {nameservers: ["9.9.9.9"], search: ["example.org"], options: ["ndots:2"]}' <<< "$result" || die "$result"
	detach "$C"
	BED_ENV=("CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web;K8S_POD_NAMESPACE=a=b;MAC=02:00:00:00:00:43;IP=10.9.8.6/24;GATEWAY=10.9.8.1;NERDCTL_CNI_DHCP_HOSTNAME=")
	result=$(cni ADD "c$C" "$NS" eth0 < <(conf))
	# shellcheck disable=SC2034
	BED_ENV=()
	jq -e '.interfaces[0].mac == "02:00:00:00:00:43" and .ips[0] == {address: "10.9.8.6/24", gateway: "10.9.8.1", interface: 0}' <<< "$result" || die "$result"
}

@test "section 1: a key or command that is none is refused with a hint at the likely one" {
	local row key at hint
	for row in 'mtuu||mtu' 'adresses||addresses' 'hostadress||hostAddress' 'Forward||forward' 'leve|log|log.level' 'sercers|runtimeConfig|'; do
		IFS='|' read -r key at hint <<< "$row"
		if [ -n "$at" ]; then
			run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"$at\": {\"$key\": 1}}")
		else
			run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"$key\": 1}")
		fi
		refused 2 "$key"
		[ -z "$hint" ] || [ "$(jq -r .details <<< "$stdout")" = "did you mean \"$hint\"?" ] || die "$row: $stdout"
	done
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"colourful": 1}')
	refused 2 colourful
	same "a hint at nothing like it" "$(jq 'has("details")' <<< "$stdout")" false
	run_cni ADDD "c$C" "$NS" eth0 < <(conf)
	refused 4 'did you mean "ADD"?'
	run_cni lists "c$C" "$NS" eth0 < <(conf)	# for people: no runtime calls it
	refused 4 '"lists" is not a command'
	same "a hint at a command for people" "$(jq 'has("details")' <<< "$stdout")" false
}

@test "section 3: first of a list, before tuning, portmap and firewall" {
	local v
	reference portmap
	root_container
	for v in 0.4.0 1.0.0; do
		list "$v" '{"type": "cni-passt", "ipv6": false}' \
			'{"type": "tuning", "mtu": 1400, "mac": "02:aa:bb:cc:dd:ee", "sysctl": {"net.ipv4.conf.all.log_martians": "1"}}' \
			'{"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}' '{"type": "firewall"}'
		export LIST_CAPS='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
		run conflist ADD "$LIST" "$BED" "$NS" eth0
		same "ADD in $v: $output" "$status" 0
		jq -e --arg ns "$NS" '.interfaces == [{name: "eth0", mac: "02:aa:bb:cc:dd:ee", sandbox: $ns}] and
			(.ips | length == 1 and .[0].interface == 0)' <<< "$output" || die "$output"
		# (portmap 1.1.1 cannot CHECK its own rules for one family)
		jq '.plugins |= map(select(.type != "portmap"))' "$LIST" > "$LIST.check"
		run conflist CHECK "$LIST.check" "$BED" "$NS" eth0
		same "CHECK in $v: $output" "$status" 0
		nsenter --net="$NS" ping -c 1 -W 2 "$PEER4"
		bed_host nft list ruleset | grep -q 'dport 8080' || die "portmap made nothing"
		run conflist DEL "$LIST" "$BED" "$NS" eth0
		same "DEL in $v: $output" "$status$output" 0
		[ ! -e "/run/cni-passt/$BED@eth0" ] || die "state left"
	done
}

@test "section 3: bandwidth behind ours passes our result on; rates need a veth, and their refusal undoes ours" {
	reference bandwidth
	root_container
	list 1.0.0 '{"type": "cni-passt"}' '{"type": "bandwidth", "capabilities": {"bandwidth": true}}'
	run conflist ADD "$LIST" "$BED" "$NS" eth0
	same "ADD without rates: $output" "$status" 0
	jq -e '.interfaces[0].name == "eth0"' <<< "$output" > /dev/null || die "$output"
	run conflist DEL "$LIST" "$BED" "$NS" eth0
	same "DEL: $output" "$status$output" 0
	export LIST_CAPS='{"bandwidth": {"ingressRate": 8000000, "ingressBurst": 800000}}'
	run conflist ADD "$LIST" "$BED" "$NS" eth0
	[[ $status != 0 && $output == *veth* ]] || die "rates: $output"
	run conflist DEL "$LIST" "$BED" "$NS" eth0
	same "DEL after rates: $output" "$status$output" 0
	[ ! -e "/run/cni-passt/$BED@eth0" ] || die "state left"
}

@test "section 3: a later plugin of a list: prevResult passed on, its indexes kept" {
	local v
	reference loopback
	root_container
	for v in 0.4.0 1.0.0; do
		list "$v" '{"type": "loopback"}' '{"type": "cni-passt"}' '{"type": "tuning", "promisc": true}'
		run conflist ADD "$LIST" "$BED" "$NS" eth0
		same "ADD in $v: $output" "$status" 0
		jq -e --arg a "$HOST4/24" '[.interfaces[].name] == ["lo", "eth0"] and
			(.ips[] | select(.address == "127.0.0.1/8") | .interface) == 0 and
			(.ips[] | select(.address == $a) | .interface) == 1' <<< "$output" || die "$output"
		run conflist CHECK "$LIST" "$BED" "$NS" eth0
		same "CHECK in $v: $output" "$status" 0
		run conflist DEL "$LIST" "$BED" "$NS" eth0
		same "DEL in $v: $output" "$status$output" 0
	done
}

@test "section 3: a later plugin that fails: DEL of the list undoes ours" {
	reference tuning
	root_container
	list 1.0.0 '{"type": "cni-passt"}' '{"type": "tuning", "sysctl": {"net.nonsense": "1"}}'
	run conflist ADD "$LIST" "$BED" "$NS" eth0
	[ "$status" -ne 0 ] || die "tuning took nonsense"
	run conflist DEL "$LIST" "$BED" "$NS" eth0
	same "DEL: $output" "$status$output" 0
	[ ! -e "/run/cni-passt/$BED@eth0" ] || die "state left"
	! ip -n "$BED-c" link show eth0 || die "interface left"
}

ipam_host_local() { # more keys of ours
	jq -cn --arg d "$IPAM_DIR" --argjson more "${1-"{}"}" '{type: "cni-passt", ipam: {type: "host-local", dataDir: $d,
		ranges: [[{subnet: "10.88.0.0/24"}], [{subnet: "fd00:88::/64"}]], routes: [{dst: "0.0.0.0/0"}]}} + $more'
}
reserved() { find "$IPAM_DIR" -name '[0-9f]*[.:]*[0-9]' -printf '%f\n' 2> /dev/null | sort | xargs; }

@test "section 4, host-local: addresses, gateways and routes are its, and go back" {
	reference host-local
	list 1.0.0 "$(ipam_host_local)"
	run conflist ADD "$LIST" "c$C" "$NS" eth0
	same "ADD: $output" "$status" 0
	jq -e '[.ips[] | {address, gateway, interface}] == [{address: "10.88.0.2/24", gateway: "10.88.0.1", interface: 0},
		{address: "fd00:88::2/64", gateway: "fd00:88::1", interface: 0}] and
		(.routes | any(.dst == "0.0.0.0/0" and .gw == "10.88.0.1"))' <<< "$output" || die "$output"
	bed_in "$C" ip -o addr show eth0 | grep -q 'inet 10.88.0.2/24'
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
	run conflist CHECK "$LIST" "c$C" "$NS" eth0
	same "CHECK: $output" "$status" 0
	same reserved "$(reserved)" "10.88.0.2 fd00:88::2"
	# An ADD that is refused may not give back what the living one has.
	run conflist ADD "$LIST" "c$C" "$NS" eth0
	[[ $output == *exists* ]] || die "$output"
	same "reserved after another ADD" "$(reserved)" "10.88.0.2 fd00:88::2"
	rm "$IPAM_DIR/chain/10.88.0.2" "$IPAM_DIR/chain/fd00:88::2"
	run conflist CHECK "$LIST" "c$C" "$NS" eth0
	[[ $status != 0 && $output == *host-local* ]] || die "the delegate's CHECK is not told: $output"
	run conflist DEL "$LIST" "c$C" "$NS" eth0
	same "DEL: $output" "$status$output" 0
	nothing_left "$C"
}

@test "section 4: an ADD that fails after its IPAM plugin gives the address back" {
	reference host-local
	bed_in "$C" ip link add eth0 type veth peer name other0
	list 1.0.0 "$(ipam_host_local)"
	run conflist ADD "$LIST" "c$C" "$NS" eth0
	[[ $output == *"eth0 already exists"* ]] || die "$output"
	[ -d "$IPAM_DIR/chain" ] || die "host-local was not asked"
	same "reserved" "$(reserved)" ""
	bed_in "$C" ip link del eth0
	nothing_left "$C"
}

@test "section 4: addresses asked for reach the IPAM plugin, by runtimeConfig and by CNI_ARGS" {
	reference host-local
	list 1.0.0 "$(ipam_host_local '{"capabilities": {"ips": true, "ipRanges": true}}')"
	LIST_CAPS='{"ips": ["10.88.0.77"]}' run conflist ADD "$LIST" "c$C" "$NS" eth0
	same "by runtimeConfig: $output" "$(jq -r '.ips[0].address' <<< "$output")" 10.88.0.77/24
	conflist DEL "$LIST" "c$C" "$NS" eth0
	LIST_ARGS='IgnoreUnknown=1;IP=10.88.0.78' run conflist ADD "$LIST" "c$C" "$NS" eth0
	same "by CNI_ARGS: $output" "$(jq -r '.ips[0].address' <<< "$output")" 10.88.0.78/24
	conflist DEL "$LIST" "c$C" "$NS" eth0
	jq 'del(.plugins[0].ipam.ranges)' "$LIST" > "$LIST.2" && mv "$LIST.2" "$LIST"
	export LIST_CAPS='{"ipRanges": [[{"subnet": "10.99.0.0/24"}]]}'
	run conflist ADD "$LIST" "c$C" "$NS" eth0
	same "ipRanges: $output" "$(jq -r '.ips[0].address' <<< "$output")" 10.99.0.2/24
	conflist DEL "$LIST" "c$C" "$NS" eth0
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"runtimeConfig": {"ipRanges": [[{"subnet": "10.99.0.0/24"}]]}}')
	refused 2 ipRanges
}

@test "section 4, static: addresses, routes and dns, in old versions and new" {
	local v
	reference static
	for v in 0.2.0 0.3.1 1.0.0; do
		list "$v" '{"type": "cni-passt", "ipam": {"type": "static", "addresses": [{"address": "10.7.0.5/24", "gateway": "10.7.0.1"}],
			"routes": [{"dst": "10.9.0.0/16"}], "dns": {"nameservers": ["9.9.9.9"]}}}'
		run conflist ADD "$LIST" "c$C" "$NS" eth0
		same "ADD in $v: $output" "$status" 0
		[ "$(jq -r '.ip4.ip // .ips[0].address' <<< "$output")" = 10.7.0.5/24 ] || die "$v: $output"
		same "dns in $v" "$(jq -c .dns <<< "$output")" '{"nameservers":["9.9.9.9"]}'
		bed_in "$C" ip route show 10.9.0.0/16 | grep -q 'via 10.7.0.1' || die "no route in $v"
		bed_in "$C" ping -c 1 -W 2 "$PEER4"
		conflist DEL "$LIST" "c$C" "$NS" eth0
	done
	jq '.plugins[0].dns = {nameservers: ["8.8.8.8"]}' "$LIST" > "$LIST.2"
	run conflist ADD "$LIST.2" "c$C" "$NS" eth0
	same "the configuration's dns goes first" "$(jq -c .dns <<< "$output")" '{"nameservers":["8.8.8.8"]}'
}

@test "section 4: an IPAM plugin that is not there, fails, talks too much or answers nonsense" {
	local row body words
	mkdir -p "$BED_DIR/tmp/ipam-bin"
	# what the plugin does at ADD | words of the error
	local rows=(
		'echo "{\"code\": 11, \"msg\": \"none left\", \"details\": \"wait\"}"; exit 1|none left'
		'exit 3|status 3'
		'kill -9 $$|signal 9'
		'echo nonsense|result of IPAM plugin fake'
		'echo "{\"cniVersion\": \"1.0.0\"}"|no address'
		'echo "{\"cniVersion\": \"1.0.0\", \"ips\": [{\"address\": \"10.0.0.300/24\"}]}"|10.0.0.300'
		'head -c 1000000 /dev/zero|more than'
	)
	for row in "${rows[@]}"; do
		IFS='|' read -r body words <<< "$row"
		printf '%s\n' '#!/bin/bash' "echo \$CNI_COMMAND >> $BED_DIR/tmp/calls" "[ \$CNI_COMMAND = ADD ] || exit 0" \
			"${body//|/}" > "$BED_DIR/tmp/ipam-bin/fake"
		chmod 0755 "$BED_DIR/tmp/ipam-bin/fake"
		: > "$BED_DIR/tmp/calls"
		chmod 0666 "$BED_DIR/tmp/calls"
		list 1.0.0 '{"type": "cni-passt", "ipam": {"type": "fake"}}'
		LIST_PATH=$BED_DIR/plugin:$BED_DIR/tmp/ipam-bin run conflist ADD "$LIST" "c$C" "$NS" eth0
		[ "$status" -ne 0 ] || die "took: $body"
		[[ $output == *"$words"* ]] || die "$body: \"$words\" not in $output"
		same "calls for $body" "$(xargs < "$BED_DIR/tmp/calls")" "ADD DEL"
		nothing_left "$C"
	done
	jq -e '.code == 11 and .details == "wait"' <<< "$(printf '%s\n' '#!/bin/bash' 'cat > /dev/null; echo "{\"code\": 11, \"msg\": \"none left\", \"details\": \"wait\"}"; exit 1' \
		> "$BED_DIR/tmp/ipam-bin/fake"; LIST_PATH=$BED_DIR/plugin:$BED_DIR/tmp/ipam-bin conflist ADD "$LIST" "c$C" "$NS" eth0)" ||
		die "its error is not passed on"
	list 1.0.0 '{"type": "cni-passt", "ipam": {"type": "not-there"}}'
	run conflist ADD "$LIST" "c$C" "$NS" eth0
	[[ $output == *not-there* ]] || die "$output"
	for body in '"x"' '{"type": 7}' '{"subnet": "10.0.0.0/8"}'; do
		run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"ipam\": $body}")
		refused 7 ipam
	done
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"ipam": {"type": "../../bin/sh"}}')
	refused 7 ipam.type
	nothing_left "$C"
}

@test "section 4: an IPAM plugin's child that keeps standard output open keeps nobody" {
	mkdir -p "$BED_DIR/tmp/ipam-bin"
	# shellcheck disable=SC2016
	printf '%s\n' '#!/bin/bash' '[ "$CNI_COMMAND" = ADD ] || exit 0' 'sleep 20 2> /dev/null &' "echo \$! > $BED_DIR/tmp/sleeper" \
		'echo "{\"cniVersion\": \"1.0.0\", \"ips\": [{\"address\": \"10.7.0.5/24\"}]}"' > "$BED_DIR/tmp/ipam-bin/fake"
	chmod 0755 "$BED_DIR/tmp/ipam-bin/fake"
	list 1.0.0 '{"type": "cni-passt", "ipam": {"type": "fake"}}'
	SECONDS=0
	LIST_PATH=$BED_DIR/plugin:$BED_DIR/tmp/ipam-bin run conflist ADD "$LIST" "c$C" "$NS" eth0
	same "status: $output" "$status" 0
	[ "$SECONDS" -lt 15 ] || die "waited for it"
	kill "$(cat "$BED_DIR/tmp/sleeper")"
	LIST_PATH=$BED_DIR/plugin:$BED_DIR/tmp/ipam-bin conflist DEL "$LIST" "c$C" "$NS" eth0
}

@test "section 4: STATUS, CHECK and GC reach the IPAM plugin, and its refusal the caller" {
	local ipam='{"cniVersion": "1.1.0", "ipam": {"type": "fake"}}' verb
	mkdir -p "$BED_DIR/tmp/ipam-bin"
	printf '%s\n' '#!/bin/bash' "echo \$CNI_COMMAND\$CNI_CONTAINERID >> $BED_DIR/tmp/calls" \
		"[ ! -e $BED_DIR/tmp/refuse ] || { echo '{\"code\": 51, \"msg\": \"pool is dry\"}'; exit 1; }" \
		"[ \$CNI_COMMAND != ADD ] || echo '{\"cniVersion\": \"1.1.0\", \"ips\": [{\"address\": \"10.7.0.5/24\"}]}'" \
		> "$BED_DIR/tmp/ipam-bin/fake"
	chmod 0755 "$BED_DIR/tmp/ipam-bin/fake"
	: > "$BED_DIR/tmp/calls"
	chmod 0666 "$BED_DIR/tmp/calls"
	cp "$BED_DIR/tmp/ipam-bin/fake" "$BED_DIR/plugin/"
	run_cni STATUS "" "" "" < <(conf "$ipam")
	same "STATUS: $output" "$status$stdout" 0
	run_cni ADD "c$C" "$NS" eth0 < <(conf "$ipam")
	same "ADD: $output" "$status" 0
	run_cni CHECK "c$C" "$NS" eth0 < <(conf "$ipam" | jq --argjson r "$stdout" '.prevResult = $r')
	same "CHECK: $output" "$status$stdout" 0
	run_cni GC "" "" "" < <(conf "$ipam" | jq '."cni.dev/valid-attachments" = []')
	same "GC: $output" "$status$stdout" 0
	same calls "$(xargs < "$BED_DIR/tmp/calls")" "STATUS ADDc$C CHECKc$C DELc$C GC"
	nothing_left "$C"
	: > "$BED_DIR/tmp/refuse"
	for verb in STATUS GC; do
		run_cni "$verb" "" "" "" < <(conf "$ipam")
		refused 51 "pool is dry"
	done
	rm "$BED_DIR/tmp/refuse" "$BED_DIR/plugin/fake"
	run_cni STATUS "" "" "" < <(conf "$ipam")
	refused 50 fake
}

@test "another PID namespace: DEL, CHECK and GC find the daemon, and no stranger" {
	local result holder pids
	bed_bg holder bed_host unshare --pid --fork --kill-child sleep 3600
	bed_until 3 test -e "/proc/$holder/task/$holder/children"
	bed_until 3 grep -q . "/proc/$holder/task/$holder/children"
	read -r pids _ < "/proc/$holder/task/$holder/children" || true # (no newline at its end)
	inside() { # inside COMMAND ID NETNS: by the user, in that PID namespace
		bed_host nsenter --pid="/proc/$pids/ns/pid" \
			setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all \
			env XDG_RUNTIME_DIR="$XDG" ASAN_OPTIONS=detect_leaks=0 CNI_COMMAND="$1" \
			CNI_CONTAINERID="$2" CNI_NETNS="$3" CNI_IFNAME=eth0 "$CNI_PASST"
	}
	result=$(attach "$C")
	run inside CHECK "c$C" "$NS" < <(conf "{\"prevResult\": $result}")
	same "CHECK: $output" "$status" 0
	run inside ADD "c$C" "$NS" < <(conf)
	[[ $output == *exists* ]] || die "a second ADD: $output"
	run inside GC "" "" < <(conf '{"cniVersion": "1.1.0"}')
	same "GC: $output" "$status" 0
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	run inside DEL "c$C" "" < <(conf)
	same "DEL: $output" "$status$output" 0
	nothing_left "$C"
	# made there, ended here
	run inside ADD "c$C" "$NS" < <(conf)
	same "ADD: $output" "$status" 0
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	run_cni DEL "c$C" "" eth0 < <(conf)
	same "DEL: $output" "$status" 0
	nothing_left "$C"
	bed_kill "$holder"
}

@test "DEL returns when name and interface are free: an ADD at once, 20 times" {
	local i
	for i in {1..20}; do
		attach "$C" > "$BED_DIR/tmp/out" || die "ADD $i: $(cat "$BED_DIR/tmp/out")"
		detach "$C"
		bed_no_link "$C" || die "the interface is there after DEL $i"
		bed_no_state || die "state is there after DEL $i"
	done
}

@test "by hand: CHECK without a result, GC and STATUS without a configuration" {
	attach "$C" demo > /dev/null
	run bed_user "$CNI_PASST" CHECK --container-id demo
	same "CHECK: $output" "$status$output" 0
	run bed_user "$CNI_PASST" CHECK --container-id demo --pid "$C"
	same "CHECK --pid: $output" "$status$output" 0
	run bed_user "$CNI_PASST" STATUS
	same "STATUS: $output" "$status$output" 0
	run bed_user "$CNI_PASST" GC
	same "GC: $output" "$status$output" 0
	bed_in "$C" ip addr del "$HOST4/24" dev eth0
	run bed_user "$CNI_PASST" CHECK --container-id demo
	[[ $status = 1 && $output == *"$HOST4/24"* && $output != *$'\n'* ]] || die "$output"
	bed_user "$CNI_PASST" DEL --container-id demo
	nothing_left "$C"
}

@test "conf/: every list is taken, from STATUS to DEL" {
	local file name result
	reference host-local
	for file in "$BED_DIR"/*.conflist; do
		name=${file##*/}
		# (host-local keeps its book where only root may write)
		jq --arg d "$IPAM_DIR" '(.plugins[].ipam | select(. != null) | .dataDir) = $d' "$file" > "$LIST"
		jq '.cniVersion = "1.1.0" | .plugins |= map(del(.ipam))' "$LIST" > "$LIST.status"
		run conflist STATUS "$LIST.status"
		same "$name: STATUS: $output" "$status$output" 0
		run conflist ADD "$LIST" "c$C" "$NS" eth0
		same "$name: ADD: $output" "$status" 0
		result=$output
		jq -e '.interfaces | length == 1' <<< "$result" > /dev/null || die "$name: $result"
		run conflist CHECK "$LIST" "c$C" "$NS" eth0
		same "$name: CHECK: $output" "$status$output" 0
		[[ $result != *'"10.89.'* && $result != *"\"$HOST4"* ]] || bed_in "$C" ping -c 1 -W 2 "$PEER4"
		[[ $result != *'"fd89:'* && $result != *"\"$HOST6"* ]] || bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
		run conflist DEL "$LIST" "c$C" "$NS" eth0
		same "$name: DEL: $output" "$status$output" 0
		nothing_left "$C"
	done
}

@test "conf/: as nerdctl calls: DEL without a namespace first, capitals in runtimeConfig" {
	reference host-local
	jq --arg d "$IPAM_DIR" '.plugins[0].ipam.dataDir = $d' "$BED_DIR/cni-passt-nerdctl.conflist" > "$LIST"
	export LIST_CAPS='{"portMappings": [], "dns": {"Servers": ["9.9.9.9"], "Searches": null, "Options": []}}'
	export LIST_ARGS="NERDCTL_CNI_DHCP_HOSTNAME=web;IgnoreUnknown=1"
	run conflist DEL "$LIST" "default-c$C" "" eth0
	same "DEL before: $output" "$status$output" 0
	run conflist ADD "$LIST" "default-c$C" "$NS" eth0
	same "ADD: $output" "$status" 0
	jq -e '.dns.nameservers == ["9.9.9.9"] and .ips[0].interface == 0' <<< "$output" || die "$output"
	run conflist DEL "$LIST" "default-c$C" "" eth0
	same "DEL: $output" "$status$output" 0
	nothing_left "$C"
}
