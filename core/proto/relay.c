/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/relay.h"

#include <errno.h>
#include <string.h>

#include "proto/admit.h"
#include "proto/inbound.h"
#include "proto/splice.h"
#include "proto/udp.h"
#include "wire/numbers.h"

#define OPEN_TRIES 4		/* without a descriptor, an older flow makes way for each */

/* --- the datagrams ---------------------------------------------------------- */

static uint32_t datagrams(const struct port_dgram *d)
{
	return udp_datagrams(d->len, d->gso_size);
}

typedef int (*send_fn)(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n);

/* A connected socket tells at the next call that an earlier datagram met nobody; this
 * one has not been sent by that. */
static int send_some(struct ctx *c, struct flow *f, send_fn fn, const struct port_dgram *d,
		     unsigned int n)
{
	int rc = fn(c, f, d, n);

	return rc == -ECONNREFUSED ? fn(c, f, d, n) : rc;
}

/* The datagrams of one message, of one piece, one by one: the kernel does not take so many, or
 * has no UDP_SEGMENT. Returns how many went. */
static uint32_t send_singly(struct ctx *c, struct flow *f, send_fn fn, const struct port_dgram *d)
{
	uint8_t *p = d->iov->iov_base;
	uint32_t done = 0;

	for (uint32_t at = 0; at < d->len; at += d->gso_size) {
		const uint32_t part = MIN_OF(d->len - at, (uint32_t)d->gso_size);
		struct iovec iov = { p + at, part };
		const struct port_dgram one = { .iov = &iov, .niov = 1, .len = part, .ip = d->ip };

		done += send_some(c, f, fn, &one, 1) == 1;
	}
	return done;
}

/* Sends n messages; those the kernel has no room for are lost, as on a network. */
static void send_all(struct ctx *c, struct flow *f, send_fn fn, struct port_dgram *d, int n)
{
	uint64_t sent = 0, all = 0;

	for (int i = 0; i < n; i++) {
		d[i].ip = f->ip;	/* of one machine's own: nothing routed them */
		d[i].iov->iov_len = d[i].len;
		all += datagrams(&d[i]);
	}
	for (int i = 0, rc; i < n; i += MAX_OF(rc, 1)) {
		rc = send_some(c, f, fn, d + i, (unsigned int)(n - i));
		for (int k = 0; k < rc; k++)
			sent += datagrams(&d[i + k]);
		if (rc < 0 && d[i].gso_size &&
		    (rc == -EINVAL || rc == -EMSGSIZE || rc == -EIO))
			sent += send_singly(c, f, fn, &d[i]);
	}
	c->count->splice_datagrams += sent;
	c->count->splice_datagrams_lost += all - sent;
}

/* Bytes that passed; out: of the container. */
static void note(struct ctx *c, struct flow *f, const struct port_dgram *d, int n, bool out)
{
	uint64_t bytes = 0;

	for (int i = 0; i < n; i++)
		bytes += d[i].len;
	c->count->splice_bytes += bytes;
	if (out) {
		c->count->splice_tx_bytes += bytes;
		flow_sent(&c->flows, f, bytes, c->now);
	} else {
		flow_got(&c->flows, f, bytes, c->now);
	}
	f->dg.last_ms = c->now;
	flow_touch(&c->flows, f);
}

/* --- those that wait for a socket ------------------------------------------- */

/* What stands before each datagram that waits. */
struct mark {
	uint16_t len, gso_size;
};

static void wait_for_socket(struct ctx *c, struct flow *f)
{
	f->dg.waiting = true;
	f->dg.wait_next = c->relay_head;
	c->relay_head = flow_idx(&c->flows, f);
}

static void unlist(struct ctx *c, struct flow *f)
{
	uint32_t idx = flow_idx(&c->flows, f), *link = &c->relay_head;

	while (*link != idx)
		link = &flow_at(&c->flows, *link)->dg.wait_next;
	*link = f->dg.wait_next;
	f->dg.waiting = false;
}

static void drop_held(struct ctx *c, struct flow *f)
{
	hold_clear(&c->pool, &f->dg.held);
	if (f->dg.reserved)
		hold_reserve(&c->pool, hold_chunks(RELAY_HELD), 0);
	f->dg.reserved = false;
}

static void keep(struct ctx *c, struct flow *f, const struct port_dgram *d)
{
	const struct mark m = { .len = (uint16_t)d->len, .gso_size = d->gso_size };

	if (!f->dg.reserved)
		f->dg.reserved = hold_reserve(&c->pool, 0, hold_chunks(RELAY_HELD));
	if (!f->dg.reserved || f->dg.held.len + sizeof(m) + d->len > RELAY_HELD) {
		c->count->splice_datagrams_lost += datagrams(d);
		return;
	}
	hold_append(&c->pool, &f->dg.held, &m, sizeof(m));
	hold_append(&c->pool, &f->dg.held, d->iov->iov_base, d->len);
}

