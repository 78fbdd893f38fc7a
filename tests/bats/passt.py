#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual machine's end of passt's socket, without the machine.

passt.py pieces SOCKET SIZE    three ARP requests, in writes of SIZE bytes: "3 replies"
passt.py nonsense SOCKET HEX   sends those bytes behind a request: "1 replies, closed"
passt.py second SOCKET         connects: "closed" or "served"
passt.py deaf SOCKET COUNT     COUNT requests, and reads nothing meanwhile; then whatever came:
                               "N replies" when the stream was whole frames to its end
passt.py hold SOCKET           connects, says "connected", stays
passt.py ended SOCKET          connects, and when that ends, again at once: "the path is free" or
                               "another one listens there"
passt.py fd PROGRAM OPTION...  starts PROGRAM OPTION... --fd N with a connection of its own, has
                               it answer, closes, and says how it ended: "3 replies, status 0"
"""
import os
import socket
import struct
import subprocess
import sys
import time

MAC = bytes.fromhex("525400000001")
US = socket.inet_aton("203.0.113.2")
GATEWAY = socket.inet_aton("203.0.113.1")


def framed(frame):
    return struct.pack("!I", len(frame)) + frame


def request():
    return framed(b"\xff" * 6 + MAC + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) +
                  MAC + US + bytes(6) + GATEWAY + bytes(18))


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    return s


class Reader:
    def __init__(self, s):
        self.s, self.rest = s, b""

    def frame(self, patience):
        """The next frame; None: none came in that time; b"": the end."""
        self.s.settimeout(patience)
        while True:
            if len(self.rest) >= 4:
                size = struct.unpack_from("!I", self.rest)[0]
                assert 14 <= size <= 65600, "a frame of %d bytes" % size
                if len(self.rest) >= 4 + size:
                    frame, self.rest = self.rest[4:4 + size], self.rest[4 + size:]
                    return frame
            try:
                more = self.s.recv(1 << 18)
            except socket.timeout:
                assert not self.rest, "half a frame, and no more"
                return None
            except ConnectionResetError:
                return b""
            if not more:
                return b""
            self.rest += more

    def replies(self, count, patience=5):
        """How many ARP replies came, of so many; and whether that was the end."""
        n = 0
        while n < count:
            frame = self.frame(patience)
            if not frame:
                return n, frame == b""
            n += frame[12:14] == b"\x08\x06" and frame[:6] == MAC and frame[20:22] == b"\0\2"
        return n, False


def pieces(path, size):
    s = connect(path)
    data = request() * 3
    for at in range(0, len(data), int(size)):
        s.sendall(data[at:at + int(size)])
        if int(size) < 16:
            time.sleep(0.001)	# so that each is read by itself
    print("%d replies" % Reader(s).replies(3)[0])


def nonsense(path, text):
    s = connect(path)
    s.sendall(request() + bytes.fromhex(text))
    r = Reader(s)
    n, ended = r.replies(1000)
    print("%d replies, %s" % (n, "closed" if ended else "open"))


def second(path):
    s = connect(path)
    try:
        s.sendall(request())
        n, ended = Reader(s).replies(1)
    except BrokenPipeError:
        n, ended = 0, True
    print("served" if n else "closed" if ended else "neither")


def deaf(path, count):
    s = connect(path)
    s.settimeout(30)
    for _ in range(int(count) // 100):
        s.sendall(request() * 100)
    print("sent", flush=True)
    sys.stdin.readline()
    print("%d replies" % Reader(s).replies(int(count), 1)[0])


def hold(path):
    s = connect(path)
    print("connected", flush=True)
    sys.stdin.readline()
    s.close()


def ended(path):
    s = connect(path)
    print("connected", flush=True)
    try:
        while s.recv(65536):
            pass
    except ConnectionResetError:
        pass
    try:
        connect(path)
        print("another one listens there")
    except OSError:
        print("the path is free")


def fd(*command):
    ours, theirs = socket.socketpair()
    p = subprocess.Popen([*command, "--fd", str(theirs.fileno())], pass_fds=[theirs.fileno()])
    theirs.close()
    ours.settimeout(10)
    ours.sendall(request() * 3)
    n, _ = Reader(ours).replies(3)
    ours.close()
    print("%d replies, status %d" % (n, p.wait(10)))


if __name__ == "__main__":
    {"pieces": pieces, "nonsense": nonsense, "second": second, "deaf": deaf, "hold": hold,
     "ended": ended, "fd": fd}[sys.argv[1]](*sys.argv[2:])
