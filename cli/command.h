/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command: a program in user, network, mount, PID, IPC and UTS namespaces of its own,
 * where the caller is root. Owns the first process in there: it waits until the
 * network works, starts the program, reaps, passes signals on, and ends with it, and with it
 * everything else in the namespaces. What a terminal sends goes to the program by
 * itself: it stays in the caller's process group. Called by pasta.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <sys/types.h>

#include "base/err.h"

struct command {
	pid_t pid;		/* the first process, 0: none */
	int go;			/* a byte into it starts the program */
};

#define COMMAND_INIT ((struct command){ .go = -1 })

/* The signals of which command_wait() hears; to be blocked before anything is started. */
void command_signals(sigset_t *ret);

/* Makes the namespaces; without `pidns` the processes stay in the caller's, and only the
 * first one ends with us. argv: the program and its arguments, NULL: $SHELL, or /bin/sh.
 * 0, or -1 with *e and nothing is left. */
int command_start(struct command *c, char *const argv[], bool pidns, struct err *e);

/* The program runs from here. */
void command_go(struct command *c);

/* Passes signals on until it ends. Returns its exit status, 128 and the signal's
 * number if one killed it. */
int command_wait(struct command *c);

/* Kills it with all that is in the namespaces, and reaps it. */
void command_end(struct command *c);

#endif
