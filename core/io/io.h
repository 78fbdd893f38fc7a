/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io: the engine's running I/O: epoll loop and clock (loop.c), the tap (tap.c) or a
 * virtual machine's connection (stream.c), host sockets (sock.c, rawping.c; ancillary.c). Together they are the world behind
 * proto/port.h. */
#ifndef IO_IO_H
#define IO_IO_H

#include "io/capture.h"
#include "io/framing.h"
#include "io/rawping.h"
#include "proto/ctx.h"

#define IO_BATCH	64u		/* frames read from the tap in one turn ... */
#define IO_BATCH_BYTES	(1u << 20)	/* ... and about that many bytes */
#define IO_FRAME_ALIGN	64u		/* a cache line */
#define IO_FRAME_MAX	65600u		/* 65535 and virtio-net and Ethernet headers */
#define IO_EVENTS	64
#define IO_BULK		16384		/* a frame larger than that is of no conversation */
#define IO_PIPES	256u		/* of spliced flows, at once; more of them copy */
#define IO_PIPES_LARGE	16u		/* so many of them are of SPLICE_PIPE_LEN, if that can be had */
#define IO_PIPES_IDLE	16u		/* so many are kept open while no flow has them */
#define IO_INNER	64u		/* inner sockets of a protocol and family kept ahead of need */
#define IO_INNER_LOW	32u		/* more are asked for when fewer are there */
#define IO_HOLD_BYTES	(1u << 30)	/* hold arena, virtual; halved until it can be had */

/* When the loop polls before it sleeps (loop.c, wait_events()). */
struct poll {
	uint32_t shorts, misses;	/* in a row */
	uint32_t rest;			/* waits without polling to come */
	uint64_t bulk_us;		/* when much went through a pipe last */
};

/* Sockets of one protocol and family that nsagent opened in the container's namespace. */
struct inner_pool {
	int fd[IO_INNER];
	uint32_t n;
	bool needed;			/* a flow looked for one: until then none is kept */
	uint32_t asked;			/* on their way */
	uint64_t again_ms;		/* not asked for more before then */
};

struct pipe_pool {
	int idle[IO_PIPES_IDLE][2];
	uint32_t nidle, nopen;		/* nopen: all of them, those of flows too */
	uint64_t again_ms;		/* the kernel gave none worth having: not before then */
};

struct io {
	struct poll poll;
	int epoll, tap, main;
	bool udp_gso;			/* UDP_SEGMENT and UDP_GRO may be used */
	bool near;			/* near_probe() */
	uint8_t *frames;		/* IO_BATCH_BYTES and one IO_FRAME_MAX of them */
	bool stop;			/* the tap is gone */
	bool heard;			/* main's descriptor is readable */
	struct log_limit no_ping, no_socket;	/* one line a minute each, with ... */
	unsigned long long files_max;	/* ... the limit of open files, and the group that ... */
	unsigned int group;		/* ... ping_group_range leaves out */
	struct rawping rawping;
	struct capture capture;
	struct pipe_pool pipes;
	struct inner_pool inner[CONF_PROTO_COUNT][2];	/* IPv4, IPv6 */
	bool tap_gone;			/* the container deleted the interface */
	uint64_t trimmed_ms;		/* the last hold_trim() */
	struct framing *stream;		/* a virtual machine's: tap is its connection, or -1 (stream.h) */
	uint32_t stream_seq;		/* that connection's number */
	bool stream_gone;		/* it ended ... */
	int stream_why;			/* ... by an errno, 0: the other side closed it */
};

/*
 * Reserves all memory of *c and *io, probes what the kernel has, registers tap (-1:
 * stream_use() follows) and main in a new epoll. The descriptors stay the caller's. 0 or -errno, with
 * everything made so far undone.
 */
int loop_init(struct ctx *c, struct io *io, const struct conf *conf, const struct netcfg *net,
	      struct counters *count, int tap, uint32_t tap_features, int main_fd);

/* Takes the table of listeners over and watches those in it. 0 or -errno. */
int loop_listen(struct ctx *c, struct forward *list, uint32_t n);

/* One more listener at place idx (sock is taken over), one less. 0 or -errno. */
int loop_listen_one(struct ctx *c, uint32_t idx, const struct forward *f);
void loop_unlisten(struct ctx *c, uint32_t idx);

enum loop_why {
	LOOP_END,	/* the tap has gone */
	LOOP_MAIN,	/* main said something, or closed its descriptor */
	LOOP_STREAM,	/* io->stream_gone */
	LOOP_INNER,	/* inner sockets are short: splice_inner_ask() */
};

/* Turns until there is a reason to return. */
enum loop_why loop_run(struct ctx *c);

/* Closes every flow and gives everything back. */
void loop_close(struct ctx *c);

/* tap.c: reads up to IO_BATCH frames, IO_BATCH_BYTES, and hands each to ingress. */
void tap_readable(struct ctx *c);

/* sock.c: watches listener idx of c->forwards, once, for good. 0 or -errno. */
int sock_listen(struct ctx *c, uint32_t idx);

/* sock.c: what the kernel has; sets c->peek, io->udp_gso, io->near, and what its log lines tell. */
void sock_probe(struct ctx *c);

/* There is no socket for f, or no port: what a person can mend, said once a minute. */
void sock_complain(struct ctx *c, const struct flow *f, int rc);
/* What every TCP socket of a flow is set to. */
void sock_stream_options(int fd);
/* Whether closing it resets the peer, at once and without what is not yet sent. That
 * is how a spliced flow's sockets are: an engine that is killed must not look
 * like an orderly end. */
void sock_linger(int fd, bool reset);

/* splice.c: closes idle pipes and inner sockets. */
void splice_close_pools(struct io *io);

/* When inner sockets are to be asked for (past: now), UINT64_MAX: there are enough.
 * How many of that kind to ask nsagent for now (0: none), which are then on their
 * way. */
uint64_t splice_inner_due(const struct ctx *c);
uint32_t splice_inner_ask(struct ctx *c, enum conf_proto proto, bool v4);

/* n of them came; fewer than asked for: the rest will not. The descriptors become
 * the pool's, flows that wait get them. */
void splice_inner_add(struct ctx *c, enum conf_proto proto, bool v4, const int *fd, uint32_t n);

/* One of the pool, which becomes the caller's; -EAGAIN: it is empty, and more are asked for. */
int splice_inner_take(struct ctx *c, enum conf_proto proto, bool v4);

/* What epoll gives back for a flow's socket: index, 24 bits of its generation. */
#define IO_REF_FLOW	1u
#define IO_REF_TAP	2u
#define IO_REF_MAIN	3u
#define IO_REF_LISTEN	4u
#define IO_REF_RAWPING	5u	/* index 0: IPv4, 1: IPv6 */
#define IO_REF_SIDE	6u		/* + enum splice_side: a spliced flow's socket */

static inline uint64_t io_ref(uint32_t kind, uint32_t gen, uint32_t idx)
{
	return (uint64_t)kind << 56 | (uint64_t)(gen & 0xffffffu) << 32 | idx;
}

#endif
