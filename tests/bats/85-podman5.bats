#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016,SC2034,SC2154
#
# podman 5 and buildah with --network=pasta, and RootlessKit 2 with --net=pasta, which find
# our program as "pasta": real ones, of Debian 13 (trixie.bash). Name servers, published
# ports, the host by its name, several at once, restarts; what ends leaves nothing.

load bed
load expect
load podman
load trixie

setup_file() {
	local why
	why=$(trixie_missing)
	[ -z "$why" ] || { bed_skip "$why"; return 0; }
	bed_make
	podman_make
	why=$(trixie_foreign)
	[ -z "$why" ] || { podman_remove; bed_remove; bed_skip "$why"; return 0; }
	head -c 4M /dev/urandom > "$BED_DIR/www/file"
	bed_server FILE bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	bed_server WHO bed_host tcp 8000 python3 "$BED_DIR/server.py" whoami 8000
	bed_bg DNS bed_peer dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null --listen-address="$PEER4" \
		--bind-interfaces --user=root --pid-file= --local=/example/ --address=/web.example/"$PEER4"
	bed_until 5 sh -c "nsenter --net=/run/netns/$PEER dig +time=1 +tries=1 +short @$PEER4 web.example | grep -q ."
}

teardown_file() {
	[ -n "${BED-}" ] || return 0
	podman_remove
	bed_remove
}

setup() {
	bed_skipped
	BED_ENV=(PODMAN_IGNORE_CGROUPSV1_WARNING=1)
}

teardown() {
	! bed_skipping || return 0
	podman_user rm -fa -t 0 > /dev/null 2>&1 || true
	bed_until 5 bed_no_core || die "left: $(bed_core_pids | xargs)"
}

pod() { podman_user "$@"; }
run_pasta() { pod run --network=pasta "$@"; }	# run_pasta OPTION... IMAGE COMMAND...
pid_of() { pod inspect -f '{{.State.Pid}}' "$1"; }
in_box() { exec_or_run nsenter --net="/proc/$(pid_of "$1")/ns/net" "${@:2}"; }	# from outside, by the machine's root
fetch() { "$1" curl -sS -m 10 --noproxy '*' "http://$2/word"; }
httpd='mkdir -p /www; echo word > /www/word; exec httpd -f -v -p 80 -h /www'
serves() { [ "$(fetch "$@" 2> /dev/null)" = word ]; }

@test "podman run: the host's addresses, DNS, a download, ping, the host by its name" {
	run run_pasta --rm --cap-add net_raw "$PODMAN_IMAGE" sh -c '
		ip -o addr show h0; cat /etc/resolv.conf; nslookup web.example | grep -A9 Name
		wget -q -O - http://web.example/file | sha256sum; ping -c 1 -W 5 '"$PEER4"' > /dev/null && echo pong
		nc host.containers.internal 8000 < /dev/null'
	same "status: $output" "$status" 0
	[[ $output == *"inet $HOST4/24"* ]] || die "address: $output"
	[[ $output == *"inet6 $HOST6/64"* ]] || die "IPv6 address: $output"
	[[ $output == *"nameserver 169.254.1.1"* ]] || die "name server: $output"
	[[ $output == *"$(sum < "$BED_DIR/www/file")"* ]] || die "the download: $output"
	[[ $output == *pong* ]] || die "ping: $output"
	[[ $output == *"$HOST4 "* ]] || die "the host by its name: $output"
	bed_until 1 bed_no_core || die "a daemon outlived its container"
	bed_no_state || die "state outlived it: $(bed_state)"
}

