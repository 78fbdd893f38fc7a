/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fakeworld: the ctx that tests of proto/ are given, frames into and out of it, and
 * the invariants of its flows. fakeport.h has the contracts. */
#include "fakeport.h"

#include <stdlib.h>
#include <string.h>

#include "base/cksum.h"
#include "proto/ingress.h"
#include "proto/proto.h"
#include "proto/relay.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "wire/eth.h"
#include "wire/numbers.h"

/* --- the world --- */

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	FAKE_HOLDS(prefix_parse(text, &p) == 0);
	return p;
}

static void fill_conf(struct fake_world *w, const struct fake_setup *s)
{
	conf_init(&w->conf);
	w->conf.ipv4 = w->conf.ipv6 = true;
	w->conf.nhost_addresses = 1;
	w->conf.host_addresses[0] = prefix_of("169.254.1.2").addr;
	w->conf.without = s->no_peek ? CONF_WITHOUT_PEEK : 0;
	w->net = (struct netcfg){
		.outer_ifindex4 = 2, .outer_ifindex6 = 2, .mtu = s->mtu ? s->mtu : 1500,
		.mac = { { 0x52, 0x54, 0, 1, 2, 3 } },
		.gw_mac = { { 0x9a, 0x55, 0x9a, 0x55, 0x9a, 0x55 } },
		.naddresses = 2,
		.addresses = { prefix_of("203.0.113.2/24"), prefix_of("2001:db8:1::2/64") },
		.gateway4 = prefix_of("203.0.113.1").addr,
		.gateway6 = prefix_of("2001:db8:1::1").addr,
		.host4 = prefix_of("203.0.113.2").addr, .host6 = prefix_of("2001:db8:1::2").addr,
	};
}

struct fake_world *fake_start(const struct fake_setup *s)
{
	struct fake_world *w = fake_need(calloc(1, sizeof(*w)));
	const struct sipkey key = { { 3, 4 } };

	fill_conf(w, s);
	w->io.tap_room = UINT64_MAX;
	w->io.out_room = SIZE_MAX;
	w->io.max_open = FAKE_SOCKS;
	w->io.max_pipes = FAKE_PIPES;
	w->c = (struct ctx){
		.conf = &w->conf, .net = &w->net, .count = &w->count, .io = &w->io,
		.now = 1000000, .now_us = 1000000000, .tap_vnet = !s->no_vnet,
		.tap_csum = !s->no_vnet && !s->no_offload,
		.tap_tso = !s->no_vnet && !s->no_offload,
		.tap_uso = !s->no_vnet && !s->no_offload && !s->no_uso,
		.peek = !s->no_peek, .guest_mac = w->net.mac, .isn_key = { { 5, 6 } },
		.finish_head = FLOW_NONE, .splice_head = FLOW_NONE, .relay_head = FLOW_NONE,
		.splice_tail = FLOW_NONE, .hot = w->hot, .dgrams = w->dgrams,
		.frags = &w->frags,
	};
	w->forwards[FAKE_TCP] = (struct forward){
		.port = FAKE_PORT, .to_port = FAKE_TO_PORT, .proto = CONF_TCP,
	};
	w->forwards[FAKE_UDP] = (struct forward){
		.port = FAKE_PORT, .to_port = FAKE_TO_PORT, .proto = CONF_UDP,
	};
	w->forwards[FAKE_SHUT] = (struct forward){ .proto = CONF_TCP, .sock = -1 };
	forward_init(&w->c.forwards, w->forwards, FAKE_FORWARDS);
	flow_init(&w->c.flows, w->flows, w->buckets, &key, s->flows ? s->flows : FAKE_FLOWS);
	wheel_init(&w->c.wheel, &w->flows[0].timer, sizeof(w->flows[0]), w->c.now);
	hold_pool_init(&w->c.pool, w->mem, w->next, s->chunks ? s->chunks : FAKE_CHUNKS);
	ranges_pool_init(&w->c.ranges, w->ranges, s->ranges ? s->ranges : FAKE_RANGES);
	return w;
}

