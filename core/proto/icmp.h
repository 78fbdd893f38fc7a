/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp: echo requests of the container by ping sockets (icmp(7), "net.ipv4.
 * ping_group_range"), its ICMP errors about what we sent it (icmp.c), and ICMP
 * errors to it about what it sent (icmp_error.c; RFC 792, RFC 4443).
 */
#ifndef PROTO_ICMP_H
#define PROTO_ICMP_H

#include "flow/route.h"
#include "proto/ctx.h"
#include "proto/port.h"
#include "wire/icmp.h"
#include "wire/ip.h"

#define ICMP_FLOW_MS		60000u	/* an echo flow without traffic ends */
#define ICMP_ERRORS_PER_S	1000u	/* to the container, of all kinds */
#define ICMP_ERRORS_BURST	250u
#define ICMP_MTU_LEAST4		552u	/* what a smaller path MTU inside is taken for, as Linux does */
#define ICMP_MTU_LEAST6		1280u	/* none is smaller (RFC 8200, 5) */

/* One ICMP or ICMPv6 message of the container that is not Neighbor Discovery,
 * msg with its header; checksum verified if the caller says so. */
void icmp_message(struct ctx *c, const struct ip *ip, const void *msg, size_t len);

/* Serves an echo flow out of the ready queue; true if it wants another turn. */
bool icmp_serve(struct ctx *c, struct flow *f);

/* An echo reply of f's remote, which is changed in place on its way. */
void icmp_reply(struct ctx *c, struct flow *f, const struct port_dgram *d);

/* --- icmp_error.c --- */

/* A packet of the container that an error is about, as far as it is known. */
struct icmp_sent {
	const struct flow_key *key;
	struct flow_ip ip;
	uint32_t seq;		/* TCP: of the segment, or its sender would not believe the error;
				 * echo: where data do not have it */
	const uint8_t *data;	/* UDP: the payload; echo: the whole ICMP message */
	size_t len;
	bool to_group;		/* which nobody may answer with an error */
};

/* One as it came; data: NULL if nothing of it is to be quoted but headers. */
static inline struct icmp_sent icmp_sent_as(const struct flow_key *key, const struct ip *ip,
					    const struct iovec *data)
{
	return (struct icmp_sent){
		.key = key, .ip = { .ttl = ip->ttl, .tos = ip->tos, .df = ip->df },
		.data = data ? data->iov_base : NULL, .len = data ? data->iov_len : 0,
		.to_group = !addr_is_unicast(&key->remote),
	};
}

/* Passes on an ICMP message about a packet of f, data being e->len bytes of that.
 * Whether it is one for the container. */
bool icmp_tell(struct ctx *c, const struct flow *f, const struct port_err *e, const void *data);

/* Tells the container what the network said of f's packets (its socket's error
 * queue); whether there was any such message. */
bool icmp_tell_queued(struct ctx *c, struct flow *f);

/* port_dgram_send(), and the container hears why it failed, or what came back for
 * earlier datagrams, which is no reason not to send these. */
int icmp_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n);

/* The same for a receive that failed with err. */
void icmp_tell_receive(struct ctx *c, struct flow *f, int err);

/* "Destination unreachable" for a packet, by the errno of a connect() about which no
 * message came: port for ECONNREFUSED, host, net or prohibited. */
void icmp_unreachable(struct ctx *c, const struct icmp_sent *s, int err);

/* The same for a flow of which no packet is at hand: the SYN, or the last echo request. */
void icmp_unreachable_flow(struct ctx *c, const struct flow *f, int err);

/* The same for a packet that is not to become a flow, and its counter. Packets for
 * martians and multicast are dropped silently (RFC 1122, 3.2.2). */
void icmp_refuse(struct ctx *c, const struct icmp_sent *s, enum route_verdict verdict);

/*
 * An error of our own about a packet of the container: pkt is it from its IP header
 * on, of *ip version, addresses, proto, frag_off and hdr_len are looked at. Silent
 * where RFC 1122, 3.2.2 and RFC 4443, 2.4 (e) forbid one; unknown options of IPv6
 * are told even of what went to a group, the caller knows of which (RFC 8200, 4.2).
 */
void icmp_error_packet(struct ctx *c, const struct ip *ip, const struct rd *pkt,
		       const struct icmp *h);

#endif
