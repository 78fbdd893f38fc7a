/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fakeport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/route.h"
#include "proto/inbound.h"
#include "proto/proto.h"
#include "proto/udp.h"

void fake_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* --- memory --- */

void *fake_need(void *p)
{
	if (!p)
		abort();
	return p;
}

void fake_bytes_add(struct fake_bytes *b, const void *src, size_t n)
{
	if (b->len + n > b->cap) {
		b->cap = (b->len + n) * 2 + 4096;
		b->p = fake_need(realloc(b->p, b->cap));
	}
	if (n)
		memcpy(b->p + b->len, src, n);
	b->len += n;
}

void fake_bytes_drop(struct fake_bytes *b, size_t n)
{
	FAKE_HOLDS(n <= b->len);
	b->len -= n;
	if (b->len)
		memmove(b->p, b->p + n, b->len);
}

void fake_bytes_free(struct fake_bytes *b)
{
	free(b->p);
	*b = (struct fake_bytes){ 0 };
}

void fake_sock_clear(struct fake_sock *s)
{
	fake_bytes_free(&s->in);
	fake_bytes_free(&s->out);
	for (uint32_t i = 0; i < s->nsent; i++)
		fake_bytes_free(&s->sent[i].data);
	for (uint32_t i = s->recv_head; i < s->nrecv; i++)
		fake_bytes_free(&s->recv[i].data);
	for (uint32_t i = s->err_head; i < s->nerrs; i++)
		fake_bytes_free(&s->errs[i].data);
	*s = (struct fake_sock){ 0 };
}

/* --- port.h: the tap --- */

