/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes proto/dns_tcp: a connection to the DNS forwarder, steps of which are the input's
 * bytes, one each and what it takes:
 *   0 n bytes   the container says these     1  ... a question about the host
 *   2  ... another question                  3 n bytes  the resolver says these
 *   4  ... a message of 20 + op / 16 bytes   5  the container acknowledges
 *   6  the container's end; with 0x10 the resolver's
 *   7  the resolver's socket is full; with 0x10 it takes bytes again; with 0x20 time passes
 * After each: fakeport's invariants. At the end: what reached the resolver is what the container
 * said without the questions about the host, in its order; what reached the container is what the
 * resolver said, and their answers between its messages; and when nothing is in the way, all of
 * both.
 */
#include "fuzz.h"

#include "proto/dns.h"
#include "proto/dns_tcp.h"
#include "proto/proto.h"
#include "proto/tcp.h"
#include "tests/unit/proto/fakeport.h"
#include "wire/dns.h"
#include "wire/numbers.h"

#define STEPS_MAX	200
#define STREAM_MAX	(1u << 17)
#define ISN		7u

static const uint8_t ours[] = "\0\052\0\1\1\0\0\1\0\0\0\0\0\0\4host\12containers\10internal\0\0\1\0\1";
static const uint8_t theirs[] = "\0\026\0\2\1\0\0\1\0\0\0\0\0\0\1a\2bc\0\0\1\0\1";

struct run {
	struct fake_world *w;
	struct fake_sock *s;
	struct addr inner, dns;
	struct rd in;
	uint32_t seq, ack;		/* the container's */
	bool fin, remote_fin, over;
	uint8_t said[STREAM_MAX], back[STREAM_MAX], got[STREAM_MAX];
	size_t nsaid, nback, ngot;
};

static uint8_t next8(struct run *r)
{
	uint8_t v = 0;

	rd_u8(&r->in, &v);
	return v;
}

static void take_frames(struct run *r)
{
	struct fake_seen f;

	while (fake_frame(r->w, &f)) {
		r->over |= f.ip.proto != PROTO_TCP || (f.tcp.flags & TCPF_RST);
		if (r->over || !f.len)
			continue;
		FUZZ_HOLDS(seq_le(f.tcp.seq, r->ack));
		if (r->ack - f.tcp.seq >= f.len)
			continue;		/* once more */
		FUZZ_HOLDS(f.tcp.seq == r->ack && r->ngot + f.len <= STREAM_MAX);
		memcpy(r->got + r->ngot, f.data, f.len);
		r->ngot += f.len;
		r->ack += (uint32_t)f.len;
	}
}

static void settle(struct run *r)
{
	fake_turn(r->w);
	fake_check(r->w);
	take_frames(r);
	r->over |= !r->s->open;
}

static void segment(struct run *r, uint8_t flags, const void *data, size_t len)
{
	const struct tcp t = { .sport = 5000, .dport = PORT_DNS, .seq = r->seq, .ack = r->ack,
			       .flags = (uint8_t)(TCPF_ACK | flags), .wnd = 60000,
			       .opt = { .wscale = -1 } };

	fake_ingress_tcp(r->w, &r->inner, &r->dns, &t, data, len);
	settle(r);
}

static void say(struct run *r, const void *data, size_t len)
{
	const struct flow *f = fake_flow(r->w, r->s);
	const uint32_t seq = r->seq + (uint32_t)len;

	if (r->fin || !len || f->tcp.rcv_adv - r->seq < len || r->nsaid + len > STREAM_MAX)
		return;
	memcpy(r->said + r->nsaid, data, len);
	r->nsaid += len;
	segment(r, 0, data, len);
	r->seq = seq;
}

static void remote(struct run *r, const void *data, size_t len)
{
	if (r->remote_fin || !len || r->nback + len > STREAM_MAX / 2)
		return;
	memcpy(r->back + r->nback, data, len);
	r->nback += len;
	fake_put(r->s, data, len);
	fake_event(r->w, r->s, true, false, false);
	settle(r);
}

static void end(struct run *r, bool resolver)
{
	if (resolver) {
		r->remote_fin = r->s->in_eof = true;
		fake_event(r->w, r->s, true, false, false);
		settle(r);
	} else if (!r->fin) {
		r->fin = true;
		segment(r, TCPF_FIN, "", 0);
		r->seq++;
	}
}

static void world(struct run *r, uint8_t op)
{
	r->s->out_room = op & 0x10 ? SIZE_MAX : 0;
	fake_event(r->w, r->s, false, op & 0x10, false);
	if (op & 0x20) {
		r->w->c.now += 50;
		r->w->c.now_us = r->w->c.now * 1000;
	}
	settle(r);
}

