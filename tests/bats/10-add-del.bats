#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ADD, DEL and VERSION: results, repetition, and every way to be refused, after
# which nothing may be left behind.

load bed
load expect

setup_file() {
	bed_make
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
}

teardown() {
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

has_addresses() { # has_addresses PID IFNAME: the host's own, and both default routes
	bed_in "$1" ip -o addr show "$2" | grep -q "inet $HOST4/24 " || die "no $HOST4"
	bed_in "$1" ip -o addr show "$2" | grep -q "inet6 $HOST6/64 " || die "no $HOST6"
	bed_in "$1" ip -o -6 addr show "$2" | grep -q tentative && die "an address is tentative"
	bed_in "$1" ip route show default | grep -q "dev $2" || die "no IPv4 default route"
	bed_in "$1" ip -6 route show default | grep -q "dev $2" || die "no IPv6 default route"
}

@test "ADD configures the container as the host is, DEL takes it away" {
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	same "status of ADD: $output" "$status" 0
	has_addresses "$C" eth0
	same mtu "$(bed_in "$C" ip -o link show eth0 | sed -E 's/.* mtu ([0-9]+) .*/\1/')" 1500
	same "number of processes" "$(bed_core_pids | wc -l)" 3
	same "number of attachments" "$(bed_state | wc -l)" 1
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	run_cni DEL "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	same "status of DEL: $output" "$status" 0
	same "output of DEL" "$stdout" ""
	nothing_left "$C"
}

@test "the result of ADD has the shape of every version" {
	local v
	for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0; do
		run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"cniVersion\": \"$v\"}")
		same "status of ADD in $v: $output" "$status" 0
		same "cniVersion" "$(jq -r .cniVersion <<< "$stdout")" "$v"
		case $v in
		0.[12].0)
			jq -e ".ip4.ip == \"$HOST4/24\" and .ip4.gateway == \"203.0.113.1\" and
				.ip6.ip == \"$HOST6/64\" and (has(\"interfaces\") or has(\"ips\") | not)" <<< "$stdout" > /dev/null ||
				die "$v: $stdout"
			;;
		*)
			jq -e ".interfaces[0].name == \"eth0\" and .interfaces[0].sandbox == \"$NS\" and
				(.interfaces[0].mac | test(\"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$\")) and
				([.ips[].address] | sort == ([\"$HOST4/24\", \"$HOST6/64\"] | sort)) and
				([.ips[].interface] | all(. == 0)) and
				([.ips[].gateway] | index(\"203.0.113.1\") != null) and
				([.routes[].dst] | index(\"0.0.0.0/0\") != null and index(\"::/0\") != null)" \
				<<< "$stdout" > /dev/null || die "$v: $stdout"
			same "mac in $v" "$(jq -r '.interfaces[0].mac' <<< "$stdout")" \
				"$(bed_in "$C" ip -o link show eth0 | sed -E 's/.*ether ([^ ]*).*/\1/')"
			;;
		esac
		case $v in
		0.3.* | 0.4.0) jq -e '[.ips[].version] | sort == ["4", "6"]' <<< "$stdout" > /dev/null || die "$v: ips.version" ;;
		1.*) jq -e '[.ips[] | has("version")] | any | not' <<< "$stdout" > /dev/null || die "$v has ips.version" ;;
		esac
		case $v in
		1.1.0) jq -e '.interfaces[0].mtu == 1500' <<< "$stdout" > /dev/null || die "$v: no interfaces.mtu" ;;
		[01].[0-4]*) jq -e '(.interfaces // [])[] | has("mtu") | not' <<< "$stdout" > /dev/null || [[ $v == 0.[12].0 ]] || die "$v has mtu" ;;
		esac
		run_cni DEL "c$C" "$NS" eth0 < <(conf "{\"cniVersion\": \"$v\"}")
		same "status of DEL in $v: $output" "$status" 0
		nothing_left "$C"
	done
}

@test "VERSION lists what ADD takes, whatever else is in the environment" {
	run_cni VERSION "" dummy dummy <<< '{"cniVersion": "1.0.0"}'
	same status "$status" 0
	jq -e '.cniVersion != "" and (.supportedVersions | contains(["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]))' <<< "$stdout"
}

@test "by options, with the container's pid" {
	bed_user "$CNI_PASST" ADD --pid "$C" --container-id demo --conf "$BED_DIR/basic.conf" > "$BATS_TMPDIR/result.$$"
	jq -e '.interfaces[0].name == "eth0"' "$BATS_TMPDIR/result.$$"
	rm -f "$BATS_TMPDIR/result.$$"
	has_addresses "$C" eth0
	bed_user "$CNI_PASST" DEL --container-id demo --conf "$BED_DIR/basic.conf"
	nothing_left "$C"
}

@test "by options, with a namespace path and an interface name" {
	bed_user "$CNI_PASST" ADD --netns "$NS" --container-id demo --ifname net7 --conf - < "$BED_DIR/basic.conf"
	has_addresses "$C" net7
	bed_user "$CNI_PASST" DEL --netns "$NS" --container-id demo --ifname net7 --conf "$BED_DIR/basic.conf"
	nothing_left "$C" net7
}

@test "examples/cni-by-hand.sh: what a runtime does, from bash" {
	cp "$BATS_TEST_DIRNAME/../../examples/cni-by-hand.sh" "$BED_DIR/"
	run bed_user env PLUGIN="$CNI_PASST" CONF="$BED_DIR/basic.conf" "$BED_DIR/cni-by-hand.sh" ping -c 1 -W 2 "$PEER4"
	same "status: $output" "$status" 0
	[[ $output == *'"address":"203.0.113.2/24"'* ]] || die "no result: $output"
	[[ $output == *' 0% packet loss'* ]] || die "no ping: $output"
	nothing_left
}

@test "wrong usage is status 2, with words on standard error only" {
	local args
	for args in "FROBNICATE" "ADD --nonsense" "ADD --pid" "ADD --pid notanumber"; do
		status=0
		# shellcheck disable=SC2086
		output=$(bed_user "$CNI_PASST" $args 2>&1 > "$BATS_TMPDIR/out.$$" < /dev/null) || status=$?
		same "status of $args ($output)" "$status" 2
		same "standard output of $args" "$(cat "$BATS_TMPDIR/out.$$")" ""
		[ -n "$output" ] || die "$args: no words"
	done
	rm -f "$BATS_TMPDIR/out.$$"
}

@test "given addresses, routes, gateway, mac and mtu are used" {
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"addresses": ["10.9.8.7/24", "fd00:9::7/64"],
		"gateways": ["10.9.8.1", "fd00:9::1"], "mac": "02:11:22:33:44:55", "mtu": 1400}')
	same "status: $output" "$status" 0
	bed_in "$C" ip -o addr show eth0 | grep -q 'inet 10.9.8.7/24'
	bed_in "$C" ip -o addr show eth0 | grep -q 'inet6 fd00:9::7/64'
	bed_in "$C" ip -o link show eth0 | grep -q 'mtu 1400 .*02:11:22:33:44:55'
	bed_in "$C" ip route show default | grep -q 'via 10.9.8.1'
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
}

@test "a family can be switched off" {
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"ipv6": false}')
	same "status: $output" "$status" 0
	bed_in "$C" ip -o addr show eth0 | grep -q "inet $HOST4/24"
	! bed_in "$C" ip -o -6 addr show eth0 scope global | grep -q . || die "has IPv6"
	! bed_in "$C" ping -6 -c 1 -W 1 "$PEER6" || die "IPv6 works"
	run_cni DEL "c$C" "$NS" eth0 < <(conf '{"ipv6": false}')
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"ipv4": false}')
	same "status: $output" "$status" 0
	! bed_in "$C" ip -o -4 addr show eth0 | grep -q . || die "has IPv4"
	bed_in "$C" ping -6 -c 1 -W 2 "$PEER6"
}

@test "ADD holds no descriptor of the caller open behind it" {
	# A pipe for each output, read to its end: it ends when the last holder closes.
	timeout 5 bash -c 'cat > /dev/null' < <(attach "$C" 2>&1) || die "the daemon holds standard output"
	same "number of processes" "$(bed_core_pids | wc -l)" 3
	local p fd
	for p in $(bed_core_pids); do
		for fd in 0 1 2; do
			[ "$(readlink "/proc/$p/fd/$fd")" = /dev/null ] || [ ! -e "/proc/$p/fd/$fd" ] ||
				die "process $p has $(readlink "/proc/$p/fd/$fd") as descriptor $fd"
		done
	done
}

@test "the mac is stable for a container id, and differs between two" {
	local a b c
	a=$(attach "$C" one | jq -r '.interfaces[0].mac')
	detach "$C" one
	b=$(attach "$C" one | jq -r '.interfaces[0].mac')
	detach "$C" one
	c=$(attach "$C" two | jq -r '.interfaces[0].mac')
	detach "$C" two
	same "the second time" "$b" "$a"
	[ "$a" != "$c" ] || die "both have $a"
}

@test "DEL: twice, before any ADD, with an empty and with a vanished namespace" {
	local ns
	run_cni DEL "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	same "before ADD: $output" "$status" 0
	for ns in "$NS" "" /nowhere/at/all /proc/999999999/ns/net; do
		attach "$C" > /dev/null
		run_cni DEL "c$C" "$ns" eth0 < "$BED_DIR/basic.conf"
		same "DEL with namespace \"$ns\": $output" "$status" 0
		nothing_left "$C"
		run_cni DEL "c$C" "$ns" eth0 < "$BED_DIR/basic.conf"
		same "second DEL with namespace \"$ns\": $output" "$status" 0
	done
}

@test "DEL of one attachment leaves the other of the same container" {
	attach "$C" > /dev/null
	cni ADD "c$C" "$NS" eth1 < <(conf '{"addresses": ["10.9.8.7/24"], "ipv6": false}') > /dev/null
	cni DEL "c$C" "$NS" eth1 < "$BED_DIR/basic.conf"
	bed_no_link "$C" eth1 || die "eth1 is left"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	detach "$C"
	nothing_left "$C"
}

@test "refused: the interface name is taken, by another and by ourselves" {
	bed_in "$C" ip link add eth0 type veth peer name other0
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	refused 101 eth0
	bed_in "$C" ip -o link show eth0 | grep -q . || die "the other's interface is gone"
	bed_in "$C" ip link del eth0
	nothing_left "$C"
	attach "$C" > /dev/null
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	refused 101 eth0
	bed_in "$C" ping -c 1 -W 2 "$PEER4" # the first still works
	run_cni ADD "other$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	refused 101 eth0
	same "number of processes" "$(bed_core_pids | wc -l)" 3
	detach "$C"
	nothing_left "$C"
}

@test "refused: versions nobody knows" {
	local v
	for v in 0.0.9 9.9.9 abc; do
		run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"cniVersion\": \"$v\"}")
		refused 1 "$v"
	done
	nothing_left "$C"
}

