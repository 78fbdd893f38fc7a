/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netcfg: what an attachment became: the configuration with "host" and every
 * default replaced by what the outer namespace has. main computes it, nsagent
 * configures the container with it, the engine translates by it, the front
 * end makes the CNI result of it. Values only, fixed size.
 */
#ifndef CONF_NETCFG_H
#define CONF_NETCFG_H

#include "conf/conf.h"

struct netcfg {
	char ifname[CONF_IFNAME_MAX + 1];
	char outer_ifname4[CONF_IFNAME_MAX + 1];	/* template; empty: none */
	char outer_ifname6[CONF_IFNAME_MAX + 1];
	uint32_t outer_ifindex4, outer_ifindex6;
	struct mac mac, gw_mac;
	uint32_t mtu;
	uint32_t naddresses;
	struct prefix addresses[CONF_ADDRS_MAX];
	struct addr gateway4, gateway6;			/* ADDR_ANY: none */
	uint32_t nroutes;				/* all but those the addresses make: */
	struct route routes[CONF_ROUTES_MAX];		/* default ones too; on-link ones first */
	bool configure;					/* false: the container does it by DHCP */
	uint32_t nnameservers;				/* those the container can reach as they */
	struct addr nameservers[CONF_NAMESERVERS_MAX];	/* stand: announced to it */
	/* Where hostAddress leads: the host's own outer address in each family,
	 * ADDR_ANY where it has none. */
	struct addr host4, host6;
};

/* Whether a is one of the container's own addresses. */
static inline bool netcfg_has_address(const struct netcfg *n, const struct addr *a)
{
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (addr_eq(&n->addresses[i].addr, a))
			return true;
	return false;
}

/* The first of the container's addresses of that family, or NULL. */
static inline const struct prefix *netcfg_primary(const struct netcfg *n, bool v4)
{
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (addr_is4(&n->addresses[i].addr) == v4)
			return &n->addresses[i];
	return NULL;
}

#endif
