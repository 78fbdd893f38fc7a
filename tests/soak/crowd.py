#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""crowd: many connections, each of which says one byte and hears it again.

crowd.py server PORT PORTS                       that many ports from PORT on; "c" ends the
                                                 connection after its answer
crowd.py idle PORT PORTS COUNT ADDRESS...        opens so many, prints "open", waits for its input's
                                                 end, asks each once more
crowd.py churn PORT PORTS COUNT ADDRESS...       opens and ends so many, a few at a time: by the
                                                 client, by the server, by a reset
"""
import asyncio
import collections
import itertools
import socket
import struct
import sys

AT_A_TIME = 100
PATIENCE = 60


async def ask(sock, byte):
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, byte)
    got = await asyncio.wait_for(loop.sock_recv(sock, 1), PATIENCE)
    if got != byte:
        raise OSError(f"{byte} came back as {got}")


async def connect(address, port):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.setblocking(False)
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, (address, port)), PATIENCE)
        await ask(sock, b"x")
    except BaseException:
        sock.close()
        raise
    return sock


async def end_by_client(sock):
    pass


async def end_by_server(sock):
    await ask(sock, b"c")
    if await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 1), PATIENCE):
        raise OSError("no end")


async def end_by_reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def places(ports, addresses):
    return itertools.cycle([(a, p) for p in ports for a in addresses])


async def many(count, one):
    """one() so often, AT_A_TIME of them under way."""
    left = iter(range(count))
    failures = collections.Counter()

    async def worker():
        for _ in left:
            try:
                await one()
            except (OSError, asyncio.TimeoutError) as e:
                failures[repr(e)] += 1
    await asyncio.gather(*(worker() for _ in range(AT_A_TIME)))
    for text, n in failures.items():
        print(f"FAIL {n} times: {text}", flush=True)
    return not failures


async def idle(count, where):
    socks = []

    async def one():
        socks.append(await connect(*next(where)))

    fine = await many(count, one)
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    rest = iter(socks)
    return await many(len(socks), lambda: ask(next(rest), b"y")) and fine


async def churn(count, where):
    ends = itertools.cycle((end_by_client, end_by_server, end_by_reset))

    async def one():
        sock = await connect(*next(where))
        try:
            await next(ends)(sock)
        finally:
            sock.close()
    return await many(count, one)


class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)
        if b"c" in data:
            self.transport.close()


async def server(ports):
    for port in ports:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True)
        await asyncio.get_running_loop().create_server(Answer, sock=listener)
    await asyncio.Event().wait()


def main():
    what, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ports = range(port, port + n)
    if what == "server":
        asyncio.run(server(ports))
    else:
        run = {"idle": idle, "churn": churn}[what]
        sys.exit(not asyncio.run(run(int(sys.argv[4]), places(ports, sys.argv[5:]))))


main()
