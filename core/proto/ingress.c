/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ingress.h"

#include "flow/route.h"
#include "proto/arp.h"
#include "proto/dhcp.h"
#include "proto/dhcp6.h"
#include "proto/dns.h"
#include "proto/group.h"
#include "proto/hop.h"
#include "proto/icmp.h"
#include "proto/ndp.h"
#include "proto/reassembly.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "wire/eth.h"
#include "wire/group.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/numbers.h"
#include "wire/vnet.h"

/* One packet as far as it is read. */
struct packet {
	struct vnet vnet;
	struct ip ip;
	struct rd data;		/* the upper-layer packet, and nothing behind it */
	struct rd raw;		/* from the IP header on, to be quoted in an error */
	bool reassembled;
};

static bool ip_packet(struct ctx *c, struct packet *p);

static bool bad(struct ctx *c, enum wire_err err)
{
	if (err == WIRE_OK)
		return false;
	c->count->drop_wire[err]++;
	return true;
}

/* The tap's own packets carry a checksum still to be made, or vouch for it;
 * all others (raw sockets, forwarded ones) are tested. */
static bool sum_ok(const struct packet *p)
{
	if (p->vnet.flags & (VNET_F_NEEDS_CSUM | VNET_F_DATA_VALID))
		return true;
	return l4sum_ok(&p->ip.src, &p->ip.dst, p->ip.proto, p->data.p, p->data.left);
}

/* What the configuration switched off. */
static bool is_off(struct ctx *c, uint32_t what)
{
	if (!(c->conf->off & what))
		return false;
	c->count->drop_off++;
	return true;
}

static bool tcp_packet(struct ctx *c, struct packet *p)
{
	struct tcp t;

	if (is_off(c, CONF_OFF_TCP))
		return false;
	if (bad(c, sum_ok(p) ? WIRE_OK : WIRE_CHECKSUM) || bad(c, tcp_read(&p->data, &t)))
		return false;
	tcp_segment(c, &p->ip, &t, p->data.p, p->data.left);
	return tcp_in_keeps(c, p->data.p, p->data.left);
}

/* Whether the datagram is for a server of ours, which it then has reached. */
static bool is_served(struct ctx *c, struct packet *p, const struct udp *u)
{
	if (p->ip.version == 4 && dhcp_is(c, &p->ip, u)) {
		if (!is_off(c, CONF_OFF_DHCP))
			dhcp_message(c, &p->data);
		return true;
	}
	if (p->ip.version == 6 && dhcp6_is(c, &p->ip, u)) {
		if (!is_off(c, CONF_OFF_DHCP6))
			dhcp6_message(c, &p->ip, &p->data);
		return true;
	}
	return false;
}

static bool udp_packet(struct ctx *c, struct packet *p)
{
	bool gso = p->vnet.gso_type == VNET_GSO_UDP_L4;
	struct udp u;

	if (bad(c, sum_ok(p) ? WIRE_OK : WIRE_CHECKSUM) || bad(c, udp_read(&p->data, gso, &u)))
		return false;
	if (!gso && is_served(c, p, &u))
		return false;
	if (addr_is_unspecified(&p->ip.src)) {
		c->count->drop_martian++;
		return false;
	}
	if (is_off(c, CONF_OFF_UDP))
		return false;
	if (u.dport == PORT_DNS &&
	    route_is_dns(c->conf, c->net, &c->dns.to, &p->ip.dst, u.dport)) {
		dns_datagram(c, &p->ip, &u, p->data.p, p->data.left, gso ? p->vnet.gso_size : 0);
		return false;
	}
	return udp_datagram(c, &p->ip, &u, p->data.p, p->data.left, gso ? p->vnet.gso_size : 0);
}

static bool icmp4_packet(struct ctx *c, struct packet *p)
{
	if (bad(c, icmp4_sum_ok(p->data.p, p->data.left) ? WIRE_OK : WIRE_CHECKSUM))
		return false;
	icmp_message(c, &p->ip, p->data.p, p->data.left);
	return false;
}

static bool igmp_packet(struct ctx *c, struct packet *p)
{
	/* the sum over the whole, as ICMP has it */
	if (!bad(c, icmp4_sum_ok(p->data.p, p->data.left) ? WIRE_OK : WIRE_CHECKSUM))
		group_message(c, &p->ip, &p->data);
	return false;
}

static bool icmp6_packet(struct ctx *c, struct packet *p)
{
	struct rd r = p->data;
	struct icmp h;

	if (bad(c, sum_ok(p) ? WIRE_OK : WIRE_CHECKSUM) || bad(c, icmp_read(&r, true, &h)))
		return false;
	if (ndp_is(h.type)) {
		if (!is_off(c, CONF_OFF_NDP))
			ndp_message(c, &p->ip, &h, &r);
	} else if (group_is_mld(h.type))
		group_message(c, &p->ip, &p->data);
	else if (addr_is_any(&p->ip.src))	/* no answer could be sent there */
		c->count->drop_martian++;
	else
		icmp_message(c, &p->ip, p->data.p, p->data.left);
	return false;
}

/* "sourceCheck": only addresses that were given to the container; link-local ones it
 * makes itself. */
static bool is_own(const struct ctx *c, const struct addr *a)
{
	return netcfg_has_address(c->net, a) || addr_is_linklocal6(a);
}

