/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/admit.h"

#include <errno.h>

#include "proto/port.h"

#define EVICT_TRIES 4	/* of one admission: a stuck host must not empty the table */

/* Datagrams of a flow that goes before udp_flush() go with it. */
static void drop_pending(struct ctx *c, uint32_t idx)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->npending; i++)
		if (c->pending[i].flow != idx)
			c->pending[kept++] = c->pending[i];
	c->npending = kept;
}

void admit_free(struct ctx *c, struct flow *f)
{
	drop_pending(c, flow_idx(&c->flows, f));
	wheel_stop(&c->wheel, flow_idx(&c->flows, f));
	port_close(c, f, false);
	flow_free(&c->flows, f);
	c->count->flows_closed++;
}

/* Makes the least recently used datagram flow go, except `keep`. */
static bool evict(struct ctx *c, const struct flow *keep)
{
	struct flow *old = flow_oldest(&c->flows);

	if (!old || old == keep)
		return false;
	admit_free(c, old);
	c->count->flows_evicted++;
	return true;
}

struct flow *admit_flow(struct ctx *c, const struct flow_key *key)
{
	struct flow *f = flow_new(&c->flows, key, c->now);

	if (!f && evict(c, NULL))
		f = flow_new(&c->flows, key, c->now);
	if (!f) {
		c->count->flows_refused++;
		return NULL;
	}
	if (key->proto == FLOW_TCP)	/* destroyable from the start */
		f->tcp.hold = f->tcp.ring = HOLD_INIT;
	c->count->flows_opened++;
	return f;
}

int admit_socket(struct ctx *c, struct flow *f)
{
	int rc = port_open(c, f);

	for (int i = 0; i < EVICT_TRIES && (rc == -EMFILE || rc == -ENFILE || rc == -ENOBUFS) &&
	     evict(c, f); i++)
		rc = port_open(c, f);
	if (rc < 0 && rc != -EINPROGRESS && f->key.proto != FLOW_TCP)
		c->count->flows_refused++;
	return rc;
}
