#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""IP packets that no kernel sends unasked, and what must come back. Exit 0 only then.

ipfrag.py orders IFNAME PEER4 PEER6         fragments in all orders: each datagram is answered
ipfrag.py tcp IFNAME PEER4 PEER6            a SYN in fragments is answered
ipfrag.py overlaps IFNAME PEER4 PEER6       none of these datagrams is answered
ipfrag.py flood IFNAME PEER4 PEER6 N        N first pieces of N datagrams
ipfrag.py time-out IFNAME PEER4 PEER6       time exceeded comes for each family, after 30 s
ipfrag.py refused IFNAME PEER4 PEER6        each kind of refusal, with its pointer
ipfrag.py refused-flood IFNAME PEER4 PEER6 N
Run inside the container, as its root; the peer echoes on UDP port 7.
"""
import itertools
import select
import socket
import struct
import sys
import time

import fcntl

UDP, TCP, FRAGMENT = 17, 6, 44


def cksum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def must(condition, text):
    if not condition:
        sys.exit(f"ipfrag.py: {text}")


class Wire:
    def __init__(self, ifname, peer4, peer6):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.bind((ifname, 0))
        self.mac = fcntl.ioctl(self.sock, 0x8927, ifname.encode().ljust(40, b"\0"))[18:24]
        self.own, self.peer = {}, {4: self.pton(peer4), 6: self.pton(peer6)}
        for v, peer in (4, peer4), (6, peer6):
            s = socket.socket(socket.AF_INET if v == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
            s.connect((peer, 7))
            self.own[v] = self.pton(s.getsockname()[0])
        self.id = int(time.time() * 10) & 0x7FFF

    @staticmethod
    def pton(text):
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)

    def ip(self, v, proto, body, dst=None, frag=0, ident=0):
        dst = dst or self.peer[v]
        if v == 4:
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident, frag, 64, proto, 0)
            head += self.own[4] + dst
            head = head[:10] + struct.pack("!H", cksum(head)) + head[12:]
        else:
            head = struct.pack("!IHBB", 6 << 28, len(body), proto, 64) + self.own[6] + dst
        return head + body

    def piece(self, v, proto, whole, start, end, more, ident):
        """Bytes start..end of a datagram."""
        body = whole[start:end]
        if v == 4:
            return self.ip(4, proto, body, frag=start // 8 | more << 13, ident=ident)
        return self.ip(6, FRAGMENT, struct.pack("!BBHI", proto, 0, start | more, ident) + body)

    def send(self, packet):
        etype = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
        self.sock.send(b"\2\0\0\0\0\1" + self.mac + struct.pack("!H", etype) + packet)

    def sealed(self, v, proto, segment, at):
        pseudo = self.own[v] + self.peer[v] + struct.pack("!IHBB", len(segment), 0, 0, proto)
        return segment[:at] + struct.pack("!H", cksum(pseudo + segment) or 0xFFFF) + segment[at + 2:]

    def udp(self, v, sport, data):
        return self.sealed(v, UDP, struct.pack("!HHHH", sport, 7, 8 + len(data), 0) + data, 6)

    def next_id(self):
        self.id = (self.id + 1) & 0xFFFF
        return self.id

    def packets(self, seconds):
        """IP packets to us that the interface receives, for that time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.sock], [], [], left)[0]:
                frame = self.sock.recv(70000)
                if frame[:6] == self.mac:
                    yield frame[14:]

    def wait(self, seconds, test):
        return next((p for p in self.packets(seconds) if test(p)), None)


def upper(packet):
    """Version, protocol and what is behind the headers (one Fragment header at most)."""
    if packet[0] >> 4 == 4:
        return 4, packet[9], packet[20:]
    if packet[6] == FRAGMENT:
        return 6, packet[40], packet[48:]
    return 6, packet[6], packet[40:]


def is_udp_to(port):
    def test(packet):
        _, proto, body = upper(packet)
        return proto == UDP and body[2:4] == struct.pack("!H", port)
    return test


def is_icmp(v, kind, code, pointer=None):
    def test(packet):
        version, proto, body = upper(packet)
        if version != v or proto != (1 if v == 4 else 58) or body[:2] != bytes([kind, code]):
            return False
        return pointer is None or struct.unpack("!I", body[4:8])[0] == pointer
    return test


def orders(w):
    port = 20000
    edges = [(0, 1000, 1), (1000, 2000, 1), (2000, 2708, 0)]
    for v in 4, 6:
        for order in itertools.permutations(edges):
            port += 1
            whole, ident = w.udp(v, port, bytes(i % 251 for i in range(2700))), w.next_id()
            for start, end, more in order:
                w.send(w.piece(v, UDP, whole, start, end, more, ident))
            must(w.wait(2, is_udp_to(port)), f"IPv{v}, order {order}: no answer")