@test "refused: input that is not a configuration" {
	local text
	for text in '' '{' '[]' '"x"' '{"cniVersion": "1.0.0"' 'nonsense' '{} {}'; do
		run_cni ADD "c$C" "$NS" eth0 <<< "$text"
		[ "$status" -ne 0 ] || die "took: $text"
		jq -e '.code == 6 or .code == 7' <<< "$stdout" > /dev/null || die "$text: $output"
	done
	run_cni ADD "c$C" "$NS" eth0 < <(head -c 2000000 /dev/zero | tr '\0' ' ')
	[ "$status" -ne 0 ]
	nothing_left "$C"
}

# key, value, words that the message must have besides the key
bad_keys=(
	'mtu|70000|70000' 'mtu|10|10' 'mtu|-1|-1' 'mtu|"big"|big' 'mtu|1279|1279'
	'ipv4|"yes"|yes' 'ipv6|1|1'
	'addresses|["nonsense"]|nonsense' 'addresses|["10.0.0.1/33"]|10.0.0.1/33' 'addresses|"host"|'
	'addresses|["224.0.0.1/24"]|224.0.0.1' 'addresses|["::/0"]|::' 'addresses|[7]|7'
	'gateways|["nonsense"]|nonsense' 'gateways|["10.0.0.300"]|10.0.0.300'
	'routes|[{"dst": "nonsense"}]|nonsense' 'routes|[{"gw": "10.0.0.1"}]|dst' 'routes|["x"]|'
	'mac|"zz:zz"|zz:zz' 'mac|"ff:ff:ff:ff:ff:ff"|ff:ff' 'mac|"01:00:5e:00:00:01"|01:00:5e'
	'hostAddress|["nonsense"]|nonsense' 'hostAddress|"169.254.1.2"|' 'hostAddress|["127.0.0.1"]|127.0.0.1'
	'hostLoopback|["127.0.0.1"]|127.0.0.1' 'hostLoopback|["169.254.1.2"]|169.254.1.2'
	'log|{"level": "loud"}|loud' 'log|{"target": "moon"}|moon' 'log|{"colour": 1}|colour' 'log|7|'
	'outbound|{"interface": "a/b"}|a/b' 'outbound|{"addresses": ["x"]}|' 'dns|{"search": ["a..b"]}|a..b'
	'dhcp|{"prefix": "fe80::/64"}|fe80' 'dhcp|{"lease": 1}|lease' 'configure|"no"|no'
	'colour|"red"|' 'MTU|1500|'
	'forward|{"tcp": ["80:x"]}|80:x' 'forward|{"udp": "80"}|80' 'forward|{"tcp": ["80", "70-90"]}|70-90:70-90'
	'reverse|{"tcp": ["10.0.0.1:80:80"]}|10.0.0.1' 'listen|"later"|later' 'portConflict|"maybe"|maybe' 'preserveSource|"no"|no'
	'capture|"x.pcapng"|x.pcapng' 'via|"bridge"|bridge' 'reverse|{"tcp": ["127.0.0.2:auto"]}|127.0.0.2:auto'
	'dns|{"forward": ["x"]}|x' 'follow|"no"|no' 'sandbox|"none"|none' 'user|7|7' 'metadata|"no"|no'
	'reverse|{"udp": ["10.0.0.1:53:53"]}|10.0.0.1'
)

