#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154
#
# The plugin as podman (create) and netavark (setup, teardown, info) call it:
# arguments, standard input and output as netavark's plugin-API.md has them. (The
# netavark of Debian 12 is 1.4; it runs plugins from 1.6 on.)

load bed
load expect

setup_file() {
	bed_make
	mkdir "$BED_DIR/netavark"
	ln -s "$CNI_PASST" "$BED_DIR/netavark/cni-passt"
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
	NETWORK='{"name": "n", "id": "2f259bab93aa", "driver": "cni-passt", "ipv6_enabled": true, "internal": false,
		"dns_enabled": false, "options": null}'
}

teardown() {
	request | call teardown "$NS" > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

# call ARGUMENT...: the plugin, by the ordinary user or as NETAVARK_AS says
call() { "${NETAVARK_AS-bed_user}" "$BED_DIR/netavark/cni-passt" "$@"; }

# run_call INPUT ARGUMENT...
run_call() {
	local input=$1
	shift
	status=0
	stdout=$(call "$@" <<< "$input" 2> "$BED_DIR/stderr") || status=$?
	output="$stdout"$'\n'"$(cat "$BED_DIR/stderr")"
	# one JSON document or nothing
	[ -z "$stdout" ] || jq -es 'length == 1' <<< "$stdout" > /dev/null || die "not one document: $stdout"
}

# request [JSON OBJECT]: netavark's request of setup and teardown, that object merged into it
request() {
	jq -n --arg id "c$C" --argjson network "$NETWORK" --argjson more "${1-"{}"}" '{container_id: $id, container_name: "web",
		port_mappings: null, network: $network, network_options: {aliases: ["web"], interface_name: "eth0"}} * $more'
}

error() { # error WORDS: as netavark shows it
	[ "$status" -ne 0 ] || die "was not refused: $output"
	[[ $(jq -r 'if keys == ["error"] then .error else "" end' <<< "$stdout") == *$1* ]] || die "no \"$1\" in: $output"
}

@test "info tells versions, with the word and without" {
	run_call "" info
	jq -e '.api_version == "1.0.0" and (.version | length > 0)' <<< "$stdout"
	run_call ""
	jq -e '.api_version == "1.0.0"' <<< "$stdout"
}

@test "create keeps what is podman's, completes the rest and checks options" {
	local net='{"name": "n", "id": "2f", "driver": "cni-passt", "created": "2026-11-28T00:00:00Z", "ipv6_enabled": false,
		"internal": false, "dns_enabled": true, "labels": {"a": "b"}, "options": {"mtu": "1400", "forward": "8080:80,9000-9009"},
		"ipam_options": {"driver": "none"}}'
	run_call "$net" create
	same "status: $output" "$status" 0
	jq -e --argjson in "$net" '. == ($in + {dns_enabled: false, ipv6_enabled: true})' <<< "$stdout"
	run_call "$(jq '.subnets = [{subnet: "10.7.0.0/16", gateway: "10.7.0.1"}]' <<< "$net")" create
	jq -e '.ipv6_enabled == false' <<< "$stdout"
	run_call "$(jq '.options = {mtu: "big"}' <<< "$net")" create
	error 'option mtu: "big" is not a number'
	run_call "$(jq '.options = {mtu: "1"}' <<< "$net")" create
	error "mtu: 1"
	run_call "$(jq '.options = {colour: "red"}' <<< "$net")" create
	error 'option colour: "red" is not an option of cni-passt'
	run_call "$(jq '.options = {forward: "eighty"}' <<< "$net")" create
	error 'eighty'
	run_call "$(jq '.internal = true' <<< "$net")" create
	error "internal networks are not possible"
	run_call '{"name": ' create
	error "line 1, column"
}

@test "setup gives the host's network, teardown takes it away, twice" {
	run_call "$(request)" setup "$NS"
	same "status: $output" "$status" 0
	jq -e --arg h4 "$HOST4/24" --arg h6 "$HOST6/64" '.interfaces.eth0 | (.mac_address | test("^02:")) and
		([.subnets[].ipnet] == [$h4, $h6]) and ([.subnets[].gateway] | index("203.0.113.1") != null)' <<< "$stdout"
	jq -e '.dns_server_ips == [] and .dns_search_domains == []' <<< "$stdout"
	same "mac" "$(jq -r .interfaces.eth0.mac_address <<< "$stdout")" \
		"$(bed_in "$C" ip -o link show eth0 | sed -E 's/.*ether ([^ ]*).*/\1/')"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	run_call "$(request)" setup "$NS"
	error "exists already"
	run_call "$(request)" teardown "$NS"
	same "status and output: $output" "$status$stdout" 0
	nothing_left "$C"
	run_call "$(request)" teardown "/nowhere/at/all"
	same "status and output: $output" "$status$stdout" 0
}

@test "setup with podman's addresses, MAC, options and name servers" {
	NETWORK=$(jq '.subnets = [{subnet: "10.7.0.0/16", gateway: "10.7.0.1"}, {subnet: "fd07::/64", gateway: "fd07::1"}] |
		.network_dns_servers = ["192.0.2.53"] | .options = {mtu: "1400"}' <<< "$NETWORK")
	run_call "$(request '{"network_options": {"interface_name": "net7", "static_ips": ["10.7.0.5", "fd07::5"],
		"static_mac": "02:11:22:33:44:55"}}')" setup "$NS"
	same "status: $output" "$status" 0
	jq -e '. == {dns_search_domains: [], dns_server_ips: ["192.0.2.53"], interfaces: {net7: {mac_address: "02:11:22:33:44:55",
		subnets: [{ipnet: "10.7.0.5/16", gateway: "10.7.0.1"}, {ipnet: "fd07::5/64", gateway: "fd07::1"}]}}}' <<< "$stdout"
	bed_in "$C" ip -o link show net7 | grep -q 'mtu 1400'
	bed_in "$C" ip route show default | grep -q 'via 10.7.0.1'
	run_call "$(request '{"network_options": {"interface_name": "net7"}}')" teardown "$NS"
	nothing_left "$C" net7
}

@test "ports: a rootless podman's own, root's ours" {
	local ports='{"port_mappings": [{"container_port": 80, "host_ip": "", "host_port": 8080, "protocol": "tcp,udp", "range": 2},
		{"container_port": 90, "host_ip": "127.0.0.1", "host_port": 9090, "protocol": "tcp", "range": 1}]}'
	run_call "$(request "$ports")" setup "$NS"
	same "status: $output" "$status" 0
	bed_listening bed_host tcp 8080 && die "a port is open that is rootlessport's"
	request | call teardown "$NS"
	bed_real_root || return 0
	NETAVARK_AS=bed_host
	run_call "$(request "$ports")" setup "$NS"
	same "status: $output" "$status" 0
	bed_listening bed_host tcp 8080
	bed_listening bed_host tcp 8081
	bed_listening bed_host udp 8081
	bed_host ss -Hltn 'sport = :9090' | grep -q 127.0.0.1
	run_call "$(request)" teardown "$NS"
	same "status: $output" "$status" 0
	run_call "$(request '{"port_mappings": [{"container_port": 80, "host_port": 80, "protocol": "sctp", "range": 1}]}')" setup "$NS"
	error "protocol other than tcp and udp"
}

@test "what cannot be set up leaves nothing" {
	run_call "$(request)" setup
	error "needs one word"
	run_call "$(request)" setup /etc/passwd
	error "not a network namespace"
	run_call "$(request '{"container_id": "../x"}')" setup "$NS"
	error "is not a container id"
	run_call "$(request '{"network": null}')" setup "$NS"
	error "network: is missing"
	nothing_left "$C"
}
