/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp_error: ICMP errors to the container about its packets. Three kinds of them:
 * what the network said of a socket's packet, by the socket's error queue;
 * what the host refused, by an errno; what we refuse ourselves. Each quotes the
 * packet as the container sent it, its own addresses and ports, never the host's.
 * All take from one budget (RFC 1812, 4.3.2.8; RFC 4443, 2.4 f), those passed on too:
 * each answers a packet of the container, however fast these are sent.
 *
 * Sender: the router or host that said so, where the container can know it by that
 * address. It cannot where the address is also its own (addresses are copied from
 * the host) or the host's; then, as for all that comes from us or the host, it is
 * hostAddress, else the gateway. About packets to an address of our own it is that.
 */
#include <errno.h>
#include <string.h>

#include "base/cksum.h"
#include "proto/frame.h"
#include "proto/hop.h"
#include "proto/icmp.h"
#include "proto/port.h"
#include "wire/icmp.h"
#include "wire/numbers.h"
#include "wire/udp.h"

/* The whole error: RFC 1812, 4.3.2.3 (576 bytes); RFC 4443, 2.4 (c) (1280). */
#define ERROR4_MAX	576u
#define ERROR6_MAX	1280u
#define ERRORS_BATCH	32u	/* entries of a queue told in one go; the rest next turn */
#define MS_PER_ERROR	(1000u / ICMP_ERRORS_PER_S)

struct unreach {
	int err;
	uint8_t code4, code6;
};

static const struct unreach unreach_codes[] = {
	{ -ECONNREFUSED, ICMP4_UNREACH_PORT, ICMP6_UNREACH_PORT },
	{ -EHOSTUNREACH, ICMP4_UNREACH_HOST, ICMP6_UNREACH_ADDR },
	{ -EHOSTDOWN, ICMP4_UNREACH_HOST, ICMP6_UNREACH_ADDR },
	{ -ENETUNREACH, ICMP4_UNREACH_NET, ICMP6_UNREACH_NOROUTE },
	{ -ENONET, ICMP4_UNREACH_NET, ICMP6_UNREACH_NOROUTE },
	{ -EACCES, ICMP4_UNREACH_ADMIN, ICMP6_UNREACH_ADMIN },
	{ -EPERM, ICMP4_UNREACH_ADMIN, ICMP6_UNREACH_ADMIN },
};

/* --- sending ------------------------------------------------------------ */

static size_t quote_max(bool v4)
{
	return v4 ? ERROR4_MAX - IP4_HLEN - ICMP_HLEN : ERROR6_MAX - IP6_HLEN - ICMP_HLEN;
}

/* Who speaks for us and for the host about a packet to remote: where we are that
 * ourselves, it (RFC 1122, 3.2.2). */
static struct addr stand_in(const struct ctx *c, const struct addr *remote)
{
	struct addr ret;
	bool found = route_stand_in(c->conf, c->net, addr_is4(remote), &ret);

	if (route_is_local(c->conf, c->net, remote))
		return *remote;
	if (addr_is4(remote))
		return found ? ret : *remote;
	/* The gateway's address is copied: a real router has it too. */
	return found && !addr_eq(&ret, &c->net->gateway6) ? ret :
	       addr_linklocal6(&c->net->gw_mac);
}

/* Who sends an error, and the hop limit it has. */
struct from {
	struct addr addr;
	uint8_t ttl;
};

/* From us or from the host. */
static struct from from_here(const struct ctx *c, const struct addr *remote)
{
	return (struct from){ stand_in(c, remote), IP_DEFAULT_TTL };
}

/* Takes one error from the budget: a bucket that is full when none was sent for
 * BURST * MS_PER_ERROR, kept as the time at which it would be full again. */
static bool within_budget(struct ctx *c)
{
	const uint64_t most = (uint64_t)ICMP_ERRORS_BURST * MS_PER_ERROR;

	c->icmp_full_at = MAX_OF(c->icmp_full_at, c->now);
	if (c->icmp_full_at + MS_PER_ERROR > c->now + most) {
		c->count->icmp_errors_limited++;
		return false;
	}
	c->icmp_full_at += MS_PER_ERROR;
	return true;
}

