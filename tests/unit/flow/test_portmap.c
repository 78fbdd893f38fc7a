/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/portmap.c. */
#include "../unit.h"

#include "flow/portmap.h"

#define MAPS 200

static struct portmap maps[MAPS + 1];
static uint32_t buckets[PORTMAP_BUCKETS];

static struct portmaps start(void)
{
	const struct sipkey key = { { 1, 2 } };
	struct portmaps p;

	memset(maps, 0, sizeof(maps));
	memset(buckets, 0, sizeof(buckets));
	portmap_init(&p, maps, buckets, &key);
	return p;
}

static struct addr inner(uint32_t n)
{
	const uint8_t a[4] = { 10, 0, (uint8_t)(n >> 8), (uint8_t)n };

	return addr_from4(a);
}

static void test_endpoint(void **state)
{
	struct portmaps p = start();
	struct addr a = inner(1), b = inner(2);
	uint32_t four, six, other;

	(void)state;
	assert_int_equal(portmap_find(&p, &a, 44000, true), PORTMAP_NONE);
	four = portmap_add(&p, &a, 44000, true, 44000);
	assert_int_equal(portmap_find(&p, &a, 44000, true), four);
	assert_int_equal(portmap_find(&p, &a, 44000, false), PORTMAP_NONE);
	assert_int_equal(portmap_find(&p, &a, 44001, true), PORTMAP_NONE);
	assert_int_equal(portmap_find(&p, &b, 44000, true), PORTMAP_NONE);
	six = portmap_add(&p, &a, 44000, false, 50000);
	other = portmap_add(&p, &b, 44000, true, 50001);
	assert_int_equal(portmap_find(&p, &a, 44000, true), four);
	assert_int_equal(maps[portmap_find(&p, &a, 44000, false)].outer_port, 50000);
	assert_int_equal(maps[portmap_find(&p, &b, 44000, true)].outer_port, 50001);
	assert_int_equal(p.used, 3);
	portmap_put(&p, &six);
	assert_int_equal(six, PORTMAP_NONE);
	assert_int_equal(portmap_find(&p, &a, 44000, false), PORTMAP_NONE);
	assert_int_equal(portmap_find(&p, &b, 44000, true), other);
	portmap_put(&p, &six);		/* none: nothing */
	assert_int_equal(p.used, 2);
}

/* It lives as long as a flow has it. */
static void test_flows(void **state)
{
	struct portmaps p = start();
	struct addr a = inner(1);
	uint32_t first = portmap_add(&p, &a, 53, true, 1053), second = first;

	(void)state;
	maps[first].flows++;
	portmap_put(&p, &first);
	assert_int_equal(portmap_find(&p, &a, 53, true), second);
	portmap_put(&p, &second);
	assert_int_equal(portmap_find(&p, &a, 53, true), PORTMAP_NONE);
	assert_int_equal(p.used, 0);
}

/* Many, in few places, come and go in any order. */
static void test_many(void **state)
{
	struct portmaps p = start();
	uint32_t map[MAPS] = { 0 };
	uint32_t x = 7;

	(void)state;
	for (unsigned int step = 0; step < 20000; step++) {
		uint32_t i = (x = x * 1103515245 + 12345) >> 8, n = i % MAPS;
		struct addr a = inner(n / 2);

		if (map[n]) {
			assert_int_equal(portmap_find(&p, &a, 9, n % 2), map[n]);
			portmap_put(&p, &map[n]);
		} else {
			map[n] = portmap_add(&p, &a, 9, n % 2, (uint16_t)n);
			assert_true(map[n] && map[n] <= MAPS);
		}
	}
	for (uint32_t n = 0; n < MAPS; n++) {
		struct addr a = inner(n / 2);
		uint32_t found = portmap_find(&p, &a, 9, n % 2);

		assert_int_equal(found, map[n]);
		assert_true(!found || maps[found].outer_port == n);
		portmap_put(&p, &map[n]);
	}
	assert_int_equal(p.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoint), cmocka_unit_test(test_flows),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("portmap", tests, NULL, NULL);
}
