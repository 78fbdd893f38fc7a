#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""DNS-SD by python-zeroconf: a real responder and browser for one namespace.

mdns.py find TYPE NAME      exit 0 when that service was found, 1 after 10 seconds
mdns.py offer TYPE NAME     registers it until killed
"""
import socket
import sys
import threading
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, Zeroconf


def main():
    verb, kind, name = sys.argv[1], sys.argv[2] + ".local.", sys.argv[3]
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
