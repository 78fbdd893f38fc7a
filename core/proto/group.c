/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/group.h"

#include "flow/route.h"
#include "proto/admit.h"
#include "proto/frame.h"
#include "proto/hop.h"
#include "proto/udp.h"
#include "wire/eth.h"
#include "wire/group.h"
#include "wire/numbers.h"

/* Services that are found by asking a group. */
static const struct known {
	struct addr group;
	uint16_t port;
} known[] = {
#define GROUP4(a, b, c, d) { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d } }
	{ GROUP4(224, 0, 0, 251), 5353 },			/* mDNS, RFC 6762, 3 */
	{ { { 0xff, 0x02, [15] = 0xfb } }, 5353 },
	{ GROUP4(224, 0, 0, 252), 5355 },			/* LLMNR, RFC 4795, 2 */
	{ { { 0xff, 0x02, [13] = 1, [15] = 3 } }, 5355 },
	{ GROUP4(239, 255, 255, 250), 1900 },			/* SSDP (UPnP 2.0, 1) */
	{ { { 0xff, 0x02, [15] = 0x0c } }, 1900 },
	{ { { 0xff, 0x05, [15] = 0x0c } }, 1900 },
	{ GROUP4(239, 255, 255, 250), 3702 },			/* WS-Discovery 1.1, 2.4 */
	{ { { 0xff, 0x02, [15] = 0x0c } }, 3702 },
#undef GROUP4
};

static struct flow_key listener_key(const struct addr *group, uint16_t port)
{
	return (struct flow_key){ .inner = *group, .remote = *group, .inner_port = port,
				  .remote_port = port, .proto = FLOW_UDP };
}

/* Opens the listener, or one that had to make way for others again. */
static void listen_on(struct ctx *c, const struct addr *group, uint16_t port)
{
	const struct flow_key key = listener_key(group, port);
	const struct ip nothing = { .ttl = 1 };		/* is sent by it */

	if (!flow_find(&c->flows, &key))
		admit_datagram(c, &key, &nothing, NULL, udp_twoway_ms(c));
}

static void stop_listening(struct ctx *c, const struct membership *m)
{
	for (uint32_t i = 0; i < m->nports; i++) {
		const struct flow_key key = listener_key(&m->group, m->ports[i]);
		struct flow *f = flow_find(&c->flows, &key);

		if (f)
			admit_free(c, f);
	}
}

void group_listen_again(struct ctx *c, bool v4)
{
	for (uint32_t i = 0; i < c->groups.n; i++) {
		const struct membership *m = &c->groups.members[i];

		for (uint32_t k = 0; addr_is4(&m->group) == v4 && k < m->nports; k++)
			listen_on(c, &m->group, m->ports[k]);
	}
}

/* Groups that say nothing about a program: all nodes, and those of address
 * resolution (RFC 4291, 2.7.1), which every IPv6 interface is a member of. */
static bool is_worth_joining(const struct addr *group)
{
	static const uint8_t solicited[13] = { 0xff, 2, [11] = 1, [12] = 0xff };
	const struct addr all4 = group_all_nodes(true), all6 = group_all_nodes(false);

	return !addr_eq(group, &all4) && !addr_eq(group, &all6) &&
	       memcmp(group->b, solicited, sizeof(solicited)) != 0;
}

static void join(struct ctx *c, const struct addr *group)
{
	struct membership *m = groups_find(&c->groups, group);

	if (!is_worth_joining(group))
		return;
	if (!m) {
		m = groups_add(&c->groups, group);
		if (!m) {
			c->count->groups_refused++;
			return;
		}
		c->count->groups_joined++;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			if (addr_eq(&known[i].group, group))
				groups_add_port(m, known[i].port);
		groups_add_spoken(&c->groups, m);
		if (!c->groups.query_due)
			c->groups.query_due = c->now + GROUP_QUERY_MS;
	}
	m->due = c->now + GROUP_TIMEOUT_MS;
	for (uint32_t i = 0; i < m->nports; i++)
		listen_on(c, group, m->ports[i]);
}

/* Another member behind the same tap (a bridge, nested containers) may stay: all are
 * asked, and the membership ends if none says so. */
static void leave(struct ctx *c, const struct addr *group)
{
	struct membership *m = groups_find(&c->groups, group);

	if (!m || m->due <= c->now + GROUP_LEAVE_MS)
		return;
	m->due = c->now + GROUP_LEAVE_MS;
	c->groups.query_due = c->now;
}

void group_message(struct ctx *c, const struct ip *ip, const struct rd *msg)
{
	struct group_report g;
	struct group_record rec;
	enum wire_err err;

	if (ip->ttl != 1) {		/* RFC 3376, 4 and RFC 3810, 5: it never passes a router */
		c->count->drop_martian++;
		return;
	}
	err = group_read(msg, ip->version == 6, &g);
	while (err == WIRE_OK && group_next(&g, &rec, &err)) {
		if (rec.wanted)
			join(c, &rec.group);
		else
			leave(c, &rec.group);
	}
	if (err != WIRE_OK)
		c->count->drop_wire[err]++;
}

