#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients and starters of the broker that no front end is.

usage: broker.py silent SOCKET              a hundred connections that say nothing
       broker.py nonsense SOCKET            requests of the wrong size, words and descriptors
       broker.py activate SOCKET PROGRAM... executes it as systemd does, with a listening socket
"""
import array
import os
import socket
import struct
import sys
import time

MAGIC = 0x43504232


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect(path)
    return s


def silent(path):
    held = [connect(path) for _ in range(100)]
    time.sleep(60)
    return held


def nonsense(path):
    null = os.open("/dev/null", os.O_RDONLY)
    for text, fds in (
        (b"", 0), (b"x", 0), (struct.pack("III", MAGIC, 1, 0), 0),
        (struct.pack("III", MAGIC, 99, 3), 2), (struct.pack("III", MAGIC, 1, 0x1F), 4),
        (struct.pack("III", MAGIC, 2, 3), 3), (struct.pack("III", MAGIC, 2, 3), 40),
        (struct.pack("III", 1, 2, 3), 2), (b"y" * 100000, 1),
    ):
        s = connect(path)
        hello = s.recv(65536)
        assert struct.unpack_from("I", hello)[0] == MAGIC, hello[:16]
        rights = array.array("i", [null] * fds)
        if text:
            s.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if fds else [])
        else:
            s.close()
            continue
        assert s.recv(65536) == b"", "was answered: %r" % text[:40]
    # Well-formed, but what it hands over is none of what it should be.
    s = connect(path)
    s.recv(65536)
    rights = array.array("i", [null] * 5)
    s.sendmsg([struct.pack("III", MAGIC, 1, 0x1F)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    answer = s.recv(65536)
    assert b"not a network namespace" in answer, answer


def activate(path, *program):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    s.listen(16)
    os.dup2(s.fileno(), 3)
    os.set_inheritable(3, True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="broker")
    os.execv(program[0], program)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
