/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp: the container's TCP connections, each joined to a host socket.
 *
 * Two halves that share one struct flow (flow/flow.h has the sequence number
 * invariants):
 *
 *   in   container -> remote   tcp_in.c: a segment's payload goes to send() at
 *        once, several small ones of one turn together; what the host does not take waits in flow.hold, whose free
 *        space is the window we show. All that is taken or held is acknowledged,
 *        once per flow and batch of frames (tcp_finish()).
 *   out  remote -> container   tcp_out.c: bytes are peeked from the socket, sent,
 *        and dropped from it when the container acknowledges them; so the
 *        kernel's receive buffer is the retransmission queue. Without
 *        SO_PEEK_OFF (Linux < 6.9) flow.ring is that queue.
 *
 *   tcp_open.c   SYN, connect(), SYN-ACK, and what a failed connect() becomes
 *   tcp_dial.c   the other way: a client of a forwarded port, our SYN to the container
 *   tcp_timer.c  the one timer of a flow: RTO (RFC 6298), SYN-ACK, window probe, linger
 *   tcp.c        entry points, RST, the end of a connection
 *
 * A connection is over when the container's FIN was passed on and ours was
 * acknowledged, when either side resets it, or when retransmissions end. The
 * flow then lingers a moment without a socket where TIME-WAIT is ours.
 *
 * Loss on the link between us and the container (none on a tap, some behind a
 * UNIX socket or a bridge): what comes out of order is kept where it belongs in
 * flow.hold and shown by SACK (RFC 2018); what the container lacks is sent
 * again hole by hole by its SACKs (RFC 6675), the first hole once more whenever
 * data sent after its last resending arrived and it did not (RFC 8985's idea), the
 * end of what is under way once more when nothing is heard of it (RFC 8985, 7).
 * There is no congestion window: the link is memory, its limit is EAGAIN and the
 * container's window.
 *
 * Hop limit and DSCP of what the container sends are the socket's, from the SYN on;
 * what comes from the remote has IP_DEFAULT_TTL and no DSCP, since a stream does not
 * tell them.
 *
 * ECN (RFC 3168) where the container asks for it: what a queue on its side marks is
 * echoed. Our own segments are not marked as capable of it: a mark could not slow
 * what has no congestion window. The other side's ECN is the host kernel's.
 *
 * Urgent data (RFC 9293, 3.8.5): the byte before the one the pointer says, as all systems
 * have it (RFC 6093). The container's is sent by MSG_OOB when its turn comes; for the remote's
 * the pointer stands on all segments up to it, which are single ones as long. An urgent
 * byte that another follows before it was passed is an ordinary one then, as with
 * any receiver.
 *
 * The MSS is the SYN's until a router inside says that a segment was too large for a link of
 * its own (tcp_out_path_mtu()); it does not grow again.
 *
 * Deviations: the window scale is fixed at SYN. An ACK waits up to
 * TCP_ACK_WAIT_MS for the remote's answer where the flow is a conversation of small
 * segments, or where it is one for a run of them without offloads (RFC 1122, 4.2.3.2 allows
 * 500 ms, and asks for one ACK for two full segments: one for a run is what GRO makes of a bulk).
 */
#ifndef PROTO_TCP_H
#define PROTO_TCP_H

#include "proto/ctx.h"
#include "proto/frame.h"
#include "wire/ip.h"
#include "wire/tcp.h"

#define TCP_WSCALE		8	/* ours: windows to 16 MiB in steps of 256 */
#define TCP_IN_CAP_FIRST	32768u	/* first window shown, with few flows */
#define TCP_IN_CAP_MAX		(1u << 20)
#define TCP_IN_SHARED		(512u << 10)	/* windows of several senders, together ... */
#define TCP_IN_SHARE_LEAST	(64u << 10)	/* ... but each at least this */
#define TCP_EPOCH_MS		64u
#define TCP_RING_MAX		(1u << 20)
#define TCP_BULK		65536u		/* bytes of a remote that may send much: port_bulk() */
#define TCP_RING_STEP		65536u
#define TCP_MSS_MIN		88u	/* what a peer's MSS option is raised to: fewer payload bytes are an attack */
#define TCP_RTO_MIN		200u	/* ms; RFC 6298 2.4 asks 1 s, Linux and BSD take this */
#define TCP_RTO_FIRST		1000u	/* RFC 6298 2.1 */
#define TCP_RTO_MAX		60000u	/* RFC 6298 2.5 */
#define TCP_RETRIES		15u	/* RFC 1122 4.2.3.5 R2: well over 100 s */
#define TCP_SYN_RETRIES		5u
/* Without checksum offload Linux copies each segment into one piece of memory before it
 * leaves. Up to 32 KiB with headers and all such a piece is cheap, above it is not: a guest
 * uploads at MTU 65520 half as fast again with this one as with 65480. */
#define TCP_MSS_LINEAR		31744u
#define TCP_HALF_OPEN_MAX	1024u	/* flows whose SYN to the container is not answered yet */
#define TCP_HEAD_MS		10u	/* beyond two round trips: then a hole is sent again ... */
#define TCP_HEAD_TRIES	8u	/* ... at most so often before the RTO */
#define TCP_IDLE_S		900u	/* nothing heard for so long: is it still there? ... */
#define TCP_IDLE_STEP_S	75u	/* ... asked so often ... */
#define TCP_IDLE_TRIES	9u	/* ... and so many times (RFC 9293, 3.8.4) */
#define TCP_KEEP_MAX_S	32767u	/* tcp(7) takes no more */
#define TCP_LINGER_MS		2000u	/* TIME-WAIT on a link without stray segments */
#define TCP_CHALLENGE_MS	100u	/* between answers of one flow to what does not fit */
#define TCP_STARVED_MS		20u	/* a host without memory is tried again */
#define TCP_PAST_GAP		65536u	/* a connection of the same ends begins so far beyond the last */
#define TCP_DUPACKS		3u	/* RFC 5681, 3.2; RFC 6675, DupThresh */
#define TCP_ACK_RUN		65536u	/* bytes of a bulk without offloads that one ACK is enough for */
#define TCP_ACK_WAIT_MS		2u	/* so short that no program's small writes wait to be seen */
#define TCP_TALK_MS		40u	/* an answer within this makes a conversation */
#define TCP_GATHER_MOST	16384u	/* bytes of a segment that is copied, to leave with others; larger ones are not */
#define TCP_OUT_BUDGET		4u	/* super-frames of one flow in one turn: CTX_OUT_SIZE */
#define TCP_RESEND_SEGS		10u	/* of one retransmission */

static inline bool seq_lt(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return (int32_t)(a - b) <= 0; }

/* --- entry points, for ingress and io/loop --- */

/* One segment of the container: ip and t are read, data are its len bytes of
 * payload (a super-frame counts as one segment). */
void tcp_segment(struct ctx *c, const struct ip *ip, const struct tcp *t, const void *data,
		 size_t len);
/* The flow's socket became readable, writable or failed. */
void tcp_socket_event(struct ctx *c, struct flow *f, bool readable, bool writable, bool error);
/* ... or has urgent data: the next tcp_out() looks where. */
void tcp_urgent_event(struct flow *f);
/* Serves a flow out of the ready queue; true if it wants another turn. */
bool tcp_serve(struct ctx *c, struct flow *f);
/* The flow's timer fired. */
void tcp_timer(struct ctx *c, struct flow *f);
/* The end of a turn: owed ACKs, bytes to drop from sockets. */
void tcp_finish(struct ctx *c);
/* The end of a turn, before tcp_finish(): what was gathered of each flow goes to its socket. */
void tcp_gathered(struct ctx *c);
/* What lies in frames leaves, before these get other bytes; tcp_gathered() does it too. */
void tcp_in_flush(struct ctx *c);
/* Whether the segment whose payload this is stays in its frame until then. */
bool tcp_in_keeps(const struct ctx *c, const void *data, size_t len);
/* The host had no memory: once a moment all flows try again that it had none for. */
void tcp_starved(struct ctx *c);
/* An accepted client's connection becomes a flow of that key, which is not in the table: SYN to the
 * container (RFC 9293, 3.10.1). Takes sock over, also if it fails: false, and the
 * client is reset. tally: where it is counted, see flow.h. */
bool tcp_dial(struct ctx *c, const struct flow_key *key, int sock, const struct addr *client,
	      uint16_t client_port, uint16_t tally);
/* Room in the table for a key: what lingers there ends (RFC 9293, 3.6.1). False: it is in use. */
bool tcp_vacate(struct ctx *c, const struct flow_key *key);

/* --- between the tcp files --- */

/*
 * The sequence number of a segment without text: the next one, or the end of the window
 * where the container took back what it had offered. Linux does when memory runs out: it
 * drops what came and offers nothing, and then all that lies beyond, with the
 * acknowledgment in it (RFC 9293, 3.8.6, 3.10.7.4): its own sending would stand still
 * until its program reads. Less than the window's granule may be its rounding.
 */
static inline uint32_t tcp_bare_seq(const struct tcp_flow *t)
{
	uint32_t beyond = t->snd_nxt - (t->snd_una + t->snd_wnd);

	if (t->state != TCPS_OPEN || (int32_t)beyond < 1 << t->snd_wscale)
		return t->snd_nxt;
	return t->snd_nxt - beyond;
}

/*
 * Of what goes to the container a segment is at most half of the largest window: a buffer
 * of little more than one could hold no second, and a receiver that once showed less than what
 * is left beside a segment might never show more (Linux waits for place for one as large
 * as those that come): a timer's wait for each piece (RFC 9293, 3.8.6.2.1). And a frame that
 * the tap divides has two at least: Linux acknowledges each such frame, but of whole ones only
 * every second, and meanwhile what waits for its reader leaves the CPU's caches.
 */
static inline uint16_t tcp_segment_size(const struct ctx *c, const struct tcp_flow *t)
{
	uint32_t most = c->tap_tso ? FRAME_GSO_MAX / 2 : FRAME_GSO_MAX;

	return (uint16_t)MIN_OF(MIN_OF((uint32_t)t->mss, most), MAX_OF(t->max_wnd / 2, 1u));
}

/* tcp.c */
void tcp_mark(struct ctx *c, struct flow *f, uint32_t mark);	/* sets it, lists f for tcp_finish() */
void tcp_abort(struct ctx *c, struct flow *f, bool tell_container, bool tell_remote);
void tcp_end_check(struct ctx *c, struct flow *f);		/* over? then f is gone or lingers */
int tcp_send_segment(struct ctx *c, struct flow *f, uint8_t flags, uint32_t seq,
		     const struct iovec *iov, int n, size_t len, size_t *sent);
void tcp_options(const struct ctx *c, const struct flow *f, struct tcp_opts *ret); /* of all but SYN */
struct flow_ip tcp_ip(const struct ip *ip);	/* of a segment, for the socket */
void tcp_reply_rst(struct ctx *c, const struct flow_key *key, const struct tcp *t, size_t len);
void tcp_free(struct ctx *c, struct flow *f);
void tcp_established(struct ctx *c, struct flow *f, const struct tcp *t);	/* by that ACK of our SYN */

/* tcp_open.c */
/* The connection that a SYN ended the TIME-WAIT of: how far we had counted. */
struct tcp_past {
	bool known;
	uint32_t snd_nxt;
};
void tcp_open(struct ctx *c, const struct flow_key *key, const struct ip *ip,
	      const struct tcp *syn, struct tcp_past past);
void tcp_connected(struct ctx *c, struct flow *f);
void tcp_open_timeout(struct ctx *c, struct flow *f);	/* of the DNS forwarder's only */
int tcp_send_synack(struct ctx *c, struct flow *f);
uint32_t tcp_initial_seq(const struct ctx *c, const struct flow_key *key);
void tcp_init(struct ctx *c, struct flow *f, enum tcp_state state, uint32_t iss); /* all but the peer's SYN */
void tcp_take_syn(struct ctx *c, struct flow *f, const struct tcp *syn);
uint16_t tcp_our_mss(const struct ctx *c, bool v4);
/* What the container is told; not more than TCP_MSS_LINEAR where it has no offloads. */
uint16_t tcp_offered_mss(const struct ctx *c, bool v4);

/* tcp_dial.c */
int tcp_send_syn(struct ctx *c, struct flow *f);
void tcp_dialled(struct ctx *c, struct flow *f, const struct tcp *t, size_t len);
bool tcp_dial_refused(struct ctx *c, struct flow *f, uint32_t seq);	/* by ICMP, about that segment */
void tcp_dial_end(struct ctx *c, struct flow *f, uint8_t state);	/* no longer half open */

/* tcp_in.c */
bool tcp_in_data(struct ctx *c, struct flow *f, const void *data, size_t len); /* false: f is gone */
void tcp_in_ahead(struct ctx *c, struct flow *f, uint32_t seq, const void *data, size_t len);
bool tcp_in_drain(struct ctx *c, struct flow *f);			/* false: f is gone */
bool tcp_in_fin(struct ctx *c, struct flow *f);				/* false: f is gone */
void tcp_in_urgent(struct flow *f, const struct tcp *t);		/* what its pointer says */
uint16_t tcp_in_window(struct ctx *c, struct flow *f);			/* the field; moves rcv_adv */
static inline uint32_t tcp_in_chunks(uint32_t cap)	/* the window is rounded up to its granule */
{
	return hold_chunks(cap + (1u << TCP_WSCALE) - 1);
}
bool tcp_in_reserve(struct ctx *c, struct flow *f);
void tcp_in_release(struct ctx *c, struct flow *f);

/* tcp_out.c */
bool tcp_out(struct ctx *c, struct flow *f, bool *more);		/* false: f is gone */
bool tcp_out_ack(struct ctx *c, struct flow *f, const struct tcp *t, bool dup_shape); /* false: f is gone */
bool tcp_out_resend(struct ctx *c, struct flow *f);			/* false: f is gone */
bool tcp_out_resend_head(struct ctx *c, struct flow *f);		/* false: f is gone */
bool tcp_out_resend_tail(struct ctx *c, struct flow *f);		/* false: f is gone */
bool tcp_out_path_mtu(struct ctx *c, struct flow *f, uint32_t seq, uint32_t mtu); /* false: not heeded */
uint32_t tcp_out_tail(const struct tcp_flow *t);	/* bytes of data under way */
void tcp_out_discard(struct ctx *c, struct flow *f);
void tcp_out_release(struct ctx *c, struct flow *f);

/* tcp_timer.c */
void tcp_timer_set(struct ctx *c, struct flow *f, uint64_t ms);
void tcp_timer_sent(struct ctx *c, struct flow *f);			/* new data */
void tcp_timer_resend(struct ctx *c, struct flow *f);			/* something is under way */
void tcp_timer_head(struct ctx *c, struct flow *f);	/* a hole was shown */
void tcp_timer_ack(struct ctx *c, struct flow *f);			/* an ACK may wait */
void tcp_timer_alive(struct ctx *c, struct flow *f);		/* something was heard */
void tcp_timer_clear(struct flow *f);
void tcp_timer_rtt(struct ctx *c, struct flow *f);			/* a sample is in */
void tcp_timer_rto(struct flow *f);		/* rto from the samples, back-off forgotten */

#endif
