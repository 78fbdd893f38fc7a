/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/tcp.h"

#include <errno.h>

#include "proto/frame.h"
#include "proto/hop.h"
#include "proto/orphan.h"
#include "proto/port.h"
#include "wire/numbers.h"

void tcp_mark(struct ctx *c, struct flow *f, uint32_t mark)
{
	if (mark & TCPM_ACK)
		f->tcp.marks &= ~(uint32_t)TCPM_ACK_LATE;
	f->tcp.marks |= mark;
	if (f->tcp.marks & TCPM_LISTED)
		return;
	f->tcp.marks |= TCPM_LISTED;
	f->tcp.list_next = c->finish_head;
	c->finish_head = flow_idx(&c->flows, f);
}

/* Takes f out of the list of flows to finish; rare, and the list is one turn's. */
static void unlist(struct ctx *c, struct flow *f)
{
	uint32_t idx = flow_idx(&c->flows, f), *link = &c->finish_head;

	if (!(f->tcp.marks & TCPM_LISTED))
		return;
	while (*link != idx)
		link = &flow_at(&c->flows, *link)->tcp.list_next;
	*link = f->tcp.list_next;
}

void tcp_free(struct ctx *c, struct flow *f)
{
	unlist(c, f);
	tcp_dial_end(c, f, f->tcp.state);
	wheel_stop(&c->wheel, flow_idx(&c->flows, f));
	port_close(c, f, false);
	tcp_in_release(c, f);
	tcp_out_release(c, f);
	orphan_forget(c, f);
	flow_free(&c->flows, f);
	c->count->flows_closed++;
}

/* RFC 2018, 4: the piece that changed last first, then those before it, which
 * are, where data come in the order they were sent, the last ones told of. */
static void sack_blocks(const struct ranges *s, struct tcp_opts *ret, unsigned int most)
{
	for (unsigned int i = 0; i < s->n && ret->nsack < most; i++) {
		const struct range *r = &s->r[(s->recent + s->n - i) % s->n];

		ret->sack[ret->nsack].left = r->left;
		ret->sack[ret->nsack++].right = r->right;
	}
}

void tcp_options(const struct ctx *c, const struct flow *f, struct tcp_opts *ret)
{
	*ret = TCP_OPTS_INIT;
	if (f->tcp.marks & TCPM_TS) {
		ret->ts = true;
		ret->tsval = (uint32_t)c->now;
		ret->tsecr = f->tcp.ts_recent;
	}
	if ((f->tcp.marks & TCPM_SACK) && f->tcp.ooo)
		sack_blocks(&c->ranges.sets[f->tcp.ooo], ret, ret->ts ? 3 : TCP_SACK_MAX);
}

/* RFC 3168, 6.1.3: a CE mark is echoed in each ACK until CWR comes. */
static void hear_ecn(struct flow *f, const struct ip *ip, const struct tcp *t, size_t len)
{
	if (!(f->tcp.marks & TCPM_ECN))
		return;
	if (t->flags & TCPF_CWR)
		f->tcp.marks &= ~(uint32_t)TCPM_ECE;
	if (len && (ip->tos & IP_ECN_MASK) == IP_ECN_CE)
		f->tcp.marks |= TCPM_ECE;
}

/* The pointer, as long as it leads to a byte of this segment or a later one. */
static void put_urgent(const struct tcp_flow *f, struct tcp *t)
{
	uint32_t ahead = f->out_urg - t->seq;

	if (!ahead || ahead > UINT16_MAX || (t->flags & TCPF_RST))
		return;
	t->flags |= TCPF_URG;
	t->urg = (uint16_t)ahead;
}

