/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/route.h"

#include "wire/numbers.h"

static bool is_in(const struct addr *list, uint32_t n, const struct addr *dst)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_eq(&list[i], dst))
			return true;
	return false;
}

/* All ones in the host part of one of the container's IPv4 networks (RFC 919). */
static bool is_subnet_broadcast(const struct netcfg *net, const struct addr *dst)
{
	for (uint32_t i = 0; i < net->naddresses; i++) {
		const struct prefix *p = &net->addresses[i];
		bool ones = true;

		if (!addr_is4(&p->addr) || p->len > 30 || !prefix_contains(p, dst))
			continue;
		for (unsigned int bit = p->len; bit < 32; bit++)
			ones &= (dst->b[12 + bit / 8] >> (7 - bit % 8)) & 1;
		if (ones)
			return true;
	}
	return false;
}

static enum route_verdict route_to_host(const struct netcfg *net, const struct addr *dst,
					struct route_target *ret)
{
	const struct addr *host = addr_is4(dst) ? &net->host4 : &net->host6;

	if (addr_is_any(host))
		return ROUTE_NONE;
	*ret = (struct route_target){ .addr = *host, .to_host = true };
	return ROUTE_OK;
}

static enum route_verdict route_to_group(const struct netcfg *net, const struct addr *dst,
					 struct route_target *ret)
{
	static const struct addr all = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 255, 255, 255,
					   255 } };
	bool v4 = addr_is4(dst);
	bool stays = !v4 && (dst->b[1] & 0x0f) < 2;	/* reserved, interface-local */

	*ret = (struct route_target){
		.addr = addr_is_multicast(dst) ? *dst : all,
		.scope = stays ? 0 : v4 ? net->outer_ifindex4 : net->outer_ifindex6,
	};
	return ROUTE_MULTICAST;
}

/*
 * Where clouds tell a machine, and nobody else they think, its credentials. What is a
 * name server of the host too (as in Google's) stays one: port 53.
 */
static bool is_metadata(const struct netcfg *net, const struct addr *dst, uint16_t port)
{
	static const uint8_t four[][4] = {
		{ 169, 254, 169, 254 },		/* nearly all */
		{ 169, 254, 170, 2 },		/* Amazon, of tasks */
		{ 169, 254, 170, 23 },		/* Amazon, of pods */
		{ 100, 100, 100, 200 },		/* Alibaba */
	};
	static const struct addr six[] = {
		{ { 0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 } },	/* Amazon, fd00:ec2::254 */
		{ { 0xfd, 0, 0x0e, 0xc2, [15] = 0x23 } },		/* Amazon, of pods */
		{ { 0xfd, 0x20, 0, 0xce, [14] = 0x02, [15] = 0x54 } },	/* Google, fd20:ce::254 */
	};
	bool found = is_in(six, ARRAY_LEN(six), dst);

	for (size_t i = 0; i < ARRAY_LEN(four) && !found; i++) {
		const struct addr a = addr_from4(four[i]);

		found = addr_eq(&a, dst);
	}
	return found && !(port == PORT_DNS && is_in(net->nameservers, net->nnameservers, dst));
}

/* Whether dst leads to the host's loopback: hostLoopback, and the gateway if it shall. */
static bool is_host_loopback(const struct conf *conf, const struct netcfg *net,
			     const struct addr *dst)
{
	const struct addr *gw = addr_is4(dst) ? &net->gateway4 : &net->gateway6;

	return is_in(conf->host_loopback, conf->nhost_loopback, dst) ||
	       (conf->map_gateway && !addr_is_any(gw) && addr_eq(gw, dst));
}

/* An address that only we have; RFC 4291, 2.8 asks a router for the link-local one. */
static bool is_ours(const struct conf *conf, const struct netcfg *net, const struct addr *dst)
{
	bool v4 = addr_is4(dst);
	const struct addr us = addr_linklocal6(&net->gw_mac);
	enum netcfg_gateway of = v4 ? net->gateway4_of : net->gateway6_of;

	if (addr_eq(v4 ? &net->gateway4 : &net->gateway6, dst) && of != NETCFG_GATEWAY_GIVEN)
		return of == NETCFG_GATEWAY_OURS;
	return addr_eq(&us, dst) || is_in(conf->dns_forward, conf->ndns_forward, dst);
}

enum route_verdict route_outbound(const struct conf *conf, const struct netcfg *net,
				  const struct addr *dst, uint16_t port,
				  struct route_target *ret)
{
	if (addr_is4(dst) ? !conf->ipv4 : !conf->ipv6)
		return ROUTE_NONE;
	if (is_in(conf->host_addresses, conf->nhost_addresses, dst))
		return route_to_host(net, dst, ret);
	if (is_host_loopback(conf, net, dst)) {
		*ret = (struct route_target){ .addr = addr_loopback(addr_is4(dst)),
					      .to_host = true };
		return ROUTE_OK;
	}
	if (addr_is_unspecified(dst) || addr_is_loopback(dst) ||
	    netcfg_has_address(net, dst))
		return ROUTE_MARTIAN;
	if (is_ours(conf, net, dst))
		return ROUTE_LOCAL;
	if (!conf->metadata && is_metadata(net, dst, port))
		return ROUTE_PROHIBITED;
	if (addr_is_multicast(dst) || addr_is_broadcast(dst) || is_subnet_broadcast(net, dst))
		return route_to_group(net, dst, ret);
	if (addr_is_linklocal6(dst)) {
		if (!net->outer_ifindex6)
			return ROUTE_NONE;
		*ret = (struct route_target){ .addr = *dst, .scope = net->outer_ifindex6 };
		return ROUTE_OK;
	}
	*ret = (struct route_target){ .addr = *dst };
	return ROUTE_OK;
}

bool route_is_local(const struct conf *conf, const struct netcfg *net, const struct addr *dst)
{
	struct route_target to;

	return route_outbound(conf, net, dst, 0, &to) == ROUTE_LOCAL;
}

static bool is_resolver(const struct resolvers *r, const struct addr *dst)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (addr_eq(&r->list[i].addr, dst))
			return true;
	return false;
}

bool route_is_dns(const struct conf *conf, const struct netcfg *net,
		  const struct resolvers *resolvers, const struct addr *dst, uint16_t port)
{
	if (port != PORT_DNS && port != PORT_DNS_TLS)
		return false;
	if (conf->ndns_forward)
		return is_in(conf->dns_forward, conf->ndns_forward, dst);
	return is_resolver(resolvers, dst) && is_host_loopback(conf, net, dst);
}

bool route_stand_in(const struct conf *conf, const struct netcfg *net, bool v4, struct addr *ret)
{
	for (uint32_t i = 0; i < conf->nhost_addresses; i++)
		if (addr_is4(&conf->host_addresses[i]) == v4) {
			*ret = conf->host_addresses[i];
			return true;
		}
	*ret = v4 ? net->gateway4 : net->gateway6;
	return !addr_is_any(ret);
}
