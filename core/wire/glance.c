/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/glance.h"

#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/numbers.h"

static void read_ports(struct rd *r, struct glance *ret)
{
	ret->has_ports = (ret->proto == PROTO_TCP || ret->proto == PROTO_UDP) &&
			 rd_u16(r, &ret->sport) && rd_u16(r, &ret->dport);
}

/* RFC 826, for Ethernet and IPv4. */
static void read_arp(struct rd *r, struct glance *ret)
{
	const uint8_t *p = rd_bytes(r, 28);

	if (!p)
		return;
	ret->src = addr_from4(p + 14);
	ret->dst = addr_from4(p + 24);
}

static void read_ip4(struct rd *r, struct glance *ret)
{
	const uint8_t *p = rd_bytes(r, IP4_HLEN);
	size_t hlen = p ? (size_t)(p[0] & 0xf) * 4 : 0;

	if (!p || hlen < IP4_HLEN)
		return;
	ret->src = addr_from4(p + 12);
	ret->dst = addr_from4(p + 16);
	ret->proto = p[9];
	ret->has_proto = true;
	if (rd_skip(r, hlen - IP4_HLEN) && !(p[6] & 0x1f) && !p[7])	/* offset 0 */
		read_ports(r, ret);
}

/* The next header's number behind one extension header; false: it is none, or cut, or a
 * fragment that is not the first. */
static bool step(struct rd *r, uint8_t *next, bool *later)
{
	const uint8_t *p;

	switch (*next) {
	case PROTO_HOPOPT:
	case PROTO_ROUTING:
	case PROTO_DSTOPTS:
	case PROTO_AH:
		p = rd_bytes(r, 8);
		if (!p || !rd_skip(r, *next == PROTO_AH ? (size_t)p[1] * 4 : (size_t)p[1] * 8))
			return false;
		break;
	case PROTO_FRAGMENT:
		p = rd_bytes(r, 8);
		*later = p && (p[2] || p[3] & 0xf8);
		break;
	default:
		return false;
	}
	if (p)
		*next = p[0];
	return p && !*later;
}

static void read_ip6(struct rd *r, struct glance *ret)
{
	const uint8_t *p = rd_bytes(r, IP6_HLEN);
	bool later = false;

	if (!p)
		return;
	ret->src = addr_from6(p + 8);
	ret->dst = addr_from6(p + 24);
	ret->proto = p[6];
	for (int i = 0; i < IP6_EXT_MAX && step(r, &ret->proto, &later); i++)
		continue;
	ret->has_proto = !r->failed;
	if (!later)
		read_ports(r, ret);
}

struct glance glance_read(struct rd r)
{
	struct glance ret = { .type = 0 };
	struct eth eth;

	if (eth_read(&r, &eth) != WIRE_OK)
		return ret;
	ret.type = eth.type;
	switch (eth.type) {
	case ETYPE_ARP:
		read_arp(&r, &ret);
		break;
	case ETYPE_IP4:
		read_ip4(&r, &ret);
		break;
	case ETYPE_IP6:
		read_ip6(&r, &ret);
		break;
	}
	return ret;
}