def tcp(w):
    for v in 4, 6:
        segment = struct.pack("!HHIIBBHHH", 20100 + v, 7, 1000, 0, 0xA0, 2, 65535, 0, 0)
        segment += b"\2\4\5\xa0" + b"\1" * 16
        segment, ident = w.sealed(v, TCP, segment, 16), w.next_id()
        w.send(w.piece(v, TCP, segment, 0, 24, 1, ident))
        w.send(w.piece(v, TCP, segment, 24, 40, 0, ident))
        answer = w.wait(2, lambda p: upper(p)[1] == TCP and upper(p)[2][2:4] ==
                        struct.pack("!H", 20100 + v))
        must(answer and upper(answer)[2][13] & 0x12 == 0x12, f"IPv{v}: no SYN-ACK")


def overlaps(w):
    cases = [
        [(0, 1000, 1), (992, 2000, 1), (2000, 2708, 0)],
        [(1000, 2000, 1), (0, 1008, 1), (2000, 2708, 0)],
        [(0, 1000, 1), (2000, 2708, 0), (2000, 2700, 0), (1000, 2000, 1)],
        [(0, 1000, 1), (2000, 2708, 0), (2704, 2712, 1), (1000, 2000, 1)],
    ]
    port = 21000
    for v in 4, 6:
        for case in cases:
            port += 1
            whole, ident = w.udp(v, port, bytes(i % 251 for i in range(2700))) + bytes(8), w.next_id()
            for start, end, more in case:
                w.send(w.piece(v, UDP, whole, start, end, more, ident))
    must(not w.wait(1, lambda p: upper(p)[1] == UDP), "one of them was answered")


def flood(w, n):
    for i in range(int(n)):
        whole = w.udp(4, 22000, bytes(1400))
        try:
            w.send(w.piece(4, UDP, whole, 0, 1400, 1, i & 0xFFFF))
        except OSError:
            time.sleep(0.001)


def time_out(w):
    for v in 4, 6:
        w.send(w.piece(v, UDP, w.udp(v, 23000, bytes(2000)), 0, 1000, 1, w.next_id()))
    left = {4: is_icmp(4, 11, 1), 6: is_icmp(6, 3, 1)}
    start = time.monotonic()
    for packet in w.packets(35):
        for v in list(left):
            if left[v](packet):
                must(time.monotonic() - start > 29, "too early")
                del left[v]
        if not left:
            return
    sys.exit(f"no time exceeded for {list(left)}")


def refused(w):
    udp = w.udp(6, 24000, b"x")
    cases = [
        ("SCTP", w.ip(4, 132, bytes(12)), is_icmp(4, 3, 2)),
        ("GRE", w.ip(4, 47, bytes(12)), is_icmp(4, 3, 2)),
        ("SCTP", w.ip(6, 132, bytes(12)), is_icmp(6, 4, 1, 6)),
        ("ESP", w.ip(6, 50, bytes(20)), is_icmp(6, 4, 1, 6)),
        ("unknown option", w.ip(6, 0, b"\x11\0\x9e\4\0\0\0\0" + udp), is_icmp(6, 4, 2, 42)),
        ("routing type 0", w.ip(6, 43, b"\x11\2\0\1" + bytes(4) + w.peer[6] + udp), is_icmp(6, 4, 0, 42)),
        ("hop-by-hop second", w.ip(6, 60, b"\0\0\1\4\0\0\0\0\x11\0\1\4\0\0\0\0" + udp), is_icmp(6, 4, 1, 40)),
        ("first fragment without header",
         w.ip(6, FRAGMENT, struct.pack("!BBHI", TCP, 0, 1, w.next_id()) + bytes(8)), is_icmp(6, 4, 3)),
    ]
    for name, packet, test in cases:
        w.send(packet)
        must(w.wait(2, test), f"{name}: no such error came")
    w.send(w.ip(6, 0, b"\x11\0\x1e\4\0\0\0\0" + w.udp(6, 24001, b"x")))
    must(w.wait(2, is_udp_to(24001)), "an option that may be skipped was not")


def refused_flood(w, n):
    for _ in range(int(n)):
        try:
            w.send(w.ip(4, 132, bytes(12)))
        except OSError:
            pass


def main():
    verb, ifname, peer4, peer6 = sys.argv[1:5]
    globals()[verb.replace("-", "_")](Wire(ifname, peer4, peer6), *sys.argv[5:])


main()
