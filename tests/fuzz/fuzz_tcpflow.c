/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes proto/tcp*: the input's bytes are steps of one connection: segments of a
 * container, what the host socket and the tap say, and time. After each step:
 * fakeport's invariants (flow.h, hold.h); every byte at the socket is what the container
 * sent there; every byte towards the container is what the remote sent there, inside of
 * a window it offered; acknowledgments never go back.
 *
 * The first byte says how the world is made, and whether the container is honest (it
 * keeps to RFC 9293, but frames may be lost, come twice or in another order each way).
 * With an honest one the connection must also come to its end: when nothing is in its
 * way any more, all bytes of both directions arrive, and the end of each.
 *
 * With MODE_MORE a second byte says what the SYN offers. An honest container with SACK
 * shows what it has (RFC 2018), and duplicates (RFC 2883), and never sends again what
 * we showed to have; a hostile one lies. With timestamps it goes by RFC 7323. The remote may send urgent
 * bytes (RFC 9293, 3.8.5): they stay in line, and pointers lead to such bytes only.
 */
#include "fuzz.h"

#include <errno.h>

#include "proto/proto.h"
#include "proto/tcp.h"
#include "tests/unit/proto/fakeport.h"
#include "wire/numbers.h"

#define STEPS_MAX	400
#define REMOTE_MAX	(1u << 20)	/* bytes the remote sends in all */
#define CLOCK_MAX	50000u		/* ms of one input: no retransmission gives up */
#define ISN		0xfffff000u
#define WSCALE		7

enum mode { MODE_HOSTILE = 1, MODE_PEEK = 2, MODE_OFFLOAD = 4, MODE_V6 = 8, MODE_SMALL = 16,
	    MODE_NO_WSCALE = 32, MODE_MSS = 64, MODE_MORE = 128 };
enum more { MORE_SACK = 1, MORE_TS = 2, MORE_QUICK = 4 /* an ACK for each segment */,
	    MORE_FEW = 8 /* one set of pieces in all */ };

#define STASH 4u

/* A segment on a slow way; its payload follows from its numbers. */
struct late {
	bool used;
	struct tcp t;
	uint32_t len;
};

/* What happens to the next segment of a side. */
enum fate { FATE_ARRIVES, FATE_LOST, FATE_LATE };

struct run {
	struct fake_world *w;
	struct fake_sock *sock;
	struct addr inner, remote;
	uint8_t mode, more;
	uint32_t urgent;		/* the byte behind the remote's last urgent one, from 1; 0: none */
	struct rd in;
	enum fate fate_in, fate_out;
	struct late late_in[STASH], late_out[STASH];	/* to us; to the container */

	/* the container; numbers count from its ISN and from ours */
	bool synced;			/* it has our SYN-ACK */
	uint32_t iss;
	uint32_t snd_una, snd_nxt, edge;	/* edge: of the window we offered */
	bool fin_sent;
	uint32_t fin_at;
	uint32_t rcv_nxt, rcv_edge;	/* edge: of the window it offered, the greatest */
	uint32_t max_ack, max_wnd;
	bool fin_seen, reset;
	struct ranges ahead;		/* what it has beyond rcv_nxt */
	struct range twice;		/* what came twice last */
	bool has_twice;
	uint32_t ts_echo;		/* RFC 7323, 4.3 */
	uint32_t ts_last_ack;		/* its last ACK */
	struct ranges shown;		/* what we said to have beyond its snd_una */

	/* us */
	bool acked;
	uint32_t last_ack, last_edge, max_tsval;
	uint64_t remote_sent;
	uint64_t checked;		/* bytes at the socket looked at */
	bool remote_fin, failed;
	uint64_t clock;
};

static uint8_t out_byte(uint32_t at) { return (uint8_t)(at * 13 + 5 + at / 241); }
static uint8_t in_byte(uint32_t at) { return (uint8_t)(at * 7 + 1 + at / 251); }

static uint8_t next8(struct run *r)
{
	uint8_t v = 0;

	rd_u8(&r->in, &v);
	return v;
}

static uint16_t next16(struct run *r)
{
	uint16_t v = next8(r);

	return (uint16_t)(v << 8 | next8(r));
}

static bool hostile(const struct run *r)
{
	return r->mode & MODE_HOSTILE;
}

