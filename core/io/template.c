/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * template: the order of the routes made here is the order in which the kernel
 * can take them: on-link ones first, since a gateway must be reachable when
 * its route is added.
 */
#include "io/template.h"

#include <stdio.h>
#include <string.h>

#define MTU_DEFAULT	1500
#define MTU_MIN_IPV6	1280	/* RFC 8200, 5 */

/* Where no address's prefix holds a gateway: link-local addresses, on-link.
 * All the container sends reaches us whatever its next hop is. */
static const struct addr onlink4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
				       169, 254, 1, 1 } };
static const struct addr onlink6 = { { 0xfe, 0x80, [15] = 1 } };

static bool is_family(const struct addr *a, bool v4)
{
	return addr_is4(a) == v4;
}

static bool add_address(struct netcfg *net, const struct prefix *p)
{
	for (uint32_t i = 0; i < net->naddresses; i++)
		if (addr_eq(&net->addresses[i].addr, &p->addr))
			return true;
	if (net->naddresses == CONF_ADDRS_MAX)
		return false;
	net->addresses[net->naddresses++] = *p;
	return true;
}

/* What private addresses are made with, where the family shall have one. */
struct private {
	const struct occupied *occ;
	const struct prefix *has;	/* it has one already; NULL: not yet */
	bool wanted;
};

/* Adds this family's addresses: the given ones, or, where none is given, the
 * host's or a private one. Returns how many of them are there. */
static uint32_t add_addresses(const struct conf *c, const struct template *t, bool v4,
			      struct private private, struct netcfg *net)
{
	uint32_t before = net->naddresses;

	for (uint32_t i = 0; i < c->naddresses; i++)
		if (is_family(&c->addresses[i].addr, v4))
			add_address(net, &c->addresses[i]);
	if (net->naddresses != before)
		return net->naddresses - before;
	if (private.wanted) {
		struct prefix own = private.has ? *private.has :
							  private_address(c, v4, private.occ);

		return add_address(net, &own);
	}
	for (uint32_t i = 0; c->addresses_host && t->found &&
	     i < (c->one_address ? MIN_OF(t->naddresses, 1u) : t->naddresses); i++)
		if (!add_address(net, &t->addresses[i]))
			log_warn("the outer interface has more than %d addresses, the rest is"
				 " left out", CONF_ADDRS_MAX);
	return net->naddresses - before;
}

static bool on_link(const struct netcfg *net, const struct addr *a)
{
	if (addr_is_linklocal6(a))
		return true;	/* fe80::/64 is every IPv6 link's */
	for (uint32_t i = 0; i < net->naddresses; i++)
		if (prefix_contains(&net->addresses[i], a))
			return true;
	return false;
}

static bool same_net(const struct prefix *p, const struct prefix *net)
{
	return p->len == net->len && prefix_contains(p, &net->addr);
}

/* Whether an address makes this route by itself, or it is there already. */
static bool is_needless(const struct netcfg *net, const struct route *r)
{
	for (uint32_t i = 0; addr_is_any(&r->gw) && i < net->naddresses; i++)
		if (same_net(&net->addresses[i], &r->dst))
			return true;
	for (uint32_t i = 0; i < net->nroutes; i++)
		if (same_net(&net->routes[i].dst, &r->dst) && net->routes[i].metric == r->metric)
			return true;
	return false;
}

static void add_route(struct netcfg *net, const struct route *from)
{
	struct route r = *from;
	char text[PREFIX_STRLEN];
	uint32_t at = net->nroutes;

	if (is_needless(net, &r))
		return;
	if (net->nroutes == CONF_ROUTES_MAX) {
		log_warn("route %s left out: more than %d of them", prefix_format(&r.dst, text),
			 CONF_ROUTES_MAX);
		return;
	}
	r.onlink = !addr_is_any(&r.gw) && !on_link(net, &r.gw);
	if (addr_is_any(&r.gw))		/* before the first that has a gateway */
		for (at = 0; at < net->nroutes && addr_is_any(&net->routes[at].gw); )
			at++;
	memmove(&net->routes[at + 1], &net->routes[at],
		(net->nroutes - at) * sizeof(net->routes[0]));
	net->routes[at] = r;
	net->nroutes++;
}

