/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit: what every unit test includes: cmocka in the order it wants, and three
 * helpers. Bytes to be parsed are handed over in a heap block of exactly their
 * size, so that a sanitizer sees the first byte read past it; outputs are
 * poisoned first, so that "untouched on failure" can be seen.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

#define POISON_BYTE 0xa5

#define POISON(v)	memset(&(v), POISON_BYTE, sizeof(v))
#define ASSERT_POISONED(v) unit_assert_poisoned(&(v), sizeof(v))
#define BLOCK		CLEANUP(unit_block_free) uint8_t *

static inline void unit_assert_poisoned(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(b[i], POISON_BYTE);
}

static inline void unit_block_free(uint8_t **p)
{
	free(*p);
}

/* A copy of exactly n bytes: `BLOCK p = unit_block(src, n);` frees itself. */
static inline uint8_t *unit_block(const void *src, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	assert_non_null(p);
	if (n)
		memcpy(p, src, n);
	return p;
}

#endif
