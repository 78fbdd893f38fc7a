/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ndp: Neighbor Discovery (RFC 4861) towards the container: a Neighbor
 * Solicitation for anything but its own addresses is answered with our MAC;
 * duplicate address detection (RFC 4862, 5.4) is left undisturbed. */
#ifndef PROTO_NDP_H
#define PROTO_NDP_H

#include "proto/ctx.h"
#include "wire/icmp.h"
#include "wire/ip.h"

/* Whether the ICMPv6 type is ours to handle: 133..137. */
bool ndp_is(uint8_t type);

/* One such message: h is read, r stands behind its 8 bytes. */
void ndp_message(struct ctx *c, const struct ip *ip, const struct icmp *h, struct rd *r);

#endif