@test "refused: each bad key by its name, with the value" {
	local row key value words
	for row in "${bad_keys[@]}"; do
		IFS='|' read -r key value words <<< "$row"
		run_cni ADD "c$C" "$NS" eth0 < <(conf "{\"$key\": $value}")
		[ "$status" -ne 0 ] || die "took $key = $value"
		jq -e '.code == 2 or .code == 7' <<< "$stdout" > /dev/null || die "$key = $value: $output"
		[[ $(jq -r .msg <<< "$stdout") == *$key* ]] || die "$key = $value: not named in: $stdout"
		[[ $(jq -r .msg <<< "$stdout") == *$words* ]] || die "$key = $value: \"$words\" not in: $stdout"
	done
	nothing_left "$C"
}

@test "refused: names that may not be" {
	run_cni ADD "../etc" "$NS" eth0 < "$BED_DIR/basic.conf"
	refused 4 CNI_CONTAINERID
	run_cni ADD "" "$NS" eth0 < "$BED_DIR/basic.conf"
	refused 4 CNI_CONTAINERID
	run_cni ADD "c$C" "$NS" "a/b" < "$BED_DIR/basic.conf"
	refused 4 CNI_IFNAME
	run_cni ADD "c$C" "$NS" "sixteen-letters-" < "$BED_DIR/basic.conf"
	refused 4 CNI_IFNAME
	run_cni ADD "c$C" "" eth0 < "$BED_DIR/basic.conf"
	refused 4 CNI_NETNS
	run_cni FROB "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	refused 4 CNI_COMMAND
	run_cni ADD "c$C" "$NS" eth0 < <(conf '{"name": "../x"}')
	[ "$status" -ne 0 ]
	nothing_left "$C"
}

