/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp: echo requests of the container by ping sockets (icmp(7), "net.ipv4.
 * ping_group_range"), and the ICMP errors we make ourselves (RFC 792, RFC
 * 4443) when the host says why something cannot be reached.
 */
#ifndef PROTO_ICMP_H
#define PROTO_ICMP_H

#include "flow/route.h"
#include "proto/ctx.h"
#include "wire/ip.h"

#define ICMP_FLOW_MS 60000u	/* an echo flow without traffic ends */

/* One ICMP or ICMPv6 message of the container that is not Neighbor Discovery,
 * msg with its header; checksum verified if the caller says so. */
void icmp_message(struct ctx *c, const struct ip *ip, const void *msg, size_t len);

/* Serves an echo flow out of the ready queue; true if it wants another turn. */
bool icmp_serve(struct ctx *c, struct flow *f);

/* "Destination unreachable" for the flow's first packet, by the errno of connect()
 * or send(): port for ECONNREFUSED, host, net or prohibited for the others. */
void icmp_unreachable_flow(struct ctx *c, const struct flow *f, int err);

/* The same for a packet that never became a flow, and its counter. Packets for
 * martians and multicast are dropped silently (RFC 1122, 3.2.2). */
void icmp_refuse(struct ctx *c, const struct flow_key *key, enum route_verdict verdict);

#endif
