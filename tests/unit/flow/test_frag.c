/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/frag.c: every order, every overlap, the caps. That it agrees with
 * a table of bytes for any input is tests/fuzz/fuzz_frag.c's. */
#include "../unit.h"

#include <stdlib.h>

#include "flow/frag.h"

static struct fragtab *table;
static uint8_t bytes[FRAG_BYTES];

static int set_up(void **state)
{
	(void)state;
	table = calloc(1, sizeof(*table));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 251);
	return table ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(table);
	return 0;
}

/* Bytes from..to of datagram id. */
static enum frag_verdict add(uint32_t id, uint32_t from, uint32_t to, bool more, struct frag **f)
{
	const struct ip ip = {
		.version = 4, .src = addr_from4("\1\2\3\4"), .dst = addr_from4("\5\6\7\10"),
		.proto = 17, .id = id, .fragment = true, .more = more,
		.frag_off = (uint16_t)from, .len = (uint16_t)(to - from),
	};
	bool evicted;

	return frag_add(table, &ip, bytes + from, to - from, 1000 + id, f, &evicted);
}

static void whole(struct frag *f, uint32_t len)
{
	assert_int_equal(f->total, len);
	assert_memory_equal(frag_payload(table, f), bytes, len);
	frag_free(table, f);
	assert_int_equal(table->used, 0);
}

static void test_orders(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
					 { 2, 0, 1 }, { 2, 1, 0 } };
	static const uint32_t edges[] = { 0, 1480, 2960, 3001 };
	struct frag *f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		for (int k = 0; k < 3; k++) {
			int n = orders[i][k];

			assert_int_equal(add(7, edges[n], edges[n + 1], n < 2, &f),
					 k == 2 ? FRAG_WHOLE : FRAG_WAITS);
		}
		whole(f, 3001);
	}
}

/* The largest, in the smallest pieces, every other one first. */
static void test_smallest_pieces(void **state)
{
	struct frag *f = NULL;
	enum frag_verdict v = FRAG_WAITS;

	(void)state;
	for (uint32_t at = 0; at < 65528; at += 16)
		assert_int_equal(add(1, at, at + 8, true, &f), FRAG_WAITS);
	for (uint32_t at = 8; at < 65528; at += 16) {
		assert_int_equal(v, FRAG_WAITS);
		v = add(1, at, at + 8, true, &f);
	}
	assert_int_equal(v, FRAG_WAITS);
	assert_int_equal(add(1, 65528, 65535, false, &f), FRAG_WHOLE);
	whole(f, 65535);
}

static void test_repeated(void **state)
{
	struct frag *f;

	(void)state;
	assert_int_equal(add(1, 0, 800, true, &f), FRAG_WAITS);
	assert_int_equal(add(1, 0, 800, true, &f), FRAG_REPEATED);
	assert_int_equal(add(1, 1600, 1601, false, &f), FRAG_WAITS);
	assert_int_equal(add(1, 1600, 1601, false, &f), FRAG_REPEATED);
	assert_int_equal(add(1, 800, 1600, true, &f), FRAG_WHOLE);
	whole(f, 1601);
}

