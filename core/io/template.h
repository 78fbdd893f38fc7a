/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * template: what the outer namespace has, one family at a time, and the pure
 * decision of what the container gets from it. netlink.c fills the first and
 * asks for the second. No system call, so that every mixture can be tested.
 */
#ifndef IO_TEMPLATE_H
#define IO_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/netcfg.h"

/* The interface of a family's default route. found false: there is none. */
struct template {
	bool found;
	char ifname[CONF_IFNAME_MAX + 1];
	uint32_t ifindex;
	uint32_t mtu;
	struct addr gateway;			/* ADDR_ANY: the default route is on-link */
	uint32_t metric;			/* of the default route */
	uint32_t naddresses;			/* global, usable; the primary one first */
	struct prefix addresses[CONF_ADDRS_MAX];
	uint32_t nroutes;			/* without default and connected ones */
	struct route routes[CONF_ROUTES_MAX];
};

/*
 * Fills *net from the configuration and the two templates:
 * - addresses: the given ones, and after them with "host" the template's;
 * - a family without any address is left out whole, with a note in the log;
 * - gateway: the given one; else the template's if an address's prefix holds
 *   it; else 169.254.1.1 or fe80::1 as an on-link gateway. With the template's
 *   own addresses always the template's, and none if it has none;
 * - routes: the given ones, or else the template's. The default route by the
 *   gateway (on-link without one), unless routes were given and no gateway;
 * - hostAddress: an on-link route to it where the family has no default route;
 * - host4, host6: the templates' primary addresses;
 * - name servers: those of the configuration that are in reach as they stand;
 * - MTU: given, or the least of the templates', or 1500.
 * 0, or -1 with *e (ERR_HOSTNET) if no family is left.
 */
int template_apply(const struct conf *c, const struct template *t4,
		   const struct template *t6, struct netcfg *net, struct err *e);

#endif
