/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen: the host's listening sockets of forwarded ports, opened by main. What
 * the kernel refuses is explained to a person: who holds the port, which
 * right or limit is missing.
 */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include <stdbool.h>

#include "base/err.h"
#include "flow/forward.h"

#define LISTEN_SPARE	256u	/* open files that must be left beside the listeners */

/* What is the same for all ports of a rule. */
struct listen_how {
	const char *ifname;	/* only what comes in here; "": anywhere */
	bool ipv4, ipv6;	/* families that the container has; one at least */
	bool udp_gro;		/* UDP_GRO where the kernel has it */
	bool local;		/* UDP on one address of the loopback: no need to be told where
				 * and how a datagram came */
	bool freebind;		/* also an address that the host has not */
	bool reserve;		/* TCP: bound, so that it is nobody else's, but not listening */
};

/*
 * Opens f's listener: non-blocking; f->port 0 becomes the one the kernel picked,
 * f->addr ADDR_ANY becomes 0.0.0.0 where there is no IPv6 to serve. One
 * socket serves both families. 0 with f->sock, or -errno with f->sock -1.
 */
int listen_open(struct forward *f, const struct listen_how *how);

/* A TCP one that is bound starts to listen, or stops and stays bound: clients are refused
 * by the kernel then. 0 or -errno. */
int listen_start(const struct forward *f);
int listen_stop(const struct forward *f);

/* Whether the listener is bound to the interface that has this name now. False also
 * where nobody knows; true where there is no such interface. */
bool listen_on_device(int sock, const char *ifname);

/* Whether n more listeners fit under the limit of open files; else -1 with *e. */
int listen_room(uint32_t n, struct err *e);

/* Fills *e: why f (as given to listen_open) could not be opened; slow, for errors only.
 * Returns -1. */
int listen_explain(const struct forward *f, const struct listen_how *how, int err,
		   struct err *e);

#endif
