#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program in the container does, and what it must see. Exit 0 only then.

client.py refused ADDRESS PORT        ECONNREFUSED within half a second
client.py unreachable ADDRESS PORT    an error other than a time-out, within 3 s
client.py reset ADDRESS PORT          ECONNRESET after one byte
client.py half-close ADDRESS PORT N   sends N bytes, closes its sending side, then reads
                                      the right hash and a tail of 1000000 bytes
client.py late-send ADDRESS PORT N    reads to the end, then sends N bytes; prints their hash
client.py typing ADDRESS PORT N       N single bytes, each echoed; prints the worst time in ms
client.py bulk-and-typing ADDRESS PORT SINK_PORT
                                      typing while a bulk upload runs beside it
client.py fill ADDRESS PORT N         N connections, each full; says so, ends with its input
client.py udp-sizes ADDRESS PORT SIZE...   each datagram comes back as it went
client.py udp-nfs ADDRESS PORT SIZE COUNT  COUNT requests of SIZE, one after the other
client.py udp-short-flows ADDRESS PORT N   a datagram from each of N ports (10000 on); most come back
client.py udp-gso ADDRESS PORT SIZE COUNT  COUNT segments of SIZE in one send, each comes back
client.py udp-one-port ADDRESS SOURCE PORT...  one socket at port SOURCE; what the servers (whoami) see
client.py udp-refused ADDRESS PORT    ECONNREFUSED by ICMP within half a second
client.py slow-echo ADDRESS PORT N    one byte each tenth of a second, N times, each echoes
client.py many ADDRESS PORT N         N connections at once, each echoes
client.py abort ADDRESS PORT          sends one byte, hears it echoed, resets the connection
client.py deaf-send ADDRESS PORT N    sends N bytes when its memory for what it does not read is full
client.py never-read ADDRESS PORT     connects, says nothing, reads nothing, for an hour
"""
import errno
import hashlib
import os
import socket
import struct
import sys
import threading
import time

UDP_SEGMENT = 103


def connect(address, port, timeout=10):
    return socket.create_connection((address, port), timeout)


def must(condition, text):
    if not condition:
        sys.exit(f"client.py: {text}")


def refused(address, port):
    start = time.monotonic()
    try:
        connect(address, port, 3)
        sys.exit("connected")
    except OSError as e:
        took = time.monotonic() - start
        must(e.errno == errno.ECONNREFUSED, f"not refused: {e}")
        must(took < 0.5, f"refused after {took:.2f} s")


def unreachable(address, port):
    start = time.monotonic()
    try:
        connect(address, port, 3)
        sys.exit("connected")
    except (TimeoutError, socket.timeout):
        sys.exit("timed out")
    except OSError as e:
        print(e, f"{time.monotonic() - start:.3f} s")


def reset(address, port):
    try:
        s = connect(address, port)
        s.sendall(b"x")
        data = s.recv(1)
        sys.exit(f"no reset: read {data!r}")
    except (ConnectionResetError, BrokenPipeError):
        pass


def half_close(address, port, n):
    data = os.urandom(n)
    s = connect(address, port, 60)
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    back = b""
    while chunk := s.recv(1 << 16):
        back += chunk
    digest, tail = back.split(b"\n", 1)
    must(digest.decode() == hashlib.sha256(data).hexdigest(), "the hash is wrong")
    must(tail == b"x" * 1000000, f"the tail has {len(tail)} bytes")


def late_send(address, port, n):
    data = os.urandom(n)
    s = connect(address, port, 60)
    back = b""
    while chunk := s.recv(1 << 16):
        back += chunk
    must(back == b"hello\n", f"read {back!r}")
    time.sleep(0.3)
    s.sendall(data)
    s.close()
    print(hashlib.sha256(data).hexdigest())


def typing(address, port, n):
    s = connect(address, port)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    worst = 0
    for i in range(n):
        start = time.monotonic()
        s.sendall(bytes([i % 256]))
        must(s.recv(1) == bytes([i % 256]), "another byte came back")
        worst = max(worst, time.monotonic() - start)
    print(f"{worst * 1000:.0f}")


def bulk_and_typing(address, port, sink):
    stop = threading.Event()

    def bulk():
        s = connect(address, sink)
        data = bytes(1 << 18)
        while not stop.is_set():
            s.sendall(data)
        s.close()

    thread = threading.Thread(target=bulk)
    thread.start()
    time.sleep(0.5)
    try:
        typing(address, port, 100)
    finally:
        stop.set()
        thread.join()


def udp_socket(address, port, timeout=2, source_port=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind(("", source_port))
    s.connect(socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0][4])  # with its scope
    s.settimeout(timeout)
    return s


def udp_sizes(address, port, sizes):
    s = udp_socket(address, port)
    for size in sizes:
        data = os.urandom(size)
        for attempt in range(3):
            s.send(data)
            try:
                back = s.recv(65536)
                break
            except socket.timeout:
                must(attempt < 2, f"{size} bytes: no answer")
        must(back == data, f"{size} bytes: {len(back)} came back, or others")


def udp_nfs(address, port, size, count):
    """Each has its number; a lost one is asked again, as RPC does."""
    s = udp_socket(address, port, 1)
    for i in range(count):
        data = i.to_bytes(4, "big") * (size // 4)
        for attempt in range(3):
            s.send(data)
            try:
                while (back := s.recv(65536))[:4] != data[:4]:
                    pass
                break
            except socket.timeout:
                must(attempt < 2, f"request {i}: no answer")
        must(back == data, f"request {i}: {len(back)} bytes came back, or others")


def udp_short_flows(address, port, n):
    """500 sockets at a time, no port twice."""
    echoed = 0
    for start in range(0, n, 500):
        socks = [udp_socket(address, port, 0.5, 10000 + i) for i in range(start, min(start + 500, n))]
        for s in socks:
            s.send(b"x")
        for s in socks:
            try:
                echoed += len(s.recv(10))
            except socket.timeout:
                pass
            s.close()
    must(echoed > n * 9 // 10, f"{echoed} of {n} echoed")


def udp_gso(address, port, size, count):
    s = udp_socket(address, port)
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    data = os.urandom(size * count)
    s.send(data)
    back = [s.recv(65536) for _ in range(count)]
    wanted = [data[i * size:(i + 1) * size] for i in range(count)]
    must(sorted(back) == sorted(wanted), "segments were lost or changed")


def udp_one_port(address, source, ports):
    """Prints what each of the servers answers, and then what else comes within half a second."""
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", source))
    s.settimeout(2)
    for port in ports:
        s.sendto(b"who", (address, port))
    seen = sorted((peer[1], data) for data, peer in (s.recvfrom(2048) for _ in ports))
    must([port for port, _ in seen] == sorted(ports), "answers came from %s" % seen)
    for _, data in seen:
        sys.stdout.write(data.decode())
    sys.stdout.flush()
    s.settimeout(0.5)
    try:
        print("and %s from %s" % s.recvfrom(2048))
    except socket.timeout:
        pass


def udp_refused(address, port):
    s = udp_socket(address, port, 0.5)
    try:
        s.send(b"x")
        s.recv(10)
        sys.exit("an answer came")
    except ConnectionRefusedError:
        pass


def slow_echo(address, port, n):
    s = connect(address, port)
    for i in range(n):
        s.sendall(b"x")
        must(s.recv(1) == b"x", f"the connection ended at byte {i}")
        time.sleep(0.1)


def many(address, port, n):
    socks = [connect(address, port, 20) for _ in range(n)]
    for i, s in enumerate(socks):
        s.sendall(b"%06d" % i)
    for i, s in enumerate(socks):
        got = b""
        while len(got) < 6:
            chunk = s.recv(6 - len(got))
            must(chunk, f"connection {i} ended")
            got += chunk
        must(got == b"%06d" % i, f"connection {i} echoed {got!r}")


def abort(address, port):
    with connect(address, port) as s:
        s.sendall(b"x")
        must(s.recv(1) == b"x", "no echo")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def deaf_send(address, port, n):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1000000)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        s.settimeout(15)
        s.connect((address, port))
        time.sleep(1)
        try:
            for _ in range(n // 50000):
                s.sendall(bytes(50000))
                time.sleep(0.005)
        except TimeoutError:
            sys.exit("client.py: sending stands still while nothing is read")


def never_read(address, port):
    with connect(address, port):
        time.sleep(3600)


def fill(address, port, n):
    """n connections to somebody who does not read, each full to the brim; ends with stdin."""
    socks = [connect(address, port, 20) for _ in range(n)]
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        for s in socks:
            s.setblocking(False)
            try:
                s.send(bytes(1 << 18))
            except BlockingIOError:
                pass
    print("full", flush=True)
    sys.stdin.read()


def main():
    verb, address, numbers = sys.argv[1], sys.argv[2], [int(a) for a in sys.argv[3:]]
    function = globals()[verb.replace("-", "_")]
    if verb in ("udp-sizes", "udp-one-port"):
        function(address, numbers[0], numbers[1:])
    else:
        function(address, *numbers)


main()
