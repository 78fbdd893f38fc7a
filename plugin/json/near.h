/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near: which of the names there are was meant by one that is none: "did you mean". */
#ifndef PLUGIN_JSON_NEAR_H
#define PLUGIN_JSON_NEAR_H

/* { .name = NAME }, then near_try() with each name there is. best: the nearest of them,
 * the first of equal ones; NULL: none is near enough to be worth a guess. */
struct near {
	const char *name, *best;
	int percent;			/* of the longer one's letters, by which best differs */
};

void near_try(struct near *n, const char *candidate);

#endif
