#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Multicast and broadcast by hand, one side at a time. Exit 0 only if all came.

group.py answer LINK GROUP PORT       a member on LINK: answers each datagram that it gets, by
                                      unicast, with "answer:" and the hop limit it came with
group.py ask LINK GROUP PORT          sends to the group; prints the answers of one second
group.py ask-ttl LINK GROUP PORT TTL  the same with that hop limit
group.py hear LINK GROUP PORT SAY     a member: sends SAY to the group if not empty, then prints
                                      the first other datagram, and whom it is from
group.py say LINK GROUP PORT TEXT     sends TEXT to the group
group.py join LINK GROUP SECONDS      is a member for so long
GROUP may be a broadcast address.
"""
import socket
import struct
import sys
import time


def is_group(address):
    return ":" in address or 224 <= int(address.split(".")[0]) < 240


def opened(link, group, port, bind):
    six = ":" in group
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    index = socket.if_nametoindex(link)
    if six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, 51, 1)       # IPV6_RECVHOPLIMIT
    else:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), index))
        s.setsockopt(socket.IPPROTO_IP, 12, 1)         # IP_RECVTTL
    if bind:
        s.bind(("::" if six else "", port))
    return s, index


def join(s, group, index):
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                     struct.pack("16sI", socket.inet_pton(socket.AF_INET6, group), index))
    elif is_group(group):
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     struct.pack("4s4si", socket.inet_aton(group), bytes(4), index))


def received(s):
    data, control, _, peer = s.recvmsg(65536, 100)
    return data, peer, struct.unpack("i", control[0][2][:4])[0] if control else 0


def to(group, port, index):
    return (group, port, 0, index) if ":" in group else (group, port)


def main():
    verb, link, group, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    s, index = opened(link, group, port, verb in ("answer", "hear"))
    if verb in ("answer", "hear"):
        join(s, group, index)
    if verb == "join":
        join(s, group, index)
        time.sleep(port)
    if verb == "answer":
        while True:
            data, peer, ttl = received(s)
            s.sendto(b"answer:%s:%d" % (data, ttl), peer)
    if verb in ("ask", "ask-ttl"):
        if verb == "ask-ttl":
            ttl = int(sys.argv[5])
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        s.sendto(b"question", to(group, port, index))
        end = time.monotonic() + 1
        answers = 0
        while (left := end - time.monotonic()) > 0:
            s.settimeout(left)
            try:
                data, peer, _ = received(s)
            except socket.timeout:
                break
            print(data.decode(), peer[0].split("%")[0], flush=True)
            answers += 1
        sys.exit(not answers)
    if verb == "say":
        s.sendto(sys.argv[5].encode(), to(group, port, index))
    if verb == "hear":
        s.settimeout(5)
        if sys.argv[5]:
            s.sendto(sys.argv[5].encode(), to(group, port, index))
        while True:
            data, peer, _ = received(s)
            if data != sys.argv[5].encode():
                print(data.decode(), peer[0].split("%")[0], flush=True)
                return


main()