/* FUZZ_TRACE=1 in the environment shows what goes to and fro. */
static void trace(const char *dir, const struct run *r, const struct tcp *t, uint32_t len)
{
	bool to = *dir == '>';
	uint32_t seq = to ? r->iss : ISN, ack = to ? ISN : r->iss;

	if (!getenv("FUZZ_TRACE"))
		return;
	fprintf(stderr, "%u %s flags %02x %u(%u) ack %u win %u", (unsigned int)r->w->c.now - 1000000,
		dir, t->flags, t->seq - seq, len, t->ack - ack, t->wnd);
	if (t->opt.ts)
		fprintf(stderr, " ts %u/%u", t->opt.tsval, t->opt.tsecr);
	for (unsigned int i = 0; i < t->opt.nsack; i++)
		fprintf(stderr, " %u-%u", t->opt.sack[i].left - ack, t->opt.sack[i].right - ack);
	fprintf(stderr, "\n");
}

/* --- what must hold --- */

static void check_socket(struct run *r)
{
	const struct fake_bytes *out;

	if (!r->sock)
		return;
	out = &r->sock->out;
	for (; r->checked < out->len; r->checked++)
		FUZZ_HOLDS(out->p[r->checked] == out_byte((uint32_t)r->checked));
	FUZZ_HOLDS(out->len <= r->snd_nxt);
	/* an end only behind the last byte of what was sent before the FIN */
	if (r->sock->shut && !hostile(r))
		FUZZ_HOLDS(r->fin_sent && out->len + 1 == r->fin_at);
}

static void settle(struct run *r)
{
	int n = 0;

	do {
		fake_turn(r->w);
		fake_check(r->w);
		FUZZ_HOLDS(n++ < 5000);		/* the loop comes to rest */
	} while (proto_busy(&r->w->c) && !r->w->c.tap_blocked);
	if (!r->sock && r->w->io.opens)
		r->sock = fake_last(r->w);
	check_socket(r);
}

static void check_ack(struct run *r, const struct tcp *t)
{
	const struct flow *f = r->sock ? fake_flow(r->w, r->sock) : NULL;
	uint32_t ack = t->ack - ISN, edge;
	unsigned int scale = f && !(t->flags & TCPF_SYN) ? f->tcp.rcv_wscale : 0;

	if (!(t->flags & TCPF_ACK) || (t->flags & TCPF_RST))
		return;
	FUZZ_HOLDS(ack <= r->snd_nxt + r->fin_sent);
	FUZZ_HOLDS(!r->acked || ack >= r->last_ack);
	r->acked = true;
	r->last_ack = ack;
	if (!f)
		return;
	edge = ack + ((uint32_t)t->wnd << scale);
	FUZZ_HOLDS(edge + (1u << scale) > r->last_edge);
	r->last_edge = MAX_OF(edge, r->last_edge);
}

/* Options are there if they were agreed, and say what is. */
static void check_options(struct run *r, const struct tcp *t)
{
	const bool syn = t->flags & TCPF_SYN, rst = t->flags & TCPF_RST;

	FUZZ_HOLDS(t->opt.sack_ok == (syn && (r->more & MORE_SACK)));
	FUZZ_HOLDS(t->opt.nsack == 0 || (r->more & MORE_SACK));
	FUZZ_HOLDS(t->opt.nsack <= (t->opt.ts ? 3 : 4));
	if (t->opt.ts || !rst)		/* a reset without a connection has none */
		FUZZ_HOLDS(t->opt.ts == !!(r->more & MORE_TS));
	if (t->opt.ts) {
		FUZZ_HOLDS(t->opt.tsval <= (uint32_t)r->w->c.now);
		FUZZ_HOLDS(hostile(r) || t->opt.tsecr <= r->max_tsval);
	}
	for (unsigned int i = 0; i < t->opt.nsack; i++) {
		uint32_t left = t->opt.sack[i].left - ISN, right = t->opt.sack[i].right - ISN;

		FUZZ_HOLDS(t->ack - ISN < left && left < right && right <= r->snd_nxt);
		for (unsigned int k = 0; k < i; k++)
			FUZZ_HOLDS(t->opt.sack[k].left != t->opt.sack[i].left);
	}
}

