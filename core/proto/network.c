/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/network.h"

#include "proto/admit.h"
#include "proto/dns.h"
#include "proto/group.h"
#include "proto/ndp.h"

/* Whether f is bound to the way out that there was. A client's datagrams come and go
 * by their listener, which is bound to no way; but relayed ones by a socket that is connected
 * to the container's address as it was. */
static bool is_tied(const struct flow *f, bool v4)
{
	return f->state != FLOW_FREE && addr_is4(&f->outer) == v4 &&
	       (f->key.proto == FLOW_PING ||
		(f->key.proto == FLOW_UDP && f->dg.via == FORWARD_NONE) ||
		f->key.proto == FLOW_RELAY);
}

static void end_flows(struct ctx *c, bool v4)
{
	for (uint32_t i = 0; i < c->flows.fresh; i++)
		if (is_tied(flow_at(&c->flows, i), v4))
			admit_free(c, flow_at(&c->flows, i));
}

void network_change(struct ctx *c, const struct netcfg *now)
{
	const struct netcfg *was = c->net;
	bool told = ndp_network_ends(c, now), differs = false;

	c->net = now;
	for (int v4 = 0; v4 < 2; v4++) {
		if (!netcfg_way_differs(was, now, v4))
			continue;
		end_flows(c, v4);
		group_listen_again(c, v4);
		differs = true;
	}
	if (differs)
		dns_ask_again(c);
	if (told)
		ndp_network_begins(c);
	c->count->network_changes++;
}

void network_resumed(struct ctx *c)
{
	dns_ask_again(c);
	ndp_repeat(c);
	if (c->groups.n)
		c->groups.query_due = c->now;
}
