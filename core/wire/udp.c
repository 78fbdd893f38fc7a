/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/udp: the UDP header (RFC 768). Called for every datagram. The checksum
 * is l4sum_ok's (wire/tcp.h).
 */
#include "wire/udp.h"

enum wire_err udp_read(struct rd *r, bool gso, struct udp *ret)
{
	struct rd h;
	struct udp u;

	if (!rd_sub(r, UDP_HLEN, &h))
		return WIRE_SHORT;
	rd_u16(&h, &u.sport);
	rd_u16(&h, &u.dport);
	rd_u16(&h, &u.len);
	rd_u16(&h, &u.sum);
	/* 0 would be a jumbogram's (RFC 2675, 4), which ip6_read refused. */
	if (u.len < UDP_HLEN)
		return WIRE_LENGTH;
	if (!gso && !rd_sub(r, (size_t)u.len - UDP_HLEN, r))
		return WIRE_LENGTH;
	*ret = u;
	return WIRE_OK;
}

bool udp_write(struct wr *w, const struct udp *u)
{
	uint8_t *p = wr_space(w, UDP_HLEN);
	struct wr h;

	if (!p)
		return false;
	h = wr_init(p, UDP_HLEN);
	wr_u16(&h, u->sport);
	wr_u16(&h, u->dport);
	wr_u16(&h, u->len);
	return wr_u16(&h, u->sum);
}
