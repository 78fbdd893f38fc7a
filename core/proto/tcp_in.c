/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_in: container -> remote. Nothing that was inside the window is ever
 * dropped: bytes go to the host socket, or to the hold buffer, whose free
 * space is the window shown.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "proto/dns_tcp.h"
#include "proto/port.h"
#include "proto/tcp.h"

/*
 * The first window. That it is small costs no speed, for it doubles within a round
 * trip of this link: so most of the arena is left to 100,000 flows that say little.
 * Each takes a 4096th of what is unpromised of the first quarter, two segments at
 * least; when that quarter is gone, a chunk. (A stack that never saw a larger
 * window sends smaller segments: RFC 9293, 3.8.6.2.1.)
 */
static uint32_t first_cap(const struct ctx *c, const struct tcp_flow *t)
{
	uint32_t free = c->pool.nchunks - c->pool.reserved, rest = c->pool.nchunks / 4 * 3;
	uint32_t least = MAX_OF(HOLD_CHUNK, 2u * t->mss);
	uint64_t share;

	if (free <= rest)
		return HOLD_CHUNK - (1u << TCP_WSCALE);		/* two chunks with its granule */
	share = (uint64_t)(free - rest) * HOLD_CHUNK / 4096;
	return (MAX_OF((uint32_t)MIN_OF(share, (uint64_t)TCP_IN_CAP_FIRST), least) +
		HOLD_CHUNK - 1) / HOLD_CHUNK * HOLD_CHUNK;
}

bool tcp_in_reserve(struct ctx *c, struct flow *f)
{
	uint32_t cap = first_cap(c, &f->tcp);

	if (!hold_reserve(&c->pool, 0, tcp_in_chunks(cap)))
		return false;
	f->tcp.in_cap = cap;
	return true;
}

/* Takes what the flow has in place out of the list, to data unless NULL; how many pieces. */
static int unplace(struct ctx *c, const struct flow *f, struct iovec data[CTX_PLACED])
{
	const uint32_t idx = flow_idx(&c->flows, f), all = c->nplaced;
	int n = 0;

	c->nplaced = 0;
	for (uint32_t i = 0; i < all; i++) {
		if (c->placed[i].flow != idx)
			c->placed[c->nplaced++] = c->placed[i];
		else if (data)
			data[n++] = c->placed[i].data;
	}
	return n;
}

/* Bytes of the flow that lie in their frames. */
static uint32_t in_place(const struct ctx *c, const struct flow *f)
{
	uint32_t len = 0;

	for (uint32_t i = 0; i < c->nplaced; i++)
		if (c->placed[i].flow == flow_idx(&c->flows, f))
			len += (uint32_t)c->placed[i].data.iov_len;
	return len;
}

void tcp_in_release(struct ctx *c, struct flow *f)
{
	unplace(c, f, NULL);
	hold_clear(&c->pool, &f->tcp.hold);
	if (f->tcp.in_cap)
		hold_reserve(&c->pool, tcp_in_chunks(f->tcp.in_cap), 0);
	f->tcp.in_cap = 0;
	ranges_give(&c->ranges, &f->tcp.ooo);
}

/* Whether so much of the arena is promised, or in use, that large windows must give back. */
static bool memory_short(const struct ctx *c)
{
	return c->pool.reserved > c->pool.nchunks / 4 * 3 ||
	       c->pool.nfree < c->pool.nchunks / 4 * 3;
}

/* Halves the reservation, where the window shown already fits into that. */
static void shrink(struct ctx *c, struct tcp_flow *t)
{
	uint32_t cap = t->in_cap / 2;

	if (cap < TCP_IN_CAP_FIRST || t->hold.len + (t->rcv_adv - t->rcv_nxt) > cap)
		return;
	hold_reserve(&c->pool, tcp_in_chunks(t->in_cap), tcp_in_chunks(cap));
	t->in_cap = cap;
}

/* Doubles the window of a flow that filled it while the host took everything at
 * once, as long as half of the arena is unpromised. When it runs short they shrink
 * again, each as bytes come into it: flows that send pay for new ones. */
