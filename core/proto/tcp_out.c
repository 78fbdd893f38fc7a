/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_out: remote -> container. What waits in the host socket goes out in
 * super-frames of the container's segment size as far as its window lets it.
 */
#include <errno.h>

#include "proto/dns_tcp.h"
#include "proto/frame.h"
#include "proto/port.h"
#include "proto/tcp.h"

/* End of the data sent so far: without our FIN. */
static uint32_t data_end(const struct tcp_flow *t)
{
	return t->snd_nxt - !!(t->marks & TCPM_FIN_SENT);
}

/* Whole segments of one super-frame. */
static uint32_t frame_room(const struct ctx *c, const struct tcp_flow *t, uint32_t room)
{
	uint32_t size = tcp_segment_size(c, t), whole = FRAME_GSO_MAX / size * size;

	if (t->marks & TCPM_OUT_URG)	/* each segment has a pointer of its own */
		whole = size;
	if (room >= whole)
		return whole;
	return room > size ? room / size * size : room;
}

/* What one read is for: up to n super-frames, all whole. Of the ring it is one. */
static uint32_t read_room(const struct ctx *c, const struct tcp_flow *t, uint32_t room, unsigned int n)
{
	uint32_t one = frame_room(c, t, room);

	return t->marks & (TCPM_OUT_URG | TCPM_NO_PEEK) ? one : one * MIN_OF(room / one, n);
}

/* Where the urgent byte is that the host's kernel has. The container hears of it at once,
 * whatever its window is (RFC 9293, 3.8.5). Of what was sent already nobody is told. */
static void look_urgent(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t before, behind;

	t->marks &= ~(uint32_t)TCPM_OUT_PRI;
	if (t->marks & TCPM_DNS)	/* messages; and what is ahead of them here is not counted */
		return;
	if (!port_urgent(c, f, t->peek_at, &before))
		return;
	behind = t->snd_base + (t->marks & TCPM_NO_PEEK ? t->ring.len : 0) + before + 1;
	if (!seq_lt(t->snd_nxt, behind))
		return;
	t->out_urg = behind;
	t->marks |= TCPM_OUT_URG;
	tcp_mark(c, f, TCPM_ACK);
}

/* Reads from the socket into the ring until it holds `want` bytes or the ring
 * may not grow. 0 end of file, > 0 something is new, or -errno. */
static ssize_t fill_ring(struct ctx *c, struct flow *f, uint32_t want, bool look)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t cap = MIN_OF((want + TCP_RING_STEP - 1) / TCP_RING_STEP * TCP_RING_STEP,
			      TCP_RING_MAX);
	struct iovec iov[HOLD_IOV_MAX];
	ssize_t got = 1;
	int n;

	if (cap > t->ring_cap &&
	    hold_reserve(&c->pool, t->ring_cap ? hold_chunks(t->ring_cap) : 0, hold_chunks(cap)))
		t->ring_cap = cap;
	if (t->ring.len >= t->ring_cap)
		return -ENOBUFS;
	n = hold_space(&c->pool, &t->ring, MIN_OF(want, t->ring_cap) - t->ring.len, iov);
	if (!n)
		return -ENOBUFS;
	if (look) {		/* a read takes the mark off the socket: before it */
		got = port_recv(c, f, &(struct iovec){ c->hot, 1 }, 1, true);
		if (got > 0)
			look_urgent(c, f);
	}
	if (got > 0)
		got = port_recv(c, f, iov, n, false);
	hold_commit(&c->pool, &t->ring, got > 0 ? (size_t)got : 0);
	if ((t->marks & TCPM_DNS) && got > 0)
		dns_tcp_heard(c, f, (uint32_t)got);
	return got;
}

/* A socket that failed and said so already tells of its end only. */
static ssize_t end_of(const struct tcp_flow *t, ssize_t got)
{
	return got == 0 && (t->marks & TCPM_FAILED) ? -ECONNRESET : got;
}

/*
 * Pieces of the stream from snd_base + off on, at most max bytes: their length,
 * 0 at end of file, -EAGAIN (none now), -ENOBUFS (none until an ACK), -errno.
 * look: the read before may have stopped at a mark. Then this one begins with an
 * urgent byte, of which the event may still be to come; the kernel has the mark
 * before it has the byte, so whoever has the byte and looks then is told.
 */
