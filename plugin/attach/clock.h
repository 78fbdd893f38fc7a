/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: the front end's waits are measured with this. */
#ifndef PLUGIN_ATTACH_CLOCK_H
#define PLUGIN_ATTACH_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of the monotonic clock. */
static inline int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
