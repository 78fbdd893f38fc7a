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
#include "conf/private.h"

/* The interface of a family's default route; without one, the first that has an
 * address. found false: there is neither. */
struct template {
	bool found;
	bool has_default;
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
 * - addresses: the given ones; else with "host" the template's, with "private" the
 *   container's own (conf/private.h);
 * - a family without any address is left out whole, with a note in the log; but a
 *   host without any in both families gives private ones, so that the container is
 *   ready when the host gets a network;
 * - gateway: the given one; else the template's if an address's prefix holds
 *   it; else 169.254.1.1 or fe80::1 as an on-link gateway. With the template's
 *   own addresses always the template's, and none if its default route has none;
 * - routes: the given ones, or else the template's. The default route by the
 *   gateway (on-link without one), unless routes were given and no gateway;
 * - hostAddress, hostLoopback: an on-link route to each where the family has no default route;
 * - host4, host6: the templates' primary addresses;
 * - name servers: those of the configuration that are in reach as they stand;
 * - MTU: given, or the least of the templates', or 1500.
 *
 * before: what the attachment is already, or NULL at its start. Then private addresses
 * stay what they are, and a host that lost all of its addresses takes nothing from the
 * container: it keeps what it has, without an outer interface, until there are others.
 * Nothing is said in the log: the start did.
 */
void template_apply(const struct conf *c, const struct template *t4, const struct template *t6,
		    const struct occupied *occ, const struct netcfg *before, struct netcfg *net);

#endif
