/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/json/scan.h"

#include "base/base.h"

static void fail(struct scan *s)
{
	s->bad = true;
	s->p = s->end;
}

static void space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

/* The next byte that is no white space, 0 at the end. */
static char peek(struct scan *s)
{
	space(s);
	return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char c)
{
	if (!c || peek(s) != c)
		return false;
	s->p++;
	return true;
}

void scan_open(struct scan *s, char open)
{
	if (!take(s, open))
		fail(s);
}

bool scan_more(struct scan *s, char shut, bool *first)
{
	bool none = *first;

	*first = false;
	if (s->bad || take(s, shut))
		return false;
	if (!none && !take(s, ','))
		fail(s);
	space(s);
	return !s->bad;
}

static struct scan_text string(struct scan *s, bool escapes)
{
	struct scan_text ret;

	if (!take(s, '"')) {
		fail(s);
		return (struct scan_text){ "", 0 };
	}
	ret.p = s->p;
	for (; s->p < s->end && *s->p != '"'; s->p++) {
		if ((unsigned char)*s->p < 0x20 || (*s->p == '\\' && !escapes))
			break;
		if (*s->p == '\\' && ++s->p == s->end)
			break;
	}
	ret.n = (size_t)(s->p - ret.p);
	if (!take(s, '"')) {
		fail(s);
		return (struct scan_text){ "", 0 };
	}
	return ret;
}

struct scan_text scan_string(struct scan *s)
{
	return string(s, false);
}

struct scan_text scan_key(struct scan *s)
{
	struct scan_text ret = string(s, false);

	if (!take(s, ':'))
		fail(s);
	return ret;
}

uint64_t scan_number(struct scan *s)
{
	uint64_t v = 0;
	bool any = false;

	for (peek(s); s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, any = true) {
		unsigned int digit = (unsigned int)(*s->p - '0');

		if (v > (UINT64_MAX - digit) / 10) {
			any = false;
			break;
		}
		v = v * 10 + digit;
	}
	if (!any || (s->p < s->end && strchr(".eE", *s->p) && *s->p))
		fail(s);
	return s->bad ? 0 : v;
}

static bool word(struct scan *s, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, w, n) != 0)
		return false;
	s->p += n;
	return true;
}

bool scan_bool(struct scan *s)
{
	peek(s);
	if (word(s, "true"))
		return true;
	if (!word(s, "false"))
		fail(s);
	return false;
}

static void skip_number(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p && strchr("0123456789+-.eE", *s->p))
		s->p++;
	if (s->p == from)
		fail(s);
}

/* What is one value in itself, or begins one that has others in it. */
static void skip_one(struct scan *s, char stack[SCAN_DEPTH], unsigned int *depth)
{
	char c = peek(s);

	if (c == '"') {
		string(s, true);
	} else if (c == '{' || c == '[') {
		if (*depth == SCAN_DEPTH)
			fail(s);
		else
			stack[(*depth)++] = c;
		s->p += !s->bad;
	} else if (!word(s, "true") && !word(s, "false") && !word(s, "null")) {
		skip_number(s);
	}
}

struct scan_text scan_skip(struct scan *s)
{
	char stack[SCAN_DEPTH] = { 0 };
	struct scan_text ret;
	unsigned int depth = 0;
	bool first = true;

	peek(s);
	ret.p = s->p;
	skip_one(s, stack, &depth);
	while (depth && !s->bad) {
		bool object = stack[depth - 1] == '{';
		unsigned int before = depth;

		if (!scan_more(s, object ? '}' : ']', &first)) {
			depth--;
			first = false;
			continue;
		}
		if (object) {
			string(s, true);
			if (!take(s, ':'))
				fail(s);
		}
		skip_one(s, stack, &depth);
		first = depth > before;
	}
	ret.n = (size_t)(s->p - ret.p);
	return s->bad ? (struct scan_text){ "", 0 } : ret;
}

bool scan_end(struct scan *s)
{
	return !s->bad && peek(s) == '\0' && s->p == s->end;
}