/* Sends one segment of the flow with the acknowledgment and window of now. */
int tcp_send_segment(struct ctx *c, struct flow *f, uint8_t flags, uint32_t seq,
		     const struct iovec *iov, int n, size_t len, size_t *sent)
{
	struct tcp t = {
		.sport = f->key.remote_port, .dport = f->key.inner_port, .seq = seq,
		.ack = f->tcp.rcv_nxt,
		.flags = flags | TCPF_ACK | (f->tcp.marks & TCPM_ECE ? TCPF_ECE : 0),
		.wnd = flags & TCPF_RST ? 0 : tcp_in_window(c, f),
	};
	int rc;

	if (UNLIKELY(f->tcp.marks & TCPM_OUT_URG))
		put_urgent(&f->tcp, &t);
	tcp_options(c, f, &t.opt);
	if (len)		/* the payload's size was reckoned without SACK blocks */
		t.opt.nsack = 0;
	rc = frame_tcp(c, &f->key, &t, iov, n, len, tcp_segment_size(c, &f->tcp), sent);

	if (rc == 0) {
		c->count->tcp_rx_segments++;
		f->tcp.rcv_acked = f->tcp.rcv_nxt;
		f->tcp.ack_due = 0;
		if (!len || !f->tcp.ooo)	/* else SACK is still to be told */
			f->tcp.marks &= ~(uint32_t)TCPM_ACK;
	}
	return rc;
}

/*
 * A segment for which there is no connection (RFC 9293, 3.10.7.1), or which
 * SYN-RECEIVED refuses (3.10.7.4). len counts SYN and FIN.
 */
void tcp_reply_rst(struct ctx *c, const struct flow_key *key, const struct tcp *t, size_t len)
{
	struct tcp rst = {
		.sport = key->remote_port, .dport = key->inner_port, .flags = TCPF_RST,
		.opt = TCP_OPTS_INIT,
	};

	if ((t->flags & TCPF_RST) || !addr_is_unicast(&key->remote))
		return;
	if (t->flags & TCPF_ACK) {
		rst.seq = t->ack;
	} else {
		rst.flags |= TCPF_ACK;
		rst.ack = t->seq + (uint32_t)len;
	}
	c->count->tcp_reset_out++;
	frame_tcp(c, key, &rst, NULL, 0, 0, 1, NULL);
}

/* The connection ends at once. The remote learns of it by RST, the container
 * likewise, each if asked. f is gone afterwards. */
void tcp_abort(struct ctx *c, struct flow *f, bool tell_container, bool tell_remote)
{
	if (tell_container && f->tcp.state == TCPS_SYN_SENT) {
		/* Nothing of the container's is there to be acknowledged. */
		const struct tcp rst = {
			.sport = f->key.remote_port, .dport = f->key.inner_port,
			.seq = f->tcp.snd_nxt, .flags = TCPF_RST, .opt = TCP_OPTS_INIT,
		};

		frame_tcp(c, &f->key, &rst, NULL, 0, 0, 1, NULL);
		c->count->tcp_reset_out++;
	} else if (tell_container && f->state == FLOW_OPEN) {
		/* Before our SYN-ACK the container knows no sequence number of
		 * ours: RST with ACK of its SYN (RFC 9293, 3.10.7.1). */
		tcp_send_segment(c, f, TCPF_RST, f->tcp.state == TCPS_CONNECTING ? 0 :
				 tcp_bare_seq(&f->tcp), NULL, 0, 0, NULL);
		c->count->tcp_reset_out++;
	}
	port_close(c, f, tell_remote);
	tcp_free(c, f);
}

void tcp_end_check(struct ctx *c, struct flow *f)
{
	const uint32_t both = TCPM_IN_SHUT | TCPM_FIN_ACKED;
	struct tcp_flow *t = &f->tcp;

	if ((t->marks & both) != both || f->state != FLOW_OPEN)
		return;
	/* The container's FIN is acknowledged before the flow goes. */
	if (t->marks & TCPM_ACK)
		tcp_send_segment(c, f, 0, tcp_bare_seq(t), NULL, 0, 0, NULL);
	/* A socket closed with bytes unread resets the remote (RFC 2525, 2.17),
	 * and what the container sent last might be lost there. */
	if (t->marks & TCPM_DISCARD)
		tcp_out_discard(c, f);
	t->marks &= ~(uint32_t)TCPM_DISCARD;
	if (!(t->marks & TCPM_ACTIVE)) {	/* LAST-ACK is over */
		tcp_free(c, f);
		return;
	}
	port_close(c, f, false);
	tcp_in_release(c, f);
	tcp_out_release(c, f);
	orphan_forget(c, f);
	/* Should that ACK be lost, the container's FIN comes again and must not
	 * meet a reset: TIME-WAIT (RFC 9293, 3.6.1), short on this link. */
	f->state = FLOW_LINGER;
	t->state = TCPS_TIME_WAIT;
	t->deadline = 0;
	flow_touch(&c->flows, f);	/* makes way where room is needed */
	tcp_timer_set(c, f, TCP_LINGER_MS);
}

