#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Multicast and broadcast: what the container asks reaches the link outside and is
# answered from there, what is sent to its groups reaches it: mDNS and SSDP, both ways.

load bed
load expect

setup_file() {
	bed_make
	# replies of the peer's daemons leave from the link's address
	ip -n "$PEER" route replace 203.0.113.0/24 dev p0 src 203.0.113.1
	ip -n "$HOST" link set h0 multicast on
}

teardown_file() {
	bed_remove
}

setup() {
	bed_container C
	LOG=$XDG/c$C.log
	cni ADD "c$C" "/proc/$C/ns/net" eth0 < <(conf "$(log_to "c$C")") > /dev/null
	# as after duplicate address detection
	bed_until 5 link_local_ready
}

teardown() {
	detach "$C"
	bed_kill "$C"
	bed_kill "${OTHER-}"
	bed_kill "${OTHER2-}"
	bed_until 3 bed_no_core
}

link_local_ready() { bed_in "$C" ip -6 addr show dev eth0 scope link | grep -q inet6 &&
	! bed_in "$C" ip -6 addr show dev eth0 tentative | grep -q inet6; }
group() { bed_in "$C" python3 "$BED_DIR/group.py" "$@"; }
peer_group() { bed_peer python3 "$BED_DIR/group.py" "$@"; }
count() { bed_counter "$C" "$LOG" "$1"; }
counted() { [ "$(count "$1")" -ge "$2" ]; }
container() { bed_in "$C" "$@"; }
search() { # search FUNCTION ADDRESS: for SSDP, with UPnP's hop limit, from a port of its own
	printf M-SEARCH | "$1" socat -t 1 - \
		"UDP4-DATAGRAM:239.255.255.250:1900,ip-multicast-if=$2,ip-multicast-ttl=4"
}
host_member() { bed_host ip maddr show dev h0 | grep -qw "$1"; }
host_left() { ! host_member "$1"; }

@test "a question to a group is answered by who is there, with its own address" {
	bed_server OTHER bed_peer udp 7777 python3 "$BED_DIR/group.py" answer p0 239.1.2.3 7777
	same "answer" "$(group ask-ttl eth0 239.1.2.3 7777 5)" "answer:question:5 203.0.113.1"
	same "hop limit 1" "$(group ask eth0 239.1.2.3 7777)" "answer:question:1 203.0.113.1"
	bed_kill "$OTHER"
	bed_server OTHER bed_peer udp 7777 python3 "$BED_DIR/group.py" answer p0 ff02::1234 7777
	[[ $(group ask eth0 ff02::1234 7777) == "answer:question:1 "* ]]
}

@test "limited and directed broadcast are heard on the link outside" {
	bed_server OTHER bed_peer udp 7777 python3 "$BED_DIR/group.py" answer p0 255.255.255.255 7777
	[[ $(group ask eth0 255.255.255.255 7777) == "answer:question:"*" 203.0.113.1" ]]
	[[ $(group ask eth0 203.0.113.255 7777) == "answer:question:"*" 203.0.113.1" ]]
}

@test "a member of a known group hears what is sent there, with the true source" {
	bed_bg OTHER bed_in "$C" python3 "$BED_DIR/group.py" join eth0 239.255.255.250 60
	bed_until 5 host_member 239.255.255.250
	BED_OUT=$BED_DIR/heard bed_bg OTHER2 bed_in "$C" python3 "$BED_DIR/group.py" hear eth0 239.255.255.250 1900 ""
	sleep 0.5
	peer_group say p0 239.255.255.250 1900 notify
	bed_until 3 bed_gone "$OTHER2"
	same "heard" "$(cat "$BED_DIR/heard")" "notify 203.0.113.1"
}

@test "a member that speaks in any group hears it from then on, but not itself" {
	BED_OUT=$BED_DIR/heard bed_bg OTHER bed_in "$C" python3 "$BED_DIR/group.py" hear eth0 239.9.9.9 9999 mine
	bed_until 3 host_member 239.9.9.9
	peer_group say p0 239.9.9.9 9999 theirs
	bed_until 3 bed_gone "$OTHER"
	same "heard" "$(cat "$BED_DIR/heard")" "theirs 203.0.113.1"
}

@test "leaving a group ends the host's membership" {
	bed_bg OTHER bed_in "$C" python3 "$BED_DIR/group.py" join eth0 224.0.0.251 60
	bed_bg OTHER2 bed_in "$C" python3 "$BED_DIR/group.py" join eth0 ff02::fb 60
	bed_until 5 host_member 224.0.0.251
	bed_until 5 host_member ff02::fb
	bed_kill "$OTHER"
	bed_kill "$OTHER2"
	bed_until 6 host_left 224.0.0.251
	bed_until 6 host_left ff02::fb
	[ "$(count groups_left)" -ge 2 ]
}

