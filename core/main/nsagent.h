/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsagent: the one process inside the container's namespaces. Answers a table
 * of fixed-size requests from main, mostly by passing descriptors; sees no
 * frame, opens no file but /dev/net/tun, sysctls, and the kernel's count of sockets, and
 * none once it is set up.
 */
#ifndef MAIN_NSAGENT_H
#define MAIN_NSAGENT_H

#include <stdint.h>

#include "conf/conf.h"
#include "sandbox/sandbox.h"

#define NSAGENT_LOOK_MS	200	/* between two looks at the ports: noticed within 250 ms */

struct nsagent_args {
	int main_fd;		/* SOCK_SEQPACKET to main; end of file: exit */
	int netns_fd;		/* the container's; closed once inside */
	bool no_tap;		/* ifindex is the loopback's */
	uint32_t ifindex;	/* not 0: a restart, the interface is there: no set-up, and
				 * no waiting if the way in is closed */
	bool watch[CONF_PROTO_COUNT];	/* tell main which ports are listened on */
	bool udp_with_tcp;	/* what TCP is listened on counts for UDP too */
	struct sandbox_who who;
	int32_t *forbidden;	/* shared with main: the system call it died of */
};

/* Called in the forked child, which main_fd's other end is the parent of.
 * When main_fd closes it deletes the interface. Returns the exit status. */
int nsagent_main(const struct nsagent_args *args);

#endif