void fake_stop(struct fake_world *w)
{
	proto_close(&w->c);
	FAKE_HOLDS(w->c.flows.count == 0 && w->c.flows.nready == 0);
	FAKE_HOLDS(w->c.flows.lru_head == FLOW_NONE && w->c.finish_head == FLOW_NONE);
	FAKE_HOLDS(w->c.pool.reserved == 0 && w->c.pool.bytes == 0);
	FAKE_HOLDS(w->c.pool.nfree == w->c.pool.nchunks);
	FAKE_HOLDS(w->c.ranges.used == 0);
	FAKE_HOLDS(wheel_next(&w->c.wheel) == UINT64_MAX);
	FAKE_HOLDS(w->count.flows_opened == w->count.flows_closed);
	FAKE_HOLDS(w->io.nopen == 0 && w->c.half_open == 0);
	FAKE_HOLDS(w->c.splice_head == FLOW_NONE && w->c.splice_tail == FLOW_NONE);
	FAKE_HOLDS(w->c.relay_head == FLOW_NONE);
	for (uint32_t i = 0; i < FAKE_PIPES; i++)
		FAKE_HOLDS(!w->io.pipes[i].used);
	FAKE_HOLDS(w->forwards[FAKE_UDP].flows == 0);
	fake_frames_drop(w);
	for (uint32_t i = 0; i < FAKE_SOCKS; i++)
		fake_sock_clear(&w->io.socks[i]);
	fake_sock_clear(&w->io.listener);
	free(w);
}

/* --- the container's frames --- */

static size_t sum_offset(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return 16;
	case PROTO_UDP:
		return 6;
	default:
		return 2;
	}
}

static uint16_t l4_sum(const struct fake_packet *p, const uint8_t *l4)
{
	uint32_t sum = p->proto == PROTO_ICMP || p->proto == PROTO_IGMP ? 0 :
		       cksum_pseudo(&p->src, &p->dst, p->proto, (uint32_t)p->len, 0);
	uint16_t ret;

	if (p->sum_later)
		return cksum_fold(sum);
	ret = cksum_finish(cksum_add(l4, p->len, sum));
	return ret || p->proto != PROTO_UDP ? ret : 0xffff;
}

bool fake_ingress(struct fake_world *w, const struct fake_packet *p)
{
	const struct ip ip = {
		.version = addr_is4(&p->src) ? 4 : 6, .src = p->src, .dst = p->dst,
		.proto = p->proto, .ttl = p->ttl ? p->ttl : 64, .tos = p->tos,
		.df = !p->no_df, .len = (uint16_t)p->len,
	};
	struct eth eth = { .dst = w->net.gw_mac, .src = w->net.mac };
	size_t at = sum_offset(p->proto), most = VNET_HLEN + ETH_HLEN + IP6_HLEN + p->len;
	uint8_t *buf = fake_need(malloc(most)), *l4;
	struct wr out = wr_init(buf, most), field;
	bool kept;

	if (w->c.tap_vnet) {
		struct vnet v = p->vnet;

		if (p->sum_later) {
			v.flags |= VNET_F_NEEDS_CSUM;
			v.csum_start = (uint16_t)(ETH_HLEN + ip_hlen(&ip));
			v.csum_offset = (uint16_t)at;
		}
		FAKE_HOLDS(vnet_write(&out, &v));
	}
	eth.type = ip.version == 4 ? ETYPE_IP4 : ETYPE_IP6;
	FAKE_HOLDS(eth_write(&out, &eth));
	FAKE_HOLDS(ip.version == 4 ? ip4_write(&out, &ip) : ip6_write(&out, &ip));
	l4 = out.p;
	FAKE_HOLDS(wr_bytes(&out, p->l4, p->len));
	if (p->len >= at + 2) {
		field = wr_init(l4 + at, 2);
		wr_u16(&field, l4_sum(p, l4));
	}
	kept = fake_ingress_raw(w, buf, most - out.left);
	free(buf);
	return kept;
}