static bool has_default(const struct netcfg *net, bool v4)
{
	for (uint32_t i = 0; i < net->nroutes; i++)
		if (net->routes[i].dst.len == 0 && is_family(&net->routes[i].dst.addr, v4))
			return true;
	return false;
}

/* Whether this family's addresses are the template's. */
static bool copies_host(const struct template *t, bool v4, const struct netcfg *net)
{
	const struct prefix *first = netcfg_primary(net, v4);

	return t->naddresses && first && addr_eq(&first->addr, &t->addresses[0].addr);
}

static bool is_hosts_router(const struct template *t, const struct addr *a)
{
	return t->found && addr_eq(&t->gateway, a);
}

/* The gateway of this family. *given: it stands in the configuration. *of: enum
 * netcfg_gateway. */
static struct addr choose_gateway(const struct conf *c, const struct template *t, bool v4,
				  const struct netcfg *net, bool *given, uint8_t *of)
{
	*given = false;
	*of = NETCFG_GATEWAY_HOST;
	for (uint32_t i = 0; i < c->ngateways; i++)
		if (is_family(&c->gateways[i], v4)) {
			*given = true;
			if (!is_hosts_router(t, &c->gateways[i]))
				*of = NETCFG_GATEWAY_GIVEN;
			return c->gateways[i];
		}
	if (t->has_default && copies_host(t, v4, net))
		return t->gateway;
	if (t->found && !addr_is_any(&t->gateway) && !addr_is_linklocal6(&t->gateway) &&
	    on_link(net, &t->gateway))
		return t->gateway;
	*of = NETCFG_GATEWAY_OURS;
	return v4 ? onlink4 : onlink6;
}

/* Returns whether any was given. */
static bool add_given_routes(const struct conf *c, bool v4, struct netcfg *net)
{
	bool any = false;

	for (uint32_t i = 0; i < c->nroutes; i++)
		if (is_family(&c->routes[i].dst.addr, v4)) {
			add_route(net, &c->routes[i]);
			any = true;
		}
	return any;
}

static void add_host_routes(const struct addr *list, uint32_t n, bool v4, struct netcfg *net)
{
	struct route r = { .metric = 0 };

	for (uint32_t i = 0; i < n; i++) {
		r.dst.addr = list[i];
		r.dst.len = v4 ? 32 : 128;
		if (is_family(&r.dst.addr, v4) && !on_link(net, &r.dst.addr))
			add_route(net, &r);
	}
}

/* copy: the host's routes count, where none are given. Who has an address of its
 * own needs no other than the default one. */
static void add_routes(const struct conf *c, const struct template *t, bool v4, bool copy,
		       struct netcfg *net)
{
	struct addr *gateway = v4 ? &net->gateway4 : &net->gateway6;
	static const uint8_t zero[4];
	struct route def = {
		.dst = { .addr = v4 ? addr_from4(zero) : ADDR_ANY },
		.metric = t->found ? t->metric : 0,
	};
	bool gw_given, routes_given;

	*gateway = choose_gateway(c, t, v4, net, &gw_given,
				  v4 ? &net->gateway4_of : &net->gateway6_of);
	routes_given = add_given_routes(c, v4, net);
	for (uint32_t i = 0; !routes_given && copy && i < t->nroutes; i++)
		add_route(net, &t->routes[i]);
	def.gw = *gateway;
	if ((!routes_given || gw_given) && !has_default(net, v4))
		add_route(net, &def);
	if (has_default(net, v4))
		return;
	add_host_routes(c->host_addresses, c->nhost_addresses, v4, net);
	add_host_routes(c->host_loopback, c->nhost_loopback, v4, net);
	add_host_routes(c->dns_forward, c->ndns_forward, v4, net);
}