static ssize_t fetch(struct ctx *c, struct flow *f, uint32_t off, uint32_t max, bool look,
		     struct iovec iov[HOLD_IOV_MAX], int *n)
{
	struct tcp_flow *t = &f->tcp;
	ssize_t got = 1;
	size_t len;

	if (t->marks & TCPM_NO_PEEK) {
		if (t->ring.len < off + max)
			got = fill_ring(c, f, off + max, look);
		*n = hold_iov(&c->pool, &t->ring, off, frame_room(c, t, max), iov, &len);
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
		t->peek_at += (uint32_t)got;
		if (look)
			look_urgent(c, f);
		if (t->marks & TCPM_OUT_URG)
			got = MIN_OF(got, (ssize_t)frame_room(c, t, max));
		iov[0].iov_len = (size_t)got;
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
	c->count->tcp_rx_bytes += len;
	flow_got(&c->flows, f, len, c->now);
	if ((uint32_t)c->now - t->heard_ms < TCP_TALK_MS)
		t->marks |= TCPM_TALK;
	if (!(t->marks & (TCPM_TIMING | TCPM_RECOVERY))) {
		t->marks |= TCPM_TIMING;
		t->rtt_seq = t->snd_nxt;
		t->rtt_at = c->now;
	}
	tcp_timer_sent(c, f);
}

enum step { STEP_MORE, STEP_DONE, STEP_GONE };

/* Sends len bytes as super-frames, one behind the other: a reader that is woken by the first
 * is still awake for the next. False: not all, the tap is full. */
static bool send_frames(struct ctx *c, struct flow *f, struct iovec iov[HOLD_IOV_MAX], int n,
			size_t len, unsigned int *frames)
{
	const size_t most = frame_room(c, &f->tcp, usable(&f->tcp));

	while (len) {
		size_t part = MIN_OF(len, most), sent = 0;
		int rc;

		if (n == 1)
			iov[0].iov_len = part;
		rc = tcp_send_segment(c, f, TCPF_PSH, f->tcp.snd_nxt, iov, n, part, &sent);
		if (rc < 0 && !sent)
			return false;		/* these bytes stay unsent */
		sent_data(c, f, (uint32_t)sent);
		(*frames)--;	/* read_room() asked for no more */
		if (sent < part)
			return true;
		iov[0].iov_base = (uint8_t *)iov[0].iov_base + part;
		len -= part;
	}
	return true;
}

/* Sends up to *frames frames, or finds why not. *some: the read before this one may have given
 * less than it was asked for. */
static enum step out_step(struct ctx *c, struct flow *f, bool *more, bool *some, unsigned int *frames)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t room = usable(t), max;
	/* RFC 9293, 3.8.6.2.1: no small segment for want of window, until the timer
	 * that waits for a larger one (the probe's) has run out. */
	bool small = room < tcp_segment_size(c, t) && !t->retries;
	struct iovec iov[HOLD_IOV_MAX];
	ssize_t got;
	int n;

	if (!room && (t->marks & TCPM_FAILED) && t->snd_una == t->snd_nxt) {
		/* The container took what its window had place for and does not
		 * read: who only writes must hear of the reset too. */
		tcp_abort(c, f, true, false);
		return STEP_GONE;
	}
	if (!room) {
		wait_window(c, f);
		return STEP_DONE;
	}
	max = read_room(c, t, room, *frames);
	got = fetch(c, f, t->snd_nxt - t->snd_base, max, *some && !(t->marks & TCPM_OUT_URG),
		    iov, &n);
	if (got == -EAGAIN) {
		f->ready &= (uint8_t)~FLOW_READABLE;
		return STEP_DONE;
	}
	*some = got > 0 && (uint32_t)got < max;
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
	if (!send_frames(c, f, iov, n, (size_t)got, frames)) {
		*more = true;
		return STEP_DONE;
	}
	return STEP_MORE;
}

bool tcp_out(struct ctx *c, struct flow *f, bool *more)
{
	unsigned int frames = TCP_OUT_BUDGET;
	bool some = true;

	*more = false;
	f->tcp.marks &= ~(uint32_t)TCPM_BLOCKED;
	if (UNLIKELY(f->tcp.marks & TCPM_OUT_PRI))
		look_urgent(c, f);
	if (f->tcp.marks & TCPM_OUT_EOF) {	/* nothing follows, whatever epoll says */
		f->ready &= (uint8_t)~FLOW_READABLE;
		return send_fin(c, f, more);
	}
	if (!(f->ready & FLOW_READABLE))
		return true;
	while (frames) {
		enum step step = out_step(c, f, more, &some, &frames);

		if (step == STEP_GONE)
			return false;
		if (step == STEP_DONE)
			return true;
	}
	*more = true;
	return true;
}

