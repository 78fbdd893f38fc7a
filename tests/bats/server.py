#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The far ends that no packaged program plays.

server.py http PORT FOLDER [ADDRESS]
                               GET a file; PUT or POST answers the body's sha256
server.py reset PORT           accepts, reads one byte, resets the connection
server.py hash-back PORT       reads to end of file, then sends the sha256 and a tail
server.py early-close PORT     sends, closes its sending side, then reads to the end
server.py echo PORT            TCP: every byte back at once
server.py ends PORT            the same, and prints how each connection ended: "end" or "reset"
server.py flood PORT           sends without end
server.py deaf PORT            accepts and never reads
server.py chatter PORT         reads all, and talks all the time
server.py whoami PORT          TCP: "CLIENT-ADDRESS CLIENT-PORT OWN-ADDRESS" and the end
server.py udp-echo PORT        UDP: every datagram back
server.py udp-whoami PORT      UDP: the same line for every datagram, without OWN-ADDRESS
server.py udp-count PORT       UDP: "count" in a datagram answers how many came since

All listen on every address of both families, where none is given.
"""
import hashlib
import http.server
import os
import socket
import socketserver
import struct
import sys
import threading
import time


class V6Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 4096	# or those it was late for are reset


def read_hash(sock):
    digest = hashlib.sha256()
    while chunk := sock.recv(1 << 18):
        digest.update(chunk)
    return digest.hexdigest()


class Reset(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()

    def finish(self):
        pass


class HashBack(socketserver.BaseRequestHandler):
    """The client closes its sending side first; we go on sending after that."""

    def handle(self):
        digest = read_hash(self.request)
        self.request.sendall(b"%s\n" % digest.encode())
        self.request.sendall(b"x" * 1000000)


class EarlyClose(socketserver.BaseRequestHandler):
    """We close our sending side first; the client goes on sending after that."""

    def handle(self):
        self.request.sendall(b"hello\n")
        self.request.shutdown(socket.SHUT_WR)
        print(read_hash(self.request), flush=True)


def plain(address):
    return address.removeprefix("::ffff:").split("%")[0]


class WhoAmI(socketserver.BaseRequestHandler):
    def handle(self):
        client, own = self.request.getpeername(), self.request.getsockname()
        self.request.sendall(b"%s %d %s\n" % (plain(client[0]).encode(), client[1],
                                              plain(own[0]).encode()))


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while chunk := self.request.recv(1 << 16):
            self.request.sendall(chunk)


class Ends(Echo):
    def handle(self):
        try:
            super().handle()
            print("end", flush=True)
        except ConnectionResetError:
            print("reset", flush=True)


class Flood(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while True:
                self.request.sendall(b"x" * 65536)
        except OSError:
            pass


class Chatter(socketserver.BaseRequestHandler):
    def chat(self):
        try:
            while True:
                self.request.sendall(bytes(20000))
                time.sleep(0.0002)
        except OSError:
            pass

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.chat, daemon=True).start()
        try:
            while self.request.recv(1 << 16):
                pass
        except OSError:
            pass


class Deaf(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            time.sleep(60)


class Files(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        digest = hashlib.sha256()
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        while left > 0:
            chunk = self.rfile.read(min(left, 1 << 18))
            if not chunk:
                return
            digest.update(chunk)
            left -= len(chunk)
        body = (digest.hexdigest() + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT

    def handle_expect_100(self):
        return True

    def log_message(self, *args):
        pass


def udp(port, kind):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", port))
    seen = 0
    while True:
        data, peer = sock.recvfrom(65536)
        if kind == "udp-echo":
            sock.sendto(data, peer)
        elif kind == "udp-whoami":
            sock.sendto(b"%s %d\n" % (plain(peer[0]).encode(), peer[1]), peer)
        elif data == b"count":
            sock.sendto(b"%d" % seen, peer)
            seen = 0
        else:
            seen += 1


def main():
    kind, port = sys.argv[1], int(sys.argv[2])
    handlers = {"reset": Reset, "hash-back": HashBack, "early-close": EarlyClose, "echo": Echo,
                "ends": Ends, "flood": Flood, "chatter": Chatter, "deaf": Deaf, "whoami": WhoAmI}
    if kind.startswith("udp-"):
        udp(port, kind)
    elif kind == "http":
        os.chdir(sys.argv[3])
        address = sys.argv[4] if len(sys.argv) > 4 else "::"
        V6Server.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        V6Server((address, port), Files).serve_forever()
    else:
        V6Server(("::", port), handlers[kind]).serve_forever()


main()
