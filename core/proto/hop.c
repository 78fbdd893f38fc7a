/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/hop.h"

#include "flow/route.h"
#include "proto/icmp.h"
#include "wire/icmp.h"
#include "wire/numbers.h"

bool hop_forwards(struct ctx *c, const struct ip *ip, const struct rd *pkt)
{
	const struct icmp h = { .type = ip->version == 4 ? ICMP4_TIMEX : ICMP6_TIMEX };
	struct route_target to;

	if (ip->ttl > 1 || route_outbound(c->conf, c->net, &ip->dst, 0, &to) != ROUTE_OK ||
	    to.to_host || to.scope)
		return true;
	c->count->drop_hops++;
	icmp_error_packet(c, ip, pkt, &h);
	return false;
}
