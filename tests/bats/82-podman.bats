#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016
#
# podman with its CNI backend and the lists of conf/: as root, as the ordinary user
# in podman's shared network namespace behind slirp4netns, and the same with the
# broker. Few calls of podman, each shows several things: one takes a second.

load bed
load expect
load podman

setup_file() {
	local why
	why=$(podman_missing)
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	[ -x /usr/lib/cni/host-local ] || { bed_skip "no CNI plugin host-local in /usr/lib/cni"; return 0; }
	bed_make
	podman_make
	ROOT_NETS=$BED_DIR/podman/net.d
	USER_NETS=$BED_DIR/tmp/podman/net.d
	export ROOT_NETS USER_NETS
	cp "$BED_DIR"/cni-passt-podman*.conflist "$ROOT_NETS/"
	cp "$BED_DIR"/cni-passt-podman*.conflist "$USER_NETS/"
	# a second network for each: the host's addresses, other plugins behind ours
	jq '.name = "second" | .plugins[0] |= del(.ipam) | .plugins[0].forward = {tcp: ["8081:81", "8082:82"], udp: ["5353:53"]} |
		.plugins += [{type: "tuning", sysctl: {"net.core.somaxconn": "77"}}]' \
		"$BED_DIR/cni-passt-podman-rootless.conflist" > "$USER_NETS/second.conflist"
	jq '.plugins += [{type: "firewall", backend: "iptables"}]' "$USER_NETS/second.conflist" > "$ROOT_NETS/second.conflist"
	chmod 0644 "$ROOT_NETS"/*.conflist "$USER_NETS"/*.conflist
	chown -R "$BED_UID:$BED_GID" "$USER_NETS"
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
}

teardown() {
	! bed_skipping || return 0
	podman_root rm -fa -t 0 > /dev/null 2>&1 || true
	podman_user rm -fa -t 0 > /dev/null 2>&1 || true
	[ -z "${BROKER-}" ] || bed_kill "$BROKER"
}

# says NAME PORT: what a server there says to the peer
says() { bed_peer socat -T 5 - "$1:$HOST4:$2" < /dev/null; }
# serve_udp root|user NAME: tells each client its address, on port 53 of that container
serve_udp() {
	bed_bg UDP nsenter -t "$("podman_$1" inspect "$2" --format '{{.State.Pid}}')" -n python3 "$BED_DIR/server.py" udp-whoami 53
}
asks() { echo x | bed_peer timeout 5 socat -t 1 - "UDP4:$HOST4:$1" | cut -d ' ' -f 1; }
answers() { [ -n "$(asks "$1")" ]; }
serves() { [ "$(says TCP "$1" 2> /dev/null)" = "$2" ]; }
# a program for the container: "hello" on these TCP ports
serve() { printf 'for p in %s; do (while :; do echo hello | nc -l -p $p; done) & done; exec sleep 3600' "$*"; }
network() { jq -r ".[0].NetworkSettings.Networks[\"$1\"].$2"; }

main_of() { jq -r .pid "$1/cni-passt/"*@"${2-eth0}"/state.json; }
root_state() { nsenter -t "$PODMAN_ROOT" -m sh -c 'ls -d /run/cni-passt/*@* 2> /dev/null' || true; }
root_clean() { bed_no_core && [ -z "$(root_state)" ]; }

@test "as root: ports, addresses, names, restart, crash, rm" {
	local info ip
	podman_root run -d --name web --network passt-podman -p 8080:80 -p 8090-8091:90-91 -p "5353:53/udp" --dns 192.0.2.9 \
		"$PODMAN_IMAGE" sh -c "$(serve 80 90 91)" > /dev/null
	info=$(podman_root inspect web)
	ip=$(network passt-podman IPAddress <<< "$info")
	[[ $ip == 10.89.* ]] || die "no address in inspect: $info"
	[[ $(network passt-podman MacAddress <<< "$info") == 02:* ]] || die "no MAC in inspect"
	podman_root exec web sh -c 'ip -o addr show eth0; cat /etc/resolv.conf /etc/hosts' > "$BED_DIR/seen"
	grep -q "inet $ip/16" "$BED_DIR/seen"
	grep -q '^nameserver 192.0.2.9' "$BED_DIR/seen"
	grep -q "^$ip" "$BED_DIR/seen"
	bed_until 5 serves 8080 hello
	bed_until 5 serves 8090 hello
	bed_until 5 serves 8091 hello
	serve_udp root web
	bed_until 5 answers 5353
	same "the client of -p 5353:53/udp" "$(asks 5353)" "$PEER4"
	bed_kill "$UDP"
	podman_root restart -t 0 web > /dev/null
	bed_until 5 serves 8080 hello
	# a crash: conmon has podman clean up
	kill -9 "$(podman_root inspect web --format '{{.State.Pid}}')"
	bed_until 10 root_clean || die "left: $(bed_core_pids | xargs) $(root_state)"
	podman_root rm web > /dev/null
}

@test "as root: two networks, plugins behind ours, --ip and --mac-address" {
	podman_root network ls > "$BED_DIR/seen"
	grep -q passt-podman "$BED_DIR/seen"
	podman_root network inspect passt-podman | jq -e '.[0].driver == "cni-passt"'
	# (what it says by its log: a terminal that is attached may come late for a short container)
	# (interfaces by name: podman gives its own in the order of a Go map, which is one in eight times the other way round)
	podman_root run -d --name two --network passt-podman:ip=10.89.7.8,mac=02:11:22:33:44:55,interface_name=eth0 \
		--network second:interface_name=eth1 "$PODMAN_IMAGE" \
		sh -c "ip -o addr; ip -o link; cat /proc/sys/net/core/somaxconn; ping -c 1 -W 5 $PEER4" > /dev/null
	podman_root wait two > /dev/null
	podman_root logs two > "$BED_DIR/seen"
	podman_root rm two > /dev/null
	grep -q 'eth0.*inet 10.89.7.8/16' "$BED_DIR/seen" || die "$(cat "$BED_DIR/seen")"
	grep -q 'eth0.*02:11:22:33:44:55' "$BED_DIR/seen"
	grep -q "eth1.*inet $HOST4/24" "$BED_DIR/seen"
	grep -q '^77$' "$BED_DIR/seen"
	grep -q '1 packets received' "$BED_DIR/seen"
	bed_until 5 root_clean || die "left: $(bed_core_pids | xargs) $(root_state)"
}

@test "as a user: the shared namespace, ports by rootlessport, a pod" {
	podman_user pod create --name pod --network passt-rootless -p 8080:80 -p 5353:53/udp > /dev/null
	podman_user run -d --pod pod --name web "$PODMAN_IMAGE" sh -c "$(serve 80)" > /dev/null
	bed_until 10 serves 8080 hello
	serve_udp user web
	bed_until 10 answers 5353 || die "no datagram comes through rootlessport"
	bed_kill "$UDP"
	podman_user exec web sh -c "ip -o addr; ping -c 1 -W 5 $PEER4" > "$BED_DIR/seen"
	grep -q 'eth0.*inet 10.89.' "$BED_DIR/seen"
	grep -q '1 packets received' "$BED_DIR/seen"
	[ "$(readlink "/proc/$(main_of "$XDG")/ns/net")" != "$(bed_host readlink /proc/self/ns/net)" ]
	podman_user pod rm -f -t 0 pod > /dev/null
	nothing_left
}

@test "as a user with the broker: the host's network, clients' addresses, a crash" {
	local pid
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user "$CNI_PASST" broker
	bed_until 5 grep -q listening "$BED_DIR/tmp/broker.log"
	podman_user run -d --name web --network second -p 8080:80 "$PODMAN_IMAGE" sh -c "(sleep 3600 | nc -l -p 82) & $(serve 80 81)" > /dev/null
	same "main's namespace" "$(readlink "/proc/$(main_of "$XDG" eth0)/ns/net")" "$(bed_host readlink /proc/self/ns/net)"
	bed_until 10 serves 8080 hello		# rootlessport
	bed_until 10 serves 8081 hello		# ours
	serve_udp user web
	bed_until 5 answers 5353
	same "the client of a forwarded UDP port" "$(asks 5353)" "$PEER4"
	bed_kill "$UDP"
	bed_bg HELD bed_peer socat "TCP:$HOST4:8082" "SYSTEM:sleep 30"
	bed_until 5 held
	podman_user exec web sh -c "ip -o addr show eth0; ping -c 1 -W 5 $PEER4; netstat -tn" > "$BED_DIR/seen"
	grep -q "inet $HOST4/24" "$BED_DIR/seen"
	grep -q '1 packets received' "$BED_DIR/seen"
	grep -q ":82 .*$PEER4:" "$BED_DIR/seen" || die "the client is not seen: $(cat "$BED_DIR/seen")"
	podman_user restart -t 0 web > /dev/null
	bed_until 10 serves 8081 hello
	pid=$(podman_user inspect web --format '{{.State.Pid}}')
	kill -9 "$pid"
	bed_until 10 bed_no_core || die "left: $(bed_core_pids | xargs)"
	podman_user rm -f web > /dev/null
	nothing_left
}

held() { [ -n "$(bed_host ss -Htn state established 'sport = :8082')" ]; }

@test "system reset with a container up leaves nothing" {
	BED_OUT=$BED_DIR/tmp/broker.log bed_bg BROKER bed_user "$CNI_PASST" broker
	podman_user run -d --name web --network second "$PODMAN_IMAGE" sleep 3600 > /dev/null
	podman_user system reset -f > /dev/null 2>&1
	nothing_left
	[ -z "$(ls "$XDG/netns")" ]
}
