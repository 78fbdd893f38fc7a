/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/inbound.h"

#include <errno.h>

#include "base/siphash.h"
#include "flow/route.h"
#include "proto/admit.h"
#include "proto/port.h"
#include "proto/relay.h"
#include "proto/splice.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "wire/numbers.h"

#define PORT_LEAST	1024u	/* of those chosen: no server takes them for privileged */

/* --- where a client leads, and as whom the container sees it ----------------- */

static bool choose_source(const struct ctx *c, const struct addr *peer, struct addr *ret)
{
	if (!addr_is_unicast(peer) || !c->conf->preserve_source || netcfg_has_address(c->net, peer))
		return route_stand_in(c->conf, c->net, addr_is4(peer), ret);
	*ret = *peer;
	return true;
}

bool inbound_target(const struct ctx *c, const struct forward *fwd, bool v4,
		    const struct addr *local, struct addr *ret)
{
	const struct netcfg *net = c->net;

	*ret = fwd->to;
	if (!addr_is_any(ret))
		return addr_is4(ret) == v4;
	*ret = *local;
	if (netcfg_has_address(net, local))
		return true;
	for (uint32_t i = 0; i < net->naddresses; i++)
		if (addr_is4(&net->addresses[i].addr) == v4) {
			*ret = net->addresses[i].addr;
			return true;
		}
	return false;
}

static bool choose_ends(const struct ctx *c, const struct forward *fwd, const struct addr *peer,
			const struct addr *local, struct flow_key *key)
{
	key->inner_port = fwd->to_port;
	return choose_source(c, peer, &key->remote) &&
	       inbound_target(c, fwd, addr_is4(peer), local, &key->inner);
}

/* Client's port, or another where the container has a connection from there that
 * is another client's (or another port's) or its own. */
static bool choose_port(struct ctx *c, struct flow_key *key, uint16_t port)
{
	uint64_t at;

	key->remote_port = port;
	if (tcp_vacate(c, key))
		return true;
	at = siphash(&c->isn_key, key, sizeof(*key)) + c->now_us;
	for (uint32_t i = 0; i < INBOUND_PORTS; i++) {
		key->remote_port = (uint16_t)(PORT_LEAST +
					      (at + i) % (UINT16_MAX + 1u - PORT_LEAST));
		if (tcp_vacate(c, key))
			return true;
	}
	return false;
}

void inbound_count(struct ctx *c, const struct forward *fwd, uint64_t clients, uint64_t refused)
{
	struct tally *t = tally_at(c->flows.tallies, tally_place(fwd->rule));

	if (!t)
		return;
	t->clients += clients;
	t->refused += refused;
}

/* --- TCP ------------------------------------------------------------------- */

int inbound_open(struct ctx *c, int sock, const struct forward *fwd, const struct addr *peer,
		 uint16_t peer_port, const struct addr *local)
{
	struct flow_key key = { .proto = FLOW_TCP };

	if (!choose_ends(c, fwd, peer, local, &key) || !choose_port(c, &key, peer_port)) {
		c->count->inbound_refused++;
		inbound_count(c, fwd, 0, 1);
		port_refuse(c, sock);
		return -EADDRNOTAVAIL;
	}
	return tcp_dial(c, &key, sock, peer, peer_port, tally_place(fwd->rule)) ? 0 : -ENOBUFS;
}

/* Nothing is taken from the kernel's queue that could not be kept: there it waits,
 * and its cap is the kernel's. */
static bool may_accept(const struct ctx *c)
{
	return !c->accept_at && c->half_open < TCP_HALF_OPEN_MAX;
}

/* Errors of a connection that is gone already come by accept() too (accept(2)); the
 * next client may be fine. With any other, most likely for want of a descriptor, the
 * client waits, and no event will tell when there is one. */
static void accept_failed(struct ctx *c, int err)
{
	static const int gone[] = {
		-ECONNABORTED, -EPROTO, -EPERM, -ENOPROTOOPT, -EOPNOTSUPP, -ENETDOWN,
		-ENETUNREACH, -EHOSTDOWN, -EHOSTUNREACH, -ENONET,
	};

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		if (err == gone[i])
			return;
	if ((err == -EMFILE || err == -ENFILE) && admit_evict(c))
		return;
	c->accept_at = c->now + INBOUND_PAUSE_MS;
	c->count->inbound_paused++;
}

/* True if more clients may wait. */
static bool accept_some(struct ctx *c, const struct forward *fwd)
{
	struct addr peer, local;
	uint16_t port;
	int sock;

	for (unsigned int i = 0; i < INBOUND_BATCH && may_accept(c); i++) {
		sock = port_accept(c, fwd, &peer, &port, &local);
		if (sock == -EAGAIN)
			return false;
		if (sock < 0) {
			accept_failed(c, sock);
			continue;
		}
		c->count->inbound_tcp++;
		inbound_count(c, fwd, 1, 0);
		if (splice_wanted(c, fwd, &peer))
			splice_accept(c, sock, fwd, &peer, port, &local);
		else
			inbound_open(c, sock, fwd, &peer, port, &local);
	}
	return true;
}

/* --- UDP ------------------------------------------------------------------- */