@test "refused: a namespace that is not there, not one, not readable, or our own" {
	run_cni ADD "c$C" /nowhere/at/all eth0 < "$BED_DIR/basic.conf"
	refused 8 /nowhere/at/all
	run_cni ADD "c$C" /etc/passwd eth0 < "$BED_DIR/basic.conf"
	refused 8 /etc/passwd
	run_cni ADD "c$C" "/proc/$C/ns/uts" eth0 < "$BED_DIR/basic.conf"
	refused 8 "/proc/$C/ns/uts"
	run_cni ADD "c$C" /proc/1/ns/net eth0 < "$BED_DIR/basic.conf"
	[ "$status" -ne 0 ] || die "entered the namespace of process 1"
	[[ $stdout == */proc/1/ns/net* ]] || die "path not named: $stdout"
	run_cni ADD "c$C" /proc/self/ns/net eth0 < "$BED_DIR/basic.conf"
	[ "$status" -ne 0 ] || die "attached to the host's own namespace"
	run_cni ADD "c$C" "/run/netns/$PEER" eth0 < "$BED_DIR/basic.conf"
	[ "$status" -ne 0 ] || die "entered a namespace it has no right in"
	nothing_left "$C"
}

@test "refused: /dev/net/tun is missing, or closed to the user" {
	# The plugin in a mount namespace of its own, where /dev/net/tun is another file.
	with_tun() { # with_tun FILE NAME
		status=0
		# shellcheck disable=SC2016
		stdout=$(bed_host unshare -m bash -c 'mount --bind "$1" /dev/net/"${2##*/}" && shift 2 && exec "$@"' bash "$@" \
			setpriv --reuid "$BED_UID" --regid "$BED_GID" --clear-groups --inh-caps=-all \
			env XDG_RUNTIME_DIR="$XDG" CNI_COMMAND=ADD CNI_CONTAINERID="c$C" CNI_NETNS="$NS" \
			CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf") || status=$?
		output=$stdout
	}
	mkdir -p "$BED_DIR/empty"
	with_tun "$BED_DIR/empty" ""
	refused 100 /dev/net/tun
	mknod -m 0600 "$BED_DIR/closed" c 10 200
	with_tun "$BED_DIR/closed" tun
	refused 100 /dev/net/tun
	nothing_left "$C"
}

@test "refused: the state folder cannot be written" {
	BED_ENV=(XDG_RUNTIME_DIR=/proc)
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	[ "$status" -ne 0 ]
	jq -e '.code == 5 or .code == 100' <<< "$stdout" > /dev/null || die "$output"
	BED_ENV=() && nothing_left "$C"
}

@test "refused: the core is missing" {
	# shellcheck disable=SC2034
	BED_ENV=(CNI_PASST_CORE=/nowhere/core)
	run_cni ADD "c$C" "$NS" eth0 < "$BED_DIR/basic.conf"
	[ "$status" -ne 0 ]
	[[ $stdout == */nowhere/core* ]] || die "not named: $stdout"
	nothing_left "$C"
}

@test "the machine's root, with a namespace made by ip netns" {
	local result
	ip netns add "$BED-c"
	status=0
	result=$(bed_host env -u XDG_RUNTIME_DIR CNI_COMMAND=ADD CNI_CONTAINERID="$BED" \
		CNI_NETNS="/run/netns/$BED-c" CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf") || status=$?
	[ "$status" != 0 ] || nsenter --net="/run/netns/$BED-c" ping -c 1 -W 2 "$PEER4" || status=77
	bed_host env -u XDG_RUNTIME_DIR CNI_COMMAND=DEL CNI_CONTAINERID="$BED" \
		CNI_NETNS="/run/netns/$BED-c" CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf"
	ip netns del "$BED-c"
	same "status: $result" "$status" 0
	[ ! -e "/run/cni-passt/$BED@eth0" ] || die "state left"
	nothing_left
}

@test "root of a user namespace that made the container inside it" {
	# An outer user namespace keeps the host's network; the container is its child.
	local outer inner result
	bed_bg outer bed_user unshare -r bash -c 'unshare -Un --map-root-user sleep 3600 & echo $! > '"$BED_DIR"'/tmp/inner; exec sleep 3601'
	bed_until 3 test -s "$BED_DIR/tmp/inner"
	inner=$(cat "$BED_DIR/tmp/inner")
	: > "$BED_DIR/pids/$inner"
	bed_until 3 bed_contained "$inner"
	result=$(bed_user nsenter -t "$outer" -U --preserve-credentials env CNI_COMMAND=ADD CNI_CONTAINERID=inner \
		CNI_NETNS="/proc/$inner/ns/net" CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf") || die "$result"
	bed_user nsenter -t "$outer" -U --preserve-credentials nsenter -t "$inner" -U -n --preserve-credentials \
		ping -c 1 -W 2 "$PEER4"
	bed_user nsenter -t "$outer" -U --preserve-credentials env CNI_COMMAND=DEL CNI_CONTAINERID=inner \
		CNI_NETNS="/proc/$inner/ns/net" CNI_IFNAME=eth0 CNI_PATH=/ "$CNI_PASST" < "$BED_DIR/basic.conf"
	bed_kill "$inner"
	bed_kill "$outer"
	nothing_left
}