static void send_error(struct ctx *c, struct from from, const struct addr *to,
		       const struct icmp *h, const void *quoted, size_t len)
{
	const struct flow_ip hdr = { .ttl = from.ttl, .df = true };
	uint8_t msg[ERROR6_MAX];
	struct wr w = wr_init(msg, sizeof(msg));

	if (!within_budget(c))
		return;
	len = icmp_write(&w, !addr_is4(to), h, &from.addr, to, quoted, len);
	if (len && frame_icmp(c, &from.addr, to, &hdr, 0, msg, len) == 0)
		c->count->icmp_errors_sent++;
}

/* The echo request with the container's identifier in place of the socket's. */
static void quote_echo(struct wr *w, const struct icmp_sent *s)
{
	bool v4 = addr_is4(&s->key->inner);
	struct rd r = rd_init(s->data, s->len);
	struct icmp h;

	if (icmp_read(&r, !v4, &h) != WIRE_OK || h.type != (v4 ? ICMP4_ECHO : ICMP6_ECHO)) {
		h = (struct icmp){ .type = v4 ? ICMP4_ECHO : ICMP6_ECHO,
				   .echo.seq = (uint16_t)s->seq };
		r = rd_init(NULL, 0);
	}
	icmp_renumber(&h, s->key->inner_port);
	icmp_write_echo(w, &h);
	wr_bytes(w, r.p, MIN_OF(r.left, w->left));
}

/* The datagram, its checksum made anew: right wherever all of the payload is known,
 * and some tools know their probes by it alone. */
static void quote_udp(struct wr *w, const struct icmp_sent *s)
{
	struct udp u = {
		.sport = s->key->inner_port, .dport = s->key->remote_port,
		.len = (uint16_t)(UDP_HLEN + s->len),
	};
	uint8_t head[UDP_HLEN];
	struct wr sum = wr_init(head, sizeof(head));

	udp_write(&sum, &u);
	u.sum = cksum_finish(cksum_add(s->data, s->len, cksum_add(head, sizeof(head),
			     cksum_pseudo(&s->key->inner, &s->key->remote, PROTO_UDP, u.len, 0))));
	if (!u.sum)
		u.sum = 0xffff;
	udp_write(w, &u);
	wr_bytes(w, s->data, MIN_OF(s->len, w->left));
}

static void quote_upper(struct wr *w, const struct icmp_sent *s)
{
	switch (s->key->proto) {
	case FLOW_TCP:		/* 8 bytes; what followed them is not known any more */
		wr_u16(w, s->key->inner_port);
		wr_u16(w, s->key->remote_port);
		wr_u32(w, s->seq);
		break;
	case FLOW_UDP:
		quote_udp(w, s);
		break;
	case FLOW_PING:
		quote_echo(w, s);
		break;
	}
}

/* The packet from its IP header on, as much as may be quoted. Lengths in it are of
 * what is known: a router quotes too little to tell how long it was. */
static size_t quote(struct wr w, const struct icmp_sent *s)
{
	static const uint8_t protos[FLOW_PROTO_COUNT] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP };
	const struct flow_key *key = s->key;
	bool v4 = addr_is4(&key->inner);
	size_t upper = key->proto == FLOW_TCP ? TCP_HLEN : key->proto == FLOW_UDP ?
		       UDP_HLEN + s->len : MAX_OF(s->len, (size_t)ICMP_HLEN);
	const struct ip ip = {
		.version = v4 ? 4 : 6, .src = key->inner, .dst = key->remote,
		.df = s->ip.df, .ttl = s->ip.ttl, .tos = s->ip.tos, .len = (uint16_t)upper,
		.proto = !v4 && key->proto == FLOW_PING ? PROTO_ICMP6 : protos[key->proto],
	};
	size_t room = w.left;

	if (v4)
		ip4_write(&w, &ip);
	else
		ip6_write(&w, &ip);
	quote_upper(&w, s);
	return w.failed ? 0 : room - w.left;
}

static void send_about(struct ctx *c, struct from from, const struct icmp *h,
		       const struct icmp_sent *s)
{
	uint8_t data[ERROR6_MAX];
	size_t max = quote_max(addr_is4(&s->key->inner));

	if (s->to_group)		/* RFC 1122, 3.2.2 */
		return;
	send_error(c, from, &s->key->inner, h, data, quote(wr_init(data, max), s));
}

