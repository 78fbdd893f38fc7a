/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cksum.h"
#include "proto/port.h"
#include "wire/eth.h"
#include "wire/ip.h"
#include "wire/numbers.h"
#include "wire/udp.h"
#include "wire/vnet.h"

#define HEADERS_MAX	(VNET_HLEN + ETH_HLEN + IP6_HLEN + TCP_HLEN + TCP_OPTS_MAX)
#define PIECES_MAX	(HOLD_IOV_MAX + CTX_DGRAMS * 2)

/* One frame about to be sent. */
struct emit {
	const struct addr *src, *dst;
	const struct mac *link;	/* NULL: what mac_for() says */
	bool sum_now;		/* leave no checksum undone */
	struct flow_ip ip;
	uint16_t mtu;		/* 0: the container's */
	uint8_t proto;
	uint8_t gso_type;	/* enum vnet_gso; VNET_GSO_NONE: one packet */
	uint16_t gso_size;
	uint8_t l4[TCP_HLEN + TCP_OPTS_MAX];
	size_t l4_len;
	size_t sum_at;		/* of the checksum in l4 */
	const struct iovec *iov;
	int n;
	size_t len;
};

static void put_u16(uint8_t *at, uint16_t v)
{
	struct wr w = wr_init(at, 2);

	wr_u16(&w, v);
}

/* The checksum over pseudo-header, header and payload pieces. Pieces of odd
 * length shift the bytes that follow by one: their sum is swapped (RFC 1071, 2B). */
static uint16_t full_sum(const struct emit *e)
{
	uint32_t sum = cksum_pseudo(e->src, e->dst, e->proto, (uint32_t)(e->l4_len + e->len), 0);
	size_t at = 0;
	uint16_t ret;

	sum = cksum_add(e->l4, e->l4_len, sum);
	for (int i = 0; i < e->n; i++) {
		uint16_t part = cksum_fold(cksum_add(e->iov[i].iov_base, e->iov[i].iov_len, 0));

		if (at & 1)
			part = (uint16_t)((part << 8) | (part >> 8));
		sum += part;
		at += e->iov[i].iov_len;
	}
	ret = cksum_finish(sum);
	return ret || e->proto != PROTO_UDP ? ret : 0xffff;	/* RFC 768: 0 means none */
}

static struct ip ip_of(const struct emit *e)
{
	return (struct ip){
		.version = addr_is4(e->src) ? 4 : 6, .src = *e->src, .dst = *e->dst,
		.proto = e->proto, .ttl = e->ip.ttl, .tos = e->ip.tos, .df = e->ip.df,
		.len = (uint16_t)(e->l4_len + e->len),
	};
}

static bool write_ip(struct wr *w, const struct ip *ip)
{
	return ip->version == 4 ? ip4_write(w, ip) : ip6_write(w, ip);
}

/* Counts and hands one frame to the tap. -EAGAIN: it takes no more for now. What
 * it refuses otherwise (the container has the link down) is lost, as on any
 * link: retransmission is the sender's matter. */
static int tap_send(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	int rc = port_tap_send(c, iov, n, len);

	if (rc == 0) {
		c->count->tap_tx_frames++;
		c->count->tap_tx_bytes += len;
	} else if (rc == -EAGAIN || rc == -ENOBUFS) {
		c->count->tap_tx_again++;
		c->tap_blocked = true;
		rc = -EAGAIN;
	} else {
		c->count->tap_tx_error++;
		rc = 0;
	}
	return rc;
}

/* The container's interface, all, or the group's frames. */
static struct mac mac_for(const struct ctx *c, const struct addr *dst)
{
	return addr_is_multicast(dst) || addr_is_broadcast(dst) ? eth_group_mac(dst) :
	       c->guest_mac;
}

/* A frame longer than its headers say would carry what is not its own. */
static void check_pieces(const struct emit *e)
{
	size_t sum = 0;

	for (int i = 0; i < e->n; i++)
		sum += e->iov[i].iov_len;
	assert(sum == e->len && e->n <= (int)PIECES_MAX);
}

