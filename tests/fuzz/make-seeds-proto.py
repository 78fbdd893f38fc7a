#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the seeds of the proto/ fuzz targets: corpus/{frag,ingress,tcpflow}/<what-it-is>.

The same bytes each time; run it after changing it and commit what it wrote.
Seeds found by fuzzing stand at the end, as hex, under the name of what they broke.
What a byte means stands at the head of fuzz_ingress.c and fuzz_tcpflow.c.

    tests/fuzz/make-seeds-proto.py [folder]      (default: corpus beside this file)
"""
import ipaddress
import os
import struct
import sys

# --- tcpflow: a byte for the world, then steps ---

HOSTILE, PEEK, OFFLOAD, V6, SMALL, NO_WSCALE, MSS = (1 << i for i in range(7))
HONEST = PEEK | OFFLOAD
MORE = 128
SACK, TS, QUICK, FEW = (1 << i for i in range(4))


def be16(n):
    return struct.pack("!H", n & 0xFFFF)


def data(n, wnd=0x4000, again=False, fin=False):
    return bytes([(0x10 if again else 0) | (0xE0 if fin else 0)]) + be16(n) + be16(wnd)


def ack(wnd=0x4000):
    return b"\x03" + be16(wnd)


def odd_data(n, at, wnd=0x4000, flags=0):
    return bytes([flags]) + be16(n) + be16(at) + be16(wnd)


def syn(at=0):
    return bytes([0x85 if at else 0x05]) + be16(at)


def rst(at=1):
    return bytes([0x95]) + be16(at)


def remote(n):
    return b"\x08" + be16(n)


def tap(n):
    return b"\x0c" + be16(n)


def room(n):
    return b"\x5c" + be16(n)


def wait(ms):
    return bytes([0x0D, ms]) if ms < 256 else bytes([0xED, ms >> 7])


TAKE, LOSE, TURN = b"\x06", b"\xf7", b"\x0e"
FIN, RESET, WRITABLE = b"\x0a", b"\x1a", b"\x1b"
TAP_ALL, TAP_BROKEN, TAP_WHOLE = b"\x2c\0\0", b"\x4c\0\x01", b"\x4c\0\0"
ROOM_ALL = room(0x8000)
UP = ack()

TCPFLOW = {
    "request-response": UP + data(100) + TAKE + remote(5000) + TAKE + UP + FIN + TAKE
                        + data(0, fin=True) + TAKE + UP,
    "container-first": UP + data(10, fin=True) + TAKE + remote(100) + FIN + TAKE + UP,
    "simultaneous-close": UP + FIN + TURN + data(0, fin=True) + TAKE + UP,
    "upload-held": UP + room(1000) + (data(3000) + TAKE) * 4 + WRITABLE + ROOM_ALL + WRITABLE
                   + TAKE,
    "upload-window-closes": UP + room(0) + (data(8000) + TAKE) * 6 + room(5000) + WRITABLE + TAKE
                            + ROOM_ALL + WRITABLE + TAKE + data(8000),
    "upload-fin-held": UP + room(10) + data(1000, fin=True) + TAKE + ROOM_ALL + WRITABLE + TAKE,
    "download-bulk": UP + (remote(60000) + TAKE + ack(0x7000)) * 8,
    "download-window-closes": ack(1000) + remote(60000) + TAKE + ack(0) + wait(255) + TAKE
                              + ack(0) + wait(1000) + TAKE + ack(9000) + TAKE,
    "download-lost": UP + (remote(30000) + TURN + LOSE) * 2 + UP * 4 + TAKE + wait(1000) + TAKE
                     + UP,
    "download-time-out": UP + remote(3000) + TURN + LOSE + wait(1000) + LOSE + wait(3000) + TAKE + UP,
    "tap-full": UP + tap(1) + remote(60000) + TURN + tap(2) + TURN + tap(0) + data(100) + TURN
                + TAP_ALL + TAKE + UP,
    "tap-broken": UP + TAP_BROKEN + remote(3000) + data(100) + FIN + TURN + TAP_WHOLE + wait(3000)
                  + TAKE + UP,
    "synack-lost": LOSE + wait(1500) + TAKE + UP + data(10) + TAKE,
    "reset-after-data": UP + remote(5000) + RESET + TAKE,
    "reset-while-held": UP + room(0) + data(2000) + TAKE + RESET + TAKE,
    "data-again": UP + data(2000) + TURN + LOSE + data(2000, again=True) + TAKE,
}

# the network, for the next segment of the container (in) or of ours (out)
LOSE_IN, LATE_IN, LATE_OUT = b"\x0f", b"\x1f", b"\x3f"


def late_in(n, twice=False):
    return bytes([0xDF if twice else 0x5F, n])


def late_out(n, twice=False):
    return bytes([0xEF if twice else 0x6F, n])


TCPFLOW_MORE = {
    "urgent-remote": UP + b"\x1e\x20" + TAKE + b"\x1e\x05" + b"\x1e\x05" + TAKE + b"\xde\xff" + TAKE,
    "ooo": UP + LOSE_IN + data(1000) + (data(1000) + TAKE) * 3 + data(1000, again=True) + TAKE,
    "ooo-holes": UP + (LOSE_IN + data(300) + data(200) + TAKE) * 5
                 + (data(300, again=True) + TAKE) * 5,
    "ooo-late": UP + LATE_IN + data(1000) + data(500) + TAKE + late_in(0, True) + TAKE
                + late_in(0) + TAKE,
    "ooo-held": UP + room(100) + data(1000) + LOSE_IN + data(1000) + data(500) + TAKE
                + data(1000, again=True) + TAKE + ROOM_ALL + WRITABLE + TAKE,
    "ooo-reset": UP + room(100) + data(1000) + LOSE_IN + data(1000) + data(500) + TAKE + RESET
                 + TAKE + data(1000, again=True) + TAKE,
    "fin-ahead": UP + LOSE_IN + data(1000) + data(500, fin=True) + TAKE
                 + data(1000, again=True) + TAKE,
    "sack-recovery": UP + remote(1000) + TURN + LOSE + (remote(1000) + TAKE + UP) * 5 + TAKE + UP,
    "sack-holes": UP + (remote(1000) + TURN + LOSE + remote(2000) + TAKE + UP) * 5 + TAKE + UP
                  + TAKE + UP,
    "sack-lost-again": UP + remote(1000) + TURN + LOSE + (remote(2000) + TAKE + UP) * 2 + LOSE
                       + (remote(2000) + TAKE + UP) * 3 + wait(40) + TAKE + UP,
    "sack-head-lost": UP + remote(1000) + TURN + LOSE + (remote(2000) + TAKE + UP) * 2 + LOSE
                      + wait(20) + LOSE + wait(40) + LOSE + wait(100) + TAKE + UP,
    "sack-time-out": UP + remote(1000) + TURN + LOSE + remote(1000) + TAKE + UP + wait(1000) + LOSE
                     + wait(3000) + TAKE + UP,
    "sack-fin": UP + remote(1000) + TURN + LOSE + (remote(2000) + TAKE + UP) + FIN + TURN + LOSE
                + UP + TAKE + UP + TAKE + UP,
    "sack-tap-full": UP + remote(1000) + TURN + LOSE + remote(5000) + TAKE + tap(0) + UP + TURN
                     + TAP_ALL + wait(20) + TAKE + UP,
    "late-out": UP + LATE_OUT + remote(1000) + TAKE + (remote(1000) + TAKE + UP) * 2
                + late_out(0, True) + UP + late_out(0) + UP + TAKE,
    "talk": (UP + data(100) + TAKE + remote(200) + TAKE) * 4 + data(100) + wait(2) + TAKE,
    "window-and-loss": ack(3000) + remote(60000) + TURN + LOSE + ack(0) + TAKE + wait(300)
                       + ack(9000) + TAKE + UP,
}

TCPFLOW_HOSTILE = {
    "resets": UP + rst(5) + TAKE + rst(200) + TAKE + rst(0) + TAKE,
    "syn-again": syn() + UP + syn() + TAKE + syn(77) + TAKE,
    "old-and-overlapping": UP + odd_data(100, 1) + TAKE + odd_data(300, 1) + TAKE
                           + odd_data(100, 9, flags=0x40) + TAKE,
    "fin-inside": UP + odd_data(100, 0, flags=0x80) + odd_data(300, 0) + TAKE,
    "ack-of-the-future": UP + b"\x23" + be16(9) + TAKE,
    "byte-left-of-window": UP + room(0) + (odd_data(4000, 0) + TAKE)
                           + (odd_data(95, 0) + TAKE) + (odd_data(255, 0) + TAKE) * 20,
}


def tcpflow():
    seeds = {}
    for name, steps in TCPFLOW.items():
        seeds[name] = bytes([HONEST]) + steps
        seeds[name + "-ring"] = bytes([OFFLOAD | V6 | SMALL]) + steps
        seeds[name + "-plain"] = bytes([PEEK | NO_WSCALE | MSS]) + steps
    for name, steps in TCPFLOW_MORE.items():
        seeds[name] = bytes([MORE | HONEST, SACK | TS]) + steps
        seeds[name + "-ring"] = bytes([MORE | OFFLOAD | V6 | SMALL, SACK | QUICK]) + steps
        seeds[name + "-plain"] = bytes([MORE | PEEK | NO_WSCALE | MSS, TS]) + steps
        seeds[name + "-few"] = bytes([MORE | HONEST, SACK | FEW]) + steps
        seeds[name + "-lies"] = bytes([MORE | HOSTILE | HONEST, SACK | TS]) + steps
    for name, steps in TCPFLOW_HOSTILE.items():
        seeds[name] = bytes([HOSTILE | HONEST]) + steps
        seeds[name + "-ring"] = bytes([HOSTILE | SMALL]) + steps
    return seeds


# --- ingress: a byte for the world, then records ---

M_PEEK, M_OFFLOAD, M_NO_VNET, M_FEW, M_NO_V4, M_WAIT = (1 << i for i in range(6))
FIX, EVENT, TURN_AFTER = 128, 192, 0x8000
MAC_C, MAC_US, ALL = bytes.fromhex("525400010203"), bytes.fromhex("9a559a559a55"), b"\xff" * 6
C4, R4, C6, R6 = "203.0.113.2", "198.51.100.10", "2001:db8:1::2", "2001:db8:2::10"


def addr(text):
    return ipaddress.ip_address(text).packed


def record(kind, body, turn=True):
    return bytes([kind]) + be16(len(body) | (TURN_AFTER if turn else 0)) + body


def vnet(gso=0, size=0, hdr=0, start=0, offset=0, flags=0):
    return struct.pack("<BBHHHH", flags, gso, hdr, size, start, offset)


def frame(etype, body, head=vnet(), turn=True, dst=MAC_US):
    return record(FIX, head + dst + MAC_C + be16(etype) + body, turn)


def ip4(proto, body, dst=R4, src=C4, frag=0x4000, ttl=64, **kw):
    return frame(0x0800, struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, frag, ttl, proto, 0)
                 + addr(src) + addr(dst) + body, **kw)


def ip6(proto, body, dst=R6, src=C6, ttl=64, **kw):
    return frame(0x86DD, struct.pack("!IHBB", 6 << 28, len(body), proto, ttl)
                 + addr(src) + addr(dst) + body, **kw)


def tcp(flags, seq=1000, acked=0, body=b"", options=b"", port=40000):
    return struct.pack("!HHIIBBHHH", port, 80, seq, acked, (20 + len(options)) // 4 << 4, flags,
                       64240, 0, 0) + options + body


def udp(body, port=40000, length=None):
    return struct.pack("!HHHH", port, 53, 8 + len(body) if length is None else length, 0) + body


DNS4, DNS6 = "169.254.1.1", "fd00::a9fe:101"


def ask(name, kind=1):
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + name + be16(kind) + be16(1)


def echo(kind, ident=7):
    return struct.pack("!BBHHH", kind, 0, 0, ident, 1) + b"abcdefgh"


def solicit(target, src=C6):
    return ip6(58, struct.pack("!BBHI", 135, 0, 0, 0) + addr(target) + b"\x01\x01" + MAC_C,
               dst="ff02::1:ff00:1", src=src, ttl=255)


def arp(target, sender=C4, op=1):
    return frame(0x0806, struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + MAC_C + addr(sender)
                 + bytes(6) + addr(target), dst=ALL)


def event(kind, pick=0, body=b""):
    return record(EVENT | kind, bytes([pick]) + body)


def quoted4():
    return struct.pack("!BBHHHBBH", 0x45, 0, 999, 0, 0, 63, 17, 0) + addr(R4) + addr(C4) \
        + struct.pack("!HHHH", 53, 40000, 979, 0)


def quoted6():
    return struct.pack("!IHBB", 6 << 28, 999, 17, 63) + addr(R6) + addr(C6) \
        + struct.pack("!HHHH", 53, 40000, 999, 0)


R4B = addr("192.0.2.1")
SYN = tcp(2, options=bytes.fromhex("020405b40103030701010402"))
USO = vnet(5, 100, 0, 34, 6, 1)
TSO = vnet(1, 1448, 54, 34, 16, 1)

INGRESS = {
    "tcp-open-4": ip4(6, SYN) + event(1, 10),
    "tcp-open-6": ip6(6, SYN) + event(1, 10),
    "tcp-data-remote": ip4(6, SYN) + event(6, 0, b"hello") + event(22, 0) + event(1, 40),
    "tcp-no-connection": ip4(6, tcp(0x10, acked=77)) + ip6(6, tcp(0x11)),
    "tcp-many": b"".join(ip4(6, tcp(2, port=p), turn=False) for p in range(1000, 1040)),
    "tcp-super-frame": ip4(6, SYN) + ip4(6, tcp(0x18, body=b"x" * 3000), head=TSO),
    "udp-one": ip4(17, udp(b"abc")) + event(6, 0, be16(0) + b"answer") + event(1, 250),
    "udp-six": ip6(17, udp(b"abc")) + event(6, 0, be16(2) + b"answer") + event(1, 250),
    "udp-equal": b"".join(ip4(17, udp(b"x" * 100), turn=False) for _ in range(10))
                 + ip4(17, udp(b"x" * 50)),
    "udp-uso": ip4(17, udp(b"x" * 1050), head=USO) + ip4(17, udp(b"x" * 3000), head=USO),
    "udp-uso-refused": ip4(17, udp(b"x")) + event(4, 0) + ip4(17, udp(b"x" * 1050), head=USO)
                       + event(4, 2) + ip4(17, udp(b"x" * 1050), head=USO),
    "udp-zero-length": ip4(17, udp(b"")) * 3 + event(6, 0, be16(0)),
    "udp-many": b"".join(ip4(17, udp(b"abc", port=p), turn=p % 3 == 0) for p in range(2000, 2090)),
    "udp-refused": ip4(17, udp(b"abc")) + event(14, 0) + event(30, 0, b"ab"),
    "udp-queued-error": ip4(17, udp(b"abc")) + event(38, 0, bytes([11, 0, 113, 0]) + R4B + b"abc")
                        + event(38, 0, bytes([3, 4, 90, 5]) + R4B + b"x" * 900),
    "udp-queued-error-6": ip6(17, udp(b"abc")) + event(38, 0, bytes([2, 0, 90, 5]) + b"abc"),
    "udp-refused-by-container": ip4(17, udp(b"abc")) + event(6, 0, be16(0) + b"answer")
                                + ip4(1, struct.pack("!BBHI", 3, 3, 0, 0) + quoted4()),
    "udp-refused-by-container-6": ip6(17, udp(b"abc")) + event(6, 0, be16(0) + b"answer")
                                  + ip6(58, struct.pack("!BBHI", 1, 4, 0, 0) + quoted6()),
    "error-about-nothing": ip4(1, struct.pack("!BBHI", 3, 3, 0, 0) + quoted4()),
    "ping-queued-error": ip4(1, echo(8)) + event(38, 0, bytes([11, 0, 113, 0]) + R4B + echo(8)),
    "tcp-queued-error": event(3, 150) + ip4(6, SYN) + event(38, 0, bytes([11, 0, 113, 0]) + R4B),
    "hops-end": ip4(17, udp(b"a"), ttl=1) + ip6(6, SYN, ttl=1) + ip4(1, echo(8), ttl=0)
                + ip4(17, udp(b"a"), ttl=1, dst="169.254.1.2"),
    "ping-4": ip4(1, echo(8)) + event(6, 0, be16(0) + echo(0)) + event(1, 250),
    "ping-6": ip6(58, echo(128)) + event(6, 0, be16(0) + echo(129)),
    "ping-from-nowhere": ip6(58, echo(128), src="::"),
    "arp": arp("203.0.113.1") + arp(C4) + arp("203.0.113.9", "0.0.0.0") + arp(C4, op=2),
    "nd": solicit("2001:db8:1::1") + solicit(C6) + solicit("2001:db8:1::9", "::"),
    "martians-4": b"".join(ip4(p, b, dst=d) for d in ("127.0.0.1", "0.0.0.0", "0.1.2.3", C4)
                           for p, b in ((6, SYN), (17, udp(b"a")), (1, echo(8)))),
    "martians-6": b"".join(ip6(p, b, dst=d) for d in ("::1", "::", "::ffff:127.0.0.1", C6)
                           for p, b in ((6, SYN), (17, udp(b"a")), (58, echo(128)))),
    "multicast": ip4(17, udp(b"a"), dst="224.0.0.251") + ip4(17, udp(b"a"), dst="203.0.113.255")
                 + ip6(17, udp(b"a"), dst="ff02::fb", ttl=255),
    "groups": ip4(2, b"\x16\0\0\0\xe0\0\0\xfb", dst="224.0.0.251", ttl=1)
              + ip4(17, struct.pack("!HHHH", 5353, 5353, 9, 0) + b"a", dst="224.0.0.251", ttl=1)
              + event(6, 0, b"a") + event(6, 1, b"b")
              + ip6(58, b"\x8f" + bytes(6) + b"\1\4\0\0\0" + addr("ff02::fb"), dst="ff02::16", ttl=1)
              + ip4(2, b"\x17\0\0\0\xe0\0\0\xfb", dst="224.0.0.2", ttl=1) + event(1, 5) + event(1, 255) * 3,
    "dns-own": ip4(17, udp(ask(b"\4host\x0acontainers\x08internal\0")), dst=DNS4)
               + ip6(17, udp(ask(b"\3box\0", 28)), dst=DNS6)
               + ip4(17, udp(ask(b"\0012\0011\003254\003169\7in-addr\4arpa\0", 12)), dst=DNS4),
    "dns-answered": ip4(17, udp(ask(b"\1a\0")), dst=DNS4)
                    + event(6, 0, b"\0\0" + b"\x12\x34\x81\x80" + ask(b"\1a\0")[4:]),
    "dns-refused-then-time": ip4(17, udp(ask(b"\1a\0")), dst=DNS4) + event(6 | 1 << 4, 0, b"")
                             + event(1, 5) * 3 + event(1, 255) * 3,
    "dns-queued-error": ip6(17, udp(ask(b"\1a\0")), dst=DNS6)
                        + event(6 | 2 << 4, 0, b"\3\3\x6f\0\0\0\0\0"),
    "dns-malformed": ip4(17, udp(ask(b"\xc0\x0c")), dst=DNS4) + ip4(17, udp(b"\0" * 11), dst=DNS4)
                     + ip4(17, udp(b"\0" * 12), dst=DNS4) + ip4(17, udp(b"x" * 3900), dst=DNS4),
    "dns-again-and-another": ip4(17, udp(ask(b"\1a\0")), dst=DNS4) * 2 + ip4(17, udp(ask(b"\1b\0")), dst=DNS4),
    "dns-tcp": ip4(6, tcp(2).replace(be16(80), be16(53), 1), dst=DNS4) + event(1, 10) * 3
               + ip6(6, tcp(2, port=7).replace(be16(80), be16(853), 1), dst=DNS6),
    "host-address": ip4(6, SYN, dst="169.254.1.2") + ip4(17, udp(b"a"), dst="169.254.1.2"),
    "fragment": ip4(17, udp(b"abc")) + ip6(44, b"\x11\0\0\1\0\0\0\1" + udp(b"abc")),
    "fragments-whole": b"".join(ip4(17, b[a:z], frag=f) for b in [udp(b"abcdefgh" * 4)]
                                for a, z, f in ((16, 40, 2), (0, 16, 0x2000)))
                       + b"".join(ip6(44, bytes([17, 0, 0, o, 0, 0, 0, 1]) + b)
                                  for o, b in ((1, udp(b"")), (8, b"x" * 9))),
    "fragments-overlap-and-time": ip6(44, b"\x11\0\0\1\0\0\0\1" + bytes(16))
                                  + ip6(44, b"\x11\0\0\x08\0\0\0\1" + bytes(16))
                                  + ip6(44, b"\x11\0\0\1\0\0\0\2" + bytes(16)) + event(1, 70),
    "fragment-in-fragment": ip6(44, b"\x2c\0\0\1\0\0\0\1" + b"\x11\0\0\1\0\0\0\1" + bytes(8))
                            + ip6(44, b"\x2c\0\0\x10\0\0\0\1" + bytes(8)),
    "headers-refused": ip6(0, b"\x3c\0\x3e\4\0\0\0\0" + b"\x11\0\xc3\4\0\0\0\0" + udp(b"a"))
                       + ip6(43, b"\x11\2\0\1" + bytes(20) + udp(b"a"))
                       + ip6(0, b"\x11\0\x83\4\0\0\0\0" + udp(b"a"), dst="ff02::1")
                       + ip6(60, b"\0\0\1\4\0\0\0\0" + b"\x11\0\1\4\0\0\0\0" + udp(b"a"))
                       + ip6(59, b"") + ip6(132, bytes(12)),
    "protocols-not-ours": ip4(132, b"x" * 12) + ip4(58, echo(128)) + ip6(1, echo(8)),
    "client-tcp": event(7, 0) + event(7, 1) + event(0, 200) * 8 + event(1, 250),
    "client-tcp-loopback": event(7, 2) + event(7, 3) + event(7, 4) + event(7, 0x40) + event(1, 250),
    "client-tcp-both-at-once": event(7, 0) + ip4(6, SYN) + event(1, 10),
    "client-tcp-no-descriptor": event(7 + 16, 0) + event(0, 120) + event(7, 0x20),
    "client-udp": event(7 + 8, 0, be16(0) + b"question") + ip4(17, udp(b"abc")) + event(1, 250),
    "client-udp-gro": event(7 + 8, 1, be16(3) + b"question") + event(7 + 8, 0x81, be16(0)),
    "client-udp-nobody": event(7 + 8, 7, be16(0) + b"x") + event(7 + 8, 6, be16(0) + b"x"),
    "client-udp-closed": event(7 + 8, 0, be16(0) + b"x") + event(7 + 8 + 32, 2, be16(0) + b"x"),
    "tap-full": event(2, 2) + ip4(6, SYN) + arp("203.0.113.1") * 4 + event(2, 1) + event(0, 5),
    "connect-refused": event(3, 200) + ip4(6, SYN) + ip4(17, udp(b"a")) + ip6(58, echo(128)),
    "rubbish": record(0, b"") + record(0, bytes(9)) + record(0, b"\xff" * 60),
}


def ingress():
    seeds = {}
    for name, records in INGRESS.items():
        seeds[name] = bytes([M_PEEK | M_OFFLOAD]) + records
        if name.endswith("-many") or name.startswith("tcp"):
            seeds[name + "-few"] = bytes([M_FEW]) + records
    seeds["ipv4-off"] = bytes([M_PEEK | M_OFFLOAD | M_NO_V4]) + INGRESS["martians-4"] + \
        INGRESS["tcp-open-4"]
    seeds["connecting"] = bytes([M_WAIT | M_OFFLOAD]) + INGRESS["tcp-many"] + INGRESS["tcp-open-6"]
    return seeds


# --- frag: records of six bytes, see fuzz_frag.c ---


def piece(which, off, length, more=True, other=False):
    return bytes([which | more << 2 | other << 3]) + be16(off) + be16(length) + b"\0"


FRAG = {
    "in-order": piece(0, 0, 1480) + piece(0, 185, 1480) + piece(0, 370, 41, False),
    "backwards": piece(1, 370, 41, False) + piece(1, 185, 1480) + piece(1, 0, 1480),
    "largest": piece(0, 0, 65528) + piece(0, 8191, 7, False),
    "smallest-first": b"".join(piece(2, i, 8) for i in range(20)) + piece(2, 20, 1, False),
    "repeated": piece(0, 0, 800) * 2 + piece(0, 100, 1, False) * 2,
    "repeated-other-bytes": piece(0, 0, 800) + piece(0, 0, 800, True, True) + piece(0, 100, 1, False),
    "overlap": piece(3, 0, 800) + piece(3, 99, 800) + piece(3, 0, 800),
    "two-ends": piece(0, 100, 800, False) + piece(0, 100, 801, False),
    "behind-the-end": piece(0, 10, 8, False) + piece(0, 100, 8),
    "end-before-what-came": piece(0, 100, 8) + piece(0, 10, 8, False),
    "time-out": piece(0, 0, 8) + b"\x10\x75\x2f\0\0\0" + piece(1, 0, 8) + b"\x10\0\1\0\0\0" * 2
                + piece(0, 1, 8, False),
    "interleaved": b"".join(piece(w, o, 8, o < 2) for o in range(3) for w in range(4)),
}


# --- found by fuzzing ---

FOUND = {
    "frag": {},
    "ingress": {},
    "tcpflow": {
        # a FIN sent again, with a new ACK and a smaller window, which was not heeded
        "found-window-in-fin-again":
        "460e5423ab600603700008ea600403700008ea600603700008ea60060370000000ffff1cffffffff"
        "ff7ec44ceab8b003400e4c0a04e11c0300a00421ffffffffffffffffffff08ea600603700008ea60"
        "0603700008ea29c67f00000a",
        # our FIN acknowledged, then three equal ACKs: a byte before it was sent "again"
        "found-equal-acks-after-fin":
        "460e5423ab7000066008ea0360210340a1000cf60108ea410e8125ff0c000603700008ea60060370"
        "0008494949494949ed49494949494949020e0cff49ff49ff03700008ea600603ffff000000000064"
        "49494949020000004900444c0029c67f000029d800440a4c",
    },
}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "corpus")
    count = 0
    for target, seeds in (("frag", dict(FRAG)), ("ingress", ingress()),
                          ("tcpflow", tcpflow())):
        folder = os.path.join(root, target)
        os.makedirs(folder, exist_ok=True)
        for name, found in FOUND[target].items():
            seeds[name] = bytes.fromhex(found)
        for name, body in seeds.items():
            with open(os.path.join(folder, name), "wb") as out:
                out.write(body)
            count += 1
    print("%d seeds for 3 targets" % count)


if __name__ == "__main__":
    main()