/* Whether the datagrams of flow f are this client's, through this listener. */
static bool is_client(const struct ctx *c, const struct flow *f, const struct forward *fwd,
		      const struct port_client *from)
{
	return f->dg.via == forward_idx(&c->forwards, fwd) && f->outer_port == from->port &&
	       addr_eq(&f->outer, &from->peer) && addr_eq(&f->dg.local, &from->local);
}

/* Who spoke last from a place is who is answered there: a flow of the container's
 * own to that place, or of another listener, makes way. */
static struct flow *client_flow(struct ctx *c, const struct forward *fwd,
				const struct port_client *from)
{
	struct flow_key key = { .proto = FLOW_UDP, .remote_port = from->port };
	struct flow *f;

	if (!choose_ends(c, fwd, &from->peer, &from->local, &key) || !from->port)
		return NULL;
	f = flow_find(&c->flows, &key);
	if (f && is_client(c, f, fwd, from))
		return f;
	if (f)
		admit_free(c, f);
	f = admit_flow(c, &key);
	if (!f)
		return NULL;
	f->inbound = true;
	f->tally = tally_place(fwd->rule);
	f->outer = from->peer;
	f->outer_port = from->port;
	f->outer_scope = f->dg.local_scope = from->scope;
	f->ip = (struct flow_ip){ .ttl = IP_DEFAULT_TTL, .df = true };	/* of the listener */
	f->dg.local = from->local;
	f->dg.via = forward_idx(&c->forwards, fwd);
	c->forwards.list[f->dg.via].flows++;
	wheel_start(&c->wheel, flow_idx(&c->flows, f), c->now + udp_oneway_ms(c));
	c->count->inbound_udp++;
	inbound_count(c, fwd, 1, 0);
	return f;
}

static bool same_client(const struct port_client *a, const struct port_client *b)
{
	return a->port == b->port && a->scope == b->scope && addr_eq(&a->peer, &b->peer) &&
	       addr_eq(&a->local, &b->local);
}

/* Datagrams of one client in a row are delivered together. */
static void deliver_all(struct ctx *c, const struct forward *fwd, struct port_dgram *d,
			const struct port_client *from, int n)
{
	for (int i = 0, k; i < n; i += k) {
		struct flow *f = splice_wanted(c, fwd, &from[i].peer) ?
				 relay_client(c, fwd, &from[i]) : client_flow(c, fwd, &from[i]);

		for (k = 1; i + k < n && same_client(&from[i], &from[i + k]); k++)
			continue;
		if (!f) {
			c->count->inbound_udp_dropped += (uint64_t)k;
			inbound_count(c, fwd, 0, (uint64_t)k);
			continue;
		}
		if (f->key.proto == FLOW_RELAY) {
			relay_deliver(c, f, d + i, k);
			continue;
		}
		f->dg.last_ms = c->now;
		flow_touch(&c->flows, f);
		udp_deliver(c, f, d + i, k);
	}
}

/* True if more may wait. */
static bool receive_some(struct ctx *c, const struct forward *fwd)
{
	struct port_client from[CTX_DGRAMS];
	struct port_dgram d[CTX_DGRAMS];
	struct iovec iov[CTX_DGRAMS];
	int n;

	udp_room(c, d, iov);
	n = port_dgram_from(c, fwd, d, from, CTX_DGRAMS);
	if (n == -EAGAIN)
		return false;
	if (n > 0)
		deliver_all(c, fwd, d, from, n);
	return true;
}

void inbound_closed(struct ctx *c, uint32_t idx)
{
	const struct forward *fwd = &c->forwards.list[idx];

	for (uint32_t i = 0; i < c->flows.fresh && fwd->flows; i++) {
		struct flow *f = flow_at(&c->flows, i);

		if (f->state != FLOW_FREE && f->dg.via == idx &&
		    (f->key.proto == FLOW_UDP || f->key.proto == FLOW_RELAY))
			admit_free(c, f);
	}
}

/* --- the queue of listeners -------------------------------------------------- */

void inbound_event(struct ctx *c, uint32_t idx)
{
	struct forward *fwd = forward_at(&c->forwards, idx);

	if (fwd)
		forward_enqueue(&c->forwards, fwd);
}

bool inbound_busy(const struct ctx *c)
{
	const struct forward_queue *q = c->forwards.queue;

	return q[CONF_UDP].n || (q[CONF_TCP].n && may_accept(c));
}

/* Once round: no port waits for another's crowd. */
static void serve_queue(struct ctx *c, enum conf_proto proto)
{
	for (uint32_t n = c->forwards.queue[proto].n; n && !c->tap_blocked; n--) {
		struct forward *fwd = forward_dequeue(&c->forwards, proto);

		if (fwd->sock < 0)
			continue;
		if (proto == CONF_TCP ? accept_some(c, fwd) : receive_some(c, fwd))
			forward_enqueue(&c->forwards, fwd);
	}
}

void inbound_turn(struct ctx *c)
{
	bool could = may_accept(c);

	if (c->accept_at && c->now >= c->accept_at)
		c->accept_at = 0;
	if (may_accept(c))
		serve_queue(c, CONF_TCP);
	if (could && c->half_open >= TCP_HALF_OPEN_MAX)
		c->count->inbound_paused++;
	serve_queue(c, CONF_UDP);
}