static void drop_kept(struct fake_world *w)
{
	for (uint32_t i = 0; i < w->nkept; i++)
		free(w->kept[i]);
	w->nkept = 0;
}

/* In a block of exactly its size, so that a sanitizer sees the first byte read
 * past it, or read after its time. */
bool fake_ingress_raw(struct fake_world *w, const void *frame, size_t len)
{
	uint8_t *exact = fake_need(malloc(len ? len : 1));

	if (len)
		memcpy(exact, frame, len);
	if (w->nkept == FAKE_KEPT) {
		udp_flush(&w->c);
		tcp_in_flush(&w->c);
		drop_kept(w);
	}
	if (!ingress_frame(&w->c, exact, len)) {
		free(exact);
		if (!ingress_keeps(&w->c))	/* as tap.c reads over them */
			drop_kept(w);
		return false;
	}
	w->kept[w->nkept++] = exact;
	return true;
}

bool fake_ingress_tcp(struct fake_world *w, const struct addr *src, const struct addr *dst,
		      const struct tcp *t, const void *data, size_t len)
{
	uint8_t *seg = fake_need(malloc(TCP_HLEN + TCP_OPTS_MAX + len));
	struct wr out = wr_init(seg, TCP_HLEN + TCP_OPTS_MAX + len);
	struct fake_packet p = { .src = *src, .dst = *dst, .proto = PROTO_TCP, .l4 = seg,
				 .tos = w->tcp_tos };
	bool kept;

	FAKE_HOLDS(tcp_write(&out, t));
	FAKE_HOLDS(wr_bytes(&out, data, len));
	p.len = TCP_HLEN + TCP_OPTS_MAX + len - out.left;
	if (w->c.tap_tso && len > 1448) {	/* as a container's kernel sends them */
		p.sum_later = true;
		p.vnet = (struct vnet){
			.gso_type = addr_is4(src) ? VNET_GSO_TCP4 : VNET_GSO_TCP6, .gso_size = 1448,
			.hdr_len = (uint16_t)(ETH_HLEN + (addr_is4(src) ? IP4_HLEN : IP6_HLEN) +
					      p.len - len),
		};
	}
	kept = fake_ingress(w, &p);
	free(seg);
	return kept;
}

bool fake_ingress_udp(struct fake_world *w, const struct addr *src, const struct addr *dst,
		      uint16_t sport, uint16_t dport, const void *data, size_t len,
		      uint16_t gso_size)
{
	uint8_t *dgram = fake_need(malloc(UDP_HLEN + len));
	struct wr out = wr_init(dgram, UDP_HLEN + len);
	struct fake_packet p = {
		.src = *src, .dst = *dst, .proto = PROTO_UDP, .l4 = dgram, .len = UDP_HLEN + len,
	};
	bool kept;

	FAKE_HOLDS(udp_write(&out, &(struct udp){ .sport = sport, .dport = dport,
						  .len = (uint16_t)(UDP_HLEN + len) }));
	FAKE_HOLDS(wr_bytes(&out, data, len));
	if (gso_size) {
		p.sum_later = true;
		p.vnet = (struct vnet){ .gso_type = VNET_GSO_UDP_L4, .gso_size = gso_size };
	}
	kept = fake_ingress(w, &p);
	free(dgram);
	return kept;
}

void fake_turn(struct fake_world *w)
{
	proto_turn(&w->c);
	proto_finish(&w->c);
	drop_kept(w);
}

/* --- frames towards the container --- */

/* The checksum is right, or what virtio-net says is still to be done is. */
static void check_sum(struct fake_world *w, const struct fake_seen *s, const uint8_t *l4,
		      size_t len)
{
	uint16_t start = (uint16_t)(ETH_HLEN + s->ip.hdr_len);
	struct rd r;
	uint16_t field;

	if (s->ip.proto == PROTO_ICMP) {
		FAKE_HOLDS(icmp4_sum_ok(l4, len));
		return;
	}
	if (!(s->vnet.flags & VNET_F_NEEDS_CSUM)) {
		FAKE_HOLDS(l4sum_ok(&s->ip.src, &s->ip.dst, s->ip.proto, l4, len));
		return;
	}
	FAKE_HOLDS(w->c.tap_csum);
	FAKE_HOLDS(s->vnet.csum_start == start && s->vnet.csum_offset == sum_offset(s->ip.proto));
	r = rd_init(l4 + sum_offset(s->ip.proto), 2);
	FAKE_HOLDS(rd_u16(&r, &field));
	FAKE_HOLDS(field == cksum_fold(cksum_pseudo(&s->ip.src, &s->ip.dst, s->ip.proto,
						    (uint32_t)len, 0)));
}

