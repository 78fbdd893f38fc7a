/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/hold.h"

#include <assert.h>
#include <string.h>

#include "base/base.h"

void hold_pool_init(struct hold_pool *p, void *mem, uint32_t *next, uint32_t nchunks)
{
	*p = (struct hold_pool){
		.mem = mem, .next = next, .nchunks = nchunks, .free = HOLD_NONE,
		.cold = HOLD_NONE, .nfree = nchunks,
	};
}

bool hold_reserve(struct hold_pool *p, uint32_t before, uint32_t after)
{
	assert(p->reserved >= before);
	if (after > p->nchunks - (p->reserved - before))
		return false;
	p->reserved = p->reserved - before + after;
	return true;
}

static uint32_t take_chunk(struct hold_pool *p)
{
	uint32_t c = p->free;

	if (c != HOLD_NONE) {
		p->free = p->next[c];
		p->nwarm--;
		p->idle = MIN_OF(p->idle, p->nwarm);
	} else if ((c = p->cold) != HOLD_NONE) {
		p->cold = p->next[c];
	} else if (p->fresh < p->nchunks) {
		c = p->fresh++;
	} else {
		return HOLD_NONE;
	}
	p->nfree--;
	p->next[c] = HOLD_NONE;
	return c;
}

static void give_chunk(struct hold_pool *p, uint32_t c)
{
	p->next[c] = p->free;
	p->free = c;
	p->nwarm++;
	p->nfree++;
}

static bool add_tail(struct hold_pool *p, struct hold *h)
{
	uint32_t c = take_chunk(p);

	if (c == HOLD_NONE)
		return false;
	if (h->head == HOLD_NONE) {
		h->head = c;
		h->offset = 0;
	} else {
		p->next[h->tail] = c;
	}
	h->tail = c;
	h->chunks++;
	return true;
}

/* Chunks up to byte `end` of the queue: all, or none. */
static bool cover(struct hold_pool *p, struct hold *h, uint32_t end)
{
	uint64_t need = ((uint64_t)h->offset + end + HOLD_CHUNK - 1) / HOLD_CHUNK;

	if (need > (uint64_t)h->chunks + p->nfree)
		return false;
	while (h->chunks < need)
		add_tail(p, h);
	return true;
}

/* The chunk that holds byte *off of the queue; *off becomes the place in it. The
 * last chunk, where most writes go, is found without a walk. */
static uint32_t seek(const struct hold_pool *p, const struct hold *h, uint32_t *off)
{
	uint32_t pos = h->offset + *off, n = pos / HOLD_CHUNK, c = h->head;

	*off = pos % HOLD_CHUNK;
	if (n + 1 == h->chunks)
		return h->tail;
	while (n--)
		c = p->next[c];
	return c;
}

bool hold_write(struct hold_pool *p, struct hold *h, uint32_t off, const void *src, size_t n)
{
	const uint8_t *from = src;
	uint32_t c, end = off + (uint32_t)n;

	if (!n)
		return true;
	if (!cover(p, h, end))
		return false;
	for (c = seek(p, h, &off); n; c = p->next[c], off = 0) {
		size_t part = MIN_OF(n, (size_t)(HOLD_CHUNK - off));

		memcpy(p->mem + (size_t)c * HOLD_CHUNK + off, from, part);
		from += part;
		n -= part;
	}
	h->end = MAX_OF(h->end, end);
	return true;
}

void hold_extend(struct hold_pool *p, struct hold *h, uint32_t n)
{
	h->len += n;
	p->bytes += n;
	assert(h->len <= h->end);
}

size_t hold_append(struct hold_pool *p, struct hold *h, const void *src, size_t n)
{
	const uint8_t *from = src;
	size_t left = n;

	while (left) {		/* by chunks: without a reservation, what fits */
		size_t part = MIN_OF(left, (size_t)HOLD_CHUNK);

		if (!hold_write(p, h, h->len, from, part))
			break;
		hold_extend(p, h, (uint32_t)part);
		from += part;
		left -= part;
	}
	return n - left;
}

int hold_space(struct hold_pool *p, struct hold *h, size_t max,
	       struct iovec iov[HOLD_IOV_MAX])
{
	uint32_t fill = h->offset + h->len - (h->chunks ? h->chunks - 1 : 0) * HOLD_CHUNK;
	int n = 0;

