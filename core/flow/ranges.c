/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/ranges.h"

#include <string.h>

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static void drop(struct ranges *s, unsigned int first, unsigned int n)
{
	memmove(&s->r[first], &s->r[first + n], (s->n - first - n) * sizeof(s->r[0]));
	s->n = (uint8_t)(s->n - n);
	if (s->recent >= first + n)
		s->recent = (uint8_t)(s->recent - n);
	else if (s->recent >= first)
		s->recent = first < s->n ? (uint8_t)first : 0;
}

void ranges_pool_init(struct ranges_pool *p, struct ranges *sets, uint16_t nsets)
{
	*p = (struct ranges_pool){ .sets = sets, .nsets = nsets };
}

uint16_t ranges_take(struct ranges_pool *p)
{
	uint16_t idx = p->free;

	if (idx)
		p->free = p->sets[idx].next;
	else if (p->fresh < p->nsets)
		idx = ++p->fresh;
	else
		return 0;
	p->sets[idx].n = p->sets[idx].recent = 0;
	p->used++;
	return idx;
}

void ranges_give(struct ranges_pool *p, uint16_t *idx)
{
	if (!*idx)
		return;
	p->sets[*idx].next = p->free;
	p->free = *idx;
	p->used--;
	*idx = 0;
}

uint32_t ranges_bytes(const struct ranges *s)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < s->n; i++)
		sum += s->r[i].right - s->r[i].left;
	return sum;
}

bool ranges_add(struct ranges *s, uint32_t left, uint32_t right)
{
	unsigned int first = 0, end;

	while (first < s->n && before(s->r[first].right, left))
		first++;
	for (end = first; end < s->n && !before(right, s->r[end].left); end++)
		continue;
	if (first == end) {		/* touches none: a piece of its own */
		if (s->n == RANGES_MAX)
			return false;
		memmove(&s->r[first + 1], &s->r[first], (s->n - first) * sizeof(s->r[0]));
		s->r[first] = (struct range){ left, right };
		s->n++;
	} else {
		if (before(left, s->r[first].left))
			s->r[first].left = left;
		if (before(right, s->r[end - 1].right))
			right = s->r[end - 1].right;
		s->r[first].right = right;
		drop(s, first + 1, end - first - 1);
	}
	s->recent = (uint8_t)first;
	return true;
}

void ranges_cut(struct ranges *s, uint32_t seq)
{
	unsigned int n = 0;

	while (n < s->n && !before(seq, s->r[n].right))
		n++;
	if (n)
		drop(s, 0, n);
	if (s->n && before(s->r[0].left, seq))
		s->r[0].left = seq;
}

uint32_t ranges_reach(struct ranges *s, uint32_t seq)
{
	ranges_cut(s, seq);
	if (s->n && s->r[0].left == seq) {
		seq = s->r[0].right;
		drop(s, 0, 1);
	}
	return seq;
}

bool ranges_gap(const struct ranges *s, uint32_t from, struct range *ret)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (before(from, s->r[i].left)) {
			*ret = (struct range){ from, s->r[i].left };
			return true;
		}
		if (before(from, s->r[i].right))
			from = s->r[i].right;
	}
	return false;
}
