/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jsonline: reads one flat JSON object (RFC 8259), as the control socket's requests
 * are: members that are strings, whole numbers, true or false. Much less than JSON on
 * purpose: no nesting, no fractions, ASCII only, each key once, all in a fixed struct.
 * Pure; whatever the text is, nothing is allocated.
 */
#ifndef BASE_JSONLINE_H
#define BASE_JSONLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSONLINE_MEMBERS	12
#define JSONLINE_KEY_MAX	23
#define JSONLINE_STRING_MAX	191
#define JSONLINE_NUMBER_MAX	((UINT64_C(1) << 53) - 1)	/* what every reader of JSON can hold */

enum jsonline_type { JSONLINE_STRING, JSONLINE_NUMBER, JSONLINE_BOOL };

struct jsonline_member {
	enum jsonline_type type;
	char key[JSONLINE_KEY_MAX + 1];
	char text[JSONLINE_STRING_MAX + 1];	/* JSONLINE_STRING: no NUL inside */
	uint64_t number;			/* JSONLINE_NUMBER; JSONLINE_BOOL: 0 or 1 */
};

struct jsonline {
	uint32_t n;
	struct jsonline_member list[JSONLINE_MEMBERS];
};

/* Reads all of text. Returns NULL, or what is wrong with it; *ret means nothing then. */
const char *jsonline_parse(const char *text, size_t len, struct jsonline *ret);

/* The member of that name, or NULL. */
const struct jsonline_member *jsonline_find(const struct jsonline *j, const char *key);

#endif
