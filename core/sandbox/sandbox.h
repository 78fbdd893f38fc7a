/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox: named stages of giving rights up, one for each process. A stage is
 * entered once, cannot be left, and is checked afterwards: one that did not
 * take effect is a failed start, never a warning. Called by main/ only.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Main, before it reads what the front end handed over. Kept: the caller's
 * user, namespaces and capabilities (nsagent's way into the container, sockets
 * that forwards listen on). Given up: gaining rights by exec, core files (they
 * would hold other people's traffic), being read by other processes of the
 * user. Also raises the soft limit of open files to the hard one: a flow is a
 * descriptor. 0, or -1 with *e.
 */
int sandbox_main(struct err *e);

/* Who engine and nsagent are to be, and whether all of it must be had (key sandbox). */
struct sandbox_who {
	uint32_t uid, gid;	/* of a caller that is root; 0: it stays root */
	bool strict;
};

/*
 * Engine, in the forked child. Kept: the outer network namespace, where its
 * sockets must be, and the descriptors it was given (also a raw ICMP socket a family,
 * where io/rawping.h has one). Given up: every capability in every set, all files, System V IPC (namespaces
 * of its own, alone.h), being root. It is not, and cannot get, in the container's namespaces.
 * The parent-death signal may be lost. 0, then *lack may hold what could not be
 * had; or -1 with *e.
 */
int sandbox_engine(const struct sandbox_who *who, struct err *lack, struct err *e);

/*
 * Nsagent, after ns_enter(). Kept: CAP_NET_ADMIN (make and configure the
 * interface), CAP_NET_BIND_SERVICE (sockets on ports below 1024), and what
 * sandbox_settle() needs to give up the rest; all worth something only in the
 * container's user namespace. 0, or -1 with *e.
 */
int sandbox_nsagent(struct err *e);

/*
 * Nsagent, set up. Kept: CAP_NET_ADMIN and CAP_NET_BIND_SERVICE. Given up: every
 * other capability, all files and System V IPC, being root. As sandbox_engine().
 */
int sandbox_settle(const struct sandbox_who *who, struct err *lack, struct err *e);

/*
 * The last stage of either, when all is open and all memory reserved: from here on it
 * makes the system calls of the table in calls.c and no others; another one is its
 * end by SIGSYS, and *seen, in memory shared with main, the call's number. 0, or -1
 * with *e: the kernel has no such filters, or the build sanitizers, and nothing changed.
 */
int sandbox_seal_engine(volatile int32_t *seen, struct err *e);
int sandbox_seal_nsagent(volatile int32_t *seen, struct err *e);

/* The name of a system call, for the log. */
void sandbox_call_name(int32_t number, char *buf, size_t size);

#endif
