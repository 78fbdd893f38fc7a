/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_open: from the container's SYN to our SYN-ACK. The SYN-ACK waits for the
 * host's connect(), so that a refusal reaches the program as one. */
#include <errno.h>

#include "base/siphash.h"
#include "flow/route.h"
#include "proto/admit.h"
#include "proto/dns.h"
#include "proto/dns_tcp.h"
#include "proto/frame.h"
#include "proto/icmp.h"
#include "proto/port.h"
#include "proto/tcp.h"
#include "wire/numbers.h"

/* MSS where the SYN has no such option (RFC 9293, 3.7.1). */
#define MSS_DEFAULT4	536u
#define MSS_DEFAULT6	1220u

/* A SYN that asks for ECN has both, and no ACK (RFC 3168, 6.1.1). */
#define SYN_ECN		(TCPF_ECE | TCPF_CWR | TCPF_ACK)

/* RFC 6528: a clock of 4 microseconds plus a keyed hash of the connection. */
uint32_t tcp_initial_seq(const struct ctx *c, const struct flow_key *key)
{
	return (uint32_t)(c->now_us / 4 + siphash(&c->isn_key, key, sizeof(*key)));
}

uint16_t tcp_our_mss(const struct ctx *c, bool v4)
{
	return (uint16_t)(c->net->mtu - (v4 ? IP4_HLEN : IP6_HLEN) - TCP_HLEN);
}

uint16_t tcp_offered_mss(const struct ctx *c, bool v4)
{
	uint16_t mss = tcp_our_mss(c, v4);

	return c->tap_csum ? mss : (uint16_t)MIN_OF((uint32_t)mss, TCP_MSS_LINEAR);
}

/* RFC 9293, 3.6.1: beyond all that the last connection of the same ends used. A fast
 * one outran the clock. */
static uint32_t seq_beyond(const struct ctx *c, const struct flow_key *key, struct tcp_past past)
{
	uint32_t seq = tcp_initial_seq(c, key), least = past.snd_nxt + TCP_PAST_GAP;

	return past.known && seq_lt(seq, least) ? least : seq;
}

void tcp_init(struct ctx *c, struct flow *f, enum tcp_state state, uint32_t iss)
{
	f->tcp = (struct tcp_flow){
		.state = state, .iss = iss, .snd_una = iss, .snd_nxt = iss, .snd_base = iss,
		.hold = HOLD_INIT, .ring = HOLD_INIT, .rto = TCP_RTO_FIRST, .list_next = FLOW_NONE,
		.mss = tcp_our_mss(c, flow_is4(f)), .marks = c->peek ? 0 : TCPM_NO_PEEK,
	};
}

/* The container's SYN, or SYN-ACK: where it counts from, and what both may use. */
void tcp_take_syn(struct ctx *c, struct flow *f, const struct tcp *syn)
{
	struct tcp_flow *t = &f->tcp;
	bool v4 = flow_is4(f), scaled = syn->opt.wscale >= 0;
	uint32_t mss = syn->opt.mss ? syn->opt.mss : v4 ? MSS_DEFAULT4 : MSS_DEFAULT6;

	t->irs = syn->seq;
	t->rcv_nxt = t->rcv_adv = t->rcv_acked = t->in_mark = syn->seq + 1;
	t->mss = (uint16_t)MIN_OF(MAX_OF(mss, TCP_MSS_MIN), (uint32_t)tcp_our_mss(c, v4));
	t->snd_wscale = scaled ? (uint8_t)syn->opt.wscale : 0;
	t->rcv_wscale = scaled ? TCP_WSCALE : 0;
	t->marks |= syn->opt.sack_ok ? TCPM_SACK : 0;
	t->marks |= (syn->flags & SYN_ECN) == (SYN_ECN & ~TCPF_ACK) ? TCPM_ECN : 0;
	if (syn->opt.ts) {
		t->marks |= TCPM_TS;
		t->ts_recent = syn->opt.tsval;
		t->mss -= TCP_TS_LEN;	/* options count (RFC 9293, 3.7.1) */
	}
}

/* What connect() said, as the container's program must hear it (ARCHITECTURE.md,
 * "Errors keep their meaning"). f is gone afterwards. */
static void refused(struct ctx *c, struct flow *f, int err)
{
	if (dns_tcp_next(c, f))
		return;
	c->count->tcp_refused++;
	if (f->sock >= 0 && addr_is4(&f->outer) == flow_is4(f) && icmp_tell_queued(c, f)) {	/* in a router's own words */
		tcp_abort(c, f, false, false);
		return;
	}
	if (addr_is4(&f->outer) != flow_is4(f))		/* a resolver of the other family */
		err = -ECONNREFUSED;
	switch (err) {
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -EHOSTDOWN:
	case -ENONET:
	case -EACCES:		/* administratively prohibited, says a router or a route */
	case -EPERM:
		icmp_unreachable_flow(c, f, err);
		tcp_abort(c, f, false, false);
		break;
	case -ETIMEDOUT:	/* the SYN stays unanswered, as on a network */
		tcp_abort(c, f, false, false);
		break;
	default:
		tcp_abort(c, f, true, false);
	}
}

