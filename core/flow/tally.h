/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally: what came by the ports of one rule of "forward". In memory shared with main, like
 * the counters: written by the engine alone, and kept when it is replaced. A rule's place
 * follows from its id; rules that are deleted leave theirs, which is taken again after
 * TALLIES others: until then what old connections still carry is nobody's.
 */
#ifndef FLOW_TALLY_H
#define FLOW_TALLY_H

#include <stddef.h>
#include <stdint.h>

#define TALLIES	1024u	/* several times CONF_FORWARDS_MAX */

struct tally {
	uint64_t clients;	/* TCP connections, UDP clients */
	uint64_t refused;	/* of them those that the container did not take; datagrams
				 * that no flow could take */
	uint64_t tx_bytes, rx_bytes;	/* of payload, out of the container and into it */
};

/* A rule's place, and 1; 0, for rule 0, is none. */
static inline uint16_t tally_place(uint32_t rule)
{
	return rule ? (uint16_t)(rule % TALLIES + 1) : 0;
}

/* NULL where nobody counts. */
static inline struct tally *tally_at(struct tally *list, uint16_t place)
{
	return list && place ? &list[place - 1] : NULL;
}

#endif
