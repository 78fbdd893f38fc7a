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

static void test_unqueue_and_set(void **state)
{
	struct forward list[6] = { { .sock = 5 }, { .sock = 6 }, { .sock = 7 } };
	const struct forward fresh = { .sock = 9, .proto = CONF_UDP, .port = 53, .queued = true };
	struct forwardtab t;

	(void)state;
	forward_init(&t, list, 3);
	for (uint32_t i = 0; i < 3; i++)
		forward_enqueue(&t, &list[i]);
	forward_unqueue(&t, &list[2]);		/* last */
	forward_unqueue(&t, &list[0]);		/* first */
	forward_unqueue(&t, &list[0]);		/* is not there */
	forward_enqueue(&t, &list[2]);
	assert_ptr_equal(forward_dequeue(&t, CONF_TCP), &list[1]);
	forward_unqueue(&t, &list[2]);		/* the only one */
	assert_null(forward_dequeue(&t, CONF_TCP));
	forward_set(&t, 5, &fresh);
	assert_int_equal(t.n, 6);
	assert_null(forward_at(&t, 3));
	assert_null(forward_at(&t, 4));
	assert_false(forward_at(&t, 5)->queued);
	forward_enqueue(&t, &list[5]);
	assert_ptr_equal(forward_dequeue(&t, CONF_UDP), &list[5]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_at),
		cmocka_unit_test(test_unqueue_and_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
