/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table: text in columns on standard output, for people: as wide as what stands in it. On
 * a terminal that is too narrow the columns that matter least are left out, and what still
 * does not fit is cut at the edge; elsewhere all is there. And figures as people read them.
 * Characters are UTF-8, a column each; control characters of names become "?".
 */
#ifndef PLUGIN_TABLE_H
#define PLUGIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define TABLE_TEXT	24	/* bytes of a figure */
#define TABLE_COLUMNS	24

struct table_column {
	const char *name;
	bool right;		/* figures */
	uint8_t spare;		/* the highest is left out first; 0: never */
	uint8_t most;		/* of a terminal's columns; 0: all it needs */
};

struct table {
	const struct table_column *columns;
	size_t ncolumns;
	size_t n, cap;		/* cells */
	size_t *cells;		/* where each begins in text */
	char *text;		/* all cells, each ended by NUL */
	size_t len, size;
	size_t width[TABLE_COLUMNS];
	bool failed;		/* out of memory: nothing is printed */
};

static inline struct table table_init(const struct table_column *columns, size_t n)
{
	return (struct table){ .columns = columns, .ncolumns = n };
}

/* The next cell, row by row; "" is shown as "-". */
void table_add(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_put(struct table *t, const char *text, size_t n);
void table_text(struct table *t, const char *text);
void table_number(struct table *t, uint64_t v);

/* Prints the head and all rows, and frees all. False: out of memory. */
bool table_print(struct table *t);
void table_drop(struct table *t);

/* "1.5M", "42s"; return buf. */
const char *table_bytes(uint64_t v, char buf[TABLE_TEXT]);
const char *table_time(uint64_t ms, char buf[TABLE_TEXT]);

#endif
