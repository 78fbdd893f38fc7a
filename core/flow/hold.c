/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/hold.h"

#include <assert.h>
#include <string.h>

#include "base/base.h"

void hold_pool_init(struct hold_pool *p, void *mem, uint32_t *next, uint32_t nchunks)
{
	*p = (struct hold_pool){
		.mem = mem, .next = next, .nchunks = nchunks, .free = HOLD_NONE,
		.nfree = nchunks,
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

	if (c != HOLD_NONE)
		p->free = p->next[c];
	else if (p->fresh < p->nchunks)
		c = p->fresh++;
	else
		return HOLD_NONE;
	p->nfree--;
	p->next[c] = HOLD_NONE;
	return c;
}

static void give_chunk(struct hold_pool *p, uint32_t c)
{
	p->next[c] = p->free;
	p->free = c;
	p->nfree++;
}

/* Where the byte after the last would go in the last chunk: 0..HOLD_CHUNK. */
static uint32_t tail_fill(const struct hold *h)
{
	uint32_t end = (h->offset + h->len) % HOLD_CHUNK;

	if (h->head == HOLD_NONE)
		return HOLD_CHUNK;
	return end || h->offset + h->len == 0 ? end : HOLD_CHUNK;
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
	return true;
}

size_t hold_append(struct hold_pool *p, struct hold *h, const void *src, size_t n)
{
	const uint8_t *from = src;
	size_t left = n;

	while (left) {
		uint32_t fill = tail_fill(h);
		size_t part;

		if (fill == HOLD_CHUNK) {
			if (!add_tail(p, h))
				break;
			fill = 0;
		}
		part = MIN_OF(left, HOLD_CHUNK - fill);
		memcpy(p->mem + (size_t)h->tail * HOLD_CHUNK + fill, from, part);
		from += part;
		left -= part;
		h->len += (uint32_t)part;
	}
	p->bytes += n - left;
	return n - left;
}

int hold_space(struct hold_pool *p, struct hold *h, size_t max,
	       struct iovec iov[HOLD_IOV_MAX])
{
	uint32_t fill = tail_fill(h);
	int n = 0;

	if (max && fill < HOLD_CHUNK) {
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
	p->bytes += n;
	if (h->head == HOLD_NONE)
		return;
	keep = (h->offset + h->len + HOLD_CHUNK - 1) / HOLD_CHUNK;
	last = HOLD_NONE;
	for (c = h->head; keep && c != HOLD_NONE; keep--) {
		last = c;
		c = p->next[c];
	}
	while (c != HOLD_NONE) {
		uint32_t next = p->next[c];

		give_chunk(p, c);
		c = next;
	}
	h->tail = last;
	if (last == HOLD_NONE)
		*h = HOLD_INIT;
	else
		p->next[last] = HOLD_NONE;
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
	h->offset += n;
	while (h->offset >= HOLD_CHUNK || (h->len == 0 && h->head != HOLD_NONE)) {
		uint32_t c = h->head;

		h->head = p->next[c];
		give_chunk(p, c);
		h->offset = h->offset >= HOLD_CHUNK ? h->offset - HOLD_CHUNK : 0;
		if (h->head == HOLD_NONE) {
			*h = HOLD_INIT;
			break;
		}
	}
}

void hold_clear(struct hold_pool *p, struct hold *h)
{
	hold_consume(p, h, h->len);
}
