/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cursor: bounded reader and writer over bytes. Nothing outside this file and
 * wire/ does arithmetic on packet pointers.
 *
 * A read or write that does not fit returns false, leaves its outputs
 * untouched and makes the cursor fail from then on, so that a parser may read
 * several fields and test once. Lengths are compared with what remains.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

struct rd {
	const uint8_t *p;
	size_t left;
	bool failed;
};

struct wr {
	uint8_t *p;
	size_t left;
	bool failed;
};

/* buf may be NULL if len is 0: reading 0 bytes then succeeds as it does behind
 * the last byte of any other buffer. */
static inline struct rd rd_init(const void *buf, size_t len)
{
	return (struct rd){ .p = buf ? buf : (const void *)"", .left = len };
}

/* Steps over n bytes; returns where they began or NULL. */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (UNLIKELY(r->failed || n > r->left)) {
		r->failed = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

static inline bool rd_skip(struct rd *r, size_t n)
{
	return rd_bytes(r, n) != NULL;
}

/* Copies n bytes out. */
static inline bool rd_copy(struct rd *r, void *ret, size_t n)
{
	const uint8_t *p = rd_bytes(r, n);

	if (UNLIKELY(!p))
		return false;
	memcpy(ret, p, n);
	return true;
}

/* A reader over the next n bytes; *r steps over them. */
static inline bool rd_sub(struct rd *r, size_t n, struct rd *ret)
{
	const uint8_t *p = rd_bytes(r, n);

	if (UNLIKELY(!p))
		return false;
	*ret = rd_init(p, n);
	return true;
}

static inline bool rd_u8(struct rd *r, uint8_t *ret)
{
	const uint8_t *p = rd_bytes(r, 1);

	if (UNLIKELY(!p))
		return false;
	*ret = p[0];
	return true;
}

/* Network byte order to host. */
static inline bool rd_u16(struct rd *r, uint16_t *ret)
{
	const uint8_t *p = rd_bytes(r, 2);

	if (UNLIKELY(!p))
		return false;
	*ret = (uint16_t)((p[0] << 8) | p[1]);
	return true;
}

static inline bool rd_u32(struct rd *r, uint32_t *ret)
{
	const uint8_t *p = rd_bytes(r, 4);

	if (UNLIKELY(!p))
		return false;
	*ret = ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) |
	       ((uint32_t)p[2] << 8) | (uint32_t)p[3];
	return true;
}

static inline struct wr wr_init(void *buf, size_t len)
{
	return (struct wr){ .p = buf, .left = len };
}

/* Room for n bytes, or NULL. */
static inline uint8_t *wr_space(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (UNLIKELY(w->failed || n > w->left)) {
		w->failed = true;
		return NULL;
	}
	w->p += n;
	w->left -= n;
	return p;
}

static inline bool wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_space(w, n);

	if (UNLIKELY(!p))
		return false;
	if (n)
		memcpy(p, src, n);
	return true;
}

static inline bool wr_zero(struct wr *w, size_t n)
{
	uint8_t *p = wr_space(w, n);

	if (UNLIKELY(!p))
		return false;
	memset(p, 0, n);
	return true;
}

static inline bool wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_space(w, 1);

	if (UNLIKELY(!p))
		return false;
	p[0] = v;
	return true;
}

static inline bool wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_space(w, 2);

	if (UNLIKELY(!p))
		return false;
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return true;
}

static inline bool wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_space(w, 4);

	if (UNLIKELY(!p))
		return false;
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
	return true;
}

#endif
