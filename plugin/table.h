/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table: text in columns on standard output, for people: as wide as what stands in it,
 * on a terminal cut at its edge. And figures as people read them.
 */
#ifndef PLUGIN_TABLE_H
#define PLUGIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define TABLE_TEXT	24	/* bytes of a figure */

struct table_column {
	const char *name;
	bool right;		/* figures */
};

struct table {
	const struct table_column *columns;
	size_t ncolumns;
	size_t n, cap;		/* cells */
	char **cells;
	bool failed;		/* out of memory: nothing is printed */
};

static inline struct table table_init(const struct table_column *columns, size_t n)
{
	return (struct table){ .columns = columns, .ncolumns = n };
}

/* The next cell, row by row; "" is shown as "-". */
void table_add(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Prints the head and all rows, and frees all. False: out of memory. */
bool table_print(struct table *t);
void table_drop(struct table *t);

/* "1.5M", "42s"; return buf. */
const char *table_bytes(uint64_t v, char buf[TABLE_TEXT]);
const char *table_time(uint64_t ms, char buf[TABLE_TEXT]);

#endif
