#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""traffic: mixed conversations by a seeded generator; every byte of them is known to both ends.

traffic.py server PORT                                  TCP and UDP, both families
traffic.py client PORT SEED SECONDS WORKERS ADDRESS...  starts conversations for so long, then
                                                        lets them end

A TCP conversation begins with a header that names its kind, a seed and sizes; what follows each way
is a stream made from the seed, compared where it is received, so that one byte lost, doubled or moved
is found and its place told. Whichever end sees what it must not prints a line that begins with FAIL;
the client ends with a line of counts and status 1 if it printed one.
"""
import asyncio
import collections
import random
import socket
import struct
import sys

# kind, flags, rounds, seed, bytes up, bytes down
HEADER = struct.Struct("!BBHIQQ")
# seed, number in its burst, answers wanted, size of each
DATAGRAM = struct.Struct("!IHHH")
# A prime, so that no usual size of segment or buffer moved elsewhere looks right.
PERIOD = 1048573
PATTERN = memoryview(random.Random(1).randbytes(PERIOD) * 2)
CHUNK = 1 << 18
PATIENCE = 60		# seconds in which a conversation must get on by a byte, beyond its own pauses
LONGEST = 300		# seconds after which what was begun must have ended, on the slowest of machines
HEADER_PATIENCE = 60	# at 10 % loss the handshake and it may be sent again several times
POKE = 2		# seconds after which who waits for a reset sends a byte: the reset
			# itself may be lost, the one that answers this byte comes later
SLOW_STEPS = 50		# pauses of a slow reader or writer
CLOSED_PORT = 9

KINDS = ("bulk", "ask", "client_closes_first", "server_closes_first", "client_resets", "server_resets")
SLOW_CLIENT_READ, SLOW_CLIENT_WRITE, SLOW_SERVER_READ, SLOW_SERVER_WRITE, PAUSES = 1, 2, 4, 8, 16


class Wrong(Exception):
    """What no network may do to a conversation."""


class Stream:
    """One direction: bytes made from a seed, and how far along we are."""

    def __init__(self, seed, down):
        self.start = (seed * 2654435761 + (7919 if down else 0)) % PERIOD
        self.at = 0

    def next(self, n):
        where = (self.start + self.at) % PERIOD
        self.at += n
        return PATTERN[where:where + n]

    def check(self, data):
        at = self.at
        if data != self.next(len(data)):
            wanted = PATTERN[(self.start + at) % PERIOD:]
            place = next(i for i, byte in enumerate(data) if byte != wanted[i])
            raise Wrong(f"another byte at {at + place}")


class Conversation:
    """One TCP connection at either end. The end decides which stream it sends and which it checks."""

    def __init__(self, sock, client, header):
        self.sock, self.client = sock, client
        self.port = sock.getsockname()[1] if client else sock.getpeername()[1]
        self.kind, self.flags, self.rounds, self.seed, self.up, self.down = header
        self.loop = asyncio.get_running_loop()
        self.begun = self.moved = self.loop.time()
        up, down = Stream(self.seed, False), Stream(self.seed, True)
        self.out, self.into = (up, down) if client else (down, up)
        self.to_send, self.to_read = (self.up, self.down) if client else (self.down, self.up)
        self.slow_read = self.flags & (SLOW_CLIENT_READ if client else SLOW_SERVER_READ)
        self.slow_write = self.flags & (SLOW_CLIENT_WRITE if client else SLOW_SERVER_WRITE)

    async def send(self, n):
        step = max(n // SLOW_STEPS, 1) if self.slow_write else CHUNK
        while n:
            piece = self.out.next(min(n, step, CHUNK))
            await self.loop.sock_sendall(self.sock, piece)
            self.moved = self.loop.time()
            n -= len(piece)
            if self.slow_write:
                await asyncio.sleep(0.02)

    async def read(self, n):
        step = max(n // SLOW_STEPS, 1) if self.slow_read else CHUNK
        pause_at = n - step
        while n:
            data = await self.loop.sock_recv(self.sock, min(n, step, CHUNK))
            if not data:
                raise Wrong(f"ended after {self.into.at} bytes")
            self.into.check(data)
            self.moved = self.loop.time()
            n -= len(data)
            # Not for each piece: a small buffer makes thousands of them.
            if self.slow_read and n <= pause_at:
                pause_at = n - step
                await asyncio.sleep(0.02)

    async def read_end(self):
        if await self.loop.sock_recv(self.sock, 1):
            raise Wrong("goes on beyond its end")

    async def both_ways(self):
        await together(self.send(self.to_send), self.read(self.to_read))

    def end_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    async def send_and_poke(self):
        await self.send(self.to_send)
        while True:
            await asyncio.sleep(POKE)
            await self.loop.sock_sendall(self.sock, b"?")

    async def read_to_no_end(self):
        await self.read(self.to_read)
        await self.read_end()
        raise Wrong("an end came in place of a reset")

    async def until_reset(self):
        """What the other end resets must not end in any other way. The kernel tells of a reset once:
        if the sender hears it, the reader sees an end of file."""
        tasks = [asyncio.ensure_future(c) for c in (self.send_and_poke(), self.read_to_no_end())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            await asyncio.sleep(0)
        finally:
            heard = [e for e in await end_all(tasks) if not isinstance(e, asyncio.CancelledError)]
        if not any(isinstance(e, (ConnectionResetError, BrokenPipeError)) for e in heard):
            raise heard[0]

    async def run(self, patience):
        """All of it, as long as it gets on."""
        task = asyncio.ensure_future(getattr(self, KINDS[self.kind])())
        try:
            while not (await asyncio.wait((task,), timeout=1))[0]:
                if self.loop.time() - self.moved > patience:
                    raise Wrong(f"stands still for {patience} seconds")
            await task
        finally:
            await end_all((task,))

    def __str__(self):
        return (f"{KINDS[self.kind]} port {self.port} seed {self.seed} flags {self.flags} rounds {self.rounds}"
                f" sent {self.out.at} of {self.to_send} read {self.into.at} of {self.to_read}"
                f" in {self.loop.time() - self.begun:.1f} s")

    async def finish(self):
        self.end_sending()
        await self.read_end()

    async def bulk(self):
        await self.both_ways()
        await self.finish()

    async def ask(self):
        for _ in range(self.rounds):
            if self.client:
                await self.send(self.up)
                await self.read(self.down)
                if self.flags & PAUSES:
                    await asyncio.sleep(self.seed % 100 / 100 * self.longest_pause)
            else:
                await self.read(self.up)
                await self.send(self.down)
        await self.finish()

    async def one_end_first(self, first):
        """`first` sends all, ends, and still gets all that the other sends after that."""
        if first:
            await self.send(self.to_send)
            self.end_sending()
            await self.read(self.to_read)
            await self.read_end()
        else:
            await self.read(self.to_read)
            await self.read_end()
            await self.send(self.to_send)

    async def client_closes_first(self):
        await self.one_end_first(self.client)

    async def server_closes_first(self):
        await self.one_end_first(not self.client)

    async def one_end_resets(self, mine):
        """In the middle: after `rounds` percent of what the other end means to exchange."""
        if mine:
            await together(self.send(self.to_send * self.rounds // 100),
                           self.read(self.to_read * self.rounds // 100))
            reset_on_close(self.sock)
        else:
            await self.until_reset()

    async def client_resets(self):
        await self.one_end_resets(self.client)

    async def server_resets(self):
        await self.one_end_resets(not self.client)


async def together(*coroutines):
    """All of them, or the first exception of one, and then none goes on."""
    tasks = [asyncio.ensure_future(c) for c in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        await end_all(tasks)


async def end_all(tasks):
    """What each of them came to."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


