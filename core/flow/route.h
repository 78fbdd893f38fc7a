/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route: the pure decision where a conversation of the container goes. Every
 * rule about what the container may reach stands here and nowhere else. */
#ifndef FLOW_ROUTE_H
#define FLOW_ROUTE_H

#include "conf/netcfg.h"

enum route_verdict {
	ROUTE_OK,
	ROUTE_MARTIAN,		/* an address that may not be a destination: loopback,
				 * unspecified, the container's own */
	ROUTE_MULTICAST,	/* multicast or broadcast */
	ROUTE_NONE,		/* family switched off, or no way outside */
};

struct route_target {
	struct addr addr;	/* where the host socket connects */
	uint32_t scope;		/* interface index for IPv6 link-local, else 0 */
	bool to_host;		/* by hostAddress or hostLoopback */
};

/*
 * Where a packet of the container for dst goes. Never lets it reach the
 * host's loopback, except by an address of hostLoopback: connect() to 0.0.0.0
 * or :: would, so these are martians.
 * *ret is set on ROUTE_OK only.
 */
enum route_verdict route_outbound(const struct conf *conf, const struct netcfg *net,
				  const struct addr *dst, struct route_target *ret);

#endif
