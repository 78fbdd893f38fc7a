/* SPDX-License-Identifier: GPL-2.0-or-later */
/* admit: room for one more flow. At a cap (table, descriptors) the least
 * recently used UDP or echo flow makes way; if there is none, the new one is
 * refused and counted. */
#ifndef PROTO_ADMIT_H
#define PROTO_ADMIT_H

#include "proto/ctx.h"
#include "wire/ip.h"

/* A new flow of that key, or NULL (counted as refused). */
struct flow *admit_flow(struct ctx *c, const struct flow_key *key);

/* port_open() for it, evicting while descriptors are out. 0, -EINPROGRESS or
 * -errno; f stays either way. */
int admit_socket(struct ctx *c, struct flow *f);

/* A new UDP or echo flow on its way: routed, its socket open and set to send as its
 * first packet, *ip, its timer set to idle_ms. NULL if it cannot be; the container has
 * been told why where a network would tell, by an error that quotes `first`: a datagram's
 * payload, or a whole echo request; NULL if there is none yet. */
struct flow *admit_datagram(struct ctx *c, const struct flow_key *key, const struct ip *ip,
			    const struct iovec *first, uint64_t idle_ms);

/* Makes the least recently used UDP or echo flow go; false: there is none. */
bool admit_evict(struct ctx *c);

/* Ends a UDP or echo flow, or a question. */
void admit_free(struct ctx *c, struct flow *f);

#endif