/* A frame on its way: right, whether it arrives or not. */
static void check_frame(struct run *r, const struct fake_seen *s)
{
	uint32_t seq = s->tcp.seq - r->iss;

	FUZZ_HOLDS(addr_eq(&s->ip.dst, &r->inner) && addr_eq(&s->ip.src, &r->remote));
	check_options(r, &s->tcp);
	check_ack(r, &s->tcp);
	/* a pointer leads to a byte that the remote sent as urgent, or to one before it */
	if (s->tcp.flags & TCPF_URG)
		FUZZ_HOLDS(s->tcp.urg && seq - 1 + s->tcp.urg <= r->urgent);
	if (!s->len)
		return;
	FUZZ_HOLDS(r->synced && seq >= 1);
	FUZZ_HOLDS(seq - 1 + s->len <= r->remote_sent);
	for (size_t i = 0; i < s->len; i++)
		FUZZ_HOLDS(s->data[i] == in_byte(seq - 1 + (uint32_t)i));
	/* a window that was offered in confusion counts from a later ACK (3.10.7.4) */
	FUZZ_HOLDS(seq + s->len <= (hostile(r) ? r->max_ack + r->max_wnd : r->rcv_edge));
}

/* The container learns what we have. */
static void heed_ack(struct run *r, const struct tcp *t)
{
	const struct flow *f = r->sock ? fake_flow(r->w, r->sock) : NULL;
	unsigned int scale = f && !(t->flags & TCPF_SYN) ? f->tcp.rcv_wscale : 0;
	uint32_t ack = t->ack - ISN;

	if (!(t->flags & TCPF_ACK))
		return;
	if (f)
		r->edge = MAX_OF(ack + ((uint32_t)t->wnd << scale), r->edge);
	r->snd_una = MAX_OF(r->snd_una, ack);
	for (unsigned int i = 0; i < t->opt.nsack; i++)
		ranges_add(&r->shown, t->opt.sack[i].left - ISN, t->opt.sack[i].right - ISN);
	ranges_cut(&r->shown, r->snd_una);
}

/* Text that arrives: next, ahead, or twice. */
static void heed_text(struct run *r, uint32_t seq, uint32_t end)
{
	if (end == seq)
		return;
	r->has_twice = end <= r->rcv_nxt;
	r->twice = (struct range){ seq, end };
	if (end <= r->rcv_nxt)
		return;
	if (seq > r->rcv_nxt)
		ranges_add(&r->ahead, seq, end);	/* or dropped: one piece too many */
	else
		r->rcv_nxt = ranges_reach(&r->ahead, end);
}

static void honest_ack(struct run *r, uint32_t wnd);

static void arrive(struct run *r, const struct tcp *t, uint32_t len)
{
	uint32_t seq = t->seq - r->iss, end = seq + len;

	if (t->flags & TCPF_RST) {
		/* a late segment meets no connection; nothing else of an honest one is reset */
		FUZZ_HOLDS(hostile(r) || r->failed || (r->sock && !r->sock->open && r->sock->shut));
		r->reset = true;
		return;
	}
	if ((t->flags & TCPF_SYN) && !r->synced) {
		r->synced = true;
		r->iss = t->seq;
		r->rcv_nxt = 1;
	}
	heed_ack(r, t);
	if (t->opt.ts && (t->flags & TCPF_SYN || seq <= r->ts_last_ack) &&
	    t->opt.tsval >= r->ts_echo)
		r->ts_echo = t->opt.tsval;
	if (t->flags & TCPF_SYN)
		return;
	heed_text(r, seq, end);
	if ((t->flags & TCPF_FIN) && end == r->rcv_nxt && !r->fin_seen) {
		FUZZ_HOLDS(r->remote_fin && end - 1 == r->remote_sent);
		r->fin_seen = true;
		r->rcv_nxt++;
	}
	if ((r->more & MORE_QUICK) && len && !hostile(r))
		honest_ack(r, 30000);
}

static bool put_off(struct late late[STASH], const struct tcp *t, uint32_t len)
{
	for (uint32_t i = 0; i < STASH; i++) {
		if (late[i].used)
			continue;
		late[i] = (struct late){ true, *t, len };
		return true;
	}
	return false;
}

