/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop: whether a daemon written in a state file still runs, and its end. A
 * process is known by number, start time and boot together, so that a recycled
 * number is never signalled. Called by attach.c.
 */
#ifndef PLUGIN_ATTACH_STOP_H
#define PLUGIN_ATTACH_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define STOP_BOOT_ID_LEN	36
#define STOP_TERM_MS		2000	/* patience after SIGTERM */
#define STOP_KILL_MS		2000	/* and after SIGKILL */
#define STOP_CHILDREN_MAX	8	/* engine and nsagent, with room */

struct stop_id {
	int32_t pid;
	uint64_t start_time;		/* field 22 of /proc/<pid>/stat */
	char boot_id[STOP_BOOT_ID_LEN + 1];
};

/* This boot's id into buf; returns 0 or -errno. */
int stop_boot_id(char buf[STOP_BOOT_ID_LEN + 1]);

/* Start time of a process that runs (a zombie does not), or 0. */
uint64_t stop_start_time(int32_t pid);

bool stop_alive(const struct stop_id *id);

/* Ends the daemon and waits until it and its children are gone: SIGTERM, then
 * SIGKILL. Nothing to do if it does not run. Returns 0, or -1 with *e. */
int stop_daemon(const struct stop_id *id, struct err *e);

#endif
