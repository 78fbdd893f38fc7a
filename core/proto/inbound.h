/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inbound: the clients of forwarded ports. A new TCP connection becomes a flow that
 * tcp_dial.c opens towards the container; datagrams of a client become a UDP
 * flow that is answered from the listener itself, so that the client hears the
 * address it spoke to, a descriptor serves all clients of a port, and nothing is
 * lost when an engine dies.
 *
 * The program in the container sees the client's own address and port. Where that
 * cannot be (the host's loopback, an address that the container has itself), the
 * address that stands in is hostAddress, else the gateway's; where the port is
 * taken in the container's view, another one, as a NAT would choose.
 */
#ifndef PROTO_INBOUND_H
#define PROTO_INBOUND_H

#include "proto/ctx.h"

#define INBOUND_BATCH	16u	/* clients accepted from one listener in one turn */
#define INBOUND_PORTS	16u	/* source ports tried for a client whose own is taken */
#define INBOUND_PAUSE_MS 100u	/* after accept() found no descriptor */

/* Listener idx has something; stale events are ignored. */
void inbound_event(struct ctx *c, uint32_t idx);

/* One pass over the listeners that have clients waiting. */
void inbound_turn(struct ctx *c);

/* Whether a pass would do something. */
bool inbound_busy(const struct ctx *c);

/* A client's TCP connection, over the tap: takes sock over. 0 or -errno; the
 * client has been reset then. *local: the host's address it spoke to. */
int inbound_open(struct ctx *c, int sock, const struct forward *fwd, const struct addr *peer,
		 uint16_t peer_port, const struct addr *local);

/* Where a client of that family leads: the rule's target; else the address that the
 * client spoke to, where the container has it; else the container's first of
 * the family. False: it has none, or the target is of the other one. */
bool inbound_target(const struct ctx *c, const struct forward *fwd, bool v4,
		    const struct addr *local, struct addr *ret);

/* Listener idx is about to be closed: ends the UDP flows that speak by it. TCP
 * connections stay. */
void inbound_closed(struct ctx *c, uint32_t idx);

/* So many more clients of the listener's rule, and refused ones (flow/tally.h). */
void inbound_count(struct ctx *c, const struct forward *fwd, uint64_t clients, uint64_t refused);

#endif
