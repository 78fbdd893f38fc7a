/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/arp: ARP packets for Ethernet and IPv4 (RFC 826). Called by proto/arp
 * alone. Which operations mean something is decided there.
 */
#include "wire/arp.h"

#include "wire/numbers.h"

enum wire_err arp_read(struct rd *r, struct arp *ret)
{
	uint16_t hw, proto;
	uint8_t hlen, plen;
	struct arp a;
	struct rd h;

	if (!rd_sub(r, ARP_LEN, &h))
		return WIRE_SHORT;
	rd_u16(&h, &hw);
	rd_u16(&h, &proto);
	rd_u8(&h, &hlen);
	rd_u8(&h, &plen);
	if (hw != ARP_HW_ETHER || proto != ETYPE_IP4)
		return WIRE_VERSION;
	if (hlen != sizeof(a.sha.b) || plen != 4)
		return WIRE_LENGTH;
	rd_u16(&h, &a.op);
	rd_copy(&h, a.sha.b, sizeof(a.sha.b));
	a.spa = addr_from4(rd_bytes(&h, 4));
	rd_copy(&h, a.tha.b, sizeof(a.tha.b));
	a.tpa = addr_from4(rd_bytes(&h, 4));
	*ret = a;
	return WIRE_OK;
}

bool arp_write(struct wr *w, const struct arp *a)
{
	uint8_t *p = wr_space(w, ARP_LEN);
	struct wr h;

	if (!p)
		return false;
	h = wr_init(p, ARP_LEN);
	wr_u16(&h, ARP_HW_ETHER);
	wr_u16(&h, ETYPE_IP4);
	wr_u8(&h, sizeof(a->sha.b));
	wr_u8(&h, 4);
	wr_u16(&h, a->op);
	wr_bytes(&h, a->sha.b, sizeof(a->sha.b));
	wr_bytes(&h, a->spa.b + 12, 4);
	wr_bytes(&h, a->tha.b, sizeof(a->tha.b));
	return wr_bytes(&h, a->tpa.b + 12, 4);
}
