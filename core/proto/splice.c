/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice: each way is moved by itself, by one of two means (splice.h), until
 * its source has nothing or its destination takes nothing. Sockets are watched
 * edge-triggered, so a side is asked only after an event said that it changed:
 * a way that is stuck costs nothing.
 */
#include "proto/splice.h"

#include <errno.h>

#include "proto/admit.h"
#include "proto/inbound.h"
#include "proto/port.h"

static struct splice_end *end_of(struct flow *f, enum splice_side side)
{
	return &f->splice.end[side];
}

static void set(struct splice_end *e, unsigned int marks)
{
	e->marks |= (uint16_t)marks;
}

static void clear(struct splice_end *e, unsigned int marks)
{
	e->marks &= (uint16_t)~marks;
}

/* --- one way ------------------------------------------------------------ */

/* Reading from it failed: its peer reset it, or is gone. */
static void source_failed(struct splice_end *from)
{
	set(from, SPM_FAILED | SPM_END);
	clear(from, SPM_READABLE);
}

/* Writing to it failed: what is on its way there has nowhere to go. */
static void sink_failed(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = end_of(f, from);

	set(end_of(f, splice_other(from)), SPM_FAILED);
	set(e, SPM_END | SPM_SHUT);
	clear(e, SPM_READABLE);
	e->fill = 0;
	port_pipe_drop(c, f, from);
}

/* Whether all of len bytes, sent to the other side with result n, went. */
static bool all_went(struct ctx *c, struct flow *f, enum splice_side from, ssize_t n, size_t len)
{
	if (n >= 0 || n == -EAGAIN) {
		if (n == (ssize_t)len)
			return true;
		/* A short send has met the end of the room: an event tells of more. */
		clear(end_of(f, splice_other(from)), SPM_WRITABLE);
		return false;
	}
	sink_failed(c, f, from);
	return false;
}

/* The pipe to the other side. Returns the bytes that went: fewer than it holds do
 * not mean that there is no more room. */
static size_t drain(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = end_of(f, from);
	ssize_t n = port_pipe_out(c, f, from, e->fill);

	if (n <= 0) {
		all_went(c, f, from, n, e->fill);
		return 0;
	}
	e->fill -= (uint32_t)n;
	return (size_t)n;
}

/* Into the pipe, which is empty: so "again" can only mean the socket. Urgent
 * data look like the end here: copy() tells what it is. */
static void fill(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = end_of(f, from);
	ssize_t n = port_pipe_in(c, f, from, SPLICE_PIPE_LEN);

	clear(e, SPM_PLAIN);
	if (n == -EAGAIN)
		clear(e, SPM_READABLE);
	else if (n < 0)
		source_failed(e);
	else
		e->fill = (uint32_t)n;
	if (n >= 0 && n < (ssize_t)SPLICE_WORTH)
		clear(e, SPM_BULK);
}

/* How much to look at at once: an urgent byte goes by itself. It is asked for wherever it
 * could have come since the last event: a read that begins with it does not tell. */
static size_t look_at(struct ctx *c, struct flow *f, enum splice_side from, bool *urgent)
{
	struct splice_end *e = end_of(f, from);

	*urgent = false;
	if (!(e->marks & SPM_PLAIN) && !port_side_urgent(c, f, from, urgent))
		clear(e, SPM_URGENT);
	clear(e, SPM_PLAIN);
	return *urgent ? 1 : CTX_HOT_SIZE;
}

/* Peek, send, discard: what does not go stays in the socket. */
static size_t copy(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = end_of(f, from);
	bool urgent;
	const size_t most = look_at(c, f, from, &urgent);
	ssize_t got = port_side_peek(c, f, from, c->hot, most), sent;

	if (got <= 0) {
		if (got == 0)
			set(e, SPM_END);
		else if (got != -EAGAIN)
			source_failed(e);
		clear(e, SPM_READABLE);
		return 0;
	}
	if (got >= (ssize_t)SPLICE_WORTH)
		set(e, SPM_BULK);
	sent = port_side_send(c, f, splice_other(from), c->hot, (size_t)got, urgent);
	if (sent > 0)
		port_side_discard(c, f, from, (size_t)sent);
	/* Less than there was room for is all there was, and an event tells of
	 * more, unless the end or urgent data stand behind it. */
	if (all_went(c, f, from, sent, (size_t)got) && got < (ssize_t)most &&
	    !(e->marks & (SPM_ENDING | SPM_URGENT)))
		clear(e, SPM_READABLE);
	return sent > 0 ? (size_t)sent : 0;
}

