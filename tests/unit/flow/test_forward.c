/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/forward.c: the table and its two queues. */
#include "../unit.h"

#include "flow/forward.h"

static void test_queues(void **state)
{
	struct forward list[4] = {
		{ .sock = 5, .proto = CONF_TCP }, { .sock = 6, .proto = CONF_UDP },
		{ .sock = 7, .proto = CONF_TCP }, { .sock = -1 },
	};
	struct forwardtab t;

	(void)state;
	forward_init(&t, list, 3);
	assert_null(forward_dequeue(&t, CONF_TCP));
	for (int twice = 0; twice < 2; twice++)
		for (uint32_t i = 3; i; i--)
			forward_enqueue(&t, &list[i - 1]);
	assert_int_equal(t.queue[CONF_TCP].n, 2);
	assert_ptr_equal(forward_dequeue(&t, CONF_TCP), &list[2]);
	forward_enqueue(&t, &list[2]);
	assert_ptr_equal(forward_dequeue(&t, CONF_TCP), &list[0]);
	assert_ptr_equal(forward_dequeue(&t, CONF_TCP), &list[2]);
	assert_null(forward_dequeue(&t, CONF_TCP));
	assert_ptr_equal(forward_dequeue(&t, CONF_UDP), &list[1]);
	assert_null(forward_dequeue(&t, CONF_UDP));
}

static void test_at(void **state)
{
	struct forward list[4] = { { .sock = 5 }, { .sock = -1 }, { .sock = 6 }, { .sock = 7 } };
	struct forwardtab t;

	(void)state;
	forward_init(&t, list, 3);
	assert_ptr_equal(forward_at(&t, 0), &list[0]);
	assert_null(forward_at(&t, 1));			/* closed */
	assert_int_equal(forward_idx(&t, forward_at(&t, 2)), 2);
	assert_null(forward_at(&t, 3));			/* never used */
	assert_null(forward_at(&t, FORWARD_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
