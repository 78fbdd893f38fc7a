#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Urgent data (MSG_OOB): the byte is urgent at the other end, and its mark where it was.

oob.py server PORT             answers with what came, the same byte urgent
oob.py client ADDRESS PORT N   N bytes, an urgent one, N more; all must come back so
"""
import fcntl
import os
import select
import socket
import struct
import sys

SIOCATMARK = 0x8905
PATIENCE = 60


def at_mark(sock):
    return struct.unpack("i", fcntl.ioctl(sock, SIOCATMARK, struct.pack("i", 0)))[0]


def urgent_byte(sock):
    """The mark can be known before the byte is there."""
    try:
        return sock.recv(1, socket.MSG_OOB)
    except BlockingIOError:
        return b""


def read_all(sock):
    """What came in line, the urgent byte, and how many bytes were before it."""
    data, urgent, mark = bytearray(), b"", None
    sock.setblocking(False)
    while True:
        ready, _, special = select.select([sock], [], [] if urgent else [sock], PATIENCE)
        if not ready and not special:
            sys.exit("oob.py: nothing comes")
        if at_mark(sock):
            mark = len(data)
        if special or (mark == len(data) and not urgent):
            urgent = urgent_byte(sock)
            if mark == len(data) and not urgent:
                continue
        try:
            piece = sock.recv(1 << 16)
        except BlockingIOError:
            continue
        if not piece:
            sock.setblocking(True)
            return bytes(data), urgent, mark
        data += piece


def send_all(sock, before, urgent, behind):
    sock.sendall(before)
    sock.send(urgent, socket.MSG_OOB)
    sock.sendall(behind)
    sock.shutdown(socket.SHUT_WR)


def server(port):
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        while True:
            sock, _ = listener.accept()
            with sock:
                data, urgent, mark = read_all(sock)
                # Without a mark an answer of another length.
                send_all(sock, data[:mark or 0], urgent or b"?", data[mark or 0:])


def client(address, port, n):
    data = os.urandom(2 * n)
    with socket.create_connection((address, port), PATIENCE) as sock:
        send_all(sock, data[:n], b"!", data[n:])
        got, urgent, mark = read_all(sock)
    if (got, urgent, mark) != (data, b"!", n):
        sys.exit(f"oob.py: {len(got)} bytes of {2 * n} came {'back' if got == data else 'changed'},"
                 f" {urgent} behind {mark}")


if sys.argv[1] == "server":
    server(int(sys.argv[2]))
else:
    client(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