/* Whether a SYN is a new connection's and no old one's of before TIME-WAIT: by its
 * timestamp, where both have one and it tells, or by its number (RFC 6191, 2). */
static bool begins_anew(const struct tcp_flow *f, const struct tcp *t)
{
	if (!t->opt.ts || ((f->marks & TCPM_TS) && t->opt.tsval == f->ts_recent))
		return seq_lt(f->rcv_nxt, t->seq);
	return !(f->marks & TCPM_TS) || seq_lt(f->ts_recent, t->opt.tsval);
}

/* A segment for a connection in TIME-WAIT (RFC 9293, 3.10.7.4; a new SYN may
 * reopen it, 3.6.1). True if the segment has been dealt with. */
static bool time_wait(struct ctx *c, struct flow *f, const struct tcp *t)
{
	if ((t->flags & TCPF_SYN) && !(t->flags & (TCPF_ACK | TCPF_RST)) &&
	    begins_anew(&f->tcp, t)) {
		tcp_free(c, f);
		return false;
	}
	if (t->flags & TCPF_RST) {		/* else an old one, or a guess (RFC 1337; RFC 5961, 3.2) */
		if (t->seq == f->tcp.rcv_nxt)
			tcp_free(c, f);
		else
			c->count->tcp_badseg++;
	} else if (t->flags & (TCPF_FIN | TCPF_SYN)) {
		tcp_send_segment(c, f, 0, f->tcp.snd_nxt, NULL, 0, 0, NULL);
		tcp_timer_set(c, f, TCP_LINGER_MS);
	}
	return true;
}

/* RFC 9293, 3.10.7.4, first test: does the segment touch the window? With the
 * window closed only an empty segment at its edge does. */
static bool acceptable(const struct tcp_flow *f, uint32_t seq, uint32_t len)
{
	uint32_t wnd = f->rcv_adv - f->rcv_nxt;

	if (len == 0)
		return seq == f->rcv_nxt || seq - f->rcv_nxt < wnd;
	return (wnd && seq - f->rcv_nxt < wnd) ||
	       (seq_le(seq, f->rcv_nxt) && seq_lt(f->rcv_nxt, seq + len) && wnd);
}

/* The answer to what carries nothing and does not fit. Were each answered, two ends
 * that disagree would answer one another for ever (RFC 5961, 7). */
static void challenge(struct ctx *c, struct flow *f)
{
	uint32_t now = (uint32_t)c->now | 1;	/* 0: never yet */

	if (f->tcp.challenge_ms && now - f->tcp.challenge_ms < TCP_CHALLENGE_MS) {
		c->count->tcp_challenges_limited++;
		return;
	}
	f->tcp.challenge_ms = now;
	tcp_mark(c, f, TCPM_ACK);
}

/* RST (RFC 9293, 3.10.7.4 second test; RFC 5961, 3.2): only at the exact next
 * byte; elsewhere in the window it is answered by an ACK. Where both FINs are
 * acknowledged nothing is left that could be reset but what the host has not taken yet,
 * and that the container was told of as arrived. */
static void segment_rst(struct ctx *c, struct flow *f, const struct tcp *t)
{
	const uint32_t over = TCPM_IN_FIN | TCPM_FIN_ACKED;

	if ((f->tcp.marks & over) == over)
		return;
	if (t->seq == f->tcp.rcv_nxt) {
		c->count->tcp_reset_in++;
		/* What it sent before goes before. */
		if ((f->tcp.marks & TCPM_GATHERED) && !tcp_in_drain(c, f))
			return;
		tcp_abort(c, f, false, true);
	} else if (t->seq - f->tcp.rcv_nxt < f->tcp.rcv_adv - f->tcp.rcv_nxt) {
		challenge(c, f);
	}
}

/*
 * A keep-alive probe (RFC 9293, 3.8.4), which we answer, so that its program does not hear of a
 * remote that is gone, nor a NAT or filter on the way there that the connection is in use (RFC
 * 5382, REQ-5). So the host asks the remote as often from now on: as long after payload or after
 * the last probe as this one came. (What comes to a closed window asks for that.)
 */
