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
	uint16_t from_port;	/* received by a group's flow: who sent it */
	struct addr from;
};

/* Writes one frame, virtio-net header first where the tap has one. 0, -EAGAIN
 * when the tap takes no more for now, or -errno. */
int port_tap_send(struct ctx *c, const struct iovec *iov, int n, size_t len);

/*
 * Makes flow f's socket and connects it to f->outer, and watches it. Returns 0
 * (datagram sockets, or connected at once), -EINPROGRESS, or -errno with
 * f->sock still -1. FLOW_UDP tries to keep the container's source port;
 * FLOW_PING its identifier, and sets dg.outer_id to the one got.
 */
int port_open(struct ctx *c, struct flow *f);

/* Group's flows (flow_is_group()): not connected, by the interface f->outer_scope;
 * a listener joins its group, and port_open() is 0 only if it could. With this hop limit
 * they send; nothing else does yet. */
void port_group_ttl(struct ctx *c, struct flow *f, uint8_t ttl);

/* Closes f's socket if it has one; abort makes the kernel send RST. */
void port_close(struct ctx *c, struct flow *f, bool abort);

/* Takes the socket's pending error: 0 or -errno. */
int port_error(struct ctx *c, struct flow *f);

/* Stream: bytes taken, or -EAGAIN, -errno. */
ssize_t port_send(struct ctx *c, struct flow *f, const struct iovec *iov, int n);
/* No more to send: FIN to the remote. */
int port_shutdown(struct ctx *c, struct flow *f);
/* Reads; peek leaves the bytes and moves SO_PEEK_OFF on by what was read. 0 is
 * end of file. */
ssize_t port_recv(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool peek);
/* Sets SO_PEEK_OFF to off bytes from the queue's head. */
int port_peek_seek(struct ctx *c, struct flow *f, uint32_t off);
/* Drops n bytes from the queue's head (SO_PEEK_OFF moves back with them). */
ssize_t port_discard(struct ctx *c, struct flow *f, uint32_t n);

/* Datagrams: how many of the n messages went or came, or -errno if none did. */
int port_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n);
int port_dgram_recv(struct ctx *c, struct flow *f, struct port_dgram *d, unsigned int n);

#endif
