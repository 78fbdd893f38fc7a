/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/arp.h"

#include "proto/frame.h"
#include "wire/arp.h"
#include "wire/numbers.h"

void arp_packet(struct ctx *c, struct rd *r)
{
	uint8_t buf[ARP_LEN];
	struct wr w = wr_init(buf, sizeof(buf));
	struct arp q, a;
	enum wire_err err = arp_read(r, &q);

	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	/* A gratuitous request, a probe (RFC 5227, 2.1.1), or about the container itself. */
	if (q.op != ARP_REQUEST || addr_eq(&q.spa, &q.tpa) || addr_is_unspecified(&q.spa) ||
	    netcfg_has_address(c->net, &q.tpa) || !mac_is_usable(&q.sha))
		return;
	a = (struct arp){ .op = ARP_REPLY, .sha = c->net->gw_mac, .spa = q.tpa,
			  .tha = q.sha, .tpa = q.spa };
	if (arp_write(&w, &a) && frame_raw(c, &q.sha, ETYPE_ARP, buf, sizeof(buf)) == 0)
		c->count->arp_replies++;
}
