/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests core/wire/ip6.c against RFC 8200 (3 header, 4 extension headers), RFC
 * 4302 (AH), RFC 6946 (atomic fragments), RFC 2675 (jumbograms), RFC 5095
 * (routing header 0) and RFC 4291, 2.5 (addresses).
 */
#include "../unit.h"

#include "wire/ip.h"
#include "wire/numbers.h"

/* Extension headers to be put in a row. The first byte of each, its Next
 * Header, is filled in by build(). */
#define PAD6	1, 4, 0, 0, 0, 0	/* PadN of 6 bytes */
static const uint8_t opts8[] = { 0, 0, PAD6 };
static const uint8_t opts16[] = { 0, 1, PAD6, PAD6, 0, 0 };
static const uint8_t routing_done[] = { 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t atomic[] = { 0, 0xff, 0, 0, 1, 2, 3, 4 };
static const uint8_t first[] = { 0, 0, 0, 1, 1, 2, 3, 4 };
static const uint8_t middle[] = { 0, 0, 0x05, 0xa9, 1, 2, 3, 4 };	/* 1448, more */
static const uint8_t last[] = { 0, 0, 0x05, 0xa8, 1, 2, 3, 4 };
static const uint8_t ah12[] = { 0, 1, 0, 0, 9, 9, 9, 9, 0, 0, 0, 1 };
static const uint8_t ah24[24] = { 0, 4, 0, 0, 9, 9, 9, 9 };

struct ext {
	uint8_t proto;
	const uint8_t *bytes;
	size_t len;
};

#define EXT(p, b) { p, b, sizeof(b) }

struct pkt {
	uint8_t b[512];
	size_t len;
};

static const uint8_t src6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
static const uint8_t dst6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff, [15] = 2 };

static void append(struct pkt *p, const void *bytes, size_t n)
{
	assert_true(n <= sizeof(p->b) - p->len);
	if (n)
		memcpy(p->b + p->len, bytes, n);
	p->len += n;
}

/* Header, n extension headers, then pay bytes of proto's. */
static struct pkt build(const struct ext *e, size_t n, uint8_t proto, size_t pay)
{
	struct pkt p = { .b = { 0x60 }, .len = 8 };
	size_t next = 6;

	p.b[7] = 64;
	append(&p, src6, 16);
	append(&p, dst6, 16);
	for (size_t i = 0; i < n; i++) {
		p.b[next] = e[i].proto;
		next = p.len;
		append(&p, e[i].bytes, e[i].len);
	}
	p.b[next] = proto;
	assert_true(pay <= sizeof(p.b) - p.len);
	memset(p.b + p.len, 0x5a, pay);
	p.len += pay;
	p.b[4] = (uint8_t)((p.len - IP6_HLEN) >> 8);
	p.b[5] = (uint8_t)(p.len - IP6_HLEN);
	return p;
}

static enum wire_err try(const uint8_t *bytes, size_t len, struct ip *ip, struct rd *pay)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*ip);
	POISON(*pay);
	err = ip6_read(&r, ip, pay);
	if (err) {
		ASSERT_POISONED(*ip);
		ASSERT_POISONED(*pay);
		assert_ptr_equal(r.p, p);
		return err;
	}
	assert_ptr_equal(pay->p, p + ip->hdr_len);
	assert_int_equal(pay->left, ip->len);
	assert_ptr_equal(r.p, pay->p + pay->left);
	assert_false(pay->failed);
	return WIRE_OK;
}

static enum wire_err try_ext(const struct ext *e, size_t n, uint8_t proto, size_t pay,
			     struct ip *ip)
{
	struct pkt p = build(e, n, proto, pay);
	struct rd rest;

	return try(p.b, p.len, ip, &rest);
}

