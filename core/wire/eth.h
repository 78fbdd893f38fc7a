/* SPDX-License-Identifier: GPL-2.0-or-later */
/* eth: Ethernet II header (RFC 894, IEEE 802.3). */
#ifndef WIRE_ETH_H
#define WIRE_ETH_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define ETH_HLEN 14

struct eth {
	struct mac dst, src;
	uint16_t type;
};

enum wire_err eth_read(struct rd *r, struct eth *ret);
bool eth_write(struct wr *w, const struct eth *e);

/* Where frames to a multicast group or broadcast go (RFC 1112, 6.4; RFC 2464, 7). */
struct mac eth_group_mac(const struct addr *group);

#endif