/* What the kernel asks of a super-frame; and of one that is none, that it fits the MTU. */
static void check_gso(struct fake_world *w, const struct fake_seen *s, size_t l4_hlen)
{
	bool v4 = s->ip.version == 4;

	if (s->vnet.gso_type == VNET_GSO_NONE) {
		FAKE_HOLDS(s->ip.fragment || s->ip.hdr_len + l4_hlen + s->len <= w->net.mtu);
		return;
	}
	FAKE_HOLDS(s->vnet.flags & VNET_F_NEEDS_CSUM);
	FAKE_HOLDS(s->vnet.hdr_len == ETH_HLEN + s->ip.hdr_len + l4_hlen);
	FAKE_HOLDS(s->vnet.gso_size && s->len > s->vnet.gso_size);
	if (s->ip.proto == PROTO_TCP) {
		FAKE_HOLDS(w->c.tap_tso);
		FAKE_HOLDS(s->vnet.gso_type == (v4 ? VNET_GSO_TCP4 : VNET_GSO_TCP6));
		FAKE_HOLDS(s->ip.hdr_len + l4_hlen + s->vnet.gso_size <= w->net.mtu);
	} else {
		FAKE_HOLDS(s->ip.proto == PROTO_UDP && w->c.tap_uso);
		FAKE_HOLDS(s->ip.hdr_len + l4_hlen + s->vnet.gso_size <= w->net.mtu);
		FAKE_HOLDS(s->vnet.gso_type == VNET_GSO_UDP_L4);
	}
}

static void read_l4(struct fake_world *w, struct fake_seen *s, struct rd *r)
{
	const uint8_t *l4 = r->p;
	size_t len = r->left;

	switch (s->ip.proto) {
	case PROTO_TCP:
		FAKE_HOLDS(tcp_read(r, &s->tcp) == WIRE_OK);
		break;
	case PROTO_UDP:
		FAKE_HOLDS(udp_read(r, s->vnet.gso_type != VNET_GSO_NONE, &s->udp) == WIRE_OK);
		FAKE_HOLDS(s->udp.len == len);
		break;
	case PROTO_ICMP:
	case PROTO_ICMP6:
		FAKE_HOLDS((s->ip.proto == PROTO_ICMP) == (s->ip.version == 4));
		FAKE_HOLDS(icmp_read(r, s->ip.version == 6, &s->icmp) == WIRE_OK);
		break;
	case PROTO_IGMP:
		FAKE_HOLDS(icmp4_sum_ok(r->p, r->left));	/* the same sum */
		return;
	default:
		FAKE_HOLDS(!"a protocol we never send");
	}
	s->data = r->p;
	s->len = r->left;
	s->gso_size = s->vnet.gso_size;
	check_sum(w, s, l4, len);
	check_gso(w, s, len - r->left);
}

/* A fragment of ours: they come in order and fill the MTU, or that of a router inside. Only what begins at 0 can
 * become whole: the tap may have pushed the rest of another back. True when it
 * is, with *r over all of it. */