static void hear_probe(struct ctx *c, struct flow *f, const struct tcp *t, size_t len)
{
	struct tcp_flow *tf = &f->tcp;
	uint64_t silent = c->now - MAX_OF(f->used_ms, f->opened_ms);
	uint32_t s;

	if (t->seq != tf->rcv_nxt - 1 || len > 1 || (t->flags & TCPF_FIN) ||
	    tf->rcv_adv == tf->rcv_nxt)
		return;
	if (tf->keep_ms)
		silent = MIN_OF(silent, (uint64_t)((uint32_t)c->now - tf->keep_ms));
	tf->keep_ms = (uint32_t)c->now | 1;
	s = (uint32_t)MIN_OF((silent + 500) / 1000, (uint64_t)TCP_KEEP_MAX_S);
	if (!s || s == tf->keep_s)		/* 0: a byte sent again */
		return;
	tf->keep_s = (uint16_t)s;
	port_keepalive(c, f, tf->keep_s);
}

/* RFC 7323: an old timestamp is an old segment, which is answered (5.3, R1); a
 * segment without one where there must be one is dropped silently (3.2). Keeps the
 * newest timestamp that an ACK can echo (4.3), of a segment that fits the window.
 * (It cannot grow so old that it says nothing, 5.5: idle flows are probed.) */
static bool timestamp_ok(struct ctx *c, struct flow *f, const struct tcp *t, bool fits)
{
	struct tcp_flow *tf = &f->tcp;

	if (!(tf->marks & TCPM_TS))
		return true;
	if (!t->opt.ts) {
		c->count->tcp_badseg++;
		return false;
	}
	if (seq_lt(t->opt.tsval, tf->ts_recent)) {
		c->count->tcp_paws++;
		tcp_mark(c, f, TCPM_ACK);
		return false;
	}
	if (fits && seq_le(t->seq, tf->rcv_acked))
		tf->ts_recent = t->opt.tsval;
	return true;
}

/* When the data of a segment must be acknowledged: now, or, in a conversation, in
 * the answer if it comes soon. A second segment, one that fills a hole, or one
 * the host did not take at once is never made to wait. Where its sender says by the lack of PSH
 * that more comes, and nothing else asks for an acknowledgment, it may: run_waits(). */
static void owe_ack(struct ctx *c, struct flow *f, size_t len, bool push, bool fin)
{
	struct tcp_flow *t = &f->tcp;
	const bool late = !(t->marks & TCPM_ACK) || (t->marks & TCPM_ACK_LATE);

	t->heard_ms = (uint32_t)c->now;
	if (!fin && (t->marks & TCPM_TALK) && !t->ack_due && len < t->mss && !t->hold.len &&
	    !t->ooo && !(t->marks & TCPM_ACK))
		tcp_timer_ack(c, f);
	else
		tcp_mark(c, f, TCPM_ACK);
	if (late && !push && !fin && (t->marks & TCPM_ACK))
		t->marks |= TCPM_ACK_LATE;
}

/* Text beyond the next expected byte: kept as far as the window goes. An ACK
 * without text there tells of what is under way, no more. */
static void segment_ahead(struct ctx *c, struct flow *f, const struct tcp *t,
			  const uint8_t *data, size_t len)
{
	uint32_t ahead = t->seq - f->tcp.rcv_nxt, room = f->tcp.rcv_adv - f->tcp.rcv_nxt;

	if (!len && !(t->flags & TCPF_FIN))
		return;
	c->count->tcp_outoforder++;
	tcp_mark(c, f, TCPM_ACK);
	if ((t->flags & TCPF_FIN) && len <= room - ahead) {
		f->tcp.marks |= TCPM_FIN_AHEAD;
		f->tcp.fin_seq = t->seq + (uint32_t)len;
	}
	if (len)
		tcp_in_ahead(c, f, t->seq, data, MIN_OF(len, (size_t)(room - ahead)));
}

/* Payload and FIN of an acceptable segment (RFC 9293, 3.10.7.4, seventh and
 * eighth). False: the flow is gone. */
