/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/icmp.c against RFC 792 and RFC 4443 (2.1, 2.3, 3.2, 4.1), with
 * checksums worked out elsewhere. */
#include "../unit.h"

#include "wire/icmp.h"
#include "wire/numbers.h"

static const uint8_t echo4[17] = {
	8, 0, 0xeb, 0x34, 0x12, 0x34, 0, 1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
};
static const uint8_t echo6[17] = {
	128, 0, 0x17, 0x62, 0x12, 0x34, 0, 1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
};
/* Packet Too Big, MTU 1280, from fe80::1 to 2001:db8:1::2 */
static const uint8_t toobig[8] = { 2, 0, 0xcc, 0x7f, 0, 0, 0x05, 0x00 };

static void test_short(void **state)
{
	(void)state;
	for (size_t n = 0; n <= ICMP_HLEN; n++) {
		BLOCK p = unit_block(echo4, n);
		struct rd r = rd_init(p, n);
		struct icmp i;

		POISON(i);
		if (n == ICMP_HLEN) {
			assert_int_equal(icmp_read(&r, false, &i), WIRE_OK);
		} else {
			assert_int_equal(icmp_read(&r, false, &i), WIRE_SHORT);
			ASSERT_POISONED(i);
		}
	}
}

static void test_echo(void **state)
{
	struct rd r4 = rd_init(echo4, sizeof(echo4)), r6 = rd_init(echo6, sizeof(echo6));
	struct icmp i;

	(void)state;
	assert_int_equal(icmp_read(&r4, false, &i), WIRE_OK);
	assert_int_equal(i.type, ICMP4_ECHO);
	assert_int_equal(i.code, 0);
	assert_int_equal(i.sum, 0xeb34);
	assert_int_equal(i.echo.id, 0x1234);
	assert_int_equal(i.echo.seq, 1);
	assert_int_equal(r4.left, 9);
	assert_int_equal(icmp_read(&r6, true, &i), WIRE_OK);
	assert_int_equal(i.type, ICMP6_ECHO);
	assert_int_equal(i.sum, 0x1762);
	assert_int_equal(i.echo.id, 0x1234);
	assert_int_equal(i.echo.seq, 1);
	assert_int_equal(r6.left, 9);
}

/* All 256 types of each: the two echo types of the version, and only they,
 * give id and sequence number; the others the 32 bits as one number. */
static void test_every_type(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < 512; type++) {
		const uint8_t b[8] = { (uint8_t)type, 0, 0, 0, 1, 2, 3, 4 };
		bool v6 = type > 255;
		bool echo = v6 ? b[0] == 128 || b[0] == 129 : b[0] == 8 || b[0] == 0;
		struct rd r = rd_init(b, sizeof(b));
		struct icmp i;

		assert_int_equal(icmp_read(&r, v6, &i), WIRE_OK);
		assert_int_equal(i.type, b[0]);
		if (echo) {
			assert_int_equal(i.echo.id, 0x0102);
			assert_int_equal(i.echo.seq, 0x0304);
		} else {
			assert_int_equal(i.rest, 0x01020304);
			assert_int_equal(i.mtu, 0x01020304);
		}
	}
}

static void test_write4(void **state)
{
	struct icmp h = { .type = ICMP4_ECHO, .sum = 0xffff, .echo = { 0x1234, 1 } };
	uint8_t out[sizeof(echo4) + 1];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	assert_int_equal(icmp_write(&w, false, &h, NULL, NULL, "abcdefghi", 9), sizeof(echo4));
	assert_memory_equal(out, echo4, sizeof(echo4));
	assert_int_equal(w.left, 1);
	assert_true(icmp4_sum_ok(out, sizeof(echo4)));
}