@test "a program of the same group that stays keeps the membership" {
	bed_bg OTHER bed_in "$C" python3 "$BED_DIR/group.py" join eth0 224.0.0.251 60
	bed_until 5 host_member 224.0.0.251
	# a leave that another host behind the tap would send; the kernel answers the query
	bed_in "$C" python3 - <<- 'END'
		import socket, struct
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 2)
		s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
		s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
		             struct.pack("4s4si", bytes(4), bytes(4), socket.if_nametoindex("eth0")))
		body = struct.pack("!BBH4s", 0x17, 0, 0, socket.inet_aton("224.0.0.251"))
		total = sum(struct.unpack("!4H", body))
		total = (total & 0xffff) + (total >> 16)
		s.sendto(body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:], ("224.0.0.2", 0))
	END
	sleep 4
	host_member 224.0.0.251 || die "the host left"
}

@test "an engine that dies learns the memberships again" {
	local old
	bed_bg OTHER bed_in "$C" python3 "$BED_DIR/group.py" join eth0 224.0.0.251 60
	bed_until 5 host_member 224.0.0.251
	old=$(bed_engine "$C")
	kill -9 "$old"
	bed_until 15 host_member 224.0.0.251 || die "not joined again"
}

# (the distribution's python, which has the module that is a package)
@test "mDNS: the container finds a service of avahi outside, and is found" {
	mkdir -p "$BED_DIR/avahi/services"
	cat > "$BED_DIR/avahi/avahi-daemon.conf" <<- 'END'
		[server]
		host-name=bedpeer
		allow-interfaces=p0
		enable-dbus=no
		[publish]
		publish-workstation=no
	END
	BED_OUT=$BED_DIR/avahi.log bed_bg OTHER bed_peer unshare -m bash -c \
		"mount --bind '$BED_DIR/avahi/services' /etc/avahi/services && mount -t tmpfs none /run &&
		exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f '$BED_DIR/avahi/avahi-daemon.conf'"
	cat > "$BED_DIR/avahi/services/web.service" <<- 'END'
		<?xml version="1.0" standalone='no'?>
		<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
		<service-group><name>outside</name>
		<service><type>_bed-out._tcp</type><port>8080</port></service></service-group>
	END
	bed_until 10 grep -q "Server startup complete" "$BED_DIR/avahi.log" || die "$(cat "$BED_DIR/avahi.log")"
	bed_in "$C" /usr/bin/python3 "$BED_DIR/mdns.py" find _bed-out._tcp outside || die "not found: $(cat "$BED_DIR/avahi.log")"
	bed_bg OTHER2 bed_in "$C" /usr/bin/python3 "$BED_DIR/mdns.py" offer _bed-in._tcp inside
	bed_peer /usr/bin/python3 "$BED_DIR/mdns.py" find _bed-in._tcp inside || die "the container is not found"
	# by unicast, from the port that who asks insists on
	same "answer to a resolver" "$(bed_peer /usr/bin/python3 "$BED_DIR/mdns.py" ask _bed-in._tcp p0)" "$HOST4 5353"
}

@test "SSDP: a search outside is answered by the container, and the other way round" {
	bed_server OTHER container udp 1900 python3 "$BED_DIR/group.py" answer eth0 239.255.255.250 1900
	bed_until 5 host_member 239.255.255.250
	same "outside" "$(search bed_peer 203.0.113.1)" "answer:M-SEARCH:4"
	bed_kill "$OTHER"
	bed_server OTHER bed_peer udp 1900 python3 "$BED_DIR/group.py" answer p0 239.255.255.250 1900
	same "inside" "$(search container "$HOST4")" "answer:M-SEARCH:4"
}

@test "the host's daemons, and other containers', are found as hostAddress" {
	local D answers
	bed_container D
	cni ADD "c$D" "/proc/$D/ns/net" eth0 < <(conf) > /dev/null
	bed_server OTHER bed_host udp 1900 python3 "$BED_DIR/group.py" answer h0 239.255.255.250 1900
	bed_bg OTHER2 bed_in "$D" python3 "$BED_DIR/group.py" answer eth0 239.255.255.250 1900
	sleep 1.5		# the report of the second membership outside cannot be seen there
	answers=$(group ask-ttl eth0 239.255.255.250 1900 1 | sort) || true
	cni DEL "c$D" "/proc/$D/ns/net" eth0 < <(conf)
	bed_kill "$D"
	same "answers" "$answers" "$(printf 'answer:question:%s 169.254.1.2\n' 1 1)"
}

@test "what is not IP's own group is not passed on; reports are not counted as drops" {
	bed_bg OTHER bed_in "$C" python3 "$BED_DIR/group.py" join eth0 ff02::fb 60
	bed_until 5 host_member ff02::fb
	same "drop_proto" "$(count drop_proto)" 0
	same "drop_martian" "$(count drop_martian)" 0
	! bed_in "$C" ping -c 1 -W 1 224.0.0.1 || die "an echo request went to a group"
}

@test "more groups than there is room for are refused and counted" {
	bed_in "$C" sysctl -qw net.ipv4.igmp_max_memberships=100 || skip "igmp_max_memberships cannot be set here"
	bed_bg OTHER bed_in "$C" python3 -c '
import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(60):
    s.setsockopt(0, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4si", bytes([239, 7, 7, i]), bytes(4), socket.if_nametoindex("eth0")))
time.sleep(60)'
	bed_until 5 counted groups_refused 1
	same "joined" "$(count groups_joined)" 32
}
