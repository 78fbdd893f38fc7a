/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice: a TCP connection between the host and the container that never meets
 * the tap: one socket was accepted (on the host for a forwarded port, in the
 * container for a reverse one), the other is connected by us on the other side,
 * and bytes go from one to the other until both have ended.
 *
 * Much data goes by splice(2) through a pipe, without being copied. Little goes
 * by peek, send and discard: a pipe is not worth it then, and what the other
 * side does not take stays where it is, in the sender's socket. So a pipe is
 * never needed, only faster; a way holds one while there is something in it or
 * much is coming, so that thousands of idle connections hold none.
 *
 * Ends keep their meaning: FIN becomes shutdown() when all before it has gone,
 * a reset becomes a reset (what was read before it goes first), and who is refused on
 * the other side is reset at once; an urgent byte is one on the other side.
 */
#ifndef PROTO_SPLICE_H
#define PROTO_SPLICE_H

#include "flow/forward.h"
#include "proto/ctx.h"

#define SPLICE_WORTH	32768u		/* bytes that came at once: worth a pipe from then on */
#define SPLICE_PIPE_LEN	(1u << 20)	/* a pipe's size, and the bytes asked into it at once */
#define SPLICE_TURN	(1u << 20)	/* bytes of one way in one turn */
#define SPLICE_WAIT_MS	5000u		/* for a socket to connect with, then the caller is reset */

/* What epoll said of a spliced flow's socket. */
enum splice_event {
	SPLICEV_IN = 1 << 0,
	SPLICEV_OUT = 1 << 1,
	SPLICEV_END = 1 << 2,		/* RDHUP, HUP or ERR */
	SPLICEV_URGENT = 1 << 3,	/* PRI */
};

/*
 * Whether a client of that address, on that listener, is spliced: its address has
 * no meaning in the container (the host's loopback, or an address that the
 * container has too), or is not to be kept ("preserveSource": false), or the
 * rule leads to the container's loopback, which no packet of the tap reaches.
 */
bool splice_wanted(const struct ctx *c, const struct forward *fwd, const struct addr *peer);

/*
 * Takes over an accepted, non-blocking TCP connection for which splice_wanted() is
 * true. sock belongs to the callee, who also closes it on failure. local: the address the
 * client spoke to. 0 or -errno (for the log and counters: the client has been told by RST).
 */
int splice_accept(struct ctx *c, int sock, const struct forward *fwd, const struct addr *peer,
		  uint16_t peer_port, const struct addr *local);

/* Where a client of that address, which spoke to `local`, leads on the other side; of UDP
 * too. False: nowhere. */
bool splice_target(const struct ctx *c, const struct forward *fwd, const struct addr *peer,
		   const struct addr *local, struct addr *ret);

/* A connection that was accepted on side `caller`: from its remote end, by its own
 * one. We connect to `to`, on the other side. */
struct splice_call {
	int sock;
	enum splice_side caller;
	struct addr from, by, to;
	uint16_t from_port, by_port, to_port;
	uint16_t tally;			/* where it is counted, see flow.h */
};

/* Joins it. 0, and the socket is the flow's (which may have ended already, the
 * caller reset); or -ENFILE without room in the table, and it stays the caller's. */
int splice_open(struct ctx *c, const struct splice_call *call);

/* A socket to connect with came: who waits for one gets it. */
void splice_supplied(struct ctx *c);

/* Something happened to the socket of that side. */
void splice_event(struct ctx *c, struct flow *f, enum splice_side side, unsigned int events);

/* Serves a flow out of the ready queue; true if it wants another turn. */
bool splice_serve(struct ctx *c, struct flow *f);

/* It waited too long for a socket to connect with. */
void splice_timer(struct ctx *c, struct flow *f);

/* Ends it: sockets, pipes and all. abort: both ends are reset. */
void splice_free(struct ctx *c, struct flow *f, bool abort);

#endif
