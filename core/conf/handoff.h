/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handoff: what passes between a front end and the core it starts.
 *
 * The front end execs the core with the descriptors below and no other, 0-2 on
 * /dev/null, in a session of its own. The core answers one struct ready. With
 * status 0 the network works; the front end then writes the state file, sends
 * HANDOFF_COMMIT and goes. If the socket closes before the commit, the front
 * end died: the core undoes everything and exits.
 */
#ifndef CONF_HANDOFF_H
#define CONF_HANDOFF_H

#include "conf/netcfg.h"

enum handoff_fd {
	HANDOFF_FD_CONF = 3,	/* sealed memfd, conf/encode.h */
	HANDOFF_FD_FRONT = 4,	/* SOCK_SEQPACKET to the front end */
	HANDOFF_FD_NETNS = 5,	/* the container's network namespace, O_RDONLY */
	HANDOFF_FD_STATE = 6,	/* O_PATH|O_DIRECTORY: this attachment's state folder */
	HANDOFF_FD_OWNER = 7,	/* pidfd of conf.owner_pid; only if owner_pid != 0 */
	HANDOFF_FD_END = 8
};

#define HANDOFF_WORD		"--attach"	/* the core's one argument */
#define HANDOFF_MAGIC		0x43504e32u	/* "CPN2": changes with struct ready */
#define HANDOFF_COMMIT		'C'
#define HANDOFF_TIMEOUT_MS	10000		/* front end's patience for struct ready */

struct ready {
	uint32_t magic;
	uint32_t pid;			/* main's, in the front end's PID namespace if it is the same */
	uint64_t start_time;		/* field 22 of /proc/<pid>/stat, clock ticks */
	struct err err;			/* err.code 0: the network works */
	struct netcfg net;
};

#endif
