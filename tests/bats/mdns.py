#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""DNS-SD by python-zeroconf: a real responder and browser for one namespace.

mdns.py find TYPE NAME      exit 0 when that service was found, 1 after 10 seconds
mdns.py offer TYPE NAME     registers it until killed
mdns.py ask TYPE LINK       asks on that interface from a port of its own (RFC 6762, 6.7); prints
                            address and port that the answer comes from
"""
import socket
import struct
import sys
import threading
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf


def ask(kind, link):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in kind.strip(".").split("."))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                 struct.pack("4s4si", bytes(4), bytes(4), socket.if_nametoindex(link)))
    s.settimeout(2)
    s.sendto(struct.pack("!6H", 7, 0, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 12, 1), ("224.0.0.251", 5353))
    print(*s.recvfrom(9000)[1])


def main():
    verb, kind, name = sys.argv[1], sys.argv[2] + ".local.", sys.argv[3]
    if verb == "ask":
        ask(kind, name)
        return
    zc = Zeroconf(ip_version=IPVersion.V4Only)
    if verb == "offer":
        zc.register_service(ServiceInfo(kind, f"{name}.{kind}", addresses=[socket.inet_aton("192.0.2.1")],
                                        port=80, server=f"{name}.local."))
        time.sleep(3600)
    found = threading.Event()

    wanted = f"{name}.{kind}"

    def on_change(zeroconf, service_type, name, state_change):
        if name == wanted:
            found.set()

    ServiceBrowser(zc, kind, handlers=[on_change])
    ok = found.wait(10)
    zc.close()
    sys.exit(not ok)


main()
