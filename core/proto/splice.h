/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice: connections of forwarded ports that do not go over the tap: those of the
 * host's own loopback, whose address has no meaning in the container, and all
 * of them with "preserveSource": false.
 *
 * For now they go over the tap all the same, from an address that stands in for the
 * client's: hostAddress, else the gateway's (proto/inbound.h).
 */
#ifndef PROTO_SPLICE_H
#define PROTO_SPLICE_H

#include "flow/forward.h"
#include "proto/ctx.h"

/* Whether a client of that address, on that listener, is not to be shown to the
 * container as it is. */
bool splice_wanted(const struct ctx *c, const struct forward *fwd, const struct addr *peer);

/*
 * Takes over an accepted, non-blocking TCP connection for which splice_wanted() is
 * true. sock belongs to the callee, who also closes it on failure. 0 or
 * -errno (for the log and counters: the client has been told by RST).
 */
int splice_accept(struct ctx *c, int sock, const struct forward *fwd, const struct addr *peer,
		  uint16_t peer_port);

#endif
