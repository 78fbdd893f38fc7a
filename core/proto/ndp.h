/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ndp: Neighbor Discovery (RFC 4861) towards the container: a Neighbor
 * Solicitation for anything but its own addresses is answered with our MAC;
 * duplicate address detection (RFC 4862, 5.4) is left undisturbed. A Router
 * Solicitation is answered with what the container's network is. Advertisements
 * without being asked go to containers that configure themselves, and to those that
 * have asked once: others keep what the start gave them, and an idle engine sleeps.
 */
#ifndef PROTO_NDP_H
#define PROTO_NDP_H

#include "proto/ctx.h"
#include "wire/icmp.h"
#include "wire/ip.h"

/* Whether the ICMPv6 type is ours to handle: 133..137. */
bool ndp_is(uint8_t type);

/* One such message: h is read, r stands behind its 8 bytes. */
void ndp_message(struct ctx *c, const struct ip *ip, const struct icmp *h, struct rd *r);

/* Before the first turn, and in each: advertisements that are due. */
void ndp_start(struct ctx *c);
void ndp_timer(struct ctx *c);

/*
 * The host's network becomes *now. A container that listens to advertisements is told
 * that what c->net says is no more to be used (RFC 4861, 6.2.5; RFC 9096, 3.5); true:
 * it was, and ndp_network_begins() is to tell what there is, once c->net says it.
 */
bool ndp_network_ends(struct ctx *c, const struct netcfg *now);
void ndp_network_begins(struct ctx *c);

/* Says once more what there is, to who listens. */
void ndp_repeat(struct ctx *c);

#endif
