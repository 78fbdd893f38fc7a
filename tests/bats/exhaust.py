#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes what there is: connections or UDP flows, and keeps them until standard input ends.

exhaust.py tcp ADDRESS PORT COUNT   prints "OPEN FAILED" after COUNT tries, at once refused or not
exhaust.py udp ADDRESS PORT COUNT   the same of flows that were answered
Then, for each line on standard input: whether those that stand still echo, "ALIVE of OPEN".
"""
import resource
import socket
import sys


def try_one(kind, where):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(3)
    try:
        s.connect(where)
        s.send(b"x")
        if s.recv(1) == b"x":
            s.settimeout(30)
            return s
    except OSError:
        pass
    s.close()
    return None


def echoes(s):
    try:
        s.send(b"y")
        return s.recv(1) == b"y"
    except OSError:
        return False


def main():
    kind, where, count = sys.argv[1], (sys.argv[2], int(sys.argv[3])), int(sys.argv[4])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    kept = []
    failed = 0
    for _ in range(count):
        s = try_one(kind, where)
        if s:
            kept.append(s)
        else:
            failed += 1
            if failed >= 20:
                break
    print(len(kept), failed, flush=True)
    for _ in sys.stdin:
        print(sum(map(echoes, kept)), "of", len(kept), flush=True)


main()