/* The pieces of iov that cover bytes off..off+len. Returns their number. */
static int slice(const struct iovec *iov, int n, size_t off, size_t len, struct iovec *ret)
{
	int m = 0;

	for (int i = 0; i < n && len; i++) {
		size_t have = iov[i].iov_len;

		if (off >= have) {
			off -= have;
			continue;
		}
		have = MIN_OF(have - off, len);
		ret[m++] = (struct iovec){ (uint8_t *)iov[i].iov_base + off, have };
		len -= have;
		off = 0;
	}
	return m;
}

/* One fragment: ip says where it belongs, iov[1..n] is its piece, iov[0] ours. */
static int send_fragment(struct ctx *c, const struct ip *ip, struct iovec *iov, int n)
{
	bool v4 = ip->version == 4;
	uint8_t head[HEADERS_MAX];
	struct wr w = wr_init(head, sizeof(head));
	struct ip outer = *ip;
	int rc;

	if (!v4) {
		outer.proto = PROTO_FRAGMENT;
		outer.len = (uint16_t)(ip->len + IP6_FRAG_HLEN);
	}
	if ((c->tap_vnet && !vnet_write(&w, &(struct vnet){ .gso_type = VNET_GSO_NONE })) ||
	    !eth_write(&w, &(struct eth){ .dst = mac_for(c, &ip->dst), .src = c->net->gw_mac,
					  .type = v4 ? ETYPE_IP4 : ETYPE_IP6 }) ||
	    !write_ip(&w, &outer) || (!v4 && !ip6_frag_write(&w, ip)))
		return -EMSGSIZE;
	iov[0] = (struct iovec){ head, sizeof(head) - w.left };
	rc = tap_send(c, iov, n + 1, iov[0].iov_len + ip->len);
	c->count->frag_tx += rc == 0;
	return rc;
}

/* What a packet may have to be whole. */
static size_t whole_max(const struct ctx *c, uint16_t mtu)
{
	return mtu ? MIN_OF((size_t)mtu, (size_t)c->net->mtu) : c->net->mtu;
}

/* A packet larger than the container's MTU: it came larger (the host put it together,
 * or its own link's MTU is larger), and had no DF then; or than a link's inside, of which the
 * remote cannot be told. RFC 791, 3.2; RFC 8200, 4.5;
 * identification by RFC 6864, 4.2. When the tap pushes back, the rest is lost,
 * as on any link. */
static int send_fragments(struct ctx *c, const struct ip *whole, uint16_t mtu,
			  const struct iovec *iov, int n)
{
	size_t hlen = ip_hlen(whole) + (whole->version == 6 ? IP6_FRAG_HLEN : 0);
	size_t room = (whole_max(c, mtu) - hlen) & ~(size_t)7, done = 0;
	struct iovec part[PIECES_MAX + 2];
	struct ip ip = *whole;
	int rc;

	ip.df = false;
	ip.id = c->ip_id++;
	do {
		ip.frag_off = (uint16_t)done;
		ip.len = (uint16_t)MIN_OF(whole->len - done, room);
		ip.more = done + ip.len < whole->len;
		rc = send_fragment(c, &ip, part, slice(iov, n, done, ip.len, part + 1));
		done += ip.len;
	} while (rc == 0 && ip.more);
	return rc;
}

static bool too_large(const struct ctx *c, const struct ip *ip, uint16_t mtu)
{
	return ip_hlen(ip) + ip->len > whole_max(c, mtu);
}

static int emit_fragments(struct ctx *c, struct emit *e, const struct ip *ip)
{
	struct iovec iov[PIECES_MAX + 1];

	put_u16(e->l4 + e->sum_at, 0);
	put_u16(e->l4 + e->sum_at, full_sum(e));
	iov[0] = (struct iovec){ e->l4, e->l4_len };
	if (e->n)
		memcpy(iov + 1, e->iov, (size_t)e->n * sizeof(*iov));
	return send_fragments(c, ip, e->mtu, iov, e->n + 1);
}

