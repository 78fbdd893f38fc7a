/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MAX	4096	/* of a line */
#define COLUMNS_MAX	24

static bool grow(struct table *t)
{
	size_t cap = t->cap ? t->cap * 2 : 256;
	char **p = realloc(t->cells, cap * sizeof(*p));

	if (!p)
		return false;
	t->cells = p;
	t->cap = cap;
	return true;
}

void table_add(struct table *t, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (t->failed || (t->n == t->cap && !grow(t))) {
		t->failed = true;
		return;
	}
	t->cells[t->n] = strdup(text[0] ? text : "-");
	t->failed = !t->cells[t->n];
	t->n += !t->failed;
}

void table_drop(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->n = t->cap = 0;
}

/* Of the terminal; what is no terminal takes all. */
static size_t line_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col)
		return WIDTH_MAX;
	return MIN_OF((size_t)w.ws_col, (size_t)WIDTH_MAX);
}

static void print_row(const struct table *t, const size_t *width, size_t row, size_t most)
{
	char line[WIDTH_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i < t->ncolumns; i++) {
		const char *text = row ? t->cells[(row - 1) * t->ncolumns + i] : t->columns[i].name;
		bool last = i + 1 == t->ncolumns;
		int pad = t->columns[i].right ? (int)width[i] : last ? 0 : -(int)width[i];

		len += (size_t)snprintf(line + len, sizeof(line) - len, "%*s%s", pad, text,
					last ? "" : "  ");
		if (len >= sizeof(line))
			len = sizeof(line) - 1;
	}
	printf("%.*s\n", (int)MIN_OF(len, most), line);
}

bool table_print(struct table *t)
{
	size_t width[COLUMNS_MAX] = { 0 }, rows = t->n / t->ncolumns, most = line_width();
	bool good = !t->failed;

	for (size_t i = 0; i < t->ncolumns; i++)
		width[i] = strlen(t->columns[i].name);
	for (size_t i = 0; good && i < rows * t->ncolumns; i++)
		width[i % t->ncolumns] = MAX_OF(width[i % t->ncolumns], strlen(t->cells[i]));
	for (size_t row = 0; good && row <= rows; row++)
		print_row(t, width, row, most);
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