/* The next hole to send again, from resend_nxt on: up to what a SACK says the
 * container has; without any SACK, up to where recovery began. */
static bool next_hole(const struct ctx *c, const struct tcp_flow *t, struct range *ret)
{
	uint32_t from = seq_lt(t->resend_nxt, t->snd_una) ? t->snd_una : t->resend_nxt;
	uint32_t end = data_end(t);

	if (t->sacked)
		return ranges_gap(&c->ranges.sets[t->sacked], from, ret);
	if ((t->marks & TCPM_RECOVERY) && seq_lt(t->recover, end))
		end = t->recover;
	*ret = (struct range){ from, end };
	return seq_lt(from, end);
}

static void sent_again(struct ctx *c, struct tcp_flow *t)
{
	c->count->tcp_retransmits++;
	t->retransmits++;
}

/* Sends from the hole's start again, at most max bytes. Bytes sent, 0 if the tap or the
 * container's window is full (the timer comes back), -1: f is gone. */
static ssize_t resend_from(struct ctx *c, struct flow *f, const struct range *hole, uint32_t max)
{
	struct tcp_flow *t = &f->tcp;
	const uint32_t room = t->snd_una + t->snd_wnd - hole->left;
	struct iovec iov[HOLD_IOV_MAX];
	size_t sent = 0;
	ssize_t got;
	int n;

	/* Into what the window is now, of which Linux 6.17 and later refuse all of a segment that
	 * ends beyond it. With no room at all the first is a probe. */
	if ((int32_t)room > 0)
		max = MIN_OF(max, room);
	else if (hole->left != t->snd_una)
		return 0;
	max = frame_room(c, t, MIN_OF(hole->right - hole->left, max));
	got = fetch(c, f, hole->left - t->snd_base, max, false, iov, &n);
	if (got <= 0) {		/* bytes that were there are gone: the socket failed */
		tcp_abort(c, f, true, false);
		return -1;
	}
	sent_again(c, t);
	tcp_send_segment(c, f, TCPF_PSH, hole->left, iov, n, (size_t)got, &sent);
	if (hole->left == t->snd_una)
		t->head_mark = t->snd_nxt;
	t->resend_mark = t->snd_nxt;
	return (ssize_t)sent;
}

/* Sends holes again, at most TCP_RESEND_SEGS segments for each ACK or time-out. */
static bool resend_holes(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t budget = TCP_RESEND_SEGS * t->mss;
	struct range hole;
	ssize_t sent = 1;

	while (budget && sent > 0 && next_hole(c, t, &hole)) {
		sent = resend_from(c, f, &hole, budget);
		if (sent < 0)
			return false;
		t->resend_nxt = hole.left + (uint32_t)sent;
		budget -= MIN_OF(budget, (uint32_t)sent);
	}
	return true;
}

bool tcp_out_resend(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;

	t->marks &= ~(uint32_t)TCPM_TIMING;		/* Karn: RFC 6298, 3 */
	if (!seq_lt(t->snd_una, data_end(t))) {
		sent_again(c, t);
		if (t->marks & TCPM_FIN_SENT)
			tcp_send_segment(c, f, TCPF_FIN, t->snd_una, NULL, 0, 0, NULL);
		return true;
	}
	t->resend_nxt = t->snd_una;
	return resend_holes(c, f);
}

/* A piece the container has. False if that was known. One for which there is no
 * place cannot be known. */
static bool note_sack(struct ctx *c, struct tcp_flow *t, uint32_t left, uint32_t right)
{
	struct ranges *s;
	uint32_t had;

	if (!t->sacked)
		t->sacked = ranges_take(&c->ranges);
	s = &c->ranges.sets[t->sacked];
	had = t->sacked ? ranges_bytes(s) : 0;
	return !t->sacked || !ranges_add(s, left, right) || ranges_bytes(s) != had;
}

/* Takes in the SACK blocks of a segment (RFC 2018, 4; those at or below the ACK
 * are duplicates reported, RFC 2883). A piece may have our FIN at its end, which
 * the scoreboard leaves out. True: something new came there. */