static bool segment_text(struct ctx *c, struct flow *f, const struct tcp *t,
			 const uint8_t *data, size_t len)
{
	struct tcp_flow *tf = &f->tcp;
	uint32_t skip = tf->rcv_nxt - t->seq, room = tf->rcv_adv - tf->rcv_nxt;
	bool fin = t->flags & TCPF_FIN;

	if (tf->marks & TCPM_IN_FIN) {		/* again: the FIN, or bytes before it */
		if (len || fin)
			tcp_mark(c, f, TCPM_ACK);
		return true;
	}
	if (UNLIKELY(t->flags & TCPF_URG))
		tcp_in_urgent(f, t);
	if (seq_lt(tf->rcv_nxt, t->seq)) {
		segment_ahead(c, f, t, data, len);
		return true;
	}
	if (skip > len) {
		tcp_mark(c, f, TCPM_ACK);
		return true;
	}
	data += skip;
	len -= skip;
	if (len > room) {			/* beyond the window: not ours to take */
		len = room;
		fin = false;
		c->count->tcp_badseg++;
	}
	if (len && !tcp_in_data(c, f, data, len))
		return false;
	fin |= (tf->marks & TCPM_FIN_AHEAD) && tf->fin_seq == tf->rcv_nxt;
	if (len || fin)
		owe_ack(c, f, len, t->flags & TCPF_PSH, fin);
	return !fin || tcp_in_fin(c, f);
}

void tcp_established(struct ctx *c, struct flow *f, const struct tcp *t)
{
	f->tcp.state = TCPS_OPEN;
	f->tcp.snd_una = f->tcp.snd_base = t->ack;
	f->tcp.snd_wl1 = t->seq;
	f->tcp.snd_wl2 = t->ack;
	f->tcp.snd_wnd = (uint32_t)t->wnd << (t->flags & TCPF_SYN ? 0 : f->tcp.snd_wscale);
	f->tcp.max_wnd = f->tcp.snd_wnd;
	tcp_timer_alive(c, f);
	tcp_timer_clear(f);
	if (f->tcp.retries)			/* of which of them? (RFC 6298, 3, 5.7) */
		tcp_timer_rto(f);
	else
		tcp_timer_rtt(c, f);
	f->tcp.retries = 0;
	f->ready |= FLOW_READABLE;
	flow_enqueue(&c->flows, f);
}

/* The ACK that completes the handshake (RFC 9293, 3.10.7.4, SYN-RECEIVED). */
static bool segment_synack_acked(struct ctx *c, struct flow *f, const struct tcp *t, size_t len)
{
	if (t->ack != f->tcp.snd_nxt) {
		tcp_reply_rst(c, &f->key, t, len);
		return false;
	}
	tcp_established(c, f, t);
	return true;
}

/* SYN where there was one already: the same again, of whose answer the container
 * knows nothing; its SYN-ACK after both dialled at once (RFC 9293, 3.5, figure 8);
 * else a challenge ACK (RFC 5961, 4.2). */
static void segment_syn(struct ctx *c, struct flow *f, const struct tcp *t)
{
	if (f->tcp.state == TCPS_OPEN) {
		challenge(c, f);
		return;
	}
	if (t->seq == f->tcp.irs && (t->flags & TCPF_ACK) && t->ack == f->tcp.snd_nxt)
		tcp_established(c, f, t);
	tcp_mark(c, f, TCPM_ACK);		/* in SYN-RECEIVED: our SYN-ACK again */
}