static struct icmp_sent sent_by(const struct flow *f, const void *data, size_t len)
{
	return (struct icmp_sent){
		.key = &f->key, .ip = f->ip, .data = data, .len = len,
		.seq = f->key.proto == FLOW_TCP ? f->tcp.irs :
		       f->key.proto == FLOW_PING ? f->dg.seq : 0,
		.to_group = flow_is_group(f),
	};
}

/* --- by an errno -------------------------------------------------------- */

void icmp_unreachable(struct ctx *c, const struct icmp_sent *s, int err)
{
	const struct addr *remote = &s->key->remote;
	bool v4 = addr_is4(remote);
	struct icmp h = { .type = v4 ? ICMP4_UNREACH : ICMP6_UNREACH };
	const struct unreach *u = NULL;

	for (size_t i = 0; i < ARRAY_LEN(unreach_codes) && !u; i++)
		if (unreach_codes[i].err == err)
			u = &unreach_codes[i];
	if (!u)
		return;
	h.code = v4 ? u->code4 : u->code6;
	/* The far end itself refuses a port; the rest the host says. */
	send_about(c, err == -ECONNREFUSED ? (struct from){ *remote, IP_DEFAULT_TTL } :
		   from_here(c, remote), &h, s);
}

void icmp_unreachable_flow(struct ctx *c, const struct flow *f, int err)
{
	const struct icmp_sent s = sent_by(f, NULL, 0);

	icmp_unreachable(c, &s, err);
}

void icmp_refuse(struct ctx *c, const struct icmp_sent *s, enum route_verdict verdict)
{
	if (verdict == ROUTE_NONE) {
		c->count->drop_noroute++;
		icmp_unreachable(c, s, -ENETUNREACH);
	} else if (verdict == ROUTE_PROHIBITED) {
		c->count->drop_metadata++;
		icmp_unreachable(c, s, -EACCES);
	} else if (verdict == ROUTE_LOCAL) {
		c->count->drop_port++;
		icmp_unreachable(c, s, -ECONNREFUSED);
	} else if (verdict == ROUTE_MULTICAST) {
		c->count->drop_multicast++;
	} else {
		c->count->drop_martian++;
	}
}

/* --- our own ------------------------------------------------------------ */

static bool is_error4(uint8_t type)
{
	return type == ICMP4_UNREACH || type == ICMP4_QUENCH || type == ICMP4_REDIRECT ||
	       type == ICMP4_TIMEX || type == ICMP4_PARAM;
}

static bool is_error6(uint8_t type)
{
	return type < ICMP6_ECHO || type == ICMP6_REDIRECT;	/* RFC 4443, 2.1 */
}

/* Whether the packet is itself an ICMP error: the type is the first byte behind
 * its header, which it may lack. */
