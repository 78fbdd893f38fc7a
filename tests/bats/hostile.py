#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames a container could send to harm its network daemon, by AF_PACKET.

hostile.py named IFNAME PEER4 PEER6     each case once; prints how many must be dropped
hostile.py random IFNAME PEER4 PEER6 SEED COUNT
                                        good frames, mutated; prints how many left
Run inside the container, as its root.
"""
import fcntl
import random
import socket
import struct
import sys

ETH_IP4, ETH_IP6, ETH_ARP = 0x0800, 0x86DD, 0x0806
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
SOL_PACKET, PACKET_VNET_HDR = 263, 15


def total(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return s


def cksum(data):
    return ~total(data) & 0xFFFF


class Maker:
    def __init__(self, ifname, peer4, peer6):
        self.src4, self.src6 = own4(ifname), own6(ifname)
        self.peer4 = socket.inet_pton(socket.AF_INET, peer4)
        self.peer6 = socket.inet_pton(socket.AF_INET6, peer6)
        self.mac = ifmac(ifname)
        self.gw = bytes.fromhex("020000000001")

    def eth(self, etype, payload):
        return self.gw + self.mac + struct.pack("!H", etype) + payload

    def ip4(self, proto, payload, *, ver=4, ihl=None, opts=b"", tot=None, frag=0, ttl=64,
            src=None, dst=None, badsum=False):
        ihl = ihl if ihl is not None else 5 + len(opts) // 4
        tot = tot if tot is not None else 20 + len(opts) + len(payload)
        head = struct.pack("!BBHHHBBH4s4s", ver << 4 | ihl, 0, tot, 1, frag, ttl, proto, 0,
                           src or self.src4, dst or self.peer4) + opts
        c = cksum(head) ^ (0x5555 if badsum else 0)
        return self.eth(ETH_IP4, head[:10] + struct.pack("!H", c) + head[12:] + payload)

    def ip6(self, nxt, payload, *, ver=6, plen=None, hop=64, src=None, dst=None):
        plen = plen if plen is not None else len(payload)
        return self.eth(ETH_IP6, struct.pack("!IHBB16s16s", ver << 28, plen, nxt, hop,
                                             src or self.src6, dst or self.peer6) + payload)

    def pseudo4(self, proto, n, src=None, dst=None):
        return (src or self.src4) + (dst or self.peer4) + struct.pack("!BBH", 0, proto, n)

    def pseudo6(self, nxt, n):
        return self.src6 + self.peer6 + struct.pack("!II", n, nxt)

    def udp(self, v6=False, *, sport=5555, dport=7, data=b"hello", length=None, bad=False, zero=False):
        n = length if length is not None else 8 + len(data)
        u = struct.pack("!HHHH", sport, dport, n, 0) + data
        c = cksum((self.pseudo6(UDP, len(u)) if v6 else self.pseudo4(UDP, len(u))) + u) or 0xFFFF
        c = 0 if zero else c ^ (0x5555 if bad else 0)
        return u[:6] + struct.pack("!H", c) + u[8:]

    def tcp(self, v6=False, *, flags=0x02, doff=None, opts=b"", data=b"", bad=False, seq=1, ack=0,
            sport=5556, dport=80):
        opts += b"\0" * (-len(opts) % 4)
        doff = doff if doff is not None else 5 + len(opts) // 4
        t = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, doff << 4, flags, 65535, 0, 0) + opts + data
        c = cksum((self.pseudo6(TCP, len(t)) if v6 else self.pseudo4(TCP, len(t))) + t)
        return t[:16] + struct.pack("!H", c ^ (0x5555 if bad else 0)) + t[18:]

    def echo(self, v6=False, *, bad=False, cut=None):
        e = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 77, 1) + b"x" * 32
        if cut is not None:
            e = e[:cut]
        c = cksum((self.pseudo6(ICMP6, len(e)) if v6 else b"") + e) ^ (0x5555 if bad else 0)
        return e[:2] + struct.pack("!H", c) + e[4:]

    def ns(self, target, *, opt=None, hop=255, bad=False):
        opt = opt if opt is not None else b"\1\1" + self.mac
        n = struct.pack("!BBHI", 135, 0, 0, 0) + target + opt
        c = cksum(self.pseudo6(ICMP6, len(n)) + n) ^ (0x5555 if bad else 0)
        return self.ip6(ICMP6, n[:2] + struct.pack("!H", c) + n[4:], hop=hop)

    def arp(self, *, hw=1, proto=ETH_IP4, hlen=6, plen=4, op=1, cut=None):
        a = struct.pack("!HHBBH6s4s6s4s", hw, proto, hlen, plen, op, self.mac, self.src4, b"\0" * 6, self.peer4)
        return self.eth(ETH_ARP, a[:cut] if cut else a)


def ifmac(ifname):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return fcntl.ioctl(s, 0x8927, struct.pack("16s24x", ifname.encode()))[18:24]


def own4(ifname):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return fcntl.ioctl(s, 0x8915, struct.pack("16s24x", ifname.encode()))[20:24]


def own6(ifname):
    for line in open("/proc/net/if_inet6"):
        f = line.split()
        if f[5] == ifname and f[3] == "00":
            return bytes.fromhex(f[0])
    sys.exit("no IPv6 address")


def named(m):
    """name, frame, must it be dropped (None: may be either, must do no harm)"""
    d = m.peer6
    lo4 = socket.inet_aton("127.0.0.1")
    yield "ethernet alone", m.eth(ETH_IP4, b""), True
    yield "ip4 of one byte", m.eth(ETH_IP4, b"\x45"), True
    yield "ip4 of 19 bytes", m.ip4(UDP, b"")[:33], True
    yield "ip4 version 6", m.ip4(UDP, m.udp(), ver=6), True
    yield "ip4 version 0", m.ip4(UDP, m.udp(), ver=0), True
    yield "ip4 ihl 4", m.ip4(UDP, m.udp(), ihl=4), True
    yield "ip4 ihl 0", m.ip4(UDP, m.udp(), ihl=0), True
    yield "ip4 ihl beyond the frame", m.ip4(UDP, b"", ihl=15), True
    yield "ip4 total length above the frame", m.ip4(UDP, m.udp(), tot=1400), True
    yield "ip4 total length below the header", m.ip4(UDP, m.udp(), tot=12), True
    yield "ip4 total length zero", m.ip4(UDP, m.udp(), tot=0), True
    yield "ip4 checksum", m.ip4(UDP, m.udp(), badsum=True), True
    yield "ip4 option length 0", m.ip4(UDP, m.udp(), opts=b"\x07\0\0\0"), None
    yield "ip4 option beyond the header", m.ip4(UDP, m.udp(), opts=b"\x07\x28\x04\0"), None
    yield "ip4 source route", m.ip4(UDP, m.udp(), opts=b"\x83\x07\x04" + lo4 + b"\0"), None
    yield "ip4 from 127.0.0.1", m.ip4(UDP, m.udp(), src=lo4), True
    yield "ip4 to 127.0.0.1", m.ip4(UDP, m.udp(), dst=lo4), True
    yield "ip4 to 0.0.0.0", m.ip4(UDP, m.udp(), dst=b"\0\0\0\0"), True
    yield "ip4 from multicast", m.ip4(UDP, m.udp(), src=b"\xe0\0\0\1"), True
    yield "ip4 to broadcast by tcp", m.ip4(TCP, m.tcp(), dst=b"\xff\xff\xff\xff"), True
    yield "ip4 unknown protocol", m.ip4(253, b"x" * 40), True
    yield "ip4 last fragment", m.ip4(UDP, m.udp(), frag=100), None
    yield "ip4 fragment of death", m.ip4(ICMP, b"x" * 1400, frag=0x1FFF), None
    yield "udp of 7 bytes", m.ip4(UDP, m.udp()[:7]), True
    yield "udp length 0", m.ip4(UDP, m.udp(length=0)), True
    yield "udp length 7", m.ip4(UDP, m.udp(length=7)), True
    yield "udp length above the packet", m.ip4(UDP, m.udp(length=1000)), True
    yield "udp checksum", m.ip4(UDP, m.udp(bad=True)), True
    yield "udp to port 0", m.ip4(UDP, m.udp(dport=0)), None
    yield "udp6 checksum zero", m.ip6(UDP, m.udp(True, zero=True)), True
    yield "udp6 checksum", m.ip6(UDP, m.udp(True, bad=True)), True
    yield "tcp of 19 bytes", m.ip4(TCP, m.tcp()[:19]), True
    yield "tcp data offset 4", m.ip4(TCP, m.tcp(doff=4)), True
    yield "tcp data offset 0", m.ip4(TCP, m.tcp(doff=0)), True
    yield "tcp data offset beyond", m.ip4(TCP, m.tcp(doff=15)), True
    yield "tcp checksum", m.ip4(TCP, m.tcp(bad=True)), True
    yield "tcp6 checksum", m.ip6(TCP, m.tcp(True, bad=True)), True
    yield "tcp option length 0", m.ip4(TCP, m.tcp(opts=b"\x02\x00\x05\xb4")), None
    yield "tcp option length 1", m.ip4(TCP, m.tcp(opts=b"\x02\x01\x05\xb4")), None
    yield "tcp option beyond the header", m.ip4(TCP, m.tcp(opts=b"\x02\x28\x05\xb4")), None
    yield "tcp mss 0", m.ip4(TCP, m.tcp(opts=b"\x02\x04\0\0", sport=5600)), None
    yield "tcp window scale 255", m.ip4(TCP, m.tcp(opts=b"\x03\x03\xff\0", sport=5601)), None
    yield "tcp all flags", m.ip4(TCP, m.tcp(flags=0xFF)), None
    yield "tcp no flag", m.ip4(TCP, m.tcp(flags=0)), None
    yield "tcp syn and fin", m.ip4(TCP, m.tcp(flags=0x03, sport=5602)), None
    yield "tcp syn and rst", m.ip4(TCP, m.tcp(flags=0x06)), None
    yield "tcp data out of nowhere", m.ip4(TCP, m.tcp(flags=0x18, data=b"x" * 100, ack=5)), None
    yield "icmp of 3 bytes", m.ip4(ICMP, b"\x08\0\0"), True
    yield "icmp checksum", m.ip4(ICMP, m.echo(bad=True)), True
    yield "icmp error about nothing", m.ip4(ICMP, struct.pack("!BBHI", 3, 1, 0xFCFE, 0)), None
    yield "ip6 of 39 bytes", m.ip6(UDP, b"")[:53], True
    yield "ip6 version 4", m.ip6(UDP, m.udp(True), ver=4), True
    yield "ip6 payload length above the frame", m.ip6(UDP, m.udp(True), plen=1400), True
    yield "ip6 jumbo, payload length 0", m.ip6(0, b"\x11\0\xc2\x04\0\1\0\0" + m.udp(True), plen=0), True
    yield "ip6 from loopback", m.ip6(UDP, m.udp(True), src=b"\0" * 15 + b"\1"), True
    yield "ip6 to loopback", m.ip6(UDP, m.udp(True), dst=b"\0" * 15 + b"\1"), True
    yield "ip6 from multicast", m.ip6(UDP, m.udp(True), src=b"\xff\2" + b"\0" * 13 + b"\1"), True
    yield "ip6 to v4-mapped loopback", m.ip6(UDP, m.udp(True), dst=b"\0" * 10 + b"\xff\xff" + lo4), True
    yield "ip6 hop-by-hop cut", m.ip6(0, b"\x11"), True
    yield "ip6 hop-by-hop too long", m.ip6(0, b"\x11\xff" + b"\0" * 6), True
    yield "ip6 hop-by-hop option too long", m.ip6(0, b"\x11\0\5\xff\0\0\0\0" + m.udp(True)), None
    yield "ip6 hundred hop-by-hop", m.ip6(0, b"\0\0\1\4\0\0\0\0" * 99 + b"\x11\0\1\4\0\0\0\0" + m.udp(True)), True
    yield "ip6 hundred destination options", m.ip6(60, b"\x3c\0\1\4\0\0\0\0" * 99 + b"\x11\0\1\4\0\0\0\0" + m.udp(True)), True
    yield "ip6 routing type 0", m.ip6(43, b"\x11\2\0\1\0\0\0\0" + d + m.udp(True)), None
    yield "ip6 fragment", m.ip6(44, b"\x11\0\5\xa9\0\0\0\1" + b"x" * 40), None
    yield "ip6 fragment cut", m.ip6(44, b"\x11\0\0"), True
    yield "ip6 authentication cut", m.ip6(51, b"\x11\xff\0\0"), True
    yield "ip6 no next header", m.ip6(59, b""), True
    yield "ip6 unknown next header", m.ip6(253, b"x" * 40), True
    yield "icmp6 of 3 bytes", m.ip6(ICMP6, b"\x80\0\0"), True
    yield "icmp6 checksum", m.ip6(ICMP6, m.echo(True, bad=True)), True
    yield "nd hop limit 64", m.ns(d, hop=64), True
    yield "nd checksum", m.ns(d, bad=True), True
    yield "nd option length 0", m.ns(d, opt=b"\1\0" + m.mac), True
    yield "nd option beyond", m.ns(d, opt=b"\1\xff" + m.mac), True
    yield "nd for a multicast target", m.ns(b"\xff\2" + b"\0" * 14), True
    yield "arp cut", m.arp(cut=20), True
    yield "arp hardware 6", m.arp(hw=6), True
    yield "arp protocol 0x86dd", m.arp(proto=ETH_IP6), True
    yield "arp lengths", m.arp(hlen=255, plen=255), True
    yield "arp operation 99", m.arp(op=99), None
    yield "ethertype of nobody", m.eth(0x88B5, b"x" * 50), True
    yield "vlan", m.eth(0x8100, b"\0\1\x08\0" + b"x" * 50), True


def good(m):
    return [m.ip4(UDP, m.udp()), m.ip6(UDP, m.udp(True)), m.ip4(TCP, m.tcp(opts=b"\2\4\5\xb4\1\3\3\7")),
            m.ip6(TCP, m.tcp(True)), m.ip4(TCP, m.tcp(flags=0x18, data=b"x" * 200, ack=1)),
            m.ip4(ICMP, m.echo()), m.ip6(ICMP6, m.echo(True)), m.ns(m.peer6), m.arp(),
            m.ip6(0, b"\x11\0\1\4\0\0\0\0" + m.udp(True)), m.ip6(44, b"\x11\0\0\1\0\0\0\1" + m.udp(True))]


def mutate(rng, frame):
    f = bytearray(frame)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        what = rng.randrange(5)
        at = rng.randrange(12, max(13, len(f)))
        if what == 0 and at < len(f):
            f[at] ^= 1 << rng.randrange(8)
        elif what == 1 and at < len(f):
            f[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif what == 2:
            del f[at:]
        elif what == 3:
            f[at:at] = rng.randbytes(rng.randrange(1, 64))
        elif at + 1 < len(f):
            f[at:at + 2] = struct.pack("!H", rng.choice((0, 1, 7, 20, 40, 1500, 0xFFFF)))
    return bytes(f[:1514])


def fix4(frame):
    """Makes the IPv4 header checksum right again, so that what follows is looked at."""
    if len(frame) < 34 or frame[12:14] != b"\x08\0":
        return frame
    n = 14 + 4 * (frame[14] & 15)
    if n < 34 or n > len(frame):
        return frame
    head = frame[14:24] + b"\0\0" + frame[26:n]
    return frame[:24] + struct.pack("!H", cksum(head)) + frame[26:]


def vnet(rng):
    """A virtio-net header that may lie; the kernel refuses some itself."""
    return struct.pack("=BBHHHH", rng.choice((0, 1, 1, 2, 3)), rng.choice((0, 1, 3, 4, 5, 0x81)),
                       rng.choice((0, 14, 34, 54, 74, 1000)), rng.choice((0, 1, 536, 1448, 65535)),
                       rng.choice((0, 14, 34, 54, 1000)), rng.choice((0, 6, 16, 500)))


def send(sock, frame):
    try:
        sock.send(frame)
        return True
    except OSError:
        return False


def main():
    verb, ifname, peer4, peer6 = sys.argv[1:5]
    m = Maker(ifname, peer4, peer6)
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((ifname, 0))
    if verb == "named":
        only = sys.argv[5:]
        must = 0
        for name, frame, drop in named(m):
            if only and name not in only:
                continue
            if send(sock, frame) and drop:
                must += 1
        print(must)
        return
    rng = random.Random(int(sys.argv[5]))
    virtio = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    virtio.bind((ifname, 0))
    virtio.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    frames = good(m)
    sent = 0
    for _ in range(int(sys.argv[6])):
        frame = mutate(rng, rng.choice(frames))
        if rng.randrange(2):
            frame = fix4(frame)
        if rng.randrange(4) == 0:
            sent += send(virtio, vnet(rng) + frame)
        else:
            sent += send(sock, frame)
    print(sent)


main()