static void judge_cap(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t cap = t->in_cap * 2;

	if (memory_short(c))
		shrink(c, t);
	if (t->rcv_nxt - t->in_mark < t->in_cap)
		return;
	t->in_mark = t->rcv_nxt;
	if (t->hold.len || cap > TCP_IN_CAP_MAX || c->pool.reserved > c->pool.nchunks / 2)
		return;
	if (hold_reserve(&c->pool, tcp_in_chunks(t->in_cap), tcp_in_chunks(cap)))
		t->in_cap = cap;
}

/* Counts the flows that send data in the same moment. */
static void note_sender(struct ctx *c, struct tcp_flow *t)
{
	uint32_t now = (uint32_t)(c->now / TCP_EPOCH_MS);

	if (c->epoch != now) {
		c->last_senders = c->epoch + 1 == now ? c->senders : 0;
		c->senders = 0;
		c->epoch = now;
	}
	if (t->epoch != now) {
		t->epoch = now;
		c->senders++;
	}
}

/*
 * What of in_cap the flow may fill now. All that flows of the container have
 * under way stands in the tap's one queue: what one puts in, the others wait
 * for. Alone a flow gets all it has, in company its share, but two segments at
 * least, as in_cap has: a window below one makes the container wait for its timer.
 */
static uint32_t fair_cap(const struct ctx *c, const struct tcp_flow *t)
{
	uint32_t n = MAX_OF(c->senders, c->last_senders);
	uint32_t least = MAX_OF(TCP_IN_SHARE_LEAST, 2u * t->mss);

	if (memory_short(c) && t->in_cap > TCP_IN_CAP_FIRST)
		return t->in_cap / 2;
	if (n < 2)
		return t->in_cap;
	return MIN_OF(t->in_cap, MAX_OF(TCP_IN_SHARED / n, least));
}

/*
 * The window field for a segment that leaves now; moves rcv_adv. RFC 9293,
 * 3.8.6.2.2: below one segment (or half of a small buffer) the window is shown
 * as closed; 3.8.6: the right edge never moves left.
 */
uint16_t tcp_in_window(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t shown = t->rcv_adv - t->rcv_nxt;
	uint32_t cap = fair_cap(c, t), held = t->hold.len + in_place(c, f);
	uint32_t space = cap > held ? cap - held : 0;
	uint32_t grain = (1u << t->rcv_wscale) - 1, field;

	if (space < MIN_OF((uint32_t)t->mss, cap / 2))
		space = 0;
	space = space & ~grain;
	if (space < shown)	/* rounded up once, not with each segment anew */
		space = held + ((shown + grain) & ~grain) <= t->in_cap + grain ?
			(shown + grain) & ~grain : shown & ~grain;
	field = MIN_OF(space >> t->rcv_wscale, (uint32_t)UINT16_MAX);
	if ((field << t->rcv_wscale) > shown)
		t->rcv_adv = t->rcv_nxt + (field << t->rcv_wscale);
	if (field == 0 && !(t->marks & TCPM_ZERO_WND)) {
		t->marks |= TCPM_ZERO_WND;
		c->count->tcp_window_zero++;
	} else if (field) {
		t->marks &= ~(uint32_t)TCPM_ZERO_WND;
	}
	return (uint16_t)field;
}

/* Sends to the host what it takes of iov; bytes taken or -errno (0: none now). Of memory
 * that is there again no event tells. */
static ssize_t offer(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool urgent)
{
	ssize_t sent = port_send(c, f, iov, n, urgent);

	if (UNLIKELY(sent == -ENOBUFS || sent == -ENOMEM)) {
		f->tcp.marks |= TCPM_STARVED;
		c->starved_at = c->starved_at ? c->starved_at : c->now + TCP_STARVED_MS;
		c->count->tcp_starved++;
		return 0;
	}
	return sent == -EAGAIN ? 0 : sent;
}

void tcp_gathered(struct ctx *c)
{
	uint32_t idx;

	tcp_in_flush(c);
	idx = c->finish_head;	/* TCPM_GATHERED are in that list */
	while (idx != FLOW_NONE) {
		struct flow *f = flow_at(&c->flows, idx);

		idx = f->tcp.list_next;
		if (!(f->tcp.marks & TCPM_GATHERED))
			continue;
		f->tcp.marks &= ~(uint32_t)TCPM_GATHERED;
		if (!tcp_in_drain(c, f))
			continue;
		c->count->tcp_held_bytes += f->tcp.hold.len;
		judge_cap(c, f);
		tcp_end_check(c, f);
	}
}

