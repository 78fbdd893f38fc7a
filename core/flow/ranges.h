/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ranges: a few disjoint pieces of TCP sequence space beyond a cumulative
 * point: what came out of order (to be shown as SACK, RFC 2018), and what a
 * peer's SACK says it has (the scoreboard of RFC 6675).
 *
 * Sorted, never touching each other, all within 2^31 of each other. Bounded:
 * RANGES_MAX pieces, one more is refused; RANGES_SETS sets in a pool, named by
 * index, 0 being none: a flow that gets none does without.
 */
#ifndef FLOW_RANGES_H
#define FLOW_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define RANGES_MAX	128	/* pieces of one set: 5 % loss of a 3 MiB window is about as many */
#define RANGES_SETS	4096	/* sets of all flows; a flow has one only while something is missing */

struct range {
	uint32_t left, right;		/* first byte, first byte behind */
};

struct ranges {
	struct range r[RANGES_MAX];
	uint8_t n;
	uint8_t recent;			/* index of the one added to last */
	uint16_t next;			/* in the pool: the next free one */
};

struct ranges_pool {
	struct ranges *sets;		/* the first is none */
	uint16_t nsets;			/* without that one */
	uint16_t free, fresh, used;
};

/* sets: nsets + 1 of them, the caller's; nsets <= RANGES_SETS. */
void ranges_pool_init(struct ranges_pool *p, struct ranges *sets, uint16_t nsets);

/* An empty set's index, or 0 when all are in use. */
uint16_t ranges_take(struct ranges_pool *p);

/* Gives *idx back, if it is one, and makes it 0. */
void ranges_give(struct ranges_pool *p, uint16_t *idx);

/* Adds left..right (left before right), joining what it touches. False, and
 * nothing changed, if it would be a piece too many. */
bool ranges_add(struct ranges *s, uint32_t left, uint32_t right);

/* Drops all that lies before `seq`. */
void ranges_cut(struct ranges *s, uint32_t seq);

/* If `seq` has reached the first piece: the end of that piece, which is
 * dropped; else seq itself. */
uint32_t ranges_reach(struct ranges *s, uint32_t seq);

/* Bytes in all pieces. */
uint32_t ranges_bytes(const struct ranges *s);

/* The first gap at or behind `from` that lies before a piece: true and its
 * bounds, or false if no piece lies behind `from`. */
bool ranges_gap(const struct ranges *s, uint32_t from, struct range *ret);

#endif