static bool put_together(struct fake_world *w, struct fake_seen *s, struct rd *r)
{
	struct ip *ip = &s->ip;

	FAKE_HOLDS(s->vnet.gso_type == VNET_GSO_NONE && !s->vnet.flags && !ip->df);
	FAKE_HOLDS(ip->hdr_len + r->left <= w->net.mtu);
	FAKE_HOLDS(!ip->more || w->count.icmp_errors_heeded ||
		   ip->hdr_len + r->left + 8 > w->net.mtu);
	if (!ip->frag_off)
		w->joined_len = 0;
	else if (ip->frag_off != w->joined_len || ip->id != w->joined_id)
		FAKE_HOLDS(w->count.tap_tx_again || w->count.tap_tx_error || w->io.tap_lost);
	memcpy(w->joined + ip->frag_off, r->p, r->left);
	w->joined_len = (uint32_t)(ip->frag_off + r->left);
	w->joined_id = ip->id;
	if (ip->more)
		return false;
	*r = rd_init(w->joined, w->joined_len);
	ip->len = (uint16_t)w->joined_len;
	return true;
}

static bool next_frame(struct fake_world *w, struct fake_seen *ret, bool *partial)
{
	struct fake_frame *f = &w->io.frames[w->io.head % FAKE_FRAMES];
	struct eth eth;
	struct rd r;

	*partial = false;
	if (!w->io.nframes)
		return false;
	*ret = (struct fake_seen){ .vnet = { .gso_type = VNET_GSO_NONE } };
	free(w->seen);
	w->seen = f->bytes;
	r = rd_init(f->bytes, f->len);
	w->io.head = (w->io.head + 1) % FAKE_FRAMES;
	w->io.nframes--;
	if (w->c.tap_vnet)
		FAKE_HOLDS(vnet_read(&r, &ret->vnet) == WIRE_OK);
	FAKE_HOLDS(eth_read(&r, &eth) == WIRE_OK);
	ret->dst = eth.dst;
	ret->src = eth.src;
	ret->etype = eth.type;
	FAKE_HOLDS(mac_eq(&eth.src, &w->net.gw_mac));
	switch (eth.type) {
	case ETYPE_IP4:
		FAKE_HOLDS(ip4_read(&r, &ret->ip, &r) == WIRE_OK);
		break;
	case ETYPE_IP6:
		FAKE_HOLDS(ip6_read(&r, &ret->ip, &r) == WIRE_OK);
		break;
	default:
		FAKE_HOLDS(eth.type == ETYPE_ARP && arp_read(&r, &ret->arp) == WIRE_OK);
		return true;
	}
	FAKE_HOLDS(r.p + r.left == f->bytes + f->len);	/* nothing behind the packet */
	*partial = ret->ip.fragment && !put_together(w, ret, &r);
	if (!*partial)
		read_l4(w, ret, &r);
	return true;
}

bool fake_frame(struct fake_world *w, struct fake_seen *ret)
{
	bool partial;

	while (next_frame(w, ret, &partial))
		if (!partial)
			return true;
	return false;
}

void fake_frames_drop(struct fake_world *w)
{
	for (; w->io.nframes; w->io.nframes--) {
		free(w->io.frames[w->io.head].bytes);
		w->io.head = (w->io.head + 1) % FAKE_FRAMES;
	}
	free(w->seen);
	w->seen = NULL;
}

/* --- invariants --- */

static uint32_t queue_chunks(const struct fake_world *w, const struct hold *h)
{
	uint32_t n = 0;

	for (uint32_t c = h->head; c != HOLD_NONE; c = w->next[c])
		FAKE_HOLDS(c < w->c.pool.nchunks && ++n <= w->c.pool.nchunks);
	FAKE_HOLDS(n == h->chunks && h->len <= h->end);
	FAKE_HOLDS(n == (h->end ? (h->offset + h->end + HOLD_CHUNK - 1) / HOLD_CHUNK : 0));
	return n;
}

/* Pieces in order, apart from each other, the first behind `from`; none ends
 * behind `end`. Where the last one does. */
static uint32_t check_pieces(const struct ranges *s, uint32_t from, uint32_t end)
{
	FAKE_HOLDS(s->n && s->n <= RANGES_MAX && s->recent < s->n);
	for (unsigned int i = 0; i < s->n; i++) {
		FAKE_HOLDS(seq_lt(from, s->r[i].left) && seq_lt(s->r[i].left, s->r[i].right));
		from = s->r[i].right;
	}
	FAKE_HOLDS(seq_le(from, end));
	return from;
}

