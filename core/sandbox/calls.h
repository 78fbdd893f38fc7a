/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls: the one table of the system calls a sealed process may make, and with
 * what arguments. A row says who, for which file's sake and why; what no row has
 * ends the process (filter.h). A call of several rows may be made in the shape of
 * any of them. How to add one: ARCHITECTURE.md, "Sealed processes".
 */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define CALLS_CHECKS	3

/* Who may; bits of struct call.who. */
#define CALLS_ENGINE	1u
#define CALLS_NSAGENT	2u

/* What an argument must be: (argument & mask) == value. Only what the kernel reads is
 * compared: the upper half of an int's register is anybody's. */
struct call_check {
	uint64_t mask;		/* 0: no check */
	uint64_t value;
	uint8_t arg;
	bool own_pid;		/* value is the process's number, known when it is sealed */
};

struct call {
	const char *name;	/* one that this machine's kernel does not have is passed over */
	uint32_t who;
	bool refused;		/* not done, but answered with ... */
	uint16_t error;		/* ... this errno; 0: as if it had been done */
	struct call_check check[CALLS_CHECKS];
	const char *where;	/* the file that needs it, "libc" */
	const char *why;
};

/* The table; *n rows. */
const struct call *calls_table(size_t *n);

#endif
