/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fakeport: the fake world behind core/proto/port.h, for tests and fuzzers:
 * `struct io` is theirs here. The tap is a queue of frames, host sockets are
 * queues of bytes or datagrams, and what a call answers is what the test put
 * there. No system call, no clock: now of its ctx is the test's to set.
 *
 * SO_PEEK_OFF is Linux's (6.9): a peek moves it on, a read or discard moves it
 * back, not below 0. Of a socket's error, the first call that meets it takes it.
 *
 * What may not happen stops the process with a message: a call on a closed
 * socket other than those the engine may make, a frame whose lengths, checksums or
 * virtio-net header lie, datagrams to a stream.
 */
#ifndef FAKEPORT_H
#define FAKEPORT_H

#include "proto/ctx.h"
#include "proto/frame.h"
#include "proto/port.h"
#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/udp.h"
#include "wire/vnet.h"

#define FAKE_FRAMES	4096u	/* frames kept until they are looked at */
#define FAKE_SOCKS	96u
#define FAKE_FLOWS	64u
#define FAKE_CHUNKS	1024u	/* of the hold arena: 4 MiB */
#define FAKE_RANGES	8u	/* sets of pieces for all flows */
#define FAKE_DGRAMS	256u	/* datagrams kept of one socket, each way */
#define FAKE_ERRS	64u	/* entries of one error queue */
#define FAKE_KEPT	128u	/* frames whose bytes are still needed */
#define FAKE_FRAME_MAX	65600u
#define FAKE_PIPES	8u
#define FAKE_PIPE_LEN	65536u	/* bytes a pipe takes */
#define FAKE_CLIENTS	64u	/* waiting to be accepted */
#define FAKE_PORT	8080	/* listened on, TCP and UDP ... */
#define FAKE_TO_PORT	40000	/* ... for this port of the container */

/* The listeners of a world: one of each protocol, and a place without one. */
enum { FAKE_TCP, FAKE_UDP, FAKE_SHUT, FAKE_FORWARDS };

struct fake_bytes {
	uint8_t *p;
	size_t len, cap;
};

struct fake_dgram {
	struct fake_bytes data;
	struct flow_ip ip;	/* sent with; to be received with */
	uint16_t gso_size;
	uint32_t message;	/* which port_dgram_send() message it went with */
	int err;		/* to be received: an error in its place */
	struct addr from;	/* ... by a group's flow */
	uint16_t from_port;
};

/* An entry of the error queue. */
struct fake_err {
	struct port_err e;
	struct fake_bytes data;
};

struct fake_sock {
	bool used, open, aborted;
	bool closed_unread;	/* closed with bytes never read: Linux resets the remote */
	bool shut;		/* port_shutdown() */
	uint16_t keep_s;	/* port_keepalive() */
	uint8_t proto;
	uint32_t flow, gen;
	uint8_t side;		/* of a spliced flow: enum splice_side */
	struct addr outer;
	uint16_t outer_port;
	uint32_t outer_scope;

	/* stream */
	struct fake_bytes in;	/* from the remote, not yet read */
	uint64_t in_read;	/* bytes read or discarded so far */
	uint32_t peek_off;
	bool in_eof;
	bool bulk;		/* port_bulk() */
	int err;		/* pending, negative errno */
	size_t urgent;		/* splice(2) goes no further than these bytes of in, until they are
				 * read otherwise; a read from before there neither; SIZE_MAX:
				 * nothing is urgent */
	struct fake_bytes out;	/* all that was sent */
	size_t out_urgent;	/* its byte sent as urgent last, from 1; 0: none */
	size_t out_room;	/* bytes port_send() still takes; SIZE_MAX: all */

	/* datagrams */
	struct fake_dgram sent[FAKE_DGRAMS], recv[FAKE_DGRAMS];
	uint32_t nsent, messages, recv_head, nrecv;
	int send_err;		/* of the next port_dgram_send(), once */
	bool no_gso;		/* refuses messages with gso_size: -EIO */
	uint32_t mtu;		/* larger datagrams with df are refused: -EMSGSIZE; 0: none are */

	struct flow_ip ip;	/* what the socket is set to */
	bool connected;		/* port_connected() */
	struct fake_err errs[FAKE_ERRS];
	uint32_t err_head, nerrs;
	int queued_err;		/* -errno of what stands there, until it is read or met */
};

