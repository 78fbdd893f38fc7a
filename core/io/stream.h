/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream: the frames of a virtual machine, by the UNIX socket of its qemu, in the tap's
 * place (tap.c): without virtio-net headers or offloads. One connection at a time, which main
 * accepts and hands over; between two of them there is no guest, and what is sent
 * is lost, as on a link that is down. Small frames of a turn leave together.
 *
 * When the socket takes no more, flows to the guest rest (ctx.tap_waits) until it does;
 * what they had made to send already waits here. So nothing that was sent is lost, however slow
 * the guest is, and it costs no CPU and FRAMING_OUT bytes at most.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "io/framing.h"
#include "proto/ctx.h"

#define STREAM_SMALL	4096u		/* a frame below it is copied, to leave with others ... */
#define STREAM_TOGETHER	(64u << 10)	/* ... of about so many bytes */

/* From now on io->stream is where frames go. f: shared, see framing.h. */
void stream_use(struct ctx *c, struct framing *f);

/* Connection number seq is there; fd becomes its. One that another engine had is gone on
 * with where that was. */
void stream_connect(struct ctx *c, int fd, uint32_t seq);

/* What epoll told of the socket, before and after the flows' turn; the turn's end. */
void stream_writable(struct ctx *c);
void stream_readable(struct ctx *c);
void stream_finish(struct ctx *c);

/* As port_tap_send(). */
int stream_send(struct ctx *c, const struct iovec *iov, int n, size_t len);

/* Closes the connection, if there is one. */
void stream_close(struct ctx *c);

#endif
