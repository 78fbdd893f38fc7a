/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_timer: one timer a flow; what it means follows from the state. The
 * deadline moves with every ACK, the wheel's entry only when it would fire too
 * late: it fires early then, looks, and goes back to sleep.
 */
#include "proto/tcp.h"

#define RTT_MAX 8000u	/* ms: what fits srtt8 */

static void wake_by(struct ctx *c, struct flow *f, uint64_t due)
{
	if (!f->timer.slot || f->timer.due > due)
		wheel_start(&c->wheel, flow_idx(&c->flows, f), due);
}

void tcp_timer_set(struct ctx *c, struct flow *f, uint64_t ms)
{
	f->tcp.deadline = c->now + ms;
	wake_by(c, f, f->tcp.deadline);
}

/* In recovery the container answers what is out of order at once (RFC 5681, 4.2):
 * two round trips without progress and the first hole is lost again, as RFC
 * 8985's timer has it. Doubled each time, until the RTO is due; after that it is the
 * RTO's affair until something arrives. */
static uint32_t head_wait(const struct tcp_flow *t)
{
	uint32_t ms = (t->srtt8 / 4u + TCP_HEAD_MS) << MIN_OF(t->head_tries, TCP_HEAD_TRIES);

	return (t->marks & TCPM_RECOVERY) && t->sacked && ms < t->rto && !t->retries &&
	       t->head_tries < TCP_HEAD_TRIES ? ms : 0;
}

/* Nothing shows that the end of what is under way was lost: nothing follows it. So
 * it goes once more after two round trips (RFC 8985, 7.2), for the container to say
 * what it lacks; and as long as these vary (RFC 6298, 2), for a busy machine's container is
 * late more often than anything is lost. A single segment's ACK may be late by as much as the
 * RTO. */
static uint32_t tail_wait(const struct tcp_flow *t)
{
	const uint32_t never = TCPM_RECOVERY | TCPM_TAIL;
	uint32_t ms = t->srtt8 / 4u + t->rttvar4 + TCP_HEAD_MS;

	return (t->marks & TCPM_SACK) && !(t->marks & never) && !t->sacked && !t->retries &&
	       ms < t->rto && tcp_out_tail(t) > t->mss ? ms : 0;
}

void tcp_timer_resend(struct ctx *c, struct flow *f)
{
	uint32_t ms = head_wait(&f->tcp);

	if (!ms)
		ms = tail_wait(&f->tcp);
	tcp_timer_set(c, f, ms ? ms : f->tcp.rto);
}

void tcp_timer_head(struct ctx *c, struct flow *f)
{
	uint32_t ms = head_wait(&f->tcp);

	if (ms && c->now + ms < f->tcp.deadline)
		tcp_timer_set(c, f, ms);
}

/* The RTO runs from the first segment under way on (RFC 6298, 5.1), what shows the
 * end of them lost from the last (RFC 8985, 7.2). */
void tcp_timer_sent(struct ctx *c, struct flow *f)
{
	uint32_t ms = tail_wait(&f->tcp);

	if (ms || !f->tcp.deadline)
		tcp_timer_set(c, f, ms ? ms : f->tcp.rto);
}

void tcp_timer_ack(struct ctx *c, struct flow *f)
{
	f->tcp.ack_due = c->now + TCP_ACK_WAIT_MS;
	wake_by(c, f, f->tcp.ack_due);
}

/* The wheel's entry, which every open flow has since its SYN-ACK, looks at it. */
void tcp_timer_alive(struct ctx *c, struct flow *f)
{
	f->tcp.alive_s = (uint32_t)(c->now / 1000);
}

void tcp_timer_clear(struct flow *f)
{
	f->tcp.deadline = 0;
}

void tcp_timer_rto(struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t rto = t->srtt8 ? t->srtt8 / 8u + t->rttvar4 : TCP_RTO_FIRST;

	t->rto = (uint16_t)MIN_OF(MAX_OF(rto, TCP_RTO_MIN), TCP_RTO_MAX);
}

/* RFC 6298, 2.2 and 2.3, in Jacobson's integer form (SIGCOMM 88, appendix A). */
void tcp_timer_rtt(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint64_t since = c->now - t->rtt_at;
	int32_t r = (int32_t)MIN_OF(since, (uint64_t)RTT_MAX), delta;

	t->marks &= ~(uint32_t)TCPM_TIMING;
	if (r == 0)
		r = 1;
	if (!t->srtt8) {
		t->srtt8 = (uint16_t)(r * 8);
		t->rttvar4 = (uint16_t)(r * 2);
	} else {
		delta = r - t->srtt8 / 8;
		t->srtt8 = (uint16_t)(t->srtt8 + delta);
		if (delta < 0)
			delta = -delta;
		t->rttvar4 = (uint16_t)(t->rttvar4 + delta - t->rttvar4 / 4);
	}
	if (!t->srtt8)
		t->srtt8 = 1;
	tcp_timer_rto(f);
}