struct fake_frame {
	uint32_t len;
	uint8_t *bytes;
};

struct fake_client {
	struct addr peer, local;
	uint16_t port;
};

struct io {
	struct fake_frame frames[FAKE_FRAMES];
	uint32_t head, nframes;
	uint64_t tap_room;	/* frames the tap still takes; UINT64_MAX: all */
	int tap_err;		/* of each tap send, 0: none */
	uint64_t tap_lost;	/* frames that came when FAKE_FRAMES were waiting */

	struct fake_sock socks[FAKE_SOCKS];
	struct fake_pipe {
		bool used;
		struct fake_bytes bytes;
	} pipes[FAKE_PIPES];
	uint32_t max_pipes, pipe_calls;		/* calls: of port_pipe_in() and _out() */
	uint32_t inner;				/* sockets in the pool that port_splice_connect() uses */
	uint32_t max_open, nopen, last;		/* last: the socket opened last */
	uint64_t opens, sends;		/* calls: of port_open() and the like, of port_send() */
	int open_rc;		/* of port_open() and port_splice_connect(): 0, -EINPROGRESS or -errno */
	size_t out_room;	/* of new sockets */
	bool ping_ids_differ;	/* ping sockets get another identifier */

	struct fake_client clients[FAKE_CLIENTS];	/* of the TCP listener */
	uint32_t nclients;
	int accept_rc;		/* of the next port_accept() calls: 0 or -errno */
	int adopt_rc;
	uint64_t refused;	/* by port_refuse() */
	struct fake_sock listener;	/* the UDP one: its recv and sent, and for each ... */
	struct port_client from[FAKE_DGRAMS], to[FAKE_DGRAMS];
};

/* A ctx with small tables, all in one block. */
struct fake_world {
	struct ctx c;
	struct conf conf;
	struct netcfg net;
	struct counters count;
	uint8_t tcp_tos;	/* of the container's next TCP segment */
	struct io io;
	uint8_t hot[CTX_OUT_SIZE];
	uint8_t dgrams[CTX_DGRAMS * CTX_HOT_SIZE];
	struct flow flows[FAKE_FLOWS];
	uint32_t buckets[FLOW_BUCKETS];
	uint32_t next[FAKE_CHUNKS];
	uint8_t mem[FAKE_CHUNKS * HOLD_CHUNK];
	struct ranges ranges[FAKE_RANGES + 1];
	struct forward forwards[FAKE_FORWARDS];
	struct fragtab frags;
	uint8_t joined[FRAG_BYTES];	/* fragments to the container, put together */
	uint32_t joined_len, joined_id;
	uint8_t *kept[FAKE_KEPT], *seen;	/* fakeport's own */
	uint32_t nkept;
};

/* What a world is made with. */
struct fake_setup {
	uint32_t flows, chunks;		/* 0: FAKE_FLOWS, FAKE_CHUNKS */
	uint32_t mtu;			/* 0: 1500 */
	uint16_t ranges;		/* 0: FAKE_RANGES */
	bool no_vnet, no_offload, no_uso, no_peek;
};

/*
 * A world in which the container has 203.0.113.2/24 and 2001:db8:1::2/64 by
 * gateways .1 and ::1, its hostAddress is 169.254.1.2, the host is 203.0.113.2 and
 * 2001:db8:1::2. NULL, which stops the test, only without memory.
 */
struct fake_world *fake_start(const struct fake_setup *s);
/* Closes all flows, tests that nothing is left (reservations, chunks, sets of
 * pieces, sockets, lists), frees the world. */
void fake_stop(struct fake_world *w);

/* Stops the process, naming what does not hold. */
#define FAKE_HOLDS(x) ((x) ? (void)0 : fake_fail(__FILE__, __LINE__, #x))
_Noreturn void fake_fail(const char *file, int line, const char *what);

/* --- the container's frames --- */

struct fake_packet {
	struct addr src, dst;
	uint8_t proto, ttl, tos;	/* ttl 0: 64 */
	bool no_df;
	struct vnet vnet;		/* written if the tap has one */
	bool sum_later;			/* leave the pseudo-header's sum (VNET_F_NEEDS_CSUM) */
	const void *l4;			/* TCP, UDP or ICMP packet, checksum 0 */
	size_t len;
};

/* Sends it through ingress; returns what ingress_frame() says. The bytes of
 * frames that are kept live until the next fake_turn(). */