def reset_on_close(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


failures = 0


def fail(text):
    global failures
    failures += 1
    print("FAIL", text, flush=True)


# ---- UDP: each datagram says what it is and what it asks for

def datagram(seed, number, answers, answer_size, size, down):
    header = DATAGRAM.pack(seed, number, answers, answer_size)
    return header + Stream(seed + number, down).next(size - len(header))


def read_datagram(data, down):
    fields = DATAGRAM.unpack_from(data)
    if data != datagram(*fields, len(data), down):
        raise Wrong(f"a datagram of {len(data)} bytes came changed")
    return fields


def answer_datagram(sock):
    try:
        data, client = sock.recvfrom(65536)
        seed, number, answers, size = read_datagram(data, False)
        for i in range(answers):
            sock.sendto(datagram(seed, number * 16 + i, 0, 0, size, True), client)
    except BlockingIOError:
        pass
    except (Wrong, struct.error) as e:
        fail(f"server: UDP: {e}")


# ---- the server

async def read_header(sock):
    header = b""
    while len(header) < HEADER.size:
        data = await asyncio.get_running_loop().sock_recv(sock, HEADER.size - len(header))
        if not data:
            return None		# connected and closed
        header += data
    return HEADER.unpack(header)


async def serve(sock):
    try:
        # Should the reset of one who only connected be lost, nobody would ever know.
        header = await asyncio.wait_for(read_header(sock), HEADER_PATIENCE)
        if not header:
            return
        conversation = Conversation(sock, False, header)
        try:
            await conversation.run(3 * PATIENCE)
        except (Wrong, OSError) as e:
            fail(f"server: {conversation}: {e!r}")
    except (ConnectionResetError, asyncio.TimeoutError):
        pass		# connected and reset
    finally:
        sock.close()


async def server(port):
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("::", port), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True)
    listener.setblocking(False)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", port))
    udp.setblocking(False)
    loop.add_reader(udp, answer_datagram, udp)
    running = set()
    while True:
        sock, _ = await loop.sock_accept(listener)
        task = asyncio.ensure_future(serve(sock))
        running.add(task)
        task.add_done_callback(running.discard)


