/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_out: remote -> container. What waits in the host socket goes out in
 * super-frames of the container's segment size as far as its window lets it.
 */
#include <errno.h>

#include "proto/frame.h"
#include "proto/port.h"
#include "proto/tcp.h"

/* End of the data sent so far: without our FIN. */
static uint32_t data_end(const struct tcp_flow *t)
{
	return t->snd_nxt - !!(t->marks & TCPM_FIN_SENT);
}

/* Reads from the socket into the ring until it holds `want` bytes or the ring
 * may not grow. 0 end of file, > 0 something is new, or -errno. */
static ssize_t fill_ring(struct ctx *c, struct flow *f, uint32_t want)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t cap = MIN_OF((want + TCP_RING_STEP - 1) / TCP_RING_STEP * TCP_RING_STEP,
			      TCP_RING_MAX);
	struct iovec iov[HOLD_IOV_MAX];
	ssize_t got;
	int n;

	if (cap > t->ring_cap &&
	    hold_reserve(&c->pool, t->ring_cap ? hold_chunks(t->ring_cap) : 0, hold_chunks(cap)))
		t->ring_cap = cap;
	if (t->ring.len >= t->ring_cap)
		return -ENOBUFS;
	n = hold_space(&c->pool, &t->ring, MIN_OF(want, t->ring_cap) - t->ring.len, iov);
	if (!n)
		return -ENOBUFS;
	got = port_recv(c, f, iov, n, false);
	hold_commit(&c->pool, &t->ring, got > 0 ? (size_t)got : 0);
	return got;
}

/* A socket that failed and said so already tells of its end only. */
static ssize_t end_of(const struct tcp_flow *t, ssize_t got)
{
	return got == 0 && (t->marks & TCPM_FAILED) ? -ECONNRESET : got;
}

/* Pieces of the stream from snd_base + off on, at most max bytes: their length,
 * 0 at end of file, -EAGAIN (none now), -ENOBUFS (none until an ACK), -errno. */
static ssize_t fetch(struct ctx *c, struct flow *f, uint32_t off, uint32_t max,
		     struct iovec iov[HOLD_IOV_MAX], int *n)
{
	struct tcp_flow *t = &f->tcp;
	ssize_t got = 1;
	size_t len;

	if (t->marks & TCPM_NO_PEEK) {
		if (t->ring.len < off + max)
			got = fill_ring(c, f, off + max);
		*n = hold_iov(&c->pool, &t->ring, off, max, iov, &len);
		/* It is said once; what was read before goes first. */
		if (len && got < 0 && got != -EAGAIN && got != -ENOBUFS)
			t->marks |= TCPM_FAILED;
		return len ? (ssize_t)len : end_of(t, got);
	}
	if (t->peek_at != off) {
		int rc = port_peek_seek(c, f, off);

		if (rc < 0)
			return rc;
		t->peek_at = off;
	}
	iov[0] = (struct iovec){ c->hot, max };
	*n = 1;
	got = port_recv(c, f, iov, 1, true);
	if (got > 0) {
		iov[0].iov_len = (size_t)got;
		t->peek_at += (uint32_t)got;
	}
	return end_of(t, got);
}

static bool send_fin(struct ctx *c, struct flow *f, bool *more)
{
	struct tcp_flow *t = &f->tcp;

	if (t->marks & TCPM_FIN_SENT)
		return true;
	if (tcp_send_segment(c, f, TCPF_FIN, t->snd_nxt, NULL, 0, 0, NULL) < 0) {
		*more = true;
		return true;
	}
	t->snd_nxt++;
	t->marks |= TCPM_FIN_SENT;
	if (!t->deadline)
		tcp_timer_set(c, f, t->rto);
	return true;
}

/* What the container's window leaves to send, in bytes. */
static uint32_t usable(const struct tcp_flow *t)
{
	int32_t room = (int32_t)(t->snd_una + t->snd_wnd - t->snd_nxt);

	return room > 0 ? (uint32_t)room : 0;
}

/* Whole segments of one super-frame. */
static uint32_t frame_room(const struct tcp_flow *t, uint32_t room)
{
	uint32_t whole = FRAME_GSO_MAX / t->mss * t->mss;

	if (room >= whole)
		return whole;
	return room > t->mss ? room / t->mss * t->mss : room;
}

/* Waits for the container's window: for an ACK if data are under way, else for
 * the probe timer (RFC 9293, 3.8.6.1). */
static void wait_window(struct ctx *c, struct flow *f)
{
	f->tcp.marks |= TCPM_BLOCKED;
	if (!f->tcp.deadline)
		tcp_timer_set(c, f, f->tcp.rto);
}