/* What the two scoreboards say fits the sequence numbers and the hold. */
static void check_ranges(struct fake_world *w, const struct tcp_flow *t, uint32_t *sets)
{
	uint32_t data_end = t->snd_nxt - !!(t->marks & TCPM_FIN_SENT), ahead = 0;

	FAKE_HOLDS(t->ooo <= w->c.ranges.nsets && t->sacked <= w->c.ranges.nsets);
	*sets += !!t->ooo + !!t->sacked;
	if (t->ooo)
		ahead = check_pieces(&w->ranges[t->ooo], t->rcv_nxt, t->rcv_adv) - t->rcv_nxt;
	FAKE_HOLDS(t->hold.end == t->hold.len + ahead);
	FAKE_HOLDS(t->ring.end == t->ring.len);
	if (t->sacked)
		check_pieces(&w->ranges[t->sacked], t->snd_una, data_end);
}

static uint32_t placed_bytes(const struct fake_world *w, const struct flow *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->c.nplaced; i++)
		if (flow_at(&w->c.flows, w->c.placed[i].flow) == f)
			n += (uint32_t)w->c.placed[i].data.iov_len;
	return n;
}

/* flow.h, struct tcp_flow; RFC 9293, 3.3.1. */
static void check_tcp(struct fake_world *w, const struct flow *f, uint32_t *reserved,
		      uint32_t *chunks, uint32_t *sets)
{
	const struct tcp_flow *t = &f->tcp;
	uint32_t granule = (1u << t->rcv_wscale) - 1, held = queue_chunks(w, &t->hold);
	uint32_t ring = queue_chunks(w, &t->ring), placed = placed_bytes(w, f);
	const struct fake_sock *s = f->sock < 0 ? NULL : &w->io.socks[f->sock];

	uint32_t own = 0, back = 0;	/* of a flow that the DNS forwarder answers in: out, in */

	*chunks += held + ring;
	*reserved += t->in_cap ? tcp_in_chunks(t->in_cap) : 0;
	*reserved += t->ring_cap ? hold_chunks(t->ring_cap) : 0;
	check_ranges(w, t, sets);
	if (f->state == FLOW_LINGER) {
		FAKE_HOLDS(t->state == TCPS_TIME_WAIT && !s && !held && !ring && !t->ooo &&
			   !t->sacked && t->deadline);
		return;
	}
	FAKE_HOLDS(f->state == FLOW_OPEN && s && s->open);
	if (t->marks & TCPM_DNS)
		own = t->rcv_nxt - t->irs - 1 - !!(t->marks & TCPM_IN_FIN) - t->hold.len - (uint32_t)s->out.len;
	if (t->marks & TCPM_NO_PEEK)
		back = t->snd_base + t->ring.len - t->iss - 1 - (uint32_t)s->in_read;
	if (t->marks & TCPM_FAILED)	/* nothing is counted any more */
		own = 0;
	FAKE_HOLDS(own <= INT32_MAX);
	FAKE_HOLDS(seq_le(t->rcv_nxt, t->rcv_adv));
	FAKE_HOLDS(seq_le(t->snd_base, t->snd_una) && seq_le(t->snd_una, t->snd_nxt));
	FAKE_HOLDS(t->hold.len + placed + (t->rcv_adv - t->rcv_nxt) <= t->in_cap + granule);
	FAKE_HOLDS(held <= tcp_in_chunks(t->in_cap));
	FAKE_HOLDS(ring <= (t->ring_cap ? hold_chunks(t->ring_cap) : 0));
	FAKE_HOLDS(t->ring.len <= t->ring_cap);
	/* all that is acknowledged was taken, is held or lies in its frame; but for the forwarder's own questions,
	 * each shorter than its answer */
	FAKE_HOLDS((t->marks & TCPM_FAILED) || t->state == TCPS_SYN_SENT ||
		   t->rcv_nxt - t->irs - 1 - !!(t->marks & TCPM_IN_FIN) - t->hold.len - placed - own ==
		   (uint32_t)s->out.len);
	FAKE_HOLDS(!(t->marks & TCPM_IN_SHUT) || (s->shut && !t->hold.len));
	if (t->marks & TCPM_NO_PEEK)
		FAKE_HOLDS(t->state != TCPS_OPEN || (t->marks & TCPM_DNS ?
			   back >= own && back <= INT32_MAX : !back));
	else
		FAKE_HOLDS(t->state != TCPS_OPEN ||
			   ((uint32_t)s->in_read == t->snd_base - t->iss - 1 &&
			    t->peek_at == s->peek_off));
	/* what waits for the container is asked for again some day */
	FAKE_HOLDS(t->snd_una == t->snd_nxt || t->deadline);
	FAKE_HOLDS(!(t->marks & TCPM_BLOCKED) || t->deadline || (f->ready & FLOW_QUEUED));
	FAKE_HOLDS(!t->deadline || (f->timer.slot && f->timer.due <= t->deadline));
	FAKE_HOLDS(!t->ack_due || (f->timer.slot && f->timer.due <= t->ack_due));
	/* over is over */
	FAKE_HOLDS((t->marks & (TCPM_IN_SHUT | TCPM_FIN_ACKED)) != (TCPM_IN_SHUT | TCPM_FIN_ACKED));
}

