/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames: what a hostile container sends, as fast as it can, by AF_PACKET from inside.
 *
 * frames random IFNAME PEER4 PEER6 SEED COUNT   frames of every protocol the daemon knows, right
 *     in most fields, then broken; one in 16 is noise. TCP connections are opened to PEER:7 and
 *     gone on with, by what the daemon's answers say, so that segments come near the window.
 * frames flood IFNAME PEER4 PEER6 KIND SECONDS [RATE]  the same frame but for addresses and ports:
 *     syn, udp, fragment, arp, dhcp, unread (connections that answer all but read nothing). With
 *     RATE so many a second are offered, and none twice; else as many as the tap takes.
 *
 * Prints "SENT TRIED": what the tap took, what was offered. Sources are addresses that the
 * container's kernel does not have, so that it says nothing to the answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH	32u
#define ROOM	4096u		/* of one frame */
#define LARGE	60000u		/* of a super-frame's payload, at most */
#define CONNS	64u

enum { VNET = 10, ETH = 14, IP4 = 20, IP6 = 40, TCP = 20, UDP = 8 };

struct conn {			/* that the container has with the peer, by its port */
	uint16_t port;
	bool open;
	uint32_t next, ack;	/* of ours, of theirs */
};

struct gen {
	int fd;
	uint64_t seed;
	uint8_t mac[6], gw[6];
	uint8_t src4[4], peer4[4], src6[16], peer6[16];
	struct conn conns[CONNS];
	uint64_t sent, tried;
	double rate;		/* frames a second; 0: each until the tap takes it */
};

struct frame {
	uint8_t *b;		/* from the virtio-net header on */
	size_t len, ip, l4;	/* ip, l4: where they begin */
	bool v6;
	uint8_t proto;
};

/* --- chance (xorshift64*) --- */

