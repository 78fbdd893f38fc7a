/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/json/near.h"

#include <ctype.h>
#include <string.h>

#include "base/base.h"

#define HINT_MAX	3	/* letters that may differ for "did you mean" */
#define HINT_PERCENT	50	/* and of the longer name's letters: of short ones few */
#define HINT_NAME_MAX	40

/* Single letters to insert, leave out or change to make b of a; HINT_MAX + 1
 * stands for all that is more. Names that long are not worth a guess. */
static int distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	int row[HINT_NAME_MAX + 1], diagonal, above;

	if (la > HINT_NAME_MAX || lb > HINT_NAME_MAX)
		return HINT_MAX + 1;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= la; i++) {
		diagonal = row[0]++;
		for (size_t j = 1; j <= lb; j++) {
			above = row[j];
			row[j] = MIN_OF(MIN_OF(above, row[j - 1]) + 1,
					diagonal + (tolower((unsigned char)a[i - 1]) !=
						    tolower((unsigned char)b[j - 1])));
			diagonal = above;
		}
	}
	return MIN_OF(row[lb], HINT_MAX + 1);
}

void near_try(struct near *n, const char *candidate)
{
	int d = distance(n->name, candidate);
	int longer = (int)MAX_OF(strlen(n->name), strlen(candidate));
	int percent = longer ? d * 100 / longer : 0;

	if (d > HINT_MAX || percent > HINT_PERCENT || (n->best && percent >= n->percent))
		return;
	n->best = candidate;
	n->percent = percent;
}