static int emit_frame(struct ctx *c, struct emit *e)
{
	const struct ip ip = ip_of(e);
	bool v4 = ip.version == 4;
	uint16_t ip_len = v4 ? IP4_HLEN : IP6_HLEN;
	struct vnet vnet = { .gso_type = VNET_GSO_NONE };
	uint8_t head[HEADERS_MAX];
	struct wr w = wr_init(head, sizeof(head));
	struct iovec iov[PIECES_MAX + 1];

	check_pieces(e);
	if (e->proto != PROTO_TCP && e->gso_type == VNET_GSO_NONE && too_large(c, &ip, e->mtu))
		return emit_fragments(c, e, &ip);
	if (c->tap_csum && !e->sum_now) {
		vnet.flags = VNET_F_NEEDS_CSUM;
		vnet.csum_start = (uint16_t)(ETH_HLEN + ip_len);
		vnet.csum_offset = (uint16_t)e->sum_at;
		put_u16(e->l4 + e->sum_at,
			cksum_fold(cksum_pseudo(e->src, e->dst, e->proto,
						(uint32_t)(e->l4_len + e->len), 0)));
	} else {
		put_u16(e->l4 + e->sum_at, 0);
		put_u16(e->l4 + e->sum_at, full_sum(e));
	}
	if (e->gso_type != VNET_GSO_NONE) {
		vnet.gso_type = e->gso_type;
		vnet.gso_size = e->gso_size;
		vnet.hdr_len = (uint16_t)(ETH_HLEN + ip_len + e->l4_len);
	}
	if ((c->tap_vnet && !vnet_write(&w, &vnet)) ||
	    !eth_write(&w, &(struct eth){ .dst = e->link ? *e->link : mac_for(c, e->dst),
					  .src = c->net->gw_mac,
					  .type = v4 ? ETYPE_IP4 : ETYPE_IP6 }) ||
	    !write_ip(&w, &ip) || !wr_bytes(&w, e->l4, e->l4_len))
		return -EMSGSIZE;
	iov[0] = (struct iovec){ .iov_base = head, .iov_len = sizeof(head) - w.left };
	if (e->n)
		memcpy(iov + 1, e->iov, (size_t)e->n * sizeof(*iov));
	return tap_send(c, iov, e->n + 1, iov[0].iov_len + e->len);
}

static int emit_tcp(struct ctx *c, const struct flow_key *key, const struct tcp *t,
		    const struct iovec *iov, int n, size_t len, uint16_t gso_size)
{
	struct emit e = {
		.src = &key->remote, .dst = &key->inner, .proto = PROTO_TCP,
		.ip = { .ttl = IP_DEFAULT_TTL, .df = true },
		.sum_at = 16, .iov = iov, .n = n, .len = len,
	};
	struct wr w = wr_init(e.l4, sizeof(e.l4));

	e.l4_len = tcp_write(&w, t);
	if (!e.l4_len)
		return -EMSGSIZE;
	if (gso_size) {
		e.gso_type = addr_is4(&key->inner) ? VNET_GSO_TCP4 : VNET_GSO_TCP6;
		e.gso_size = gso_size;
	}
	return emit_frame(c, &e);
}

int frame_tcp(struct ctx *c, const struct flow_key *key, const struct tcp *t,
	      const struct iovec *iov, int n, size_t len, uint16_t mss, size_t *sent)
{
	struct iovec part[PIECES_MAX];
	struct tcp seg = *t;
	size_t done = 0;
	int rc;

	if (len <= mss || c->tap_tso) {
		rc = emit_tcp(c, key, t, iov, n, len, len > mss ? mss : 0);
		if (sent)
			*sent = rc ? 0 : len;
		return rc;
	}
	do {
		size_t now = MIN_OF(len - done, mss);
		bool last = done + now == len;

		seg.seq = t->seq + (uint32_t)done;
		seg.flags = last ? t->flags : t->flags & (uint8_t)~(TCPF_FIN | TCPF_PSH);
		rc = emit_tcp(c, key, &seg, part, slice(iov, n, done, now, part), now, 0);
		if (rc == 0)
			done += now;
	} while (rc == 0 && done < len);
	if (sent)
		*sent = done;
	return done ? 0 : rc;
}

static void write_udp(struct emit *e, const struct flow_key *key)
{
	struct wr w = wr_init(e->l4, sizeof(e->l4));

	udp_write(&w, &(struct udp){ .sport = key->remote_port, .dport = key->inner_port,
				     .len = (uint16_t)(e->l4_len + e->len) });
}