void tcp_starved(struct ctx *c)
{
	if (!c->starved_at || c->now < c->starved_at)
		return;
	c->starved_at = 0;
	for (uint32_t i = 0; i < c->flows.fresh; i++) {
		struct flow *f = flow_at(&c->flows, i);

		if (f->state != FLOW_OPEN || f->key.proto != FLOW_TCP ||
		    !(f->tcp.marks & TCPM_STARVED))
			continue;
		f->tcp.marks &= ~(uint32_t)TCPM_STARVED;
		if (f->tcp.hold.len && tcp_in_drain(c, f))
			tcp_end_check(c, f);
	}
}

/* The host socket takes no more: the remote reset it. What came from there goes to
 * the container first, then RST; what it still sends is swallowed till then.
 * False: nothing can be left to read, f is gone. */
static bool failed(struct ctx *c, struct flow *f)
{
	if (f->tcp.marks & TCPM_OUT_EOF) {
		tcp_abort(c, f, true, false);
		return false;
	}
	hold_clear(&c->pool, &f->tcp.hold);
	ranges_give(&c->ranges, &f->tcp.ooo);
	f->tcp.marks |= TCPM_FAILED;
	f->ready |= FLOW_READABLE;
	flow_enqueue(&c->flows, f);
	return true;
}

/* What the flow has in place goes to the host, in one call; what that does not take is kept.
 * False: f is gone. */
static bool send_placed(struct ctx *c, struct flow *f)
{
	struct iovec iov[CTX_PLACED];
	int n = unplace(c, f, iov);
	ssize_t sent;

	if (!n)
		return true;
	sent = offer(c, f, iov, n, false);
	if (sent < 0)
		return failed(c, f);
	for (int i = 0; i < n; i++) {
		size_t gone = MIN_OF((size_t)sent, iov[i].iov_len), rest = iov[i].iov_len - gone;
		bool kept = hold_append(&c->pool, &f->tcp.hold, (uint8_t *)iov[i].iov_base + gone, rest) == rest;

		assert(kept);	/* inside the window, which is reserved */
		(void)kept;
		sent -= (ssize_t)gone;
		c->count->tcp_held_bytes += rest;
	}
	judge_cap(c, f);
	return true;
}

/* False: f (NULL: nobody) is gone. */
static bool send_all_placed(struct ctx *c, const struct flow *f)
{
	bool lives = true;

	while (c->nplaced) {
		struct flow *g = flow_at(&c->flows, c->placed[0].flow);

		if (!send_placed(c, g) && g == f)
			lives = false;
	}
	return lives;
}

void tcp_in_flush(struct ctx *c)
{
	send_all_placed(c, NULL);
}

bool tcp_in_keeps(const struct ctx *c, const void *data, size_t len)
{
	const uint8_t *from = data, *last;

	if (!c->nplaced)
		return false;
	last = c->placed[c->nplaced - 1].data.iov_base;
	return last >= from && last < from + len;
}

/* Bytes that came out of order are written where they belong, and their place
 * kept to be shown by SACK. Those of one piece too many are dropped: the
 * container, which was not told of them, sends them again. */
void tcp_in_ahead(struct ctx *c, struct flow *f, uint32_t seq, const void *data, size_t len)
{
	struct tcp_flow *t = &f->tcp;
	bool kept;

	if (t->marks & TCPM_FAILED)
		return;
	if (!t->ooo)
		t->ooo = ranges_take(&c->ranges);
	if (!t->ooo || !ranges_add(&c->ranges.sets[t->ooo], seq, seq + (uint32_t)len)) {
		c->count->tcp_ooo_dropped++;
		return;
	}
	kept = hold_write(&c->pool, &t->hold, t->hold.len + (seq - t->rcv_nxt), data, len);
	assert(kept);		/* inside the window, which is reserved */
	(void)kept;
}

static void took(struct ctx *c, struct flow *f, size_t len)
{
	c->count->tcp_tx_bytes += len;
	flow_sent(&c->flows, f, len, c->now);
}

/* The next bytes in order while others wait beyond them: through the hold
 * buffer, where they may join those. */