static void take_frames(struct run *r, uint32_t n, uint32_t lost)
{
	struct fake_seen s;

	for (uint32_t i = 0; i < n && fake_frame(r->w, &s); i++) {
		bool gone = lost >> (i % 32) & 1;
		enum fate fate = r->fate_out;

		if (s.ip.proto != PROTO_TCP)
			continue;
		if ((s.tcp.flags & TCPF_SYN) && !r->synced)
			r->iss = s.tcp.seq;
		trace(gone ? "> lost" : fate ? "> late" : ">", r, &s.tcp, (uint32_t)s.len);
		check_frame(r, &s);
		r->fate_out = FATE_ARRIVES;
		if (!gone && (fate != FATE_LATE || !put_off(r->late_out, &s.tcp, (uint32_t)s.len)))
			arrive(r, &s.tcp, (uint32_t)s.len);
	}
}

/* --- what the container does --- */

/* It reaches us. */
static void deliver(struct run *r, const struct tcp *t, uint32_t len)
{
	static uint8_t data[65536];
	uint32_t seq = t->seq - ISN;

	for (uint32_t i = 0; i < len; i++)
		data[i] = out_byte(seq - 1 + i);
	fake_ingress_tcp(r->w, &r->inner, &r->remote, t, data, len);
}

/* RFC 2018, 3 and 4; RFC 2883, 4: a duplicate first. */
static void honest_sack(struct run *r, struct tcp_opts *o)
{
	unsigned int most = o->ts ? 3 : 4;

	if (r->has_twice) {
		o->sack[0].left = r->iss + r->twice.left;
		o->sack[o->nsack++].right = r->iss + r->twice.right;
		r->has_twice = false;
	}
	for (unsigned int i = 0; i < r->ahead.n && o->nsack < most; i++) {
		const struct range *p = &r->ahead.r[(r->ahead.recent + i) % r->ahead.n];

		o->sack[o->nsack].left = r->iss + p->left;
		o->sack[o->nsack++].right = r->iss + p->right;
	}
}

static void hostile_sack(struct run *r, struct tcp_opts *o)
{
	uint8_t how = next8(r);

	for (o->nsack = 0; o->nsack < (how & 3); o->nsack++) {
		uint32_t at = r->iss + r->rcv_nxt + (uint32_t)(int16_t)next16(r);

		o->sack[o->nsack].left = at;
		o->sack[o->nsack].right = at + (how & 4 ? (uint32_t)(int16_t)next16(r) << 8 : next16(r));
	}
}

static void add_options(struct run *r, struct tcp *t)
{
	bool ts = r->more & MORE_TS;

	if (t->flags & TCPF_SYN) {
		t->opt.mss = r->mode & MODE_MSS ? 536 : 1460;
		t->opt.wscale = r->mode & MODE_NO_WSCALE ? -1 : WSCALE;
		t->opt.sack_ok = r->more & MORE_SACK;
	}
	if (ts && hostile(r) && r->synced) {
		uint8_t how = next8(r);

		ts = how & 7;
		t->opt.tsval = (uint32_t)r->w->c.now + (how & 8 ? (uint32_t)(how >> 4) << 28 : 0);
	} else {
		t->opt.tsval = (uint32_t)r->w->c.now;
	}
	t->opt.ts = ts;
	t->opt.tsecr = r->ts_echo;
	r->max_tsval = MAX_OF(r->max_tsval, t->opt.tsval);
	if ((r->more & MORE_SACK) && !(t->flags & TCPF_SYN)) {
		if (hostile(r))
			hostile_sack(r, &t->opt);
		else
			honest_sack(r, &t->opt);
	}
}

