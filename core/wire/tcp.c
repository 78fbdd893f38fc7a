/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/tcp: the TCP header and its options (RFC 9293, 3.1 and 3.2; RFC 7323;
 * RFC 2018), and the checksum TCP, UDP and ICMPv6 share. Called for every
 * segment: the payload is not touched (but by l4sum_ok), options are looked at
 * only where there are any, and their usual form is taken in one step.
 */
#include "wire/tcp.h"

#include "base/cksum.h"
#include "wire/icmp.h"
#include "wire/numbers.h"
#include "wire/udp.h"

#define WSCALE_MAX	14		/* RFC 7323, 2.3 */
#define TS_ALIGNED	0x0101080au	/* NOP NOP TS 10, as RFC 7323, appendix A has it */
#define TS_ALIGNED_LEN	12

/* Known options: the length byte the RFC gives them, and where they count. */
static const struct {
	uint8_t len;
	bool syn_only;
} known[] = {
	[TCPO_MSS] = { 4, true },
	[TCPO_WSCALE] = { 3, true },
	[TCPO_SACK_OK] = { 2, true },
	[TCPO_TS] = { 10, false },
};

static bool length_ok(uint8_t kind, uint8_t len)
{
	if (kind == TCPO_SACK)		/* RFC 2018, 3: 1 to 4 blocks */
		return len >= 10 && (len - 2) % 8 == 0;
	return kind >= ARRAY_LEN(known) || !known[kind].len || known[kind].len == len;
}

static void take_sack(struct rd *body, struct tcp_opts *o)
{
	o->nsack = 0;
	while (body->left && o->nsack < TCP_SACK_MAX) {
		rd_u32(body, &o->sack[o->nsack].left);
		rd_u32(body, &o->sack[o->nsack].right);
		o->nsack++;
	}
}

/* Takes one option whose length has been tested. */
static void take(uint8_t kind, struct rd *body, bool syn, struct tcp_opts *o)
{
	uint8_t shift = 0;

	if (kind < ARRAY_LEN(known) && known[kind].syn_only && !syn)
		return;
	switch (kind) {
	case TCPO_MSS:
		rd_u16(body, &o->mss);
		break;
	case TCPO_WSCALE:
		rd_u8(body, &shift);
		o->wscale = (int8_t)MIN_OF(shift, WSCALE_MAX);
		break;
	case TCPO_SACK_OK:
		o->sack_ok = true;
		break;
	case TCPO_SACK:
		take_sack(body, o);
		break;
	case TCPO_TS:
		rd_u32(body, &o->tsval);
		rd_u32(body, &o->tsecr);
		o->ts = true;
		break;
	default:
		break;
	}
}

static enum wire_err read_options(struct rd r, bool syn, struct tcp_opts *o)
{
	uint8_t kind, len;
	struct rd body;

	while (rd_u8(&r, &kind) && kind != TCPO_END) {
		if (kind == TCPO_NOP)
			continue;
		/* RFC 9293, MUST-7: be prepared for an illegal length */
		if (!rd_u8(&r, &len) || len < 2 || !rd_sub(&r, (size_t)len - 2, &body) ||
		    !length_ok(kind, len))
			return WIRE_OPTION;
		take(kind, &body, syn, o);
	}
	return WIRE_OK;
}

/* Timestamps alone, aligned: what all segments of a flow but its SYN have. */
static bool read_timestamps(struct rd r, struct tcp_opts *o)
{
	uint32_t head;

	if (r.left != TS_ALIGNED_LEN || !rd_u32(&r, &head) || head != TS_ALIGNED)
		return false;
	rd_u32(&r, &o->tsval);
	rd_u32(&r, &o->tsecr);
	o->ts = true;
	return true;
}

/* The 20 bytes every header has; *hlen is the data offset in bytes. */
static inline bool read_fixed(struct rd *r, struct tcp *t, size_t *hlen)
{
	struct rd h;
	uint8_t off;

	if (!rd_sub(r, TCP_HLEN, &h))
		return false;
	rd_u16(&h, &t->sport);
	rd_u16(&h, &t->dport);
	rd_u32(&h, &t->seq);
	rd_u32(&h, &t->ack);
	rd_u8(&h, &off);
	rd_u8(&h, &t->flags);
	rd_u16(&h, &t->wnd);
	rd_u16(&h, &t->sum);
	rd_u16(&h, &t->urg);
	*hlen = (size_t)(off >> 4) * 4;
	return true;
}

enum wire_err tcp_read(struct rd *r, struct tcp *ret)
{
	struct tcp t = { .opt = TCP_OPTS_INIT };
	struct rd opts;
	size_t hlen;
	enum wire_err err;

