/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"
#include "plugin/attach/front.h"

#define GAP	2	/* spaces between columns */

/* --- text ---------------------------------------------------------------------- */

/* Columns that it takes. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += !utf8_is_more(*s);
	return n;
}

/* Bytes of its first so many columns. */
static size_t cut_at(const char *s, size_t columns)
{
	size_t n = 0;

	for (; s[n] && (columns || utf8_is_more(s[n])); n++)
		columns -= !utf8_is_more(s[n]);
	return n;
}

/* --- cells --------------------------------------------------------------------- */

static bool grow(struct table *t, size_t more)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		size_t *p = realloc(t->cells, cap * sizeof(*p));

		if (!p)
			return false;
		t->cells = p;
		t->cap = cap;
	}
	if (t->size - t->len < more) {
		size_t size = MAX_OF(t->size * 2, t->len + more + 4096);
		char *p = realloc(t->text, size);

		if (!p)
			return false;
		t->text = p;
		t->size = size;
	}
	return true;
}

void table_put(struct table *t, const char *text, size_t n)
{
	size_t *width = &t->width[t->n % t->ncolumns];
	char *at;

	if (!n) {
		text = "-";
		n = 1;
	}
	t->failed |= !grow(t, n + 1);
	if (t->failed)
		return;
	at = t->text + t->len;
	memcpy(at, text, n);
	at[n] = '\0';
	front_clean(at);
	t->cells[t->n++] = t->len;
	t->len += n + 1;
	*width = MAX_OF(*width, width_of(at));
}

void table_text(struct table *t, const char *text)
{
	table_put(t, text, strlen(text));
}

void table_add(struct table *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_put(t, text, n < 0 ? 0 : MIN_OF((size_t)n, sizeof(text) - 1));
}

void table_number(struct table *t, uint64_t v)
{
	char text[TABLE_TEXT], *p = text + sizeof(text);

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	table_put(t, p, (size_t)(text + sizeof(text) - p));
}

void table_drop(struct table *t)
{
	free(t->cells);
	free(t->text);
	t->cells = NULL;
	t->text = NULL;
	t->n = t->cap = t->len = t->size = 0;
}

/* --- printing ------------------------------------------------------------------ */

/* Of the terminal; 0: no terminal, which takes all. */
static size_t line_width(void)
{
	struct winsize w;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 ? 0 : w.ws_col;
}

static size_t whole_width(const size_t *width, size_t n)
{
	size_t sum = 0, shown = 0;

	for (size_t i = 0; i < n; i++) {
		sum += width[i];
		shown += width[i] > 0;
	}
	return sum + (shown ? (shown - 1) * GAP : 0);
}

/* Takes the width of columns away that have to go. */
static void fit(const struct table *t, size_t *width, size_t most)
{
	for (size_t i = 0; i < t->ncolumns; i++)
		if (t->columns[i].most)
			width[i] = MIN_OF(width[i], (size_t)t->columns[i].most);
	while (whole_width(width, t->ncolumns) > most) {
		size_t worst = t->ncolumns;

		for (size_t i = 0; i < t->ncolumns; i++)
			if (width[i] && t->columns[i].spare &&
			    (worst == t->ncolumns || t->columns[i].spare > t->columns[worst].spare))
				worst = i;
		if (worst == t->ncolumns)
			return;
		width[worst] = 0;
	}
}

static void spaces(size_t n)
{
	while (n--)
		putchar_unlocked(' ');
}

/* row 0 is the head. */
static const char *cell(const struct table *t, size_t row, size_t i)
{
	return row ? t->text + t->cells[(row - 1) * t->ncolumns + i] : t->columns[i].name;
}

static void print_row(const struct table *t, const size_t *width, size_t row, size_t most)
{
	size_t at = 0, pending = 0;	/* columns done; spaces that stand before the next */

	for (size_t i = 0; i < t->ncolumns; i++) {
		const char *text = cell(t, row, i);
		size_t w = MIN_OF(width_of(text), width[i]), pad = width[i] - w;

		if (!width[i])
			continue;
		pending += t->columns[i].right ? pad : 0;
		if (most && at + pending >= most)
			break;
		w = most ? MIN_OF(w, most - at - pending) : w;
		spaces(pending);
		fwrite_unlocked(text, 1, cut_at(text, w), stdout);
		at += pending + w;
		pending = GAP + (t->columns[i].right ? 0 : pad);
	}
	putchar_unlocked('\n');
}

bool table_print(struct table *t)
{
	size_t rows = t->n / t->ncolumns, most = line_width();
	bool good = !t->failed;

	for (size_t i = 0; i < t->ncolumns; i++)
		t->width[i] = MAX_OF(t->width[i], width_of(t->columns[i].name));
	if (most)
		fit(t, t->width, most);
	for (size_t row = 0; good && row <= rows; row++)
		print_row(t, t->width, row, most);
	table_drop(t);
	return good;
}

const char *table_bytes(uint64_t v, char buf[TABLE_TEXT])
{
	static const char units[] = " KMGTPE";
	double d = (double)v;
	int i = 0;

	for (; d >= 1000 && units[i + 1]; i++)
		d /= 1024;
	if (!i)
		snprintf(buf, TABLE_TEXT, "%llu", (unsigned long long)v);
	else
		snprintf(buf, TABLE_TEXT, d < 10 ? "%.1f%c" : "%.0f%c", d, units[i]);
	return buf;
}

const char *table_time(uint64_t ms, char buf[TABLE_TEXT])
{
	unsigned long long s = ms / 1000;

	if (ms < 1000)
		snprintf(buf, TABLE_TEXT, "%llums", (unsigned long long)ms);
	else if (s < 120)
		snprintf(buf, TABLE_TEXT, "%llus", s);
	else if (s < 7200)
		snprintf(buf, TABLE_TEXT, "%llum%02llus", s / 60, s % 60);
	else if (s < 172800)
		snprintf(buf, TABLE_TEXT, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		snprintf(buf, TABLE_TEXT, "%llud%02lluh", s / 86400, s / 3600 % 24);
	return buf;
}
