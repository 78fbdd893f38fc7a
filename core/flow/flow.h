/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow: the table of flows and their life-cycle.
 *
 * A flow is one conversation of the container: a TCP connection, a UDP pair of
 * endpoints, an ICMP echo identifier towards one destination, a question to the DNS
 * forwarder. It has two
 * sides: inner (what the container sees: its own end and the remote one) and
 * outer (one host socket, connected to where the remote really is).
 * A spliced flow never meets the tap: it is two sockets joined, the outer one on
 * the host, the inner one in the container's namespace (proto/splice.h); a relayed one is
 * the same of datagrams, of one client of a listener (proto/relay.h).
 *
 *   state         who may hold it           allowed
 *   FLOW_FREE     nobody                    flow_new()
 *   FLOW_OPEN     table, lists, a socket    everything
 *   FLOW_LINGER   table, timer; no socket   flow_free(), reuse by a new SYN
 *
 * Never hold a struct flow pointer across flow_free() of it, nor an index
 * across a turn of the loop without comparing `gen`.
 *
 * Bounded: FLOW_MAX flows; when full the least recently used UDP or echo flow, or one
 * that lingers, is evicted, else the new flow is refused. Memory is virtual until used.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/siphash.h"
#include "flow/hold.h"
#include "flow/ranges.h"
#include "flow/tally.h"
#include "flow/wheel.h"

#define FLOW_MAX	131072u
#define FLOW_BUCKETS	65536u		/* power of two */
#define FLOW_NONE	UINT32_MAX

enum flow_proto {
	FLOW_TCP, FLOW_UDP, FLOW_PING, FLOW_SPLICE, FLOW_DNS, FLOW_RELAY, FLOW_PROTO_COUNT
};
enum flow_state { FLOW_FREE, FLOW_OPEN, FLOW_LINGER, FLOW_STATE_COUNT };

extern const char *const flow_proto_names[FLOW_PROTO_COUNT];
extern const char *const flow_state_names[FLOW_STATE_COUNT];

/* The container's view of a conversation; all of it is hashed. For FLOW_PING
 * inner_port is the echo identifier and remote_port 0; of FLOW_DNS remote_port is the
 * question's identifier (the port is the forwarder's, 53). Of a spliced flow it is
 * what was accepted: its own end, and the remote one of who connected; nobody
 * looks for it by key. Of a relayed one it is the listener's end and the client's. */
struct flow_key {
	struct addr inner, remote;
	uint16_t inner_port, remote_port;
	uint8_t proto;			/* enum flow_proto */
	uint8_t reverse;		/* FLOW_RELAY: 1 if the client is in the container */
	uint8_t pad[2];			/* zero: the key is hashed and compared as bytes */
};

/* What passes of an IP header, packet by packet: we are a router (proto/hop.h). */
struct flow_ip {
	uint8_t ttl;			/* hop limit, as it leaves or came: never 0 outwards */
	uint8_t tos;			/* traffic class: DSCP and ECN */
	bool df;			/* not to be fragmented on its way */
};

static inline bool flow_ip_eq(const struct flow_ip *a, const struct flow_ip *b)
{
	return a->ttl == b->ttl && a->tos == b->tos && a->df == b->df;
}

/* Bits of flow.ready: why the flow stands in the queue of flows to serve. */
enum flow_ready {
	FLOW_QUEUED = 1 << 0,		/* is in the queue */
	FLOW_READABLE = 1 << 1,		/* the socket may have something to read */
	FLOW_ERRORS = 1 << 2,		/* its error queue may hold something (datagram flows) */
};

enum tcp_state {
	TCPS_CONNECTING,	/* the container's SYN is here, the host's connect() under way */
	TCPS_SYN_SENT,		/* a client of a forwarded port is here, our SYN under way */
	TCPS_SYN_RCVD,
	TCPS_OPEN,
	TCPS_TIME_WAIT,
	TCPS_COUNT
};

