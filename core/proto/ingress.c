/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ingress.h"

#include "proto/arp.h"
#include "proto/dhcp.h"
#include "proto/dhcp6.h"
#include "proto/icmp.h"
#include "proto/ndp.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "wire/eth.h"
#include "wire/icmp.h"
#include "wire/ip.h"
#include "wire/numbers.h"
#include "wire/vnet.h"

/* One packet as far as it is read. */
struct packet {
	struct vnet vnet;
	struct ip ip;
	struct rd data;		/* the upper-layer packet, and nothing behind it */
};

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

static bool tcp_packet(struct ctx *c, struct packet *p)
{
	struct tcp t;

	if (bad(c, sum_ok(p) ? WIRE_OK : WIRE_CHECKSUM) || bad(c, tcp_read(&p->data, &t)))
		return false;
	tcp_segment(c, &p->ip, &t, p->data.p, p->data.left);
	return false;
}

/* Whether the datagram is for a server of ours, which it then has reached. */
static bool is_served(struct ctx *c, struct packet *p, const struct udp *u)
{
	if (p->ip.version == 4 && dhcp_is(c, &p->ip, u))
		dhcp_message(c, &p->data);
	else if (p->ip.version == 6 && dhcp6_is(c, &p->ip, u))
		dhcp6_message(c, &p->ip, &p->data);
	else
		return false;
	return true;
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
	return udp_datagram(c, &p->ip, &u, p->data.p, p->data.left, gso ? p->vnet.gso_size : 0);
}

static bool icmp4_packet(struct ctx *c, struct packet *p)
{
	if (bad(c, icmp4_sum_ok(p->data.p, p->data.left) ? WIRE_OK : WIRE_CHECKSUM))
		return false;
	icmp_message(c, &p->ip, p->data.p, p->data.left);
	return false;
}

static bool icmp6_packet(struct ctx *c, struct packet *p)
{
	struct rd r = p->data;
	struct icmp h;

	if (bad(c, sum_ok(p) ? WIRE_OK : WIRE_CHECKSUM) || bad(c, icmp_read(&r, true, &h)))
		return false;
	if (ndp_is(h.type))
		ndp_message(c, &p->ip, &h, &r);
	else if (addr_is_any(&p->ip.src))	/* no answer could be sent there */
		c->count->drop_martian++;
	else
		icmp_message(c, &p->ip, p->data.p, p->data.left);
	return false;
}

/* Whether the packet's own addresses let it go on. Sources are the container's
 * to choose, as long as an answer can be sent to them; a DHCP client has none yet. */
static bool source_ok(struct ctx *c, const struct packet *p)
{
	bool asks_all = p->ip.proto == PROTO_UDP && addr_is_broadcast(&p->ip.dst);

	if (addr_is_any(&p->ip.src))	/* duplicate address detection, MLD */
		return p->ip.proto == PROTO_ICMP6;
	if (!addr_is_loopback(&p->ip.src) && (asks_all || !addr_is_unspecified(&p->ip.src)))
		return true;
	c->count->drop_martian++;
	return false;
}

static bool ip_packet(struct ctx *c, struct packet *p)
{
	if (!source_ok(c, p))
		return false;
	if (p->ip.fragment) {
		c->count->drop_fragment++;
		return false;
	}
	switch (p->ip.proto) {
	case PROTO_TCP:
		return tcp_packet(c, p);
	case PROTO_UDP:
		return udp_packet(c, p);
	case PROTO_ICMP:
		if (p->ip.version == 4)
			return icmp4_packet(c, p);
		break;
	case PROTO_ICMP6:
		if (p->ip.version == 6)
			return icmp6_packet(c, p);
		break;
	}
	c->count->drop_proto++;
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
		return !bad(c, ip4_read(&r, &p.ip, &p.data)) && ip_packet(c, &p);
	case ETYPE_IP6:
		return !bad(c, ip6_read(&r, &p.ip, &p.data)) && ip_packet(c, &p);
	case ETYPE_ARP:
		arp_packet(c, &r);
		return false;
	}
	c->count->drop_ethertype++;
	return false;
}
