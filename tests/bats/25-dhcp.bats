#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# "configure": false: the container configures itself by DHCP, Router Advertisements
# and DHCPv6, with the clients that containers have. Each gets addresses, routes, name
# servers, search list and MTU from us, then uses them.

# shellcheck disable=SC2154
load bed
load expect
load box

SLAAC=2001:db8:1:0:c0:ff:fe00:1		# by the MAC below (RFC 4291, appendix A)
ROUTER6='fe80::'

setup_file() {
	bed_make
	printf hello > "$BED_DIR/www/hello"
	bed_server WEB bed_peer tcp 80 python3 "$BED_DIR/server.py" http 80 "$BED_DIR/www"
	bed_server DNS bed_peer udp 53 dnsmasq --no-daemon --no-resolv --no-hosts --conf-file=/dev/null \
		--listen-address="$PEER4" --listen-address="$PEER6" --bind-interfaces --user=root --pid-file= \
		--local=/example.org/ --local=/example/ --address=/web.a.example/"$PEER4" --address=/web.a.example/"$PEER6"
	make_box
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	NS=/proc/$C/ns/net
}

teardown() {
	end_clients
	conf | cni DEL "c$C" "$NS" eth0 > /dev/null 2>&1 || true
	bed_kill "$C"
	bed_until 3 bed_no_core
}

add() { # add [JSON]: link up only, with names to tell
	: > "$BOX/etc/resolv.conf"
	run_cni ADD "c$C" "$NS" eth0 < <(conf "$(jq -n --argjson more "${1-"{}"}" --arg d4 "$PEER4" --arg d6 "$PEER6" \
		'{configure: false, mac: "02:c0:00:00:00:01", mtu: 1400, dns: {nameservers: [$d4, $d6],
		domain: "example.org", search: ["a.example", "b.example"]}} + $more')")
	same "status of ADD: $output" "$status" 0
}

has4() { bed_in "$C" ip -o -4 addr show eth0 | grep -q "inet $HOST4/24 "; }
has6() { bed_in "$C" ip -o -6 addr show eth0 | grep -v tentative | grep -q "inet6 $1/"; }
has_default6() { bed_in "$C" ip -6 route show default | grep -q "via $ROUTER6.* dev eth0"; }
# The kernel has made its addresses and found them unique.
up_ll6() { bed_until 5 has6 fe80::c0:ff:fe00:1 || die "$(bed_in "$C" ip -6 addr)"; }
up6() {
	up_ll6
	bed_until 5 has6 "$SLAAC" || die "$(bed_in "$C" ip -6 addr)"
}
told() { grep -qE "$1" "$BOX/etc/resolv.conf"; }
link_mtu() { bed_in "$C" ip -o link show eth0 | sed -E 's/.* mtu ([0-9]+) .*/\1/'; }

