/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portmap: the port of the host that stands for a UDP endpoint of the container, whatever
 * remote it speaks to (RFC 4787, 4.1, REQ-1: endpoint-independent mapping), so that what one
 * remote says of it, a STUN server, is true for all. Each flow has a socket of its own, all of
 * them at that port.
 *
 * A mapping lives as long as a flow has it. Bounded: as many as flows.
 */
#ifndef FLOW_PORTMAP_H
#define FLOW_PORTMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/siphash.h"

#define PORTMAP_NONE	0u
#define PORTMAP_BUCKETS	16384u	/* power of two */
/* Sockets at one port: those more have ports of their own. A kernel older than Linux 6.13 looks
 * through all of them for each datagram that comes. */
#define PORTMAP_FLOWS	4096u

struct portmap {
	struct addr inner;
	uint16_t inner_port;
	uint16_t outer_port;
	bool v4;		/* of the host's sockets: each family has its own ports */
	uint32_t flows;
	uint32_t next;		/* in the bucket, or among the free */
};

struct portmaps {
	struct portmap *maps;	/* the first is none */
	uint32_t *buckets;
	struct sipkey key;
	uint32_t fresh, free, used;
};

/* Over zeroed memory: one entry more than flows at most, and PORTMAP_BUCKETS buckets. */
void portmap_init(struct portmaps *p, struct portmap *maps, uint32_t *buckets,
		  const struct sipkey *key);

/* The endpoint's mapping, or PORTMAP_NONE. */
uint32_t portmap_find(const struct portmaps *p, const struct addr *inner, uint16_t inner_port,
		      bool v4);

/* A new one, with one flow; the endpoint must have none. */
uint32_t portmap_add(struct portmaps *p, const struct addr *inner, uint16_t inner_port, bool v4,
		     uint16_t outer_port);

/* A flow has it no more; *map becomes PORTMAP_NONE. Of PORTMAP_NONE: nothing. */
void portmap_put(struct portmaps *p, uint32_t *map);

#endif