static void send_segment(struct run *r, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t wnd,
			 uint32_t len)
{
	struct tcp t = {
		.sport = 40000, .dport = 80, .seq = ISN + seq, .ack = r->iss + ack,
		.flags = flags, .wnd = wnd, .opt = TCP_OPTS_INIT,
	};
	unsigned int scale = r->mode & MODE_NO_WSCALE || flags & TCPF_SYN ? 0 : WSCALE;
	enum fate fate = r->fate_in;

	add_options(r, &t);
	if (flags & TCPF_ACK && ack <= 0x40000000u) {
		r->max_ack = MAX_OF(r->max_ack, ack);
		r->max_wnd = MAX_OF(r->max_wnd, (uint32_t)wnd << scale);
		r->rcv_edge = MAX_OF(r->rcv_edge, ack + ((uint32_t)wnd << scale));
		r->ts_last_ack = ack;
	}
	if (len && seq + len <= 0x40000000u)	/* not one of long ago */
		r->snd_nxt = MAX_OF(r->snd_nxt, seq + len);
	if (flags & TCPF_FIN && hostile(r))
		r->fin_sent = true;
	trace(fate == FATE_LOST ? "< lost" : fate ? "< late" : "<", r, &t, len);
	r->fate_in = FATE_ARRIVES;
	if (fate == FATE_ARRIVES || (fate == FATE_LATE && !put_off(r->late_in, &t, len)))
		deliver(r, &t, len);
}

/* A window of about so many bytes whose right edge does not move left. */
static uint16_t honest_window(const struct run *r, uint32_t want)
{
	unsigned int scale = r->mode & MODE_NO_WSCALE ? 0 : WSCALE;
	uint32_t least = r->rcv_edge > r->rcv_nxt ? r->rcv_edge - r->rcv_nxt : 0;
	uint32_t field = (MAX_OF(want, least) + (1u << scale) - 1) >> scale;

	return (uint16_t)MIN_OF(field, 65535u);
}

static void honest_data(struct run *r, bool again, uint32_t len, bool fin, uint32_t wnd)
{
	uint32_t seq = again ? r->snd_una : r->snd_nxt, end;
	uint8_t flags = TCPF_ACK | TCPF_PSH;

	if (!seq)		/* not synchronised yet */
		seq = 1;
	if (r->fin_sent && seq >= r->fin_at)
		seq = r->fin_at;
	end = MIN_OF(seq + len, MAX_OF(r->edge, seq));
	if (r->fin_sent)
		end = MIN_OF(end, r->fin_at);
	if (again && r->shown.n && seq < r->shown.r[0].left)	/* what we showed stays shown */
		end = MIN_OF(end, r->shown.r[0].left);
	/* all of it again, a byte as a probe where the window is closed, and that one again too:
	 * the answer that opens the window may be lost (RFC 9293, 3.8.6.1) */
	if (end == seq && len && !r->fin_sent && (!again || seq < r->snd_nxt))
		end++;
	if (fin && !r->fin_sent && end >= r->snd_nxt) {
		r->fin_sent = true;
		r->fin_at = end;
	}
	if (r->fin_sent && end == r->fin_at)
		flags |= TCPF_FIN;
	send_segment(r, flags, seq, r->rcv_nxt, honest_window(r, wnd), end - seq);
}

static void step_data(struct run *r, uint8_t op)
{
	uint16_t len = next16(r), more = next16(r);
	int32_t off;

	if (!r->synced)
		return;
	if (!hostile(r)) {
		honest_data(r, op & 0x10, len % 9000, (op & 0xe0) == 0xe0, more);
		return;
	}
	/* near the next byte, or a way before or behind it */
	off = (int16_t)(more << 3 & (op & 0x40 ? 0xffff : 0xff));
	send_segment(r, TCPF_ACK | (op & 0x80 ? TCPF_FIN : 0),
		     r->last_ack + (uint32_t)off - (op & 0x20 ? 64u : 0u),
		     r->rcv_nxt - (op & 0x10 ? more & 0xff : 0), next16(r), len % 9000);
}

static void honest_ack(struct run *r, uint32_t wnd)
{
	send_segment(r, TCPF_ACK, r->snd_nxt + r->fin_sent, r->rcv_nxt, honest_window(r, wnd), 0);
}

static void step_ack(struct run *r, uint8_t op)
{
	uint16_t wnd = next16(r);

	if (!r->synced)
		return;
	if (!hostile(r)) {
		honest_ack(r, wnd);
		return;
	}
	send_segment(r, TCPF_ACK, r->last_ack + (op & 0x10 ? wnd : 0),
		     r->rcv_nxt + (op & 0x20 ? wnd : 0) - (op & 0x40 ? wnd >> 3 : 0), wnd, 0);
}

