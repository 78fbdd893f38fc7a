#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors, path MTUs and IP headers as programs see them. Exit 0 only if it is as said.

errors.py refused ADDRESS PORT          UDP: port unreachable from the far end itself
errors.py queue ADDRESS PORT ERRNO TYPE CODE OFFENDER
                                        UDP: what the error queue (IP_RECVERR) then has
errors.py path ADDRESS PORT SIZE MTU    UDP: one datagram of SIZE finds the path's MTU; one
                                        of that size is echoed
errors.py header ADDRESS PORT HOPS      UDP: hop limit, DSCP, ECN and DF of many datagrams
                                        arrive as they were sent, HOPS less, both ways
errors.py stands ADDRESS PORT BEGIN END TCP: sends a byte once the file BEGIN is there, reads its
                                        echo once END is; prints a line when connected
errors.py leave ADDRESS PORT            UDP: sends one datagram and is gone

errors.py header-server PORT            the far end of `header`
errors.py late-server PORT              answers the first datagram's sender again and again,
                                        and prints the error it gets for it
"""
import errno
import os
import socket
import struct
import sys
import time

V4, V6 = socket.AF_INET, socket.AF_INET6
ETH_P_IP, SOL_ICMP_ORIGIN = 0x0800, {V4: 2, V6: 3}


class Names:
    """One option by its two names; numbers where Python has no name (linux/in.h, in6.h)."""

    def __init__(self, family):
        v4 = family == V4
        self.level = socket.IPPROTO_IP if v4 else socket.IPPROTO_IPV6
        self.ttl, self.set_ttl = (2, 2) if v4 else (52, 16)
        self.tos = 1 if v4 else 67
        self.want = (12, 13) if v4 else (51, 66)
        self.recverr = 11 if v4 else 25
        self.mtu = 14 if v4 else 24
        self.mtu_discover = 10 if v4 else 23


def must(condition, text):
    if not condition:
        sys.exit(f"errors.py: {text}")


def udp(address, port):
    family = V6 if ":" in address else V4
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.connect((address, port))
    s.settimeout(2)
    return s, Names(family)


def refused(address, port):
    s, _ = udp(address, port)
    start = time.monotonic()
    s.send(b"x")
    try:
        s.recv(10)
        sys.exit("an answer came")
    except ConnectionRefusedError:
        must(time.monotonic() - start < 0.5, "late")


def read_queue(s, name, timeout=2):
    """errno, origin, type, code, info, offender, data of the oldest entry"""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            data, control, _, _ = s.recvmsg(2000, 500, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        for level, kind, body in control:
            if (level, kind) != (name.level, name.recverr):
                continue
            fields = struct.unpack("=IBBBxII", body[:16])
            offender = socket.inet_ntop(s.family, body[20:24] if s.family == V4 else body[24:40])
            return fields[0], fields[1], fields[2], fields[3], fields[4], offender, data
    sys.exit("errors.py: nothing in the error queue")


def queue(address, port, number, kind, code, offender):
    s, name = udp(address, port)
    s.setsockopt(name.level, name.recverr, 1)
    sent = bytes(i % 251 for i in range(400))
    s.send(sent)
    got = read_queue(s, name)
    wanted = (getattr(errno, number), SOL_ICMP_ORIGIN[s.family], int(kind), int(code))
    must(got[:4] == wanted, f"got {got[:4]}, wanted {wanted}")
    must(got[5] == offender, f"from {got[5]}")
    must(len(got[6]) == 400 and got[6] == sent, f"quotes {len(got[6])} bytes, or others")


def path(address, port, size, mtu):
    s, name = udp(address, port)
    headers = 28 if s.family == V4 else 48
    s.setsockopt(name.level, name.mtu_discover, 2)
    s.setsockopt(name.level, name.recverr, 1)
    s.send(bytes(int(size)))
    got = read_queue(s, name)
    must(got[0] == errno.EMSGSIZE and got[4] == int(mtu), f"heard {got[:6]}")
    must(s.getsockopt(name.level, name.mtu) == int(mtu), "the path's MTU is another")
    data = bytes(i % 253 for i in range(int(mtu) - headers))
    s.send(data)
    must(s.recv(2000) == data, "not echoed")
    try:
        s.send(data + b"x")
        sys.exit("errors.py: one byte more was taken")
    except OSError as e:
        must(e.errno == errno.EMSGSIZE, e)


def headers_of(control, name):
    values = {kind: body for level, kind, body in control if level == name.level}
    return values[name.ttl][0], values[name.tos][0]


def header(address, port, hops):
    """Each datagram says with which header it shall be answered."""
    s, name = udp(address, port)
    for option in name.want:
        s.setsockopt(name.level, option, 1)
    cases = [(64, 0, 2), (64, 0, 2), (30, 0xB8, 2), (200, 0xBB, 2), (64, 1, 0), (64, 2, 0),
             (255, 0xFF, 2), (64, 0, 0)]
    for ttl, tos, df in cases:
        s.setsockopt(name.level, name.set_ttl, ttl)
        s.setsockopt(name.level, name.tos, tos)
        s.setsockopt(name.level, name.mtu_discover, df)
        s.send(b"%d %d" % (ttl, tos))
        data, control, _, _ = s.recvmsg(100, 200)
        wanted = "%d %d %d" % (ttl - int(hops), tos, df != 0 or s.family == V6)
        must(data.decode() == wanted, f"there came {data}, wanted {wanted}")
        got = headers_of(control, name)
        must(got == (ttl - int(hops), tos), f"back came {got}, wanted {ttl - int(hops)}, {tos}")


def until(file):
    while not os.path.exists(file):
        time.sleep(0.02)


def stands(address, port, begin, end):
    s = socket.create_connection((address, port), 10)
    s.sendall(b"a")
    must(s.recv(1) == b"a", "no echo")
    print("up", flush=True)
    until(begin)
    s.sendall(b"b")
    until(end)
    must(s.recv(1) == b"b", "no echo afterwards")


def leave(address, port):
    s, _ = udp(address, port)
    s.send(b"bye")
    s.close()


def header_server(port):
    """DF is seen by a packet socket only."""
    socks = []
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    for family in (V4, V6):
        name = Names(family)
        s = socket.socket(family, socket.SOCK_DGRAM)
        if family == V6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in name.want:
            s.setsockopt(name.level, option, 1)
        s.bind(("", int(port)))
        s.settimeout(0.05)
        socks.append((s, name))
    while True:
        for s, name in socks:
            try:
                data, control, _, peer = s.recvmsg(100, 200)
            except socket.timeout:
                continue
            df = True
            while s.family == V4:
                packet = raw.recv(2000)
                if packet[9] == 17 and struct.unpack("!H", packet[22:24])[0] == int(port):
                    df = bool(packet[6] & 0x40)
                    break
            ttl, tos = (int(v) for v in data.split())
            s.sendmsg([b"%d %d %d" % (*headers_of(control, name), df)],
                      [(name.level, name.ttl, struct.pack("i", ttl)),
                       (name.level, name.tos, struct.pack("i", tos))], 0, peer)


def late_server(port):
    s = socket.socket(V6, socket.SOCK_DGRAM)
    s.bind(("", int(port)))
    s.settimeout(5)
    _, peer = s.recvfrom(100)
    s.connect(peer)
    for _ in range(100):
        time.sleep(0.05)
        try:
            s.send(b"are you there?")
        except OSError as e:
            print(errno.errorcode[e.errno], flush=True)
            return
    print("nothing", flush=True)


def main():
    arguments = sys.argv[2:]
    if len(arguments) > 1:
        arguments[1] = int(arguments[1])
    globals()[sys.argv[1].replace("-", "_")](*arguments)


main()
