/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/admit.h"

#include <errno.h>

#include "proto/dns.h"
#include "proto/hop.h"
#include "proto/icmp.h"
#include "proto/orphan.h"
#include "proto/port.h"
#include "proto/relay.h"
#include "proto/tcp.h"

#define EVICT_TRIES 4	/* of one admission: a stuck host must not empty the table */

/* Datagrams of a flow that goes before udp_flush() go with it. */
static void drop_pending(struct ctx *c, uint32_t idx)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->npending; i++)
		if (c->pending[i].flow != idx)
			c->pending[kept++] = c->pending[i];
	c->npending = kept;
}

void admit_free(struct ctx *c, struct flow *f)
{
	drop_pending(c, flow_idx(&c->flows, f));
	wheel_stop(&c->wheel, flow_idx(&c->flows, f));
	if ((f->key.proto == FLOW_UDP || f->key.proto == FLOW_RELAY) && f->dg.via != FORWARD_NONE)
		c->forwards.list[f->dg.via].flows--;
	if (f->key.proto == FLOW_RELAY)
		relay_forget(c, f);
	if (f->key.proto == FLOW_DNS)
		dns_forget(c, f);
	port_close(c, f, false);
	flow_free(&c->flows, f);
	c->count->flows_closed++;
}

/* Makes the least recently used datagram flow go, except `keep`, or what is older, a
 * connection in TIME-WAIT. With `sock` until one went that had a socket. */
static bool evict(struct ctx *c, const struct flow *keep, bool sock)
{
	struct flow *old;
	bool had;

	do {
		old = flow_oldest(&c->flows);
		if (!old || old == keep)
			return false;
		had = old->sock >= 0;
		if (old->key.proto == FLOW_TCP)
			tcp_free(c, old);
		else
			admit_free(c, old);
		c->count->flows_evicted++;
	} while (sock && !had);
	return true;
}

bool admit_evict(struct ctx *c)
{
	return evict(c, NULL, true);
}

struct flow *admit_flow(struct ctx *c, const struct flow_key *key)
{
	struct flow *f = flow_new(&c->flows, key, c->now);

	if (!f && evict(c, NULL, false))
		f = flow_new(&c->flows, key, c->now);
	if (!f) {
		c->count->flows_refused++;
		return NULL;
	}
	if (key->proto == FLOW_TCP) {	/* destroyable from the start */
		f->tcp.hold = f->tcp.ring = HOLD_INIT;
		orphan_note(c, f);
	} else if (key->proto == FLOW_DNS) {
		f->dns.query = HOLD_INIT;
	} else {
		f->dg.via = FORWARD_NONE;
		f->dg.held = HOLD_INIT;
	}
	c->count->flows_opened++;
	return f;
}

/* The host has no descriptor or memory for one more. */
static bool no_room(int rc)
{
	return rc == -EMFILE || rc == -ENFILE || rc == -ENOBUFS;
}

/* ... or another cap of its is reached, which no flow of ours that ends would lift:
 * memory, what a user may watch by epoll, identifiers of echo (io/rawping.h). */
static bool at_cap(int rc)
{
	return no_room(rc) || rc == -ENOMEM || rc == -ENOSPC;
}

int admit_socket(struct ctx *c, struct flow *f)
{
	int rc = port_open(c, f);

	for (int i = 0; i < EVICT_TRIES && no_room(rc) && evict(c, f, true); i++)
		rc = port_open(c, f);
	/* What else it says is the remote's, the network's or the configuration's answer. */
	if (at_cap(rc))
		c->count->flows_refused++;
	return rc;
}

static void say_why(struct ctx *c, const struct icmp_sent *s, int rc)
{
	if (s->key->proto == FLOW_PING && (rc == -EACCES || rc == -EPERM)) {
		c->count->icmp_no_socket++;	/* stays silent: the network would too */
		return;
	}
	if (s->key->proto == FLOW_UDP && !at_cap(rc))
		c->count->udp_tx_error++;
	icmp_unreachable(c, s, rc);
}

struct flow *admit_datagram(struct ctx *c, const struct flow_key *key, const struct ip *ip,
			    const struct iovec *first, uint64_t idle_ms)
{
	struct icmp_sent sent = icmp_sent_as(key, ip, first);
	struct route_target to;
	enum route_verdict verdict = route_outbound(c->conf, c->net, &key->remote,
						    key->remote_port, &to);
	struct flow *f;
	int rc;

	if (verdict == ROUTE_MULTICAST && key->proto == FLOW_UDP && to.scope)
		verdict = ROUTE_OK;
	if (verdict != ROUTE_OK) {
		icmp_refuse(c, &sent, verdict);
		return NULL;
	}
	f = admit_flow(c, key);
	if (!f)
		return NULL;
	f->outer = to.addr;
	f->outer_scope = to.scope;
	f->outer_port = key->remote_port;	/* 0 for echo */
	f->ip = hop_out(ip, flow_is_on_link(f));
	f->dg.last_ms = c->now;
	flow_touch(&c->flows, f);
	rc = admit_socket(c, f);
	if (rc < 0) {
		sent.to_group = flow_is_group(f);
		if (first)
			say_why(c, &sent, rc);
		admit_free(c, f);
		return NULL;
	}
	wheel_start(&c->wheel, flow_idx(&c->flows, f), c->now + idle_ms);
	return f;
}