/* An open or opening flow's segment, in the order of RFC 9293, 3.10.7.4. */
static void segment_flow(struct ctx *c, struct flow *f, const struct tcp *t,
			 const void *data, size_t len)
{
	uint32_t seg_len = (uint32_t)len + !!(t->flags & TCPF_FIN) + !!(t->flags & TCPF_SYN);
	bool fits = acceptable(&f->tcp, t->seq, seg_len);

	if (t->flags & TCPF_RST) {
		if (fits)
			segment_rst(c, f, t);
		else
			c->count->tcp_badseg++;
		return;
	}
	if (t->flags & TCPF_SYN) {
		segment_syn(c, f, t);
		return;
	}
	if (!(t->flags & TCPF_ACK)) {
		c->count->tcp_badseg++;
		return;
	}
	if (!timestamp_ok(c, f, t, fits))
		return;
	tcp_timer_alive(c, f);
	if (f->tcp.state == TCPS_SYN_RCVD) {
		if (!fits)
			tcp_mark(c, f, TCPM_ACK);
		if (!fits || !segment_synack_acked(c, f, t, seg_len))
			return;
	}
	/* Of what was never sent; or so old that who sent it guessed (RFC 5961, 5.2). */
	if (seq_lt(f->tcp.snd_nxt, t->ack) || seq_lt(t->ack, f->tcp.snd_una - f->tcp.max_wnd)) {
		c->count->tcp_badseg++;
		challenge(c, f);
		return;
	}
	/* The ACK field counts even where the text does not fit: a sender whose
	 * window we closed must not lose its acknowledgments (3.10.7.4). */
	if (!tcp_out_ack(c, f, t, len == 0 && !(t->flags & TCPF_FIN)))
		return;
	if (!fits) {
		hear_probe(c, f, t, len);
		c->count->tcp_badseg += seg_len != 0;
		if (seg_len)
			tcp_mark(c, f, TCPM_ACK);
		else
			challenge(c, f);
		tcp_end_check(c, f);	/* a FIN sent again may acknowledge ours */
		return;
	}
	if (segment_text(c, f, t, data, len))
		tcp_end_check(c, f);
}

struct flow_ip tcp_ip(const struct ip *ip)
{
	struct flow_ip ret = hop_out(ip, addr_is_linklocal6(&ip->dst));

	ret.tos &= (uint8_t)~IP_ECN_MASK;	/* the host's connection has ECN of its own */
	ret.df = true;				/* and path MTU discovery (RFC 1191) */
	return ret;
}

/* Whether what lies in frames (tcp_in.c) can go on lying there: nothing but the next bytes, or
 * an acknowledgment without any, of a flow that is open. */
static bool goes_on(const struct flow *f, const struct tcp *t)
{
	const unsigned int other = TCPF_SYN | TCPF_FIN | TCPF_RST | TCPF_URG;

	return f && f->tcp.state == TCPS_OPEN && !(t->flags & other) && t->seq == f->tcp.rcv_nxt;
}

void tcp_segment(struct ctx *c, const struct ip *ip, const struct tcp *t, const void *data,
		 size_t len)
{
	const struct flow_key key = {
		.inner = ip->src, .remote = ip->dst, .inner_port = t->sport,
		.remote_port = t->dport, .proto = FLOW_TCP,
	};
	struct flow *f = flow_find(&c->flows, &key);
	const struct flow_ip hdr = tcp_ip(ip);
	struct tcp_past past = { .known = false };

	if (c->nplaced && !goes_on(f, t)) {
		tcp_in_flush(c);
		f = flow_find(&c->flows, &key);		/* it may have failed */
	}
	if (f && f->tcp.state == TCPS_TIME_WAIT) {
		past = (struct tcp_past){ true, f->tcp.snd_nxt };
		if (time_wait(c, f, t))
			return;
		f = NULL;
	}
	if (f && f->tcp.state == TCPS_CONNECTING) {
		/* Still nothing to say: only the container's own RST matters. */
		if (t->flags & TCPF_RST)
			tcp_abort(c, f, false, true);
		return;
	}
	if (f && UNLIKELY(!flow_ip_eq(&hdr, &f->ip)))
		port_set_ip(c, f, &hdr);
	if (f) {
		c->count->tcp_tx_segments++;
		hear_ecn(f, ip, t, len);
	}
	if (f && f->tcp.state == TCPS_SYN_SENT)
		tcp_dialled(c, f, t, len + !!(t->flags & TCPF_SYN) + !!(t->flags & TCPF_FIN));
	else if (f)
		segment_flow(c, f, t, data, len);
	else if ((t->flags & (TCPF_SYN | TCPF_ACK | TCPF_RST)) == TCPF_SYN)
		tcp_open(c, &key, ip, t, past);
	else
		tcp_reply_rst(c, &key, t, len + !!(t->flags & TCPF_SYN) +
			      !!(t->flags & TCPF_FIN));
}

