/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay: what splice is to TCP, to UDP: datagrams between the host and the container
 * that never meet the tap. Clients speak to a listener, on the host for a forwarded
 * port, in the container for a reverse one; each client has a socket of its own,
 * connected to the server on the other side, and is answered by the listener.
 * Batches go on as they came: recvmmsg, sendmmsg, and runs of equal datagrams in one
 * message both ways (UDP_GRO, UDP_SEGMENT).
 *
 * Until an inner socket comes from nsagent, a client's first datagrams wait in a
 * hold buffer; without one there or without room in it they are lost, as on a network.
 * That nobody serves the port a client does not hear: a listener sends no ICMP errors.
 */
#ifndef PROTO_RELAY_H
#define PROTO_RELAY_H

#include "flow/forward.h"
#include "proto/port.h"

#define RELAY_HELD	131072u		/* bytes of one client's that wait for its socket */

/* The flow of that client through that listener, an old or a new one. splice_wanted() is
 * true for it. NULL: there cannot be one. */
struct flow *relay_client(struct ctx *c, const struct forward *fwd,
			  const struct port_client *from);

/* n datagrams of the client go to the server. */
void relay_deliver(struct ctx *c, struct flow *f, struct port_dgram *d, int n);

/* Serves a flow out of the ready queue: the server's answers go to the client. True if it
 * wants another turn. */
bool relay_serve(struct ctx *c, struct flow *f);

/* Inner sockets came: who waits for one gets it, and what waits goes. */
void relay_supplied(struct ctx *c);

/* f ends: what it holds besides its socket is given back. */
void relay_forget(struct ctx *c, struct flow *f);

#endif
