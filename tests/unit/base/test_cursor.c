/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/cursor.h: bounds, byte order, "failed once, fails on". */
#include "../unit.h"

#include "base/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void test_read(void **state)
{
	struct rd r = rd_init(bytes, sizeof(bytes));
	uint8_t a = 0, rest[1];
	uint16_t b = 0;
	uint32_t c = 0;

	(void)state;
	assert_true(rd_u8(&r, &a) && rd_u16(&r, &b) && rd_u32(&r, &c));
	assert_int_equal(a, 1);
	assert_int_equal(b, 0x0203);
	assert_int_equal(c, 0x04050607);
	assert_true(rd_copy(&r, rest, 1));
	assert_int_equal(rest[0], 8);
	assert_int_equal(r.left, 0);
	assert_false(r.failed);
	assert_true(rd_skip(&r, 0));		/* nothing fits where nothing is left */
	assert_false(rd_skip(&r, 1));
}

/* Bit 31 and 15: no sign creeps in. */
static void test_read_high(void **state)
{
	static const uint8_t ones[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe };
	struct rd r = rd_init(ones, sizeof(ones));
	uint32_t c = 0;
	uint16_t b = 0;

	(void)state;
	assert_true(rd_u32(&r, &c) && rd_u16(&r, &b));
	assert_int_equal(c, 0xffffffff);
	assert_int_equal(b, 0xfffe);
}

/* Each read on each number of bytes below its own: output untouched, the
 * cursor fails from then on even for what would fit. */
static void test_read_short(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		BLOCK p = unit_block(bytes, n);
		struct rd r = rd_init(p, n), sub;
		uint8_t copy[4];
		uint32_t v;

		POISON(v);
		assert_false(rd_u32(&r, &v));
		ASSERT_POISONED(v);
		assert_true(r.failed);
		assert_int_equal(r.left, n);
		assert_ptr_equal(r.p, p);
		assert_false(rd_skip(&r, 0));
		assert_null(rd_bytes(&r, 0));

		r = rd_init(p, n);
		POISON(copy);
		assert_false(rd_copy(&r, copy, n + 1));
		ASSERT_POISONED(copy);

		r = rd_init(p, n);
		POISON(sub);
		assert_false(rd_sub(&r, n + 1, &sub));
		ASSERT_POISONED(sub);

		r = rd_init(p, n);
		assert_false(rd_skip(&r, SIZE_MAX));	/* no sum that could wrap */
	}
	for (size_t n = 0; n < 2; n++) {
		struct rd r = rd_init(bytes, n);
		uint16_t v;

		POISON(v);
		assert_false(rd_u16(&r, &v));
		ASSERT_POISONED(v);
	}
}

static void test_read_none(void **state)
{
	struct rd r = rd_init(bytes, 0);
	uint8_t v;

	(void)state;
	POISON(v);
	assert_false(rd_u8(&r, &v));
	ASSERT_POISONED(v);
}

/* A reader over nothing, as an empty vector gives it. */
static void test_read_null(void **state)
{
	struct rd r = rd_init(NULL, 0), sub;
	uint8_t v;

	(void)state;
	assert_true(rd_skip(&r, 0));
	assert_true(rd_sub(&r, 0, &sub));
	assert_false(r.failed);
	assert_false(rd_u8(&r, &v));
	assert_true(r.failed);
}

static void test_sub(void **state)
{
	struct rd r = rd_init(bytes, sizeof(bytes)), sub;
	uint16_t v;

	(void)state;
	assert_true(rd_skip(&r, 1));
	assert_true(rd_sub(&r, 3, &sub));
	assert_int_equal(r.left, 4);
	assert_ptr_equal(r.p, bytes + 4);
	assert_true(rd_u16(&sub, &v));
	assert_int_equal(v, 0x0203);
	assert_false(rd_u16(&sub, &v));		/* only one byte is its own */
	assert_true(sub.failed);
	assert_false(r.failed);			/* its parent goes on */
	assert_true(rd_sub(&r, 4, &r));		/* cutting in place */
	assert_int_equal(r.left, 4);
}

static void test_write(void **state)
{
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 0, 0, 9 };
	uint8_t out[sizeof(want)];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	assert_true(wr_u8(&w, 1) && wr_u16(&w, 0x0203) && wr_u32(&w, 0x04050607));
	assert_true(wr_zero(&w, 2));
	assert_true(wr_bytes(&w, &want[9], 1));
	assert_memory_equal(out, want, sizeof(want));
	assert_true(wr_bytes(&w, NULL, 0));
	assert_false(wr_u8(&w, 1));
}

static void test_write_short(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		uint8_t out[4];
		struct wr w = wr_init(out, n);

		POISON(out);
		assert_false(wr_u32(&w, 1));
		assert_true(w.failed);
		assert_false(wr_u8(&w, 1));	/* though it might fit */
		assert_false(wr_zero(&w, 0));
		w = wr_init(out, n);
		assert_false(wr_bytes(&w, bytes, n + 1));
		w = wr_init(out, n);
		assert_false(wr_zero(&w, n + 1));
		w = wr_init(out, n);
		assert_null(wr_space(&w, SIZE_MAX));
		ASSERT_POISONED(out);
	}
	for (size_t n = 0; n < 2; n++) {
		uint8_t out[2];
		struct wr w = wr_init(out, n);

		POISON(out);
		assert_false(wr_u16(&w, 1));
		ASSERT_POISONED(out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_high),
		cmocka_unit_test(test_read_short),
		cmocka_unit_test(test_read_none),
		cmocka_unit_test(test_read_null),
		cmocka_unit_test(test_sub),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