# ---- the client

class Worker:
    """One after the other, conversations drawn by chance from a seed of its own."""

    def __init__(self, port, seed, seconds, addresses):
        self.chance = random.Random(seed)
        self.port, self.addresses = port, addresses
        self.loop = asyncio.get_running_loop()
        self.until = self.loop.time() + seconds
        Conversation.longest_pause = min(30, seconds / 5)

    async def run(self):
        acts, weights = zip(*((a, w) for a, w in self.ACTS.items()))
        while self.loop.time() < self.until:
            act = self.chance.choices(acts, weights)[0]
            try:
                await act(self)
                counts[act.__name__] += 1
            except (Wrong, OSError, asyncio.TimeoutError) as e:
                fail(f"client: {act.__name__}: {getattr(self, 'conversation', '')}: {e!r}")

    def size(self, most):
        """Any order of magnitude is as likely as any other."""
        return int(2 ** self.chance.uniform(0, most.bit_length() - 1))

    def new_socket(self, kind):
        self.address = self.chance.choice(self.addresses)
        sock = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, kind)
        sock.setblocking(False)
        return sock

    async def connect(self, port):
        sock = self.new_socket(socket.SOCK_STREAM)
        buffer = self.chance.choice((0, 0, 0, 2048, 65536))
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, self.chance.randrange(2))
        try:
            await asyncio.wait_for(self.loop.sock_connect(sock, (self.address, port)), PATIENCE)
        except BaseException:
            sock.close()
            raise
        return sock

    async def converse(self, kind, flags, rounds, up, down):
        header = (KINDS.index(kind), flags, rounds, self.chance.getrandbits(32), up, down)
        sock = await self.connect(self.port)
        try:
            self.conversation = Conversation(sock, True, header)
            await self.loop.sock_sendall(sock, HEADER.pack(*header))
            await self.conversation.run(PATIENCE + (Conversation.longest_pause if flags & PAUSES else 0))
        except ConnectionResetError as e:
            raise Wrong("a reset nobody sent") from e
        finally:
            counts["bytes"] += self.conversation.out.at + self.conversation.into.at
            sock.close()

    async def bulk(self):
        most = self.chance.choice((1, 1, 4, 16)) << 20
        up, down = self.size(most), self.size(most)
        if self.chance.randrange(2):
            up, down = self.chance.choice(((up, 0), (0, down)))
        await self.converse("bulk", 0, 0, up, down)

    async def slow(self):
        await self.converse("bulk", self.chance.randrange(1, 16), 0, self.size(4 << 20), self.size(4 << 20))

    async def ask(self):
        await self.converse("ask", 0, self.chance.randrange(1, 100), self.size(1 << 14), self.size(1 << 14))

    async def idle(self):
        await self.converse("ask", PAUSES, 2, self.size(1 << 12), self.size(1 << 12))

    async def close_first(self):
        kind = self.chance.choice(("client_closes_first", "server_closes_first"))
        await self.converse(kind, 0, 0, self.size(1 << 22), self.size(1 << 22))

    async def reset(self):
        kind = self.chance.choice(("client_resets", "server_resets"))
        await self.converse(kind, self.chance.choice((0, 0, 5, 10)), self.chance.randrange(101),
                            self.size(1 << 22), self.size(1 << 22))

    async def many_short(self):
        for _ in range(self.chance.randrange(50)):
            await self.converse("ask", 0, 1, self.size(1 << 10), self.size(1 << 10))
            counts["short"] += 1

    async def connect_only(self):
        sock = await self.connect(self.port)
        if self.chance.randrange(2):
            reset_on_close(sock)
        sock.close()

    async def refused(self):
        try:
            (await self.connect(CLOSED_PORT)).close()
        except ConnectionRefusedError:
            return
        raise Wrong("a closed port accepts")

    async def datagrams(self):
        seed = self.chance.getrandbits(32)
        with self.new_socket(socket.SOCK_DGRAM) as sock:
            sock.connect((self.address, self.port))
            wanted = 0
            for number in range(self.chance.randrange(1, 32)):
                answers = self.chance.randrange(8)
                wanted += answers
                ask = datagram(seed, number, answers, self.chance.randrange(16, 1453),
                               self.chance.randrange(16, 1453), False)
                try:
                    sock.send(ask)
                except (PermissionError, BlockingIOError):
                    pass	# lost on the way out
            got = await self.answers(sock, seed, wanted)
            counts["answers"] += got
            counts["answers_wanted"] += wanted

    async def answers(self, sock, seed, wanted):
        """How many came, until all have or none does for a while."""
        got = 0
        while got < wanted:
            try:
                data = await asyncio.wait_for(self.loop.sock_recv(sock, 65536), 1.5)
            except asyncio.TimeoutError:
                break
            if read_datagram(data, True)[0] != seed:
                raise Wrong("a datagram of another conversation")
            got += 1
        return got

    ACTS = {bulk: 4, slow: 4, ask: 6, idle: 3, close_first: 6, reset: 6, many_short: 3, connect_only: 3,
            refused: 3, datagrams: 6}


counts = collections.Counter()


async def client(port, seed, seconds, workers, addresses):
    all_of_them = [Worker(port, seed * 1000 + i, seconds, addresses) for i in range(workers)]
    tasks = {asyncio.ensure_future(w.run()): w for w in all_of_them}
    _, late = await asyncio.wait(tasks, timeout=seconds + LONGEST)
    for task in late:
        fail(f"client: still under way after {LONGEST} seconds more: {getattr(tasks[task], 'conversation', '')}")
    await end_all(late)
    if counts["answers"] < counts["answers_wanted"] * 0.8:
        fail("client: UDP: more were lost than the link loses")
    print(" ".join(f"{name}={n}" for name, n in sorted(counts.items())), flush=True)
    sys.exit(failures > 0)


def main():
    port = int(sys.argv[2])
    if sys.argv[1] == "server":
        asyncio.run(server(port))
    else:
        seed, seconds, workers = int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
        asyncio.run(client(port, seed, seconds, workers, sys.argv[6:]))


main()
