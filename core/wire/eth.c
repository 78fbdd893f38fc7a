/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/eth: the 14 bytes before every frame of the tap (RFC 894). Called by
 * proto's ingress and by everything that builds a frame. VLAN tags (802.1Q)
 * are nothing special here: their type is one that nobody above asks for.
 */
#include "wire/eth.h"

enum wire_err eth_read(struct rd *r, struct eth *ret)
{
	struct rd h;
	struct eth e;

	if (!rd_sub(r, ETH_HLEN, &h))
		return WIRE_SHORT;
	rd_copy(&h, e.dst.b, sizeof(e.dst.b));
	rd_copy(&h, e.src.b, sizeof(e.src.b));
	rd_u16(&h, &e.type);
	*ret = e;
	return WIRE_OK;
}

bool eth_write(struct wr *w, const struct eth *e)
{
	uint8_t *p = wr_space(w, ETH_HLEN);
	struct wr h;

	if (!p)
		return false;
	h = wr_init(p, ETH_HLEN);
	wr_bytes(&h, e->dst.b, sizeof(e->dst.b));
	wr_bytes(&h, e->src.b, sizeof(e->src.b));
	return wr_u16(&h, e->type);
}

struct mac eth_group_mac(const struct addr *group)
{
	const uint8_t *b = group->b;

	if (addr_is_broadcast(group))
		return (struct mac){ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	if (addr_is4(group))
		return (struct mac){ { 0x01, 0x00, 0x5e, b[13] & 0x7f, b[14], b[15] } };
	return (struct mac){ { 0x33, 0x33, b[12], b[13], b[14], b[15] } };
}