static void test_write6(void **state)
{
	struct icmp h = { .type = ICMP6_ECHO, .echo = { 0x1234, 1 } };
	struct icmp big = { .type = ICMP6_TOOBIG, .mtu = 1280 };
	uint8_t out[sizeof(echo6)];
	struct wr w = wr_init(out, sizeof(out));
	struct addr src, dst;

	(void)state;
	assert_int_equal(addr_parse("2001:db8:2::10", &src), 0);
	assert_int_equal(addr_parse("2001:db8:1::2", &dst), 0);
	assert_int_equal(icmp_write(&w, true, &h, &src, &dst, "abcdefghi", 9), sizeof(echo6));
	assert_memory_equal(out, echo6, sizeof(echo6));
	/* no data: data may be NULL */
	assert_int_equal(addr_parse("fe80::1", &src), 0);
	w = wr_init(out, sizeof(out));
	assert_int_equal(icmp_write(&w, true, &big, &src, &dst, NULL, 0), sizeof(toobig));
	assert_memory_equal(out, toobig, sizeof(toobig));
}

/* The data are in the frame already: in place, or a little off. */
static void test_write_in_place(void **state)
{
	struct icmp h = { .type = ICMP4_ECHO, .echo = { 0x1234, 1 } };
	uint8_t out[32];

	(void)state;
	for (size_t at = 0; at <= 16; at++) {
		struct wr w = wr_init(out, sizeof(out));

		memset(out, 0xee, sizeof(out));
		memcpy(out + at, "abcdefghi", 9);
		assert_int_equal(icmp_write(&w, false, &h, NULL, NULL, out + at, 9),
				 sizeof(echo4));
		assert_memory_equal(out, echo4, sizeof(echo4));
	}
}

static void test_write_no_room(void **state)
{
	struct icmp h = { .type = ICMP4_ECHO };
	uint8_t out[16];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	POISON(out);
	assert_int_equal(icmp_write(&w, false, &h, NULL, NULL, "abcdefghi", 9), 0);
	assert_true(w.failed);
	w = wr_init(out, 7);
	assert_int_equal(icmp_write(&w, false, &h, NULL, NULL, NULL, 0), 0);
	w = wr_init(out, sizeof(out));
	assert_int_equal(icmp_write(&w, false, &h, NULL, NULL, out, SIZE_MAX), 0);
	w = wr_init(out, sizeof(out));
	assert_int_equal(icmp_write(&w, false, &h, NULL, NULL, out, SIZE_MAX - 7), 0);
	ASSERT_POISONED(out);
}

/* RFC 1624: what a full sum over the changed message would be, for every identifier. */
static void test_renumber(void **state)
{
	(void)state;
	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		struct rd r = rd_init(echo4, sizeof(echo4));
		uint8_t out[sizeof(echo4)];
		struct wr w = wr_init(out, sizeof(out));
		struct icmp h;

		assert_int_equal(icmp_read(&r, false, &h), WIRE_OK);
		icmp_renumber(&h, (uint16_t)id);
		assert_true(icmp_write_echo(&w, &h));
		memcpy(w.p, r.p, r.left);
		assert_int_equal(out[4] << 8 | out[5], id);
		assert_true(icmp4_sum_ok(out, sizeof(out)));
	}
}

static void test_sum4(void **state)
{
	static const uint8_t zero[16];
	uint8_t b[sizeof(echo4)];

	(void)state;
	memcpy(b, echo4, sizeof(b));
	assert_true(icmp4_sum_ok(b, sizeof(b)));
	for (size_t bit = 0; bit < sizeof(b) * 8; bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(icmp4_sum_ok(b, sizeof(b)));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t n = 0; n < sizeof(b); n++) {
		BLOCK p = unit_block(b, n);

		assert_false(icmp4_sum_ok(p, n));
	}
	assert_false(icmp4_sum_ok(zero, sizeof(zero)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_write4),
		cmocka_unit_test(test_write6),
		cmocka_unit_test(test_write_in_place),
		cmocka_unit_test(test_write_no_room),
		cmocka_unit_test(test_renumber),
		cmocka_unit_test(test_sum4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