static bool fill_hole(struct ctx *c, struct flow *f, const void *data, size_t len)
{
	struct tcp_flow *t = &f->tcp;
	struct ranges *ahead = &c->ranges.sets[t->ooo];
	bool kept = hold_write(&c->pool, &t->hold, t->hold.len, data, len);
	uint32_t next = ranges_reach(ahead, t->rcv_nxt + (uint32_t)len);

	assert(kept);
	(void)kept;
	hold_extend(&c->pool, &t->hold, next - t->rcv_nxt);
	c->count->tcp_held_bytes += next - t->rcv_nxt;
	took(c, f, next - t->rcv_nxt);
	t->rcv_nxt = next;
	if (!ahead->n)
		ranges_give(&c->ranges, &t->ooo);
	tcp_mark(c, f, TCPM_ACK);	/* at once: RFC 5681, 4.2 */
	if (!tcp_in_drain(c, f))
		return false;
	judge_cap(c, f);
	return true;
}

/* What the host has not taken yet begins here. */
static uint32_t not_passed(const struct tcp_flow *t)
{
	return t->rcv_nxt - !!(t->marks & TCPM_IN_FIN) - t->hold.len;
}

/* RFC 9293, 3.10.7.4, sixth; a pointer of 0 says nothing. */
void tcp_in_urgent(struct flow *f, const struct tcp *seg)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t at = seg->seq + seg->urg - 1u;

	if (!seg->urg || (t->marks & TCPM_DNS) || seq_lt(at, not_passed(t)) ||
	    ((t->marks & TCPM_IN_URG) && seq_le(at, t->in_urg)))
		return;
	t->marks |= TCPM_IN_URG;
	t->in_urg = at;
}

/* The next bytes in order through the hold buffer, in any case: while an urgent one is to come,
 * which goes out of it alone; and of what the DNS forwarder looks into. */
static bool pass_by_hold(struct ctx *c, struct flow *f, const void *data, size_t len)
{
	size_t kept = hold_append(&c->pool, &f->tcp.hold, data, len);

	took(c, f, kept);
	f->tcp.rcv_nxt += (uint32_t)kept;
	if (!tcp_in_drain(c, f))
		return false;
	judge_cap(c, f);
	return true;
}

/*
 * Whether the next bytes leave when the turn ends, with those behind them: of a flow that had
 * data in it already. Where a kernel sends single segments (a guest's, without offloads)
 * a copy costs far less than a call for each. Not while the host takes no more: then there is
 * no call either.
 */
static bool gathers(const struct tcp_flow *t, size_t len)
{
	return (t->marks & (TCPM_ACK | TCPM_FAILED)) == TCPM_ACK && len <= TCP_GATHER_MOST &&
	       (!t->hold.len || (t->marks & TCPM_GATHERED));
}

/*
 * Whether the next bytes leave with those behind them out of the frames they came in: large ones,
 * and what follows them. Each send to a near remote wakes it, and several at once are copied by
 * either while they are in its cache: a sixth less CPU. Where the host paces, all but the first
 * would wait for its timer, which costs more; one by one each comes when it is time.
 */
static bool places(const struct ctx *c, const struct flow *f, size_t len)
{
	const uint32_t never = TCPM_FAILED | TCPM_IN_URG | TCPM_DNS;

	return !c->paced && !f->tcp.hold.len && !f->tcp.ooo && !(f->tcp.marks & never) &&
	       (len > TCP_GATHER_MOST || in_place(c, f));
}

