/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fakesplice: the part of the fake world that spliced flows see: two sockets of one
 * flow, pipes that take FAKE_PIPE_LEN bytes, a pool of inner sockets. */
#include "fakeport.h"

#include <errno.h>
#include <string.h>

#include "proto/port.h"
#include "proto/proto.h"
#include "proto/splice.h"

static int sock_number(const struct flow *f, enum splice_side side)
{
	return side == SPLICE_OUTER ? f->sock : f->splice.inner;
}

struct fake_sock *fake_side(struct fake_world *w, const struct flow *f, enum splice_side side)
{
	int n = sock_number(f, side);

	FAKE_HOLDS(n >= 0 && n < (int)FAKE_SOCKS && w->io.socks[n].open);
	return &w->io.socks[n];
}

static struct fake_sock *side_of(struct ctx *c, const struct flow *f, enum splice_side side)
{
	int n = sock_number(f, side);
	struct fake_sock *s;

	FAKE_HOLDS(n >= 0 && n < (int)FAKE_SOCKS);
	s = &c->io->socks[n];
	FAKE_HOLDS(s->open && s->flow == flow_idx(&c->flows, f) && s->gen == f->gen &&
		   s->side == side);
	return s;
}

/* --- sockets --- */

static int new_sock(struct io *io)
{
	int slot = fake_slot(io);

	if (slot < 0 || io->nopen >= io->max_open)
		return -EMFILE;
	fake_sock_clear(&io->socks[slot]);
	io->socks[slot] = (struct fake_sock){
		.used = true, .open = true, .proto = FLOW_SPLICE, .out_room = io->out_room,
		.urgent = SIZE_MAX,
	};
	io->nopen++;
	io->last = (uint32_t)slot;
	return slot;
}

static void belongs(struct ctx *c, int sock, const struct flow *f, enum splice_side side)
{
	struct fake_sock *s = &c->io->socks[sock];

	s->flow = flow_idx(&c->flows, f);
	s->gen = f->gen;
	s->side = (uint8_t)side;
	s->proto = FLOW_SPLICE;
}

int fake_accept(struct fake_world *w, enum splice_side side)
{
	int sock = new_sock(&w->io);

	FAKE_HOLDS(sock >= 0);
	w->io.socks[sock].side = (uint8_t)side;
	w->io.socks[sock].flow = FLOW_NONE;
	return sock;
}

int port_splice_connect(struct ctx *c, struct flow *f)
{
	enum splice_side caller = (enum splice_side)f->splice.caller;
	enum splice_side side = splice_other(caller);
	struct io *io = c->io;
	int sock;

	FAKE_HOLDS(sock_number(f, caller) >= 0 && sock_number(f, side) == -1);
	/* the caller's socket is the flow's from here on, even if nothing follows */
	belongs(c, sock_number(f, caller), f, caller);
	if (side == SPLICE_INNER && !io->inner)
		return 1;
	sock = new_sock(io);
	if (sock < 0)
		return sock;
	io->inner -= side == SPLICE_INNER;
	io->opens++;
	belongs(c, sock, f, side);
	io->socks[sock].outer = f->outer;
	io->socks[sock].outer_port = f->outer_port;
	*splice_sock(f, side) = sock;
	return io->open_rc;
}

void port_side_close(struct ctx *c, struct flow *f, enum splice_side side, bool abort_it)
{
	int *n = splice_sock(f, side);
	struct fake_sock *s;

	if (*n < 0)
		return;
	s = side_of(c, f, side);
	s->open = false;
	s->aborted = abort_it;
	s->closed_unread = s->in.len != 0;
	c->io->nopen--;
	*n = -1;
}

int port_side_error(struct ctx *c, struct flow *f, enum splice_side side)
{
	return fake_take_error(side_of(c, f, side));
}

int port_side_shutdown(struct ctx *c, struct flow *f, enum splice_side side)
{
	struct fake_sock *s = side_of(c, f, side);

	FAKE_HOLDS(!s->shut);
	if (s->err)
		return -ENOTCONN;
	s->shut = true;
	return 0;
}

/* What is there; the end; an error, behind the bytes. */
static ssize_t look(struct fake_sock *s, size_t len)
{
	int err;

	if (s->in.len)
		return (ssize_t)MIN_OF(len, s->in.len);
	err = fake_take_error(s);
	return err ? err : s->in_eof ? 0 : -EAGAIN;
}

ssize_t port_side_peek(struct ctx *c, struct flow *f, enum splice_side side, void *buf, size_t len)
{
	struct fake_sock *s = side_of(c, f, side);
	ssize_t n;

	FAKE_HOLDS(len);
	n = look(s, s->urgent && s->urgent != SIZE_MAX ? MIN_OF(len, s->urgent) : len);
	if (n > 0)
		memcpy(buf, s->in.p, (size_t)n);
	return n;
}

static void took(struct fake_sock *s, size_t len)
{
	fake_bytes_drop(&s->in, len);
	s->in_read += len;
	if (s->urgent != SIZE_MAX)
		s->urgent = s->urgent >= len ? s->urgent - len : SIZE_MAX;
}

void port_side_discard(struct ctx *c, struct flow *f, enum splice_side side, size_t len)
{
	FAKE_HOLDS(len);
	took(side_of(c, f, side), len);
}

/* How much of len bytes a send takes, or an error. */
static ssize_t room(struct fake_sock *s, size_t len)
{
	int err = fake_take_error(s);
	size_t part = MIN_OF(len, s->out_room);

	FAKE_HOLDS(len && !s->shut);
	if (err)
		return err;
	if (s->out_room != SIZE_MAX)
		s->out_room -= part;
	return part ? (ssize_t)part : -EAGAIN;
}

