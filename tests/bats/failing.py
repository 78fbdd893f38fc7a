#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that fail: both ends of them. What a program saw is printed by the error's name.

failing.py connect ADDRESS PORT        "connected", or the error
failing.py many ADDRESS PORT N         N connections kept open: how many came to what, and the slowest
failing.py read ADDRESS PORT           reads as long as something comes: "end", or the error
failing.py write ADDRESS PORT          writes as long as it may: the error
failing.py reset ADDRESS PORT N        writes N bytes, then resets
failing.py keep-alive ADDRESS PORT N   idle for N seconds, keep-alive probes each second; then one echo
failing.py keep-waiting ADDRESS PORT   waits with such probes for what comes: the error
failing.py idle ADDRESS PORT N         idle for N seconds without any; then one echo
failing.py serve-reset PORT            sends until a write would wait, at most 4 MiB, then resets
failing.py serve-read-reset PORT       reads a megabyte, then resets
failing.py serve-ends PORT             reads; prints how each connection ended
"""
import collections
import errno
import socket
import struct
import sys
import time

CHUNK = bytes(1 << 16)


def name(error):
    return errno.errorcode.get(error.errno, "timed out")


def connect(address, port, timeout=20):
    return socket.create_connection((address, port), timeout)


def connect_only(address, port):
    connect(address, port).close()
    return "connected"


def many(address, port, n):
    kept, came_to, slowest = [], collections.Counter(), 0
    for _ in range(n):
        start = time.monotonic()
        try:
            kept.append(connect(address, port))
            came_to["connected"] += 1
        except OSError as e:
            came_to[name(e)] += 1
        slowest = max(slowest, time.monotonic() - start)
    return " ".join(f"{what}={count}" for what, count in sorted(came_to.items())) + f" slowest_ms={slowest * 1000:.0f}"


def read(address, port):
    s = connect(address, port)
    while s.recv(1 << 16):
        pass
    return "end"


def write(address, port):
    s = connect(address, port)
    while True:
        s.sendall(CHUNK)


def reset_on_close(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset(address, port, n):
    s = connect(address, port)
    s.sendall(bytes(n))
    reset_on_close(s)
    s.close()
    return "reset"


def echo_after(s, seconds):
    time.sleep(seconds)
    s.sendall(b"x")
    return "alive" if s.recv(1) == b"x" else "end"


def probing(address, port):
    s = connect(address, port)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL:
        s.setsockopt(socket.IPPROTO_TCP, option, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    return s


def keep_alive(address, port, seconds):
    return echo_after(probing(address, port), seconds)


def keep_waiting(address, port):
    return "end" if probing(address, port).recv(1) == b"" else "a byte"


def idle(address, port, seconds):
    return echo_after(connect(address, port), seconds)


def serve_reset(s):
    s.setblocking(False)
    try:
        for _ in range(64):
            s.send(CHUNK)
    except BlockingIOError:
        pass
    reset_on_close(s)


def serve_read_reset(s):
    got = 0
    while got < 1 << 20:
        got += len(s.recv(1 << 16))
    reset_on_close(s)


def serve_ends(s):
    try:
        while s.recv(1 << 16):
            pass
        print("end", flush=True)
    except OSError as e:
        print(name(e), flush=True)


def serve(handler, port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        s, _ = listener.accept()
        handler(s)
        s.close()


CLIENTS = {"connect": connect_only, "many": many, "read": read, "write": write, "reset": reset,
           "keep-alive": keep_alive, "keep-waiting": keep_waiting, "idle": idle}
SERVERS = {"serve-reset": serve_reset, "serve-read-reset": serve_read_reset, "serve-ends": serve_ends}


def main():
    if sys.argv[1] in SERVERS:
        serve(SERVERS[sys.argv[1]], int(sys.argv[2]))
    try:
        print(CLIENTS[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:])))
    except OSError as e:
        print(name(e))


main()
