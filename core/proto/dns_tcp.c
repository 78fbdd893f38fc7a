/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/dns_tcp.h"

#include <string.h>

#include "flow/route.h"
#include "proto/dns.h"
#include "proto/tcp.h"
#include "wire/numbers.h"

#define PREFIX_LEN	2u	/* before each message: its length (RFC 1035, 4.2.2) */
#define HALF_READ	0x100u	/* in dns_half: the first byte of it is there */

bool dns_tcp_looks(const struct ctx *c, const struct flow *f)
{
	return c->conf->dns_host_names && f->key.remote_port == PORT_DNS &&
	       route_is_dns(c->conf, c->net, &c->dns.to, &f->key.remote, PORT_DNS);
}

static void copy(const struct ctx *c, const struct hold *h, uint32_t off, void *to, uint32_t n)
{
	struct iovec iov[HOLD_IOV_MAX];
	uint8_t *p = to;
	size_t len;
	int pieces = hold_iov(&c->pool, h, off, n, iov, &len);

	for (int i = 0; i < pieces; i++) {
		memcpy(p, iov[i].iov_base, iov[i].iov_len);
		p += iov[i].iov_len;
	}
}

static uint16_t read16(const uint8_t b[2])
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

/* --- from the resolver --- */

void dns_tcp_heard(struct ctx *c, struct flow *f, uint32_t n)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t at = t->ring.len - n;
	uint8_t b;

	while (n) {
		uint32_t skip = MIN_OF(n, (uint32_t)t->dns_rest);

		t->dns_rest -= (uint16_t)skip;
		at += skip;
		n -= skip;
		if (!n)
			return;
		copy(c, &t->ring, at, &b, 1);
		if (t->dns_half)
			t->dns_rest = (uint16_t)((t->dns_half & 0xff) << 8 | b);
		t->dns_half = t->dns_half ? 0 : HALF_READ | b;
		at++;
		n--;
	}
}

static bool is_between(const struct tcp_flow *t)
{
	return !t->dns_rest && !t->dns_half;
}

/* Room for so many more bytes in the ring. */
static bool make_room(struct ctx *c, struct tcp_flow *t, uint32_t n)
{
	uint32_t cap = (t->ring.len + n + TCP_RING_STEP - 1) / TCP_RING_STEP * TCP_RING_STEP;

	if (cap > t->ring_cap &&
	    !hold_reserve(&c->pool, t->ring_cap ? hold_chunks(t->ring_cap) : 0, hold_chunks(cap)))
		return false;
	t->ring_cap = MAX_OF(t->ring_cap, cap);
	return true;
}

/* --- from the container --- */

enum verdict { IS_OURS, IS_THEIRS, HAS_TO_WAIT };

/* Of the whole message behind the prefix at the head of the hold. */
static enum verdict take(struct ctx *c, struct flow *f, uint32_t len)
{
	uint8_t msg[DNS_TCP_OWN_MAX], out[PREFIX_LEN + DNS_OWN_ANSWER_MAX];
	struct tcp_flow *t = &f->tcp;
	size_t n;

	copy(c, &t->hold, PREFIX_LEN, msg, len);
	n = dns_own_answer(c, msg, len, out + PREFIX_LEN);
	if (!n || (t->marks & (TCPM_OUT_EOF | TCPM_FAILED)))
		return IS_THEIRS;
	if (!is_between(t) || t->ring.len + PREFIX_LEN + n > DNS_TCP_RING_MAX)
		return HAS_TO_WAIT;
	n += PREFIX_LEN;
	if (!make_room(c, t, (uint32_t)n))
		return IS_THEIRS;
	out[0] = (uint8_t)((n - PREFIX_LEN) >> 8);
	out[1] = (uint8_t)(n - PREFIX_LEN);
	hold_append(&c->pool, &t->ring, out, n);
	hold_consume(&c->pool, &t->hold, PREFIX_LEN + len);
	c->count->dns_questions++;
	c->count->dns_own++;
	f->ready |= FLOW_READABLE;
	flow_enqueue(&c->flows, f);
	return IS_OURS;
}

uint32_t dns_tcp_pass(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint8_t prefix[PREFIX_LEN];
	enum verdict v = IS_OURS;
	uint32_t len;

	while (v == IS_OURS && !t->dns_pass && t->hold.len) {
		bool more = !(t->marks & TCPM_IN_FIN);

		if (t->hold.len < PREFIX_LEN)
			return more ? 0 : t->hold.len;
		copy(c, &t->hold, 0, prefix, PREFIX_LEN);
		len = read16(prefix);
		if (len <= DNS_TCP_OWN_MAX && t->hold.len < PREFIX_LEN + len)
			return more ? 0 : t->hold.len;
		v = len <= DNS_TCP_OWN_MAX ? take(c, f, len) : IS_THEIRS;
		if (v == IS_THEIRS)
			t->dns_pass = PREFIX_LEN + len;
	}
	return MIN_OF(t->dns_pass, t->hold.len);
}

void dns_tcp_passed(struct flow *f, uint32_t n)
{
	f->tcp.dns_pass -= MIN_OF(n, f->tcp.dns_pass);
}
