/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/icmp.h"

#include <errno.h>

#include "proto/admit.h"
#include "proto/frame.h"
#include "proto/hop.h"
#include "proto/port.h"
#include "proto/tcp.h"
#include "wire/icmp.h"
#include "wire/numbers.h"
#include "wire/quote.h"

/*
 * We are who is asked, and answer as any host or router (RFC 1122, 3.2.2.6; RFC 1812,
 * 4.3.3.6; RFC 4443, 4.2), with as many bytes, in fragments where they do not fit. DSCP is
 * the request's (RFC 1349, 5.1), ECN is not: it is about the way of each packet. One reply a
 * request, and nothing is kept: who asks faster than the tap takes loses replies.
 */
static void echo_own(struct ctx *c, const struct ip *ip, const struct icmp *h,
		     const struct rd *data)
{
	bool v4 = ip->version == 4;
	const struct icmp reply = {
		.type = v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY, .echo = h->echo,
	};
	const struct flow_ip hdr = {
		.ttl = IP_DEFAULT_TTL, .tos = ip->tos & (uint8_t)~IP_ECN_MASK, .df = true,
	};
	struct wr w = wr_init(c->hot, CTX_HOT_SIZE);
	size_t len = icmp_write(&w, !v4, &reply, &ip->dst, &ip->src, data->p, data->left);

	if (len && frame_icmp(c, &ip->dst, &ip->src, &hdr, 0, c->hot, len) == 0)
		c->count->icmp_own++;
}

static void echo_request(struct ctx *c, const struct ip *ip, const struct icmp *h,
			 const void *msg, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)msg, len };
	struct port_dgram d = { .iov = &iov, .niov = 1, .len = (uint32_t)len };
	const struct flow_key key = {
		.inner = ip->src, .remote = ip->dst, .inner_port = h->echo.id, .proto = FLOW_PING,
	};
	struct flow *f = flow_find(&c->flows, &key);

	if (!f)
		f = admit_datagram(c, &key, ip, &iov, ICMP_FLOW_MS);
	if (!f)
		return;
	f->dg.last_ms = c->now;
	f->dg.seq = h->echo.seq;
	flow_sent(&c->flows, f, len, c->now);
	flow_touch(&c->flows, f);
	d.ip = hop_out(ip, flow_is_on_link(f));
	/* The kernel puts the socket's own identifier and the checksum in. */
	if (icmp_dgram_send(c, f, &d, 1) != 1)
		return;
	c->count->icmp_tx_echo++;
	c->count->icmp_tx_bytes += len;
}

/* Whether nobody in the container will want such datagrams (RFC 1122, 3.2.2.1 and
 * 4.1.3.3): its port is closed, or a filter of its refuses them. */
static bool is_final(bool v4, const struct icmp *h)
{
	if (v4)
		return h->type == ICMP4_UNREACH &&
		       (h->code == ICMP4_UNREACH_PORT || h->code == ICMP4_UNREACH_PROTO ||
			h->code == ICMP4_UNREACH_NET_ADMIN ||
			h->code == ICMP4_UNREACH_HOST_ADMIN || h->code == ICMP4_UNREACH_ADMIN);
	return h->type == ICMP6_UNREACH &&
	       (h->code == ICMP6_UNREACH_PORT || h->code == ICMP6_UNREACH_ADMIN);
}

/* The flow that what is quoted belongs to, if the error goes to where that came from. */
static struct flow *flow_of_quote(struct ctx *c, const struct ip *ip, const struct quote *q,
				  const struct rd *rest)
{
	struct flow_key key = {
		.inner = q->dst, .remote = q->src, .inner_port = q->dport,
		.remote_port = q->sport, .proto = q->proto == PROTO_TCP ? FLOW_TCP : FLOW_UDP,
	};
	bool v4 = ip->version == 4;
	struct rd r = *rest;
	struct icmp h;

	if (!addr_eq(&ip->dst, &q->src))
		return NULL;
	if (q->proto != PROTO_TCP && q->proto != PROTO_UDP) {
		if (icmp_read(&r, !v4, &h) != WIRE_OK ||
		    h.type != (v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY))
			return NULL;
		key.proto = FLOW_PING;
		key.inner_port = h.echo.id;
	}
	return flow_find(&c->flows, &key);
}

static bool is_too_big(bool v4, const struct icmp *h)
{
	return v4 ? h->type == ICMP4_UNREACH && h->code == ICMP4_UNREACH_FRAG :
		    h->type == ICMP6_TOOBIG;
}

/*
 * A router inside, the container itself or one behind it, has a link that the packet does not fit
 * in. The upper half of IPv4's field may be anything (RFC 4884, 4.1). The remote, whose packet it
 * was, cannot be told: what is a datagram goes in fragments from now on.
 */
