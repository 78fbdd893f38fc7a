/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostwatch: the kernel's word (rtnetlink(7)) that something of this network namespace
 * changed. What it says is never read: who hears it reads all that counts anew. So a
 * flood costs the one who watches nothing: the first message wakes it, the others,
 * and what did not fit, go with the socket.
 *
 * The kernel leaves out what cannot matter (a socket filter): routes of other tables
 * than main, those that come with addresses, and all but the default route of those that
 * routing daemons keep: a router's table changes all the time.
 */
#ifndef IO_HOSTWATCH_H
#define IO_HOSTWATCH_H

/* A descriptor that is readable from the next change on, or -errno. */
int hostwatch_open(void);

#endif