@test "podman run -p: TCP with the client's address, UDP, ranges, one address; stop and rm leave nothing" {
	run_pasta -d --name w -p 8080:80 -p 127.0.0.1:8081:80 -p 9000-9001:80-81 -p 7000:7/udp "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null
	bed_until 5 serves bed_peer "$HOST4:8080" || die "no answer: $(pod logs w)"
	pod logs w 2>&1 | grep -q "$PEER4" || die "who came: $(pod logs w 2>&1)"
	same "a range's first" "$(fetch bed_peer "$HOST4:9000")" word
	same "over IPv6" "$(fetch bed_peer "[$HOST6]:8080")" word
	same "from the host" "$(fetch bed_host "127.0.0.1:8081")" word
	run fetch bed_peer "$HOST4:8081"
	[ "$status" -ne 0 ] || die "a port of the loopback answers the peer"
	bed_bg ECHO in_box w python3 "$BED_DIR/server.py" udp-echo 7
	bed_until 5 in_box w sh -c 'ss -Hlun | grep -q :7'
	same "a datagram" "$(echo x | bed_peer timeout 5 socat -t 2 -T 2 - "UDP:$HOST4:7000")" x
	same "podman port" "$(pod port w 80/tcp | sort | xargs)" "0.0.0.0:8080 0.0.0.0:9000 127.0.0.1:8081"
	pod stop -t 0 w > /dev/null
	bed_until 1 bed_no_core || die "a daemon outlived the stop"
	pod start w > /dev/null
	bed_until 5 serves bed_peer "$HOST4:8080"
	pod rm -f -t 0 w > /dev/null
	bed_until 1 bed_no_core || die "a daemon outlived the rm"
	bed_no_state || die "state: $(bed_state)"
	bed_kill "${ECHO-}"
}

@test "restarts, one after the other: the port is free each time" {
	run_pasta -d --name r -p 8085:80 "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null
	for i in 1 2 3 4 5; do
		pod restart -t 0 r > /dev/null || die "restart $i"
		bed_until 5 serves bed_peer "$HOST4:8085" || die "no answer after restart $i"
	done
	pod rm -f -t 0 r > /dev/null
}

@test "six at once, each with its port; the crash of one's engine and of one's program" {
	local i engine
	for i in 1 2 3 4 5 6; do
		run_pasta -d --name "m$i" -p "81$i$i:80" "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null &
	done
	wait
	for i in 1 2 3 4 5 6; do
		bed_until 5 serves bed_peer "$HOST4:81$i$i" || die "container $i"
	done
	engine=$(bed_engine "$(pid_of m1)")
	kill -9 "$engine"
	bed_until 5 serves bed_peer "$HOST4:8111" || die "not after the engine's death"
	kill -9 "$(pid_of m2)"
	bed_until 3 sh -c "! nsenter --net=/run/netns/$HOST ss -Hltn | grep -q ':8122 '" || die "the port outlived its container"
	pod rm -fa -t 0 > /dev/null
	bed_until 1 bed_no_core
}

@test "options: --network=pasta:..., containers.conf's pasta_options" {
	run pod run --rm --network=pasta:-I,net0,-m,1400,-4,--map-gw "$PODMAN_IMAGE" sh -c \
		'ip -o link show net0; ip -o -6 addr show dev net0; nc 203.0.113.1 8000 < /dev/null'
	same "status: $output" "$status" 0
	[[ $output == *"mtu 1400"* ]] || die "mtu: $output"
	[[ $output == *"127.0.0.1 "* ]] || die "the gateway is not the host's loopback: $output"
	[[ $output != *"$HOST6"* ]] || die "IPv6: $output"
	sed 's/^\[network\]/&\npasta_options = ["-a", "10.0.2.0", "-n", "24", "-g", "10.0.2.2", "--dns-forward", "10.0.2.3"]/' \
		"$BED_DIR/podman/user.conf" > "$BED_DIR/podman/options.conf"
	BED_ENV+=(CONTAINERS_CONF="$BED_DIR/podman/options.conf")
	run run_pasta --rm "$PODMAN_IMAGE" sh -c 'ip -o addr show h0; ip route; cat /etc/resolv.conf; wget -q -O - http://web.example/file | wc -c'
	[[ $output == *"inet 10.0.2.0/24"*"via 10.0.2.2"*"nameserver 10.0.2.3"*4194304* ]] || die "says: $output"
}

@test "what fails is told: a port in use, an option that is none" {
	run run_pasta --rm -p 8000:80 "$PODMAN_IMAGE" true
	[ "$status" -ne 0 ] || die "a port in use was taken"
	[[ $output == *"pasta failed with exit code 1"*8000*"in use"* ]] || die "says: $output"
	run pod run --rm --network=pasta:--no-such-option "$PODMAN_IMAGE" true
	[[ $output == *"unrecognized option '--no-such-option'"* ]] || die "says: $output"
	nothing_left
}

@test "a pod" {
	pod pod create --network=pasta -p 8090:80 p > /dev/null
	pod run -d --pod p "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null
	bed_until 5 serves bed_peer "$HOST4:8090"
	run pod run --rm --pod p "$PODMAN_IMAGE" wget -q -O - http://127.0.0.1/word
	same "one asks the other" "$output" word
	pod pod rm -f -t 0 p > /dev/null
	bed_until 1 bed_no_core
}