	if (max && h->chunks && fill < HOLD_CHUNK) {
		iov[n].iov_base = p->mem + (size_t)h->tail * HOLD_CHUNK + fill;
		iov[n].iov_len = MIN_OF(max, HOLD_CHUNK - fill);
		max -= iov[n++].iov_len;
	}
	while (max && n < HOLD_IOV_MAX) {
		/* Chunks promised to others' windows are not ours to take. */
		if (p->nfree == 0 || !add_tail(p, h))
			break;
		iov[n].iov_base = p->mem + (size_t)h->tail * HOLD_CHUNK;
		iov[n].iov_len = MIN_OF(max, HOLD_CHUNK);
		max -= iov[n++].iov_len;
	}
	return n;
}

void hold_commit(struct hold_pool *p, struct hold *h, size_t n)
{
	uint32_t keep, c, last;

	h->len += (uint32_t)n;
	h->end = h->len;
	p->bytes += n;
	if (h->head == HOLD_NONE)
		return;
	keep = h->len ? (h->offset + h->len + HOLD_CHUNK - 1) / HOLD_CHUNK : 0;
	last = HOLD_NONE;
	for (c = h->head; keep && c != HOLD_NONE; keep--) {
		last = c;
		c = p->next[c];
	}
	while (c != HOLD_NONE) {
		uint32_t next = p->next[c];

		give_chunk(p, c);
		h->chunks--;
		c = next;
	}
	h->tail = last;
	if (last == HOLD_NONE)
		*h = HOLD_INIT;
	else
		p->next[last] = HOLD_NONE;
}

void hold_cut(struct hold_pool *p, struct hold *h)
{
	hold_commit(p, h, 0);
}

int hold_iov(const struct hold_pool *p, const struct hold *h, uint32_t off, size_t max,
	     struct iovec iov[HOLD_IOV_MAX], size_t *ret_len)
{
	uint32_t c = h->head, pos = h->offset + off;
	size_t len = 0;
	int n = 0;

	if (off >= h->len) {
		*ret_len = 0;
		return 0;
	}
	max = MIN_OF(max, (size_t)(h->len - off));
	for (; pos >= HOLD_CHUNK; pos -= HOLD_CHUNK)
		c = p->next[c];
	for (; len < max && n < HOLD_IOV_MAX; n++) {
		size_t part = MIN_OF(max - len, HOLD_CHUNK - pos);

		iov[n].iov_base = p->mem + (size_t)c * HOLD_CHUNK + pos;
		iov[n].iov_len = part;
		len += part;
		pos = 0;
		c = p->next[c];
	}
	*ret_len = len;
	return n;
}

void hold_consume(struct hold_pool *p, struct hold *h, uint32_t n)
{
	assert(n <= h->len);
	p->bytes -= n;
	h->len -= n;
	h->end -= n;
	h->offset += n;
	while (h->offset >= HOLD_CHUNK || (!h->end && h->chunks)) {
		uint32_t c = h->head;

		h->head = p->next[c];
		give_chunk(p, c);
		h->offset = h->offset >= HOLD_CHUNK ? h->offset - HOLD_CHUNK : 0;
		if (!--h->chunks) {
			*h = HOLD_INIT;
			break;
		}
	}
}

void hold_clear(struct hold_pool *p, struct hold *h)
{
	h->end = h->len;	/* what was written ahead goes with it */
	hold_consume(p, h, h->len);
}

/* The next free chunk to its place among the n in ascending order. (qsort() may allocate,
 * and ask the kernel how much it may.) */
static void take_sorted(struct hold_pool *p, uint32_t *chunks, uint32_t n)
{
	uint32_t c = p->free;

	p->free = p->next[c];
	for (; n > 0 && chunks[n - 1] > c; n--)
		chunks[n] = chunks[n - 1];
	chunks[n] = c;
}

void hold_trim(struct hold_pool *p, uint32_t keep, void (*give)(void *mem, size_t len))
{
	uint32_t chunks[HOLD_TRIM_MAX], n = p->idle > keep ? p->idle - keep : 0;

	n = MIN_OF(n, HOLD_TRIM_MAX);
	for (uint32_t i = 0; i < n; i++)
		take_sorted(p, chunks, i);
	p->nwarm -= n;
	p->idle = p->nwarm;
	for (uint32_t i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && chunks[i + run] == chunks[i] + run; run++)
			;
		give(p->mem + (size_t)chunks[i] * HOLD_CHUNK, (size_t)run * HOLD_CHUNK);
	}
	/* the lowest is used first, so that the arena stays dense */
	for (uint32_t i = n; i-- > 0;) {
		p->next[chunks[i]] = p->cold;
		p->cold = chunks[i];
	}
}