static bool heed_too_big(struct ctx *c, const struct ip *ip, const struct icmp *h,
			 const struct quote *q, struct rd *r)
{
	bool v4 = ip->version == 4;
	uint32_t mtu = v4 ? MAX_OF(h->rest & UINT16_MAX, ICMP_MTU_LEAST4) :
			    MAX_OF(h->rest, ICMP_MTU_LEAST6);
	struct flow *f = flow_of_quote(c, ip, q, r);
	uint32_t seq;

	if (f && f->key.proto == FLOW_TCP)
		return rd_u32(r, &seq) && tcp_out_path_mtu(c, f, seq, mtu);
	if (!f || mtu >= (f->dg.mtu ? f->dg.mtu : c->net->mtu))
		return false;
	f->dg.mtu = (uint16_t)mtu;
	return true;
}

/*
 * Who got it refuses it: a UDP flow ends, and with its socket the
 * host's kernel answers the remote's next datagram with port unreachable. Of TCP it is
 * our SYN that can be refused so, by a filter (RFC 1122, 4.2.3.9), if the quote knows
 * its number; a connection that stands has resets, and errors about it are for
 * attackers (RFC 5927, 5.2).
 */
static bool heed_refusal(struct ctx *c, const struct ip *ip, const struct quote *q, struct rd *r)
{
	struct flow *f = addr_eq(&ip->src, &q->dst) ? flow_of_quote(c, ip, q, r) : NULL;
	uint32_t seq;

	if (f && f->key.proto == FLOW_UDP)
		admit_free(c, f);
	else
		return f && f->key.proto == FLOW_TCP && rd_u32(r, &seq) &&
		       tcp_dial_refused(c, f, seq);
	return true;
}

static void error_message(struct ctx *c, const struct ip *ip, const struct icmp *h, struct rd *r)
{
	bool v4 = ip->version == 4;
	struct quote q;
	enum wire_err err = quote_read(r, !v4, &q);
	bool heeded = false;

	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	if (is_too_big(v4, h))
		heeded = heed_too_big(c, ip, h, &q, r);
	else if (is_final(v4, h))
		heeded = heed_refusal(c, ip, &q, r);
	if (heeded)
		c->count->icmp_errors_heeded++;
	else
		c->count->drop_icmp_error++;
}

static bool is_request(bool v4, const struct icmp *h)
{
	return h->type == (v4 ? ICMP4_ECHO : ICMP6_ECHO) && h->code == 0;
}

static bool is_error(bool v4, uint8_t type)
{
	if (v4)
		return type == ICMP4_UNREACH || type == ICMP4_TIMEX || type == ICMP4_PARAM;
	return type < ICMP6_ECHO;	/* RFC 4443, 2.1 */
}

void icmp_message(struct ctx *c, const struct ip *ip, const void *msg, size_t len)
{
	bool v4 = ip->version == 4;
	struct rd r = rd_init(msg, len);
	struct icmp h;
	enum wire_err err = icmp_read(&r, !v4, &h);

	if (err != WIRE_OK)
		c->count->drop_wire[err]++;
	else if (is_request(v4, &h) && (c->conf->off & CONF_OFF_ICMP))
		c->count->drop_off++;
	else if (is_request(v4, &h) && route_is_local(c->conf, c->net, &ip->dst))
		echo_own(c, ip, &h, &r);
	else if (is_request(v4, &h))
		echo_request(c, ip, &h, msg, len);
	else if (is_error(v4, h.type))
		error_message(c, ip, &h, &r);
	else
		c->count->drop_proto++;
}

/* Back under the container's identifier. */
void icmp_reply(struct ctx *c, struct flow *f, const struct port_dgram *d)
{
	bool v4 = flow_is4(f);
	const struct flow_ip ip = hop_in(&d->ip, hop_is_near(c, f, &f->outer));
	uint8_t *msg = d->iov->iov_base;
	struct rd r = rd_init(msg, d->len);
	struct wr w = wr_init(msg, d->len);
	struct icmp h;
	size_t len;

	if (icmp_read(&r, !v4, &h) != WIRE_OK ||
	    h.type != (v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY))
		return;
	f->dg.last_ms = c->now;
	f->dg.rx += f->dg.rx < UINT32_MAX;
	flow_touch(&c->flows, f);
	h.echo.id = f->key.inner_port;
	len = icmp_write(&w, !v4, &h, &f->key.remote, &f->key.inner, r.p, r.left);
	if (!len || frame_icmp(c, &f->key.remote, &f->key.inner, &ip, f->dg.mtu, msg, len) != 0)
		return;
	c->count->icmp_rx_echo++;
	c->count->icmp_rx_bytes += len;
	flow_got(&c->flows, f, len, c->now);
}

bool icmp_serve(struct ctx *c, struct flow *f)
{
	struct iovec iov = { c->hot, CTX_HOT_SIZE };
	struct port_dgram d = { .iov = &iov, .niov = 1 };

	if (f->ready & FLOW_ERRORS) {
		icmp_tell_queued(c, f);
		if (f->ready & FLOW_ERRORS)
			return true;	/* more of them: first the others' turn */
	}
	for (unsigned int i = 0; i < CTX_DGRAMS; i++) {
		int rc = port_dgram_recv(c, f, &d, 1);

		if (rc == -EAGAIN) {
			f->ready &= (uint8_t)~FLOW_READABLE;
			return false;
		}
		if (rc < 0) {
			icmp_tell_receive(c, f, rc);
			continue;
		}
		icmp_reply(c, f, &d);
	}
	return true;
}
