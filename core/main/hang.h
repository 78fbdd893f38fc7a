/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hang: notices an engine that loops for ever. The kernel is asked for a signal each time
 * the engine has used HANG_LOOK_MS of CPU time (a timer on its process clock, timer_create(2));
 * main then looks whether a turn of the engine's loop has ended since (counters.turns). Who has
 * used HANG_MS within one turn is killed. Nothing here is about wall time: an engine that waits
 * for a CPU, or is stopped, uses none, and is left alone; while it is idle nobody wakes.
 */
#ifndef MAIN_HANG_H
#define MAIN_HANG_H

#include <signal.h>
#include <time.h>

#include "main/child.h"

#define HANG_SIGNAL	SIGALRM	/* taken by signalfd, sent by the timer */
#define HANG_LOOK_MS	1000	/* of the engine's CPU time, between two looks */
#define HANG_MS		4000	/* ... within one turn: generous, since budgets bound what a
				 * turn does for each flow */

struct hang {
	timer_t timer;
	bool armed;
	bool said;		/* that there is no such timer here */
	pid_t pid;		/* whom it is about ... */
	uint64_t restarts;	/* ... and which of that number */
	uint64_t turns;		/* as of the last look that found another number ... */
	uint64_t used_us;	/* ... and its CPU time then */
};

#define HANG_INIT ((struct hang){ .armed = false })

/* To be called when the engine may be another one; turns: its counter. Where the kernel has
 * no such timer, that is logged once (debug), and nobody looks. */
void hang_follow(struct hang *h, const struct child *engine, uint64_t turns);

/* To be called when HANG_SIGNAL came: kills an engine that does not get on. */
void hang_look(struct hang *h, struct child *engine, uint64_t turns);

/* Its judgement: the microseconds of CPU time that the turn under way has taken at least. */
uint64_t hang_stuck_us(struct hang *h, uint64_t turns, uint64_t used_us);

void hang_close(struct hang *h);

#endif