/* Whether the packet's own addresses let it go on. Sources are the container's
 * to choose, as long as an answer can be sent to them: none leaves, since the
 * host's sockets have addresses of their own. A DHCP client has none yet. */
static bool source_ok(struct ctx *c, const struct packet *p)
{
	bool asks_all = p->ip.proto == PROTO_UDP && addr_is_broadcast(&p->ip.dst);

	if (addr_is_any(&p->ip.src))	/* duplicate address detection, MLD */
		return p->ip.proto == PROTO_ICMP6;
	if (addr_is_loopback(&p->ip.src) || (addr_is_unspecified(&p->ip.src) && !asks_all)) {
		c->count->drop_martian++;
		return false;
	}
	if (c->conf->source_check && !asks_all && !is_own(c, &p->ip.src)) {
		c->count->drop_source++;
		return false;
	}
	return true;
}

/* IP reads: what it says of the packet before all else. */

static bool ip4_packet(struct ctx *c, struct rd *r, struct packet *p)
{
	p->raw = *r;
	return !bad(c, ip4_read(r, &p->ip, &p->data)) && ip_packet(c, p);
}

static bool ip6_packet(struct ctx *c, struct rd *r, struct packet *p)
{
	struct ip6_problem why;

	p->raw = *r;
	if (!bad(c, ip6_read_why(r, &p->ip, &p->data, &why)))
		return ip_packet(c, p);
	p->ip = (struct ip){ .version = 6, .src = why.src, .dst = why.dst };
	if (why.tell && source_ok(c, p))
		icmp_error_packet(c, &p->ip, &p->raw, &(struct icmp){
			.type = ICMP6_PARAM, .code = why.code, .rest = why.pointer });
	return false;
}

/* The whole goes the way of any packet, except that its checksum is always tested,
 * and that what it makes to send leaves before its memory is another's. */
static bool fragment(struct ctx *c, struct packet *p)
{
	struct packet whole = { .vnet = { .gso_type = VNET_GSO_NONE }, .reassembled = true };
	struct rd r;
	struct frag *f;

	if (bad(c, p->vnet.gso_type == VNET_GSO_NONE ? WIRE_OK : WIRE_VNET))
		return false;
	/* Fragments inside of fragments: no sender has a use for them, and the inner
	 * one could evict the one whose memory it lies in. */
	if (p->reassembled) {
		c->count->frag_refused++;
		return false;
	}
	f = reassembly_take(c, &p->ip, &p->data, &p->raw);
	if (!f)
		return false;
	r = p->raw;
	if (p->ip.version == 4)
		ip4_packet(c, &r, &whole);
	else
		ip6_packet(c, &r, &whole);
	udp_flush(c);
	tcp_in_flush(c);
	frag_free(c->frags, f);
	return false;
}

/* A protocol that we cannot carry (SCTP among them). */
static void refuse_protocol(struct ctx *c, const struct packet *p)
{
	bool v4 = p->ip.version == 4;

	c->count->drop_proto++;
	if (p->ip.proto == PROTO_NONE && !v4)	/* RFC 8200, 4.7: says nothing, asks nothing */
		return;
	icmp_error_packet(c, &p->ip, &p->raw, &(struct icmp){
		.type = v4 ? ICMP4_UNREACH : ICMP6_PARAM,
		.code = v4 ? ICMP4_UNREACH_PROTO : ICMP6_PARAM_NEXT,
		.rest = v4 ? 0 : p->ip.proto_at });
}

static bool ip_packet(struct ctx *c, struct packet *p)
{
	p->raw.left = (size_t)p->ip.hdr_len + p->ip.len;	/* without Ethernet's padding */
	if (p->reassembled)	/* what came in fragments may leave in fragments */
		p->ip.df = false;
	if (!source_ok(c, p))
		return false;
	if (UNLIKELY(p->ip.ttl <= 1) && !hop_forwards(c, &p->ip, &p->raw))
		return false;
	if (UNLIKELY(p->ip.fragment))
		return fragment(c, p);
	switch (p->ip.proto) {
	case PROTO_TCP:
		return tcp_packet(c, p);
	case PROTO_UDP:
		return udp_packet(c, p);
	case PROTO_ICMP:
		if (p->ip.version == 4)
			return icmp4_packet(c, p);
		break;
	case PROTO_IGMP:
		if (p->ip.version == 4)
			return igmp_packet(c, p);
		break;
	case PROTO_ICMP6:
		if (p->ip.version == 6)
			return icmp6_packet(c, p);
		break;
	}
	refuse_protocol(c, p);
	return false;
}

bool ingress_frame(struct ctx *c, const void *frame, size_t len)
{
	struct packet p = { .vnet = { .gso_type = VNET_GSO_NONE } };
	struct rd r = rd_init(frame, len);
	struct eth eth;

	c->count->tap_rx_frames++;
	c->count->tap_rx_bytes += len;
	if ((c->tap_vnet && bad(c, vnet_read(&r, &p.vnet))) || bad(c, eth_read(&r, &eth)))
		return false;
	p.vnet.gso_type &= (uint8_t)~VNET_GSO_ECN;
	if (mac_is_usable(&eth.src))
		c->guest_mac = eth.src;
	switch (eth.type) {
	case ETYPE_IP4:
		return ip4_packet(c, &r, &p);
	case ETYPE_IP6:
		return ip6_packet(c, &r, &p);
	case ETYPE_ARP:
		arp_packet(c, &r);
		return false;
	}
	c->count->drop_ethertype++;
	return false;
}
