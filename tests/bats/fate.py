#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How a connection ends for who only waits: prints "open", then "end" or "reset".

fate.py connect ADDRESS PORT
fate.py listen PORT             of the first connection
fate.py slow PORT FILE          of the first one, read only once FILE is there; prints "BYTES HOW"
"""
import os
import socket
import sys
import time


def listen(port):
    s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return s.accept()[0]


def drain(s):
    n = 0
    try:
        while data := s.recv(65536):
            n += len(data)
        return n, "end"
    except OSError:
        return n, "reset"


how = sys.argv[1]
if how == "connect":
    conn = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    conn.sendall(b"x")
else:
    conn = listen(int(sys.argv[2]))
print("open", flush=True)
while how == "slow" and not os.path.exists(sys.argv[3]):
    time.sleep(0.05)
n, end = drain(conn)
print(f"{n} {end}" if how == "slow" else end, flush=True)
