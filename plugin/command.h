/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command: what a verb for people is called with, and what they have in common. */
#ifndef PLUGIN_COMMAND_H
#define PLUGIN_COMMAND_H

#include <json-c/json.h>

#include "base/err.h"
#include "plugin/attach/find.h"

#define COMMAND_WATCH_MS	1000	/* between two looks of --watch */

struct command {
	const char *verb;
	int nwords;			/* what follows it */
	char **words;
	bool json, watch, prometheus;
	const char *port, *address, *proto, *state, *path, *sort;	/* NULL: not given */
	const char *write, *count, *size, *snap, *direction;	/* the same */
	const char *netns;		/* as a path, of --pid too; NULL: not given */
	bool usage;			/* the error is the caller's wrong use */
	struct err *err;
};

/* Each prints by itself. 0, or -1 with *c->err. */
int list_command(struct command *c);
int show_command(struct command *c);
int stats_command(struct command *c);
int prometheus_command(struct command *c);
int flows_command(struct command *c);
int capture_command(struct command *c);
int doctor_command(struct command *c);

/* *c->err becomes "VERB: what"; returns -1. */
int command_misuse(struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The attachment that the one word names. 0, or -1. */
int command_find(struct command *c, struct found *ret);

/* Prints o, without what belongs to the protocol alone, and puts it: on one line where
 * many follow each other. 0, or -1. */
int command_print(struct command *c, struct json_object *o);

/* What was printed has left. 0, or -1. */
int command_flush(struct command *c);

/* Before the next look of --watch, `from` being when the last began (clock_ms()). */
void command_pause(int64_t from);
/* A terminal shows the next look in place of the last; elsewhere an empty line is between. */
void command_fresh(bool first);

uint64_t command_number(struct json_object *o, const char *key);

#endif