enum tcp_mark {
	TCPM_IN_FIN = 1 << 0,		/* the container's FIN is in rcv_nxt */
	TCPM_IN_SHUT = 1 << 1,		/* ... and was passed on: shutdown(SHUT_WR) done */
	TCPM_OUT_EOF = 1 << 2,		/* the remote's end was read */
	TCPM_FIN_SENT = 1 << 3,		/* ... and our FIN is in snd_nxt */
	TCPM_FIN_ACKED = 1 << 4,
	TCPM_ACK = 1 << 5,		/* an ACK is owed before this turn ends */
	TCPM_TIMING = 1 << 6,		/* rtt_seq is being timed */
	TCPM_RECOVERY = 1 << 7,		/* recover is valid: lost data below it is being resent */
	TCPM_BLOCKED = 1 << 8,		/* data wait, the container's window does not let them go */
	TCPM_DISCARD = 1 << 9,		/* acknowledged bytes wait to be dropped from the socket */
	TCPM_LISTED = 1 << 10,		/* in the list of flows to finish this turn */
	TCPM_NO_PEEK = 1 << 11,		/* own ring (`ring`) in place of SO_PEEK_OFF */
	TCPM_ZERO_WND = 1 << 12,	/* we showed the container a closed window */
	TCPM_ACTIVE = 1 << 13,		/* our FIN came first: TIME-WAIT is ours (RFC 9293, 3.6) */
	TCPM_FAILED = 1 << 14,		/* the socket said so: RST follows what is still to be read */
	TCPM_SACK = 1 << 15,		/* selective acknowledgments, both ways (RFC 2018) */
	TCPM_TS = 1 << 16,		/* timestamps on every segment (RFC 7323, 3) */
	TCPM_TALK = 1 << 17,		/* the container asks and the remote answers: an ACK can wait
					 * a moment for the answer */
	TCPM_FIN_AHEAD = 1 << 18,	/* the container's FIN came out of order: fin_seq */
	TCPM_TAIL = 1 << 19,		/* the end of what is under way was sent again, once */
	TCPM_ECN = 1 << 20,		/* the container asked for ECN (RFC 3168, 6.1.1) ... */
	TCPM_ECE = 1 << 21,		/* ... and is told of congestion until it answers by CWR */
	TCPM_IN_URG = 1 << 22,		/* the container's urgent byte in_urg was not passed yet */
	TCPM_OUT_PRI = 1 << 23,		/* the host's kernel said that it has urgent data */
	TCPM_OUT_URG = 1 << 24,		/* out_urg is to be told of */
	TCPM_DNS = 1 << 26,		/* to the DNS forwarder, which looks into it: proto/dns_tcp.h */
	TCPM_STARVED = 1 << 25,		/* the host had no memory for what is held: ctx.starved_at */
	TCPM_GATHERED = 1 << 27,	/* what is held leaves when this turn ends: tcp_gathered() */
	TCPM_BULK = 1 << 28,		/* TCP_BULK came: port_bulk() was told */
	TCPM_ACK_LATE = 1 << 29,	/* TCPM_ACK is for segments in order only, behind which more comes */
};

/*
 * Sequence numbers (RFC 9293, 3.3.1): rcv_* count what the container sends,
 * snd_* what we send to it.
 *   rcv_nxt - hold.len - in place <= what the host socket took <= rcv_nxt <= rcv_adv
 *   snd_base <= snd_una <= snd_nxt; snd_base is the first byte the socket (or
 *   the ring) still has; hold.len + in place + (rcv_adv - rcv_nxt) <= in_cap + one granule
 * In place (ctx.placed) are bytes only within a turn, and only while hold is empty.
 * What came beyond rcv_nxt stands in `hold` where it belongs, its place in `ooo`.
 */
struct tcp_flow {
	uint32_t rcv_nxt, rcv_adv, rcv_acked;
	uint32_t in_cap;		/* bytes of window reserved in the hold arena */
	uint32_t in_mark;		/* rcv_nxt when in_cap was last judged */
	uint32_t epoch;			/* ctx.epoch when the container last sent data */
	struct hold hold;
	uint32_t iss, irs;
	uint32_t snd_una, snd_nxt, snd_base;
	uint32_t snd_wnd, snd_wl1, snd_wl2, max_wnd;
	uint32_t peek_at;		/* where SO_PEEK_OFF stands, from snd_base */
	uint32_t recover;
	uint32_t rtt_seq;
	uint64_t rtt_at;
	uint64_t deadline;		/* of the timer that runs, 0: none */
	uint64_t ack_due;		/* an ACK that waits for company, 0: none */
	uint32_t ts_recent;		/* RFC 7323, 4.3 */
	uint32_t heard_ms;		/* when data last came from the container (low bits) ... */
	uint32_t alive_s;		/* ... and anything at all */
	uint32_t resend_nxt;		/* in recovery: up to here holes were sent again ... */
	uint32_t resend_mark;		/* ... the last of them when snd_nxt was this; */
	uint32_t head_mark;		/* the first hole at the latest when snd_nxt was this */
	uint32_t fin_seq;
	uint32_t in_urg;		/* the container's urgent byte */
	uint32_t out_urg;		/* the byte behind the remote's urgent one */
	uint32_t challenge_ms;		/* when what did not fit was answered last, 0: never */
	uint32_t dns_pass;		/* TCPM_DNS: bytes of a question that pass; of what comes back */
	uint16_t dns_rest, dns_half;	/* ... those missing of a message, and half of its length */
	uint16_t ooo;			/* ranges beyond rcv_nxt that came, 0: none */
	uint16_t sacked;		/* ranges beyond snd_una that the container has, 0: none */
	struct hold ring;		/* from snd_base on, with TCPM_NO_PEEK */
	uint32_t ring_cap;
	uint16_t srtt8, rttvar4, rto;	/* ms; times 8 and 4 as RFC 6298 and BSD have it */
	uint16_t mss;			/* of segments to the container */
	uint32_t marks;			/* enum tcp_mark */
	uint8_t state;			/* enum tcp_state */
	uint8_t snd_wscale : 4, rcv_wscale : 4;	/* at most 14 (RFC 7323, 2.3) */
	uint8_t dupacks, retries;
	uint8_t head_tries;		/* the first hole was resent so often by its own timer */
	uint8_t ack_run;		/* one acknowledgment is enough for mss << ack_run bytes; 0: for none */
	uint16_t keep_s;		/* the host asks the remote as often as the container does, 0: as it is set */
	uint32_t keep_ms;		/* when the container last asked (low bits), 0: never */
	uint32_t retransmits;		/* segments sent again */
	uint32_t list_next;
};

