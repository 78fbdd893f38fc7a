/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/ip6: the IPv6 half of wire/ip.h (RFC 8200). Walks the extension headers
 * (4.1) to the payload, at most IP6_EXT_MAX of them, each bounded by the
 * payload length. What it cannot honour it refuses rather than ignores: a
 * route not yet at its end, an option whose type says "discard if unknown".
 * Called for every frame; one without extension headers costs one table look.
 */
#include "wire/ip.h"
#include "wire/numbers.h"

#define EXT_UNIT	8	/* extension headers are multiples of it, and at least one */
#define AH_MIN		12	/* RFC 4302, 2: without ICV */
#define LENGTH_AT	4	/* of Payload Length in the IPv6 header ... */
#define NEXT_AT		6	/* ... and of its Next Header */

struct walk {
	struct rd left;		/* from the next header to the end of the packet */
	const uint8_t *start;	/* of the packet */
	const uint8_t *next_at;	/* the field that holds `next` */
	struct ip *ip;
	struct ip6_problem why;
	unsigned int count;	/* headers walked */
	uint8_t next;		/* what stands first in left */
	bool seen_fragment;
	bool stop;		/* what follows is a piece of a payload, not a header */
	bool cut;		/* a header ends behind the packet */
};

typedef enum wire_err ext_reader(struct walk *w);

/* The sender is to be told of what stands at `at`. Returns err. */
static enum wire_err tell(struct walk *w, uint8_t code, const uint8_t *at, enum wire_err err)
{
	w->why.tell = true;
	w->why.code = code;
	w->why.pointer = (uint16_t)(at - w->start);
	return err;
}

/* Next header, length, and the rest in *body; length counts `unit` bytes. */
static enum wire_err read_ext(struct walk *w, size_t unit, size_t base, struct rd *body)
{
	uint8_t len = 0;
	size_t total;

	w->cut = w->left.left < EXT_UNIT;
	if (w->cut)
		return WIRE_SHORT;
	w->next_at = w->left.p;
	rd_u8(&w->left, &w->next);
	rd_u8(&w->left, &len);
	total = len * unit + base;
	w->cut = !rd_sub(&w->left, total - 2, body);
	return w->cut ? WIRE_OPTION : WIRE_OK;
}

/* RFC 8200, 4.2: the two highest bits of an option we do not know say what to do:
 * 00 skip it, 01 discard the packet, 10 and tell the sender, 11 and tell it
 * unless the packet went to a group. */
static enum wire_err unknown_option(struct walk *w, uint8_t type, const uint8_t *at)
{
	if (type >> 6 == 0)
		return WIRE_OK;
	if (type >> 6 == 1 || (type >> 6 == 3 && addr_is_multicast(&w->ip->dst)))
		return WIRE_OPTION;
	return tell(w, ICMP6_PARAM_OPTION, at, WIRE_OPTION);
}

/* Hop-by-hop and destination options, RFC 8200, 4.2. We know padding only. */
static enum wire_err read_options(struct walk *w)
{
	struct rd o;
	enum wire_err err = read_ext(w, EXT_UNIT, EXT_UNIT, &o);
	uint8_t type = 0, len;

	while (err == WIRE_OK && o.left) {
		const uint8_t *at = o.p;

		rd_u8(&o, &type);
		if (type == 0)		/* Pad1: the one without a length */
			continue;
		err = unknown_option(w, type, at);
		if (err == WIRE_OK && (!rd_u8(&o, &len) || !rd_skip(&o, len)))
			err = WIRE_OPTION;
	}
	return err;
}

/* RFC 8200, 4: directly behind the IPv6 header, else like a header nobody knows. */
static enum wire_err read_hopopts(struct walk *w)
{
	if (w->count)
		return tell(w, ICMP6_PARAM_NEXT, w->next_at, WIRE_OPTION);
	return read_options(w);
}

/* RFC 8200, 4.4: a type we do not know is ignored when nothing is left of its
 * route, else refused. We know none; type 0 is to be unknown (RFC 5095, 3). */
static enum wire_err read_routing(struct walk *w)
{
	struct rd body;
	enum wire_err err = read_ext(w, EXT_UNIT, EXT_UNIT, &body);
	const uint8_t *type_at = err ? NULL : body.p;
	uint8_t segments_left = 0;

	if (err)
		return err;
	rd_skip(&body, 1);	/* type */
	rd_u8(&body, &segments_left);
	return segments_left ? tell(w, ICMP6_PARAM_HEADER, type_at, WIRE_OPTION) : WIRE_OK;
}

/* RFC 4302, 2.2: the one header counted in 4-byte units, less 2. It is stepped
 * over unverified: the key is not ours, and it would not survive the host
 * sockets that carry the payload on. */
static enum wire_err read_ah(struct walk *w)
{
	struct rd body;
	enum wire_err err = read_ext(w, 4, 8, &body);

	return err || body.left >= AH_MIN - 2 ? err : WIRE_OPTION;
}

/* RFC 8200, 4.5. A real fragment ends the walk here, the first one too: the
 * offsets of its siblings count from the end of this header. */
static enum wire_err read_fragment(struct walk *w)
{
	struct ip *ip = w->ip;
	const uint8_t *at = w->left.p;
	uint16_t off;
	struct rd h;

