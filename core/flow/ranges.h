/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ranges: a few disjoint pieces of TCP sequence space beyond a cumulative
 * point: what came out of order (to be shown as SACK, RFC 2018), and what a
 * peer's SACK says it has (the scoreboard of RFC 6675).
 *
 * Sorted, never touching each other, all within 2^31 of each other. Bounded:
 * RANGES_MAX pieces; a piece that would be one more is refused.
 */
#ifndef FLOW_RANGES_H
#define FLOW_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#define RANGES_MAX 6

struct range {
	uint32_t left, right;		/* first byte, first byte behind */
};

struct ranges {
	struct range r[RANGES_MAX];
	uint8_t n;
	uint8_t recent;			/* index of the one added to last */
};

/* Adds left..right (left before right), joining what it touches. False, and
 * nothing changed, if it would be a piece too many. */
bool ranges_add(struct ranges *s, uint32_t left, uint32_t right);

/* Drops all that lies before `seq`. */
void ranges_cut(struct ranges *s, uint32_t seq);

/* If `seq` has reached the first piece: the end of that piece, which is
 * dropped; else seq itself. */
uint32_t ranges_reach(struct ranges *s, uint32_t seq);

/* The first gap at or behind `from` that lies before a piece: true and its
 * bounds, or false if no piece lies behind `from`. */
bool ranges_gap(const struct ranges *s, uint32_t from, struct range *ret);

#endif
