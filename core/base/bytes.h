/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes: whether fields of a struct that came as bytes from another process may be
 * believed, before anything else looks at them. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The array of `size` bytes holds a string. */
static inline bool bytes_terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

/* A bool that came as bytes may hold neither true nor false. */
static inline bool bytes_are_bool(const bool *b)
{
	uint8_t v;

	memcpy(&v, b, sizeof(v));
	return v <= 1;
}

#endif