	if (w->seen_fragment)
		return WIRE_OPTION;
	w->cut = !rd_sub(&w->left, EXT_UNIT, &h);
	if (w->cut)
		return WIRE_SHORT;
	w->next_at = at;
	rd_u8(&h, &w->next);
	rd_skip(&h, 1);
	rd_u16(&h, &off);
	rd_u32(&h, &ip->id);
	w->seen_fragment = true;
	ip->df = false;
	ip->more = off & 1;
	ip->frag_off = off & 0xfff8;
	ip->fragment = ip->more || ip->frag_off;
	w->stop = ip->fragment;
	if (ip->more && w->left.left % 8)
		return tell(w, ICMP6_PARAM_HEADER, w->start + LENGTH_AT, WIRE_LENGTH);
	if (ip->fragment && ip->frag_off + w->left.left > UINT16_MAX)
		return tell(w, ICMP6_PARAM_HEADER, at + 2, WIRE_LENGTH);
	return WIRE_OK;
}

static ext_reader *const ext_readers[256] = {
	[PROTO_HOPOPT] = read_hopopts,
	[PROTO_ROUTING] = read_routing,
	[PROTO_FRAGMENT] = read_fragment,
	[PROTO_AH] = read_ah,
	[PROTO_DSTOPTS] = read_options,
};

static enum wire_err walk_ext(struct walk *w)
{
	enum wire_err err;

	for (; !w->stop && ext_readers[w->next]; w->count++) {
		if (w->count == IP6_EXT_MAX)
			return WIRE_CHAIN;
		err = ext_readers[w->next](w);
		if (err)
			return err;
	}
	return WIRE_OK;
}

bool ip6_addr_ok(const struct addr *a)
{
	static const uint8_t zero[12];

	return !addr_is4(a) && (memcmp(a->b, zero, sizeof(zero)) != 0 || addr_is_any(a));
}

/* The 40 bytes every header has. */
static inline bool read_fixed(struct rd *r, uint32_t *first, uint16_t *len, uint8_t *next,
			      struct ip *ip)
{
	struct rd h;

	if (!rd_sub(r, IP6_HLEN, &h))
		return false;
	rd_u32(&h, first);
	rd_u16(&h, len);
	rd_u8(&h, next);
	rd_u8(&h, &ip->ttl);
	rd_copy(&h, ip->src.b, 16);
	rd_copy(&h, ip->dst.b, 16);
	ip->tos = (uint8_t)(*first >> 20);
	return true;
}

enum wire_err ip6_read_why(struct rd *r, struct ip *ret, struct rd *ret_payload,
			   struct ip6_problem *why)
{
	struct rd pkt = *r;
	struct ip ip = { .version = 6, .df = true };
	struct walk w = { .ip = &ip, .start = pkt.p };
	enum wire_err err;
	uint32_t first;
	uint16_t len;

	why->tell = false;
	if (!read_fixed(&pkt, &first, &len, &w.next, &ip))
		return WIRE_SHORT;
	if (first >> 28 != 6)
		return WIRE_VERSION;
	w.next_at = w.start + NEXT_AT;
	/* RFC 2675, 3: that would be a jumbogram. */
	if (!len && w.next == PROTO_HOPOPT)
		return WIRE_LENGTH;
	if (!rd_sub(&pkt, len, &w.left))
		return WIRE_LENGTH;
	if (addr_is_multicast(&ip.src) || !ip6_addr_ok(&ip.src) || !ip6_addr_ok(&ip.dst))
		return WIRE_ADDRESS;
	err = walk_ext(&w);
	if (err) {
		*why = w.why;
		why->src = ip.src;
		why->dst = ip.dst;
		return err;
	}
	ip.proto = w.next;
	ip.proto_at = (uint16_t)(w.next_at - w.start);
	ip.len = (uint16_t)w.left.left;
	ip.hdr_len = (uint16_t)(IP6_HLEN + len - ip.len);
	*r = pkt;
	*ret = ip;
	*ret_payload = w.left;
	return WIRE_OK;
}

enum wire_err ip6_read(struct rd *r, struct ip *ret, struct rd *ret_payload)
{
	struct ip6_problem why;

	return ip6_read_why(r, ret, ret_payload, &why);
}

bool ip6_chain_whole(uint8_t next, const struct rd *piece)
{
	static const uint8_t least[256] = {
		[PROTO_TCP] = 20, [PROTO_UDP] = 8, [PROTO_ICMP6] = 4,
	};
	struct ip ip = { .version = 6 };
	struct walk w = { .left = *piece, .start = piece->p, .next_at = piece->p, .ip = &ip,
			  .next = next, .count = 1, .seen_fragment = true };

	/* What is wrong otherwise is found when the whole is read. */
	return walk_ext(&w) ? !w.cut : w.left.left >= least[w.next];
}

bool ip6_frag_write(struct wr *w, const struct ip *ip)
{
	wr_u8(w, ip->proto);
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(ip->frag_off | ip->more));
	return wr_u32(w, ip->id);
}

bool ip6_write(struct wr *w, const struct ip *ip)
{
	uint8_t *p = wr_space(w, IP6_HLEN);
	struct wr h;

	if (!p)
		return false;
	h = wr_init(p, IP6_HLEN);
	wr_u32(&h, 6u << 28 | (uint32_t)ip->tos << 20);
	wr_u16(&h, ip->len);
	wr_u8(&h, ip->proto);
	wr_u8(&h, ip->ttl);
	wr_bytes(&h, ip->src.b, 16);
	return wr_bytes(&h, ip->dst.b, 16);
}
