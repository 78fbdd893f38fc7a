/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/icmp.h"

#include <errno.h>
#include <string.h>

#include "proto/admit.h"
#include "proto/frame.h"
#include "proto/icmp_error.h"
#include "proto/port.h"
#include "proto/udp.h"
#include "wire/icmp.h"
#include "wire/numbers.h"

#define QUOTE_L4 8		/* bytes of the upper header we can quote: ports and sequence */

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

/* Writes the IP header and 8 bytes of the upper one that the container sent
 * first in this flow (RFC 792; RFC 4443, 3.1). Returns its length. */
static size_t quote(struct wr w, const struct flow_key *key, uint32_t seq)
{
	static const uint8_t protos[FLOW_PROTO_COUNT] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP };
	bool v4 = addr_is4(&key->inner);
	size_t start = w.left;
	const struct ip ip = {
		.version = v4 ? 4 : 6, .src = key->inner, .dst = key->remote, .df = true,
		.ttl = IP_DEFAULT_TTL, .len = key->proto == FLOW_TCP ? 20 : QUOTE_L4,
		.proto = !v4 && key->proto == FLOW_PING ? PROTO_ICMP6 : protos[key->proto],
	};

	if (v4)
		ip4_write(&w, &ip);
	else
		ip6_write(&w, &ip);
	if (key->proto == FLOW_PING) {
		wr_u8(&w, v4 ? ICMP4_ECHO : ICMP6_ECHO);
		wr_u8(&w, 0);
		wr_u16(&w, 0);
		wr_u16(&w, key->inner_port);
		wr_u16(&w, (uint16_t)seq);
	} else {
		wr_u16(&w, key->inner_port);
		wr_u16(&w, key->remote_port);
		if (key->proto == FLOW_TCP)
			wr_u32(&w, seq);
		else
			wr_u32(&w, QUOTE_L4 << 16);
	}
	return w.failed ? 0 : start - w.left;
}

static void send_unreachable(struct ctx *c, const struct flow_key *key, uint32_t seq, int err)
{
	bool v4 = addr_is4(&key->inner);
	const struct addr *gateway = v4 ? &c->net->gateway4 : &c->net->gateway6;
	uint8_t data[IP6_HLEN + QUOTE_L4], msg[ICMP_HLEN + sizeof(data)];
	struct wr w = wr_init(msg, sizeof(msg));
	const struct unreach *u = NULL;
	struct icmp h;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(unreach_codes) && !u; i++)
		if (unreach_codes[i].err == err)
			u = &unreach_codes[i];
	if (!u || !addr_is_unicast(&key->remote) ||	/* RFC 1122, 3.2.2 */
	    !icmp_error_allowed(c))
		return;
	/* The far end itself refuses a port; the rest is a router's to say. */
	if (err == -ECONNREFUSED || addr_is_any(gateway))
		gateway = &key->remote;
	h = (struct icmp){ .type = v4 ? ICMP4_UNREACH : ICMP6_UNREACH,
			   .code = v4 ? u->code4 : u->code6 };
	len = quote(wr_init(data, sizeof(data)), key, seq);
	len = icmp_write(&w, !v4, &h, gateway, &key->inner, data, len);
	if (len && frame_icmp(c, gateway, &key->inner, msg, len, IP_DEFAULT_TTL) == 0)
		c->count->icmp_errors_sent++;
}

void icmp_unreachable_flow(struct ctx *c, const struct flow *f, int err)
{
	send_unreachable(c, &f->key, f->key.proto == FLOW_TCP ? f->tcp.irs : 0, err);
}

void icmp_refuse(struct ctx *c, const struct flow_key *key, enum route_verdict verdict)
{
	if (verdict == ROUTE_NONE) {
		c->count->drop_noroute++;
		send_unreachable(c, key, 0, -ENETUNREACH);
	} else if (verdict == ROUTE_MULTICAST) {
		c->count->drop_multicast++;
	} else {
		c->count->drop_martian++;
	}
}

void icmp_message(struct ctx *c, const struct ip *ip, const void *msg, size_t len)
{
	bool v4 = ip->version == 4;
	struct rd r = rd_init(msg, len);
	struct flow_key key = { .inner = ip->src, .remote = ip->dst, .proto = FLOW_PING };
	struct iovec iov = { (void *)(uintptr_t)msg, len };
	const struct port_dgram d = { .iov = &iov, .niov = 1, .len = (uint32_t)len };
	struct icmp h;
	struct flow *f;
	enum wire_err err = icmp_read(&r, !v4, &h);

	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	if (h.type != (v4 ? ICMP4_ECHO : ICMP6_ECHO) || h.code != 0) {
		c->count->drop_proto++;
		return;
	}
	key.inner_port = h.echo.id;
	f = flow_find(&c->flows, &key);
	if (!f)
		f = admit_datagram(c, &key, ICMP_FLOW_MS);
	if (!f)
		return;
	f->dg.last_ms = c->now;
	flow_touch(&c->flows, f);
	/* The kernel puts the socket's own identifier and the checksum in. */
	if (port_dgram_send(c, f, &d, 1) == 1)
		c->count->icmp_tx_echo++;
}

/* One echo reply, back under the container's identifier. */
static void reply(struct ctx *c, struct flow *f, uint8_t *msg, size_t len)
{
	bool v4 = flow_is4(f);
	struct rd r = rd_init(msg, len);
	struct wr w = wr_init(msg, len);
	struct icmp h;

	if (icmp_read(&r, !v4, &h) != WIRE_OK ||
	    h.type != (v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY))
		return;
	h.echo.id = f->key.inner_port;
	len = icmp_write(&w, !v4, &h, &f->key.remote, &f->key.inner, r.p, r.left);
	if (len && frame_icmp(c, &f->key.remote, &f->key.inner, msg, len, IP_DEFAULT_TTL) == 0)
		c->count->icmp_rx_echo++;
}

bool icmp_serve(struct ctx *c, struct flow *f)
{
	struct iovec iov = { c->hot, CTX_HOT_SIZE };
	struct port_dgram d = { .iov = &iov, .niov = 1 };

	for (unsigned int i = 0; i < CTX_DGRAMS; i++) {
		int rc = port_dgram_recv(c, f, &d, 1);

		if (rc == -EAGAIN) {
			f->ready &= (uint8_t)~FLOW_READABLE;
			return false;
		}
		if (rc < 0) {
			icmp_unreachable_flow(c, f, rc);
			continue;
		}
		f->dg.last_ms = c->now;
		f->dg.rx += f->dg.rx < UINT32_MAX;
		flow_touch(&c->flows, f);
		reply(c, f, c->hot, d.len);
	}
	return true;
}
