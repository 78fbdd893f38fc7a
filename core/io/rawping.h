/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rawping: echo by one raw ICMP socket a family, where net.ipv4.ping_group_range
 * forbids ping sockets and the caller may make raw ones. All echo flows share it: each
 * has an identifier of its own there, and what comes in goes to the flow by it.
 */
#ifndef IO_RAWPING_H
#define IO_RAWPING_H

#include "proto/port.h"

#define RAWPING_IDS	65536u

struct rawping {
	int fd[2];		/* IPv4, IPv6; -1: none */
	bool df[2];		/* what each is set to */
	bool refused;		/* the last datagram was too large, and this not yet told */
	uint32_t *flows;	/* RAWPING_IDS: index of the flow with that identifier + 1; 0: free */
};

/*
 * A socket that gets echo replies and errors about echo requests, and nothing else.
 * Main opens it before the engine gives its rights up. -1 where ping sockets are
 * allowed, so that it is not needed, or where there is no right to it.
 */
int rawping_open(bool v4);

/* In the engine: watches fd[], which stay the caller's. 0 or -errno. */
int rawping_use(struct ctx *c, const int fd[2]);

/* port_open(), port_close(), port_dgram_send() and port_errqueue() of an echo flow
 * without a ping socket. The queue has the host's own refusals only. */
int rawping_take(struct ctx *c, struct flow *f);
void rawping_give(struct ctx *c, struct flow *f);
int rawping_send(struct ctx *c, struct flow *f, const struct port_dgram *d);
int rawping_refusal(struct ctx *c, struct flow *f, struct port_err *ret);

/* Replies and errors that came, each to its flow. */
void rawping_readable(struct ctx *c, bool v4);

#endif