static void step_nasty(struct run *r, uint8_t op)
{
	const struct flow *f = r->sock ? fake_flow(r->w, r->sock) : NULL;
	uint16_t at = next16(r);

	if (!hostile(r) || !f || f->state != FLOW_OPEN)	/* no second connection */
		return;
	switch (op >> 4 & 3) {
	case 0:
		send_segment(r, TCPF_SYN, op & 0x80 ? at : 0, 0, 64240, 0);
		break;
	case 1:
		send_segment(r, TCPF_RST, r->last_ack + (op & 0x80 ? at : 1), 0, 0, 0);
		break;
	default:
		send_segment(r, at & 0x3f, r->last_ack, r->rcv_nxt, at, op & 0x80 ? at & 0xff : 0);
	}
}

/* The network between the container and us. */
static void step_network(struct run *r, uint8_t op)
{
	struct late *late;

	switch (op >> 4 & 7) {
	case 0:
		r->fate_in = FATE_LOST;
		break;
	case 1: case 2:
		r->fate_in = FATE_LATE;
		break;
	case 3: case 4:
		r->fate_out = FATE_LATE;
		break;
	case 5:
		late = &r->late_in[next8(r) % STASH];
		if (!late->used)
			break;
		late->used = op & 0x80;		/* or it comes once more */
		trace("< at last", r, &late->t, late->len);
		deliver(r, &late->t, late->len);
		break;
	default:
		late = &r->late_out[next8(r) % STASH];
		if (!late->used)
			break;
		late->used = op & 0x80;
		trace("> at last", r, &late->t, late->len);
		arrive(r, &late->t, late->len);
	}
}

/* --- what the world does --- */

static void remote_data(struct run *r, uint32_t n)
{
	static uint8_t data[1u << 16];

	if (!r->sock || !r->sock->open || r->remote_fin || r->remote_sent + n > REMOTE_MAX)
		return;
	for (uint32_t i = 0; i < n; i++)
		data[i] = in_byte((uint32_t)r->remote_sent + i);
	fake_put(r->sock, data, n);
	r->remote_sent += n;
	fake_event(r->w, r->sock, true, false, false);
}

/* The last byte of some more is urgent: no read passes over it (fakeport.h). */
static void remote_urgent(struct run *r, uint32_t n)
{
	uint64_t before = r->remote_sent;

	if (!r->sock || !r->sock->open)
		return;
	remote_data(r, n);
	if (r->remote_sent == before || !r->sock->open || !r->sock->in.len)
		return;
	r->sock->urgent = r->sock->in.len - 1;
	r->urgent = (uint32_t)r->remote_sent;
	fake_urgent_event(r->w, r->sock);
}

static void remote_end(struct run *r, uint8_t op)
{
	if (!r->sock || !r->sock->open)
		return;
	r->remote_fin = r->sock->in_eof = true;
	if (op & 0x10) {
		static const int errors[] = { -ECONNRESET, -EPIPE, -ETIMEDOUT, -EHOSTUNREACH };

		r->sock->err = errors[op >> 6];
		r->failed = true;
	}
	fake_event(r->w, r->sock, true, op & 0x20, op & 0x10);
}

static void pass_time(struct run *r, uint64_t ms)
{
	uint64_t until;

	ms = MIN_OF(ms, CLOCK_MAX - r->clock);
	r->clock += ms;
	until = r->w->c.now + ms;
	while (r->w->c.now < until) {
		uint64_t next = wheel_next(&r->w->c.wheel);

		if (proto_busy(&r->w->c) || next <= r->w->c.now)
			next = r->w->c.now + 1;
		if (r->w->c.tap_blocked && proto_busy(&r->w->c))
			next = until;		/* nothing but retries: in one step */
		r->w->c.now = MIN_OF(next, until);
		r->w->c.now_us = r->w->c.now * 1000;
		settle(r);
	}
}

static void step_world(struct run *r, uint8_t op)
{
	uint16_t n = next16(r);

	switch (op >> 4) {
	case 0: case 1:
		r->w->io.tap_room = n % 5;
		break;
	case 2: case 3:
		r->w->io.tap_room = UINT64_MAX;
		break;
	case 4:
		r->w->io.tap_err = n & 1 ? -EIO : 0;
		break;
	default:
		if (r->sock)
			r->sock->out_room = n & 0x8000 ? SIZE_MAX : n;
	}
}

