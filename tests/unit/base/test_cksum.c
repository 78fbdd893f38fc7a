/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/cksum.c against RFC 1071 (3, its numeric example; 2, its
 * properties), and against a sum done the slow way. */
#include "../unit.h"

#include "base/cksum.h"

/* RFC 1071, 1: 16-bit words in network order, carries folded at once. */
static uint16_t slow(const uint8_t *p, size_t len)
{
	uint32_t s = 0;

	for (size_t i = 0; i < len; i++) {
		s += (uint32_t)(i % 2 ? p[i] : p[i] << 8);
		if (s > 0xffff)
			s -= 0xffff;
	}
	return (uint16_t)s;
}

static void fill(uint8_t *p, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

/* RFC 1071, 3: the sum is ddf2, the checksum 220d. */
static void test_rfc1071(void **state)
{
	static const uint8_t b[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(cksum_fold(cksum_add(b, sizeof(b), 0)), 0xddf2);
	assert_int_equal(cksum_finish(cksum_add(b, sizeof(b), 0)), 0x220d);
}

static void test_edges(void **state)
{
	static const uint8_t b[] = { 0xab, 0xcd };
	uint8_t ones[64];

	(void)state;
	assert_int_equal(cksum_add(b, 0, 0), 0);
	assert_int_equal(cksum_finish(0), 0xffff);
	assert_int_equal(cksum_fold(cksum_add(b, 1, 0)), 0xab00);	/* padded behind */
	assert_int_equal(cksum_fold(cksum_add(b, 2, 0)), 0xabcd);
	assert_int_equal(cksum_fold(0xffffffff), 0xffff);
	assert_int_equal(cksum_fold(0x0001ffff), 1);
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(cksum_fold(cksum_add(ones, sizeof(ones), 0xffffffff)), 0xffff);
}

/* Each length about the unrolled loop's steps, at each alignment. */
static void test_lengths(void **state)
{
	(void)state;
	for (size_t len = 0; len <= 200; len++) {
		for (size_t at = 0; at < 8; at++) {
			uint8_t raw[208];
			BLOCK p = NULL;

			fill(raw, sizeof(raw), (uint32_t)(len * 8 + at + 1));
			p = unit_block(raw, at + len);
			assert_int_equal(cksum_fold(cksum_add(p + at, len, 0)),
					 slow(raw + at, len));
		}
	}
}

/* The largest packet of the largest words: nothing overflows. */
static void test_largest(void **state)
{
	uint8_t *p = malloc(65535);

	(void)state;
	assert_non_null(p);
	memset(p, 0xff, 65535);
	assert_int_equal(cksum_fold(cksum_add(p, 65535, 0)), slow(p, 65535));
	fill(p, 65535, 7);
	assert_int_equal(cksum_fold(cksum_add(p, 65535, 0)), slow(p, 65535));
	assert_int_equal(cksum_fold(cksum_add(p, 65535, 0xffffffff)), slow(p, 65535));
	free(p);
}

/* RFC 1071, 2: pieces of even length may be summed one after the other. */
static void test_pieces(void **state)
{
	uint8_t b[101];

	(void)state;
	fill(b, sizeof(b), 3);
	for (size_t cut = 0; cut <= 100; cut += 2) {
		uint32_t sum = cksum_add(b, cut, 0);

		sum = cksum_add(b + cut, sizeof(b) - cut, sum);
		assert_int_equal(cksum_fold(sum), slow(b, sizeof(b)));
	}
}

/* RFC 9293, 3.1 and RFC 8200, 8.1: the pseudo-headers, written out. */
static void test_pseudo(void **state)
{
	static const uint8_t p4[12] = { 10, 0, 0, 1, 198, 51, 100, 10, 0, 6, 0x05, 0xdc };
	uint8_t p6[40] = { [35] = 0, [39] = 58 };
	struct addr src, dst;

	(void)state;
	assert_int_equal(addr_parse("10.0.0.1", &src), 0);
	assert_int_equal(addr_parse("198.51.100.10", &dst), 0);
	assert_int_equal(cksum_fold(cksum_pseudo(&src, &dst, 6, 1500, 0)), slow(p4, sizeof(p4)));
	assert_int_equal(addr_parse("2001:db8:2::10", &src), 0);
	assert_int_equal(addr_parse("2001:db8:1::2", &dst), 0);
	memcpy(p6, src.b, 16);
	memcpy(p6 + 16, dst.b, 16);
	p6[33] = 1;		/* 0x00012345: RFC 8200 has 32 bits of length */
	p6[34] = 0x23;
	p6[35] = 0x45;
	assert_int_equal(cksum_fold(cksum_pseudo(&src, &dst, 58, 0x12345, 0)),
			 slow(p6, sizeof(p6)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc1071),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_pseudo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
