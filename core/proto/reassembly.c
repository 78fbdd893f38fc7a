/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/reassembly.h"

#include "proto/icmp.h"
#include "wire/numbers.h"

/* Writes a header for len bytes of payload before them, that of a fragment if ip
 * says so. The packet as a whole; its header is the first one's without options
 * and extension headers, which are walked and mean nothing to us. */
static struct rd put_header(struct ctx *c, const struct frag *f, const struct ip *from, size_t len)
{
	uint8_t *payload = frag_payload(c->frags, f);
	struct ip ip = *from, h;
	size_t hlen = ip_hlen(&ip) + (ip.version == 6 && ip.fragment ? IP6_FRAG_HLEN : 0);
	struct wr w = wr_init(payload - hlen, hlen);

	ip.len = (uint16_t)len;
	if (ip.version == 4) {
		ip4_write(&w, &ip);
	} else {
		h = ip;
		if (ip.fragment) {
			h.proto = PROTO_FRAGMENT;
			h.len = (uint16_t)(len + IP6_FRAG_HLEN);
		}
		ip6_write(&w, &h);
		if (ip.fragment)
			ip6_frag_write(&w, &ip);
	}
	return rd_init(payload - hlen, hlen + len);
}

/* RFC 7112, 5: a first fragment without all the headers is refused. */
static bool chain_cut(struct ctx *c, const struct ip *ip, const struct rd *piece,
		      const struct rd *packet)
{
	const struct icmp h = { .type = ICMP6_PARAM, .code = ICMP6_PARAM_CHAIN };

	if (ip->version != 6 || ip->frag_off || ip6_chain_whole(ip->proto, piece))
		return false;
	c->count->frag_refused++;
	icmp_error_packet(c, ip, packet, &h);
	return true;
}

static struct rd whole(struct ctx *c, struct frag *f)
{
	struct ip ip = f->ip;

	ip.fragment = ip.more = ip.df = false;
	ip.frag_off = 0;
	c->count->frag_reassembled++;
	return put_header(c, f, &ip, f->total);
}

struct frag *reassembly_take(struct ctx *c, const struct ip *ip, const struct rd *piece,
			     struct rd *packet)
{
	bool evicted;
	struct frag *f;

	c->count->frag_rx++;
	if (!piece->left) {	/* offset without bytes: no sender of datagrams does that */
		c->count->frag_refused++;
		return NULL;
	}
	if (chain_cut(c, ip, piece, packet))
		return NULL;
	switch (frag_add(c->frags, ip, piece->p, piece->left, c->now, &f, &evicted)) {
	case FRAG_WHOLE:
		c->count->frag_evicted += evicted;
		*packet = whole(c, f);
		return f;
	case FRAG_REFUSED:
		c->count->frag_refused++;
		break;
	case FRAG_WAITS:
	case FRAG_REPEATED:
		break;
	}
	c->count->frag_evicted += evicted;
	return NULL;
}

/* RFC 792 and RFC 4443, 3.3: only if the first fragment is there to be quoted. */
static void tell_time_exceeded(struct ctx *c, const struct frag *f)
{
	bool v4 = f->ip.version == 4;
	const struct icmp h = {
		.type = v4 ? ICMP4_TIMEX : ICMP6_TIMEX,
		.code = v4 ? ICMP4_TIMEX_REASSEMBLY : ICMP6_TIMEX_REASSEMBLY,
	};
	struct rd first;
	struct ip ip = f->ip;

	if (!f->first)
		return;
	first = put_header(c, f, &ip, f->first);
	ip.hdr_len = (uint16_t)(first.left - f->first);	/* of what is quoted */
	icmp_error_packet(c, &ip, &first, &h);
}

void reassembly_expire(struct ctx *c)
{
	struct frag *f;

	while ((f = frag_expired(c->frags, c->now))) {
		c->count->frag_timeouts++;
		if (f->state == FRAG_COLLECTING)
			tell_time_exceeded(c, f);
		frag_free(c->frags, f);
	}
}
