/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view: the flow table as others may see it: records of fixed size, copied a page at a
 * time into memory that engine and main share. The engine fills a page between two
 * turns of its loop when main asks for it, looks at VIEW_SLOTS places at most, and
 * keeps nothing; so a listing of any length costs no turn more than one page. A flow
 * stands in its place all its life: who reads page by page meets each flow that lives
 * throughout exactly once.
 */
#ifndef FLOW_VIEW_H
#define FLOW_VIEW_H

#include "flow/flow.h"

#define VIEW_FLOWS	256u	/* records of a page */
#define VIEW_SLOTS	8192u	/* places looked at for one */
#define VIEW_END	UINT32_MAX	/* `from`: no flows, the gauges only; `next`: that was all */

enum view_path {
	VIEW_TAP,
	VIEW_SPLICE,		/* TCP from socket to socket */
	VIEW_RELAY,		/* UDP likewise */
	VIEW_DNS,		/* a question to the DNS forwarder */
	VIEW_PATH_COUNT
};
extern const char *const view_path_names[VIEW_PATH_COUNT];

enum view_state {
	VIEW_OPENING,		/* a connect() or our SYN is under way */
	VIEW_OPEN,
	VIEW_CLOSING,		/* one end has said that it is done */
	VIEW_TIME_WAIT,
	VIEW_UNANSWERED,	/* datagrams one way only so far */
	VIEW_ANSWERED,		/* both ways */
	VIEW_STATE_COUNT
};
extern const char *const view_state_names[VIEW_STATE_COUNT];

struct view_flow {
	struct addr inner, remote, outer;
	uint16_t inner_port, remote_port, outer_port;
	uint8_t proto;		/* enum flow_proto; a spliced one is FLOW_TCP, a
				 * relayed one and a question FLOW_UDP */
	uint8_t path;		/* enum view_path */
	uint8_t state;		/* enum view_state */
	bool inbound;		/* a client of a forwarded port began it */
	uint32_t id;		/* its place ... */
	uint32_t gen;		/* ... and which flow of that place it is */
	uint64_t age_ms, idle_ms;
	uint64_t tx_bytes, rx_bytes;	/* payload out of the container, into it */
	uint32_t window;	/* TCP over the tap: the container's, as it stands */
	uint32_t own_window;	/* ... ours shown to it */
	uint32_t held;		/* ... bytes the host's socket did not take yet */
	uint32_t rtt_us;	/* ... to the container; 0: not measured */
	uint32_t retransmits;	/* ... segments sent again to it */
};

struct view_page {
	uint32_t seq;		/* of the question */
	uint32_t n, next;
	uint32_t flows, flows_max;	/* gauges: how much of what is in use */
	uint64_t held_bytes, reserved_bytes, arena_bytes;
	struct view_flow list[VIEW_FLOWS];
};

/* Fills the page with the flows from place `from` on. */
void view_fill(const struct flowtab *t, const struct hold_pool *pool, uint32_t from,
	       uint64_t now, struct view_page *ret);

/* Whether every field of a page, copied from what a process shares that a container may
 * have taken over, may be believed. */
bool view_ok(const struct view_page *p);

#endif
