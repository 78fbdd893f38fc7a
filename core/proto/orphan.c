/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/orphan.h"

#include "proto/frame.h"
#include "proto/tcp.h"

void orphan_start(struct ctx *c, struct roster *r, uint32_t engine)
{
	c->roster = r;
	c->engine = engine;
	c->orphan_next = 0;
	c->orphan_end = roster_end(r);
}

/* Numbers by chance: one in some thousand fits by accident and stays unanswered, as
 * all would have. */
static int ask(struct ctx *c, const struct flow_key *key)
{
	const struct tcp t = {
		.sport = key->remote_port, .dport = key->inner_port,
		.seq = tcp_initial_seq(c, key), .ack = ~tcp_initial_seq(c, key),
		.flags = TCPF_ACK, .opt = TCP_OPTS_INIT,
	};

	return frame_tcp(c, key, &t, NULL, 0, 0, 1, NULL);
}

/* False: the tap takes no more, and it stands there still. */
static bool settle(struct ctx *c, uint32_t at, bool *asked)
{
	struct flow_key key;

	*asked = roster_left(c->roster, at, c->engine, &key) && !flow_find(&c->flows, &key);
	if (*asked && ask(c, &key) < 0)
		return false;
	c->count->tcp_orphans += *asked;
	if (c->roster->list[at].engine != c->engine)
		roster_drop(c->roster, at);
	return true;
}

void orphan_note(struct ctx *c, const struct flow *f)
{
	uint32_t at = flow_idx(&c->flows, f);
	bool asked;

	if (!c->roster)
		return;
	if (at >= c->orphan_next && at < c->orphan_end)
		settle(c, at, &asked);		/* whose place it takes goes first */
	roster_put(c->roster, at, c->engine, &f->key);
}

void orphan_forget(struct ctx *c, const struct flow *f)
{
	if (c->roster)
		roster_drop(c->roster, flow_idx(&c->flows, f));
}

void orphan_turn(struct ctx *c)
{
	bool asked;

	for (uint32_t n = 0, places = 0; c->orphan_next < c->orphan_end && n < ORPHAN_BATCH &&
	     places < ORPHAN_PLACES && !c->tap_blocked; n += asked, places++) {
		if (!settle(c, c->orphan_next, &asked))
			return;
		c->orphan_next++;
	}
}

bool orphan_busy(const struct ctx *c)
{
	return c->orphan_next < c->orphan_end;
}
