/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hop: we are a router between the container and the host's network, one hop as a
 * bridge with the host behind it would be: hop limits count one less each way, a
 * packet whose hops end here is answered (RFC 1812, 5.3.1; RFC 8200, 3), DSCP, ECN and DF pass
 * unchanged. What is for us, or for the host itself (hostAddress), is not forwarded and arrives
 * with any hop limit, and so does what comes from it; nor is what stays on the outer link, groups and link-local
 * addresses: there the container is a neighbour, hop limits pass as they are (1 and 255
 * have a meaning, as to mDNS: RFC 6762, 11), and no path has an MTU to be discovered.
 */
#ifndef PROTO_HOP_H
#define PROTO_HOP_H

#include "proto/ctx.h"
#include "wire/ip.h"

/* Whether nothing is forwarded between the container and who sends from there. */
static inline bool hop_is_near(const struct ctx *c, const struct flow *f, const struct addr *from)
{
	return flow_is_on_link(f) || addr_eq(from, &c->net->host4) ||
	       addr_eq(from, &c->net->host6);
}

static inline uint8_t hop_ttl(uint8_t ttl, bool near)
{
	return (uint8_t)(ttl > 1 ? ttl - !near : 1);
}

/* A packet of the container as the host's socket shall send it on. */
static inline struct flow_ip hop_out(const struct ip *ip, bool on_link)
{
	return (struct flow_ip){
		.ttl = hop_ttl(ip->ttl, on_link), .tos = ip->tos, .df = ip->df && !on_link,
	};
}

/* One received outside as the container shall get it. Where its hops end here
 * it still arrives: the sender could not be told. */
static inline struct flow_ip hop_in(const struct flow_ip *ip, bool near)
{
	return (struct flow_ip){
		.ttl = hop_ttl(ip->ttl, near), .tos = ip->tos, .df = ip->df,
	};
}

/* Whether a packet of the container may be forwarded; if its hops end here it is
 * told so. pkt is it from the IP header on. */
bool hop_forwards(struct ctx *c, const struct ip *ip, const struct rd *pkt);

#endif