static void step(struct run *r)
{
	uint8_t op = next8(r), buf[256] = { 0 };
	size_t len;
	const void *p;

	switch (op & 7) {
	case 0:
	case 3:
		len = next8(r);
		len = MIN_OF(len, r->in.left);
		p = rd_bytes(&r->in, len);
		if (op & 1)
			remote(r, p, len);
		else
			say(r, p, len);
		break;
	case 1:
		say(r, ours, sizeof(ours) - 1);
		break;
	case 2:
		say(r, theirs, sizeof(theirs) - 1);
		break;
	case 4:
		buf[1] = (uint8_t)(20 + op / 16);
		remote(r, buf, 2u + buf[1]);
		break;
	case 5:
		segment(r, 0, "", 0);
		break;
	case 6:
		end(r, op & 0x10);
		break;
	case 7:
		world(r, op);
	}
}

static size_t message(const uint8_t *p, size_t left)
{
	return left < 2 ? SIZE_MAX : (size_t)(p[0] << 8 | p[1]) + 2;
}

/* What of `said` is for the resolver, whole messages up to *whole; and the bytes of our answers. */
static size_t split(const struct run *r, uint8_t *up, size_t *whole, size_t *answers)
{
	uint8_t answer[DNS_OWN_ANSWER_MAX];
	size_t at = 0, n = 0, len;

	*answers = 0;
	while ((len = message(r->said + at, r->nsaid - at)) <= r->nsaid - at) {
		size_t a = len - 2 <= DNS_TCP_OWN_MAX ?
			   dns_own_answer(&r->w->c, r->said + at + 2, len - 2, answer) : 0;

		if (a) {
			*answers += 2 + a;
		} else {
			memcpy(up + n, r->said + at, len);
			n += len;
		}
		at += len;
	}
	*whole = n;
	memcpy(up + n, r->said + at, r->nsaid - at);
	return n + r->nsaid - at;
}

/* The resolver's messages are in `got` one behind the other, ours between them. Whether one
 * of the resolver's has begun and is not whole. */
static bool check_back(const struct run *r)
{
	size_t at = 0, from = 0, len;

	while (at < r->ngot) {
		size_t left = MIN_OF(r->ngot - at, r->nback - from);

		/* Behind a message that is not whole there is nothing: what begins like it but
		 * goes on is an answer of ours. */
		len = message(r->back + from, r->nback - from);
		if (len > r->nback - from && r->ngot - at > left)
			left = 0;
		len = MIN_OF(len, left);
		if (left && memcmp(r->got + at, r->back + from, len) == 0) {
			from += len;
		} else {
			len = message(r->got + at, r->ngot - at);
			FUZZ_HOLDS(len == SIZE_MAX || len < 4 || r->ngot - at < 5 || (r->got[at + 4] & 0x80));
			len = MIN_OF(len, r->ngot - at);
		}
		at += len;
	}
	for (at = 0; at < r->nback && (len = message(r->back + at, r->nback - at)) <= r->nback - at;)
		at += len;
	return at < r->nback;
}

static void finish(struct run *r)
{
	static uint8_t up[STREAM_MAX];
	size_t whole, answers, n = split(r, up, &whole, &answers);
	bool partial;

	if (r->remote_fin || r->over)
		return;
	for (int i = 0; i < 80 && !r->over; i++) {
		world(r, 0x37);
		segment(r, 0, "", 0);
	}
	partial = check_back(r);
	FUZZ_HOLDS(r->s->out.len <= n && (!r->s->out.len || memcmp(r->s->out.p, up, r->s->out.len) == 0));
	if (r->over || partial)
		return;
	FUZZ_HOLDS(r->s->out.len >= whole && (!r->fin || r->s->out.len == n));
	FUZZ_HOLDS(r->ngot == r->nback + answers);
}

static void start(struct run *r)
{
	static const struct fake_setup usual;
	struct resolvers to = { .n = 1, .host = "box.example.org" };
	struct tcp t = { .sport = 5000, .dport = PORT_DNS, .seq = ISN, .flags = TCPF_SYN, .wnd = 60000,
			 .opt = { .wscale = -1 } };
	struct fake_seen f;

	r->w = fake_start(&usual);
	FUZZ_HOLDS(addr_parse("203.0.113.2", &r->inner) == 0);
	FUZZ_HOLDS(addr_parse("169.254.1.1", &r->dns) == 0);
	FUZZ_HOLDS(addr_parse("198.51.100.53", &to.list[0].addr) == 0);
	dns_set_resolvers(&r->w->c, &to);
	fake_ingress_tcp(r->w, &r->inner, &r->dns, &t, "", 0);
	fake_turn(r->w);
	FUZZ_HOLDS(fake_frame(r->w, &f) && (f.tcp.flags & TCPF_SYN));
	r->s = fake_last(r->w);
	r->seq = ISN + 1;
	r->ack = f.tcp.seq + 1;
	segment(r, 0, "", 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	r = (struct run){ .in = rd_init(data, size) };
	start(&r);
	for (int i = 0; i < STEPS_MAX && r.in.left && !r.over; i++)
		step(&r);
	finish(&r);
	fake_stop(r.w);
	return 0;
}
