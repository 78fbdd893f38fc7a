/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of sequence space against a flat map of bytes, also across 2^32. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "flow/ranges.h"

#define SPAN 64

static void test_join(void **state)
{
	struct ranges s = { .n = 0 };

	(void)state;
	assert_true(ranges_add(&s, 10, 20));
	assert_true(ranges_add(&s, 30, 40));
	assert_int_equal(s.n, 2);
	assert_int_equal(s.recent, 1);
	assert_true(ranges_add(&s, 20, 30));		/* touches both */
	assert_int_equal(s.n, 1);
	assert_int_equal(s.r[0].left, 10);
	assert_int_equal(s.r[0].right, 40);
	assert_int_equal(s.recent, 0);
}

static void test_full(void **state)
{
	struct ranges s = { .n = 0 }, old;

	(void)state;
	for (uint32_t i = 0; i < RANGES_MAX; i++)
		assert_true(ranges_add(&s, 100 + i * 10, 105 + i * 10));
	old = s;
	assert_false(ranges_add(&s, 100000, 100001));
	assert_memory_equal(&s, &old, sizeof(s));
	assert_true(ranges_add(&s, 105, 106));		/* no new piece */
}

static void test_reach(void **state)
{
	struct ranges s = { .n = 0 };
	struct range gap;

	(void)state;
	ranges_add(&s, UINT32_MAX - 4, 5);		/* across the wrap */
	ranges_add(&s, 10, 12);
	assert_true(ranges_gap(&s, UINT32_MAX - 9, &gap));
	assert_int_equal(gap.left, UINT32_MAX - 9);
	assert_int_equal(gap.right, UINT32_MAX - 4);
	assert_true(ranges_gap(&s, 2, &gap));
	assert_int_equal(gap.left, 5);
	assert_int_equal(gap.right, 10);
	assert_false(ranges_gap(&s, 11, &gap));
	assert_int_equal(ranges_reach(&s, UINT32_MAX - 9), UINT32_MAX - 9);
	assert_int_equal(ranges_reach(&s, UINT32_MAX - 4), 5);
	assert_int_equal(ranges_reach(&s, 11), 12);
	assert_int_equal(s.n, 0);
}

/* Compares the pieces with a map that has a flag for each byte. */
static void compare(const struct ranges *s, const uint8_t *map, uint32_t base)
{
	uint8_t own[SPAN] = { 0 };

	for (unsigned int i = 0; i < s->n; i++) {
		assert_true((int32_t)(s->r[i].right - s->r[i].left) > 0);
		assert_true(!i || (int32_t)(s->r[i].left - s->r[i - 1].right) > 0);
		for (uint32_t q = s->r[i].left; q != s->r[i].right; q++)
			own[q - base] = 1;
	}
	assert_memory_equal(own, map, SPAN);
	assert_true(s->recent < (s->n ? s->n : 1));
}

static void test_random(void **state)
{
	uint32_t seed = 1, base = UINT32_MAX - 20;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct ranges s = { .n = 0 };
		uint8_t map[SPAN] = { 0 };

		for (int i = 0; i < 12; i++) {
			uint32_t a, n;

			seed = seed * 1664525 + 1013904223;
			a = (seed >> 16) % SPAN;
			n = 1 + (seed >> 8) % 9;
			if (n > SPAN - a)
				n = SPAN - a;
			if (seed >> 30 == 0) {
				ranges_cut(&s, base + a);
				memset(map, 0, a);
			} else if (ranges_add(&s, base + a, base + a + n)) {
				memset(map + a, 1, n);
			}
			compare(&s, map, base);
		}
	}
}

/* Sets are handed out until all are in use, come back, are empty again. */
static void test_pool(void **state)
{
	static struct ranges sets[4];
	struct ranges_pool p;
	uint16_t got[4], none = 0;

	(void)state;
	memset(sets, 0xa5, sizeof(sets));
	ranges_pool_init(&p, sets, 3);
	for (int i = 0; i < 3; i++) {
		got[i] = ranges_take(&p);
		assert_in_range(got[i], 1, 3);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(got[i], got[k]);
		assert_int_equal(sets[got[i]].n, 0);
		assert_true(ranges_add(&sets[got[i]], 1, 2));
	}
	assert_int_equal(p.used, 3);
	assert_int_equal(ranges_take(&p), 0);
	assert_int_equal(p.used, 3);
	ranges_give(&p, &none);			/* gives nothing */
	assert_int_equal(p.used, 3);
	got[3] = got[1];
	ranges_give(&p, &got[1]);
	assert_int_equal(got[1], 0);
	assert_int_equal(p.used, 2);
	assert_int_equal(ranges_take(&p), got[3]);
	assert_int_equal(sets[got[3]].n, 0);
	assert_int_equal(sets[got[0]].n, 1);	/* the others kept theirs */
	ranges_give(&p, &got[0]);
	ranges_give(&p, &got[3]);
	ranges_give(&p, &got[2]);
	assert_int_equal(p.used, 0);
	for (int i = 0; i < 3; i++)
		assert_int_not_equal(ranges_take(&p), 0);
	assert_int_equal(ranges_take(&p), 0);
}

static void test_bytes(void **state)
{
	struct ranges s = { .n = 0 };

	(void)state;
	assert_int_equal(ranges_bytes(&s), 0);
	ranges_add(&s, UINT32_MAX - 4, 5);
	assert_int_equal(ranges_bytes(&s), 10);
	ranges_add(&s, 7, 8);
	assert_int_equal(ranges_bytes(&s), 11);
	ranges_add(&s, 0, 8);
	assert_int_equal(ranges_bytes(&s), 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
