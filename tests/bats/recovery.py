#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of the engine, and when a new connection works.

recovery.py kill MAIN COUNT APART   on the host, as root: kills the child passt-engine of MAIN so many
                                    times, so many seconds apart; figures on descriptor 3
recovery.py wait ADDRESS PORT       in the container: of an echo server there. Each round it has a
                                    connection that only waits, and connects as soon as it hears of
                                    the kill
Standard input and output of both are joined: "ready", then the time of the kill in ns of
CLOCK_MONOTONIC, then "FIRST-MS FATE FATE-MS": when a new connection carried data, and how
the old one ended (reset, end, alive, silent) and when.
"""
import os
import select
import signal
import socket
import statistics
import sys
import time

PATIENCE = 20


def since(start):
    return (time.monotonic_ns() - start) / 1e6


def connect(where):
    s = socket.create_connection(where, timeout=PATIENCE)
    s.sendall(b"x")
    if s.recv(1) != b"x":
        raise OSError("no echo")
    return s


def first(where, start):
    while since(start) < PATIENCE * 1000:
        try:
            connect(where).close()
            return since(start)
        except OSError:
            continue
    return float("inf")


def fate(old, start):
    """Nothing is sent: only who is told hears of it."""
    if not select.select([old], [], [], 10)[0]:
        return "silent", since(start)
    try:
        return ("end" if old.recv(1) == b"" else "alive"), since(start)
    except OSError:
        return "reset", since(start)


def wait(where):
    while True:
        old = connect(where)
        print("ready", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        start = int(line)
        new = first(where, start)
        how, when = fate(old, start)
        print(f"{new:.1f} {how} {when:.1f}", flush=True)
        old.close()


def engine_of(main):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                name, rest = f.read().split("(", 1)[1].rsplit(") ", 1)
        except OSError:
            continue
        if name == "passt-engine" and rest.split()[:2] != ["Z", main] and rest.split()[1] == main:
            return int(pid)
    return None


def kill(main, count, apart):
    new, fates, told = [], {}, []
    for _ in range(count):
        if sys.stdin.readline() != "ready\n":
            break
        time.sleep(apart)
        engine = engine_of(main)
        while engine is None:
            time.sleep(0.01)
            engine = engine_of(main)
        start = time.monotonic_ns()
        os.kill(engine, signal.SIGKILL)
        print(start, flush=True)
        ms, how, when = sys.stdin.readline().split()
        new.append(float(ms))
        fates[how] = fates.get(how, 0) + 1
        told.append(float(when))
    new.sort()
    with os.fdopen(3, "w") as out:
        print(f"kill -9 of the engine, {len(new)} times: a new connection after"
              f" {statistics.median(new):.1f} ms (median), {new[int(len(new) * 0.95)]:.1f} (95 %),"
              f" {new[-1]:.1f} (worst)", file=out)
        print("connection that waited:", ", ".join(f"{k} {v}" for k, v in fates.items()),
              f"after {statistics.median(told):.1f} ms (median), {max(told):.1f} (worst)", file=out)
    return new, fates


if sys.argv[1] == "wait":
    wait((sys.argv[2], int(sys.argv[3])))
else:
    kill(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
