/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctx: the engine's whole state, handed down every call; no file-scope state
 * beside it. Everything it points to is reserved before the first frame. */
#ifndef PROTO_CTX_H
#define PROTO_CTX_H

#include "conf/netcfg.h"
#include "conf/resolv.h"
#include "flow/counters.h"
#include "flow/flow.h"
#include "flow/forward.h"
#include "flow/frag.h"
#include "flow/groups.h"
#include "flow/portmap.h"
#include "flow/roster.h"

#define CTX_HOT_SIZE	65536u		/* one super-frame's payload */
#define CTX_OUT_SIZE	(4u * CTX_HOT_SIZE)	/* of those that are read at once: proto/tcp_out.c */
#define CTX_DGRAMS	32u		/* datagrams of one recvmmsg() */
#define CTX_PENDING	64u		/* the container's datagrams collected before they leave */
#define CTX_PLACED	6u		/* its large segments that leave together: 384 KiB, well in a CPU's L2 cache */

#define CTX_QUESTIONS	4096u		/* to the DNS forwarder, at once */

struct io;				/* core/io's own, behind port.h */

/* The DNS forwarder (proto/dns.h). */
struct forwarder {
	struct resolvers to;
	uint32_t gen;			/* changes with `to` */
	uint64_t heard_ms[RESOLVERS_MAX];	/* the last answer of each */
	uint64_t rests_ms[RESOLVERS_MAX];	/* it did not answer: the last to be asked until then */
	uint32_t count;			/* of all questions that became flows: its place ... */
	struct { uint32_t flow, gen; } asked[CTX_QUESTIONS];	/* ... in this ring */
};

/* A datagram of the container on its way out; its bytes lie in the frame it
 * came in, which stays until udp_flush(). */
struct pending {
	uint32_t flow;
	uint16_t gso_size;		/* 0: one datagram */
	struct flow_ip ip;
	struct iovec data;
};

/* Payload of a segment that is in rcv_nxt and still lies in its frame: proto/tcp_in.c. */
struct placed {
	uint32_t flow;
	struct iovec data;
};

struct ctx {
	const struct conf *conf;
	const struct netcfg *net;
	struct counters *count;
	struct io *io;
	uint64_t now;			/* ms, monotonic; set once a turn by io/loop */
	uint64_t now_us;
	uint32_t tap_vnet : 1;		/* frames follow a virtio-net header */
	uint32_t tap_csum : 1, tap_tso : 1, tap_uso : 1;	/* what frames may leave undone */
	uint32_t peek : 1;		/* SO_PEEK_OFF works here */
	struct mac guest_mac;		/* who frames to the container are for */
	struct sipkey isn_key;		/* RFC 6528 */

	struct flowtab flows;
	struct forwardtab forwards;
	struct roster *roster;		/* proto/orphan.h; NULL: nobody is to know */
	uint32_t engine;		/* our number in it */
	uint32_t orphan_next, orphan_end;	/* its places still to be looked at */
	uint32_t half_open;		/* flows in TCPS_SYN_SENT */
	uint64_t accept_at;		/* accept() found no descriptor: not before; 0: go on */
	struct wheel wheel;
	struct hold_pool pool;
	struct ranges_pool ranges;
	struct portmaps maps;
	struct fragtab *frags;
	struct groups groups;
	struct forwarder dns;
	uint32_t ip_id;			/* of the next datagram that we fragment */
	uint64_t icmp_full_at;		/* proto/icmp_error's budget: full again then */
	uint64_t starved_at;		/* flows with TCPM_STARVED try again then; 0: there are none */
	uint32_t finish_head;		/* TCP flows with TCPM_LISTED, through list_next */
	uint32_t splice_head, splice_tail;	/* spliced flows that wait for an inner socket */
	uint32_t relay_head;		/* relayed ones that do, through dg.wait_next */
	uint32_t epoch;			/* TCP_EPOCH_MS each: how many flows sent data ... */
	uint32_t senders, last_senders;	/* ... in this one so far, and in the last */
	uint64_t ra_due, ra_last;	/* next and last Router Advertisement to all; 0: none */
	uint8_t ra_initial;		/* of those sent so far, up to RFC 4861's first three */
	uint8_t catch_up;		/* turns left in which no timer fires: proto_late() */
	bool tap_blocked;		/* the tap pushed back; tried again 1 ms later ... */
	bool tap_waits;			/* ... or when this is over, which its port tells */
	bool paced;			/* the host's TCP sends what it is given over a while */
	bool splice_more;		/* a spliced flow wants another turn, whatever the tap does */

	uint8_t *hot;			/* CTX_OUT_SIZE: payload on its way to the container */
	uint8_t *dgrams;		/* CTX_DGRAMS * CTX_HOT_SIZE: received datagrams */
	struct pending pending[CTX_PENDING];
	uint32_t npending;
	struct placed placed[CTX_PLACED];
	uint32_t nplaced;
};

#endif
