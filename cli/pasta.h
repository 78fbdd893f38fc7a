/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pasta: what the command line asks for, done: the namespace found or made, the
 * attachment by plugin/attach as any front end makes one, and then either gone
 * (the daemon stays) or waiting (for a command, or in the foreground).
 */
#ifndef CLI_PASTA_H
#define CLI_PASTA_H

#include "cli/options.h"

/* Returns the exit status: the command's, 0, or 1 with *e set. */
int pasta_run(struct options *o, struct err *e);

#endif
