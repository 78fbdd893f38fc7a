/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: a process that main forks without exec, speaks to over one socket,
 * and starts again when it dies. A child never outlives main: its parent-death
 * signal is SIGKILL, and its socket reads end of file.
 */
#ifndef MAIN_CHILD_H
#define MAIN_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"

#define CHILD_AT_ONCE		10	/* deaths after which it is started again at once ... */
#define CHILD_FORGET_MS		500	/* ... of which each so long a life lets one be forgotten */
#define CHILD_BACKOFF_MIN_MS	100
#define CHILD_BACKOFF_MAX_MS	5000
#define CHILD_WHY_MAX		120

struct child {
	const char *name;		/* process title and log role: "engine" */
	/* What the forked process does with its end of the socket; its return
	 * value is the exit status. It closes what it inherited and needs not. */
	int (*run)(void *arg, int sock);
	void *arg;

	pid_t pid;			/* 0: not running */
	int sock;			/* main's end, close-on-exec; -1 when not running */
	bool up;			/* it has said that it runs, child_up() */
	char why[CHILD_WHY_MAX];	/* main has killed it; "": it has not */
	uint64_t started_ms;
	uint64_t due_ms;		/* when to start it again; 0: it runs */
	uint64_t debt_ms;		/* life owed for deaths not forgotten yet, see child_died() */
	uint64_t restarts;		/* all of them, for people */
};

/* Forks. 0 or -errno, and then nothing runs. */
int child_start(struct child *c, uint64_t now_ms);

/*
 * Takes notice that the process was reaped with this wait status: closes the
 * socket, logs, and sets due_ms. A death is forgotten after CHILD_FORGET_MS of life:
 * up to CHILD_AT_ONCE of them it is started again at once, for who dies now and then
 * must not cost the container a wait; then after a pause that doubles with each.
 */
void child_died(struct child *c, int status, uint64_t now_ms);

/* Whether it dies faster than that is forgotten, so that there are pauses. */
bool child_is_failing(const struct child *c, uint64_t now_ms);

/* Starts it again if that is due. */
void child_tick(struct child *c, uint64_t now_ms);

/* Milliseconds until child_tick has work, -1: none. */
int child_wait_ms(const struct child *c, uint64_t now_ms);

/* It said that it runs: one that was started again is told of in the log. */
void child_up(struct child *c);

/* Kills it; its death comes back as SIGCHLD, and the line about that says why, so that nobody
 * takes it for somebody else's kill -9. */
void child_kill(struct child *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* It closed its socket (-EPIPE), said what is not its turn (-EBADMSG), or cannot be spoken to
 * (-errno): it is of no more use, and killed. */
void child_give_up(struct child *c, int err);

/* The CPU time it has used, in microseconds; 0 if it does not run. */
uint64_t child_cpu_us(const struct child *c);

/* Kills and reaps it, if it runs. Returns its wait status, 0 if none ran. */
int child_end(struct child *c);

/* Asks for SIGKILL at the parent's death and ends the process if that has been
 * already. Again after a change of credentials, which undoes it. */
void child_bind(pid_t parent);

/* "killed by signal 11 (Segmentation fault)", "exited with status 1". */
void child_describe(int status, char *buf, size_t size);

#endif