void tcp_open(struct ctx *c, const struct flow_key *key, const struct ip *ip,
	      const struct tcp *syn, struct tcp_past past)
{
	struct route_target to;
	bool dns = route_is_dns(c->conf, c->net, &c->dns.to, &ip->dst, key->remote_port);
	enum route_verdict verdict = dns ? dns_route(c, &to) :
				     route_outbound(c->conf, c->net, &ip->dst,
						    key->remote_port, &to);
	struct flow *f;
	int rc;

	if (verdict == ROUTE_LOCAL) {	/* RFC 9293, 3.10.7.1: nothing listens */
		c->count->drop_port++;
		tcp_reply_rst(c, key, syn, 1);
		return;
	}
	if (verdict != ROUTE_OK || !key->remote_port || !key->inner_port) {
		struct icmp_sent sent = icmp_sent_as(key, ip, NULL);

		sent.seq = syn->seq;
		icmp_refuse(c, &sent, verdict);
		return;
	}
	f = admit_flow(c, key);
	if (!f) {
		tcp_reply_rst(c, key, syn, 1);
		return;
	}
	f->outer = to.addr;
	f->outer_scope = to.scope;
	f->outer_port = key->remote_port;
	f->ip = tcp_ip(ip);
	tcp_init(c, f, TCPS_CONNECTING, seq_beyond(c, key, past));
	tcp_take_syn(c, f, syn);
	if (dns_tcp_looks(c, f))
		f->tcp.marks |= TCPM_DNS | TCPM_NO_PEEK;
	if (!tcp_in_reserve(c, f)) {
		c->count->flows_refused++;
		tcp_abort(c, f, true, false);
		return;
	}
	if (dns)
		tcp_timer_set(c, f, DNS_WAIT_MS);
	rc = admit_socket(c, f);
	if (rc == 0)
		tcp_connected(c, f);
	else if (rc != -EINPROGRESS)
		refused(c, f, rc);
}

int tcp_send_synack(struct ctx *c, struct flow *f)
{
	uint32_t wnd = f->tcp.in_cap > UINT16_MAX ? UINT16_MAX : f->tcp.in_cap;
	struct tcp t = {
		.sport = f->key.remote_port, .dport = f->key.inner_port, .seq = f->tcp.iss,
		.ack = f->tcp.rcv_nxt,
		.flags = TCPF_SYN | TCPF_ACK | (f->tcp.marks & TCPM_ECN ? TCPF_ECE : 0),
		.wnd = (uint16_t)wnd,		/* never scaled on a SYN (RFC 7323, 2.2) */
	};

	int rc;

	tcp_options(c, f, &t.opt);
	t.opt.mss = tcp_offered_mss(c, flow_is4(f));
	t.opt.wscale = f->tcp.rcv_wscale ? TCP_WSCALE : -1;
	t.opt.sack_ok = f->tcp.marks & TCPM_SACK;
	f->tcp.rcv_adv = f->tcp.rcv_nxt + wnd;
	rc = frame_tcp(c, &f->key, &t, NULL, 0, 0, 1, NULL);
	if (rc == 0)
		f->tcp.marks &= ~(uint32_t)TCPM_ACK;
	return rc;
}

/* The resolver does not answer: another one's turn, or this one has longer. */
void tcp_open_timeout(struct ctx *c, struct flow *f)
{
	if (!dns_tcp_next(c, f) && f->sock < 0)
		tcp_abort(c, f, true, false);
}

/* The remote took the connection and ended it before we looked: what Linux calls a
 * refusal is ECONNREFUSED (tcp_reset()). The container's connect() succeeds, as a
 * host's own would; what was sent is delivered, and then the reset. */
static bool was_open(int err)
{
	return err == -ECONNRESET || err == -EPIPE;
}

void tcp_connected(struct ctx *c, struct flow *f)
{
	int err = port_error(c, f);

	if (err < 0 && !was_open(err)) {
		refused(c, f, err);
		return;
	}
	if (err < 0) {
		f->tcp.marks |= TCPM_FAILED;
		f->ready |= FLOW_READABLE;
		flow_enqueue(&c->flows, f);
	}
	c->count->tcp_accepted++;
	port_connected(c, f);
	f->tcp.state = TCPS_SYN_RCVD;
	f->tcp.snd_nxt = f->tcp.iss + 1;
	f->tcp.rtt_at = c->now;
	tcp_mark(c, f, TCPM_ACK);
	tcp_timer_set(c, f, f->tcp.rto);
}