static bool note_sacks(struct ctx *c, struct tcp_flow *t, const struct tcp *seg)
{
	uint32_t end = data_end(t);
	bool news = false;

	for (unsigned int i = 0; i < seg->opt.nsack && (t->marks & TCPM_SACK); i++) {
		uint32_t left = seg->opt.sack[i].left, right = seg->opt.sack[i].right;

		if (!seq_lt(seg->ack, left) || !seq_lt(t->snd_una, left) ||
		    seq_lt(t->snd_nxt, right))
			continue;
		if (seq_lt(end, right))
			right = end;
		if (seq_lt(left, right))
			news |= note_sack(c, t, left, right);
	}
	return news;
}

/* What the cumulative ACK covers leaves the scoreboard. An ACK that stops where
 * a piece begins takes it back: the container dropped it (RFC 2018, 8). So the
 * scoreboard is kept over a time-out, which resends the first hole anyway. */
static void trim_sacks(struct ctx *c, struct tcp_flow *t)
{
	struct ranges *s = &c->ranges.sets[t->sacked];

	if (!t->sacked)
		return;
	ranges_cut(s, t->snd_una);
	if (s->n && s->r[0].left == t->snd_una) {
		t->resend_nxt = t->snd_una;
		s->n = 0;
	}
	if (!s->n)
		ranges_give(&c->ranges, &t->sacked);
}

/* RFC 6675, 4 IsLost() for the first byte: three segments' worth lie behind it, or
 * the end, sent again later than all before it (RFC 8985, 7.4.1). */
static bool is_lost(const struct ctx *c, const struct tcp_flow *t)
{
	return t->dupacks >= TCP_DUPACKS || (t->sacked && (t->marks & TCPM_TAIL)) ||
	       (t->sacked && ranges_bytes(&c->ranges.sets[t->sacked]) >
				     (TCP_DUPACKS - 1) * (uint32_t)t->mss);
}

/* The first hole was sent again, three segments' worth of what was sent later
 * arrived, and it is still a hole: lost once more. (RFC 8985 tells this by time,
 * here the order of sending does.) */
static bool head_lost_again(const struct ctx *c, const struct tcp_flow *t)
{
	const struct ranges *s = &c->ranges.sets[t->sacked];

	return t->sacked && seq_lt(t->snd_una, t->resend_nxt) &&
	       seq_lt(t->head_mark + (TCP_DUPACKS - 1) * t->mss, s->r[s->n - 1].right);
}

bool tcp_out_resend_head(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	struct range hole;

	return !ranges_gap(&c->ranges.sets[t->sacked], t->snd_una, &hole) ||
	       resend_from(c, f, &hole, TCP_RESEND_SEGS * t->mss) >= 0;
}

/*
 * RFC 1191, 3 and 6.4; RFC 8201, 5.2 and 5.4: what is under way was too large for a link inside
 * and goes again at once, in segments that fit. It must be about what is under way (RFC 5927,
 * 7.1), and news: what was sent before the first such error has its own come back.
 */
bool tcp_out_path_mtu(struct ctx *c, struct flow *f, uint32_t seq, uint32_t mtu)
{
	const uint32_t hlen = (flow_is4(f) ? IP4_HLEN : IP6_HLEN) + TCP_HLEN;
	struct tcp_flow *t = &f->tcp;
	uint32_t mss = mtu - hlen - (t->marks & TCPM_TS ? TCP_TS_LEN : 0);

	if (t->state != TCPS_OPEN || seq_lt(seq, t->snd_una) || !seq_lt(seq, data_end(t)) ||
	    mss >= tcp_segment_size(c, t))
		return false;
	t->mss = (uint16_t)mss;
	t->marks |= TCPM_RECOVERY;
	t->recover = t->snd_nxt;
	tcp_timer_resend(c, f);
	tcp_out_resend(c, f);
	return true;
}

uint32_t tcp_out_tail(const struct tcp_flow *t)
{
	return data_end(t) - t->snd_una;
}

bool tcp_out_resend_tail(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	struct range tail = { data_end(t) - MIN_OF(tcp_out_tail(t), (uint32_t)t->mss),
			      data_end(t) };

	t->marks &= ~(uint32_t)TCPM_TIMING;		/* Karn: RFC 6298, 3 */
	return resend_from(c, f, &tail, t->mss) >= 0;
}