static bool is_about_error(const struct ip *ip, const struct rd *pkt)
{
	bool v4 = ip->version == 4;
	struct rd r = *pkt;
	uint8_t type;

	if (ip->proto != (v4 ? PROTO_ICMP : PROTO_ICMP6) || !rd_skip(&r, ip->hdr_len) ||
	    !rd_u8(&r, &type))
		return false;
	return v4 ? is_error4(type) : is_error6(type);
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4 (e): none about an error, a fragment but the
 * first, or what was not meant for one host alone; with one exception (e.3). */
static bool may_answer(const struct ip *ip, const struct rd *pkt, const struct icmp *h)
{
	bool to_many_too = ip->version == 6 && h->type == ICMP6_PARAM &&
			   h->code == ICMP6_PARAM_OPTION;

	return !ip->frag_off && addr_is_unicast(&ip->src) &&
	       (addr_is_unicast(&ip->dst) || to_many_too) && !is_about_error(ip, pkt);
}

void icmp_error_packet(struct ctx *c, const struct ip *ip, const struct rd *pkt,
		       const struct icmp *h)
{
	if (may_answer(ip, pkt, h))
		send_error(c, from_here(c, &ip->dst), &ip->src, h, pkt->p,
			   MIN_OF(pkt->left, quote_max(ip->version == 4)));
}

/* --- by the error queue ------------------------------------------------- */

/* Where this error seems to come from, seen from the container. */
static struct addr sender(const struct ctx *c, const struct flow *f, const struct addr *offender)
{
	if (addr_eq(offender, &f->outer))
		return f->key.remote;
	if (addr_is4(offender) != flow_is4(f) || !addr_is_unicast(offender) ||
	    netcfg_has_address(c->net, offender) || addr_eq(offender, &c->net->host4) ||
	    addr_eq(offender, &c->net->host6))
		return stand_in(c, &f->key.remote);
	return *offender;
}

static struct icmp too_big(bool v4, uint32_t mtu)
{
	if (v4)			/* RFC 1191, 4 */
		return (struct icmp){ .type = ICMP4_UNREACH, .code = ICMP4_UNREACH_FRAG,
				      .mtu = MIN_OF(mtu, (uint32_t)UINT16_MAX) };
	return (struct icmp){ .type = ICMP6_TOOBIG, .mtu = mtu };
}

/* The message as it goes on. False: not one for the container. A parameter problem
 * is about what the host's kernel wrote; redirect and source quench (RFC 6633) are
 * not for hosts behind a router. */
static bool translate(bool v4, const struct port_err *e, struct icmp *ret)
{
	if (e->err == -EMSGSIZE) {
		*ret = too_big(v4, e->mtu);
		return v4 || e->mtu;	/* IPv4: 0 is an old router's (RFC 1191, 4) */
	}
	*ret = (struct icmp){ .type = e->type, .code = e->code };
	return v4 ? e->type == ICMP4_UNREACH || e->type == ICMP4_TIMEX :
		    e->type == ICMP6_UNREACH || e->type == ICMP6_TIMEX;
}

bool icmp_tell(struct ctx *c, const struct flow *f, const struct port_err *e, const void *data)
{
	struct icmp_sent s = sent_by(f, data, e->len);
	struct from from;
	struct icmp h;

	if (!addr_eq(&e->dst, &f->outer) || !translate(flow_is4(f), e, &h))
		return false;
	if (h.type == (flow_is4(f) ? ICMP4_TIMEX : ICMP6_TIMEX))
		s.ip.ttl = 1;	/* as it came to where it ended */
	from = (struct from){ sender(c, f, &e->offender),
			      hop_ttl(e->ttl, hop_is_near(c, f, &e->offender)) };
	send_about(c, from, &h, &s);
	return true;
}

/* What of a queue was told, and the MTU of the host's own refusals. */
struct drained {
	unsigned int entries, told;
	uint32_t mtu;
};

static struct drained drain(struct ctx *c, struct flow *f)
{
	struct drained d = { 0 };
	uint8_t data[ERROR6_MAX];
	struct port_err e;

	f->ready &= (uint8_t)~FLOW_ERRORS;
	while (d.entries < ERRORS_BATCH && port_errqueue(c, f, &e, data, sizeof(data)) == 0) {
		d.entries++;
		if (!e.local)
			d.told += icmp_tell(c, f, &e, data);
		else if (e.err == -EMSGSIZE)
			d.mtu = e.mtu;
	}
	if (d.entries == ERRORS_BATCH) {
		f->ready |= FLOW_ERRORS;
		flow_enqueue(&c->flows, f);
	}
	return d;
}

bool icmp_tell_queued(struct ctx *c, struct flow *f)
{
	return drain(c, f).told;
}

void icmp_tell_receive(struct ctx *c, struct flow *f, int err)
{
	if (!drain(c, f).entries)
		icmp_unreachable_flow(c, f, err);
}

/* A send failed: for what came back of an earlier packet (its entry stands in the
 * queue, and sending again can succeed: true), or on its own account. */
static bool failed(struct ctx *c, struct flow *f, const struct port_dgram *d, int err)
{
	size_t first = d->iov->iov_len;		/* one datagram, or several of gso_size */
	struct icmp_sent s = sent_by(f, d->iov->iov_base,
				d->gso_size ? MIN_OF(first, (size_t)d->gso_size) : first);
	const struct drained q = drain(c, f);
	struct icmp h;

	s.ip = d->ip;
	if (err == -EMSGSIZE && q.mtu && !d->gso_size) {
		h = too_big(flow_is4(f), q.mtu);
		send_about(c, from_here(c, &f->key.remote), &h, &s);
		return false;
	}
	if (!q.entries)
		icmp_unreachable(c, &s, err);
	return q.entries;
}

int icmp_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	int rc = port_dgram_send(c, f, d, n);

	for (int again = 1; rc < 0 && rc != -EAGAIN && rc != -EINVAL && rc != -EIO; again--) {
		if (!failed(c, f, d, rc) || !again)
			break;
		rc = port_dgram_send(c, f, d, n);
	}
	return rc;
}