/* Whether something can go this way now. */
static bool can_move(const struct flow *f, enum splice_side from)
{
	const struct splice_end *e = &f->splice.end[from];

	return (f->splice.end[splice_other(from)].marks & SPM_WRITABLE) &&
	       (e->fill || ((e->marks & SPM_READABLE) && !(e->marks & SPM_END)));
}

/* Moves until nothing can go or the turn is used up. True: there is more. */
static bool move(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = end_of(f, from);
	size_t done = 0;

	while (done < SPLICE_TURN && can_move(f, from)) {
		if (!e->fill && (e->marks & (SPM_BULK | SPM_URGENT)) == SPM_BULK &&
		    port_pipe_get(c, f, from))
			fill(c, f, from);
		if (e->fill)
			done += drain(c, f, from);
		else if (can_move(f, from))
			done += copy(c, f, from);
	}
	c->count->splice_bytes += done;
	if (!done)
		return can_move(f, from);
	if (from == SPLICE_INNER) {
		c->count->splice_tx_bytes += done;
		flow_sent(&c->flows, f, done, c->now);
	} else {
		flow_got(&c->flows, f, done, c->now);
	}
	return can_move(f, from);
}

/* All before the end has gone: the end follows. */
static void pass_end(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = end_of(f, from);

	if (!e->fill)
		port_pipe_put(c, f, from);
	if (e->fill || (e->marks & (SPM_END | SPM_SHUT | SPM_FAILED)) != SPM_END)
		return;
	set(e, SPM_SHUT);
	if (port_side_shutdown(c, f, splice_other(from)) < 0)
		set(end_of(f, splice_other(from)), SPM_FAILED);
}

/* --- the flow ----------------------------------------------------------- */

static bool is_dead(const struct flow *f, enum splice_side side)
{
	const struct splice_end *e = &f->splice.end[side];

	return (e->marks & SPM_FAILED) && (e->marks & SPM_END) && !e->fill;
}

bool splice_serve(struct ctx *c, struct flow *f)
{
	const struct splice_end *e = f->splice.end;
	bool more;

	if (f->splice.state != SPLICES_OPEN)
		return false;
	more = move(c, f, SPLICE_OUTER);
	more |= move(c, f, SPLICE_INNER);
	pass_end(c, f, SPLICE_OUTER);
	pass_end(c, f, SPLICE_INNER);
	if (is_dead(f, SPLICE_OUTER) || is_dead(f, SPLICE_INNER)) {
		c->count->splice_reset++;
		splice_free(c, f, true);
		return false;
	}
	if (e[SPLICE_OUTER].marks & e[SPLICE_INNER].marks & SPM_SHUT) {
		splice_free(c, f, false);
		return false;
	}
	return more;
}

/* Takes f out of the list of those that wait. */
static void unlist(struct ctx *c, const struct flow *f)
{
	uint32_t idx = flow_idx(&c->flows, f), *link = &c->splice_head, prev = FLOW_NONE;

	while (*link != idx) {
		prev = *link;
		link = &flow_at(&c->flows, prev)->splice.wait_next;
	}
	*link = f->splice.wait_next;
	if (c->splice_tail == idx)
		c->splice_tail = prev;
}

void splice_free(struct ctx *c, struct flow *f, bool abort)
{
	if (f->splice.state == SPLICES_WAITING)
		unlist(c, f);
	for (int side = 0; side < 2; side++) {
		port_pipe_drop(c, f, (enum splice_side)side);
		port_side_close(c, f, (enum splice_side)side, abort);
	}
	wheel_stop(&c->wheel, flow_idx(&c->flows, f));
	flow_free(&c->flows, f);
	c->count->flows_closed++;
}

/* Who called hears a reset at once: as if nobody had listened. */
static void refused(struct ctx *c, struct flow *f)
{
	c->count->splice_refused++;
	flow_refused(&c->flows, f);
	splice_free(c, f, true);
}

static void connected(struct ctx *c, struct flow *f)
{
	if (port_side_error(c, f, splice_other((enum splice_side)f->splice.caller)) < 0) {
		refused(c, f);
		return;
	}
	c->count->splice_opened++;
	f->splice.state = SPLICES_OPEN;
	flow_enqueue(&c->flows, f);
}

/* rc: what connecting the other side said. */
static void joined(struct ctx *c, struct flow *f, int rc)
{
	f->splice.state = SPLICES_CONNECTING;
	if (rc == 0)
		connected(c, f);
	else if (rc != -EINPROGRESS)
		refused(c, f);
}

