/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route: the pure decision where a conversation of the container goes. Every
 * rule about what the container may reach stands here and nowhere else. */
#ifndef FLOW_ROUTE_H
#define FLOW_ROUTE_H

#include "conf/netcfg.h"
#include "conf/resolv.h"

enum route_verdict {
	ROUTE_OK,
	ROUTE_MARTIAN,		/* an address that may not be a destination: loopback,
				 * unspecified, the container's own */
	ROUTE_MULTICAST,	/* multicast or broadcast: for datagrams only */
	ROUTE_NONE,		/* family switched off, or no way outside */
	ROUTE_PROHIBITED,	/* a cloud's metadata service, unless "metadata" allows it */
	ROUTE_LOCAL,		/* our own, as a router's: answered here, never sent on */
};

struct route_target {
	struct addr addr;	/* where the host socket connects */
	uint32_t scope;		/* interface index for IPv6 link-local and groups, else 0 */
	bool to_host;		/* by hostAddress or hostLoopback */
};

/*
 * Where a packet of the container for dst goes (port: 0 for echo). Never lets it reach the
 * host's loopback, except by an address of hostLoopback: connect() to 0.0.0.0
 * or :: would, so these are martians.
 * *ret is set on ROUTE_OK, and on ROUTE_MULTICAST, where a scope of 0 means that it
 * stays in the container: there is no outer interface of that family, or the
 * group's scope is the interface (RFC 4291, 2.7). Every broadcast leaves as the
 * limited one, since the container's networks need not be the outer interface's.
 * Our own (RFC 1812, 5.2.3) are the DNS forwarder's addresses, at all ports that
 * route_is_dns() has not taken before; a gateway that was made up for want of the host's; and
 * the link-local address of our MAC, the sender of advertisements and of hops. The host's
 * own router stays outside, whatever else has its address.
 */
enum route_verdict route_outbound(const struct conf *conf, const struct netcfg *net,
				  const struct addr *dst, uint16_t port,
				  struct route_target *ret);

/* Whether dst is an address of our own, ROUTE_LOCAL. */
bool route_is_local(const struct conf *conf, const struct netcfg *net, const struct addr *dst);

/*
 * Whether that is the DNS forwarder, at port 53 or 853 (DNS over TLS). It leads to the
 * host's resolvers wherever they are, on its loopback too, and to nothing else there.
 * Where no address was given to it, an address that leads to the host's loopback and is
 * at the same time one of the host's resolvers is it: the gateway of most homes.
 */
bool route_is_dns(const struct conf *conf, const struct netcfg *net,
		  const struct resolvers *resolvers, const struct addr *dst, uint16_t port);

/* The address of a family by which the container finds the host, or us, where their
 * own would not lead there: hostAddress, else the gateway. False: it has neither. */
bool route_stand_in(const struct conf *conf, const struct netcfg *net, bool v4, struct addr *ret);

#endif