static void test_plain(void **state)
{
	struct pkt p = build(NULL, 0, PROTO_TCP, 20);
	struct rd pay;
	struct ip ip;

	(void)state;
	p.b[0] = 0x6b;			/* traffic class b9, flow label 54321 */
	p.b[1] = 0x95;
	p.b[2] = 0x43;
	p.b[3] = 0x21;
	assert_int_equal(try(p.b, p.len, &ip, &pay), WIRE_OK);
	assert_int_equal(ip.version, 6);
	assert_int_equal(ip.proto, PROTO_TCP);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(ip.tos, 0xb9);
	assert_int_equal(ip.hdr_len, 40);
	assert_int_equal(ip.len, 20);
	assert_true(ip.df);
	assert_false(ip.fragment || ip.more || ip.frag_off || ip.id);
	assert_memory_equal(ip.src.b, src6, 16);
	assert_memory_equal(ip.dst.b, dst6, 16);
}

/* Every length: short before 40, length lies before 60, good then (padding). */
static void test_every_length(void **state)
{
	struct pkt p = build(NULL, 0, PROTO_UDP, 20);
	struct rd pay;
	struct ip ip;

	(void)state;
	for (size_t n = 0; n <= p.len + 5; n++)
		assert_int_equal(try(p.b, n, &ip, &pay),
				 n < 40 ? WIRE_SHORT : n < 60 ? WIRE_LENGTH : WIRE_OK);
}

static void test_version(void **state)
{
	struct pkt p = build(NULL, 0, PROTO_UDP, 8);
	struct rd pay;
	struct ip ip;

	(void)state;
	for (unsigned int v = 0; v < 16; v++) {
		p.b[0] = (uint8_t)(v << 4);
		assert_int_equal(try(p.b, p.len, &ip, &pay), v == 6 ? WIRE_OK : WIRE_VERSION);
	}
}

static void test_empty_payload(void **state)
{
	struct ip ip;

	(void)state;
	assert_int_equal(try_ext(NULL, 0, PROTO_NONE, 0, &ip), WIRE_OK);
	assert_int_equal(ip.proto, PROTO_NONE);
	assert_int_equal(ip.len, 0);
	assert_int_equal(try_ext(NULL, 0, PROTO_TCP, 0, &ip), WIRE_OK);
	/* an extension header is announced and not there */
	assert_int_equal(try_ext(NULL, 0, PROTO_DSTOPTS, 0, &ip), WIRE_SHORT);
	assert_int_equal(try_ext(NULL, 0, PROTO_FRAGMENT, 7, &ip), WIRE_SHORT);
	assert_int_equal(try_ext(NULL, 0, PROTO_AH, 7, &ip), WIRE_SHORT);
	assert_int_equal(try_ext(NULL, 0, PROTO_ROUTING, 1, &ip), WIRE_SHORT);
}

/* RFC 2675, 3: length 0 before hop-by-hop options is a jumbogram. */
static void test_jumbo(void **state)
{
	static const uint8_t jumbo[] = { 0, 0, 0xc2, 4, 0, 1, 0, 0 };
	static const struct ext e[] = { EXT(PROTO_HOPOPT, jumbo) };
	struct pkt p = build(e, 1, PROTO_UDP, 8);
	struct rd pay;
	struct ip ip;

	(void)state;
	/* the option beside a payload length is an error too (RFC 2675, 3) */
	assert_int_equal(try(p.b, p.len, &ip, &pay), WIRE_OPTION);
	p.b[4] = p.b[5] = 0;
	assert_int_equal(try(p.b, p.len, &ip, &pay), WIRE_LENGTH);
	assert_int_equal(try_ext(NULL, 0, PROTO_HOPOPT, 0, &ip), WIRE_LENGTH);
}