	if (!read_fixed(r, &t, &hlen))
		return WIRE_SHORT;
	if (hlen < TCP_HLEN)
		return WIRE_LENGTH;
	if (!rd_sub(r, hlen - TCP_HLEN, &opts))
		return WIRE_SHORT;
	if (opts.left && !read_timestamps(opts, &t.opt)) {
		err = read_options(opts, t.flags & TCPF_SYN, &t.opt);
		if (err)
			return err;
	}
	*ret = t;
	return WIRE_OK;
}

/* Bytes of the options but SACK, each group padded to 4. */
static size_t fixed_opts_len(const struct tcp_opts *o)
{
	return (size_t)((o->mss ? 4 : 0) + (o->ts ? 12 : o->sack_ok ? 4 : 0) +
			(o->wscale >= 0 ? 4 : 0));
}

_Static_assert((TCP_OPTS_MAX - 4) / 8 <= TCP_SACK_MAX, "sack_fit() may read past the table");

/* The blocks there is room for: RFC 2018, 3: four, three beside timestamps. */
static size_t sack_fit(const struct tcp_opts *o)
{
	size_t room = (TCP_OPTS_MAX - 4 - fixed_opts_len(o)) / 8;

	return MIN_OF((size_t)o->nsack, room);
}

size_t tcp_hdr_len(const struct tcp *t)
{
	size_t n = sack_fit(&t->opt);

	return TCP_HLEN + fixed_opts_len(&t->opt) + (n ? 4 + 8 * n : 0);
}

static void write_timestamps(struct wr *w, const struct tcp_opts *o)
{
	if (o->sack_ok)
		wr_u32(w, TCPO_SACK_OK << 24 | 2 << 16 | TCPO_TS << 8 | 10);
	else
		wr_u32(w, TS_ALIGNED);
	wr_u32(w, o->tsval);
	wr_u32(w, o->tsecr);
}

static void write_sack(struct wr *w, const struct tcp_opts *o)
{
	size_t n = sack_fit(o);

	if (!n)
		return;
	wr_u16(w, TCPO_NOP << 8 | TCPO_NOP);
	wr_u16(w, (uint16_t)(TCPO_SACK << 8 | (2 + 8 * n)));
	for (size_t i = 0; i < n; i++) {
		wr_u32(w, o->sack[i].left);
		wr_u32(w, o->sack[i].right);
	}
}

static void write_options(struct wr *w, const struct tcp_opts *o)
{
	if (o->mss)
		wr_u32(w, (uint32_t)TCPO_MSS << 24 | 4 << 16 | o->mss);
	if (o->ts)
		write_timestamps(w, o);
	else if (o->sack_ok)
		wr_u32(w, TCPO_NOP << 24 | TCPO_NOP << 16 | TCPO_SACK_OK << 8 | 2);
	if (o->wscale >= 0)
		wr_u32(w, TCPO_NOP << 24 | TCPO_WSCALE << 16 | 3 << 8 | (uint32_t)o->wscale);
	write_sack(w, o);
}

size_t tcp_write(struct wr *w, const struct tcp *t)
{
	size_t len = tcp_hdr_len(t);
	uint8_t *p = wr_space(w, len);
	struct wr h;

	if (!p)
		return 0;
	h = wr_init(p, len);
	wr_u16(&h, t->sport);
	wr_u16(&h, t->dport);
	wr_u32(&h, t->seq);
	wr_u32(&h, t->ack);
	wr_u8(&h, (uint8_t)(len / 4 << 4));
	wr_u8(&h, t->flags);
	wr_u16(&h, t->wnd);
	wr_u16(&h, t->sum);
	wr_u16(&h, t->urg);
	if (len > TCP_HLEN)
		write_options(&h, &t->opt);
	return len;
}

/* RFC 768: a field of 0 says that none was made; RFC 8200, 8.1: not in IPv6. */
static bool udp_without_sum(const void *seg, size_t len)
{
	struct rd r = rd_init(seg, len);
	uint16_t sum = 0;

	rd_skip(&r, UDP_HLEN - 2);
	rd_u16(&r, &sum);
	return sum == 0;
}

bool l4sum_ok(const struct addr *src, const struct addr *dst, uint8_t proto,
	      const void *seg, size_t len)
{
	static const uint8_t min_len[] = {
		[PROTO_TCP] = TCP_HLEN, [PROTO_UDP] = UDP_HLEN, [PROTO_ICMP6] = ICMP_HLEN,
	};
	uint32_t sum;

	if (proto >= ARRAY_LEN(min_len) || !min_len[proto] || len < min_len[proto] ||
	    len > UINT16_MAX)
		return false;
	if (proto == PROTO_UDP && udp_without_sum(seg, len))
		return addr_is4(dst);
	sum = cksum_pseudo(src, dst, proto, (uint32_t)len, 0);
	return cksum_fold(cksum_add(seg, len, sum)) == 0xffff;
}