struct dgram_flow {
	uint64_t last_ms;		/* of the last datagram either way */
	uint32_t rx;			/* datagrams from who did not begin, saturating */
	uint32_t via;			/* the listener the client speaks to, which also answers;
					 * FORWARD_NONE: the flow is the container's own */
	uint32_t local_scope;		/* ... and the interface, for link-local, else 0 */
	struct addr local;		/* ... the address that the client spoke to */
	uint32_t map;			/* FLOW_UDP: whose port the socket has; PORTMAP_NONE */
	uint16_t outer_id;		/* FLOW_PING, raw: the identifier outside */
	uint16_t seq;			/* FLOW_PING: of the last request (RFC 792) */
	uint16_t mtu;			/* of a link inside, where one said that it is smaller, else 0 */
	uint16_t asked;			/* to port 53: questions not answered yet, saturating */
	bool raw;			/* FLOW_PING: by the socket that all share (io/rawping.h) */
	bool no_gso;			/* the path refused UDP_SEGMENT once */
	bool waiting;			/* FLOW_RELAY: for a socket, in a list; meanwhile ... */
	bool reserved;			/* ... there may be room in the arena ... */
	struct hold held;		/* ... for what came (proto/relay.c) */
	uint32_t wait_next;
};

/* One question to the DNS forwarder, until it is answered (proto/dns.h). */
struct dns_flow {
	struct hold query;		/* as it came, in one chunk of the arena */
	uint64_t asked_ms;		/* when the resolver was asked */
	uint16_t id;			/* outside */
	uint8_t tries;			/* resolvers asked so far */
	uint8_t tried;			/* bits: which, by their place in the list */
	uint8_t at;			/* place of the one that is asked */
	uint32_t list_gen;		/* of the list that these are places of */
};

/* The sides of a spliced flow; a way leads from one to the other. */
enum splice_side { SPLICE_OUTER, SPLICE_INNER };

enum splice_state { SPLICES_WAITING, SPLICES_CONNECTING, SPLICES_OPEN };

enum splice_mark {
	/* of the side's socket */
	SPM_READABLE = 1 << 0,		/* there may be something to read */
	SPM_WRITABLE = 1 << 1,		/* it may take something */
	SPM_ENDING = 1 << 2,		/* its end or an error was announced behind the data */
	SPM_URGENT = 1 << 3,		/* there may be an urgent byte, which splice(2) does not pass */
	SPM_FAILED = 1 << 4,		/* reset, or dead otherwise: nothing more goes to it */
	/* of the way from this side */
	SPM_BULK = 1 << 5,		/* much came last time: worth a pipe */
	SPM_END = 1 << 6,		/* nothing more will be read ... */
	SPM_SHUT = 1 << 7,		/* ... and the other side was told, or is dead */
	SPM_PLAIN = 1 << 8,		/* the next byte is not urgent: the last event said so */
};

struct splice_end {
	int pipe[2];			/* of the way from this side; -1: it has none */
	uint32_t fill;			/* bytes in it */
	uint16_t marks;			/* enum splice_mark */
};

struct splice_flow {
	struct splice_end end[2];	/* by enum splice_side */
	int inner;			/* the inner socket, -1: none; the outer is flow.sock */
	uint32_t wait_next;		/* in SPLICES_WAITING: list of those without a socket */
	uint8_t state;			/* enum splice_state */
	uint8_t caller;			/* the side that was accepted; we connect the other */
};