void fake_check(struct fake_world *w)
{
	uint32_t reserved = 0, chunks = 0, sets = 0, open = 0, count = 0, half_open = 0;

	for (uint32_t i = 0; i < w->c.flows.fresh; i++) {
		const struct flow *f = &w->flows[i];

		if (f->state == FLOW_FREE)
			continue;
		count++;
		open += f->sock >= 0;
		if (f->key.proto == FLOW_SPLICE) {
			open += f->splice.inner >= 0;
			fake_check_splice(w, f);
			continue;
		}
		FAKE_HOLDS(flow_find(&w->c.flows, &f->key) == f);
		if (f->key.proto == FLOW_TCP)
			check_tcp(w, f, &reserved, &chunks, &sets);
		else if (f->key.proto == FLOW_DNS)
			FAKE_HOLDS(f->sock >= 0 && f->timer.slot && f->dns.query.len);
		else if (f->key.proto == FLOW_RELAY)
			FAKE_HOLDS((f->sock >= 0) != f->dg.waiting && f->timer.slot);
		else
			FAKE_HOLDS((f->sock >= 0) == (f->dg.via == FORWARD_NONE) && f->timer.slot);
		reserved += f->key.proto == FLOW_DNS && f->dns.query.len;
		if (f->key.proto == FLOW_RELAY) {
			reserved += f->dg.reserved ? hold_chunks(RELAY_HELD) : 0;
			chunks += f->dg.held.chunks;
		}
		chunks += f->key.proto == FLOW_DNS ? f->dns.query.chunks : 0;
		half_open += f->key.proto == FLOW_TCP && f->tcp.state == TCPS_SYN_SENT;
	}
	FAKE_HOLDS(half_open == w->c.half_open);
	FAKE_HOLDS(count == w->c.flows.count && open == w->io.nopen);
	FAKE_HOLDS(reserved == w->c.pool.reserved);
	FAKE_HOLDS(chunks == w->c.pool.nchunks - w->c.pool.nfree);
	FAKE_HOLDS(sets == w->c.ranges.used);
	FAKE_HOLDS(w->c.npending <= CTX_PENDING && w->c.nplaced < CTX_PLACED);
	for (uint32_t i = 0; i < w->c.nplaced; i++) {
		const struct flow *f = flow_at(&w->c.flows, w->c.placed[i].flow);

		FAKE_HOLDS(f->state == FLOW_OPEN && f->key.proto == FLOW_TCP && !f->tcp.hold.len && !f->tcp.ooo);
	}
	FAKE_HOLDS(w->frags.used <= w->frags.high && w->frags.high <= FRAG_MAX);
	FAKE_HOLDS(!w->frags.used || proto_next(&w->c) <= w->c.now + FRAG_TIMEOUT_MS);
}
