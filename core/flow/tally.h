/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally: what came by the ports of one rule of "forward". In memory shared with main, like
 * the counters: written by the engine alone, and kept when it is replaced. A rule's place
 * follows from its id; rules that are deleted leave theirs, which is taken again after
 * TALLIES others: until then what old connections still carry is nobody's.
 */
#ifndef FLOW_TALLY_H
#define FLOW_TALLY_H

#include <stdint.h>

#define TALLIES	1024u	/* several times CONF_FORWARDS_MAX */

struct tally {
	uint64_t clients;	/* TCP connections, UDP clients */
	uint64_t refused;	/* of them those that the container did not take; datagrams
				 * that no flow could take */
	uint64_t tx_bytes, rx_bytes;	/* of payload, out of the container and into it */
};

/* NULL where nobody counts. */
static inline struct tally *tally_of(struct tally *list, uint32_t rule)
{
	return list ? &list[rule % TALLIES] : NULL;
}

#endif
