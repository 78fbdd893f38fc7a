/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonout.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void put(struct jsonout *o, const char *text, size_t n)
{
	if (o->failed || n > o->size - o->len) {
		o->failed = true;
		return;
	}
	memcpy(o->buf + o->len, text, n);
	o->len += n;
}

/* Characters beyond ASCII as they are (RFC 8259, 8.1); what is none of UTF-8 as "?". */
static void put_string(struct jsonout *o, const char *text)
{
	char code[8];

	put(o, "\"", 1);
	for (size_t n; *text; text += n ? n : 1) {
		unsigned char c = (unsigned char)*text;

		n = utf8_len(text);
		if (c == '"' || c == '\\')
			put(o, "\\", 1);
		if (n) {
			put(o, text, n);
			continue;
		}
		snprintf(code, sizeof(code), "\\u%04x", c < 0x80 ? c : '?');
		put(o, code, 6);
	}
	put(o, "\"", 1);
}

static void begin(struct jsonout *o, const char *key)
{
	if (o->comma)
		put(o, ",", 1);
	o->comma = true;
	if (!key)
		return;
	put_string(o, key);
	put(o, ":", 1);
}

void jsonout_open(struct jsonout *o, const char *key, char open)
{
	begin(o, key);
	put(o, &open, 1);
	o->comma = false;
}

void jsonout_shut(struct jsonout *o, char shut)
{
	put(o, &shut, 1);
	o->comma = true;
}

void jsonout_string(struct jsonout *o, const char *key, const char *text)
{
	begin(o, key);
	put_string(o, text);
}

void jsonout_number(struct jsonout *o, const char *key, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);

	begin(o, key);
	put(o, text, (size_t)n);
}

void jsonout_bool(struct jsonout *o, const char *key, bool v)
{
	begin(o, key);
	if (v)
		put(o, "true", 4);
	else
		put(o, "false", 5);
}

void jsonout_line(struct jsonout *o)
{
	put(o, "\n", 1);
	o->comma = false;
}
