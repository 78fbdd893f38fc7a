/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp: the container's datagrams, one connected host socket for each pair of
 * endpoints, those of one endpoint of the container at one port of the host (RFC 4787:
 * endpoint-independent mapping, flow/portmap.h; address and port-dependent filtering). What arrives in one batch of frames leaves in few system calls: runs
 * of equal datagrams as one UDP_SEGMENT send, the rest by sendmmsg; the same on
 * the way back (UDP_GRO, recvmmsg, USO frames).
 */
#ifndef PROTO_UDP_H
#define PROTO_UDP_H

#include "proto/port.h"
#include "wire/ip.h"
#include "wire/numbers.h"
#include "wire/udp.h"

#define UDP_SEGMENTS	64u	/* datagrams of one UDP_SEGMENT send (UDP_MAX_SEGMENTS of Linux) */
#define UDP_GSO_BYTES	65000u	/* bytes of one: under 65535 less headers and options */

/* One datagram of the container, or a USO frame of gso_size ones (0: one). The
 * bytes must stay where they are until udp_flush(). True if they are kept. */
bool udp_datagram(struct ctx *c, const struct ip *ip, const struct udp *u, const void *data,
		  size_t len, uint16_t gso_size);

/* Sends all that was kept. */
void udp_flush(struct ctx *c);

/* Serves a flow out of the ready queue; true if it wants another turn. */
bool udp_serve(struct ctx *c, struct flow *f);

/* Makes d and iov, CTX_DGRAMS of each, point to where datagrams are received. */
void udp_room(struct ctx *c, struct port_dgram *d, struct iovec *iov);

/* n received datagrams of one flow go to the container. */
void udp_deliver(struct ctx *c, struct flow *f, const struct port_dgram *d, int n);

/* A TFTP server answers from another port than it was asked at (RFC 1350, 4): any port of its
 * address is heard, and what the container sends back there is a flow of its own. */
static inline bool udp_hears_any_port(const struct flow *f)
{
	return f->key.proto == FLOW_UDP && f->outer_port == PORT_TFTP && f->dg.via == FORWARD_NONE &&
	       !flow_is_group(f);
}

/* Datagrams in a message of len bytes, in pieces of gso_size (0: one). */
static inline uint32_t udp_datagrams(size_t len, uint16_t gso_size)
{
	return gso_size ? (uint32_t)((len + gso_size - 1) / gso_size) : 1;
}

/* How long a UDP flow may be idle: not answered yet, and with datagrams both ways. */
static inline uint64_t udp_oneway_ms(const struct ctx *c)
{
	return c->conf->udp_timeout * (uint64_t)1000;
}

static inline uint64_t udp_twoway_ms(const struct ctx *c)
{
	return c->conf->udp_stream * (uint64_t)1000;
}

/* The timer of a UDP or echo flow fired: idle long enough? */
void udp_timer(struct ctx *c, struct flow *f, uint64_t oneway_ms, uint64_t twoway_ms);

#endif
