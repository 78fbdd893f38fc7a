/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/proto.h"

#include "proto/admit.h"
#include "proto/icmp.h"
#include "proto/ndp.h"
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
		f->ready |= FLOW_READABLE;
		flow_enqueue(&c->flows, f);
	}
}

static void fire(struct ctx *c, struct flow *f)
{
	switch (f->key.proto) {
	case FLOW_TCP:
		tcp_timer(c, f);
		break;
	case FLOW_UDP:
		udp_timer(c, f, UDP_ONEWAY_MS, UDP_TWOWAY_MS);
		break;
	case FLOW_PING:
		udp_timer(c, f, ICMP_FLOW_MS, ICMP_FLOW_MS);
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
	}
	return false;
}

/* One pass: a flow that wants more goes to the end of the queue, behind those
 * that became ready meanwhile: no flow waits for another's bulk. */
static void serve_ready(struct ctx *c)
{
	struct flow *f;

	for (uint32_t n = c->flows.nready; n && !c->tap_blocked; n--) {
		f = flow_dequeue(&c->flows);
		if (!f)		/* one of them ended another */
			break;
		if (serve(c, f))
			flow_enqueue(&c->flows, f);
	}
}

void proto_turn(struct ctx *c)
{
	uint32_t idx;

	udp_flush(c);
	c->tap_blocked = false;
	while ((idx = wheel_pop(&c->wheel, c->now)) != WHEEL_NONE)
		fire(c, flow_at(&c->flows, idx));
	ndp_timer(c);
	serve_ready(c);
	tcp_finish(c);
}

void proto_start(struct ctx *c)
{
	ndp_start(c);
}

uint64_t proto_next(const struct ctx *c)
{
	uint64_t next = wheel_next(&c->wheel);

	return c->ra_due ? MIN_OF(next, c->ra_due) : next;
}

bool proto_busy(const struct ctx *c)
{
	return c->flows.ready_head != FLOW_NONE || c->finish_head != FLOW_NONE;
}

void proto_close(struct ctx *c)
{
	for (uint32_t i = 0; i < c->flows.fresh; i++) {
		struct flow *f = flow_at(&c->flows, i);

		if (f->state == FLOW_FREE)
			continue;
		if (f->key.proto == FLOW_TCP)
			tcp_free(c, f);
		else
			admit_free(c, f);
	}
}
