/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/arp: ARP for Ethernet and IPv4 (RFC 826). */
#ifndef WIRE_ARP_H
#define WIRE_ARP_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define ARP_LEN 28

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
	uint16_t op;
	struct mac sha, tha;
	struct addr spa, tpa;	/* IPv4 */
};

enum wire_err arp_read(struct rd *r, struct arp *ret);
bool arp_write(struct wr *w, const struct arp *a);

#endif
