/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jsonout: writes JSON (RFC 8259) into a buffer of fixed size, on one line. What does
 * not fit sets `failed`, and everything after it is left out: to be asked once, at the
 * end. Never allocates.
 */
#ifndef BASE_JSONOUT_H
#define BASE_JSONOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonout {
	char *buf;
	size_t size, len;
	bool failed;
	bool comma;		/* something stands before, in this object or list */
};

static inline struct jsonout jsonout_init(char *buf, size_t size)
{
	return (struct jsonout){ .buf = buf, .size = size };
}

/* Bytes left; what will surely not fit need not be begun. */
static inline size_t jsonout_room(const struct jsonout *o)
{
	return o->failed ? 0 : o->size - o->len;
}

/* key: NULL in a list and for the whole. open: '{' or '['; shut: '}' or ']'. */
void jsonout_open(struct jsonout *o, const char *key, char open);
void jsonout_shut(struct jsonout *o, char shut);

/* Control characters are escaped, and so is whatever is not ASCII, as if it were
 * Latin-1: the line stays one, and JSON, whatever the text. */
void jsonout_string(struct jsonout *o, const char *key, const char *text);
void jsonout_number(struct jsonout *o, const char *key, uint64_t v);
void jsonout_bool(struct jsonout *o, const char *key, bool v);

/* The end of the line. */
void jsonout_line(struct jsonout *o);

#endif
