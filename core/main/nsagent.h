/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsagent: the one process inside the container's namespaces. Answers a table
 * of fixed-size requests from main, mostly by passing descriptors; sees no
 * frame, opens no file but /dev/net/tun and sysctls of its interface.
 */
#ifndef MAIN_NSAGENT_H
#define MAIN_NSAGENT_H

#include <stdbool.h>
#include <stdint.h>

struct nsagent_args {
	int main_fd;		/* SOCK_SEQPACKET to main; end of file: exit */
	int netns_fd;		/* the container's; closed once inside */
	bool restarted;		/* the interface is there: no set-up, and no waiting if
				 * the way in is closed */
	uint32_t ifindex;	/* the interface's, then */
};

/* Called in the forked child, which main_fd's other end is the parent of.
 * When main_fd closes it deletes the interface. Returns the exit status. */
int nsagent_main(const struct nsagent_args *args);

#endif
