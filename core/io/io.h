/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io: the engine's running I/O: epoll loop and clock (loop.c), the tap (tap.c),
 * host sockets (sock.c, rawping.c; ancillary.c). Together they are the world behind
 * proto/port.h. */
#ifndef IO_IO_H
#define IO_IO_H

#include "io/rawping.h"
#include "proto/ctx.h"

#define IO_BATCH	16u		/* frames read from the tap in one turn */
#define IO_FRAME_MAX	65600u		/* 65535 and virtio-net and Ethernet headers */
#define IO_EVENTS	64
#define IO_HOLD_BYTES	(512u << 20)	/* hold arena, virtual; halved until it can be had */

struct io {
	int epoll, tap, main;
	bool udp_gso;			/* UDP_SEGMENT and UDP_GRO may be used */
	uint8_t *frames;		/* IO_BATCH + 1 slots of IO_FRAME_MAX bytes */
	bool stop;
	struct log_limit no_ping, no_socket;	/* one line a minute each */
	struct rawping rawping;
	bool tap_gone;			/* the container deleted the interface */
};

/*
 * Reserves all memory of *c and *io, probes what the kernel has, registers tap
 * and main in a new epoll. The descriptors stay the caller's. 0 or -errno, with
 * everything made so far undone.
 */
int loop_init(struct ctx *c, struct io *io, const struct conf *conf, const struct netcfg *net,
	      struct counters *count, int tap, uint32_t tap_features, int main_fd);

/* Turns until main's descriptor closes or io->stop. */
void loop_run(struct ctx *c);

/* Closes every flow and gives everything back. */
void loop_close(struct ctx *c);

/* tap.c: reads up to IO_BATCH frames and hands each to ingress. */
void tap_readable(struct ctx *c);

/* sock.c: what the kernel has; sets c->peek and io->udp_gso. */
void sock_probe(struct ctx *c);

/* What epoll gives back for a flow's socket: index, 24 bits of its generation. */
#define IO_REF_FLOW	1u
#define IO_REF_TAP	2u
#define IO_REF_MAIN	3u
#define IO_REF_RAWPING	4u	/* index 0: IPv4, 1: IPv6 */

static inline uint64_t io_ref(uint32_t kind, uint32_t gen, uint32_t idx)
{
	return (uint64_t)kind << 56 | (uint64_t)(gen & 0xffffffu) << 32 | idx;
}

#endif
