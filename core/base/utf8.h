/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utf8: names that others chose, where people or JSON shall have them. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

static inline bool utf8_is_more(char c)	/* a character's second byte, or a later one */
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Bytes of the character at s (RFC 3629, 4; overlong forms of three and four bytes and
 * surrogates do no harm in a message and are let through). 0: none that may be shown, as
 * no UTF-8 or a control character, those of two bytes (U+0080 to U+009F) too. */
static inline size_t utf8_len(const char *s)
{
	const unsigned char c = (unsigned char)s[0];
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 :
		   c >= 0xf0 && c < 0xf5 ? 4 : 0;

	if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!utf8_is_more(s[i]))
			return 0;
	return n;
}

#endif