static void step(struct run *r)
{
	uint8_t op = next8(r);

	switch (op & 0x0f) {
	case 0: case 1: case 2:
		step_data(r, op);
		break;
	case 3: case 4:
		step_ack(r, op);
		break;
	case 5:
		step_nasty(r, op);
		break;
	case 6:
		settle(r);
		take_frames(r, UINT32_MAX, op & 0x80 ? next16(r) : 0);
		break;
	case 7:
		settle(r);
		take_frames(r, op >> 4, op & 0x80 ? UINT32_MAX : 0);
		break;
	case 8: case 9:
		remote_data(r, next16(r));
		break;
	case 10:
		remote_end(r, op);
		break;
	case 11:
		if (r->sock && r->sock->open)
			fake_event(r->w, r->sock, op & 0x10, true, op & 0x20);
		break;
	case 12:
		step_world(r, op);
		break;
	case 13:
		pass_time(r, (uint64_t)next8(r) << (op >> 5));
		break;
	case 14:
		if (op & 0x10)
			remote_urgent(r, 1 + (uint32_t)(next8(r) << (op >> 5)));
		break;
	case 15:
		step_network(r, op);
		break;
	default:
		settle(r);
	}
	if (op & 0x08)
		settle(r);
}

/* --- the end --- */

static bool all_arrived(const struct run *r)
{
	return r->rcv_nxt == 1 + r->remote_sent + r->remote_fin &&
	       r->sock->out.len == r->snd_nxt - 1 && (!r->fin_sent || r->sock->shut);
}

/* From here on nothing is in the way of an honest connection. */
static void finish(struct run *r)
{
	r->w->io.tap_room = UINT64_MAX;
	r->w->io.tap_err = 0;
	r->fate_in = r->fate_out = FATE_ARRIVES;
	for (int i = 0; i < 300 && !r->reset; i++) {
		if (r->sock && r->sock->open) {
			r->sock->out_room = SIZE_MAX;
			fake_event(r->w, r->sock, true, true, false);
		}
		settle(r);
		take_frames(r, UINT32_MAX, 0);
		if (r->synced && r->sock && r->sock->open) {
			if (r->snd_una < r->snd_nxt + r->fin_sent)
				honest_data(r, true, 4000, false, 60000);
			else
				honest_ack(r, 60000);
			settle(r);
		}
		if (r->synced && all_arrived(r))
			return;
		r->clock = 0;
		pass_time(r, 1000);
	}
	fprintf(stderr, "container: sent %u of which acknowledged %u, FIN %d, got %u; remote: sent"
		" %u, end %d, got %zu, shut %d; reset %d\n", r->snd_nxt, r->snd_una, r->fin_sent,
		r->rcv_nxt, (unsigned int)r->remote_sent, r->remote_fin,
		r->sock ? r->sock->out.len : 0, r->sock && r->sock->shut, r->reset);
	FUZZ_HOLDS(!r->reset && r->synced && all_arrived(r));
}

static void start(struct run *r)
{
	const bool v6 = r->mode & MODE_V6;
	const struct fake_setup setup = {
		.flows = 4, .chunks = r->mode & MODE_SMALL ? 64 : FAKE_CHUNKS,
		.ranges = r->more & MORE_FEW ? 1 : 0,
		.no_offload = !(r->mode & MODE_OFFLOAD), .no_peek = !(r->mode & MODE_PEEK),
	};

	r->w = fake_start(&setup);
	FUZZ_HOLDS(addr_parse(v6 ? "2001:db8:1::2" : "203.0.113.2", &r->inner) == 0);
	FUZZ_HOLDS(addr_parse(v6 ? "2001:db8:2::10" : "198.51.100.10", &r->remote) == 0);
	send_segment(r, TCPF_SYN, 0, 0, 64240, 0);
	r->snd_nxt = 1;
	settle(r);
	take_frames(r, UINT32_MAX, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .in = rd_init(data, size) };

	r.mode = next8(&r);
	if (r.mode & MODE_MORE)
		r.more = next8(&r);
	start(&r);
	for (int i = 0; i < STEPS_MAX && r.in.left; i++)
		step(&r);
	settle(&r);
	take_frames(&r, UINT32_MAX, 0);
	if (!hostile(&r) && !r.failed && !r.reset)
		finish(&r);
	fake_stop(r.w);
	return 0;
}
