/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/proto.h"

#include "proto/admit.h"
#include "proto/dns.h"
#include "proto/group.h"
#include "proto/icmp.h"
#include "proto/splice.h"
#include "proto/inbound.h"
#include "proto/ndp.h"
#include "proto/orphan.h"
#include "proto/reassembly.h"
#include "proto/relay.h"
#include "proto/tcp.h"
#include "proto/udp.h"

#define GEN_MASK 0xffffffu	/* what an event's reference keeps of flow.gen */

void proto_socket_event(struct ctx *c, uint32_t idx, uint32_t gen, bool readable,
			bool writable, bool error)
{
	struct flow *f = flow_at(&c->flows, idx);

	if (f->state != FLOW_OPEN || (f->gen & GEN_MASK) != gen)
		return;
	if (f->key.proto == FLOW_TCP) {
		tcp_socket_event(c, f, readable, writable, error);
	} else {
		f->ready |= FLOW_READABLE | (error ? FLOW_ERRORS : 0);
		flow_enqueue(&c->flows, f);
	}
}

void proto_urgent_event(struct ctx *c, uint32_t idx, uint32_t gen)
{
	struct flow *f = flow_at(&c->flows, idx);

	if (f->state == FLOW_OPEN && (f->gen & GEN_MASK) == gen && f->key.proto == FLOW_TCP)
		tcp_urgent_event(f);
}

void proto_splice_event(struct ctx *c, uint32_t idx, uint32_t gen, enum splice_side side,
			unsigned int events)
{
	struct flow *f = flow_at(&c->flows, idx);

	if (f->state == FLOW_OPEN && (f->gen & GEN_MASK) == gen && f->key.proto == FLOW_SPLICE)
		splice_event(c, f, side, events);
}

static void fire(struct ctx *c, struct flow *f)
{
	switch (f->key.proto) {
	case FLOW_TCP:
		tcp_timer(c, f);
		break;
	case FLOW_UDP:
		if (group_keeps(c, f))
			f->dg.last_ms = c->now;
		udp_timer(c, f, udp_oneway_ms(c), udp_twoway_ms(c));
		break;
	case FLOW_RELAY:
		udp_timer(c, f, udp_oneway_ms(c), udp_twoway_ms(c));
		break;
	case FLOW_PING:
		udp_timer(c, f, ICMP_FLOW_MS, ICMP_FLOW_MS);
		break;
	case FLOW_SPLICE:
		splice_timer(c, f);
		break;
	case FLOW_DNS:
		dns_timer(c, f);
		break;
	}
}

static bool serve(struct ctx *c, struct flow *f)
{
	switch (f->key.proto) {
	case FLOW_TCP:
		return tcp_serve(c, f);
	case FLOW_UDP:
		return udp_serve(c, f);
	case FLOW_PING:
		return icmp_serve(c, f);
	case FLOW_SPLICE:
		return splice_serve(c, f);
	case FLOW_DNS:
		return dns_serve(c, f);
	case FLOW_RELAY:
		return relay_serve(c, f);
	}
	return false;
}

static bool needs_tap(const struct flow *f)
{
	return f->key.proto != FLOW_SPLICE && f->key.proto != FLOW_RELAY;
}

/* One pass: a flow that wants more goes to the end of the queue, behind those
 * that became ready meanwhile: no flow waits for another's bulk, nor a spliced
 * one for the tap. */
static void serve_ready(struct ctx *c)
{
	uint32_t again = 0;	/* served and in the queue again before the tap pushed back */
	struct flow *f;

	c->splice_more = false;
	for (uint32_t n = c->flows.nready; n; n--) {
		bool blocked = c->tap_blocked;

		f = flow_dequeue(&c->flows);
		if (!f)		/* one of them ended another */
			break;
		if (blocked && needs_tap(f)) {
			flow_enqueue(&c->flows, f);
		} else if (serve(c, f)) {
			c->splice_more |= !needs_tap(f);
			flow_enqueue(&c->flows, f);
			again += !blocked;
		}
	}
	/* Those that had to wait come first. */
	while (c->tap_blocked && again-- && (f = flow_dequeue(&c->flows)) != NULL)
		flow_enqueue(&c->flows, f);
}

void proto_turn(struct ctx *c)
{
	uint32_t idx;

	c->tap_blocked = c->tap_waits;
	while ((idx = wheel_pop(&c->wheel, c->now)) != WHEEL_NONE)
		fire(c, flow_at(&c->flows, idx));
	tcp_starved(c);
	reassembly_expire(c);
	group_timer(c);
	ndp_timer(c);
	serve_ready(c);
	inbound_turn(c);
	orphan_turn(c);
}

/* Members could not answer who was not asked. */
static void forgive(struct ctx *c)
{
	uint64_t due = c->groups.query_due;

	if (due && due < c->now)
		groups_defer(&c->groups, c->now - due);
}

bool proto_late(struct ctx *c)
{
	uint64_t due = MIN_OF(wheel_next(&c->wheel), groups_next(&c->groups));

	if (c->catch_up)
		return --c->catch_up;
	due = c->ra_due ? MIN_OF(due, c->ra_due) : due;
	if (due > c->now || c->now - due < PROTO_LATE_MS)
		return false;
	c->count->late_turns++;
	c->catch_up = PROTO_CATCH_UP;
	forgive(c);
	return true;
}

void proto_catch_up(struct ctx *c)
{
	c->tap_blocked = false;
	serve_ready(c);
	inbound_turn(c);
	orphan_turn(c);
}

void proto_finish(struct ctx *c)
{
	udp_flush(c);
	tcp_gathered(c);
	tcp_finish(c);
}

void proto_start(struct ctx *c)
{
	ndp_start(c);
}

bool proto_busy(const struct ctx *c)
{
	return c->flows.ready_head != FLOW_NONE || c->finish_head != FLOW_NONE ||
	       inbound_busy(c) || orphan_busy(c);
}

uint64_t proto_next(const struct ctx *c)
{
	uint64_t next = MIN_OF(wheel_next(&c->wheel), frag_next(c->frags));

	next = MIN_OF(next, groups_next(&c->groups));
	if (c->starved_at)
		next = MIN_OF(next, c->starved_at);
	if (c->ra_due)
		next = MIN_OF(next, c->ra_due);
	return c->accept_at ? MIN_OF(next, c->accept_at) : next;
}

void proto_close(struct ctx *c)
{
	for (uint32_t i = 0; i < c->flows.fresh; i++) {
		struct flow *f = flow_at(&c->flows, i);

		if (f->state == FLOW_FREE)
			continue;
		if (f->key.proto == FLOW_TCP)
			tcp_free(c, f);
		else if (f->key.proto == FLOW_SPLICE)
			splice_free(c, f, true);
		else
			admit_free(c, f);
	}
}
