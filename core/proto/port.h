/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port: all that proto/ asks of the world: a link-time seam. core/io defines
 * these for the daemon, tests/unit/proto/fakeport.c for tests and fuzzers. None blocks,
 * none calls back. Errors are negative errno values.
 */
#ifndef PROTO_PORT_H
#define PROTO_PORT_H

#include <sys/types.h>
#include <sys/uio.h>

#include "proto/ctx.h"

struct port_dgram {
	struct iovec *iov;
	uint32_t niov;
	uint32_t len;		/* received: bytes in iov[0] */
	uint16_t gso_size;	/* 0: one datagram; else several of this size, the last may be shorter */
	struct flow_ip ip;	/* received: df is not known, and set */
	struct addr from;	/* received by a group's flow: who sent it */
	uint16_t from_port;	/* ... and by one of udp_hears_any_port() */
};

/* An entry of a socket's error queue (ip(7), IP_RECVERR): an ICMP error about one
 * of its packets, or the host's own refusal. */
struct port_err {
	bool local;		/* the host's own: no ICMP message, nothing of the packet */
	uint8_t type, code;	/* of the message */
	uint8_t ttl;		/* hop limit it came with */
	int err;		/* what the kernel makes of it: -errno */
	uint32_t mtu;		/* of the path, with -EMSGSIZE */
	struct addr offender;	/* who sent it; ADDR_ANY: unknown */
	struct addr dst;	/* where the packet was going; ADDR_ANY: unknown */
	uint32_t len;		/* bytes of the packet that came with it: FLOW_UDP: of the data;
				 * FLOW_PING: from the ICMP header on; FLOW_TCP: none */
};

/* Writes one frame, virtio-net header first where the tap has one. 0, -EAGAIN
 * when the tap takes no more for now, or -errno. */
int port_tap_send(struct ctx *c, const struct iovec *iov, int n, size_t len);

/*
 * Makes flow f's socket and connects it to f->outer, and watches it. Returns 0
 * (datagram sockets, or connected at once), -EINPROGRESS, or -errno with
 * f->sock still -1. FLOW_UDP has the port of its endpoint's other flows (flow/portmap.h);
 * the first tries to keep the container's source port, FLOW_PING its identifier. Its packets carry f->ip.
 * Groups' flows (flow_is_group()) are not connected, their packets leave by the
 * interface f->outer_scope; a listener joins its group, and it is 0 only if it could.
 */
int port_open(struct ctx *c, struct flow *f);

/*
 * The next client of a TCP listener: a non-blocking socket that is nobody's yet, its
 * address (an IPv6 link-local one without its interface) and port. *local, if not NULL, is the
 * address it spoke to. -EAGAIN: no more for now; -EMFILE and the like: no descriptor,
 * the client waits on; other errors are of one client that is gone.
 */
int port_accept(struct ctx *c, const struct forward *fwd, struct addr *peer, uint16_t *port,
		struct addr *local);
/* Makes it f's socket, as port_open() would have: 0 or -errno, f->sock is set in
 * either case. */
int port_adopt(struct ctx *c, struct flow *f, int sock);
/* Closes one that became nobody's, with RST. */
void port_refuse(struct ctx *c, int sock);

/* Closes f's socket if it has one; abort makes the kernel send RST. */
void port_close(struct ctx *c, struct flow *f, bool abort);

/* Takes the socket's pending error: 0 or -errno. */
int port_error(struct ctx *c, struct flow *f);

/* Takes the oldest entry of f's error queue, with at most size bytes of its packet
 * in buf. 0, -EAGAIN when there is none, or -errno. For streams only until port_connected(). */
int port_errqueue(struct ctx *c, struct flow *f, struct port_err *ret, void *buf, size_t size);

/* The connection stands: what routers say of it is the kernel's affair from now on. */
void port_connected(struct ctx *c, struct flow *f);

/* From now on f's packets carry *ip, which becomes f->ip. The ECN bits of a stream
 * stay the kernel's (RFC 3168). */
void port_set_ip(struct ctx *c, struct flow *f, const struct flow_ip *ip);

/* Stream: bytes taken, or -EAGAIN, -errno. urgent: the last one is (MSG_OOB). */
ssize_t port_send(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool urgent);
/* A remote that is silent is asked after so many seconds whether it is there, and until it answers. */
void port_keepalive(struct ctx *c, struct flow *f, uint16_t seconds);
/* No more to send: FIN to the remote. */
int port_shutdown(struct ctx *c, struct flow *f);
/* Reads; peek leaves the bytes and moves SO_PEEK_OFF on by what was read, where it is in
 * use; else it is from the first one. 0 is end of file. */