/* The socket failed: what is still to be read is delivered first, as far as the
 * container's window lets it. A flow whose reading side is over ends here. */
static void socket_failed(struct ctx *c, struct flow *f)
{
	bool gone = port_error(c, f) < 0;

	if (gone && (f->tcp.marks & TCPM_OUT_EOF)) {
		tcp_abort(c, f, true, false);
		return;
	}
	if (gone)
		f->tcp.marks |= TCPM_FAILED;
	f->ready |= FLOW_READABLE;
	flow_enqueue(&c->flows, f);
}

void tcp_socket_event(struct ctx *c, struct flow *f, bool readable, bool writable, bool error)
{
	if (f->tcp.state == TCPS_CONNECTING) {
		if (writable || error)
			tcp_connected(c, f);
		return;
	}
	if (f->tcp.state == TCPS_SYN_SENT) {	/* what it has to say waits till it is open */
		if (error)
			tcp_abort(c, f, true, false);
		return;
	}
	if (error) {
		socket_failed(c, f);
		return;
	}
	if (writable && f->tcp.hold.len && !tcp_in_drain(c, f))
		return;
	if (readable) {
		f->ready |= FLOW_READABLE;
		flow_enqueue(&c->flows, f);
	}
	tcp_end_check(c, f);
}

void tcp_urgent_event(struct flow *f)
{
	f->tcp.marks |= TCPM_OUT_PRI;
}

bool tcp_serve(struct ctx *c, struct flow *f)
{
	bool more = false;

	if (f->tcp.state != TCPS_OPEN || f->state != FLOW_OPEN)
		return false;
	if (!tcp_out(c, f, &more))
		return false;
	/* The resolver's message may be whole now, and there is room for ours. */
	if (UNLIKELY((f->tcp.marks & TCPM_DNS) && f->tcp.hold.len)) {
		if (!tcp_in_drain(c, f))
			return false;
		tcp_end_check(c, f);
	}
	return more && f->state == FLOW_OPEN;
}

static int send_ack(struct ctx *c, struct flow *f)
{
	if (f->tcp.state <= TCPS_SYN_SENT)
		return 0;
	if (f->tcp.state == TCPS_SYN_RCVD)
		return tcp_send_synack(c, f);
	return tcp_send_segment(c, f, 0, tcp_bare_seq(&f->tcp), NULL, 0, 0, NULL);
}

/*
 * Whether an acknowledgment of segments in order can wait for more of them. Where each comes by
 * itself, without offloads, each acknowledgment costs a guest an interrupt: one for up to
 * TCP_ACK_RUN bytes, or a quarter of the window shown, twice as many as before each time so many
 * came, is a fifth more throughput for an emulated one. Who stops short of that, for it may send
 * no more, has it when its time is over, and begins anew.
 */
static bool run_waits(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	const uint32_t shown = t->rcv_adv - t->rcv_acked, most = MIN_OF(TCP_ACK_RUN, shown / 4);

	if (c->tap_csum || !(t->marks & TCPM_ACK_LATE) || t->hold.len || t->ooo ||
	    (t->marks & TCPM_FAILED))
		return false;
	if (!t->ack_run || t->rcv_nxt - t->rcv_acked >= MIN_OF((uint32_t)t->mss << t->ack_run, most)) {
		t->ack_run += (uint32_t)t->mss << t->ack_run < most;
		return false;
	}
	t->marks &= ~(uint32_t)(TCPM_ACK | TCPM_ACK_LATE);
	if (!t->ack_due)
		tcp_timer_ack(c, f);
	return true;
}

void tcp_finish(struct ctx *c)
{
	uint32_t idx = c->finish_head;

	c->finish_head = FLOW_NONE;
	while (idx != FLOW_NONE) {
		struct flow *f = flow_at(&c->flows, idx);

		idx = f->tcp.list_next;
		f->tcp.marks &= ~(uint32_t)TCPM_LISTED;
		if ((f->tcp.marks & TCPM_DISCARD) && f->state == FLOW_OPEN)
			tcp_out_discard(c, f);
		if ((f->tcp.marks & TCPM_ACK) && !run_waits(c, f) && send_ack(c, f) == -EAGAIN)
			tcp_mark(c, f, TCPM_ACK);	/* the tap is full: next turn */
	}
}
