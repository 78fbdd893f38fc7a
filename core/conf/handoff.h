/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handoff: what passes between a front end and the core it starts.
 *
 * The front end execs the core with the descriptors below and no other, 0-2 on
 * /dev/null, in a session of its own. The core answers one struct ready. With
 * status 0 the network works; the front end then writes the state file, sends
 * HANDOFF_COMMIT and goes. With conf.ipv4_late it asks for IPv4 by HANDOFF_CONFIGURE
 * before, which another struct ready answers: programs outside may have used the
 * interface meanwhile. A broker (plugin/attach/via.h) may do the exec in the front
 * end's place; all else stays between the two of them. If the socket closes before
 * the commit, the front end died: the core undoes everything and exits.
 */
#ifndef CONF_HANDOFF_H
#define CONF_HANDOFF_H

#include "conf/netcfg.h"

enum handoff_fd {
	HANDOFF_FD_CONF = 3,	/* sealed memfd, conf/encode.h */
	HANDOFF_FD_FRONT = 4,	/* SOCK_SEQPACKET to the front end */
	HANDOFF_FD_NETNS = 5,	/* the container's network namespace, O_RDONLY; or, ... */
	HANDOFF_FD_SOCKET = HANDOFF_FD_NETNS,	/* ... with conf.guest: a socket, listening or connected */
	HANDOFF_FD_STATE = 6,	/* O_PATH|O_DIRECTORY: this attachment's state folder */
	HANDOFF_FD_LIFE = 7,	/* O_RDWR: the FIFO HANDOFF_LIFE_NAME in the state folder */
	HANDOFF_FD_OWNER = 8,	/* pidfd of conf.owner_pid; only if owner_pid != 0 */
	HANDOFF_FD_PLACE = 9,	/* O_PATH|O_DIRECTORY: where conf.netns_path is to be looked for, by
				 * its last name; only where the path means nothing to the core */
	HANDOFF_FD_END = 10
};

/*
 * The daemon's sign of life, and the way to it that needs no process number
 * (which means nothing in another PID namespace): a FIFO whose one reader it
 * is, from before it is started until all it made is gone. So opening it for
 * writing without a wait fails with ENXIO where there is no daemon, and a
 * writer polls POLLERR when the daemon ends. Bytes written to it are orders.
 */
#define HANDOFF_LIFE_NAME	"life"

enum handoff_order {
	HANDOFF_ORDER_END = 'E',	/* end the attachment */
	HANDOFF_ORDER_LOOK = '?',	/* nothing: that it is read shows a loop that turns */
};

#define HANDOFF_WORD		"--attach"	/* the core's one argument */
/*
 * Two other words ask a question and make nothing that stays. The core answers
 * one struct ready, of which only err counts, and ends.
 *   check   is the interface in HANDOFF_FD_NETNS as the configuration has it
 *           (netlink_check())?
 *   status  could an attachment of this configuration be made? No netns, state
 *           folder or owner comes with it.
 */
#define HANDOFF_WORD_CHECK	"--check"
#define HANDOFF_WORD_STATUS	"--status"
#define HANDOFF_MAGIC		0x43504e34u	/* "CPN4": changes with struct ready */
#define HANDOFF_CONFIGURE	'A'
#define HANDOFF_COMMIT		'C'
#define HANDOFF_TIMEOUT_MS	10000		/* front end's patience for struct ready */

/* What the daemon writes into the state folder, atomically, when it followed the host:
 * what the network is since then, in place of what struct ready and state.json say. */
#define HANDOFF_NET_NAME	"network"

struct handoff_net {
	uint32_t magic;			/* HANDOFF_MAGIC */
	uint32_t pad;
	struct netcfg net;
};

struct ready {
	uint32_t magic;
	uint32_t pid;			/* main's, in the front end's PID namespace if it is the same */
	uint64_t start_time;		/* field 22 of /proc/<pid>/stat, clock ticks */
	struct err err;			/* err.code 0: the network works */
	struct netcfg net;
};

#endif
