/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/view.h"

#include "wire/numbers.h"

#include <assert.h>

const char *const view_path_names[VIEW_PATH_COUNT] = { "tap", "splice", "relay", "dns" };
const char *const view_state_names[] = {
	"opening", "open", "closing", "time-wait", "unanswered", "answered",
};
static_assert(ARRAY_LEN(view_state_names) == VIEW_STATE_COUNT, "a name for each state");

static enum view_state tcp_state(const struct tcp_flow *t)
{
	if (t->state == TCPS_TIME_WAIT)
		return VIEW_TIME_WAIT;
	if (t->state != TCPS_OPEN)
		return VIEW_OPENING;
	return t->marks & (TCPM_IN_FIN | TCPM_OUT_EOF) ? VIEW_CLOSING : VIEW_OPEN;
}

static enum view_state splice_state(const struct splice_flow *s)
{
	if (s->state != SPLICES_OPEN)
		return VIEW_OPENING;
	return (s->end[0].marks | s->end[1].marks) & SPM_END ? VIEW_CLOSING : VIEW_OPEN;
}

static void describe_tcp(const struct tcp_flow *t, struct view_flow *ret)
{
	ret->state = (uint8_t)tcp_state(t);
	ret->window = t->snd_wnd;
	ret->own_window = t->rcv_adv - t->rcv_nxt;
	ret->held = t->hold.len;
	ret->rtt_us = t->srtt8 * 1000u / 8;
	ret->retransmits = t->retransmits;
}

static void describe(const struct flow *f, uint32_t idx, uint64_t now, struct view_flow *ret)
{
	*ret = (struct view_flow){
		.inner = f->key.inner, .remote = f->key.remote, .outer = f->outer,
		.inner_port = f->key.inner_port, .remote_port = f->key.remote_port,
		.outer_port = f->outer_port, .proto = f->key.proto, .inbound = f->inbound,
		.id = idx, .gen = f->gen, .age_ms = now - f->opened_ms,
		.idle_ms = now - f->used_ms, .tx_bytes = f->tx_bytes, .rx_bytes = f->rx_bytes,
	};
	switch (f->key.proto) {
	case FLOW_TCP:
		describe_tcp(&f->tcp, ret);
		break;
	case FLOW_SPLICE:
		ret->proto = FLOW_TCP;
		ret->path = VIEW_SPLICE;
		ret->state = (uint8_t)splice_state(&f->splice);
		break;
	case FLOW_RELAY:
		ret->proto = FLOW_UDP;
		ret->path = VIEW_RELAY;
		ret->state = f->dg.rx ? VIEW_ANSWERED : VIEW_UNANSWERED;
		break;
	case FLOW_DNS:		/* a question that waits for its answer */
		ret->proto = FLOW_UDP;
		ret->path = VIEW_DNS;
		ret->remote_port = PORT_DNS;
		ret->state = VIEW_UNANSWERED;
		break;
	default:
		ret->state = f->tx_bytes && f->rx_bytes ? VIEW_ANSWERED : VIEW_UNANSWERED;
		break;
	}
}

void view_fill(const struct flowtab *t, const struct hold_pool *pool, uint32_t from,
	       uint64_t now, struct view_page *ret)
{
	uint32_t end = from < t->fresh ? MIN_OF(t->fresh - from, VIEW_SLOTS) + from : from;

	ret->n = 0;
	ret->flows = t->count;
	ret->flows_max = t->max;
	ret->held_bytes = pool->bytes;
	ret->reserved_bytes = (uint64_t)pool->reserved * HOLD_CHUNK;
	ret->arena_bytes = (uint64_t)pool->nchunks * HOLD_CHUNK;
	for (; from < end && ret->n < VIEW_FLOWS; from++)
		if (t->flows[from].state != FLOW_FREE)
			describe(&t->flows[from], from, now, &ret->list[ret->n++]);
	ret->next = from < t->fresh ? from : VIEW_END;
}

bool view_ok(const struct view_page *p)
{
	if (p->n > VIEW_FLOWS || (p->next != VIEW_END && p->next > FLOW_MAX))
		return false;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct view_flow *f = &p->list[i];
		uint8_t inbound;

		memcpy(&inbound, &f->inbound, sizeof(inbound));
		if (f->proto >= FLOW_PROTO_COUNT || f->path >= VIEW_PATH_COUNT ||
		    f->state >= VIEW_STATE_COUNT || inbound > 1)
			return false;
	}
	return true;
}
