/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward: one listening socket of the host and where its clients are led. main
 * opens them and keeps them in a table; the engine has a copy of that table, under
 * the same indices. A rule of the configuration (conf.h) makes one for each port.
 */
#ifndef FLOW_FORWARD_H
#define FLOW_FORWARD_H

#include "base/addr.h"
#include "conf/conf.h"

#define FORWARD_NONE	UINT32_MAX
#define FORWARD_MAX	131072u		/* every port, TCP and UDP; virtual until used */

struct forward {
	struct addr addr;	/* bound to; ADDR_ANY: all addresses of both families */
	struct addr to;		/* in the container; ADDR_ANY: its own, of the client's family */
	int sock;		/* -1: this place of the table is free */
	uint16_t port;		/* listened on, never 0 */
	uint16_t to_port;
	uint32_t rule;		/* what it was opened for: main's affair */
	uint8_t proto;		/* enum conf_proto */
	bool reverse;		/* it listens in the container, and leads to the host */
	bool idle;		/* bound, but not listening: main's affair */
	uint32_t flows;		/* UDP flows that speak by it: the engine's affair */
	bool queued;		/* of the engine's queue */
	uint32_t queue_next;
};

/* All listeners, and the queues of those that may have clients waiting, one a
 * protocol: where accept() has to wait, datagrams need not. */
struct forwardtab {
	struct forward *list;	/* FORWARD_MAX of them, virtual until used */
	uint32_t n;		/* places ever used */
	struct forward_queue {
		uint32_t head, tail, n;		/* first in, first out */
	} queue[CONF_PROTO_COUNT];
};

/* Over a list whose first n places are filled and not queued. */
void forward_init(struct forwardtab *t, struct forward *list, uint32_t n);

/* Where there is a listener, it, else NULL. */
struct forward *forward_at(const struct forwardtab *t, uint32_t idx);

/* Fills place idx, which has no listener. */
void forward_set(struct forwardtab *t, uint32_t idx, const struct forward *f);

static inline uint32_t forward_idx(const struct forwardtab *t, const struct forward *f)
{
	return (uint32_t)(f - t->list);
}

/* A listener stands in its queue once. forward_dequeue() may return one that was
 * closed meanwhile (sock -1), and NULL at the end. */
void forward_enqueue(struct forwardtab *t, struct forward *f);
void forward_unqueue(struct forwardtab *t, struct forward *f);
struct forward *forward_dequeue(struct forwardtab *t, enum conf_proto proto);

#endif
