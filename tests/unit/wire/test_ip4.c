/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests core/wire/ip4.c against RFC 791, 3.1 (header), 3.2 (fragments), RFC 1122
 * 3.2.1 (what a receiver must test) and a checksum worked out elsewhere.
 */
#include "../unit.h"

#include "base/cksum.h"
#include "wire/ip.h"
#include "wire/numbers.h"

#define VERSION_IHL	0
#define TOTAL		2
#define FRAG		6
#define SUM		10
#define SRC		12
#define DST		16

/* Published many times over: 192.168.0.1 to 192.168.0.199, UDP, DF, 115 bytes,
 * checksum b861. */
static const uint8_t known[IP4_HLEN] = {
	0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
	0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
};

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Makes the checksum right for a header of hlen bytes. */
static void seal(uint8_t *p, size_t hlen)
{
	put16(p + SUM, 0);
	put16(p + SUM, cksum_finish(cksum_add(p, hlen, 0)));
}

/* Reads len bytes; on failure sees that nothing was touched. */
static enum wire_err try(const uint8_t *bytes, size_t len, struct ip *ip, struct rd *pay)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*ip);
	POISON(*pay);
	err = ip4_read(&r, ip, pay);
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

/* One change to a good packet of 20 + 95 bytes, and what must come of it. */
static enum wire_err with(size_t at, unsigned int value, struct ip *ip)
{
	uint8_t buf[115] = { 0 };
	struct rd pay;

	memcpy(buf, known, sizeof(known));
	put16(buf + at, value);
	seal(buf, IP4_HLEN);
	return try(buf, sizeof(buf), ip, &pay);
}

static void test_known(void **state)
{
	uint8_t buf[115] = { 0 };
	struct addr src, dst;
	struct rd pay;
	struct ip ip;

	(void)state;
	assert_int_equal(addr_parse("192.168.0.1", &src), 0);
	assert_int_equal(addr_parse("192.168.0.199", &dst), 0);
	memcpy(buf, known, sizeof(known));
	assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_OK);
	assert_int_equal(ip.version, 4);
	assert_int_equal(ip.proto, PROTO_UDP);
	assert_int_equal(ip.ttl, 64);
	assert_int_equal(ip.tos, 0);
	assert_int_equal(ip.hdr_len, 20);
	assert_int_equal(ip.len, 95);
	assert_int_equal(ip.id, 0);
	assert_true(ip.df);
	assert_false(ip.fragment || ip.more || ip.frag_off);
	assert_true(addr_eq(&ip.src, &src));
	assert_true(addr_eq(&ip.dst, &dst));
}

/* Every length of bytes: short before 20, length lies before 115, good then. */
static void test_every_length(void **state)
{
	uint8_t buf[120] = { 0 };
	struct rd pay;
	struct ip ip;

	(void)state;
	memcpy(buf, known, sizeof(known));
	for (size_t n = 0; n <= sizeof(buf); n++)
		assert_int_equal(try(buf, n, &ip, &pay),
				 n < 20 ? WIRE_SHORT : n < 115 ? WIRE_LENGTH : WIRE_OK);
}

/* Ethernet pads to 60: what is behind the total length is not payload. */
static void test_padding(void **state)
{
	uint8_t buf[46] = { 0 };
	struct rd pay;
	struct ip ip;

	(void)state;
	memcpy(buf, known, sizeof(known));
	put16(buf + TOTAL, 28);
	seal(buf, IP4_HLEN);
	assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_OK);
	assert_int_equal(pay.left, 8);
	put16(buf + TOTAL, 20);
	seal(buf, IP4_HLEN);
	assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_OK);
	assert_int_equal(pay.left, 0);
}

static void test_total_length(void **state)
{
	struct ip ip;

	(void)state;
	assert_int_equal(with(TOTAL, 0, &ip), WIRE_LENGTH);
	assert_int_equal(with(TOTAL, 19, &ip), WIRE_LENGTH);
	assert_int_equal(with(TOTAL, 20, &ip), WIRE_OK);
	assert_int_equal(with(TOTAL, 115, &ip), WIRE_OK);
	assert_int_equal(with(TOTAL, 116, &ip), WIRE_LENGTH);
	assert_int_equal(with(TOTAL, 65535, &ip), WIRE_LENGTH);
}

