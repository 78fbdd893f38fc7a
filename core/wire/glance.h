/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glance: whom a frame is from and to, from its first bytes and without a judgement:
 * for a filter that must also find what the parsers refuse. What is cut, or not known,
 * is left out.
 */
#ifndef WIRE_GLANCE_H
#define WIRE_GLANCE_H

#include "base/addr.h"
#include "base/cursor.h"

#define GLANCE_MAX	256	/* first bytes of a frame that are worth looking at */

struct glance {
	uint16_t type;			/* EtherType */
	struct addr src, dst;		/* IP, or ARP's protocol addresses; "::": not there */
	bool has_proto, has_ports;	/* a fragment that is not the first has no ports */
	uint8_t proto;			/* behind all IPv6 extension headers */
	uint16_t sport, dport;		/* TCP's and UDP's */
};

/* From the Ethernet header on. */
struct glance glance_read(struct rd r);

#endif
