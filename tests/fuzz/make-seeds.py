#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of the wire/ fuzz targets: corpus/<parser>/<what-it-is>.

The same bytes each time; run it after changing it and commit what it wrote.
Seeds found by fuzzing are added here too, as hex, under the name of what they
broke. Addresses are those of documentation (RFC 5737, RFC 3849).

    tests/fuzz/make-seeds.py [folder]      (default: corpus beside this file)
"""
import ipaddress
import os
import struct
import sys

MAC_A = bytes.fromhex("525400010203")
MAC_B = bytes.fromhex("9a559a559a55")
A4, B4 = "203.0.113.2", "198.51.100.10"
A6, B6 = "2001:db8:1::2", "2001:db8:2::10"


def addr(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def sealed(data, at, pseudo=b""):
    return data[:at] + struct.pack("!H", checksum(pseudo + data)) + data[at + 2:]


def pseudo6(proto, length, src=A6, dst=B6):
    return addr(src) + addr(dst) + struct.pack("!IHBB", length, 0, 0, proto)


def eth(etype, payload=b"", dst=MAC_A, src=MAC_B):
    return dst + src + struct.pack("!H", etype) + payload


def vnet(flags=0, gso=0, hdr_len=0, gso_size=0, start=0, offset=0, frame=b"\0" * 100):
    """Host byte order: these are of the usual, little-endian, kind."""
    return struct.pack("<BBHHHH", flags, gso, hdr_len, gso_size, start, offset) + frame


def ip4(payload=b"x" * 8, proto=17, options=b"", total=None, frag=0x4000, src=A4, dst=B4,
        ihl=None, version=4, bad_sum=False):
    hlen = 20 + len(options)
    head = struct.pack("!BBHHHBBH", version << 4 | (hlen // 4 if ihl is None else ihl), 0,
                       hlen + len(payload) if total is None else total, 0x1234, frag, 64,
                       proto, 0) + addr(src) + addr(dst) + options
    return (head if bad_sum else sealed(head, 10)) + payload


def ip6(chain=(), proto=17, payload=b"x" * 8, length=None, src=A6, dst=B6, version=6):
    """chain: (protocol number, header without its first byte)"""
    protos = [p for p, _ in chain] + [proto]
    body = b"".join(bytes([protos[i + 1]]) + rest for i, (_, rest) in enumerate(chain))
    body += payload
    return struct.pack("!IHBB", version << 28, len(body) if length is None else length,
                       protos[0], 64) + addr(src) + addr(dst) + body


HOP, ROUTE, FRAG, AH, DST = 0, 43, 44, 51, 60
PAD = bytes([0, 1, 4, 0, 0, 0, 0])
PAD16 = bytes([1, 1, 4, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0])


def fragment(offset, more):
    return struct.pack("!BHI", 0, offset | more, 0x01020304)


def tcp(options=b"", flags=0x10, payload=b"", doff=None):
    hlen = 20 + len(options)
    return struct.pack("!HHIIBBHHH", 40000, 80, 0x11223344, 0x55667788,
                       (hlen // 4 if doff is None else doff) << 4, flags, 64240, 0,
                       0) + options + payload


TS = bytes.fromhex("0101080a0102030405060708")


def udp(payload, length=None, sport=40000, dport=53):
    return struct.pack("!HHHH", sport, dport,
                       8 + len(payload) if length is None else length, 0) + payload


def dns(body, flags=0x0100, qd=1, an=0, ns=0, ar=0):
    return struct.pack("!HHHHHH", 0x1234, flags, qd, an, ns, ar) + body


EDNS = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"


def icmp(kind, code=0, rest=0x12340001, data=b""):
    return sealed(struct.pack("!BBHI", kind, code, 0, rest) + data, 2)


def icmp6(kind, code=0, rest=0x12340001, data=b""):
    msg = struct.pack("!BBHI", kind, code, 0, rest) + data
    return sealed(msg, 2, pseudo6(58, len(msg)))


def arp(op=1, hw=1, proto=0x0800, hlen=6, plen=4):
    return struct.pack("!HHBBH", hw, proto, hlen, plen, op) + MAC_A + addr(A4) \
        + b"\0" * 6 + addr("203.0.113.1")


SLLA = b"\x01\x01" + MAC_A
NONCE = b"\x0e\x01" + b"\x09" * 6
SYN_OPTS = bytes.fromhex("020405b40402080a010203040000000001030307")
V4, V6 = b"\0", b"\1"            # first byte of udp (super-frame or not), icmp and quote

# --- DHCP and DHCPv6: a byte for the world (fuzz_dhcp.c, fuzz_dhcp6.c), then the message ---

def opt(code, data=b""):
    return bytes([code, len(data)]) + data


def dhcp(kind=1, options=b"", world=0, op=1, ciaddr="0.0.0.0", giaddr="0.0.0.0", flags=0,
         hlen=6, sname=b"", file=b"", cookie=b"\x63\x82\x53\x63", end=b"\xff"):
    head = struct.pack("!BBBBIHH", op, 1, hlen, 0, 0x12345678, 0, flags)
    head += addr(ciaddr) + addr("0.0.0.0") * 2 + addr(giaddr) + MAC_A.ljust(16, b"\0")
    what = opt(53, bytes([kind])) if kind else b""
    return (bytes([world]) + head + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + cookie +
            what + options + end)


ALL_PARAMETERS = opt(55, bytes([1, 3, 6, 12, 15, 26, 28, 51, 58, 59, 81, 108, 114, 119, 121]))
OWN_DUID = b"\0\3\0\1" + MAC_B


def opt6(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def dhcp6(kind, options=b"", world=0, client=MAC_A, server=b""):
    out = bytes([world, kind, 1, 2, 3])
    out += opt6(1, b"\0\3\0\1" + client) if client else b""
    return out + (opt6(2, server) if server else b"") + options


def ia(code=3, items=b"", iaid=1):
    return opt6(code, struct.pack("!III", iaid, 0, 0) + items)


def iaaddr(text):
    return opt6(5, addr(text) + struct.pack("!II", 100, 200))


def iaprefix(text, length):
    return opt6(26, struct.pack("!IIB", 100, 200, length) + addr(text))


SEEDS = {
    "eth": {
        "ipv4": eth(0x0800, ip4()),
        "ipv6": eth(0x86DD, ip6()),
        "arp-broadcast-padded": eth(0x0806, arp() + b"\0" * 18, dst=b"\xff" * 6),
        "header-only": eth(0x0800),
        "empty": b"",
        "one-byte-short": eth(0x0800)[:13],
        "vlan-tagged": eth(0x8100, b"\0\x05\x08\0" + ip4()),
        "length-not-type": eth(0x0026, b"\x42\x42\x03" + b"\0" * 35),
    },
    "vnet": {
        "plain": vnet(),
        "partial-checksum": vnet(1, start=34, offset=16),
        "tso4": vnet(1, 1, 54, 1448, 34, 16),
        "tso6-ecn": vnet(1, 0x84, 74, 1428, 54, 16),
        "uso": vnet(1, 5, 42, 1472, 34, 6),
        "data-valid": vnet(2),
        "header-cut": vnet()[:9],
        "no-frame": vnet(frame=b""),
        "checksum-last-two-bytes": vnet(1, start=82, offset=16),
        "checksum-past-end": vnet(1, start=83, offset=16),
        "checksum-wraps": vnet(1, start=65535, offset=65535),
        "checksum-in-ethernet": vnet(1, start=6, offset=0),
        "gso-size-zero": vnet(1, 1, 54, 0, 34, 16),
        "gso-header-longer-than-frame": vnet(1, 1, 101, 1448, 34, 16),
        "ufo-not-offered": vnet(1, 3, 42, 1472, 34, 6),
        "ecn-without-tcp": vnet(1, 0x85, 42, 1472, 34, 6),
        "unknown-type": vnet(1, 0x7F, 42, 1472, 34, 6),
    },
    "ip4": {
        "udp": ip4(udp(b"abc")),
        "tcp": ip4(tcp(), proto=6),
        "no-payload": ip4(b""),
        "options-nop": ip4(options=b"\x01" * 40),
        "options-source-route": ip4(options=b"\x83\x07\x04" + addr(A4) + b"\0"),
        "padded-to-ethernet-minimum": ip4() + b"\0" * 18,
        "first-fragment": ip4(frag=0x2000),
        "last-fragment": ip4(frag=0x00B9),
        "fragment-not-of-eights": ip4(b"x" * 9, frag=0x2000),
        "fragment-beyond-65535": ip4(frag=0x1FFF),
        "df-and-fragment": ip4(frag=0x6001),
        "bad-checksum": ip4(bad_sum=True),
        "version-6": ip4(version=6),
        "ihl-4": ip4(ihl=4),
        "ihl-over-end": ip4(b"", ihl=15),
        "total-below-header": ip4(total=19),
        "total-zero": ip4(total=0),
        "total-over-end": ip4(total=29),
        "multicast-source": ip4(src="224.0.0.1"),
        "broadcast-source": ip4(src="255.255.255.255"),
        "dhcp-source-unspecified": ip4(src="0.0.0.0", dst="255.255.255.255"),
        "one-byte-short": ip4(b"")[:19],
    },
    "ip6": {
        "udp": ip6(payload=udp(b"abc")),
        "no-next-header": ip6(proto=59, payload=b""),
        "all-extensions": ip6([(HOP, PAD), (DST, PAD16), (ROUTE, b"\0" * 7),
                               (FRAG, fragment(0, 0)), (AH, b"\x04" + b"\0" * 22),
                               (DST, PAD)]),
        "extension-is-last": ip6([(DST, PAD)], proto=59, payload=b""),
        "ah-twelve-bytes": ip6([(AH, b"\x01" + b"\0" * 10)]),
        "ah-too-small": ip6([(AH, b"\x00" + b"\0" * 10)]),
        "ah-over-end": ip6([(AH, b"\xff" + b"\0" * 10)]),
        "atomic-fragment": ip6([(FRAG, fragment(0, 0))]),
        "first-fragment": ip6([(FRAG, fragment(0, 1))]),
        "first-fragment-options-behind": ip6([(FRAG, fragment(0, 1)), (DST, PAD)]),
        "last-fragment-next-header-options": ip6([(FRAG, fragment(1448, 0))], proto=DST),
        "fragment-not-of-eights": ip6([(FRAG, fragment(0, 1))], payload=b"x" * 9),
        "fragment-beyond-65535": ip6([(FRAG, fragment(0xFFF8, 0))]),
        "fragment-twice": ip6([(FRAG, fragment(0, 0))] * 2),
        "hop-by-hop-second": ip6([(DST, PAD), (HOP, PAD)]),
        "option-over-end": ip6([(HOP, bytes([0, 1, 200, 0, 0, 0, 0]))]),
        "option-discard-if-unknown": ip6([(DST, bytes([0, 0xC9, 4, 0, 0, 0, 0]))]),
        "option-router-alert": ip6([(HOP, bytes([0, 5, 2, 0, 0, 1, 0]))], proto=58),
        "option-pad1-only": ip6([(HOP, b"\0" * 7)]),
        "header-length-over-end": ip6([(DST, bytes([255, 1, 4, 0, 0, 0, 0]))]),
        "routing-0-segments-left": ip6([(ROUTE, b"\x02\x00\x01\0\0\0\0" + addr(B6))]),
        "eight-headers": ip6([(DST, PAD)] * 8),
        "nine-headers": ip6([(DST, PAD)] * 9),
        "jumbogram": ip6([(HOP, bytes([0, 0xC2, 4, 0, 1, 0, 0]))], length=0),
        "length-over-end": ip6(length=9),
        "length-inside-extension": ip6([(DST, PAD16)], length=9),
        "mapped-destination": ip6(dst="::ffff:127.0.0.1"),
        "compatible-source": ip6(src="::127.0.0.1"),
        "loopback-destination": ip6(dst="::1"),
        "multicast-source": ip6(src="ff02::1"),
        "unspecified-source": ip6(src="::"),
        "version-4": ip6(version=4),
        "one-byte-short": ip6(payload=b"")[:39],
    },
    "tcp": {
        "syn-as-linux": tcp(SYN_OPTS, 0x02),
        "ack-timestamps": tcp(TS, payload=b"hello"),
        "data-no-options": tcp(payload=b"hello", flags=0x18),
        "sack-three-blocks": tcp(TS + b"\x01\x01\x05\x1a" + bytes(range(24))),
        "sack-four-blocks": tcp(b"\x05\x22" + bytes(range(32)) + b"\x01\x01"),
        "all-options-at-once": tcp(TS[2:] + b"\x02\x04\x05\xb4\x03\x03\x07\x04\x02\x05\x0a"
                                   + bytes(8) + bytes(11), 0x02),
        "end-then-rubbish": tcp(b"\0\xfe\0\0", 0x02),
        "unknown-option": tcp(b"\xfe\x04\xf9\x89", 0x02),
        "option-length-zero": tcp(b"\xfe\0\0\0"),
        "option-length-one": tcp(b"\xfe\x01\0\0"),
        "option-over-end": tcp(b"\xfe\x05\0\0"),
        "option-without-length": tcp(b"\x01\x01\x01\x08"),
        "mss-of-three": tcp(b"\x02\x03\0\0", 0x02),
        "wscale-of-255": tcp(b"\x01\x03\x03\xff", 0x02),
        "sack-no-block": tcp(b"\x05\x02\0\0"),
        "sack-half-a-block": tcp(b"\x05\x06\0\0\0\0\0\0"),
        "offset-4": tcp(doff=4),
        "offset-over-end": tcp(doff=15),
        "options-forty-nops": tcp(b"\x01" * 40, 0x02),
        "one-byte-short": tcp()[:19],
        "all-flags": tcp(flags=0xFF),
    },
    "udp": {
        "datagram": V4 + udp(b"abc"),
        "no-data": V4 + udp(b""),
        "padding-behind": V4 + udp(b"abc", 11) + b"\0" * 8,
        "length-over-end": V4 + udp(b"abc", 12),
        "length-7": V4 + udp(b"abc", 7),
        "length-0": V4 + udp(b"abc", 0),
        "gso-length-of-whole": V6 + udp(b"x" * 64),
        "gso-length-of-one-segment": V6 + udp(b"x" * 64, 24),
        "gso-length-over-end": V6 + udp(b"x" * 64, 65535),
        "gso-length-0": V6 + udp(b"x" * 64, 0),
        "one-byte-short": V4 + udp(b"")[:7],
    },
    "dns": {
        "question": dns(b"\1a\2bc\0\0\1\0\1"),
        "question-root": dns(b"\0\0\2\0\1"),
        "question-edns": dns(b"\1a\0\0\x1c\0\1" + EDNS, ar=1),
        "question-behind-records": dns(b"\1a\0\0\1\0\1" + b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4abcd" + EDNS,
                                       an=1, ar=1),
        "question-pointer": dns(b"\xc0\x0c\0\1\0\1"),
        "question-pointer-behind-label": dns(b"\1a\xc0\x0c\0\1\0\1"),
        "question-label-64": dns(b"\x40" + b"a" * 64 + b"\0\0\1\0\1"),
        "question-label-over-end": dns(b"\x09abc"),
        "question-longest-name": dns(b"\1x" * 127 + b"\0\0\1\0\1"),
        "question-too-long-name": dns(b"\1x" * 128 + b"\0\0\1\0\1"),
        "question-type-cut": dns(b"\1a\0\0"),
        "answer": dns(b"\1a\0\0\1\0\1" + b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4abcd", flags=0x8180, an=1),
        "record-over-end": dns(b"\1a\0\0\1\0\1" + b"\0\0\1\0\1\0\0\0\1\xff\xff", ar=2),
        "records-65535": dns(b"\1a\0\0\1\0\1" + EDNS[:9], ar=65535),
        "header-cut": dns(b"")[:11],
    },
    "resolv": {
        "usual": b"# by hand\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch a.example b\n",
        "resolved": b"nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n",
        "scope": b"nameserver fe80::1%eth0\nnameserver fe80::1%\nnameserver fe80::1%a/b\n",
        "domain-then-search": b"domain d.example.\nsearch a. b c d e f g h i j\r\n",
        "many-servers": b"".join(b"nameserver 192.0.2.%d\n" % n for n in range(12)),
        "zero-bytes": b"nameserver 192.0.2.1\0\n\0\nnameserver",
        "not-hosts": b"nameserver 0.0.0.0\nnameserver ff02::1\nnameserver ::ffff:1.2.3.4\n",
        "long-word": b"nameserver " + b"1" * 300 + b"\nsearch " + b"a" * 300 + b" b\n",
    },
    "icmp": {
        "echo-4": V4 + icmp(8, data=b"abcdefghi"),
        "echo-reply-4": V4 + icmp(0, data=b"abcdefgh"),
        "unreachable-port-4": V4 + icmp(3, 3, 0, ip4(udp(b"abc"))),
        "fragmentation-needed-4": V4 + icmp(3, 4, 1280, ip4(b"x" * 8)),
        "echo-6": V6 + icmp6(128, data=b"abcdefghi"),
        "packet-too-big-6": V6 + icmp6(2, 0, 1280, ip6()),
        "unknown-type-6": V6 + icmp6(255, 255, 0xFFFFFFFF),
        "bad-checksum-4": V4 + icmp(8)[:2] + b"\xff\xff" + icmp(8)[4:],
        "no-data": V4 + icmp(8),
        "one-byte-short": V6 + icmp6(128)[:7],
        "empty": V4,
    },
    "quote": {
        "udp-4": V4 + ip4(udp(b"abc")),
        "udp-4-cut": V4 + ip4(udp(b"abc"), total=1028)[:24],
        "tcp-4-options": V4 + ip4(tcp(), proto=6, options=b"\x01" * 40),
        "echo-4": V4 + ip4(icmp(8), proto=1),
        "first-fragment-4": V4 + ip4(udp(b"abc"), frag=0x2000),
        "later-fragment-4": V4 + ip4(udp(b"abc"), frag=0x2001),
        "header-length-16": V4 + ip4(udp(b"abc"), ihl=4),
        "ports-cut-4": V4 + ip4(udp(b"abc"))[:23],
        "version-6-as-4": V4 + ip6(payload=udp(b"abc")),
        "udp-6": V6 + ip6(payload=udp(b"abc")),
        "udp-6-cut": V6 + ip6(payload=udp(b"abc"), length=1028)[:44],
        "first-fragment-6": V6 + ip6([(FRAG, fragment(0, 1))], payload=udp(b"abc")),
        "later-fragment-6": V6 + ip6([(FRAG, fragment(8, 1))], payload=udp(b"abc")),
        "fragment-twice-6": V6 + ip6([(FRAG, fragment(0, 1))] * 2, payload=udp(b"abc")),
        "hop-by-hop-6": V6 + ip6([(HOP, PAD)], payload=udp(b"abc")),
        "mapped-6": V6 + ip6(payload=udp(b"abc"), dst="::ffff:127.0.0.1"),
        "empty": V6,
    },
    "arp": {
        "request": arp(),
        "reply": arp(2),
        "request-padded": arp() + b"\0" * 18,
        "unknown-operation": arp(65535),
        "hardware-not-ethernet": arp(hw=6),
        "protocol-not-ipv4": arp(proto=0x86DD),
        "hardware-length-255": arp(hlen=255),
        "protocol-length-16": arp(plen=16),
        "one-byte-short": arp()[:27],
    },
    "nd": {
        "solicitation": addr("2001:db8:1::1") + SLLA,
        "solicitation-dad": addr("fe80::1"),
        "nonce-and-source": addr("2001:db8:1::1") + NONCE + SLLA,
        "unknown-option-long": addr("2001:db8:1::1") + b"\xfe\x02" + b"\0" * 14,
        "option-length-0": addr("2001:db8:1::1") + b"\x01\0" + MAC_A,
        "option-over-end": addr("2001:db8:1::1") + b"\x0e\x02" + MAC_A,
        "option-one-byte": addr("2001:db8:1::1") + b"\x01",
        "source-of-two-units": addr("2001:db8:1::1") + b"\x01\x02" + b"\0" * 14,
        "target-multicast": addr("ff02::1") + SLLA,
        "target-mapped": addr("::ffff:127.0.0.1") + SLLA,
        "options-32": addr("2001:db8:1::1") + NONCE * 32,
        "options-33": addr("2001:db8:1::1") + NONCE * 33,
        "target-cut": addr("2001:db8:1::1")[:15],
    },
    "forward": {
        "port": b"8080:80",
        "same-port": b"8080",
        "picked-by-the-kernel": b"0:80",
        "address": b"127.0.0.1:8443:443",
        "address-6": b"[::1]:53:53",
        "range": b"9000-9010:8000-8010",
        "interface": b"eth0/80:80",
        "target-address": b"8080:10.0.0.2:80",
        "everything": b"eth0.100/[2001:db8::1]:1-10:[2001:db8::2]:65526-65535",
        "auto": b"auto",
        "auto-address": b"eth0/127.0.0.1:auto",
        "except": b"~22",
        "except-range": b"~1-1023",
        "empty": b"",
        "ranges-of-different-size": b"1-2:3",
        "range-upside-down": b"2-1",
        "port-65536": b"65536:1",
        "port-of-six-digits": b"000080:80",
        "target-over-65535": b"1-10:65530-65539",
        "bracket-open": b"[::1:80",
        "mapped-address": b"[::ffff:127.0.0.1]:80:80",
        "address-4-in-brackets": b"[127.0.0.1]:80:80",
        "interface-too-long": b"abcdefghijklmnop/80",
        "interface-empty": b"/80",
        "something-behind": b"80:80:80:80",
        "address-too-long": b"[" + b"0:" * 40 + b"]:80",
    },
    "ports": {
        "none": b"none",
        "auto": b"auto",
        "all": b"all",
        "port": b"22",
        "target": b"22:23",
        "list": b"22,25",
        "ranges": b"22-80:32-90",
        "range-and-exclusions": b"2000-5000,~3000-3010,~2000,~5000",
        "exclusion-only": b"~20000-20010",
        "everything-excluded": b"~1-65535",
        "auto-but": b"auto,~22",
        "auto-in-a-range": b"auto,8000-8010",
        "address": b"192.0.2.1/20-30,~25",
        "address-and-interface": b"192.0.2.1%eth0/22",
        "interface": b"%eth0/22",
        "address-6": b"2001:db8::1/8080",
        "address-6-in-brackets": b"[::1]%lo/8080:80",
        "podman": b"127.0.0.1/8080-8081:80-81",
        "empty": b"",
        "port-0": b"0",
        "port-65536": b"65536",
        "range-upside-down": b"80-70",
        "ranges-of-different-size": b"1-2:3",
        "comma-at-the-end": b"80,",
        "target-over-65535": b"1-10:65530-65539",
        "interface-too-long": b"%abcdefghijklmnop/80",
        "interface-empty": b"%/80",
        "address-empty": b"/80",
        "address-too-long": b"1" * 80 + b"/80",
        "ranges-256": b",".join(b"%d" % (i * 2 + 1) for i in range(256)),
        "ranges-257": b",".join(b"%d" % (i * 2 + 1) for i in range(257)),
        "pieces-over-the-cap": b"1-65535," + b",".join(b"~%d" % (i * 2 + 2) for i in range(300)),
    },
    "group": {
        "igmp-v1-report": b"\x12\0\0\0" + addr("239.1.2.3"),
        "igmp-v2-report": b"\x16\0\0\0" + addr("239.1.2.3"),
        "igmp-v2-leave": b"\x17\0\0\0" + addr("224.0.0.251"),
        "igmp-query": b"\x11\x64\0\0" + addr("0.0.0.0") + b"\2\x7d\0\0",
        "igmp-v2-unicast": b"\x16\0\0\0" + addr(B4),
        "igmp-v3-all-types": b"\x22" + bytes(6) + b"\7" + b"".join(
            bytes([t, 0, 0, t & 1]) + addr("239.1.2.3") + addr(B4) * (t & 1) for t in range(1, 8)),
        "igmp-v3-aux-data": b"\x22" + bytes(6) + b"\1\4\2\0\1" + addr("239.1.2.3") + addr(B4) + bytes(8),
        "igmp-v3-sources-over-end": b"\x22" + bytes(6) + b"\1\4\0\xff\xff" + addr("239.1.2.3"),
        "igmp-v3-records-over-end": b"\x22" + bytes(5) + b"\xff\xff\4\0\0\0" + addr("239.1.2.3"),
        "mld-v1-report": b"\x83" + bytes(7) + addr("ff02::fb"),
        "mld-v1-done": b"\x84" + bytes(7) + addr("ff02::fb"),
        "mld-v1-mapped": b"\x83" + bytes(7) + addr("::ffff:239.1.2.3"),
        "mld-v1-cut": b"\x83" + bytes(7) + addr("ff02::fb")[:15],
        "mld-v2-report": b"\x8f" + bytes(6) + b"\2\4\0\0\0" + addr("ff02::fb") + b"\3\0\0\1"
                         + addr("ff02::c") + addr(B6),
        "mld-query": b"\x82" + bytes(3) + b"\x27\x10\0\0" + bytes(16) + b"\2\x7d\0\0",
    },
    "dhcp": {
        "discover": dhcp(),
        "discover-all-parameters": dhcp(1, ALL_PARAMETERS, 3),
        "discover-small-mtu": dhcp(1, ALL_PARAMETERS, 7),
        "discover-large-message": dhcp(1, ALL_PARAMETERS + opt(57, b"\xff\xff"), 3),
        "discover-rapid-commit": dhcp(1, opt(80)),
        "discover-broadcast": dhcp(1, flags=0x8000),
        "discover-relayed": dhcp(1, giaddr="203.0.113.50"),
        "discover-without-gateway": dhcp(1, ALL_PARAMETERS, 8),
        "discover-names": dhcp(1, opt(61, b"\1" + MAC_A) + opt(12, b"box") +
                               opt(81, b"\5\0\0\3box") + ALL_PARAMETERS),
        "discover-longest-names": dhcp(1, opt(61, b"i" * 255) + opt(12, b"h" * 255) +
                                       opt(81, b"f" * 255) + ALL_PARAMETERS, 3),
        "request-selecting": dhcp(3, opt(54, addr("203.0.113.1")) + opt(50, addr(A4))),
        "request-other-server": dhcp(3, opt(54, addr("203.0.113.9")) + opt(50, addr(A4))),
        "request-init-reboot": dhcp(3, opt(50, addr(A4))),
        "request-wrong-address": dhcp(3, opt(50, addr("10.0.0.1"))),
        "request-renewing": dhcp(3, ciaddr=A4),
        "request-nothing": dhcp(3),
        "inform": dhcp(8, ciaddr=A4),
        "decline": dhcp(4, opt(50, addr(A4))),
        "release": dhcp(7, ciaddr=A4),
        "bootp": dhcp(0),
        "bootp-without-cookie": dhcp(0, cookie=b"", end=b""),
        "reply": dhcp(2, op=2),
        "overload": dhcp(1, opt(52, b"\3"), file=opt(12, b"box") + b"\xff",
                         sname=opt(50, addr(A4)) + b"\xff"),
        "overload-field-over-end": dhcp(1, opt(52, b"\2"), sname=b"\x0c\x3f"),
        "overload-4": dhcp(1, opt(52, b"\4")),
        "pieces": dhcp(1, opt(55, b"\1\3") + opt(12, b"bo") + opt(55, b"\6") + opt(12, b"x")),
        "type-of-two-bytes": dhcp(0, opt(53, b"\1\1")),
        "no-end": dhcp(1, end=b""),
        "option-over-end": dhcp(1, b"\x0c\x09box"),
        "option-code-alone": dhcp(1, b"\x0c", end=b""),
        "hardware-length-17": dhcp(1, hlen=17),
        "hardware-length-0": dhcp(1, hlen=0),
        "header-cut": dhcp()[:200],
        "too-long": dhcp(1, b"\0" * 1300),
    },
    "dhcp6": {
        "solicit": dhcp6(1, ia()),
        "solicit-all": dhcp6(1, ia() + ia(25) + opt6(14) + opt6(39, b"\1\3box") +
                             opt6(6, struct.pack("!6H", 23, 24, 32, 39, 103, 999)), 7),
        "solicit-no-prefix": dhcp6(1, ia(25)),
        "solicit-unicast": dhcp6(1, ia(), 8),
        "solicit-with-server": dhcp6(1, ia(), server=OWN_DUID),
        "solicit-without-client": dhcp6(1, ia(), client=b""),
        "solicit-many-associations": dhcp6(1, b"".join(ia(iaid=n) for n in range(70)), 4),
        "solicit-one-association-often": dhcp6(1, ia() * 70, 4),
        "request": dhcp6(3, ia(3, iaaddr(A6)), server=OWN_DUID),
        "request-not-on-link": dhcp6(3, ia(3, iaaddr("2001:db8:99::1")), server=OWN_DUID),
        "request-other-server": dhcp6(3, ia(), server=b"\0\3\0\1" + MAC_A),
        "request-unicast": dhcp6(3, ia(), 8, server=OWN_DUID),
        "confirm": dhcp6(4, ia(3, iaaddr(A6))),
        "confirm-not-on-link": dhcp6(4, ia(3, iaaddr("2001:db8:99::1"))),
        "confirm-nothing": dhcp6(4, ia()),
        "renew": dhcp6(5, ia(3, iaaddr(A6) + iaaddr("2001:db8:1::9")), server=OWN_DUID),
        "renew-second-association": dhcp6(5, ia() + ia(3, iaaddr(A6), 2), server=OWN_DUID),
        "rebind-prefix": dhcp6(6, ia(25, iaprefix("2001:db8:7::", 48) +
                                     iaprefix("2001:db8:8::", 48)), 2),
        "release": dhcp6(8, ia(3, iaaddr(A6)), server=OWN_DUID),
        "decline": dhcp6(9, ia(3, iaaddr(A6)), server=OWN_DUID),
        "information-request": dhcp6(11, opt6(6, b"\0\x17\0\x18\0\x20"), 1, client=b""),
        "information-request-with-association": dhcp6(11, ia()),
        "relay-forward": b"\0\x0c\0" + addr("fe80::1") * 2,
        "association-cut": dhcp6(1, opt6(3, b"\0\0\0\1\0\0")),
        "association-option-over-end": dhcp6(1, ia(3, b"\0\5\0\x18\0")),
        "address-mapped": dhcp6(3, ia(3, iaaddr("::ffff:127.0.0.1")), server=OWN_DUID),
        "prefix-129": dhcp6(6, ia(25, iaprefix("2001:db8:7::", 129)), 2),
        "client-id-empty": dhcp6(1, opt6(1) + ia(), client=b""),
        "client-id-longest": dhcp6(1, ia(), client=b"c" * 126),
        "client-id-too-long": dhcp6(1, ia(), client=b"c" * 127),
        "option-over-end": dhcp6(1, b"\0\1\0\x09x"),
        "option-code-alone": dhcp6(1, b"\0\1"),
        "header-cut": b"\0\1\2\3",
        "too-long": dhcp6(1, opt6(99, b"\0" * 1220)),
    },
}


def framed(*frames):
    return b"".join(struct.pack("!I", len(f)) + f for f in frames)


def pieces(data, size):
    """As fuzz_framing has it: each piece behind its length."""
    return b"".join(bytes([len(data[i:i + size])]) + data[i:i + size]
                    for i in range(0, len(data), size))


FRAMES = framed(eth(0x0806, b"a" * 46), eth(0x0800, b"b" * 99), eth(0x86dd, b"c" * 300))
SEEDS["framing"] = {
    "empty": b"",
    "frames-in-large-pieces": pieces(FRAMES, 127),
    "frames-byte-by-byte": pieces(framed(eth(0x0806, b"a" * 46)), 1),
    "cut-in-a-length": pieces(FRAMES[:62], 62) + pieces(FRAMES[62:], 100),
    "length-zero": pieces(FRAMES[:64] + bytes(8), 72),
    "length-below-a-header": pieces(struct.pack("!I", 13) + b"x" * 13, 20),
    "length-too-large": pieces(struct.pack("!I", 65601) + b"x" * 20, 24),
    "length-negative": pieces(b"\xff\xff\xff\xff" + b"x" * 20, 24),
    "largest-length-begins": pieces(struct.pack("!I", 65600) + b"x" * 200, 100),
    "death-between-pieces": b"\x80".join(pieces(FRAMES[i:i + 50], 50)
                                         for i in range(0, len(FRAMES), 50)),
    "sent-whole": bytes.fromhex("81 0040 ffff 81 05ea ffff"),
    "sent-in-part": bytes.fromhex("81 0040 0002 85 0001 85 0003 85 ffff"),
    "sent-behind-what-waits": bytes.fromhex("81 0040 0010 82 0100 0000 81 fff0 0050 85 ffff 85 ffff"),
    "death-in-a-length": bytes.fromhex("84 0002 85 ffff 81 0040 ffff"),
    "death-in-a-frame": bytes.fromhex("84 0064 85 0001 85 ffff 81 0040 ffff"),
    "death-in-what-waits": bytes.fromhex("82 0100 0010 83 0008 83 0001 85 ffff"),
    "fills-the-buffer": bytes.fromhex("82 fff0 0000") * 80 + bytes.fromhex("85 ffff") * 20
                        + bytes.fromhex("82 fff0 0000") * 30 + bytes.fromhex("85 ffff") * 70,
}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "corpus")
    count = 0
    for parser, seeds in SEEDS.items():
        folder = os.path.join(root, parser)
        os.makedirs(folder, exist_ok=True)
        for name, data in seeds.items():
            with open(os.path.join(folder, name), "wb") as out:
                out.write(data)
            count += 1
    print("%d seeds for %d parsers" % (count, len(SEEDS)))


if __name__ == "__main__":
    main()
