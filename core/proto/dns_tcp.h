/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns_tcp: the host's names asked for over TCP (RFC 7766). A connection to port 53 of the
 * forwarder leads to a resolver; messages pass as they are, but a question about the host's own
 * names is taken out of the stream and its answer put in on the way back, between two messages
 * of the resolver. Marked by TCPM_DNS, such a flow keeps both ways in memory of ours: what the
 * container sends goes through its hold, what comes back through its ring.
 *
 * A question that is not whole, or has to wait for its place on the way back, stays in the hold,
 * within the window that was shown. Nothing waits longer than for the resolver's next byte or
 * the container's next ACK.
 */
#ifndef PROTO_DNS_TCP_H
#define PROTO_DNS_TCP_H

#include "proto/ctx.h"

#define DNS_TCP_OWN_MAX		512u	/* a longer message is not about a name of ours */
#define DNS_TCP_RING_MAX	65536u	/* answers that the container does not take wait before that */

/* Whether such a connection to port 53 of the forwarder is to be looked into. */
bool dns_tcp_looks(const struct ctx *c, const struct flow *f);

/* How many bytes of f's hold may go to the resolver now. Questions of ours before them are
 * answered and gone. */
uint32_t dns_tcp_pass(struct ctx *c, struct flow *f);
/* So many of them went. */
void dns_tcp_passed(struct flow *f, uint32_t n);

/* The last n bytes of f's ring came from the resolver. */
void dns_tcp_heard(struct ctx *c, struct flow *f, uint32_t n);

#endif
