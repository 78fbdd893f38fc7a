/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passt: what differs where the command line is passt's: a socket that a virtual
 * machine's qemu connects to in the place of a namespace. pasta.c does the rest, and calls
 * this.
 */
#ifndef CLI_PASST_H
#define CLI_PASST_H

#include "cli/options.h"
#include "conf/netcfg.h"

#define PASST_IFNAME	"vm0"	/* of the attachment: the guest names its interface itself */
#define PASST_PATHS	64	/* without --socket: the first of /tmp/passt_N.socket that is free */

/* The values that hold before any option is read. */
void passt_defaults(struct options *o);

/*
 * The listening socket, its file this user's alone, or the connected one of --fd: a
 * descriptor, or -1 with *e. Sets conf.socket_path. A file that nobody listens at any
 * more makes way, one with a listener does not.
 */
int passt_open_socket(struct options *o, struct err *e);

/* Removes what passt_open_socket() made; the daemon does so later. */
void passt_undo(const struct options *o);

/* Where to connect, as a person and as qemu wants to know it; what the guest will have. */
void passt_tell(const struct options *o, const struct netcfg *net);

#endif
