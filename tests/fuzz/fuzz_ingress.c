/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes proto/ingress and all behind it, with state: the input is a sequence of
 * records, each two bytes of kind and length and then its bytes. A record is a
 * frame of the container, an event of a host socket, or time. After each turn fakeport's
 * invariants hold; fakeport itself tests every frame that comes out and that no
 * socket is ever opened towards the host's loopback.
 *
 *	kind 0..127	a frame of `length` bytes, just as it stands
 *	     128..191	the same with its checksums made right (the fields' places by its headers)
 *	     192..      an event: see event()
 * The first byte of the input says how the world is made.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/cksum.h"
#include "proto/dns.h"
#include "proto/inbound.h"
#include "proto/proto.h"
#include "tests/unit/proto/fakeport.h"
#include "wire/eth.h"
#include "wire/numbers.h"

#define RECORDS_MAX 300

enum mode { MODE_PEEK = 1, MODE_OFFLOAD = 2, MODE_NO_VNET = 4, MODE_FEW = 8, MODE_NO_V4 = 16,
	    MODE_WAIT = 32, MODE_OURS = 64 };

static const struct resolvers resolvers = {
	.n = 3, .host = "box.example",
	.list = { { { { [10] = 0xff, 0xff, 127, 0, 0, 53 } }, 0 },
		  { { { [10] = 0xff, 0xff, 198, 51, 100, 10 } }, 0 },
		  { { { 0xfe, 0x80, [15] = 9 } }, 7 } },
};

static const struct addr w6 = { { 0xfe, 0x80, [15] = 9 } };	/* a neighbour outside */

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* So that the fuzzer need not guess sums. */
static void fix_sums(struct fake_world *w, uint8_t *frame, size_t len)
{
	size_t ip = (w->c.tap_vnet ? VNET_HLEN : 0) + ETH_HLEN, hlen, at;
	uint32_t sum = 0;
	uint8_t proto;
	bool v4;

	if (len < ip + IP6_HLEN)
		return;
	v4 = frame[ip - 2] == 0x08;
	hlen = v4 ? (frame[ip] & 15u) * 4u : IP6_HLEN;
	proto = v4 ? frame[ip + 9] : frame[ip + 6];
	if (v4 && hlen >= IP4_HLEN && ip + hlen <= len) {
		put16(frame + ip + 10, 0);
		put16(frame + ip + 10, cksum_finish(cksum_add(frame + ip, hlen, 0)));
	}
	at = ip + hlen + (proto == PROTO_TCP ? 16u : proto == PROTO_UDP ? 6u : 2u);
	if (at + 2 > len)
		return;
	if (proto != PROTO_ICMP) {
		const uint8_t *a = frame + ip + (v4 ? 12 : 8);
		const struct addr src = v4 ? addr_from4(a) : addr_from6(a);
		const struct addr dst = v4 ? addr_from4(a + 4) : addr_from6(a + 16);

		sum = cksum_pseudo(&src, &dst, proto, (uint32_t)(len - ip - hlen), 0);
	}
	put16(frame + at, 0);
	put16(frame + at, cksum_finish(cksum_add(frame + ip + hlen, len - ip - hlen, sum)));
}

static void turn(struct fake_world *w)
{
	struct fake_seen s;

	fake_turn(w);
	fake_check(w);
	while (fake_frame(w, &s))
		;
}

static void pass_time(struct fake_world *w, uint64_t ms)
{
	w->c.now += ms;
	w->c.now_us = w->c.now * 1000;
	turn(w);
}

/* An entry of the error queue: type, code, errno, MTU in hundreds, perhaps an IPv4
 * offender, bytes of a packet. */
static void queued(struct fake_sock *s, struct rd *r)
{
	struct port_err e = { .type = 0 };
	uint8_t err = 0, mtu = 0;
	struct rd from;

	rd_u8(r, &e.type);
	rd_u8(r, &e.code);
	rd_u8(r, &err);
	rd_u8(r, &mtu);
	e.local = err & 128;
	e.err = -MAX_OF(err & 127, 1);
	e.mtu = mtu * 100u;
	if (rd_sub(r, 4, &from))
		e.offender = addr_from4(from.p);
	fake_put_err(s, &e, r->p, r->left);
}

static void datagram(struct fake_sock *s, struct rd *r, uint8_t kind)
{
	static const int errors[] = { -ECONNREFUSED, -EHOSTUNREACH, -EMSGSIZE, -ENETUNREACH };
	uint16_t size = 0;

	if (kind & 2) {
		queued(s, r);
		return;
	}
	if (kind & 1) {
		fake_put_dgram(s, NULL, 0, 0, errors[r->left & 3]);
		return;
	}
	rd_u16(r, &size);
	if (addr_is_multicast(&s->outer) || addr_is_broadcast(&s->outer)) {
		const struct addr from = kind & 2 ? addr_from4("\313\0\161\2") :
						    addr_from4("\306\63\144\12");

		fake_put_from(s, addr_is4(&s->outer) ? &from : &w6, size, r->p, r->left);
		return;
	}
	/* as the kernel's GRO gives them: more than one, none over 65507 bytes */
	fake_put_dgram(s, r->p, r->left, size && size < r->left ? size : 0, 0);
}

static void stream(struct fake_sock *s, struct rd *r, uint8_t kind)
{
	if (s->in_eof)
		return;
	if (kind & 1)
		s->in_eof = true;
	else
		fake_put(s, r->p, r->left);
	if (kind & 2)
		s->err = -ECONNRESET;
}

/* A client of a forwarded port: its port and where it comes from by `pick`. */
static void client(struct fake_world *w, struct rd *r, uint8_t kind, uint8_t pick)
{
	static const char *const from[][2] = {		/* and to */
		{ "198.51.100.10", "203.0.113.2" }, { "2001:db8:2::10", "2001:db8:1::2" },
		{ "127.0.0.1", "127.0.0.1" }, { "203.0.113.2", "203.0.113.2" },
		{ "::1", "::1" }, { "fe80::7", "2001:db8:1::2" },
		{ "198.51.100.10", "203.0.113.99" }, { "0.0.0.0", "203.0.113.2" },
	};
	struct addr peer, local;
	uint16_t size = 0, port = (uint16_t)(4000 + (pick >> 6));

	FUZZ_HOLDS(addr_parse(from[pick & 7][0], &peer) == 0);
	FUZZ_HOLDS(addr_parse(from[pick & 7][1], &local) == 0);
	w->io.accept_rc = kind & 2 ? -EMFILE : 0;
	w->io.adopt_rc = pick & 32 ? -ENOMEM : 0;
	if (!(kind & 1)) {
		if (w->io.nclients < FAKE_CLIENTS)
			fake_client(w, &peer, port, &local);
		return;
	}
	rd_u16(r, &size);
	if (kind & 4)
		inbound_closed(&w->c, FAKE_UDP);
	fake_client_dgram(w, &peer, port, &local, r->p, r->left,
			  size && size < r->left ? size : 0);
}

static void event(struct fake_world *w, uint8_t kind, struct rd *r)
{
	uint8_t pick = 0;
	struct fake_sock *s;

	rd_u8(r, &pick);
	s = &w->io.socks[pick % FAKE_SOCKS];
	switch (kind & 7) {
	case 0:
		pass_time(w, pick);
		break;
	case 1:
		pass_time(w, (uint64_t)pick << 9);
		break;
	case 2:
		w->io.tap_room = pick & 1 ? UINT64_MAX : pick & 7;
		break;
	case 3:
		w->io.open_rc = pick < 128 ? 0 : pick < 192 ? -EINPROGRESS : -ECONNREFUSED;
		break;
	case 4:
		if (s->open)
			s->send_err = pick & 1 ? -ECONNREFUSED : -EAGAIN;
		if (s->open && pick & 2)
			s->no_gso = true;
		break;
	case 5:
		if (s->open)
			s->out_room = r->left * 64;
		break;
	case 7:
		client(w, r, kind >> 3, pick);
		break;
	default:
		if (!s->open)
			break;
		if (s->proto == FLOW_TCP && !s->connected && (kind >> 4 & 2))
			queued(s, r);
		if (s->proto == FLOW_TCP)
			stream(s, r, kind >> 4);
		else
			datagram(s, r, kind >> 4);
		fake_event(w, s, true, true, s->err != 0);
	}
	turn(w);
}

static void record(struct fake_world *w, struct rd *in)
{
	uint8_t kind = 0;
	uint16_t len = 0;
	struct rd r;

	rd_u8(in, &kind);
	rd_u16(in, &len);
	if (!rd_sub(in, MIN_OF((size_t)(len & 0x0fff), in->left), &r))
		return;
	if (kind >= 192) {
		event(w, kind, &r);
	} else if (kind >= 128) {
		uint8_t *copy = malloc(r.left ? r.left : 1);
		size_t n = r.left;

		if (!copy)
			abort();
		if (n)
			memcpy(copy, r.p, n);
		fix_sums(w, copy, n);
		fake_ingress_raw(w, copy, n);
		free(copy);
	} else {
		fake_ingress_raw(w, r.p, r.left);
	}
	if (len & 0x8000)
		turn(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	struct fake_setup setup = { 0 };
	struct fake_world *w;
	uint8_t mode = 0;

	rd_u8(&in, &mode);
	setup.no_peek = !(mode & MODE_PEEK);
	setup.no_offload = !(mode & MODE_OFFLOAD);
	setup.no_vnet = mode & MODE_NO_VNET;
	setup.flows = mode & MODE_FEW ? 3 : 0;
	setup.chunks = mode & MODE_FEW ? 8 : 128;
	w = fake_start(&setup);
	w->conf.ipv4 = !(mode & MODE_NO_V4);
	if (mode & MODE_OURS)		/* the gateways are made up */
		w->net.gateway4_of = w->net.gateway6_of = NETCFG_GATEWAY_OURS;
	dns_set_resolvers(&w->c, &resolvers);
	w->io.open_rc = mode & MODE_WAIT ? -EINPROGRESS : 0;
	for (int i = 0; i < RECORDS_MAX && in.left; i++)
		record(w, &in);
	turn(w);
	pass_time(w, 10);
	fake_stop(w);
	return 0;
}
