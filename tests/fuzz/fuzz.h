/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz: what every fuzz target shares. A target is one function that is given
 * any bytes and must come back; what must hold then is said with FUZZ_HOLDS,
 * which ends the process whatever NDEBUG says. Linked with libFuzzer to search,
 * with replay.c to run the seeds of corpus/ in `make check`.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_POISON(v)	memset(&(v), 0xa5, sizeof(v))
#define FUZZ_HOLDS(x)	((x) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #x))
#define FUZZ_POISONED(v) FUZZ_HOLDS(fuzz_is_poisoned(&(v), sizeof(v)))

static inline void fuzz_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

static inline int fuzz_is_poisoned(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n && b[n - 1] == 0xa5)
		n--;
	return n == 0;
}

/* Whether what r still holds lies in the input; reads all of it, so that a
 * sanitizer has its say too. */
static inline int fuzz_inside(const struct rd *r, const uint8_t *data, size_t size)
{
	volatile uint8_t sink = 0;

	if (r->failed || r->left > size ||
	    (r->left && (r->p < data || (size_t)(r->p - data) > size - r->left)))
		return 0;
	for (size_t i = 0; i < r->left; i++)
		sink = (uint8_t)(sink ^ r->p[i]);
	return 1;
}

#endif
