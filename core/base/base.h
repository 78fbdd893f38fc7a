/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: compile-time helpers every room may use. No run-time code. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stddef.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b)	((a) < (b) ? (a) : (b))
#define MAX_OF(a, b)	((a) > (b) ? (a) : (b))
#define LIKELY(x)	__builtin_expect(!!(x), 1)
#define UNLIKELY(x)	__builtin_expect(!!(x), 0)
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)	__attribute__((cleanup(fn)))

#endif
