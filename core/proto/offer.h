/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offer: what the container is told by all three ways of asking, DHCP, DHCPv6
 * and Router Advertisements, so that they cannot tell it different things. What
 * is leased is always the attachment's own addresses: there is one client, and
 * every answer follows from netcfg and conf alone, so no lease is remembered.
 */
#ifndef PROTO_OFFER_H
#define PROTO_OFFER_H

#include "conf/netcfg.h"

/* Addresses may be the host's, which may change: short lifetimes, RFC 9096, 3.4's. */
#define OFFER_VALID_S		5400u
#define OFFER_PREFERRED_S	2700u

#define OFFER_SEARCH_MAX	1024u	/* bytes of names */

/* The search list in wire form: dns.search, or the domain where that is empty.
 * Names beyond the size are left out. Returns bytes written. */
size_t offer_search(const struct conf *c, uint8_t buf[OFFER_SEARCH_MAX]);

/* The domain, or the first of the search list; "" if there is neither. */
const char *offer_domain(const struct conf *c);

/* Our address as IPv6 router and DHCPv6 server, which must be link-local (RFC 4861,
 * 4.2): the gateway where it is, else one by gw_mac (RFC 4291, appendix A). */
struct addr offer_router6(const struct netcfg *net);

#endif