/* Each second piece makes the datagram fail, whatever follows (RFC 5722). */
static void test_refused(void **state)
{
	static const struct {
		uint32_t from1, to1, from2, to2;
		bool more1, more2, other;
	} cases[] = {
		{ 0, 800, 792, 1600, true, true, false },	/* one eight in common */
		{ 800, 1600, 0, 808, true, true, false },
		{ 0, 800, 0, 808, true, true, false },
		{ 800, 1600, 0, 2400, true, true, false },	/* swallows it */
		{ 0, 800, 80, 160, true, true, true },		/* inside, other bytes */
		{ 0, 800, 0, 800, true, true, true },
		{ 0, 800, 0, 800, true, false, false },		/* the same as the last one */
		{ 800, 1600, 800, 1600, false, true, false },
		{ 800, 1600, 1600, 2400, false, true, false },	/* behind the end */
		{ 800, 1600, 1600, 1601, false, false, false },	/* another end */
		{ 1600, 2400, 800, 1600, true, false, false },	/* an end before what came */
		{ 1600, 2400, 0, 64 * 8, true, false, false },	/* the same in whole words */
		{ 800, 1604, 1600, 1608, false, true, false },	/* a piece in the last eight */
	};
	struct frag *f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(add(1, cases[i].from1, cases[i].to1, cases[i].more1, &f),
				 FRAG_WAITS);
		bytes[cases[i].from2] ^= cases[i].other;
		assert_int_equal(add(1, cases[i].from2, cases[i].to2, cases[i].more2, &f),
				 FRAG_REFUSED);
		bytes[cases[i].from2] ^= cases[i].other;
		assert_int_equal(add(1, 30000, 30008, true, &f), FRAG_REFUSED);
		assert_int_equal(f->state, FRAG_ABANDONED);
		frag_free(table, f);
	}
}

static void test_eviction(void **state)
{
	struct frag *f;
	const struct ip ip = { .version = 4, .proto = 6, .id = 900, .fragment = true, .more = true };
	bool evicted;

	(void)state;
	for (uint32_t id = 0; id < FRAG_MAX; id++)
		add(id, 0, 8, true, &f);
	assert_int_equal(table->used, FRAG_MAX);
	frag_add(table, &ip, bytes, 8, 5000, &f, &evicted);
	assert_true(evicted);
	assert_int_equal(table->used, FRAG_MAX);
	assert_int_equal(add(1, 8, 9, false, &f), FRAG_WHOLE);		/* 0 went, not 1 */
	frag_free(table, f);
	assert_int_equal(add(0, 8, 9, false, &f), FRAG_WAITS);
	assert_int_equal(frag_next(table), 1000 + FRAG_TIMEOUT_MS);
	assert_null(frag_expired(table, 999 + FRAG_TIMEOUT_MS));
	for (uint32_t n = table->used; n; n--) {
		f = frag_expired(table, 1000000);
		assert_non_null(f);
		frag_free(table, f);
	}
	assert_null(frag_expired(table, 1000000));
	assert_true(frag_next(table) == UINT64_MAX);
}

/* One is a datagram by source, destination, identification; protocol in IPv4 only. */
static void test_keys(void **state)
{
	struct ip ip = { .version = 4, .src = addr_from4("\1\2\3\4"), .dst = addr_from4("\5\6\7\10"),
			 .proto = 17, .id = 9, .fragment = true, .more = true };
	struct frag *f;
	bool evicted;

	(void)state;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	ip.proto = 6;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	ip.id++;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	ip.src.b[15]++;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	ip.dst.b[15]++;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	assert_int_equal(table->used, 5);
	ip = (struct ip){ .version = 6, .src = { { 0x20, 1 } }, .dst = { { 0x20, 2 } },
			  .proto = 17, .fragment = true, .more = true };
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	ip.proto = 60;		/* later pieces' next header means nothing (RFC 8200, 4.5) */
	ip.frag_off = 8;
	ip.more = false;
	assert_int_equal(frag_add(table, &ip, bytes, 1, 0, &f, &evicted), FRAG_WHOLE);
	assert_int_equal(f->ip.proto, 17);
	assert_int_equal(table->used, 6);
}

/* RFC 3168, 5.3: congestion that one piece met is the whole's. */
static void test_congestion(void **state)
{
	struct ip ip = { .version = 4, .tos = 2, .fragment = true, .more = true, .frag_off = 8 };
	struct frag *f;
	bool evicted;

	(void)state;
	ip.tos = 3;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	ip.frag_off = 0;
	ip.tos = 2;
	frag_add(table, &ip, bytes, 8, 0, &f, &evicted);
	assert_int_equal(f->ip.tos, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_orders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_smallest_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_repeated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_eviction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_congestion, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