static bool recover_by_sack(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;

	if (!(t->marks & TCPM_RECOVERY)) {
		if (!seq_lt(t->snd_una, data_end(t)) || !is_lost(c, t))
			return true;
		t->marks |= TCPM_RECOVERY;
		t->recover = t->snd_nxt;
		tcp_timer_resend(c, f);
		return tcp_out_resend(c, f);
	}
	if (!t->sacked)
		return true;
	tcp_timer_head(c, f);
	if (head_lost_again(c, t) && !tcp_out_resend_head(c, f))
		return false;
	return resend_holes(c, f);
}

/* Bytes the container has now: recovery, timer, round-trip time. */
static bool newly_acked(struct ctx *c, struct flow *f, uint32_t ack)
{
	struct tcp_flow *t = &f->tcp;

	t->snd_una = ack;
	t->head_mark = t->resend_mark;
	t->head_tries = 0;
	t->dupacks = 0;
	t->marks &= ~(uint32_t)TCPM_TAIL;
	trim_sacks(c, t);
	if (t->retries) {
		t->retries = 0;
		tcp_timer_rto(f);
	}
	if (seq_le(t->out_urg, ack))
		t->marks &= ~(uint32_t)TCPM_OUT_URG;
	if ((t->marks & TCPM_FIN_SENT) && ack == t->snd_nxt)
		t->marks |= TCPM_FIN_ACKED;
	if (t->marks & TCPM_NO_PEEK)
		tcp_out_discard(c, f);		/* a full ring has room again, now */
	else
		tcp_mark(c, f, TCPM_DISCARD);
	if ((t->marks & TCPM_TIMING) && seq_le(t->rtt_seq, ack))
		tcp_timer_rtt(c, f);
	if (seq_le(t->recover, ack))
		t->marks &= ~(uint32_t)TCPM_RECOVERY;
	if (t->snd_una == t->snd_nxt)
		tcp_timer_clear(f);
	else
		tcp_timer_resend(c, f);
	if (t->sacked || !(t->marks & TCPM_RECOVERY))
		return true;
	/* What a partial ACK leaves is lost (RFC 6582, 3.2), but for what was sent again a
	 * moment ago: of that SACK would tell, if it is lost once more. */
	if ((t->marks & TCPM_SACK) && seq_lt(ack, data_end(t)))
		return resend_holes(c, f);
	return tcp_out_resend(c, f);
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
	/* RFC 6675, 2: where there is SACK, what brings no news by it is no duplicate. */
	bool news = seg->opt.nsack ? note_sacks(c, t, seg) : !(t->marks & TCPM_SACK);

	if (advanced) {
		if (!newly_acked(c, f, seg->ack))
			return false;
	} else if (seg->ack == t->snd_una && dup_shape && news && wnd == t->snd_wnd &&
		   seq_lt(t->snd_una, data_end(t)) && t->dupacks < TCP_DUPACKS) {
		t->dupacks++;
	}
	if ((t->dupacks >= TCP_DUPACKS || t->sacked) && !recover_by_sack(c, f))
		return false;
	if (advanced || newer_window(t, seg)) {
		t->snd_wl1 = seg->seq;
		t->snd_wl2 = seg->ack;
		if (!window_is(c, f, wnd))
			return false;
	}
	if (t->snd_una == t->snd_nxt)
		t->retries = 0;			/* it answers: probing may go on */
	if (!(t->marks & TCPM_BLOCKED))
		return true;
	if (usable(t) || (t->marks & TCPM_FAILED)) {	/* ... or the end is near */
		t->marks &= ~(uint32_t)TCPM_BLOCKED;
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

	t->marks &= ~(uint32_t)TCPM_DISCARD;
	if (!acked)
		return;
	if (t->marks & TCPM_NO_PEEK) {
		hold_consume(&c->pool, &t->ring, acked);
		if (!t->ring.len && t->ring_cap) {
			hold_reserve(&c->pool, hold_chunks(t->ring_cap), 0);
			t->ring_cap = 0;
		}
		if ((t->marks & TCPM_DNS) && t->hold.len)	/* a question that waits for room */
			flow_enqueue(&c->flows, f);
	} else {
		done = port_discard(c, f, acked);
		if (done < 0)
			return;			/* the socket failed: reading finds out */
		t->peek_at -= MIN_OF(t->peek_at, (uint32_t)done);
	}
	if (UNLIKELY(f->rx_bytes >= TCP_BULK && !(t->marks & TCPM_BULK))) {
		t->marks |= TCPM_BULK;
		port_bulk(c, f);
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
	ranges_give(&c->ranges, &f->tcp.sacked);
}
