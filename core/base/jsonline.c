/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonline.h"

#include <string.h>

#include "base/base.h"

struct text {
	const char *p;
	size_t left;
};

static void skip_space(struct text *t)
{
	while (t->left && (*t->p == ' ' || *t->p == '\t' || *t->p == '\r')) {
		t->p++;
		t->left--;
	}
}

/* Takes that character, if it comes next behind white space. */
static bool take(struct text *t, char want)
{
	skip_space(t);
	if (!t->left || *t->p != want)
		return false;
	t->p++;
	t->left--;
	return true;
}

static bool take_word(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if (t->left < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	t->left -= n;
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX, of ASCII only. */
static bool take_unicode(struct text *t, char *ret)
{
	int v = 0;

	if (t->left < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int h = hex(t->p[i]);

		if (h < 0)
			return false;
		v = v << 4 | h;
	}
	if (v == 0 || v >= 0x80)
		return false;
	*ret = (char)v;
	t->p += 4;
	t->left -= 4;
	return true;
}

/* What follows a backslash. */
static bool take_escape(struct text *t, char *ret)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (!t->left)
		return false;
	if (take_word(t, "u"))
		return take_unicode(t, ret);
	at = *t->p ? strchr(from, *t->p) : NULL;
	if (!at)
		return false;
	*ret = to[at - from];
	t->p++;
	t->left--;
	return true;
}

static const char *take_string(struct text *t, char *ret, size_t max)
{
	size_t n = 0;

	if (!take(t, '"'))
		return "a string is missing";
	while (t->left && *t->p != '"') {
		unsigned char c = (unsigned char)*t->p;
		char one = (char)c;

		if (c < 0x20 || c >= 0x7f)
			return "a string has a character that is not printable ASCII";
		t->p++;
		t->left--;
		if (c == '\\' && !take_escape(t, &one))
			return "a string has an escape that is not allowed";
		if (n == max)
			return "a string is too long";
		ret[n++] = one;
	}
	ret[n] = '\0';
	return take(t, '"') ? NULL : "a string does not end";
}

static bool is_digit(const struct text *t)
{
	return t->left && *t->p >= '0' && *t->p <= '9';
}

static const char *take_number(struct text *t, uint64_t *ret)
{
	bool zero = t->left && *t->p == '0';
	unsigned int digits = 0;
	uint64_t v = 0;

	for (; is_digit(t); t->p++, t->left--, digits++) {
		v = v * 10 + (uint64_t)(*t->p - '0');
		if (v > JSONLINE_NUMBER_MAX)
			return "a number is too large";
	}
	if (!digits || (zero && digits > 1))
		return "a value is no string, whole number, true or false";
	*ret = v;
	return NULL;
}

static const char *take_value(struct text *t, struct jsonline_member *m)
{
	skip_space(t);
	if (t->left && *t->p == '"') {
		m->type = JSONLINE_STRING;
		return take_string(t, m->text, JSONLINE_STRING_MAX);
	}
	m->type = JSONLINE_BOOL;
	m->number = take_word(t, "true");
	if (m->number || take_word(t, "false"))
		return NULL;
	m->type = JSONLINE_NUMBER;
	return take_number(t, &m->number);
}

static const char *take_member(struct text *t, struct jsonline *ret)
{
	struct jsonline_member *m = &ret->list[ret->n];
	const char *why;

	if (ret->n == JSONLINE_MEMBERS)
		return "too many members";
	*m = (struct jsonline_member){ .number = 0 };
	why = take_string(t, m->key, JSONLINE_KEY_MAX);
	if (why)
		return why;
	if (jsonline_find(ret, m->key))
		return "a member is there twice";
	if (!take(t, ':'))
		return "a colon is missing";
	why = take_value(t, m);
	ret->n += !why;
	return why;
}

const char *jsonline_parse(const char *text, size_t len, struct jsonline *ret)
{
	struct text t = { text, len };
	const char *why = NULL;

	ret->n = 0;
	if (!take(&t, '{'))
		return "it is not a JSON object";
	if (!take(&t, '}')) {
		do {
			why = take_member(&t, ret);
		} while (!why && take(&t, ','));
		if (why)
			return why;
		if (!take(&t, '}'))
			return "the object does not end";
	}
	skip_space(&t);
	return t.left ? "something follows the object" : NULL;
}

const struct jsonline_member *jsonline_find(const struct jsonline *j, const char *key)
{
	for (uint32_t i = 0; i < j->n; i++)
		if (strcmp(j->list[i].key, key) == 0)
			return &j->list[i];
	return NULL;
}
