/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop: the end of a daemon: asked for by its FIFO (life.h), and by SIGKILL if
 * it does not hear. For that its process is known by number, start time, boot
 * and PID namespace together, so that no other is ever signalled. Called by
 * attach.c.
 */
#ifndef PLUGIN_ATTACH_STOP_H
#define PLUGIN_ATTACH_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define STOP_BOOT_ID_LEN	36
#define STOP_TERM_MS		2000	/* patience after the order */
#define STOP_KILL_MS		2000	/* and after SIGKILL */
#define STOP_CHILDREN_MAX	8	/* engine and nsagent, with room */

struct stop_id {
	int32_t pid;
	uint64_t start_time;		/* field 22 of /proc/<pid>/stat */
	uint64_t pid_ns;		/* inode of the PID namespace the number is of */
	char boot_id[STOP_BOOT_ID_LEN + 1];
};

/* This boot's id into buf; returns 0 or -errno. */
int stop_boot_id(char buf[STOP_BOOT_ID_LEN + 1]);

/* Start time of a process that runs (a zombie does not), or 0. */
uint64_t stop_start_time(int32_t pid);

/* Inode of our own PID namespace, 0 if it cannot be had. */
uint64_t stop_pid_ns(void);

/* Whether the number is a process's of ours to know, and still that one's. */
bool stop_is(const struct stop_id *id);

/*
 * Ends the daemon of folder dir and waits until all it made is gone. id: its
 * process, or NULL if it is not known; then it can only be asked. Nothing to
 * do where none runs. Returns 0, or -1 with *e.
 */
int stop_daemon(int dir, const struct stop_id *id, struct err *e);

#endif