ssize_t port_recv(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool peek);
/* Whether an urgent byte came that is not read yet; *ret is how many stand before it. No
 * port_recv() reads over it, only from it on. SO_PEEK_OFF, where it is in use, is peek_at. */
bool port_urgent(struct ctx *c, struct flow *f, uint32_t peek_at, uint32_t *ret);
/* Much comes by this connection: said once, when that is known. */
void port_bulk(struct ctx *c, struct flow *f);
/* Sets SO_PEEK_OFF to off bytes from the queue's head. */
int port_peek_seek(struct ctx *c, struct flow *f, uint32_t off);
/* Drops n bytes from the queue's head (SO_PEEK_OFF moves back with them). */
ssize_t port_discard(struct ctx *c, struct flow *f, uint32_t n);

/*
 * Spliced flows (proto/splice.h): a side is one of their sockets, a way leads
 * from it through a pipe to the other.
 */

/* Makes the socket that flow f has not yet, on the side that is not
 * splice.caller, connects it to f->outer, and watches both. Returns 0,
 * -EINPROGRESS, -errno, or 1: no inner socket is there for it yet; one is
 * asked for, and splice_supplied() follows. */
int port_splice_connect(struct ctx *c, struct flow *f);
/* Closes that side's socket if it has one; abort makes the kernel send RST. */
void port_side_close(struct ctx *c, struct flow *f, enum splice_side side, bool abort);
int port_side_error(struct ctx *c, struct flow *f, enum splice_side side);
int port_side_shutdown(struct ctx *c, struct flow *f, enum splice_side side);
/* Looks at what came, without taking it. 0 is end of file. */
ssize_t port_side_peek(struct ctx *c, struct flow *f, enum splice_side side, void *buf, size_t len);
/* Drops what was looked at. */
void port_side_discard(struct ctx *c, struct flow *f, enum splice_side side, size_t len);
/* urgent: the last byte is (MSG_OOB). */
ssize_t port_side_send(struct ctx *c, struct flow *f, enum splice_side side, const void *buf,
		       size_t len, bool urgent);
/* Whether an urgent byte came that is not read yet; *next: no other stands before it. No
 * port_side_peek() looks over it, only from it on. */
bool port_side_urgent(struct ctx *c, struct flow *f, enum splice_side side, bool *next);

/* A pipe for the way from that side, if it has none. False: there is none. */
bool port_pipe_get(struct ctx *c, struct flow *f, enum splice_side from);
/* Gives it back, empty; drop does so with whatever is in it. Without one: nothing. */
void port_pipe_put(struct ctx *c, struct flow *f, enum splice_side from);
void port_pipe_drop(struct ctx *c, struct flow *f, enum splice_side from);
/* From the socket into the pipe, from the pipe to the other side's socket: bytes,
 * 0 at the end of file (or before urgent data), -EAGAIN, -errno. */
ssize_t port_pipe_in(struct ctx *c, struct flow *f, enum splice_side from, size_t len);
ssize_t port_pipe_out(struct ctx *c, struct flow *f, enum splice_side from, size_t len);

/* Datagrams: how many of the n messages went or came, or -errno if none did. What
 * of d[i].ip differs from f->ip is sent with that message alone; but for df, which
 * changes f->ip. */
int port_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n);
int port_dgram_recv(struct ctx *c, struct flow *f, struct port_dgram *d, unsigned int n);

/* Relayed flows (proto/relay.h): makes flow f's socket, in the container if f->inbound, else
 * on the host, connects it to f->outer, and watches it. port_dgram_send() and
 * port_dgram_recv() are by it. 0, -errno, or 1: no inner socket is there for it yet; one is
 * asked for, and relay_supplied() follows. */
int port_relay_open(struct ctx *c, struct flow *f);
/* Like port_dgram_send(), but to its client, by the listener. */
int port_dgram_answer(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n);

/* Who sent a datagram to a listener, and to which of the host's addresses. */
struct port_client {
	struct addr peer, local;
	uint32_t scope;		/* interface index for link-local, else 0 */
	uint16_t port;
};

/* The same from a UDP listener, client[i] for d[i]. Flows with dg.via send by theirs. */
int port_dgram_from(struct ctx *c, const struct forward *fwd, struct port_dgram *d,
		    struct port_client *client, unsigned int n);

#endif