int port_tap_send(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	struct io *io = c->io;
	struct fake_frame *f = &io->frames[(io->head + io->nframes) % FAKE_FRAMES];
	size_t at = 0;

	for (int i = 0; i < n; i++)
		at += iov[i].iov_len;
	FAKE_HOLDS(at == len);
	FAKE_HOLDS(len <= FAKE_FRAME_MAX);
	if (io->tap_err)
		return io->tap_err;
	if (!io->tap_room)
		return -EAGAIN;
	if (io->tap_room != UINT64_MAX)
		io->tap_room--;
	if (io->nframes == FAKE_FRAMES) {
		io->tap_lost++;
		return 0;
	}
	io->nframes++;
	f->bytes = fake_need(malloc(len ? len : 1));
	f->len = (uint32_t)len;
	at = 0;
	for (int i = 0; i < n; i++) {
		if (iov[i].iov_len)
			memcpy(f->bytes + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return 0;
}

/* --- port.h: sockets --- */

static struct fake_sock *sock_of(struct ctx *c, const struct flow *f)
{
	struct fake_sock *s;

	FAKE_HOLDS(f->sock >= 0 && f->sock < (int)FAKE_SOCKS);
	s = &c->io->socks[f->sock];
	FAKE_HOLDS(s->open && s->flow == flow_idx(&c->flows, f) && s->gen == f->gen);
	return s;
}

/* A slot never used, else a closed one. */
int fake_slot(struct io *io)
{
	int closed = -EMFILE;

	for (uint32_t i = 0; i < FAKE_SOCKS; i++) {
		if (!io->socks[i].used)
			return (int)i;
		if (!io->socks[i].open && closed < 0)
			closed = (int)i;
	}
	return closed;
}

static bool is_host_loopback(const struct ctx *c, const struct addr *a)
{
	for (uint32_t i = 0; i < c->conf->nhost_loopback; i++)
		if (addr_eq(&c->conf->host_loopback[i], a))
			return true;
	return false;
}

/* Whether f is to the DNS forwarder, which leads to the resolvers and nowhere else. */
static bool is_to_resolver(const struct ctx *c, const struct flow *f)
{
	bool named = false;

	if (!route_is_dns(c->conf, c->net, &c->dns.to, &f->key.remote, f->outer_port))
		return false;
	for (uint32_t i = 0; i < c->dns.to.n; i++)
		named |= addr_eq(&c->dns.to.list[i].addr, &f->outer) &&
			 c->dns.to.list[i].scope == f->outer_scope;
	FAKE_HOLDS(named);
	return true;
}

int port_open(struct ctx *c, struct flow *f)
{
	struct io *io = c->io;
	int slot = fake_slot(io);
	bool dns = is_to_resolver(c, f);
	struct fake_sock *s;

	io->opens++;
	FAKE_HOLDS(f->sock == -1);
	/* the one promise that matters most: never to the host's own loopback, unless
	 * hostLoopback says so, or a resolver is there */
	FAKE_HOLDS(!addr_is_loopback(&f->outer) || is_host_loopback(c, &f->key.remote) || dns);
	FAKE_HOLDS(!addr_is_unspecified(&f->outer));
	/* what is for us ends here */
	FAKE_HOLDS(!route_is_local(c->conf, c->net, &f->key.remote) || dns ||
		   f->key.proto == FLOW_DNS);
	/* groups: datagrams only, and by the outer interface */
	FAKE_HOLDS(!flow_is_group(f) || (f->key.proto == FLOW_UDP && f->outer_scope));
	FAKE_HOLDS(addr_is4(&f->outer) == addr_is4(&f->key.inner) || dns);
	FAKE_HOLDS(f->key.proto == FLOW_PING || f->outer_port);
	if (io->open_rc < 0 && io->open_rc != -EINPROGRESS)
		return io->open_rc;
	if (slot < 0 || io->nopen >= io->max_open)
		return -EMFILE;
	s = &io->socks[slot];
	fake_sock_clear(s);
	*s = (struct fake_sock){
		.used = true, .open = true, .proto = f->key.proto,
		.flow = flow_idx(&c->flows, f), .gen = f->gen, .outer = f->outer,
		.outer_port = f->outer_port, .outer_scope = f->outer_scope,
		.out_room = io->out_room, .urgent = SIZE_MAX, .ip = f->ip,
	};
	FAKE_HOLDS(f->ip.ttl);
	io->nopen++;
	io->last = (uint32_t)slot;
	f->sock = slot;
	if (f->key.proto == FLOW_PING)
		f->dg.outer_id = io->ping_ids_differ ? (uint16_t)~f->key.inner_port :
						       f->key.inner_port;
	return f->key.proto == FLOW_TCP ? io->open_rc : 0;
}

/* --- port.h: clients of forwarded ports --- */

int port_accept(struct ctx *c, const struct forward *fwd, struct addr *peer, uint16_t *port,
		struct addr *local)
{
	struct io *io = c->io;
	int slot = fake_slot(io);

	FAKE_HOLDS(fwd->sock >= 0 && fwd->proto == CONF_TCP);
	if (!io->nclients)
		return -EAGAIN;
	if (io->accept_rc)
		return io->accept_rc;
	if (slot < 0 || io->nopen >= io->max_open)
		return -EMFILE;
	*peer = io->clients[0].peer;
	*port = io->clients[0].port;
	if (local)
		*local = io->clients[0].local;
	memmove(io->clients, io->clients + 1, --io->nclients * sizeof(io->clients[0]));
	fake_sock_clear(&io->socks[slot]);
	io->socks[slot] = (struct fake_sock){
		.used = true, .open = true, .proto = FLOW_TCP, .flow = FLOW_NONE,
		.out_room = io->out_room, .urgent = SIZE_MAX,
	};
	io->nopen++;
	io->last = (uint32_t)slot;
	return slot;
}

int port_adopt(struct ctx *c, struct flow *f, int sock)
{
	struct fake_sock *s = &c->io->socks[sock];

	FAKE_HOLDS(f->sock == -1 && s->open && s->flow == FLOW_NONE);
	f->sock = sock;
	s->flow = flow_idx(&c->flows, f);
	s->gen = f->gen;
	s->outer = f->outer;
	s->outer_port = f->outer_port;
	return c->io->adopt_rc;
}

void port_refuse(struct ctx *c, int sock)
{
	struct fake_sock *s = &c->io->socks[sock];

	FAKE_HOLDS(s->open && s->flow == FLOW_NONE);
	s->open = false;
	s->aborted = true;
	c->io->nopen--;
	c->io->refused++;
}

void port_close(struct ctx *c, struct flow *f, bool abort_it)
{
	struct fake_sock *s;

	if (f->sock < 0)
		return;
	s = sock_of(c, f);
	s->open = false;
	s->aborted = abort_it;
	s->closed_unread = s->in.len != 0;
	c->io->nopen--;
	f->sock = -1;
}

int fake_take_error(struct fake_sock *s)
{
	int err = s->err;

	s->err = 0;
	return err;
}

int port_error(struct ctx *c, struct flow *f)
{
	return fake_take_error(sock_of(c, f));
}

int port_errqueue(struct ctx *c, struct flow *f, struct port_err *ret, void *buf, size_t size)
{
	struct fake_sock *s = sock_of(c, f);
	struct fake_err *e = &s->errs[s->err_head];

	FAKE_HOLDS(s->proto != FLOW_TCP || !s->connected);
	if (s->err_head == s->nerrs)
		return -EAGAIN;
	*ret = e->e;
	ret->len = s->proto == FLOW_TCP ? 0 : (uint32_t)MIN_OF(e->data.len, size);
	if (ret->len)
		memcpy(buf, e->data.p, ret->len);
	fake_bytes_free(&e->data);
	if (++s->err_head == s->nerrs) {
		s->err_head = s->nerrs = 0;
		s->queued_err = 0;
	}
	return 0;
}

void port_connected(struct ctx *c, struct flow *f)
{
	struct fake_sock *s = sock_of(c, f);

	FAKE_HOLDS(s->proto == FLOW_TCP && !s->connected);
	s->connected = true;
}

void port_set_ip(struct ctx *c, struct flow *f, const struct flow_ip *ip)
{
	FAKE_HOLDS(ip->ttl);
	sock_of(c, f)->ip = f->ip = *ip;
}

ssize_t port_send(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool urgent)
{
	struct fake_sock *s = sock_of(c, f);
	size_t done = 0;
	int err = fake_take_error(s);

	FAKE_HOLDS(s->proto == FLOW_TCP);
	c->io->sends++;
	if (err)
		return err;
	if (s->shut)
		return -EPIPE;
	for (int i = 0; i < n; i++) {
		size_t part = MIN_OF(iov[i].iov_len, s->out_room);

		FAKE_HOLDS(iov[i].iov_len);
		fake_bytes_add(&s->out, iov[i].iov_base, part);
		done += part;
		if (s->out_room != SIZE_MAX)
			s->out_room -= part;
		if (part < iov[i].iov_len)
			break;
	}
	if (done && urgent)
		s->out_urgent = s->out.len;
	return done ? (ssize_t)done : -EAGAIN;
}

/* As Linux: the mark is at the first byte, or a read from before it stops there. */
static size_t read_end(const struct fake_sock *s, size_t at)
{
	return s->urgent != SIZE_MAX && at < s->urgent ? MIN_OF(s->in.len, s->urgent) : s->in.len;
}

static void bytes_read(struct fake_sock *s, size_t n)
{
	fake_bytes_drop(&s->in, n);
	s->in_read += n;
	s->peek_off -= MIN_OF(s->peek_off, (uint32_t)n);
	if (s->urgent != SIZE_MAX)
		s->urgent = s->urgent >= n ? s->urgent - n : SIZE_MAX;
}

bool port_urgent(struct ctx *c, struct flow *f, uint32_t peek_at, uint32_t *ret)
{
	struct fake_sock *s = sock_of(c, f);

	FAKE_HOLDS(!c->peek || peek_at == s->peek_off);
	if (s->urgent >= s->in.len)	/* also where there is none */
		return false;
	*ret = (uint32_t)s->urgent;
	return true;
}

void port_keepalive(struct ctx *c, struct flow *f, uint16_t seconds)
{
	struct fake_sock *s = sock_of(c, f);

	FAKE_HOLDS(s->proto == FLOW_TCP && seconds);
	s->keep_s = seconds;
}

int port_shutdown(struct ctx *c, struct flow *f)
{
	struct fake_sock *s = sock_of(c, f);

	FAKE_HOLDS(s->proto == FLOW_TCP && !s->shut);
	if (s->err)
		return -ENOTCONN;	/* a reset socket; the error stays */
	s->shut = true;
	return 0;
}

ssize_t port_recv(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool peek)
{
	struct fake_sock *s = sock_of(c, f);
	size_t at = peek ? s->peek_off : 0, start = at, room = 0, end = read_end(s, at);
	int err;

	FAKE_HOLDS(s->proto == FLOW_TCP);
	for (int i = 0; i < n; i++)
		room += iov[i].iov_len;
	FAKE_HOLDS(room);		/* 0 would be taken for the end */
	for (int i = 0; i < n && at < end; i++) {
		size_t part = MIN_OF(iov[i].iov_len, end - at);

		memcpy(iov[i].iov_base, s->in.p + at, part);
		at += part;
	}
	if (at <= start) {
		err = fake_take_error(s);
		return err ? err : s->in_eof ? 0 : -EAGAIN;
	}
	if (!peek)
		bytes_read(s, at);
	else if (c->peek)
		s->peek_off = (uint32_t)at;
	return (ssize_t)(at - start);
}

int port_peek_seek(struct ctx *c, struct flow *f, uint32_t off)
{
	FAKE_HOLDS(c->peek);
	sock_of(c, f)->peek_off = off;
	return 0;
}

void port_bulk(struct ctx *c, struct flow *f)
{
	struct fake_sock *s = sock_of(c, f);

	FAKE_HOLDS(!s->bulk);
	s->bulk = true;
}

ssize_t port_discard(struct ctx *c, struct flow *f, uint32_t n)
{
	struct fake_sock *s = sock_of(c, f);
	size_t part = MIN_OF((size_t)n, read_end(s, 0));

	FAKE_HOLDS(n);
	FAKE_HOLDS(n <= s->in.len);	/* only what was peeked is acknowledged */
	bytes_read(s, part);
	return (ssize_t)part;
}

/* --- port.h: datagrams --- */

static void keep_sent(struct fake_sock *s, const uint8_t *p, size_t len,
		      const struct port_dgram *from)
{
	struct fake_dgram *d;

	if (s->nsent == FAKE_DGRAMS)
		return;
	d = &s->sent[s->nsent++];
	*d = (struct fake_dgram){ .gso_size = from->gso_size, .message = s->messages,
				  .ip = from->ip };
	fake_bytes_add(&d->data, p, len);
}

/* What Linux refuses (udp(7)): more than 64 segments, or an empty message with
 * UDP_SEGMENT; a message over 65507 bytes. */
static int send_message(struct fake_sock *s, const struct port_dgram *d)
{
	const struct port_err too_big = { .local = true, .err = -EMSGSIZE, .mtu = s->mtu };
	size_t most = s->mtu ? s->mtu - (addr_is4(&s->outer) ? IP4_HLEN : IP6_HLEN) - UDP_HLEN : 0;
	struct fake_bytes all = { 0 };
	size_t at = 0;

	for (uint32_t i = 0; i < d->niov; i++)
		fake_bytes_add(&all, d->iov[i].iov_base, d->iov[i].iov_len);
	FAKE_HOLDS(all.len == d->len);
	if (d->gso_size) {
		FAKE_HOLDS(all.len && (all.len + d->gso_size - 1) / d->gso_size <= UDP_SEGMENTS);
		if (s->no_gso) {
			fake_bytes_free(&all);
			return -EIO;
		}
	} else {
		/* without it a message is one datagram, and ours are of one piece, but for a
		 * question, whose number is another's */
		FAKE_HOLDS(d->niov == (s->proto == FLOW_DNS ? 2 : 1));
	}
	FAKE_HOLDS(d->ip.ttl);
	if (s->mtu && (d->gso_size ? d->gso_size > most : d->ip.df && all.len > most)) {
		if (!d->gso_size)	/* Linux: of a GSO message no entry */
			fake_put_err(s, &too_big, NULL, 0);
		fake_bytes_free(&all);
		return -EMSGSIZE;
	}
	do {
		size_t part = d->gso_size ? MIN_OF(all.len - at, (size_t)d->gso_size) : all.len;

		keep_sent(s, all.p ? all.p + at : NULL, part, d);
		at += part;
	} while (at < all.len);
	s->messages++;
	fake_bytes_free(&all);
	return 0;
}

/* The socket a flow sends by; for the listener it is kept to whom. */
static struct fake_sock *sending(struct ctx *c, const struct flow *f)
{
	struct io *io = c->io;

	if (f->key.proto != FLOW_UDP || f->dg.via == FORWARD_NONE)
		return sock_of(c, f);
	FAKE_HOLDS(forward_at(&c->forwards, f->dg.via) && f->sock == -1);
	for (uint32_t i = io->listener.nsent; i < FAKE_DGRAMS; i++)
		io->to[i] = (struct port_client){ f->outer, f->dg.local, f->outer_scope,
						  f->outer_port };
	return &io->listener;
}

static int send_by(struct fake_sock *s, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	int rc = s->send_err ? s->send_err : s->queued_err;

	FAKE_HOLDS(s->proto != FLOW_TCP && n);
	if (s->send_err)
		s->send_err = 0;
	else
		s->queued_err = 0;
	if (rc)
		return rc;
	s->ip.df = f->ip.df = d[0].ip.df;
	for (unsigned int i = 0; i < n; i++) {
		rc = d[i].ip.df == f->ip.df ? send_message(s, &d[i]) : -EAGAIN;
		if (rc)
			return i ? (int)i : rc;
	}
	return (int)n;
}

int port_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	return send_by(sending(c, f), f, d, n);
}

int port_dgram_answer(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	struct io *io = c->io;

	FAKE_HOLDS(f->key.proto == FLOW_RELAY && forward_at(&c->forwards, f->dg.via));
	for (uint32_t i = io->listener.nsent; i < FAKE_DGRAMS; i++)
		io->to[i] = (struct port_client){ f->key.remote, f->dg.local, f->dg.local_scope,
						  f->key.remote_port };
	return send_by(&io->listener, f, d, n);
}

int port_relay_open(struct ctx *c, struct flow *f)
{
	struct io *io = c->io;
	int slot = fake_slot(io);

	FAKE_HOLDS(f->key.proto == FLOW_RELAY && f->sock == -1);
	if (f->inbound && !io->inner)
		return 1;
	if (slot < 0 || io->nopen >= io->max_open)
		return -EMFILE;
	io->inner -= f->inbound;
	fake_sock_clear(&io->socks[slot]);
	io->socks[slot] = (struct fake_sock){
		.used = true, .open = true, .proto = FLOW_RELAY, .flow = flow_idx(&c->flows, f),
		.gen = f->gen, .outer = f->outer, .outer_port = f->outer_port,
		.out_room = io->out_room, .urgent = SIZE_MAX,
	};
	io->nopen++;
	io->opens++;
	io->last = (uint32_t)slot;
	f->sock = slot;
	return 0;
}

static int receive(struct fake_sock *s, struct port_dgram *d, unsigned int n)
{
	unsigned int done = 0;

	FAKE_HOLDS(s->proto != FLOW_TCP && n);
	if (s->queued_err) {
		int err = s->queued_err;

		s->queued_err = 0;
		return err;
	}
	for (; done < n && s->recv_head < s->nrecv; done++) {
		struct fake_dgram *from = &s->recv[s->recv_head];
		int err = from->err;

		if (err && done)
			break;
		s->recv_head++;
		if (err) {
			fake_bytes_free(&from->data);
			return err;
		}
		FAKE_HOLDS(d[done].niov == 1);
		d[done].len = (uint32_t)MIN_OF(from->data.len, d[done].iov->iov_len);
		d[done].gso_size = from->gso_size;
		d[done].ip = from->ip;
		d[done].from = from->from;
		d[done].from_port = from->from_port;
		if (d[done].len)
			memcpy(d[done].iov->iov_base, from->data.p, d[done].len);
		fake_bytes_free(&from->data);
	}
	if (s->recv_head == s->nrecv)
		s->recv_head = s->nrecv = 0;
	return done ? (int)done : -EAGAIN;
}

int port_dgram_recv(struct ctx *c, struct flow *f, struct port_dgram *d, unsigned int n)
{
	return receive(sock_of(c, f), d, n);
}

int port_dgram_from(struct ctx *c, const struct forward *fwd, struct port_dgram *d,
		    struct port_client *client, unsigned int n)
{
	struct io *io = c->io;
	uint32_t first = io->listener.recv_head;
	int done;

	FAKE_HOLDS(fwd->sock >= 0 && fwd->proto == CONF_UDP);
	done = receive(&io->listener, d, n);
	for (int i = 0; i < done; i++)
		client[i] = io->from[first + (uint32_t)i];
	return done;
}

/* --- host sockets --- */

struct fake_sock *fake_last(struct fake_world *w)
{
	FAKE_HOLDS(w->io.socks[w->io.last].used);
	return &w->io.socks[w->io.last];
}

struct flow *fake_flow(struct fake_world *w, const struct fake_sock *s)
{
	struct flow *f = &w->flows[s->flow];

	return s->used && f->gen == s->gen && f->state != FLOW_FREE ? f : NULL;
}

void fake_put(struct fake_sock *s, const void *data, size_t len)
{
	fake_bytes_add(&s->in, data, len);
}

void fake_put_dgram(struct fake_sock *s, const void *data, size_t len, uint16_t gso_size, int err)
{
	struct fake_dgram *d;

	if (s->nrecv == FAKE_DGRAMS)
		return;
	d = &s->recv[s->nrecv++];
	*d = (struct fake_dgram){ .gso_size = gso_size, .err = err,
				  .ip = { .ttl = 64, .df = true } };
	fake_bytes_add(&d->data, data, len);
}

void fake_client(struct fake_world *w, const struct addr *peer, uint16_t port,
		 const struct addr *local)
{
	FAKE_HOLDS(w->io.nclients < FAKE_CLIENTS);
	w->io.clients[w->io.nclients++] = (struct fake_client){ *peer, *local, port };
	inbound_event(&w->c, FAKE_TCP);
}

void fake_client_dgram(struct fake_world *w, const struct addr *peer, uint16_t port,
		       const struct addr *local, const void *data, size_t len, uint16_t gso_size)
{
	struct fake_sock *s = &w->io.listener;

	s->proto = FLOW_UDP;
	if (s->nrecv < FAKE_DGRAMS)
		w->io.from[s->nrecv] = (struct port_client){ *peer, *local, 0, port };
	fake_put_dgram(s, data, len, gso_size, 0);
	inbound_event(&w->c, FAKE_UDP);
}

void fake_put_dgram_ip(struct fake_sock *s, const void *data, size_t len,
		       const struct flow_ip *ip)
{
	fake_put_dgram(s, data, len, 0, 0);
	s->recv[s->nrecv - 1].ip = *ip;
}

void fake_put_err(struct fake_sock *s, const struct port_err *e, const void *data, size_t len)
{
	struct fake_err *q;

	if (s->nerrs == FAKE_ERRS)
		return;
	q = &s->errs[s->nerrs++];
	*q = (struct fake_err){ .e = *e };
	if (addr_is_any(&q->e.dst))
		q->e.dst = s->outer;
	if (!q->e.ttl)
		q->e.ttl = 64;
	fake_bytes_add(&q->data, data, len);
	if (!e->local)
		s->queued_err = e->err;
}

void fake_put_from(struct fake_sock *s, const struct addr *from, uint16_t port, const void *data,
		   size_t len)
{
	fake_put_dgram(s, data, len, 0, 0);
	s->recv[s->nrecv - 1].from = *from;
	s->recv[s->nrecv - 1].from_port = port;
}

void fake_urgent_event(struct fake_world *w, const struct fake_sock *s)
{
	proto_urgent_event(&w->c, s->flow, s->gen & 0xffffffu);
}

void fake_event(struct fake_world *w, const struct fake_sock *s, bool readable, bool writable,
		bool error)
{
	proto_socket_event(&w->c, s->flow, s->gen & 0xffffffu, readable, writable, error);
}