/* The configured name servers, else the forwarder: of those that the container can ask
 * at the address they have here, not the host's loopback, nor one that needs a scope. */
static void add_nameservers(const struct conf *c, bool v4, struct netcfg *net)
{
	const struct addr *list = c->nnameservers ? c->nameservers : c->dns_forward;
	uint32_t n = c->nnameservers ? c->nnameservers : c->ndns_forward;

	for (uint32_t i = 0; c->dns_told && i < n; i++) {
		const struct addr *a = &list[i];

		if (is_family(a, v4) && addr_is_unicast(a) && !addr_is_linklocal6(a))
			net->nameservers[net->nnameservers++] = *a;
	}
}

static void add_outer(const struct template *t, bool v4, struct netcfg *net)
{
	if (!t->found)
		return;
	snprintf(v4 ? net->outer_ifname4 : net->outer_ifname6, sizeof(net->outer_ifname4),
		 "%s", t->ifname);
	*(v4 ? &net->outer_ifindex4 : &net->outer_ifindex6) = t->ifindex;
	if (t->naddresses)
		*(v4 ? &net->host4 : &net->host6) = t->addresses[0].addr;
	if (t->mtu && (!net->mtu || t->mtu < net->mtu))
		net->mtu = t->mtu;
}

/* Returns whether the container has this family. */
static bool apply_family(const struct conf *c, const struct template *t, bool v4,
			 struct private private, bool quiet, struct netcfg *net)
{
	if (!(v4 ? c->ipv4 : c->ipv6))
		return false;
	if (!add_addresses(c, t, v4, private, net)) {
		if (!quiet)
			log_info("family=%s left out: %s", v4 ? "ipv4" : "ipv6",
				 c->addresses_host || c->addresses_private ?
				 "the host has no address of it" : "no address of it was given");
		return false;
	}
	add_outer(t, v4, net);
	add_routes(c, t, v4, !private.wanted && (v4 ? c->copy_routes4 : c->copy_routes6), net);
	add_nameservers(c, v4, net);
	return true;
}

static uint32_t choose_mtu(const struct conf *c, uint32_t outer, bool v6)
{
	uint32_t mtu = c->mtu ? c->mtu : outer ? outer : MTU_DEFAULT;

	mtu = MIN_OF(mtu, (uint32_t)CONF_MTU_MAX);
	return MAX_OF(mtu, (uint32_t)(v6 ? MTU_MIN_IPV6 : CONF_MTU_MIN));
}

/* The host has no network at all any more. */
static void keep(const struct netcfg *before, struct netcfg *net)
{
	*net = *before;
	net->outer_ifname4[0] = net->outer_ifname6[0] = '\0';
	net->outer_ifindex4 = net->outer_ifindex6 = 0;
}

void template_apply(const struct conf *c, const struct template *t4, const struct template *t6,
		    const struct occupied *occ, const struct netcfg *before, struct netcfg *net)
{
	/* A host without any network at all. */
	bool alone = !(c->ipv4 && t4->naddresses) && !(c->ipv6 && t6->naddresses);
	bool own = alone && (c->addresses_host || c->addresses_private), v6;
	const struct netcfg *has = c->addresses_private ? before : NULL;
	struct private own4 = { .occ = occ, .has = has ? netcfg_primary(has, true) : NULL,
				.wanted = own || (c->addresses_private && t4->found) };
	struct private own6 = { .occ = occ, .has = has ? netcfg_primary(has, false) : NULL,
				.wanted = own || (c->addresses_private && t6->found) };

	if (alone && before) {
		keep(before, net);
		return;
	}
	*net = (struct netcfg){ .mac = c->mac, .gw_mac = c->gw_mac, .configure = c->configure };
	snprintf(net->ifname, sizeof(net->ifname), "%s", c->ifname);
	apply_family(c, t4, true, own4, before, net);
	v6 = apply_family(c, t6, false, own6, before, net);
	net->mtu = choose_mtu(c, net->mtu, v6);
}
