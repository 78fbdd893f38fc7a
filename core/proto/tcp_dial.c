/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcp_dial: from a client that the host's kernel accepted on a forwarded port to an
 * open connection with the container: the active OPEN of RFC 9293, 3.10.1, and the
 * segments that SYN-SENT takes, 3.10.7.3. What the client sends meanwhile waits in
 * its socket; a container that refuses, or never answers, resets the client.
 */
#include "proto/admit.h"
#include "proto/frame.h"
#include "proto/port.h"
#include "proto/tcp.h"

void tcp_dial_end(struct ctx *c, struct flow *f, uint8_t state)
{
	if (f->tcp.state == TCPS_SYN_SENT)
		c->half_open--;
	f->tcp.state = state;
}

bool tcp_vacate(struct ctx *c, const struct flow_key *key)
{
	struct flow *f = flow_find(&c->flows, key);

	if (f && f->state == FLOW_LINGER) {
		tcp_free(c, f);
		f = NULL;
	}
	return !f;
}

/* The window of a SYN is never scaled (RFC 7323, 2.2). */
static uint16_t syn_window(const struct flow *f)
{
	return (uint16_t)MIN_OF(f->tcp.in_cap, (uint32_t)UINT16_MAX);
}

int tcp_send_syn(struct ctx *c, struct flow *f)
{
	const struct tcp t = {
		.sport = f->key.remote_port, .dport = f->key.inner_port, .seq = f->tcp.iss,
		.flags = TCPF_SYN, .wnd = syn_window(f),
		.opt = {
			.mss = tcp_offered_mss(c, flow_is4(f)), .wscale = TCP_WSCALE, .sack_ok = true,
			.ts = true, .tsval = (uint32_t)c->now,
		},
	};

	return frame_tcp(c, &f->key, &t, NULL, 0, 0, 1, NULL);
}

bool tcp_dial(struct ctx *c, const struct flow_key *key, int sock, const struct addr *client,
	      uint16_t client_port, uint16_t tally)
{
	struct flow *f = admit_flow(c, key);

	if (!f) {
		port_refuse(c, sock);
		return false;
	}
	f->inbound = true;
	f->tally = tally;
	f->outer = *client;
	f->outer_port = client_port;
	tcp_init(c, f, TCPS_SYN_SENT, tcp_initial_seq(c, key));
	c->half_open++;
	if (port_adopt(c, f, sock) < 0 || !tcp_in_reserve(c, f)) {
		c->count->flows_refused++;
		tcp_abort(c, f, false, true);
		return false;
	}
	f->tcp.snd_nxt = f->tcp.iss + 1;
	f->tcp.rtt_at = c->now;
	tcp_send_syn(c, f);	/* one that the tap does not take comes again */
	tcp_timer_set(c, f, f->tcp.rto);
	return true;
}

/* What the client must hear of: RST as connect() would have met it. */
static void refused(struct ctx *c, struct flow *f)
{
	c->count->inbound_refused++;
	flow_refused(&c->flows, f);
	tcp_abort(c, f, false, true);
}

bool tcp_dial_refused(struct ctx *c, struct flow *f, uint32_t seq)
{
	if (f->tcp.state != TCPS_SYN_SENT || seq != f->tcp.iss)
		return false;
	refused(c, f);
	return true;
}

/* RFC 9293, 3.10.7.3. Text and FIN on a SYN-ACK are left for the container to send again. */
void tcp_dialled(struct ctx *c, struct flow *f, const struct tcp *t, size_t len)
{
	bool acks = (t->flags & TCPF_ACK) && t->ack == f->tcp.snd_nxt;

	if ((t->flags & TCPF_ACK) && !acks) {	/* of an older connection: 3.5.2 */
		tcp_reply_rst(c, &f->key, t, len);
		return;
	}
	if (t->flags & TCPF_RST) {		/* without our SYN's ACK anybody's (RFC 5961, 3) */
		if (acks)
			refused(c, f);
		return;
	}
	if (!(t->flags & TCPF_SYN))
		return;
	tcp_take_syn(c, f, t);
	f->tcp.rcv_adv = f->tcp.rcv_nxt + syn_window(f);
	tcp_dial_end(c, f, TCPS_SYN_RCVD);
	if (acks) {
		tcp_established(c, f, t);
		tcp_mark(c, f, TCPM_ACK);
	} else {				/* both at once: 3.5, figure 8 */
		tcp_mark(c, f, TCPM_ACK);
	}
}
