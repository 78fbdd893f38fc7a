/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/quote: the packet in an ICMP error of the container. It claims to be one of
 * ours, so it has what we send: no IPv6 extension header but Fragment.
 */
#include "wire/quote.h"

#include "wire/ip.h"
#include "wire/numbers.h"

#define IP4_OFFSET	0x1fff
#define IP6_OFFSET	0xfff8

static enum wire_err read_ip4(struct rd *r, struct quote *q)
{
	uint8_t version_ihl;
	uint16_t frag;
	struct rd h;

	if (!rd_sub(r, IP4_HLEN, &h))
		return WIRE_SHORT;
	rd_u8(&h, &version_ihl);
	rd_skip(&h, 5);		/* tos, length, identification */
	rd_u16(&h, &frag);
	rd_skip(&h, 1);		/* ttl */
	rd_u8(&h, &q->proto);
	rd_skip(&h, 2);		/* checksum */
	q->src = addr_from4(rd_bytes(&h, 4));
	q->dst = addr_from4(rd_bytes(&h, 4));
	if (version_ihl >> 4 != 4)
		return WIRE_VERSION;
	if ((version_ihl & 0x0f) * 4 < IP4_HLEN)
		return WIRE_LENGTH;
	if (frag & IP4_OFFSET)
		return WIRE_OPTION;
	return rd_skip(r, (size_t)(version_ihl & 0x0f) * 4 - IP4_HLEN) ? WIRE_OK : WIRE_SHORT;
}

/* The Fragment header of a first fragment (RFC 8200, 4.5). */
static enum wire_err read_fragment(struct rd *r, struct quote *q)
{
	uint16_t off;

	if (!rd_u8(r, &q->proto) || !rd_skip(r, 1) || !rd_u16(r, &off) || !rd_skip(r, 4))
		return WIRE_SHORT;
	return off & IP6_OFFSET ? WIRE_OPTION : WIRE_OK;
}

static enum wire_err read_ip6(struct rd *r, struct quote *q)
{
	uint8_t version;
	struct rd h;

	if (!rd_sub(r, IP6_HLEN, &h))
		return WIRE_SHORT;
	rd_u8(&h, &version);
	rd_skip(&h, 5);		/* class, flow label, length */
	rd_u8(&h, &q->proto);
	rd_skip(&h, 1);		/* hop limit */
	rd_copy(&h, q->src.b, 16);
	rd_copy(&h, q->dst.b, 16);
	if (version >> 4 != 6)
		return WIRE_VERSION;
	if (addr_is4(&q->src) || addr_is4(&q->dst))
		return WIRE_ADDRESS;
	return q->proto == PROTO_FRAGMENT ? read_fragment(r, q) : WIRE_OK;
}

/* Protocols a packet of ours can have; behind another Next Header there are none. */
static bool is_upper(bool v6, uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP ||
	       proto == (v6 ? PROTO_ICMP6 : PROTO_ICMP);
}

enum wire_err quote_read(struct rd *r, bool v6, struct quote *ret)
{
	struct quote q = { .proto = PROTO_NONE };
	struct rd left = *r;
	enum wire_err err = v6 ? read_ip6(&left, &q) : read_ip4(&left, &q);

	if (err != WIRE_OK)
		return err;
	if (!is_upper(v6, q.proto))
		return WIRE_OPTION;
	if (q.proto == PROTO_TCP || q.proto == PROTO_UDP) {
		if (!rd_u16(&left, &q.sport) || !rd_u16(&left, &q.dport))
			return WIRE_SHORT;
	}
	*r = left;
	*ret = q;
	return WIRE_OK;
}
