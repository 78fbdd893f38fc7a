/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reassembly: fragments of the container put together (RFC 791, 3.2; RFC 8200,
 * 4.5), before anything else looks at them. Tiny first fragments of IPv4 (RFC 1858)
 * deceive nobody here: nothing is judged by a piece.
 */
#ifndef PROTO_REASSEMBLY_H
#define PROTO_REASSEMBLY_H

#include "proto/ctx.h"
#include "wire/ip.h"

/* Takes one fragment; returns its datagram if it is whole now, with *packet over the
 * whole IP packet, whose header is made anew; the caller frees it by frag_free(). */
struct frag *reassembly_take(struct ctx *c, const struct ip *ip, const struct rd *piece,
			     struct rd *packet);

/* Ends what has not become whole in time, and tells the container (RFC 1122, 3.3.2). */
void reassembly_expire(struct ctx *c);

#endif
