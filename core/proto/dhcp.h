/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dhcp: a DHCP and BOOTP server (RFC 2131, RFC 2132, RFC 951) for the one client
 * there is. It leases what netcfg has (offer.h) and remembers nothing: every
 * message is answered by itself. Options beyond RFC 2132: rapid commit (RFC 4039),
 * client FQDN (RFC 4702), search list (RFC 3397), classless routes (RFC 3442),
 * captive portal (RFC 8910), IPv6-only preferred (RFC 8925).
 */
#ifndef PROTO_DHCP_H
#define PROTO_DHCP_H

#include "proto/ctx.h"
#include "wire/ip.h"
#include "wire/udp.h"

/* Whether the datagram is for this server: port 67 of our own address, or of all. */
bool dhcp_is(const struct ctx *c, const struct ip *ip, const struct udp *u);

/* One such message; *r is the datagram's data. */
void dhcp_message(struct ctx *c, struct rd *r);

#endif