static int emit_udp(struct ctx *c, const struct flow_key *key, const struct flow_ip *ip,
		    uint16_t mtu, const struct iovec *iov, int n, size_t len, uint16_t gso_size)
{
	struct emit e = {
		.src = &key->remote, .dst = &key->inner, .proto = PROTO_UDP,
		.ip = *ip, .mtu = mtu, .sum_at = 6, .iov = iov, .n = n, .len = len,
		.l4_len = UDP_HLEN,
	};

	write_udp(&e, key);
	if (gso_size) {
		e.gso_type = VNET_GSO_UDP_L4;
		e.gso_size = gso_size;
	}
	return emit_frame(c, &e);
}

int frame_udp(struct ctx *c, const struct flow_key *key, const struct flow_ip *ip,
	      uint16_t mtu, const struct iovec *iov, int n, size_t len, uint16_t gso_size)
{
	size_t hlen = (addr_is4(&key->inner) ? IP4_HLEN : IP6_HLEN) + UDP_HLEN;
	struct iovec part[PIECES_MAX];
	size_t done = 0;
	int rc = 0;

	if (!gso_size || len <= gso_size)
		return emit_udp(c, key, ip, mtu, iov, n, len, 0);
	if (c->tap_uso && hlen + gso_size <= whole_max(c, mtu))
		return emit_udp(c, key, ip, mtu, iov, n, len, gso_size);
	for (; rc == 0 && done < len; done += gso_size) {
		size_t now = MIN_OF(len - done, gso_size);

		rc = emit_udp(c, key, ip, mtu, part, slice(iov, n, done, now, part), now, 0);
	}
	return rc;
}

int frame_udp_to(struct ctx *c, const struct mac *link, const struct flow_key *key,
		 const void *data, size_t len)
{
	const struct iovec iov = { (void *)(uintptr_t)data, len };
	struct emit e = {
		.src = &key->remote, .dst = &key->inner, .link = link, .sum_now = true,
		.proto = PROTO_UDP, .ip = { .ttl = IP_DEFAULT_TTL, .df = true }, .sum_at = 6,
		.iov = &iov, .n = 1, .len = len, .l4_len = UDP_HLEN,
	};

	write_udp(&e, key);
	return emit_frame(c, &e);
}

int frame_icmp(struct ctx *c, const struct addr *src, const struct addr *dst,
	       const struct flow_ip *hdr, uint16_t mtu, const void *msg, size_t len)
{
	bool v4 = addr_is4(src);
	const struct ip ip = {
		.version = v4 ? 4 : 6, .src = *src, .dst = *dst, .ttl = hdr->ttl,
		.tos = hdr->tos, .df = hdr->df, .proto = v4 ? PROTO_ICMP : PROTO_ICMP6,
		.len = (uint16_t)len,
	};
	uint8_t head[HEADERS_MAX];
	struct wr w = wr_init(head, sizeof(head));
	struct iovec iov[2];

	iov[1] = (struct iovec){ (void *)(uintptr_t)msg, len };
	if (len > (size_t)UINT16_MAX - (v4 ? IP4_HLEN : 0))
		return -EMSGSIZE;
	if (too_large(c, &ip, mtu))
		return send_fragments(c, &ip, mtu, iov + 1, 1);
	if ((c->tap_vnet && !vnet_write(&w, &(struct vnet){ .gso_type = VNET_GSO_NONE })) ||
	    !eth_write(&w, &(struct eth){ .dst = mac_for(c, dst), .src = c->net->gw_mac,
					  .type = v4 ? ETYPE_IP4 : ETYPE_IP6 }) ||
	    !write_ip(&w, &ip))
		return -EMSGSIZE;
	iov[0] = (struct iovec){ head, sizeof(head) - w.left };
	return tap_send(c, iov, 2, iov[0].iov_len + len);
}

int frame_raw(struct ctx *c, const struct mac *dst, uint16_t ethertype, const void *body,
	      size_t len)
{
	uint8_t head[VNET_HLEN + ETH_HLEN];
	struct wr w = wr_init(head, sizeof(head));
	struct iovec iov[2];

	if (c->tap_vnet)
		vnet_write(&w, &(struct vnet){ .gso_type = VNET_GSO_NONE });
	eth_write(&w, &(struct eth){ .dst = *dst, .src = c->net->gw_mac, .type = ethertype });
	iov[0] = (struct iovec){ head, sizeof(head) - w.left };
	iov[1] = (struct iovec){ (void *)(uintptr_t)body, len };
	return tap_send(c, iov, 2, iov[0].iov_len + len);
}
