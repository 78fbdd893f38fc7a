/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/wheel.h"

#include <string.h>

#define LAST_DUE(now) ((now) | ((UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS)) - 1))

static struct timer *timer_at(const struct wheel *w, uint32_t idx)
{
	return (struct timer *)(void *)(w->base + (size_t)idx * w->stride);
}

void wheel_init(struct wheel *w, struct timer *first, size_t stride, uint64_t now)
{
	memset(w->used, 0, sizeof(w->used));
	memset(w->head, 0xff, sizeof(w->head));
	w->now = now;
	w->base = (uint8_t *)first;
	w->stride = stride;
}

/* Level: that of the highest digit (base 64) in which due and now differ, so
 * that the slot is reached, and emptied downward, before the timer is due. */
static void link_timer(struct wheel *w, uint32_t idx, struct timer *t)
{
	uint64_t differ = t->due ^ w->now;
	unsigned int level = differ ? (63u - (unsigned int)__builtin_clzll(differ)) / WHEEL_BITS : 0;
	unsigned int slot = (t->due >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);

	t->slot = (uint16_t)(level * WHEEL_SLOTS + slot + 1);
	t->prev = WHEEL_NONE;
	t->next = w->head[level][slot];
	if (t->next != WHEEL_NONE)
		timer_at(w, t->next)->prev = idx;
	w->head[level][slot] = idx;
	w->used[level] |= UINT64_C(1) << slot;
}

void wheel_stop(struct wheel *w, uint32_t idx)
{
	struct timer *t = timer_at(w, idx);
	unsigned int level, slot;

	if (!t->slot)
		return;
	level = (t->slot - 1u) / WHEEL_SLOTS;
	slot = (t->slot - 1u) % WHEEL_SLOTS;
	if (t->next != WHEEL_NONE)
		timer_at(w, t->next)->prev = t->prev;
	if (t->prev != WHEEL_NONE)
		timer_at(w, t->prev)->next = t->next;
	else
		w->head[level][slot] = t->next;
	if (w->head[level][slot] == WHEEL_NONE)
		w->used[level] &= ~(UINT64_C(1) << slot);
	t->slot = 0;
}

void wheel_start(struct wheel *w, uint32_t idx, uint64_t due)
{
	struct timer *t = timer_at(w, idx);

	wheel_stop(w, idx);
	t->due = due < w->now ? w->now : due;
	if (t->due > LAST_DUE(w->now))
		t->due = LAST_DUE(w->now);
	link_timer(w, idx, t);
}

/* Moves the clock to t and, where it enters a new slot of a higher level,
 * spreads that slot's timers over the levels below. */
static void enter(struct wheel *w, uint64_t t)
{
	w->now = t;
	for (unsigned int level = 1; level < WHEEL_LEVELS; level++) {
		unsigned int slot = (t >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);
		uint32_t idx;

		if (t & ((UINT64_C(1) << (level * WHEEL_BITS)) - 1))
			break;
		while ((idx = w->head[level][slot]) != WHEEL_NONE) {
			wheel_stop(w, idx);
			link_timer(w, idx, timer_at(w, idx));
		}
	}
}

/* The next tick after w->now at which anything can happen: a level 0 slot in
 * use, or the start of the first slot in use of the lowest level that has one. */
static uint64_t next_event(const struct wheel *w, uint64_t from)
{
	for (unsigned int level = 0; level < WHEEL_LEVELS; level++) {
		unsigned int shift = level * WHEEL_BITS;
		unsigned int pos = (from >> shift) & (WHEEL_SLOTS - 1);
		uint64_t ahead = w->used[level] & (~UINT64_C(0) << pos);
		uint64_t block = from >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS);

		if (ahead)
			return block + ((uint64_t)__builtin_ctzll(ahead) << shift);
	}
	return UINT64_MAX;
}

uint32_t wheel_pop(struct wheel *w, uint64_t now)
{
	while (w->now <= now) {
		uint32_t idx = w->head[0][w->now & (WHEEL_SLOTS - 1)];
		uint64_t next;

		if (idx != WHEEL_NONE) {
			wheel_stop(w, idx);
			return idx;
		}
		next = next_event(w, w->now);
		/* A timer of a higher level waits at least to its slot's start;
		 * every boundary between has nothing to spread. */
		if (next > now || next == UINT64_MAX)
			next = now + 1;
		enter(w, next > w->now ? next : w->now + 1);
	}
	return WHEEL_NONE;
}

uint64_t wheel_next(const struct wheel *w)
{
	uint64_t next = next_event(w, w->now);

	return next < w->now ? w->now : next;
}