static void sent_data(struct ctx *c, struct flow *f, uint32_t len)
{
	struct tcp_flow *t = &f->tcp;

	t->snd_nxt += len;
	if (!(t->marks & (TCPM_TIMING | TCPM_RECOVERY))) {
		t->marks |= TCPM_TIMING;
		t->rtt_seq = t->snd_nxt;
		t->rtt_at = c->now;
	}
	if (!t->deadline)
		tcp_timer_set(c, f, t->rto);
}

enum step { STEP_MORE, STEP_DONE, STEP_GONE };

/* Sends one frame, or finds why not. */
static enum step out_step(struct ctx *c, struct flow *f, bool *more)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t room = usable(t), inflight = t->snd_nxt - t->snd_una, max;
	/* RFC 9293, 3.8.6.2.1: no small segment while an ACK can make it a large one. */
	bool small = room < t->mss && inflight && room < t->max_wnd / 2;
	struct iovec iov[HOLD_IOV_MAX];
	size_t sent = 0;
	ssize_t got;
	int n;

	if (!room) {
		wait_window(c, f);
		return STEP_DONE;
	}
	max = frame_room(t, room);
	got = fetch(c, f, t->snd_nxt - t->snd_base, max, iov, &n);
	if (got == -EAGAIN) {
		f->ready &= (uint8_t)~FLOW_READABLE;
		return STEP_DONE;
	}
	if (got == -ENOBUFS || (small && got == (ssize_t)max)) {
		wait_window(c, f);
		return STEP_DONE;
	}
	if (got == 0) {
		t->marks |= TCPM_OUT_EOF;
		f->ready &= (uint8_t)~FLOW_READABLE;
		return send_fin(c, f, more) ? STEP_DONE : STEP_GONE;
	}
	if (got < 0) {
		tcp_abort(c, f, true, false);
		return STEP_GONE;
	}
	if (tcp_send_segment(c, f, TCPF_PSH, t->snd_nxt, iov, n, (size_t)got, &sent) < 0 && !sent) {
		*more = true;		/* the tap is full: these bytes stay unsent */
		return STEP_DONE;
	}
	sent_data(c, f, (uint32_t)sent);
	return STEP_MORE;
}

bool tcp_out(struct ctx *c, struct flow *f, bool *more)
{
	*more = false;
	f->tcp.marks &= (uint16_t)~TCPM_BLOCKED;
	if (f->tcp.marks & TCPM_OUT_EOF) {	/* nothing follows, whatever epoll says */
		f->ready &= (uint8_t)~FLOW_READABLE;
		return send_fin(c, f, more);
	}
	if (!(f->ready & FLOW_READABLE))
		return true;
	for (unsigned int i = 0; i < TCP_OUT_BUDGET; i++) {
		enum step step = out_step(c, f, more);

		if (step == STEP_GONE)
			return false;
		if (step == STEP_DONE)
			return true;
	}
	*more = true;
	return true;
}

/* Sends again from snd_una on; nothing if the tap is full (the timer comes back). */
bool tcp_out_resend(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t unacked = data_end(t) - t->snd_una;
	uint32_t max = MIN_OF(unacked, TCP_RESEND_SEGS * t->mss);
	struct iovec iov[HOLD_IOV_MAX];
	ssize_t got;
	int n;

	t->marks &= (uint16_t)~TCPM_TIMING;		/* Karn: RFC 6298, 3 */
	c->count->tcp_retransmits++;
	if (!unacked) {
		if (t->marks & TCPM_FIN_SENT)
			tcp_send_segment(c, f, TCPF_FIN, t->snd_una, NULL, 0, 0, NULL);
		return true;
	}
	max = frame_room(t, MAX_OF(max, 1u));
	got = fetch(c, f, t->snd_una - t->snd_base, max, iov, &n);
	if (got <= 0) {			/* bytes that were there are gone: the socket failed */
		tcp_abort(c, f, true, false);
		return false;
	}
	tcp_send_segment(c, f, TCPF_PSH, t->snd_una, iov, n, (size_t)got, NULL);
	return true;
}

/* Bytes the container has now: recovery, timer, round-trip time. */
static bool newly_acked(struct ctx *c, struct flow *f, uint32_t ack)
{
	struct tcp_flow *t = &f->tcp;

	t->snd_una = ack;
	t->dupacks = 0;
	if (t->retries) {
		t->retries = 0;
		tcp_timer_rto(f);
	}
	if ((t->marks & TCPM_FIN_SENT) && ack == t->snd_nxt)
		t->marks |= TCPM_FIN_ACKED;
	if (t->marks & TCPM_NO_PEEK)
		tcp_out_discard(c, f);		/* a full ring has room again, now */
	else
		tcp_mark(c, f, TCPM_DISCARD);
	if ((t->marks & TCPM_TIMING) && seq_le(t->rtt_seq, ack))
		tcp_timer_rtt(c, f);
	if (t->snd_una == t->snd_nxt)
		tcp_timer_clear(f);
	else
		tcp_timer_set(c, f, t->rto);
	if (!(t->marks & TCPM_RECOVERY))
		return true;
	if (seq_le(t->recover, ack)) {
		t->marks &= (uint16_t)~TCPM_RECOVERY;
		return true;
	}
	return tcp_out_resend(c, f);		/* partial: RFC 6582, 3.2 */
}