/* Behind those that wait already: who called first is served first. */
static void wait_for_socket(struct ctx *c, struct flow *f)
{
	uint32_t idx = flow_idx(&c->flows, f);

	f->splice.state = SPLICES_WAITING;
	f->splice.wait_next = FLOW_NONE;
	if (c->splice_tail != FLOW_NONE)
		flow_at(&c->flows, c->splice_tail)->splice.wait_next = idx;
	else
		c->splice_head = idx;
	c->splice_tail = idx;
	wheel_start(&c->wheel, idx, c->now + SPLICE_WAIT_MS);
}

void splice_supplied(struct ctx *c)
{
	for (uint32_t idx = c->splice_head, next; idx != FLOW_NONE; idx = next) {
		struct flow *f = flow_at(&c->flows, idx);
		int rc = port_splice_connect(c, f);

		next = f->splice.wait_next;
		if (rc > 0)
			continue;	/* of the family that did not come */
		unlist(c, f);
		wheel_stop(&c->wheel, idx);
		joined(c, f, rc);
	}
}

int splice_open(struct ctx *c, const struct splice_call *call)
{
	const struct flow_key key = {
		.inner = call->by, .inner_port = call->by_port, .remote = call->from,
		.remote_port = call->from_port, .proto = FLOW_SPLICE,
	};
	struct flow *f = admit_flow(c, &key);
	int rc;

	if (!f)
		return -ENFILE;
	f->splice = (struct splice_flow){
		.end = { { .pipe = { -1, -1 } }, { .pipe = { -1, -1 } } },
		.inner = -1, .caller = (uint8_t)call->caller,
	};
	*splice_sock(f, call->caller) = call->sock;
	f->inbound = call->caller == SPLICE_OUTER;
	f->tally = call->tally;
	f->outer = call->to;
	f->outer_port = call->to_port;
	rc = port_splice_connect(c, f);
	if (rc > 0)
		wait_for_socket(c, f);
	else
		joined(c, f, rc);
	return 0;
}

bool splice_wanted(const struct ctx *c, const struct forward *fwd, const struct addr *peer)
{
	if (c->conf->off & CONF_OFF_SPLICE)
		return fwd->reverse;
	return fwd->reverse || !c->conf->preserve_source || addr_is_loopback(peer) ||
	       addr_is_loopback(&fwd->to) || netcfg_has_address(c->net, peer);
}

/* A spliced connection may change its family, where the container has but one. */
bool splice_target(const struct ctx *c, const struct forward *fwd, const struct addr *peer,
		   const struct addr *local, struct addr *ret)
{
	bool v4 = addr_is4(peer);

	if (!fwd->reverse && addr_is_any(&fwd->to) && c->conf->loopback_to_loopback &&
	    addr_is_loopback(peer)) {
		*ret = addr_loopback(v4);
		return true;
	}
	if (!fwd->reverse)
		return inbound_target(c, fwd, v4, local, ret) ||
		       inbound_target(c, fwd, !v4, &ADDR_ANY, ret);
	*ret = addr_is_any(&fwd->to) ? addr_loopback(v4) : fwd->to;
	return true;
}

int splice_accept(struct ctx *c, int sock, const struct forward *fwd, const struct addr *peer,
		  uint16_t peer_port, const struct addr *local)
{
	struct splice_call call = {
		.sock = sock, .caller = fwd->reverse ? SPLICE_INNER : SPLICE_OUTER,
		.from = *peer, .from_port = peer_port, .by = *local, .by_port = fwd->port,
		.to_port = fwd->to_port, .tally = tally_place(fwd->rule),
	};
	int rc = splice_target(c, fwd, peer, local, &call.to) ? splice_open(c, &call) : -EADDRNOTAVAIL;

	if (rc < 0) {
		c->count->splice_refused++;
		inbound_count(c, fwd, 0, 1);
		port_refuse(c, sock);
	}
	return rc;
}

void splice_timer(struct ctx *c, struct flow *f)
{
	refused(c, f);
}

void splice_event(struct ctx *c, struct flow *f, enum splice_side side, unsigned int events)
{
	struct splice_end *e = end_of(f, side);

	if (events & (SPLICEV_IN | SPLICEV_END))
		set(e, SPM_READABLE);
	if (events & (SPLICEV_OUT | SPLICEV_END))
		set(e, SPM_WRITABLE);	/* an error wants to be met, too */
	if (events & SPLICEV_END)
		set(e, SPM_ENDING);
	if (events & SPLICEV_URGENT) {
		set(e, SPM_URGENT);
		clear(e, SPM_PLAIN);
	} else if (events & SPLICEV_IN) {
		set(e, SPM_PLAIN);
	}
	if (f->splice.state == SPLICES_OPEN)
		flow_enqueue(&c->flows, f);
	else if (f->splice.state == SPLICES_CONNECTING && side != f->splice.caller &&
		 (events & (SPLICEV_OUT | SPLICEV_END)))
		connected(c, f);
}
