/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wheel: one hierarchical timing wheel (Varghese and Lauck 1987) for all flows:
 * starting, stopping and firing cost the same however many timers there are.
 * A tick is a millisecond. Timers lie inside the caller's array of objects and
 * are named by index. Pure: time is an argument.
 */
#ifndef FLOW_WHEEL_H
#define FLOW_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#define WHEEL_BITS	6
#define WHEEL_SLOTS	(1u << WHEEL_BITS)
#define WHEEL_LEVELS	6		/* 2^36 ms: two years */
#define WHEEL_NONE	UINT32_MAX

struct timer {
	uint64_t due;
	uint32_t next, prev;
	uint16_t slot;			/* level * WHEEL_SLOTS + slot + 1; 0: not running */
};

struct wheel {
	uint64_t now;			/* the next tick not yet handled */
	uint64_t used[WHEEL_LEVELS];	/* bit n: slot n has timers */
	uint32_t head[WHEEL_LEVELS][WHEEL_SLOTS];
	uint8_t *base;			/* of the timer in the caller's object 0 */
	size_t stride;			/* size of one such object */
};

/* first: the struct timer inside object 0 of an array of `stride`-sized ones. */
void wheel_init(struct wheel *w, struct timer *first, size_t stride, uint64_t now);

/* Starts object idx's timer, or moves it. A due time past is the next tick. */
void wheel_start(struct wheel *w, uint32_t idx, uint64_t due);

/* Stops it; a timer that is not running is left alone. */
void wheel_stop(struct wheel *w, uint32_t idx);

/* Takes one timer whose time has come by `now`, stopped, or WHEEL_NONE. The
 * caller may start it again at once. */
uint32_t wheel_pop(struct wheel *w, uint64_t now);

/* The earliest time wheel_pop() need be called: never later than the next due
 * timer; UINT64_MAX if none runs. */
uint64_t wheel_next(const struct wheel *w);

#endif