/* The container's window stands so now. One that is closed but answers keeps the
 * connection (RFC 1122, 4.2.2.17); what was under way when it closed was dropped
 * there, and goes again when it opens. False: f is gone. */
static bool window_is(struct ctx *c, struct flow *f, uint32_t wnd)
{
	struct tcp_flow *t = &f->tcp;
	bool again = !t->snd_wnd && wnd && t->snd_una != t->snd_nxt;

	t->snd_wnd = wnd;
	t->max_wnd = MAX_OF(t->max_wnd, wnd);
	if (!wnd)
		t->retries = 0;
	if (!again)
		return true;
	tcp_timer_rto(f);
	tcp_timer_set(c, f, t->rto);
	return tcp_out_resend(c, f);
}

/* RFC 9293, 3.10.7.4. An older ACK's window would be counted from the wrong place. */
static bool newer_window(const struct tcp_flow *t, const struct tcp *seg)
{
	return seg->ack == t->snd_una &&
	       (seq_lt(t->snd_wl1, seg->seq) ||
		(t->snd_wl1 == seg->seq && seq_le(t->snd_wl2, seg->ack)));
}

/* dup_shape: the segment carries neither data nor FIN (RFC 5681, 2). */
bool tcp_out_ack(struct ctx *c, struct flow *f, const struct tcp *seg, bool dup_shape)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t wnd = (uint32_t)seg->wnd << t->snd_wscale;
	bool advanced = seq_lt(t->snd_una, seg->ack);	/* none is newer, sent again or not */

	if (advanced) {
		if (!newly_acked(c, f, seg->ack))
			return false;
	} else if (seg->ack == t->snd_una && dup_shape && wnd == t->snd_wnd &&
		   seq_lt(t->snd_una, data_end(t)) && !(t->marks & TCPM_RECOVERY) &&
		   ++t->dupacks == TCP_DUPACKS) {
		t->marks |= TCPM_RECOVERY;
		t->recover = t->snd_nxt;
		if (!tcp_out_resend(c, f))
			return false;
	}
	if (advanced || newer_window(t, seg)) {
		t->snd_wl1 = seg->seq;
		t->snd_wl2 = seg->ack;
		if (!window_is(c, f, wnd))
			return false;
	}
	if (!(t->marks & TCPM_BLOCKED))
		return true;
	if (t->snd_una == t->snd_nxt)
		t->retries = 0;			/* it answers: probing may go on */
	if (usable(t)) {
		t->marks &= (uint16_t)~TCPM_BLOCKED;
		if (t->snd_una == t->snd_nxt) {	/* the probe timer ran */
			tcp_timer_clear(f);
			tcp_timer_rto(f);
		}
		flow_enqueue(&c->flows, f);
	} else if (!t->deadline) {		/* this ACK closed it: probe */
		tcp_timer_set(c, f, t->rto);
	}
	return true;
}

void tcp_out_discard(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t acked = t->snd_una - !!(t->marks & TCPM_FIN_ACKED) - t->snd_base;
	ssize_t done = acked;

	t->marks &= (uint16_t)~TCPM_DISCARD;
	if (!acked)
		return;
	if (t->marks & TCPM_NO_PEEK) {
		hold_consume(&c->pool, &t->ring, acked);
		if (!t->ring.len && t->ring_cap) {
			hold_reserve(&c->pool, hold_chunks(t->ring_cap), 0);
			t->ring_cap = 0;
		}
	} else {
		done = port_discard(c, f, acked);
		if (done < 0)
			return;			/* the socket failed: reading finds out */
		t->peek_at -= MIN_OF(t->peek_at, (uint32_t)done);
	}
	t->snd_base += (uint32_t)done;
	if ((uint32_t)done < acked)
		tcp_mark(c, f, TCPM_DISCARD);
}

void tcp_out_release(struct ctx *c, struct flow *f)
{
	hold_clear(&c->pool, &f->tcp.ring);
	if (f->tcp.ring_cap)
		hold_reserve(&c->pool, hold_chunks(f->tcp.ring_cap), 0);
	f->tcp.ring_cap = 0;
}
