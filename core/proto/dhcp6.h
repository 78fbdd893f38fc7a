/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp6: a DHCPv6 server (RFC 8415) for the one client there is. Like dhcp.h it
 * remembers nothing: the container's addresses belong to the first IA_NA that asks,
 * the delegated prefix to the first IA_PD.
 */
#ifndef PROTO_DHCP6_H
#define PROTO_DHCP6_H

#include "proto/ctx.h"
#include "wire/ip.h"
#include "wire/udp.h"

/* Whether the datagram is for this server: port 547 of all servers, or of ours. */
bool dhcp6_is(const struct ctx *c, const struct ip *ip, const struct udp *u);

/* One such message; *r is the datagram's data. */
void dhcp6_message(struct ctx *c, const struct ip *ip, struct rd *r);

#endif
