/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/netcfg.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

const char *const netcfg_part_names[] = {
	[NETCFG_ADDRESSES] = "addresses",
	[NETCFG_ROUTES] = "routes",
	[NETCFG_GATEWAYS] = "gateways",
	[NETCFG_MTU] = "mtu",
	[NETCFG_OUTER] = "interface",
	[NETCFG_HOST] = "host",
	[NETCFG_NAMESERVERS] = "nameservers",
};
static_assert(ARRAY_LEN(netcfg_part_names) == NETCFG_PART_COUNT, "one name a part");

/* --- comparing ------------------------------------------------------------- */

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_eq(&a->addr, &b->addr);
}

bool netcfg_route_eq(const struct route *a, const struct route *b)
{
	return same_prefix(&a->dst, &b->dst) && addr_eq(&a->gw, &b->gw) &&
	       a->metric == b->metric && a->onlink == b->onlink;
}

bool netcfg_has_prefix(const struct netcfg *n, const struct prefix *p)
{
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (same_prefix(&n->addresses[i], p))
			return true;
	return false;
}

/* In this order: the first address of a family is its source. */
static bool same_addresses(const struct netcfg *a, const struct netcfg *b)
{
	bool same = a->naddresses == b->naddresses;

	for (uint32_t i = 0; same && i < a->naddresses; i++)
		same = same_prefix(&a->addresses[i], &b->addresses[i]);
	return same;
}

static bool has_route(const struct netcfg *n, const struct route *r)
{
	for (uint32_t i = 0; i < n->nroutes; i++)
		if (netcfg_route_eq(&n->routes[i], r))
			return true;
	return false;
}

/* In any order: that in which the kernel lists them changes by itself. */
static bool same_routes(const struct netcfg *a, const struct netcfg *b)
{
	bool same = a->nroutes == b->nroutes;

	for (uint32_t i = 0; same && i < a->nroutes; i++)
		same = has_route(b, &a->routes[i]);
	return same;
}

static bool same_nameservers(const struct netcfg *a, const struct netcfg *b)
{
	bool same = a->nnameservers == b->nnameservers;

	for (uint32_t i = 0; same && i < a->nnameservers; i++)
		same = addr_eq(&a->nameservers[i], &b->nameservers[i]);
	return same;
}

static bool same_outer(const struct netcfg *a, const struct netcfg *b)
{
	return a->outer_ifindex4 == b->outer_ifindex4 && a->outer_ifindex6 == b->outer_ifindex6 &&
	       strcmp(a->outer_ifname4, b->outer_ifname4) == 0 &&
	       strcmp(a->outer_ifname6, b->outer_ifname6) == 0;
}

uint32_t netcfg_diff(const struct netcfg *a, const struct netcfg *b)
{
	const bool same[] = {
		[NETCFG_ADDRESSES] = same_addresses(a, b),
		[NETCFG_ROUTES] = same_routes(a, b),
		[NETCFG_GATEWAYS] = addr_eq(&a->gateway4, &b->gateway4) &&
				    addr_eq(&a->gateway6, &b->gateway6) &&
				    a->gateway4_of == b->gateway4_of &&
				    a->gateway6_of == b->gateway6_of,
		[NETCFG_MTU] = a->mtu == b->mtu,
		[NETCFG_OUTER] = same_outer(a, b),
		[NETCFG_HOST] = addr_eq(&a->host4, &b->host4) && addr_eq(&a->host6, &b->host6),
		[NETCFG_NAMESERVERS] = same_nameservers(a, b),
	};
	uint32_t diff = 0;

	static_assert(ARRAY_LEN(same) == NETCFG_PART_COUNT, "every part is compared");
	for (uint32_t i = 0; i < ARRAY_LEN(same); i++)
		diff |= same[i] ? 0 : 1u << i;
	return diff;
}

bool netcfg_way_differs(const struct netcfg *a, const struct netcfg *b, bool v4)
{
	return v4 ? a->outer_ifindex4 != b->outer_ifindex4 || !addr_eq(&a->host4, &b->host4)
		  : a->outer_ifindex6 != b->outer_ifindex6 || !addr_eq(&a->host6, &b->host6);
}

bool netcfg_loses_family(const struct netcfg *a, const struct netcfg *b)
{
	return (netcfg_primary(a, true) && !netcfg_primary(b, true)) ||
	       (netcfg_primary(a, false) && !netcfg_primary(b, false));
}

/* Addresses and routes of one family stay. */
static void keep_family(struct netcfg *net, bool v4)
{
	uint32_t i, n;

	for (i = n = 0; i < net->naddresses; i++)
		if (addr_is4(&net->addresses[i].addr) == v4)
			net->addresses[n++] = net->addresses[i];
	net->naddresses = n;
	for (i = n = 0; i < net->nroutes; i++)
		if (addr_is4(&net->routes[i].dst.addr) == v4)
			net->routes[n++] = net->routes[i];
	net->nroutes = n;
}

void netcfg_drop_ipv4(struct netcfg *net)
{
	keep_family(net, false);
}

void netcfg_strip_ipv6(struct netcfg *net)
{
	uint32_t i, n;

	keep_family(net, true);
	for (i = n = 0; i < net->nnameservers; i++)
		if (addr_is4(&net->nameservers[i]))
			net->nameservers[n++] = net->nameservers[i];
	net->nnameservers = n;
	net->gateway6 = net->host6 = ADDR_ANY;
	net->gateway6_of = NETCFG_GATEWAY_HOST;
	net->outer_ifname6[0] = '\0';
	net->outer_ifindex6 = 0;
}

/* --- one that came as bytes -------------------------------------------------- */

static bool prefix_ok(const struct prefix *p)
{
	return p->len <= addr_size(&p->addr) * 8;
}

static bool route_ok(const struct route *r)
{
	return prefix_ok(&r->dst) && bytes_are_bool(&r->onlink) &&
	       (addr_is_any(&r->gw) || addr_is4(&r->gw) == addr_is4(&r->dst.addr));
}

void netcfg_loopback(const struct conf *c, struct netcfg *ret)
{
	*ret = (struct netcfg){ .mac = c->mac, .gw_mac = c->gw_mac, .mtu = CONF_MTU_MAX };
	strcpy(ret->ifname, c->ifname);
	if (c->ipv4)
		ret->addresses[ret->naddresses++] = (struct prefix){ addr_loopback(true), 8 };
	if (c->ipv6)
		ret->addresses[ret->naddresses++] = (struct prefix){ addr_loopback(false), 128 };
}

bool netcfg_ok(const struct netcfg *n)
{
	if (!bytes_terminated(n->ifname, sizeof(n->ifname)) || !conf_ifname_ok(n->ifname) ||
	    !bytes_terminated(n->outer_ifname4, sizeof(n->outer_ifname4)) ||
	    !bytes_terminated(n->outer_ifname6, sizeof(n->outer_ifname6)))
		return false;
	if (n->mtu < CONF_MTU_MIN || n->mtu > CONF_MTU_MAX || !mac_is_usable(&n->mac) ||
	    n->naddresses > CONF_ADDRS_MAX || n->nroutes > CONF_ROUTES_MAX ||
	    n->nnameservers > CONF_NAMESERVERS_MAX || !bytes_are_bool(&n->configure) ||
	    n->gateway4_of >= NETCFG_GATEWAY_COUNT || n->gateway6_of >= NETCFG_GATEWAY_COUNT)
		return false;
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (!prefix_ok(&n->addresses[i]))
			return false;
	for (uint32_t i = 0; i < n->nroutes; i++)
		if (!route_ok(&n->routes[i]))
			return false;
	return true;
}