/* A super-frame as large as the field can say (tap with TSO). */
static void test_largest(void **state)
{
	uint8_t *buf = calloc(1, 65535);
	struct rd pay;
	struct ip ip;

	(void)state;
	assert_non_null(buf);
	memcpy(buf, known, sizeof(known));
	put16(buf + TOTAL, 65535);
	seal(buf, IP4_HLEN);
	assert_int_equal(try(buf, 65535, &ip, &pay), WIRE_OK);
	assert_int_equal(ip.len, 65515);
	free(buf);
}

static void test_version(void **state)
{
	struct ip ip;

	(void)state;
	for (unsigned int v = 0; v < 16; v++)
		assert_int_equal(with(VERSION_IHL, v << 12 | 0x0500, &ip),
				 v == 4 ? WIRE_OK : WIRE_VERSION);
}

/* IHL below 5 words is a lie, above 5 there are options. RFC 791, 3.1. */
static void test_header_length(void **state)
{
	uint8_t buf[80];
	struct rd pay;
	struct ip ip;

	(void)state;
	for (unsigned int ihl = 0; ihl < 16; ihl++) {
		enum wire_err want = ihl < 5 ? WIRE_LENGTH : WIRE_OK;

		memset(buf, 1, sizeof(buf));	/* options: NOP */
		memcpy(buf, known, sizeof(known));
		buf[0] = (uint8_t)(0x40 | ihl);
		put16(buf + TOTAL, sizeof(buf));
		seal(buf, ihl * 4);
		assert_int_equal(try(buf, sizeof(buf), &ip, &pay), want);
		if (want == WIRE_OK) {
			assert_int_equal(ip.hdr_len, ihl * 4);
			assert_int_equal(ip.len, sizeof(buf) - ihl * 4);
		}
	}
	/* the options are cut off; the total length ends inside them */
	seal(buf, 60);
	assert_int_equal(try(buf, 59, &ip, &pay), WIRE_SHORT);
	put16(buf + TOTAL, 59);
	seal(buf, 60);
	assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_LENGTH);
	put16(buf + TOTAL, 60);
	seal(buf, 60);
	assert_int_equal(try(buf, 60, &ip, &pay), WIRE_OK);
	assert_int_equal(pay.left, 0);
}

/* RFC 1122, 3.2.1.2: each bit of the header counts, options' too. */
static void test_checksum(void **state)
{
	uint8_t buf[115] = { 0 };
	struct rd pay;
	struct ip ip;

	(void)state;
	memcpy(buf, known, sizeof(known));
	for (size_t bit = 8; bit < IP4_HLEN * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_CHECKSUM);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	buf[0] = 0x46;
	seal(buf, 24);
	buf[22] ^= 1;
	assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_CHECKSUM);
}

