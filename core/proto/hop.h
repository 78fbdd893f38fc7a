/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hop: we are a router between the container and the host's network, one hop as a
 * bridge with the host behind it would be: hop limits count one less each way, a
 * packet whose hops end here is answered (RFC 1812, 5.3.1; RFC 8200, 3), DSCP, ECN
 * and DF pass unchanged. What is for the host itself (hostAddress) is not forwarded
 * and arrives with any hop limit, and so does what comes from it.
 */
#ifndef PROTO_HOP_H
#define PROTO_HOP_H

#include "proto/ctx.h"
#include "wire/ip.h"

/* A packet of the container as the host's socket shall send it on. */
static inline struct flow_ip hop_out(const struct ip *ip)
{
	return (struct flow_ip){
		.ttl = ip->ttl > 1 ? ip->ttl - 1 : 1, .tos = ip->tos, .df = ip->df,
	};
}

/* One that came from there outside, as the container shall get it. Where its hops end
 * here it still arrives: the sender could not be told. */
static inline struct flow_ip hop_in(const struct ctx *c, const struct addr *from,
				    const struct flow_ip *ip)
{
	bool host = addr_eq(from, &c->net->host4) || addr_eq(from, &c->net->host6);

	return (struct flow_ip){
		.ttl = ip->ttl > 1 && !host ? ip->ttl - 1 : MAX_OF(ip->ttl, 1), .tos = ip->tos,
		.df = ip->df,
	};
}

/* Whether a packet of the container may be forwarded; if its hops end here it is
 * told so. pkt is it from the IP header on. */
bool hop_forwards(struct ctx *c, const struct ip *ip, const struct rd *pkt);

#endif
