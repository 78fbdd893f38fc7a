/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dns: the DNS forwarder. A question that the container sends to an address of
 * dns.forward becomes a flow of its own: a socket connected to one of the host's
 * resolvers, so with a port by chance, and an identifier by chance (RFC 5452, 9.2). Only
 * an answer of that resolver to that question ends it; it passes as it is, and so do
 * truncation, EDNS and what comes after the question. A resolver that does not answer
 * in time, refuses or fails is followed by the next; one that was silent rests for a while: the
 * others go before it. What no resolver answers gets SERVFAIL.
 *
 * Questions about the host's own names are answered here. TCP to port 53 and 853 is a
 * connection to a resolver like any other (tcp_open.c); the latter passes unseen, into the
 * former dns_tcp.h looks for such questions.
 *
 * Bounded: CTX_QUESTIONS at once, the oldest makes way. A question is kept in one
 * chunk of the hold arena, so it has DNS_QUERY_MAX bytes at most.
 */
#ifndef PROTO_DNS_H
#define PROTO_DNS_H

#include "flow/route.h"
#include "proto/ctx.h"
#include "wire/ip.h"
#include "wire/udp.h"

#define DNS_QUERY_MAX	HOLD_CHUNK
#define DNS_WAIT_MS	2000u	/* for one resolver; clients wait for 5 s (resolv.conf(5)) */
#define DNS_LIFE_MS	10000u	/* of a question: two of such waits */
#define DNS_REST_MS	30000u
#define DNS_OWN_TTL_S	30u
#define DNS_OWN_ANSWER_MAX	1024u	/* header, question, a PTR record, EDNS */
#define DNS_UDP_SIZE	1232u	/* that our own answers say (dnsflagday.net/2020) */

/* Whom the forwarder asks from now on; questions under way go on as they began. */
void dns_set_resolvers(struct ctx *c, const struct resolvers *r);

/* The host's way out is another: what was asked by sockets of the old one is asked anew,
 * of the resolvers from the first on. */
void dns_ask_again(struct ctx *c);

/* One datagram to the forwarder, or several of gso_size (0: one). */
void dns_datagram(struct ctx *c, const struct ip *ip, const struct udp *u, const uint8_t *data,
		  size_t len, uint16_t gso_size);

/* The answer to a message of len bytes, if it asks for a name of the host: its bytes, at most
 * DNS_OWN_ANSWER_MAX; 0 if it is for the resolvers. */
size_t dns_own_answer(const struct ctx *c, const void *msg, size_t len, uint8_t *ret);

/* Serves a question's flow out of the ready queue; true if it wants another turn. */
bool dns_serve(struct ctx *c, struct flow *f);
void dns_timer(struct ctx *c, struct flow *f);

/* admit_free()'s: gives back what the flow keeps. */
void dns_forget(struct ctx *c, struct flow *f);

/* Where a connection to the forwarder leads. */
enum route_verdict dns_route(const struct ctx *c, struct route_target *ret);

/* A resolver did not take the connection f to port 53, or not in time: dials the next
 * one. False: f is to no forwarder, or there is none left; its socket may be closed. */
bool dns_tcp_next(struct ctx *c, struct flow *f);

#endif