bool port_side_urgent(struct ctx *c, struct flow *f, enum splice_side side, bool *next)
{
	struct fake_sock *s = side_of(c, f, side);

	*next = s->urgent == 0;
	return s->urgent < s->in.len;
}

ssize_t port_side_send(struct ctx *c, struct flow *f, enum splice_side side, const void *buf,
		       size_t len, bool urgent)
{
	struct fake_sock *s = side_of(c, f, side);
	ssize_t n = room(s, len);

	if (n > 0)
		fake_bytes_add(&s->out, buf, (size_t)n);
	if (n == (ssize_t)len && urgent)
		s->out_urgent = s->out.len;
	return n;
}

/* --- pipes --- */

bool port_pipe_get(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = &f->splice.end[from];

	if (e->pipe[0] >= 0)
		return true;
	for (uint32_t i = 0; i < c->io->max_pipes; i++) {
		if (c->io->pipes[i].used)
			continue;
		c->io->pipes[i].used = true;
		e->pipe[0] = e->pipe[1] = (int)i;
		return true;
	}
	return false;
}

void port_pipe_drop(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = &f->splice.end[from];

	if (e->pipe[0] < 0)
		return;
	fake_bytes_free(&c->io->pipes[e->pipe[0]].bytes);
	c->io->pipes[e->pipe[0]].used = false;
	e->pipe[0] = e->pipe[1] = -1;
}

void port_pipe_put(struct ctx *c, struct flow *f, enum splice_side from)
{
	const struct splice_end *e = &f->splice.end[from];

	FAKE_HOLDS(e->pipe[0] < 0 || !c->io->pipes[e->pipe[0]].bytes.len);
	port_pipe_drop(c, f, from);
}

static struct fake_bytes *pipe_of(struct ctx *c, const struct flow *f, enum splice_side from)
{
	int n = f->splice.end[from].pipe[0];

	FAKE_HOLDS(n >= 0 && n < (int)FAKE_PIPES && c->io->pipes[n].used);
	c->io->pipe_calls++;
	return &c->io->pipes[n].bytes;
}

/* As Linux: nothing passes the urgent mark, and with the stream's end behind it
 * that looks like the end. */
ssize_t port_pipe_in(struct ctx *c, struct flow *f, enum splice_side from, size_t len)
{
	struct fake_sock *s = side_of(c, f, from);
	struct fake_bytes *b = pipe_of(c, f, from);
	size_t most = MIN_OF(MIN_OF(len, s->urgent), (size_t)FAKE_PIPE_LEN - b->len);
	ssize_t n;

	if (!most)
		return s->in_eof ? 0 : -EAGAIN;
	n = look(s, most);
	if (n > 0) {
		fake_bytes_add(b, s->in.p, (size_t)n);
		took(s, (size_t)n);
	}
	return n;
}

ssize_t port_pipe_out(struct ctx *c, struct flow *f, enum splice_side from, size_t len)
{
	struct fake_bytes *b = pipe_of(c, f, from);
	struct fake_sock *s = side_of(c, f, splice_other(from));
	ssize_t n = room(s, MIN_OF(len, b->len));

	if (n > 0) {
		fake_bytes_add(&s->out, b->p, (size_t)n);
		fake_bytes_drop(b, (size_t)n);
	}
	return n;
}

/* --- for tests --- */

void fake_side_event(struct fake_world *w, const struct fake_sock *s, unsigned int events)
{
	proto_splice_event(&w->c, s->flow, s->gen & 0xffffffu, (enum splice_side)s->side, events);
}

/* Of one way: no byte is lost, none is there twice, and it does not stand still for
 * ever: something of it can go, or an event is to come. */
static void check_way(struct fake_world *w, const struct flow *f, enum splice_side from)
{
	enum splice_side to = splice_other(from);
	const struct splice_end *e = &f->splice.end[from];
	const struct fake_sock *in = fake_side(w, f, from), *out = fake_side(w, f, to);

	FAKE_HOLDS(!e->fill || e->pipe[0] >= 0);
	if (e->pipe[0] >= 0)
		FAKE_HOLDS(w->io.pipes[e->pipe[0]].used &&
			   w->io.pipes[e->pipe[0]].bytes.len == e->fill);
	FAKE_HOLDS((e->marks & SPM_SHUT) || in->in_read == out->out.len + e->fill);
	FAKE_HOLDS(!(e->marks & SPM_SHUT) || !e->fill);
	FAKE_HOLDS(!out->shut || (e->marks & SPM_SHUT));
}

void fake_check_splice(struct fake_world *w, const struct flow *f)
{
	enum splice_side caller = (enum splice_side)f->splice.caller;

	FAKE_HOLDS(f->state == FLOW_OPEN && sock_number(f, caller) >= 0);
	if (f->splice.state == SPLICES_WAITING) {
		FAKE_HOLDS(f->splice.inner == -1 && f->timer.slot);
		return;
	}
	FAKE_HOLDS(!f->timer.slot);
	check_way(w, f, SPLICE_OUTER);
	check_way(w, f, SPLICE_INNER);
	/* a pipe is held for what is in it, or in the middle of a bulk */
	for (int i = 0; i < 2; i++)
		FAKE_HOLDS(f->splice.end[i].pipe[0] < 0 || f->splice.end[i].fill ||
			   (f->ready & FLOW_QUEUED));
}