works4() {
	bed_in "$C" ip route show default | grep -q "via 203.0.113.1 dev eth0" || die "no default route"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
	same "by HTTP" "$(bed_in "$C" curl -sS -m 5 "http://$PEER4/hello")" hello
}
works6() { # works6 SOURCE
	bed_until 5 has_default6 || die "no IPv6 default route"
	bed_in "$C" ping -6 -c 1 -W 2 -I "$1" "$PEER6"
	same "by HTTP" "$(bed_in "$C" curl -sS -m 5 --interface "$1" "http://[$PEER6]/hello")" hello
}
# A name found through what the client wrote into resolv.conf.
resolves() { same "by name" "$(box curl -sS -m 5 "http://web/hello")" hello; }

@test "nothing but the link is there; the result says what the container will get" {
	add
	jq -e --arg a "$HOST4/24" '.ips[0].address == $a' <<< "$stdout"
	! bed_in "$C" ip -o -4 addr show eth0 | grep -q inet || die "has an address"
	! bed_in "$C" ip -4 route | grep -q . || die "has a route"
	same mtu "$(link_mtu)" 1400
}

@test "the kernel alone: address and default route by Router Advertisement" {
	add
	up6
	works6 "$SLAAC"
	bed_in "$C" ip -6 route show default | grep -q 'proto ra' || die "not by Router Advertisement"
}

@test "rdisc6 and ndisc6 read what is advertised" {
	add
	up6
	run bed_in "$C" rdisc6 -1 eth0
	same "status: $output" "$status" 0
	local line
	for line in 'Stateful address conf. *: *Yes' 'Stateful other conf. *: *Yes' 'Router lifetime *: *1800' \
		'Prefix *: 2001:db8:1::/64' 'On-link *: *Yes' 'Autonomous address conf.: *Yes' 'MTU *: *1400' \
		"Recursive DNS server *: $PEER6" 'DNS search list *: a.example b.example'; do
		grep -qE "$line" <<< "$output" || die "no \"$line\" in: $output"
	done
	run bed_in "$C" ndisc6 -1 2001:db8:1::1 eth0
	same "status: $output" "$status" 0
	run bed_in "$C" ndisc6 -1 -w 300 "$SLAAC" eth0		# its own: nobody else answers
	[ "$status" -ne 0 ] || die "a neighbour has the container's address: $output"
}

@test "a prefix that is not of 64 bits is advertised as it is, without SLAAC" {
	add '{"addresses": ["2001:db8:1::2/56"]}'
	up_ll6
	bed_until 5 has_default6
	bed_in "$C" rdisc6 -1 eth0 > "$BED_DIR/rdisc6"
	grep -q 'Prefix *: 2001:db8:1::/56' "$BED_DIR/rdisc6" && grep -qE 'Autonomous address conf.: *No' "$BED_DIR/rdisc6" ||
		die "$(cat "$BED_DIR/rdisc6")"
	! bed_in "$C" ip -o -6 addr show eth0 scope global | grep -q . || die "it made an address"
}

@test "udhcpc" {
	add
	box udhcpc -n -q -f -i eth0 -s /etc/udhcpc/default.script
	has4 || die "no address"
	works4
	told "nameserver $PEER4" || die "$(cat "$BOX/etc/resolv.conf")"
}

@test "udhcpc is told every option it asks for" {
	add '{"dhcp": {"captivePortal": "https://portal.example/"}}'
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nenv > /run/udhcpc.$1\n' > "$BOX/etc/udhcpc/env.script"
	chmod +x "$BOX/etc/udhcpc/env.script"
	box udhcpc -n -q -f -i eth0 -s /etc/udhcpc/env.script -O search -O staticroutes -O mtu -O 114 -x hostname:box -F box
	local line
	for line in "ip=$HOST4" mask=24 router=203.0.113.1 "dns=$PEER4" domain=example.org mtu=1400 lease=5400 \
		broadcast=203.0.113.255 serverid=203.0.113.1 "search=a.example b.example" \
		"staticroutes=0.0.0.0/0 203.0.113.1" hostname=box; do
		grep -qx "$line" "$BOX/run/udhcpc.bound" || die "no \"$line\": $(cat "$BOX/run/udhcpc.bound")"
	done
}

@test "dhclient -4: lease, option 121, renewal, release" {
	add
	bed_in "$C" ip link set eth0 mtu 1300
	box dhclient -4 -1 -v -pf /run/dhclient.pid -lf /var/lib/dhcp/4 eth0
	has4 || die "no address"
	same mtu "$(link_mtu)" 1400
	works4
	told "nameserver $PEER4" && told 'search .*a\.example' || die "$(cat "$BOX/etc/resolv.conf")"
	resolves
	end_clients
	# with a lease in its file it asks for that address again (RFC 2131, INIT-REBOOT)
	run box dhclient -4 -1 -v -pf /run/dhclient.pid -lf /var/lib/dhcp/4 eth0
	grep -q 'DHCPREQUEST for 203.0.113.2' <<< "$output" && ! grep -q DHCPDISCOVER <<< "$output" || die "$output"
	works4
	box dhclient -4 -r -v -pf /run/dhclient.pid -lf /var/lib/dhcp/4 eth0
	! has4 || die "the address is left"
}

@test "dhclient -4 with a lease from elsewhere is corrected" {
	add
	cat > "$BOX/var/lib/dhcp/wrong" <<- EOF
		lease {
		  interface "eth0";
		  fixed-address 192.0.2.99;
		  option subnet-mask 255.255.255.0;
		  option dhcp-server-identifier 192.0.2.1;
		  renew 4 2036/01/01 00:00:00;
		  rebind 4 2036/01/01 00:00:00;
		  expire 4 2036/01/01 00:00:00;
		}
	EOF
	run box dhclient -4 -1 -v -pf /run/dhclient.pid -lf /var/lib/dhcp/wrong eth0
	grep -q 'DHCPNAK from 203.0.113.1' <<< "$output" || die "$output"
	has4 || die "no address: $output"
	works4
}

@test "dhclient -6: address, name server, search list" {
	add
	up6
	box dhclient -6 -1 -v -pf /run/dhclient6.pid -lf /var/lib/dhcp/6 eth0
	bed_until 5 has6 "$HOST6" || die "$(bed_in "$C" ip -6 addr)"
	works6 "$HOST6"
	told "nameserver $PEER6" && told 'search a\.example\.? b\.example' || die "$(cat "$BOX/etc/resolv.conf")"
	resolves
	box dhclient -6 -r -v -pf /run/dhclient6.pid -lf /var/lib/dhcp/6 eth0
	! has6 "$HOST6" || die "the address is left"
}

@test "dhclient -6 is delegated a prefix, and packets from it get through" {
	add '{"dhcp": {"prefix": "2001:db8:77::/56"}}'
	up6
	run box dhclient -6 -P -1 -v -pf /run/dhclient6.pid -lf /var/lib/dhcp/6p eth0
	same "status: $output" "$status" 0
	grep -q 'iaprefix 2001:db8:77::/56' "$BOX/var/lib/dhcp/6p" || die "$(cat "$BOX/var/lib/dhcp/6p")"
	bed_in "$C" ip addr add 2001:db8:77:1::5/128 dev lo
	works6 2001:db8:77:1::5
}

@test "dhclient -6 -S: the rest, for who has an address already" {
	add
	up6
	box dhclient -6 -S -1 -v -pf /run/dhclient6.pid -lf /var/lib/dhcp/6s eth0
	told "nameserver $PEER6" || die "$(cat "$BOX/etc/resolv.conf")"
}

@test "dhcpcd: both families" {
	add
	bed_bg CLIENT box dhcpcd -B eth0
	bed_until 20 has4 || die "no address"
	bed_until 10 has6 "$HOST6" || die "$(bed_in "$C" ip -6 addr)"
	bed_until 5 told "nameserver $PEER4" && bed_until 5 told "nameserver $PEER6" && told 'search a\.example b\.example' ||
		die "$(cat "$BOX/etc/resolv.conf")"
	works4
	works6 "$HOST6"
	resolves
	bed_in "$C" ip route show default | grep -q 'mtu 1400' || die "no MTU: $(bed_in "$C" ip route)"
}

networkd_has() { cat "$BOX"/run/systemd/netif/{links,leases}/* 2> /dev/null | grep -qE "$1"; }

@test "systemd-networkd: both families" {
	add
	bed_in "$C" ip link set eth0 mtu 1300
	networkd "$BED_DIR/networkd"
	bed_until 15 has4 || die "no address: $(cat "$BED_DIR/networkd")"
	bed_until 15 has6 "$HOST6" || die "$(bed_in "$C" ip -6 addr; cat "$BED_DIR/networkd")"
	bed_until 5 networkd_has "^DNS=.*$PEER4" && bed_until 5 networkd_has "^DNS=.*$PEER6" &&
		networkd_has '^DOMAINS=.*a.example b.example' || die "$(cat "$BOX"/run/systemd/netif/links/*)"
	same mtu "$(link_mtu)" 1400
	works4
	works6 "$HOST6"
}

@test "a /32 with a gateway outside of it, by the option for classless routes" {
	add '{"ipv6": false, "addresses": ["192.0.2.7/32"], "dns": {}}'
	bed_bg CLIENT box dhcpcd -4 -B eth0
	has32() { bed_in "$C" ip -o -4 addr show eth0 | grep -q 'inet 192.0.2.7/32 '; }
	bed_until 20 has32 || die "no address"
	bed_in "$C" ip route show default | grep -q 'via 169.254.1.1 dev eth0' || die "$(bed_in "$C" ip route)"
	bed_in "$C" ping -c 1 -W 2 "$PEER4"
}

@test "an engine that was killed answers the next client as if nothing was" {
	add
	kill -9 "$(bed_engine "$C")"
	box udhcpc -n -q -f -i eth0 -s /etc/udhcpc/default.script
	works4
	bed_until 10 has_default6
}

@test "a container that was configured is not advertised to, and may still ask" {
	add '{"configure": true}'
	has4 || die "no address"
	bed_in "$C" rdisc6 -1 eth0 | grep -q 'Prefix *: 2001:db8:1::/64'
	box udhcpc -n -q -f -i eth0 -s /bin/true
	same "global IPv6 addresses" "$(bed_in "$C" ip -o -6 addr show eth0 scope global | wc -l)" 1
}