static void back_off(struct tcp_flow *t)
{
	t->retries++;
	t->rto = (uint16_t)MIN_OF(t->rto * 2u, TCP_RTO_MAX);	/* RFC 6298, 5.5 */
}

static void synack_timeout(struct ctx *c, struct flow *f)
{
	if (f->tcp.retries >= TCP_SYN_RETRIES) {
		tcp_abort(c, f, true, true);
		return;
	}
	back_off(&f->tcp);
	tcp_mark(c, f, TCPM_ACK);
	tcp_timer_set(c, f, f->tcp.rto);
}

/* The container does not answer: R2 of a SYN (RFC 1122, 4.2.3.5). */
static void syn_timeout(struct ctx *c, struct flow *f)
{
	if (f->tcp.retries >= TCP_SYN_RETRIES) {
		c->count->inbound_refused++;
		flow_refused(&c->flows, f);
		tcp_abort(c, f, false, true);
		return;
	}
	back_off(&f->tcp);
	tcp_send_syn(c, f);
	tcp_timer_set(c, f, f->tcp.rto);
}

static void retransmit_timeout(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;

	if (head_wait(t)) {
		t->head_tries++;
		tcp_timer_resend(c, f);
		tcp_out_resend_head(c, f);
		return;
	}
	if (tail_wait(t)) {
		t->marks |= TCPM_TAIL;
		tcp_timer_resend(c, f);
		tcp_out_resend_tail(c, f);
		return;
	}
	c->count->tcp_timeouts++;
	if (t->retries >= TCP_RETRIES) {
		tcp_abort(c, f, true, true);
		return;
	}
	back_off(t);
	t->marks |= TCPM_RECOVERY;
	t->recover = t->snd_nxt;
	t->dupacks = 0;
	tcp_timer_set(c, f, t->rto);
	tcp_out_resend(c, f);
}

/* The window is closed and nothing is under way: a segment one byte behind what
 * was acknowledged must be answered (RFC 9293, 3.8.6.1, 3.10.7.4). Goes on
 * as long as the container answers (RFC 1122, 4.2.2.17). A window that is merely
 * too small is used now. */
static void probe_window(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;

	if (t->retries >= TCP_RETRIES) {
		tcp_abort(c, f, true, true);
		return;
	}
	back_off(t);
	tcp_send_segment(c, f, 0, t->snd_una - 1, NULL, 0, 0, NULL);
	tcp_timer_set(c, f, t->rto);
	flow_enqueue(&c->flows, f);
}

/* Nothing is under way and nothing was heard for long: the container may have lost
 * the connection without a word, which its answer to a segment behind its window
 * tells (RFC 9293, 3.8.4). */
static void look_alive(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;
	uint32_t idle = (uint32_t)(c->now / 1000) - t->alive_s;
	uint32_t due = TCP_IDLE_S + t->retries * TCP_IDLE_STEP_S;

	if (idle < due) {
		wake_by(c, f, c->now + (due - idle) * 1000ull);
		return;
	}
	if (t->retries >= TCP_IDLE_TRIES) {
		c->count->tcp_timeouts++;
		tcp_abort(c, f, true, true);
		return;
	}
	t->retries++;
	tcp_send_segment(c, f, 0, t->snd_una - 1, NULL, 0, 0, NULL);
	wake_by(c, f, c->now + TCP_IDLE_STEP_S * 1000ull);
}

void tcp_timer(struct ctx *c, struct flow *f)
{
	struct tcp_flow *t = &f->tcp;

	if (t->ack_due && c->now >= t->ack_due) {	/* no answer came */
		t->ack_due = 0;
		t->ack_run = 0;
		t->marks &= ~(uint32_t)TCPM_TALK;
		tcp_mark(c, f, TCPM_ACK);
	}
	if (t->ack_due)
		wake_by(c, f, t->ack_due);
	if (!t->deadline) {
		if (t->state == TCPS_OPEN && t->snd_una == t->snd_nxt)
			look_alive(c, f);
		return;
	}
	if (c->now < t->deadline) {
		wake_by(c, f, t->deadline);
		return;
	}
	t->deadline = 0;
	if (t->state == TCPS_TIME_WAIT)
		tcp_free(c, f);
	else if (t->state == TCPS_CONNECTING)
		tcp_open_timeout(c, f);
	else if (t->state == TCPS_SYN_SENT)
		syn_timeout(c, f);
	else if (t->state == TCPS_SYN_RCVD)
		synack_timeout(c, f);
	else if (t->snd_una != t->snd_nxt)
		retransmit_timeout(c, f);
	else if (t->marks & TCPM_BLOCKED)
		probe_window(c, f);
	else
		look_alive(c, f);
}
