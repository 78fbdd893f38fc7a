/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/ip4: the IPv4 half of wire/ip.h (RFC 791, 3.1). Called for every frame:
 * nothing is copied but the header's fields. Options are stepped over, not
 * looked at: the host's sockets, which carry the data on, set their own.
 */
#include "base/cksum.h"
#include "wire/ip.h"

#define FLAG_DF		0x4000
#define FLAG_MF		0x2000
#define OFFSET_MASK	0x1fff

struct fixed {
	uint8_t version_ihl;
	uint16_t total, frag;
};

/* The 20 bytes every header has. */
static inline bool read_fixed(struct rd *r, struct fixed *f, struct ip *ip)
{
	struct rd h;
	uint16_t id;

	if (!rd_sub(r, IP4_HLEN, &h))
		return false;
	rd_u8(&h, &f->version_ihl);
	rd_u8(&h, &ip->tos);
	rd_u16(&h, &f->total);
	rd_u16(&h, &id);
	rd_u16(&h, &f->frag);
	rd_u8(&h, &ip->ttl);
	rd_u8(&h, &ip->proto);
	rd_skip(&h, 2);		/* checksum: tested over the whole */
	ip->src = addr_from4(rd_bytes(&h, 4));
	ip->dst = addr_from4(rd_bytes(&h, 4));
	ip->id = id;
	return true;
}

static inline void set_fragment(struct ip *ip, uint16_t frag)
{
	ip->df = frag & FLAG_DF;
	ip->more = frag & FLAG_MF;
	ip->frag_off = (uint16_t)((frag & OFFSET_MASK) * 8);
	ip->fragment = ip->more || ip->frag_off;
}

/* What RFC 791, 3.2 asks of a fragment: all but the last are whole eights, and
 * no datagram is over 65535 bytes when put together. */
static bool fragment_ok(const struct ip *ip)
{
	return !(ip->more && ip->len % 8) &&
	       (uint32_t)ip->hdr_len + ip->frag_off + ip->len <= UINT16_MAX;
}

enum wire_err ip4_read(struct rd *r, struct ip *ret, struct rd *ret_payload)
{
	struct rd pkt = *r, pay;
	const uint8_t *start = pkt.p;
	struct ip ip = { .version = 4 };
	struct fixed f;

	if (!read_fixed(&pkt, &f, &ip))
		return WIRE_SHORT;
	if (f.version_ihl >> 4 != 4)
		return WIRE_VERSION;
	ip.hdr_len = (uint16_t)((f.version_ihl & 0x0f) * 4);
	if (ip.hdr_len < IP4_HLEN)
		return WIRE_LENGTH;
	if (!rd_skip(&pkt, (size_t)ip.hdr_len - IP4_HLEN))
		return WIRE_SHORT;
	if (cksum_fold(cksum_add(start, ip.hdr_len, 0)) != 0xffff)
		return WIRE_CHECKSUM;
	if (f.total < ip.hdr_len || !rd_sub(&pkt, (size_t)f.total - ip.hdr_len, &pay))
		return WIRE_LENGTH;
	ip.len = (uint16_t)(f.total - ip.hdr_len);
	set_fragment(&ip, f.frag);
	if (UNLIKELY(ip.fragment) && !fragment_ok(&ip))
		return WIRE_LENGTH;
	/* RFC 1122, 3.2.1.3: neither may be a source. 0.0.0.0 may (DHCP). */
	if (addr_is_multicast(&ip.src) || addr_is_broadcast(&ip.src))
		return WIRE_ADDRESS;
	*r = pkt;
	*ret = ip;
	*ret_payload = pay;
	return WIRE_OK;
}

bool ip4_write(struct wr *w, const struct ip *ip)
{
	uint32_t total = (uint32_t)IP4_HLEN + ip->len;
	uint8_t *p = total <= UINT16_MAX ? wr_space(w, IP4_HLEN) : NULL;
	struct wr h, sum;

	if (!p) {
		w->failed = true;
		return false;
	}
	h = wr_init(p, IP4_HLEN);
	wr_u8(&h, 0x45);
	wr_u8(&h, ip->tos);
	wr_u16(&h, (uint16_t)total);
	wr_u16(&h, (uint16_t)ip->id);
	wr_u16(&h, (uint16_t)((ip->df ? FLAG_DF : 0) | (ip->more ? FLAG_MF : 0) |
			      ip->frag_off / 8));
	wr_u8(&h, ip->ttl);
	wr_u8(&h, ip->proto);
	sum = h;
	wr_u16(&h, 0);
	wr_bytes(&h, ip->src.b + 12, 4);
	wr_bytes(&h, ip->dst.b + 12, 4);
	return wr_u16(&sum, cksum_finish(cksum_add(p, IP4_HLEN, 0)));
}