struct flow {
	struct flow_key key;
	struct addr outer;		/* where the socket is connected ... */
	uint32_t outer_scope;		/* ... interface index for link-local and groups, else 0 */
	uint16_t outer_port;
	uint8_t state;			/* enum flow_state */
	uint8_t ready;			/* enum flow_ready */
	struct flow_ip ip;		/* what the socket's packets carry unless told otherwise */
	int sock;			/* -1: none */
	uint32_t gen;			/* changes with each use of the slot; 24 bits count */
	uint32_t hash_next;
	uint32_t ready_next;
	uint32_t lru_next, lru_prev;	/* UDP, echo and lingering flows, oldest use first */
	bool inbound;			/* a client of a forwarded port began it */
	uint16_t tally;			/* place of its rule's; 0: none */
	struct timer timer;
	uint64_t opened_ms;
	uint64_t used_ms;		/* when payload last passed, for those who look */
	uint64_t tx_bytes, rx_bytes;	/* of payload, out of the container and into it */
	union {
		struct tcp_flow tcp;
		struct dgram_flow dg;
		struct splice_flow splice;
		struct dns_flow dns;
	};
};

struct flowtab {
	struct flow *flows;		/* FLOW_MAX of them, virtual until used */
	uint32_t *buckets;		/* index + 1 of the first; 0: empty */
	struct sipkey key;
	uint32_t fresh;			/* slots from here on were never used */
	uint32_t free;			/* list through hash_next */
	uint32_t count;
	uint32_t max;			/* <= FLOW_MAX */
	uint32_t lru_head, lru_tail;
	uint32_t ready_head, ready_tail, nready;
	struct tally *tallies;		/* TALLIES of them; NULL: rules are not counted by */
};

/* Over zeroed memory: FLOW_MAX flows and FLOW_BUCKETS buckets. */
void flow_init(struct flowtab *t, struct flow *flows, uint32_t *buckets,
	       const struct sipkey *key, uint32_t max);

struct flow *flow_find(const struct flowtab *t, const struct flow_key *key);

/* A new flow of that key (which must not be in the table), FLOW_OPEN, no
 * socket; NULL when the table is full. */
struct flow *flow_new(struct flowtab *t, const struct flow_key *key, uint64_t now);

/* Takes it out of the table, the LRU list and the ready queue. The caller has
 * closed the socket, stopped the timer and emptied the holds. */
void flow_free(struct flowtab *t, struct flow *f);

static inline uint32_t flow_idx(const struct flowtab *t, const struct flow *f)
{
	return (uint32_t)(f - t->flows);
}

static inline struct flow *flow_at(const struct flowtab *t, uint32_t idx)
{
	return &t->flows[idx];
}

/* Puts f at the young end of the LRU list (or moves it there). */
void flow_touch(struct flowtab *t, struct flow *f);
/* The least recently used of the list, or NULL. */
struct flow *flow_oldest(const struct flowtab *t);

/* Queue of flows to serve, first in first out; a flow stands in it once. */
void flow_enqueue(struct flowtab *t, struct flow *f);
struct flow *flow_dequeue(struct flowtab *t);

/* What the rule that let its client in is counted by, or NULL. */
static inline struct tally *flow_tally(const struct flowtab *t, const struct flow *f)
{
	return tally_at(t->tallies, f->tally);
}

/* Payload passed: out of the container, into it. */
static inline void flow_sent(const struct flowtab *t, struct flow *f, uint64_t bytes, uint64_t now)
{
	struct tally *by = flow_tally(t, f);

	f->tx_bytes += bytes;
	f->used_ms = now;
	if (by)
		by->tx_bytes += bytes;
}

static inline void flow_got(const struct flowtab *t, struct flow *f, uint64_t bytes, uint64_t now)
{
	struct tally *by = flow_tally(t, f);

	f->rx_bytes += bytes;
	f->used_ms = now;
	if (by)
		by->rx_bytes += bytes;
}

static inline void flow_refused(const struct flowtab *t, const struct flow *f)
{
	struct tally *by = flow_tally(t, f);

	if (by)
		by->refused++;
}

static inline enum splice_side splice_other(enum splice_side side)
{
	return side == SPLICE_OUTER ? SPLICE_INNER : SPLICE_OUTER;
}

/* The socket of that side of a spliced flow. */
static inline int *splice_sock(struct flow *f, enum splice_side side)
{
	return side == SPLICE_OUTER ? &f->sock : &f->splice.inner;
}

/* To a multicast group or to all: the socket is not connected, answers come from anyone. */
static inline bool flow_is_group(const struct flow *f)
{
	return addr_is_multicast(&f->outer) || addr_is_broadcast(&f->outer);
}

/* To a neighbour or a group of the outer interface's link: not forwarded, proto/hop.h. */
static inline bool flow_is_on_link(const struct flow *f)
{
	return f->outer_scope != 0;
}

/* Hears what others send to a group: proto/group.h. */
static inline bool flow_is_listener(const struct flow *f)
{
	return addr_is_multicast(&f->key.inner);
}

static inline bool flow_is4(const struct flow *f)
{
	return addr_is4(&f->key.inner);
}

#endif