bool fake_ingress(struct fake_world *w, const struct fake_packet *p);
bool fake_ingress_raw(struct fake_world *w, const void *frame, size_t len);
bool fake_ingress_tcp(struct fake_world *w, const struct addr *src, const struct addr *dst,
		      const struct tcp *t, const void *data, size_t len);
bool fake_ingress_udp(struct fake_world *w, const struct addr *src, const struct addr *dst,
		      uint16_t sport, uint16_t dport, const void *data, size_t len,
		      uint16_t gso_size);
/* Flushes datagrams and ends a turn, as io/loop does. */
void fake_turn(struct fake_world *w);

/* --- frames towards the container --- */

struct fake_seen {
	struct vnet vnet;
	struct mac dst, src;
	uint16_t etype;
	struct ip ip;			/* ETYPE_IP4, ETYPE_IP6 */
	struct tcp tcp;			/* by ip.proto */
	struct udp udp;
	struct icmp icmp;
	struct arp arp;			/* ETYPE_ARP */
	const uint8_t *data;		/* payload behind all of these; until the next call */
	size_t len;
	uint16_t gso_size;		/* 0: one packet */
};

/* Takes the oldest frame, tested from end to end; false if there is none. The
 * fragments of a datagram count as one: .ip is that of the last, .len of the whole. */
bool fake_frame(struct fake_world *w, struct fake_seen *ret);
void fake_frames_drop(struct fake_world *w);

/* --- host sockets --- */

struct fake_sock *fake_last(struct fake_world *w);	/* opened last */
/* The flow a socket belongs to, NULL if it is gone. */
struct flow *fake_flow(struct fake_world *w, const struct fake_sock *s);
/* Bytes arrive (no event by itself). */
void fake_put(struct fake_sock *s, const void *data, size_t len);
void fake_put_dgram(struct fake_sock *s, const void *data, size_t len, uint16_t gso_size, int err);
/* A client connects to the TCP listener, a datagram comes to the UDP one; the
 * event with it. The container's address stands for the host's, as copied. */
void fake_client(struct fake_world *w, const struct addr *peer, uint16_t port,
		 const struct addr *local);
void fake_client_dgram(struct fake_world *w, const struct addr *peer, uint16_t port,
		       const struct addr *local, const void *data, size_t len, uint16_t gso_size);
/* The same, with its header. */
void fake_put_dgram_ip(struct fake_sock *s, const void *data, size_t len,
		       const struct flow_ip *ip);
/* An entry of the error queue, with len bytes of the packet; e->dst and e->ttl are
 * filled in where they are not set. As with Linux, it is an error of the socket too
 * unless it is local: the next call of another kind meets it, if the queue
 * is not read before. */
void fake_put_err(struct fake_sock *s, const struct port_err *e, const void *data, size_t len);
/* The same to a group's flow. */
void fake_put_from(struct fake_sock *s, const struct addr *from, uint16_t port, const void *data,
		   size_t len);
/* What epoll would say. */
void fake_event(struct fake_world *w, const struct fake_sock *s, bool readable, bool writable,
		bool error);
void fake_urgent_event(struct fake_world *w, const struct fake_sock *s);	/* ... before that */

/* A connection accepted on that side, from a client's endpoint to another's; its
 * socket, for splice_open(). */
int fake_accept(struct fake_world *w, enum splice_side side);
/* The socket of that side of a spliced flow, and what epoll would say of it
 * (enum splice_event). */
struct fake_sock *fake_side(struct fake_world *w, const struct flow *f, enum splice_side side);
void fake_side_event(struct fake_world *w, const struct fake_sock *s, unsigned int events);

void fake_check_splice(struct fake_world *w, const struct flow *f);

/* fakeport.c's own, for fakeworld.c and fakesplice.c. */
void *fake_need(void *p);		/* p, which is not NULL */
void fake_sock_clear(struct fake_sock *s);
int fake_slot(struct io *io);		/* a free one, or -EMFILE */
int fake_take_error(struct fake_sock *s);
void fake_bytes_add(struct fake_bytes *b, const void *src, size_t n);
void fake_bytes_drop(struct fake_bytes *b, size_t n);
void fake_bytes_free(struct fake_bytes *b);

/* Every invariant that flow.h and hold.h state about all flows. */
void fake_check(struct fake_world *w);

#endif