void group_learn(struct ctx *c, const struct addr *group, uint16_t port)
{
	struct membership *m = groups_find(&c->groups, group);

	groups_spoke(&c->groups, group, port);
	if (m && groups_add_port(m, port))
		listen_on(c, group, port);
}

static uint64_t echo_hash(const struct ctx *c, const void *data, size_t len, uint16_t port)
{
	return siphash(&c->flows.key, data, len) ^ port;
}

/* Whether one of our sockets hears what f sends: the group's listener, or f itself when
 * it broadcasts to the port it has. */
static bool is_heard(struct ctx *c, const struct flow *f)
{
	const struct flow_key key = listener_key(&f->key.remote, f->key.remote_port);

	return addr_is_multicast(&f->outer) ? flow_find(&c->flows, &key) != NULL
					    : f->key.inner_port == f->key.remote_port;
}

void group_sends(struct ctx *c, const struct flow *f, const void *data, size_t len,
		 uint16_t gso_size)
{
	size_t size = gso_size ? gso_size : MAX_OF(len, (size_t)1);
	const uint8_t *p = data;
	size_t at = 0;

	if (!is_heard(c, f))
		return;
	do {
		size_t part = MIN_OF(len - at, size);

		groups_sent(&c->groups, echo_hash(c, p + at, part, f->outer_port), c->now);
		at += size;
	} while (at < len);
}

/* The host's own daemons have an address that is the container's too, where that is a
 * copy: they are seen as who leads the container to them. */
static struct addr seen_from(const struct ctx *c, const struct addr *from)
{
	struct addr ret;

	return netcfg_has_address(c->net, from) &&
	       route_stand_in(c->conf, c->net, addr_is4(from), &ret) ? ret : *from;
}

void group_deliver(struct ctx *c, struct flow *f, const struct port_dgram *d, int n)
{
	struct flow_key key = f->key;

	for (int i = 0; i < n; i++) {
		const struct iovec iov = { d[i].iov->iov_base, d[i].len };
		const struct flow_ip ip = hop_in(&d[i].ip, true);
		uint64_t hash = echo_hash(c, iov.iov_base, iov.iov_len, f->outer_port);

		c->count->udp_rx_datagrams++;
		c->count->udp_rx_bytes += d[i].len;
		flow_got(&c->flows, f, d[i].len, c->now);
		if (groups_is_echo(&c->groups, hash, c->now)) {
			c->count->groups_echoes++;
			continue;
		}
		if (!addr_is_unicast(&d[i].from)) {
			c->count->drop_martian++;
			continue;
		}
		key.remote = seen_from(c, &d[i].from);
		key.remote_port = d[i].from_port;
		frame_udp(c, &key, &ip, f->dg.mtu, &iov, 1, iov.iov_len, 0);
	}
}

bool group_keeps(struct ctx *c, const struct flow *f)
{
	return flow_is_listener(f) && groups_find(&c->groups, &f->key.inner);
}

bool group_shares_port(struct ctx *c, const struct flow *f)
{
	if (f->key.proto != FLOW_UDP || flow_is_group(f))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].port == f->key.inner_port && groups_find(&c->groups, &known[i].group))
			return true;
	return false;
}

static void query(struct ctx *c, bool v4, uint16_t max_ms)
{
	const struct addr from = v4 ? c->net->gateway4 : addr_linklocal6(&c->net->gw_mac);
	const struct addr none4 = addr_from4("\0\0\0\0"), all = group_all_nodes(v4);
	const struct mac to = eth_group_mac(&all);
	uint8_t packet[GROUP_QUERY_MAX];
	struct wr w = wr_init(packet, sizeof(packet));
	size_t len = group_query_write(&w, v4 && addr_is_any(&from) ? &none4 : &from, max_ms,
				       GROUP_QUERY_MS / 1000);

	if (len && frame_raw(c, &to, v4 ? ETYPE_IP4 : ETYPE_IP6, packet, len) == 0)
		c->count->groups_queries++;
}

/* Periodic, and sooner and with less patience when somebody left. */
static void ask(struct ctx *c)
{
	uint16_t patience = GROUP_RESPONSE_MS;

	for (uint32_t i = 0; i < c->groups.n; i++)
		if (c->groups.members[i].due <= c->now + GROUP_LEAVE_MS)
			patience = GROUP_LEAVE_MS / 2;
	if (c->conf->ipv4)
		query(c, true, patience);
	if (c->conf->ipv6)
		query(c, false, patience);
}

void group_timer(struct ctx *c)
{
	struct membership *m;

	if (!c->groups.query_due && !c->groups.n)
		return;
	while ((m = groups_expired(&c->groups, c->now))) {
		stop_listening(c, m);
		groups_remove(&c->groups, m);
		c->count->groups_left++;
	}
	if (c->groups.query_due && c->groups.query_due <= c->now) {
		ask(c);
		c->groups.query_due = c->groups.n ? c->now + GROUP_QUERY_MS : 0;
	}
}