bool tcp_in_data(struct ctx *c, struct flow *f, const void *data, size_t len)
{
	const struct iovec iov = { (void *)(uintptr_t)data, len };
	struct tcp_flow *t = &f->tcp;
	ssize_t sent = 0;
	size_t kept;

	note_sender(c, t);
	if (places(c, f, len)) {
		c->placed[c->nplaced++] = (struct placed){ flow_idx(&c->flows, f), iov };
		took(c, f, len);
		t->rcv_nxt += (uint32_t)len;
		return c->nplaced < CTX_PLACED || send_all_placed(c, f);
	}
	if (t->ooo)
		return fill_hole(c, f, data, len);
	if (UNLIKELY((t->marks & (TCPM_IN_URG | TCPM_DNS)) && !(t->marks & TCPM_FAILED)))
		return pass_by_hold(c, f, data, len);
	if (gathers(t, len)) {
		tcp_mark(c, f, TCPM_GATHERED);
		kept = hold_append(&c->pool, &t->hold, data, len);
		took(c, f, kept);
		t->rcv_nxt += (uint32_t)kept;
		return true;
	}
	if (!t->hold.len && !(t->marks & TCPM_FAILED))
		sent = offer(c, f, &iov, 1, false);
	if (sent < 0 && !failed(c, f))
		return false;
	if (t->marks & TCPM_FAILED)
		sent = (ssize_t)len;
	len -= (size_t)sent;
	kept = hold_append(&c->pool, &t->hold, (const uint8_t *)data + sent, len);
	c->count->tcp_held_bytes += kept;
	took(c, f, (size_t)sent + kept);
	t->rcv_nxt += (uint32_t)((size_t)sent + kept);
	judge_cap(c, f);
	return true;
}

/* The container's FIN follows the last byte the host took. */
static bool pass_fin(struct ctx *c, struct flow *f)
{
	const uint32_t never = TCPM_IN_SHUT | TCPM_FAILED;

	if (!(f->tcp.marks & TCPM_IN_FIN) || (f->tcp.marks & never) || f->tcp.hold.len)
		return true;
	if (port_shutdown(c, f) < 0)
		return failed(c, f);
	f->tcp.marks |= TCPM_IN_SHUT;
	return true;
}

bool tcp_in_fin(struct ctx *c, struct flow *f)
{
	if (!send_placed(c, f))		/* its own segment's */
		return false;
	f->tcp.marks |= TCPM_IN_FIN | (f->tcp.marks & TCPM_FIN_SENT ? TCPM_ACTIVE : 0);
	f->tcp.rcv_nxt++;
	if (f->tcp.rcv_adv == f->tcp.rcv_nxt - 1)	/* a FIN needs no window */
		f->tcp.rcv_adv++;
	hold_cut(&c->pool, &f->tcp.hold);		/* nothing can lie behind it */
	ranges_give(&c->ranges, &f->tcp.ooo);
	if (f->tcp.marks & TCPM_DNS)	/* half of a message stays one */
		return tcp_in_drain(c, f);
	return pass_fin(c, f);
}

/* What of the hold buffer goes in one send: an urgent byte by itself, or all before it; to a
 * resolver what is for it. */
static uint32_t up_to_mark(struct ctx *c, struct flow *f, bool *urgent)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t ahead = t->in_urg - not_passed(t);

	*urgent = false;
	if (UNLIKELY(t->marks & TCPM_DNS))
		return dns_tcp_pass(c, f);
	*urgent = (t->marks & TCPM_IN_URG) && !ahead;
	if (!(t->marks & TCPM_IN_URG) || ahead >= t->hold.len)
		return t->hold.len;
	return ahead ? ahead : 1;
}

bool tcp_in_drain(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t cap = fair_cap(c, t), shown;
	struct iovec iov[HOLD_IOV_MAX];
	ssize_t sent = 1;
	size_t len;

	while (t->hold.len && sent > 0) {
		bool urgent;
		uint32_t most = up_to_mark(c, f, &urgent);
		int n;

		if (!most)
			break;
		n = hold_iov(&c->pool, &t->hold, 0, most, iov, &len);
		sent = offer(c, f, iov, n, urgent);
		if (sent < 0)
			return failed(c, f);
		hold_consume(&c->pool, &t->hold, (uint32_t)sent);
		dns_tcp_passed(f, (uint32_t)sent);
		if (urgent && sent)
			t->marks &= ~(uint32_t)TCPM_IN_URG;
	}
	/* RFC 9293, 3.8.6.2.2: a window that was small is reopened at once, by
	 * an update of its own, when it can grow by two segments or half. Not behind
	 * a FIN: the socket that it was for may be gone, and what hears of it resets. */
	shown = t->rcv_adv - t->rcv_nxt;
	if (!(t->marks & TCPM_IN_FIN) && shown < cap / 2 && cap >= t->hold.len + shown + MIN_OF(2u * t->mss, cap / 2))
		tcp_mark(c, f, TCPM_ACK);
	return pass_fin(c, f);
}