@test "a bridge network of an ordinary user, whose way out is pasta" {
	pod network create n > /dev/null
	pod run -d --name b --network n -p 8095:80 "$PODMAN_IMAGE" sh -c "$httpd" > /dev/null
	bed_until 5 serves bed_peer "$HOST4:8095" || die "no answer: $(pod logs b)"
	run pod exec b sh -c 'wget -q -O - http://web.example/file | sha256sum; nc host.containers.internal 8000 < /dev/null'
	[[ $output == *"$(sum < "$BED_DIR/www/file")"* ]] || die "says: $output"
	[[ $output == *"$HOST4 "* ]] || die "the host by its name: $output"
	pod rm -f -t 0 b > /dev/null
	pod network rm n > /dev/null
	bed_until 3 bed_no_core || die "the way out is left"
}

@test "podman build and buildah: RUN has the network" {
	mkdir -p "$BED_DIR/tmp/context"
	printf 'FROM %s\nRUN wget -q -O /file http://web.example/file && sha256sum /file\n' "$PODMAN_IMAGE" > "$BED_DIR/tmp/context/Dockerfile"
	run pod build --network=pasta --layers=false "$BED_DIR/tmp/context"
	[[ $output == *"$(sum < "$BED_DIR/www/file")"* ]] || die "podman build: $output"
	run podman_as user buildah build --network=pasta --layers=false "$BED_DIR/tmp/context"
	[[ $output == *"$(sum < "$BED_DIR/www/file")"* ]] || die "buildah: $output"
	bed_until 2 bed_no_core
}

@test "root: only in a user namespace of its own, as podman has it" {
	run podman_root run --rm --network=pasta "$PODMAN_IMAGE" true
	[[ $output == *"only supported for rootless mode"* ]] || die "says: $output"
	for f in subuid subgid; do
		echo root:2000000:65536 >> "$BED_DIR/podman/etc/$f"
	done
	run bed_host nsenter -t "$PODMAN_HOLD_USER" -m -n env -i PATH="$PATH" HOME="$BED_DIR/podman/root" \
		CONTAINERS_CONF="$BED_DIR/podman/user.conf" CONTAINERS_STORAGE_CONF="$BED_DIR/podman/root.storage" \
		unshare -U --map-root-user --map-auto -m podman run --rm --network=pasta "$PODMAN_IMAGE" \
		sh -c 'wget -q -O - http://web.example/file | sha256sum; nc host.containers.internal 8000 < /dev/null'
	[[ $output == *"$(sum < "$BED_DIR/www/file")"* ]] || die "says: $output"
	[[ $output == *"$HOST4 "* ]] || die "the host by its name: $output"
	nothing_left
}

@test "RootlessKit 2: --net=pasta --pasta-binary, ports by the implicit driver" {
	BED_OUT=$BED_DIR/tmp/kit bed_bg KIT podman_as user rootlesskit --state-dir "$BED_DIR/tmp/rk" --net=pasta --port-driver=implicit \
		--pasta-binary "$BED_DIR/bin/pasta" --disable-host-loopback --copy-up=/etc sh -c \
		'mkdir -p /tmp/kit; echo word > /tmp/kit/word; cat /etc/resolv.conf; exec '"$BED_DIR"'/podman/rootfs/bin/busybox httpd -f -p 8096 -h /tmp/kit'
	bed_until 10 serves bed_peer "$HOST4:8096" || die "no answer: $(cat "$BED_DIR/tmp/kit")"
	grep -q 10.0.2.3 "$BED_DIR/tmp/kit"
	in_kit() { nsenter -t "$(cat "$BED_DIR/tmp/rk/child_pid")" -n "$@"; }
	in_kit ip -o addr show tap0 | grep -q 10.0.2.100/24
	same "the download" "$(in_kit curl -sS -m 10 --noproxy '*' "http://$PEER4/file" | sum)" "$(sum < "$BED_DIR/www/file")"
	same "its DNS" "$(in_kit dig +short +time=2 @10.0.2.3 web.example)" "$PEER4"
	bed_kill "$KIT"
	bed_until 5 bed_no_core || die "a daemon is left"
}