static void take(struct ctx *c, struct hold *h, void *to, size_t n)
{
	struct iovec iov[HOLD_IOV_MAX];
	size_t len, at = 0;
	int pieces = hold_iov(&c->pool, h, 0, n, iov, &len);

	for (int i = 0; i < pieces; i++) {
		memcpy((uint8_t *)to + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	hold_consume(&c->pool, h, (uint32_t)n);
}

/* Through the buffer of all that arrives: nothing lies there now. */
static void send_held(struct ctx *c, struct flow *f)
{
	struct hold *h = &f->dg.held;
	struct mark m;

	while (h->len) {
		struct iovec iov = { c->dgrams, CTX_HOT_SIZE };
		struct port_dgram d = { .iov = &iov, .niov = 1 };

		take(c, h, &m, sizeof(m));
		take(c, h, c->dgrams, m.len);
		d.len = m.len;
		d.gso_size = m.gso_size;
		send_all(c, f, port_dgram_send, &d, 1);
		note(c, f, &d, 1, !f->inbound);
	}
	drop_held(c, f);
}

void relay_supplied(struct ctx *c)
{
	uint32_t idx = c->relay_head;

	c->relay_head = FLOW_NONE;
	while (idx != FLOW_NONE) {
		struct flow *f = flow_at(&c->flows, idx);
		int rc;

		idx = f->dg.wait_next;
		f->dg.waiting = false;
		rc = port_relay_open(c, f);
		if (rc > 0)
			wait_for_socket(c, f);
		else if (rc == 0)
			send_held(c, f);
		else
			admit_free(c, f);
	}
}

void relay_forget(struct ctx *c, struct flow *f)
{
	if (f->dg.waiting)
		unlist(c, f);
	drop_held(c, f);
}

/* --- the flow ----------------------------------------------------------------- */

/* 0, and it has its socket or waits for one; or -errno. */
static int open_socket(struct ctx *c, struct flow *f)
{
	int rc = port_relay_open(c, f);

	for (int i = 0; i < OPEN_TRIES && (rc == -EMFILE || rc == -ENFILE) && admit_evict(c); i++)
		rc = port_relay_open(c, f);
	if (rc > 0)
		wait_for_socket(c, f);
	return MIN_OF(rc, 0);
}

static struct flow *new_client(struct ctx *c, const struct forward *fwd,
			       const struct port_client *from, const struct flow_key *key)
{
	struct addr to;
	struct flow *f;

	if (!splice_target(c, fwd, &from->peer, &from->local, &to))
		return NULL;
	f = admit_flow(c, key);
	if (!f)
		return NULL;
	f->inbound = !fwd->reverse;
	f->tally = tally_place(fwd->rule);
	f->outer = to;
	f->outer_port = fwd->to_port;
	f->ip = (struct flow_ip){ .ttl = IP_DEFAULT_TTL, .df = true };
	f->dg.local = from->local;
	f->dg.local_scope = from->scope;
	f->dg.via = forward_idx(&c->forwards, fwd);
	c->forwards.list[f->dg.via].flows++;
	wheel_start(&c->wheel, flow_idx(&c->flows, f), c->now + udp_oneway_ms(c));
	if (open_socket(c, f) < 0) {
		admit_free(c, f);
		return NULL;
	}
	c->count->splice_udp++;
	inbound_count(c, fwd, 1, 0);
	return f;
}

struct flow *relay_client(struct ctx *c, const struct forward *fwd,
			  const struct port_client *from)
{
	const struct flow_key key = {
		.inner = addr_is_any(&from->local) ? fwd->addr : from->local,
		.inner_port = fwd->port, .remote = from->peer, .remote_port = from->port,
		.proto = FLOW_RELAY, .reverse = fwd->reverse,
	};
	struct flow *f = from->port ? flow_find(&c->flows, &key) : NULL;

	/* The same client to two listeners of one port, on different interfaces. */
	if (f && f->dg.via != forward_idx(&c->forwards, fwd)) {
		admit_free(c, f);
		f = NULL;
	}
	return f || !from->port ? f : new_client(c, fwd, from, &key);
}

void relay_deliver(struct ctx *c, struct flow *f, struct port_dgram *d, int n)
{
	f->dg.last_ms = c->now;
	flow_touch(&c->flows, f);
	if (f->dg.waiting) {
		for (int i = 0; i < n; i++)
			keep(c, f, &d[i]);
		return;
	}
	send_all(c, f, port_dgram_send, d, n);
	note(c, f, d, n, !f->inbound);
}

bool relay_serve(struct ctx *c, struct flow *f)
{
	struct port_dgram d[CTX_DGRAMS];
	struct iovec iov[CTX_DGRAMS];
	int n;

	udp_room(c, d, iov);
	n = port_dgram_recv(c, f, d, CTX_DGRAMS);
	if (n == -EAGAIN) {
		f->ready &= (uint8_t)~(FLOW_READABLE | FLOW_ERRORS);
		return false;
	}
	if (n < 0)	/* nobody serves there now: that was the news, and it is taken */
		return true;
	f->dg.rx += f->dg.rx < UINT32_MAX;
	send_all(c, f, port_dgram_answer, d, n);
	note(c, f, d, n, f->inbound);
	return true;
}
