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

/* Who has the gateway's address: whether packets to it are for somebody outside. */
enum netcfg_gateway {
	NETCFG_GATEWAY_HOST,	/* the host's own router */
	NETCFG_GATEWAY_GIVEN,	/* the configuration's: perhaps somebody has it outside */
	NETCFG_GATEWAY_OURS,	/* made up: we, nobody else */
	NETCFG_GATEWAY_COUNT
};

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
	uint8_t gateway4_of, gateway6_of;		/* enum netcfg_gateway */
	uint32_t nroutes;				/* all but those the addresses make: */
	struct route routes[CONF_ROUTES_MAX];		/* default ones too; on-link ones first */
	bool configure;					/* false: the container does it by DHCP */
	uint32_t nnameservers;				/* those the container can reach as they */
	struct addr nameservers[CONF_NAMESERVERS_MAX];	/* stand: announced to it */
	/* Where hostAddress leads: the host's own outer address in each family,
	 * ADDR_ANY where it has none. */
	struct addr host4, host6;
};

/* What can differ between two, for who must be told of it and for the log. */
enum netcfg_part {
	NETCFG_ADDRESSES,
	NETCFG_ROUTES,
	NETCFG_GATEWAYS,
	NETCFG_MTU,
	NETCFG_OUTER,		/* the host's interfaces */
	NETCFG_HOST,		/* its own addresses */
	NETCFG_NAMESERVERS,
	NETCFG_PART_COUNT
};

extern const char *const netcfg_part_names[NETCFG_PART_COUNT];	/* "addresses" */

/* The parts that differ, a bit (1 << part) each. */
uint32_t netcfg_diff(const struct netcfg *a, const struct netcfg *b);

/* Whether packets of that family leave the host another way in b than in a: by
 * another interface, or from another address. */
bool netcfg_way_differs(const struct netcfg *a, const struct netcfg *b, bool v4);

/* Whether the container loses its last address of a family from a to b. */
bool netcfg_loses_family(const struct netcfg *a, const struct netcfg *b);

/* Takes IPv4 addresses and routes out: what an interface has that gets them later. */
void netcfg_drop_ipv4(struct netcfg *n);

/* What there is without an interface: the loopback addresses of c's families. */
void netcfg_loopback(const struct conf *c, struct netcfg *ret);

/* Takes all of IPv6 out, for a container that has none. */
void netcfg_strip_ipv6(struct netcfg *n);

/* Whether every field of one that came as bytes may be believed: counts and prefix
 * lengths within bounds, strings terminated, flags 0 or 1. */
bool netcfg_ok(const struct netcfg *n);

bool netcfg_route_eq(const struct route *a, const struct route *b);
bool netcfg_has_prefix(const struct netcfg *n, const struct prefix *p);

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