/* RFC 791, 3.1 (flags, offset) and 3.2 (fragments are of whole eights). */
static void test_fragments(void **state)
{
	static const struct {
		unsigned int field, total;
		enum wire_err want;
		bool df, fragment, more;
		unsigned int off;
	} cases[] = {
		{ 0x0000, 115, WIRE_OK, false, false, false, 0 },
		{ 0x8000, 115, WIRE_OK, false, false, false, 0 },	/* reserved bit */
		{ 0x4000, 115, WIRE_OK, true, false, false, 0 },
		{ 0x2000, 108, WIRE_OK, false, true, true, 0 },
		{ 0x2000, 107, WIRE_LENGTH, false, false, false, 0 },
		{ 0x2001, 108, WIRE_OK, false, true, true, 8 },
		{ 0x0001, 107, WIRE_OK, false, true, false, 8 },
		{ 0x6001, 108, WIRE_OK, true, true, true, 8 },
		/* the whole would be over 65535 bytes: "ping of death" */
		{ 0x1ffc, 28, WIRE_OK, false, true, false, 65504 },
		{ 0x1ffd, 28, WIRE_LENGTH, false, false, false, 0 },
		{ 0x1ff1, 115, WIRE_OK, false, true, false, 65416 },
		{ 0x1ff2, 115, WIRE_LENGTH, false, false, false, 0 },
		{ 0x1fff, 20, WIRE_LENGTH, false, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t buf[115] = { 0 };
		struct rd pay;
		struct ip ip;

		memcpy(buf, known, sizeof(known));
		put16(buf + FRAG, cases[i].field);
		put16(buf + TOTAL, cases[i].total);
		seal(buf, IP4_HLEN);
		assert_int_equal(try(buf, sizeof(buf), &ip, &pay), cases[i].want);
		if (cases[i].want)
			continue;
		assert_int_equal(ip.df, cases[i].df);
		assert_int_equal(ip.fragment, cases[i].fragment);
		assert_int_equal(ip.more, cases[i].more);
		assert_int_equal(ip.frag_off, cases[i].off);
	}
}

/* RFC 1122, 3.2.1.3: who may not be a source; a destination may be those. */
static void test_addresses(void **state)
{
	struct ip ip;

	(void)state;
	assert_int_equal(with(SRC, 0xe000, &ip), WIRE_ADDRESS);		/* 224/4 */
	assert_int_equal(with(SRC, 0xefff, &ip), WIRE_ADDRESS);
	assert_int_equal(with(SRC, 0xdfff, &ip), WIRE_OK);
	assert_int_equal(with(SRC, 0xf000, &ip), WIRE_OK);
	assert_int_equal(with(SRC, 0x0000, &ip), WIRE_OK);		/* DHCP */
	assert_int_equal(with(DST, 0xe000, &ip), WIRE_OK);
	assert_int_equal(with(DST, 0xffff, &ip), WIRE_OK);
}

static void test_broadcast_source(void **state)
{
	uint8_t buf[115] = { 0 };
	struct rd pay;
	struct ip ip;

	(void)state;
	memcpy(buf, known, sizeof(known));
	memset(buf + SRC, 0xff, 4);
	seal(buf, IP4_HLEN);
	assert_int_equal(try(buf, sizeof(buf), &ip, &pay), WIRE_ADDRESS);
}

/* The payload may be left where the packet was read from. */
static void test_payload_in_place(void **state)
{
	uint8_t buf[120] = { 0 };
	struct rd r = rd_init(buf, sizeof(buf));
	struct ip ip;

	(void)state;
	memcpy(buf, known, sizeof(known));
	assert_int_equal(ip4_read(&r, &ip, &r), WIRE_OK);
	assert_ptr_equal(r.p, buf + 20);
	assert_int_equal(r.left, 95);
}

static void test_write(void **state)
{
	uint8_t buf[115] = { 0 }, out[IP4_HLEN + 1] = { 0 };
	struct wr w = wr_init(out, sizeof(out));
	struct rd r = rd_init(buf, sizeof(buf)), pay;
	struct ip ip;

	(void)state;
	memcpy(buf, known, sizeof(known));
	assert_int_equal(ip4_read(&r, &ip, &pay), WIRE_OK);
	assert_int_equal(ip_hlen(&ip), IP4_HLEN);
	assert_true(ip4_write(&w, &ip));
	assert_int_equal(w.left, 1);
	assert_memory_equal(out, known, IP4_HLEN);	/* b861 among it */
}

static void test_write_round_trip(void **state)
{
	struct ip ip = {
		.version = 4, .proto = PROTO_TCP, .ttl = 7, .tos = 0xb9, .id = 0xbeef,
		.hdr_len = 20, .len = 3,
	};
	uint8_t out[IP4_HLEN + 3] = { 0 };
	struct wr w = wr_init(out, sizeof(out));
	struct ip back;
	struct rd pay;

	(void)state;
	assert_int_equal(addr_parse("10.1.2.3", &ip.src), 0);
	assert_int_equal(addr_parse("255.255.255.255", &ip.dst), 0);
	assert_true(ip4_write(&w, &ip));
	assert_int_equal(try(out, sizeof(out), &back, &pay), WIRE_OK);
	assert_int_equal(back.proto, ip.proto);
	assert_int_equal(back.ttl, ip.ttl);
	assert_int_equal(back.tos, ip.tos);
	assert_int_equal(back.id, ip.id);
	assert_int_equal(back.len, ip.len);
	assert_false(back.df || back.fragment);
	assert_true(addr_eq(&back.src, &ip.src));
	assert_true(addr_eq(&back.dst, &ip.dst));
}

static void test_write_fails(void **state)
{
	struct ip ip = { .version = 4, .len = 65515 };
	uint8_t out[IP4_HLEN];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	assert_true(ip4_write(&w, &ip));
	ip.len = 65516;			/* 65536 in all: the field has no such value */
	w = wr_init(out, sizeof(out));
	POISON(out);
	assert_false(ip4_write(&w, &ip));
	assert_true(w.failed);
	ASSERT_POISONED(out);
	ip.len = 0;
	w = wr_init(out, sizeof(out) - 1);
	assert_false(ip4_write(&w, &ip));
	ASSERT_POISONED(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_total_length),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_header_length),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_broadcast_source),
		cmocka_unit_test(test_payload_in_place),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_round_trip),
		cmocka_unit_test(test_write_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
