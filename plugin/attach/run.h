/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run: another program run to its end, with a text on its standard input and
 * its standard output taken: bounded in bytes and in time, its process group
 * killed when it is over either. Knows nothing of what the program is.
 * Called by ipam.c.
 */
#ifndef PLUGIN_ATTACH_RUN_H
#define PLUGIN_ATTACH_RUN_H

#include <stddef.h>

#include "base/err.h"

#define RUN_EXEC_FAILED	127	/* exit status where the file is no program, as shells say it */

struct run {
	const char *path;
	char *const *env;		/* "KEY=value" over our own environment; NULL ends it */
	const char *input;
	size_t input_len;
	size_t output_max;		/* bytes */
	int timeout_ms;
	int stop_fd;			/* signalfd of who may interrupt, or -1 */
};

struct run_result {
	int status;			/* as waitpid(2) gives it */
	char *output;			/* NUL-terminated; memory to free */
	size_t output_len;
};

/*
 * Its standard error is ours. A child of it that keeps standard output open
 * does not keep us. 0 if it ended by itself, whatever its status; else -1 with
 * *e (ERR_IO, ERR_AGAIN), nothing of it running, and *ret empty.
 */
int run_program(const struct run *r, struct run_result *ret, struct err *e);

#endif