static uint32_t any(struct gen *g)
{
	g->seed ^= g->seed >> 12;
	g->seed ^= g->seed << 25;
	g->seed ^= g->seed >> 27;
	return (uint32_t)((g->seed * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

static uint32_t below(struct gen *g, uint32_t n) { return (uint32_t)(((uint64_t)any(g) * n) >> 32); }
static bool one_in(struct gen *g, uint32_t n) { return below(g, n) == 0; }

static void noise(struct gen *g, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)any(g);
}

/* --- bytes --- */

static void put8(struct frame *f, unsigned int v) { f->b[f->len++] = (uint8_t)v; }
static void put16(struct frame *f, unsigned int v) { put8(f, v >> 8); put8(f, v); }
static void put32(struct frame *f, uint32_t v) { put16(f, v >> 16); put16(f, v & 0xffff); }
static void put(struct frame *f, const void *p, size_t n) { memcpy(f->b + f->len, p, n); f->len += n; }
static void put_noise(struct gen *g, struct frame *f, size_t n) { noise(g, f->b + f->len, n); f->len += n; }
static void set16(uint8_t *p, unsigned int v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }

static uint32_t sum(const uint8_t *p, size_t n, uint32_t s)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	return n & 1 ? s + (uint32_t)(p[n - 1] << 8) : s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* --- frames --- */

static void begin(struct gen *g, struct frame *f, unsigned int type)
{
	f->len = 0;
	memset(f->b, 0, VNET);
	f->len = VNET;
	put(f, g->gw, 6);
	put(f, g->mac, 6);
	put16(f, type);
	f->ip = f->len;
}

/* An IP header up to its payload; finish() knows the lengths and sums. */
static void ip(struct gen *g, struct frame *f, bool v6, uint8_t proto)
{
	begin(g, f, v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	f->v6 = v6;
	f->proto = proto;
	if (v6) {
		put32(f, 0x60000000u | (one_in(g, 8) ? any(g) & 0xfffffff : 0));
		put16(f, 0);
		put8(f, proto);
		put8(f, one_in(g, 8) ? below(g, 3) : 64);
		put(f, g->src6, 16);
		put(f, g->peer6, 16);
	} else {
		put8(f, 0x45);
		put8(f, one_in(g, 8) ? any(g) : 0);
		put16(f, 0);
		put16(f, any(g) & 0xffff);
		put16(f, one_in(g, 2) ? 0x4000 : 0);
		put8(f, one_in(g, 8) ? below(g, 3) : 64);
		put8(f, proto);
		put16(f, 0);
		put(f, g->src4, 4);
		put(f, g->peer4, 4);
	}
	f->l4 = f->len;
}

/* An extension header or options now and then. */
static void extend(struct gen *g, struct frame *f)
{
	static const uint8_t kinds[] = { 0, 43, 44, 60, 51, 135 };
	uint8_t *next = f->b + f->ip + 6, n = (uint8_t)below(g, 4);

	if (!one_in(g, 6))
		return;
	if (!f->v6) {
		for (n = (uint8_t)(below(g, 10) * 4); n--;)
			put8(f, one_in(g, 3) ? 1 : any(g));
		f->b[f->ip] = (uint8_t)(0x40 | (f->len - f->ip) / 4);
		f->l4 = f->len;
		return;
	}
	while (n--) {
		uint8_t was = *next, kind = kinds[below(g, sizeof(kinds))], units = (uint8_t)below(g, 3);

		*next = kind;
		next = f->b + f->len;
		put8(f, was);
		put8(f, kind == 44 ? 0 : units);
		if (kind == 44) {
			put16(f, one_in(g, 2) ? any(g) : 0);
			put32(f, any(g) & 7);
		} else {
			put_noise(g, f, 6u + 8u * units);
		}
	}
	f->l4 = f->len;
}

static void sums(struct frame *f)
{
	static const uint8_t at[256] = { [1] = 2, [2] = 2, [6] = 16, [17] = 6, [58] = 2 };
	size_t n = f->len - f->l4;
	uint8_t *l4 = f->b + f->l4;
	uint32_t pseudo = 0;

	if (f->v6) {
		set16(f->b + f->ip + 4, (unsigned int)(f->len - f->ip - IP6));
		pseudo = sum(f->b + f->ip + 8, 32, f->proto + (uint32_t)n);
	} else {
		set16(f->b + f->ip + 2, (unsigned int)(f->len - f->ip));
		set16(f->b + f->ip + 10, 0);
		set16(f->b + f->ip + 10, fold(sum(f->b + f->ip, f->l4 - f->ip, 0)));
		if (f->proto == 6 || f->proto == 17)
			pseudo = sum(f->b + f->ip + 12, 8, f->proto + (uint32_t)n);
	}
	if (!at[f->proto] || n < at[f->proto] + 2u)
		return;
	set16(l4 + at[f->proto], 0);
	set16(l4 + at[f->proto], fold(sum(l4, n, pseudo)));
}

static struct conn *some_conn(struct gen *g, bool v6)
{
	struct conn *c = &g->conns[below(g, CONNS / 2) * 2 + v6];

	if (!c->port || one_in(g, 200))
		*c = (struct conn){ .port = (uint16_t)(20000 + (any(g) % 20000) * 2 + v6), .next = any(g) };
	return c;
}

static void tcp_options(struct gen *g, struct frame *f, const struct conn *c, bool syn)
{
	size_t from = f->len;

	if (syn) {
		put32(f, 0x02040000u | (one_in(g, 8) ? any(g) & 0xffff : 1460));
		put32(f, 0x01030300u | below(g, one_in(g, 8) ? 256 : 15));
		put32(f, 0x04020101u);
	}
	if (one_in(g, 3)) {
		put32(f, 0x0101080au);
		put32(f, any(g));
		put32(f, any(g));
	}
	if (!syn && one_in(g, 3) && f->len - from < 24) {
		put32(f, 0x0101050au);
		put32(f, c->ack + below(g, 3000));
		put32(f, c->ack + below(g, 6000));
	}
	if (one_in(g, 20) && f->len - from < 36)
		put_noise(g, f, 4);
	f->b[f->l4 + 12] = (uint8_t)((TCP + f->len - from) / 4 << 4);
}

static void tcp(struct gen *g, struct frame *f)
{
	static const uint8_t flags[] = { 0x10, 0x10, 0x18, 0x18, 0x11, 0x04, 0x14, 0x30, 0x02, 0xff };
	bool v6 = one_in(g, 2);
	struct conn *c = some_conn(g, v6);
	bool syn = !c->open || one_in(g, 50);
	uint32_t n = 0;

	ip(g, f, v6, 6);
	extend(g, f);
	put16(f, c->port);
	put16(f, 7);
	put32(f, c->next + (one_in(g, 4) ? below(g, 70000) - 35000 : 0));
	put32(f, c->ack + (one_in(g, 4) ? below(g, 70000) - 35000 : 0));
	put8(f, 0x50);
	put8(f, syn ? 2 : one_in(g, 8) ? flags[below(g, sizeof(flags))] : 0x18);
	put16(f, one_in(g, 8) ? below(g, 100) : 60000);
	put16(f, 0);
	put16(f, one_in(g, 8) ? any(g) & 0xffff : 0);
	tcp_options(g, f, c, syn);
	if (!syn)
		n = one_in(g, 4) ? 0 : below(g, one_in(g, 4) ? 1400 : 100);
	put_noise(g, f, n);
	if (!syn && one_in(g, 2))
		c->next += n;
}

static void dns(struct gen *g, struct frame *f)
{
	put16(f, any(g) & 0xffff);
	put16(f, one_in(g, 8) ? any(g) : 0x0100);
	put16(f, 1);
	put_noise(g, f, one_in(g, 8) ? 6 : 0);
	for (size_t want = f->l4 + UDP + 12; f->len < want;)
		put8(f, 0);
	for (uint32_t n = below(g, 5), k; n--;) {
		k = 1 + below(g, one_in(g, 8) ? 80 : 12);
		put8(f, one_in(g, 20) ? 0xc0 | k : k);
		put_noise(g, f, k);
	}
	put8(f, 0);
	put32(f, 0x00010001u);
}

static void dhcp(struct gen *g, struct frame *f)
{
	put32(f, 0x01010600u);
	put32(f, any(g));
	for (int i = 0; i < 5; i++)
		put32(f, 0);
	put(f, g->mac, 6);
	memset(f->b + f->len, 0, 202);
	f->len += 202;
	put32(f, 0x63825363u);
	put16(f, 0x3501);
	put8(f, 1 + below(g, 8));
	for (uint32_t n = below(g, 6), k; n--;) {
		k = below(g, 12);
		put8(f, below(g, 130));
		put8(f, k);
		put_noise(g, f, k);
	}
	put8(f, 255);
}

static void udp(struct gen *g, struct frame *f)
{
	static const uint16_t ports[] = { 7, 53, 67, 547, 5353, 443, 0 };
	bool v6 = one_in(g, 2);
	uint16_t port = one_in(g, 3) ? (uint16_t)any(g) : ports[below(g, sizeof(ports) / 2)];

	ip(g, f, v6, 17);
	if (port == 67 && !v6)
		memset(f->b + f->ip + 16, 0xff, 4);
	if (port == 547 && v6)
		memcpy(f->b + f->ip + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\1\0\2", 16);
	if (port == 53)		/* the forwarder's address */
		memcpy(f->b + f->ip + (v6 ? 24 : 16), v6 ? "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3" : "\xa9\xfe\1\3", v6 ? 16 : 4);
	extend(g, f);
	put16(f, port == 67 ? 68 : port == 547 ? 546 : any(g) & 0x3fff);
	put16(f, port);
	put32(f, 0);
	if (port == 67)
		dhcp(g, f);
	else if (port == 53)
		dns(g, f);
	else
		put_noise(g, f, below(g, one_in(g, 8) ? 1400 : 64));
	set16(f->b + f->l4 + 4, (unsigned int)(f->len - f->l4));
}

/* Errors quote what was made before: the rest of the buffer is as good. */
static void icmp(struct gen *g, struct frame *f)
{
	static const uint8_t types4[] = { 8, 8, 3, 11, 12, 0, 5 }, types6[] = { 128, 128, 1, 2, 3, 4, 133, 135, 136, 130, 131, 143 };
	bool v6 = one_in(g, 2);
	uint8_t type = v6 ? types6[below(g, sizeof(types6))] : types4[below(g, sizeof(types4))];

	ip(g, f, v6, v6 ? 58 : 1);
	if (v6 && type >= 130) {
		f->b[f->ip + 7] = 255;
		memcpy(f->b + f->ip + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	}
	extend(g, f);
	put8(f, type);
	put8(f, one_in(g, 4) ? below(g, 16) : 0);
	put16(f, 0);
	put32(f, any(g) & 0xff00ff);
	if (type == 135 || type == 136)
		put(f, g->peer6, 16);
	if (v6 ? type < 128 : type != 8 && type) {
		put(f, f->b + f->ip, v6 ? IP6 : IP4);
		put16(f, 7);
		put16(f, g->conns[below(g, CONNS)].port);
	}
	put_noise(g, f, below(g, 100));
}

static void arp(struct gen *g, struct frame *f)
{
	begin(g, f, ETHERTYPE_ARP);
	memset(f->b + VNET, 0xff, 6);
	put32(f, 0x00010800u);
	put16(f, 0x0604);
	put16(f, 1 + below(g, 3));
	put(f, g->mac, 6);
	put(f, g->src4, 4);
	put_noise(g, f, 6);
	put(f, g->peer4, 3);
	put8(f, any(g));
}

static void igmp(struct gen *g, struct frame *f)
{
	static const uint8_t types[] = { 0x11, 0x12, 0x16, 0x17, 0x22 };

	ip(g, f, false, 2);
	memcpy(f->b + f->ip + 16, "\xe0\0\0\x16", 4);
	put8(f, types[below(g, sizeof(types))]);
	put8(f, any(g));
	put16(f, 0);
	put32(f, one_in(g, 2) ? below(g, 4) : 0xe0000100u | below(g, 64));
	for (uint32_t n = below(g, 4); n--;) {
		put32(f, (1 + below(g, 6)) << 24);
		put32(f, 0xe0000100u | below(g, 64));
	}
}

/* A piece of a datagram, of which others may come. */
static void fragment(struct gen *g, struct frame *f)
{
	bool v6 = one_in(g, 2);
	uint32_t off = below(g, one_in(g, 8) ? 8192 : 4), more = one_in(g, 3) ? 0 : 1;

	ip(g, f, v6, v6 ? 44 : 17);
	if (v6) {
		put16(f, 17 << 8);
		put16(f, off << 3 | more);
		put32(f, below(g, 100));
	} else {
		set16(f->b + f->ip + 4, below(g, 100));
		set16(f->b + f->ip + 6, more << 13 | off);
	}
	put16(f, 4000);
	put16(f, 7);
	put16(f, 8 + below(g, 100));
	put16(f, 0);
	put_noise(g, f, below(g, 8) * 8 + (more ? 0 : below(g, 8)));
	if (v6)
		f->proto = 44;
	else
		f->proto = 0;	/* the sum is the whole's */
}

/* What the kernel would leave to the tap, or a lie about it. */
static void offload(struct gen *g, struct frame *f, uint32_t mtu)
{
	static const uint8_t types[] = { 0, 1, 4, 5, 3, 0x81, 2 };
	struct virtio_net_hdr *v = (struct virtio_net_hdr *)(void *)f->b;
	bool super = f->proto == 6 && f->b[f->l4 + 13] == 0x18 && one_in(g, 8);
	uint32_t hlen = f->proto == 6 ? (f->b[f->l4 + 12] >> 4) * 4u : UDP;

	if (!super && !one_in(g, 8))
		return;
	if (super)
		put_noise(g, f, below(g, ROOM - 1600));
	v->flags = 1;
	v->csum_start = (uint16_t)(f->l4 - VNET);
	v->csum_offset = f->proto == 6 ? 16 : f->proto == 17 ? 6 : 2;
	if (super || one_in(g, 4)) {
		v->gso_type = f->proto == 17 ? 5 : f->v6 ? 4 : 1;
		v->gso_size = (uint16_t)(mtu - 100 - below(g, 1000));
		v->hdr_len = (uint16_t)(f->l4 - VNET + hlen);
	}
	if (one_in(g, 4))
		v->gso_type = types[below(g, sizeof(types))];
	if (one_in(g, 16))
		v->csum_start = (uint16_t)below(g, 200);
	if (one_in(g, 16))
		v->gso_size = (uint16_t)below(g, 65536);
}

static void mutate(struct gen *g, struct frame *f)
{
	static const uint8_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 4, 8, 40 };

	for (uint32_t n = 1 + below(g, 4); n--;) {
		uint8_t *p = f->b + f->ip + below(g, (uint32_t)(f->len - f->ip));

		switch (below(g, 5)) {
		case 0:
			*p ^= (uint8_t)(1u << below(g, 8));
			break;
		case 1:
			*p = odd[below(g, sizeof(odd))];
			break;
		case 2:
			*p = (uint8_t)any(g);
			break;
		case 3:
			f->len = f->ip + 1 + below(g, (uint32_t)(f->len - f->ip));
			break;
		default:
			if (f->len < ROOM - 256)
				put_noise(g, f, below(g, 200));
		}
	}
}

static void make(struct gen *g, struct frame *f)
{
	static void (*const kinds[])(struct gen *g, struct frame *f) = {
		tcp, tcp, tcp, tcp, tcp, udp, udp, icmp, icmp, arp, igmp, fragment, fragment,
	};

	if (one_in(g, 16)) {
		begin(g, f, one_in(g, 2) ? ETHERTYPE_IP : one_in(g, 2) ? ETHERTYPE_IPV6 : any(g) & 0xffff);
		put_noise(g, f, below(g, 200));
		return;
	}
	f->proto = 0;
	kinds[below(g, sizeof(kinds) / sizeof(*kinds))](g, f);
	if (f->b[VNET + 12] != 0x08 || f->b[VNET + 13] != 0x06)
		sums(f);
	if (f->proto == 6 || f->proto == 17)
		offload(g, f, 1500);
	if (one_in(g, 3))
		mutate(g, f);
}

/* --- floods: well-formed all of it --- */

static void make_flood(struct gen *g, struct frame *f, const char *kind)
{
	bool v6 = one_in(g, 2);

	switch (kind[0]) {
	case 's':
		ip(g, f, v6, 6);
		put16(f, 1024 + below(g, 60000));
		put16(f, 1 + below(g, 60000));
		put32(f, any(g));
		put32(f, 0);
		put32(f, 0x50020000u | 60000);
		put32(f, 0);
		break;
	case 'u':
		if (kind[1] == 'n') {
			tcp(g, f);
			break;
		}
		ip(g, f, v6, 17);
		put16(f, 1024 + below(g, 60000));
		put16(f, 1 + below(g, 60000));
		put32(f, 16u << 16);
		put_noise(g, f, 8);
		break;
	case 'f':
		fragment(g, f);
		set16(f->b + f->ip + (f->v6 ? IP6 + 6 : 4), any(g) & 0xffff);	/* always another datagram */
		break;
	case 'a':
		arp(g, f);
		return;
	default:
		ip(g, f, false, 17);
		memset(f->b + f->ip + 16, 0xff, 4);
		put16(f, 68);
		put16(f, 67);
		put32(f, 0);
		dhcp(g, f);
		set16(f->b + f->l4 + 4, (unsigned int)(f->len - f->l4));
	}
	sums(f);
}

/* --- the wire --- */

/* SYN-ACKs open connections, other segments tell where they stand. */
static void hear(struct gen *g)
{
	uint8_t b[2048];

	for (int n = 0; n < 64; n++) {
		ssize_t len = recv(g->fd, b, sizeof(b), MSG_DONTWAIT);
		size_t at = VNET + ETH;
		const uint8_t *t;

		if (len < 0)
			return;
		at += b[VNET + 12] == 0x08 ? IP4 : IP6;
		t = b + at;
		if (len < (ssize_t)at + TCP || memcmp(b + VNET, g->mac, 6) != 0 || t[0] || t[1] != 7)
			continue;
		for (size_t i = 0; i < CONNS; i++) {
			struct conn *c = &g->conns[i];

			if (c->port != (t[2] << 8 | t[3]))
				continue;
			if (t[13] & 4) {
				c->port = 0;
			} else if (t[13] & 0x10) {
				c->ack = ((uint32_t)t[4] << 24 | (uint32_t)t[5] << 16 | (uint32_t)t[6] << 8 | t[7]) + !!(t[13] & 2);
				c->next = (uint32_t)t[8] << 24 | (uint32_t)t[9] << 16 | (uint32_t)t[10] << 8 | t[11];
				c->open = true;
			}
		}
	}
}

/* All of them, as often as the tap has no room; what the kernel itself refuses (a virtio-net
 * header that lies too much) is passed over. */
static void send_all(struct gen *g, struct mmsghdr *m, unsigned int n)
{
	for (unsigned int i = 0, tries = 0; i < n;) {
		int done = sendmmsg(g->fd, m + i, n - i, 0);

		if (done > 0) {
			g->sent += (unsigned int)done;
			i += (unsigned int)done;
			tries = 0;
		} else if (!g->rate && errno == ENOBUFS && ++tries < 1000) {
			sched_yield();
		} else {
			i++;
			tries = 0;
		}
	}
	g->tried += n;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run(struct gen *g, const char *flood, uint64_t count, double seconds)
{
	static uint8_t room[BATCH][ROOM + LARGE];
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec iov[BATCH];
	const double start = now_s();

	while (flood ? now_s() < start + seconds : g->sent < count && g->tried < 4 * count) {
		for (unsigned int i = 0; i < BATCH; i++) {
			struct frame f = { .b = room[i] };

			if (flood)
				make_flood(g, &f, flood);
			else
				make(g, &f);
			iov[i] = (struct iovec){ f.b, f.len };
			m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		send_all(g, m, BATCH);
		hear(g);
		while (g->rate > 0 && (double)g->tried / g->rate > now_s() - start)
			usleep(50);
	}
}

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void open_socket(struct gen *g, const char *ifname)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq r = { 0 };
	int on = 1;

	g->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (g->fd < 0)
		fail("AF_PACKET");
	sll.sll_ifindex = (int)if_nametoindex(ifname);
	strncpy(r.ifr_name, ifname, sizeof(r.ifr_name) - 1);
	if (ioctl(g->fd, SIOCGIFHWADDR, &r) < 0)
		fail(ifname);
	memcpy(g->mac, r.ifr_hwaddr.sa_data, 6);
	memcpy(g->gw, "\x02\0\0\0\0\1", 6);
	if (setsockopt(g->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(g->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0 ||
	    bind(g->fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		fail("AF_PACKET");
}

int main(int argc, char **argv)
{
	static struct gen g;
	bool flood;

	if (argc < 7 || argc > 8 || inet_pton(AF_INET, argv[3], g.peer4) != 1 || inet_pton(AF_INET6, argv[4], g.peer6) != 1) {
		fprintf(stderr, "usage: frames random IFNAME PEER4 PEER6 SEED COUNT\n"
			"       frames flood IFNAME PEER4 PEER6 syn|udp|fragment|arp|dhcp|unread SECONDS [RATE]\n");
		return 2;
	}
	flood = strcmp(argv[1], "flood") == 0;
	g.rate = flood && argc == 8 ? strtod(argv[7], NULL) : 0;
	g.seed = flood ? 1 : strtoull(argv[5], NULL, 10) * 2 + 1;
	inet_pton(AF_INET, "203.0.113.77", g.src4);
	inet_pton(AF_INET6, "2001:db8:1::77", g.src6);
	open_socket(&g, argv[2]);
	run(&g, flood ? argv[5] : NULL, flood ? 0 : strtoull(argv[6], NULL, 10), flood ? strtod(argv[6], NULL) : 0);
	printf("%llu %llu\n", (unsigned long long)g.sent, (unsigned long long)g.tried);
	return 0;
}
