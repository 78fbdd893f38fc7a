#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In the container: connects again and again and says when it worked, and what became of a
# connection that stood. usage: recovery.py ADDRESS PORT COUNT; reads a line for each
# round, "KILL-TIME" in ns of CLOCK_MONOTONIC; answers "FIRST-MS OLD" where OLD is how
# the old connection ended: reset, end, or silent.
import socket
import sys
import time


def connect(where, patience):
    s = socket.create_connection(where, timeout=patience)
    s.sendall(b"x")
    if s.recv(1) != b"x":
        raise OSError("no echo")
    return s


def first(where, since):
    """Milliseconds from since until a new connection carries data."""
    while True:
        try:
            connect(where, 10).close()
            return (time.monotonic_ns() - since) / 1e6
        except OSError:
            if time.monotonic_ns() - since > 20e9:
                return -1.0


def fate(old):
    old.settimeout(5)
    try:
        old.sendall(b"y")
        return "end" if old.recv(1) == b"" else "alive"
    except socket.timeout:
        return "silent"
    except OSError:
        return "reset"


def main():
    where = (sys.argv[1], int(sys.argv[2]))
    for _ in range(int(sys.argv[3])):
        old = connect(where, 10)
        print("ready", flush=True)
        since = int(sys.stdin.readline())
        print(f"{first(where, since):.1f} {fate(old)}", flush=True)
        old.close()


main()
