/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scan: reads JSON (RFC 8259) front to back where there is much of it and its shape is
 * known: the daemon's pages of flows. Nothing is allocated; strings are places in the
 * text. Strings with escapes and numbers other than whole ones that are not negative are
 * passed over by scan_skip() only. After the first thing that is not as asked for, `bad`
 * is set and every call returns nothing.
 */
#ifndef PLUGIN_JSON_SCAN_H
#define PLUGIN_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SCAN_DEPTH	8	/* of what is passed over */

struct scan {
	const char *p, *end;
	bool bad;
};

/* Bytes of the text, not ended by NUL. */
struct scan_text {
	const char *p;
	size_t n;
};

static inline struct scan scan_init(const char *text, size_t n)
{
	return (struct scan){ .p = text, .end = text + n };
}

/* Goes into an object or a list: '{' or '['. */
void scan_open(struct scan *s, char open);

/* Whether there is one more member; false: it was shut by '}' or ']', or is bad. *first is
 * true before the first, and kept by the caller. */
bool scan_more(struct scan *s, char shut, bool *first);

/* A member's name, with its colon. */
struct scan_text scan_key(struct scan *s);

struct scan_text scan_string(struct scan *s);
uint64_t scan_number(struct scan *s);
bool scan_bool(struct scan *s);

/* Any value: where it stands. */
struct scan_text scan_skip(struct scan *s);

/* Nothing but white space is left. */
bool scan_end(struct scan *s);

static inline bool scan_is(struct scan_text t, const char *word)
{
	return strlen(word) == t.n && memcmp(t.p, word, t.n) == 0;
}

#endif