/* Each extension header alone, and the recommended order of RFC 8200, 4.1. */
static void test_walk(void **state)
{
	static const struct {
		struct ext e[6];
		size_t n, hdr_len;
		bool df;
	} cases[] = {
		{ { EXT(PROTO_HOPOPT, opts8) }, 1, 48, true },
		{ { EXT(PROTO_HOPOPT, opts16) }, 1, 56, true },
		{ { EXT(PROTO_DSTOPTS, opts16) }, 1, 56, true },
		{ { EXT(PROTO_ROUTING, routing_done) }, 1, 48, true },
		{ { EXT(PROTO_AH, ah12) }, 1, 52, true },
		{ { EXT(PROTO_AH, ah24) }, 1, 64, true },
		{ { EXT(PROTO_FRAGMENT, atomic) }, 1, 48, false },
		{ { EXT(PROTO_HOPOPT, opts8), EXT(PROTO_DSTOPTS, opts8),
		    EXT(PROTO_ROUTING, routing_done), EXT(PROTO_FRAGMENT, atomic),
		    EXT(PROTO_AH, ah24), EXT(PROTO_DSTOPTS, opts16) }, 6, 112, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip ip;

		assert_int_equal(try_ext(cases[i].e, cases[i].n, PROTO_UDP, 13, &ip), WIRE_OK);
		assert_int_equal(ip.proto, PROTO_UDP);
		assert_int_equal(ip.hdr_len, cases[i].hdr_len);
		assert_int_equal(ip.len, 13);
		assert_int_equal(ip.df, cases[i].df);
		assert_false(ip.fragment);
		/* the same as the last thing of the packet */
		assert_int_equal(try_ext(cases[i].e, cases[i].n, PROTO_NONE, 0, &ip), WIRE_OK);
		assert_int_equal(ip.proto, PROTO_NONE);
		assert_int_equal(ip.len, 0);
	}
}

/* What is not an extension header we know is a payload: ESP, SCTP, 255 ... */
static void test_all_protos(void **state)
{
	(void)state;
	for (unsigned int proto = 0; proto < 256; proto++) {
		struct ip ip;

		switch (proto) {
		case PROTO_HOPOPT: case PROTO_ROUTING: case PROTO_FRAGMENT: case PROTO_AH:
		case PROTO_DSTOPTS:
			continue;
		}
		assert_int_equal(try_ext(NULL, 0, (uint8_t)proto, 3, &ip), WIRE_OK);
		assert_int_equal(ip.proto, proto);
		assert_int_equal(ip.hdr_len, 40);
	}
}

/* RFC 8200, 4.1: hop-by-hop options first or nowhere. */
static void test_hopopts_place(void **state)
{
	static const struct ext behind[] = {
		EXT(PROTO_DSTOPTS, opts8), EXT(PROTO_HOPOPT, opts8),
	};
	static const struct ext twice[] = {
		EXT(PROTO_HOPOPT, opts8), EXT(PROTO_HOPOPT, opts8),
	};
	static const struct ext after_atomic[] = {
		EXT(PROTO_FRAGMENT, atomic), EXT(PROTO_HOPOPT, opts8),
	};
	struct ip ip;

	(void)state;
	assert_int_equal(try_ext(behind, 2, PROTO_UDP, 8, &ip), WIRE_OPTION);
	assert_int_equal(try_ext(twice, 2, PROTO_UDP, 8, &ip), WIRE_OPTION);
	assert_int_equal(try_ext(after_atomic, 2, PROTO_UDP, 8, &ip), WIRE_OPTION);
}

/* RFC 8200, 4.2: options; what to do with unknown ones is in their type. */
static void test_options(void **state)
{
	static const struct {
		uint8_t b[8];
		enum wire_err want;
	} cases[] = {
		{ { 0, 0, 0, 0, 0, 0, 0, 0 }, WIRE_OK },	/* Pad1 six times */
		{ { 0, 0, 1, 4, 0, 0, 0, 0 }, WIRE_OK },	/* PadN */
		{ { 0, 0, 1, 0, 1, 0, 1, 0 }, WIRE_OK },
		{ { 0, 0, 5, 2, 0, 0, 1, 0 }, WIRE_OK },	/* router alert: MLD */
		{ { 0, 0, 0x3e, 4, 9, 9, 9, 9 }, WIRE_OK },	/* unknown, skip */
		{ { 0, 0, 1, 5, 0, 0, 0, 0 }, WIRE_OPTION },	/* one too long */
		{ { 0, 0, 1, 255, 0, 0, 0, 0 }, WIRE_OPTION },
		{ { 0, 0, 1, 3, 0, 0, 0, 1 }, WIRE_OPTION },	/* ends before its length */
		{ { 0, 0, 0x7e, 4, 9, 9, 9, 9 }, WIRE_OPTION },	/* unknown, discard */
		{ { 0, 0, 0xbe, 4, 9, 9, 9, 9 }, WIRE_OPTION },
		{ { 0, 0, 0xc9, 4, 9, 9, 9, 9 }, WIRE_OPTION },	/* Home Address */
		{ { 0, 1, 1, 4, 0, 0, 0, 0 }, WIRE_OPTION },	/* header over the end */
		{ { 0, 255, 1, 4, 0, 0, 0, 0 }, WIRE_OPTION },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct ext hop[] = { EXT(PROTO_HOPOPT, cases[i].b) };
		const struct ext dst[] = { EXT(PROTO_DSTOPTS, cases[i].b) };
		struct ip ip;

		assert_int_equal(try_ext(hop, 1, PROTO_UDP, 7, &ip), cases[i].want);
		assert_int_equal(try_ext(dst, 1, PROTO_UDP, 7, &ip), cases[i].want);
	}
}

/* RFC 8200, 4.4; RFC 5095: type 0 is as unknown as the others. */
static void test_routing(void **state)
{
	static const struct {
		uint8_t type, left;
		enum wire_err want;
	} cases[] = {
		{ 0, 0, WIRE_OK }, { 2, 0, WIRE_OK }, { 4, 0, WIRE_OK }, { 255, 0, WIRE_OK },
		{ 0, 1, WIRE_OPTION }, { 2, 1, WIRE_OPTION }, { 4, 255, WIRE_OPTION },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const uint8_t b[8] = { 0, 0, cases[i].type, cases[i].left };
		const struct ext e[] = { EXT(PROTO_ROUTING, b) };
		struct ip ip;

		assert_int_equal(try_ext(e, 1, PROTO_UDP, 8, &ip), cases[i].want);
	}
}

/* RFC 4302, 2.2: (length + 2) * 4 bytes, at least 12. */
static void test_ah(void **state)
{
	(void)state;
	for (unsigned int len = 0; len < 256; len++) {
		const uint8_t b[12] = { 0, (uint8_t)len };
		const struct ext e[] = { EXT(PROTO_AH, b) };
		size_t size = (len + 2) * 4;
		struct ip ip;

		/* 12 + 88 bytes are there */
		assert_int_equal(try_ext(e, 1, PROTO_UDP, 88, &ip),
				 size < 12 || size > 100 ? WIRE_OPTION : WIRE_OK);
		if (size >= 12 && size <= 100)
			assert_int_equal(ip.hdr_len, 40 + size);
	}
}

/* RFC 8200, 4.5: a piece ends the walk at its Fragment header. */
static void test_fragments(void **state)
{
	static const struct {
		struct ext e;
		bool more;
		uint16_t off;
	} cases[] = {
		{ EXT(PROTO_FRAGMENT, first), true, 0 },
		{ EXT(PROTO_FRAGMENT, middle), true, 1448 },
		{ EXT(PROTO_FRAGMENT, last), false, 1448 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct ext e[] = { EXT(PROTO_HOPOPT, opts8), cases[i].e };
		/* 60 would be walked, and is nonsense: these bytes are not looked at */
		static const uint8_t protos[] = { PROTO_UDP, PROTO_DSTOPTS, PROTO_HOPOPT };

		for (size_t k = 0; k < sizeof(protos); k++) {
			struct ip ip;

			assert_int_equal(try_ext(e, 2, protos[k], 16, &ip), WIRE_OK);
			assert_int_equal(ip.proto, protos[k]);
			assert_true(ip.fragment);
			assert_int_equal(ip.more, cases[i].more);
			assert_int_equal(ip.frag_off, cases[i].off);
			assert_int_equal(ip.id, 0x01020304);
			assert_int_equal(ip.hdr_len, 56);
			assert_int_equal(ip.len, 16);
			assert_false(ip.df);
		}
	}
}

static void test_fragment_lengths(void **state)
{
	static const uint8_t end[] = { 0, 0, 0xff, 0xf8, 1, 2, 3, 4 };	/* at 65528 */
	static const struct ext e_end[] = { EXT(PROTO_FRAGMENT, end) };
	static const struct ext e_first[] = { EXT(PROTO_FRAGMENT, first) };
	static const struct ext e_last[] = { EXT(PROTO_FRAGMENT, last) };
	struct ip ip;

	(void)state;
	assert_int_equal(try_ext(e_first, 1, PROTO_UDP, 15, &ip), WIRE_LENGTH);
	assert_int_equal(try_ext(e_first, 1, PROTO_UDP, 0, &ip), WIRE_OK);
	assert_int_equal(try_ext(e_last, 1, PROTO_UDP, 15, &ip), WIRE_OK);
	assert_int_equal(try_ext(e_end, 1, PROTO_UDP, 7, &ip), WIRE_OK);
	assert_int_equal(try_ext(e_end, 1, PROTO_UDP, 8, &ip), WIRE_LENGTH);
}

/* RFC 6946: offset 0 and nothing to follow is a whole packet; the walk goes on. */
static void test_atomic(void **state)
{
	static const struct ext e[] = {
		EXT(PROTO_FRAGMENT, atomic), EXT(PROTO_DSTOPTS, opts8),
	};
	static const struct ext twice[] = {
		EXT(PROTO_FRAGMENT, atomic), EXT(PROTO_FRAGMENT, atomic),
	};
	struct ip ip;

	(void)state;
	assert_int_equal(try_ext(e, 2, PROTO_UDP, 9, &ip), WIRE_OK);
	assert_int_equal(ip.proto, PROTO_UDP);
	assert_int_equal(ip.hdr_len, 56);
	assert_int_equal(ip.id, 0x01020304);
	assert_false(ip.fragment || ip.more || ip.frag_off || ip.df);
	assert_int_equal(try_ext(twice, 2, PROTO_UDP, 9, &ip), WIRE_OPTION);
}

static void test_chain(void **state)
{
	struct ext e[IP6_EXT_MAX + 1];
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		e[i] = (struct ext)EXT(PROTO_DSTOPTS, opts8);
	assert_int_equal(try_ext(e, IP6_EXT_MAX, PROTO_UDP, 8, &ip), WIRE_OK);
	assert_int_equal(ip.hdr_len, 40 + 8 * IP6_EXT_MAX);
	assert_int_equal(try_ext(e, IP6_EXT_MAX + 1, PROTO_UDP, 8, &ip), WIRE_CHAIN);
}

/* The payload length ends inside a header, though the frame goes on. */
static void test_cut_by_length(void **state)
{
	static const struct ext e[] = {
		EXT(PROTO_HOPOPT, opts8), EXT(PROTO_DSTOPTS, opts16),
	};
	struct pkt p = build(e, 2, PROTO_UDP, 8);
	struct rd pay;
	struct ip ip;

	(void)state;
	for (uint8_t n = 1; n <= 32; n++) {
		p.b[5] = n;
		assert_int_equal(try(p.b, p.len, &ip, &pay),
				 n < 8 || (n >= 8 && n < 16) ? WIRE_SHORT :
				 n < 24 ? WIRE_OPTION : WIRE_OK);
	}
}

/* RFC 4291, 2.5 and 2.7. */
static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		enum wire_err src, dst;
	} cases[] = {
		{ "2001:db8::1", WIRE_OK, WIRE_OK },
		{ "fe80::1", WIRE_OK, WIRE_OK },
		{ "ff02::1", WIRE_ADDRESS, WIRE_OK },
		{ "::", WIRE_OK, WIRE_OK },			/* DAD sends from it */
		{ "::1", WIRE_ADDRESS, WIRE_ADDRESS },
		{ "::127.0.0.1", WIRE_ADDRESS, WIRE_ADDRESS },
		{ "::198.51.100.10", WIRE_ADDRESS, WIRE_ADDRESS },
		{ "0:0:0:0:0:1::", WIRE_OK, WIRE_OK },
		{ "0:0:0:0:0:fffe:7f00:1", WIRE_OK, WIRE_OK },
		{ "64:ff9b::1.2.3.4", WIRE_OK, WIRE_OK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pkt p = build(NULL, 0, PROTO_UDP, 8);
		struct addr a;
		struct rd pay;
		struct ip ip;

		assert_int_equal(addr_parse(cases[i].text, &a), 0);
		memcpy(p.b + 8, a.b, 16);
		assert_int_equal(try(p.b, p.len, &ip, &pay), cases[i].src);
		memcpy(p.b + 8, src6, 16);
		memcpy(p.b + 24, a.b, 16);
		assert_int_equal(try(p.b, p.len, &ip, &pay), cases[i].dst);
	}
}

/* ::ffff:127.0.0.1 must not come to name an IPv4 address (base/addr.h). */
static void test_mapped(void **state)
{
	static const uint8_t lo[4] = { 127, 0, 0, 1 };
	struct addr a = addr_from4(lo);
	struct pkt p = build(NULL, 0, PROTO_UDP, 8);
	struct rd pay;
	struct ip ip;

	(void)state;
	memcpy(p.b + 24, a.b, 16);
	assert_int_equal(try(p.b, p.len, &ip, &pay), WIRE_ADDRESS);
	memcpy(p.b + 8, a.b, 16);
	memcpy(p.b + 24, dst6, 16);
	assert_int_equal(try(p.b, p.len, &ip, &pay), WIRE_ADDRESS);
}

static void test_write_round_trip(void **state)
{
	struct ip ip = {
		.version = 6, .proto = PROTO_ICMP6, .ttl = 255, .tos = 0xb9, .len = 5,
	};
	static const uint8_t want[8] = { 0x6b, 0x90, 0, 0, 0, 5, PROTO_ICMP6, 255 };
	uint8_t out[IP6_HLEN + 5] = { 0 };
	struct wr w = wr_init(out, sizeof(out));
	struct ip back;
	struct rd pay;

	(void)state;
	ip.src = addr_from6(src6);
	ip.dst = addr_from6(dst6);
	assert_int_equal(ip_hlen(&ip), IP6_HLEN);
	assert_true(ip6_write(&w, &ip));
	assert_int_equal(w.left, 5);
	assert_memory_equal(out, want, sizeof(want));
	assert_memory_equal(out + 8, src6, 16);
	assert_memory_equal(out + 24, dst6, 16);
	assert_int_equal(try(out, sizeof(out), &back, &pay), WIRE_OK);
	assert_int_equal(back.proto, ip.proto);
	assert_int_equal(back.ttl, ip.ttl);
	assert_int_equal(back.tos, ip.tos);
	assert_int_equal(back.len, ip.len);
}

/* RFC 8200, 4.5: written as it is read. */
static void test_write_fragment(void **state)
{
	const struct ip cases[] = {
		{ .proto = PROTO_UDP, .more = true, .id = 0x01020304 },
		{ .proto = PROTO_TCP, .frag_off = 1448, .more = true, .id = 0xffffffff },
		{ .proto = PROTO_ICMP6, .frag_off = 65528 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[IP6_HLEN + IP6_FRAG_HLEN] = { 0 };
		struct wr w = wr_init(out, sizeof(out));
		struct ip ip = { .version = 6, .proto = PROTO_FRAGMENT, .ttl = 64,
				 .len = IP6_FRAG_HLEN }, back;
		struct rd pay;

		ip.src = addr_from6(src6);
		ip.dst = addr_from6(dst6);
		assert_true(ip6_write(&w, &ip) && ip6_frag_write(&w, &cases[i]));
		assert_int_equal(try(out, sizeof(out), &back, &pay), WIRE_OK);
		assert_int_equal(back.proto, cases[i].proto);
		assert_int_equal(back.frag_off, cases[i].frag_off);
		assert_int_equal(back.more, cases[i].more);
		assert_int_equal(back.id, cases[i].id);
		assert_int_equal(back.proto_at, IP6_HLEN);
		assert_true(back.fragment && !back.df);
	}
}

static void test_write_no_room(void **state)
{
	struct ip ip = { .version = 6 };
	uint8_t out[IP6_HLEN - 1];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	POISON(out);
	assert_false(ip6_write(&w, &ip));
	ASSERT_POISONED(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_empty_payload),
		cmocka_unit_test(test_jumbo),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_all_protos),
		cmocka_unit_test(test_hopopts_place),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_routing),
		cmocka_unit_test(test_ah),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_fragment_lengths),
		cmocka_unit_test(test_atomic),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_cut_by_length),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_write_round_trip),
		cmocka_unit_test(test_write_fragment),
		cmocka_unit_test(test_write_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
