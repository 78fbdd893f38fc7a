/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests io/suspend.c: what counts as a sleep, by scripted clocks. (Nothing here sets the
 * machine's.) */
#include "../unit.h"

#include <poll.h>

#include "io/suspend.h"

static void test_judgement(void **state)
{
	struct suspend s = { .fd = -1, .ahead_ms = 5000 };

	(void)state;
	/* both go on together, whatever the wall clock did */
	assert_int_equal(suspend_slept(&s, 105000, 100000), 0);
	assert_int_equal(suspend_slept(&s, 905010, 900010), 0);
	/* an hour between two looks, in which only one of them went on */
	assert_int_equal(suspend_slept(&s, 4505020, 900020), 3600000);
	/* told once */
	assert_int_equal(suspend_slept(&s, 4505030, 900030), 0);
	/* less than a second is not worth a word, and does not add up to one */
	assert_int_equal(suspend_slept(&s, 4506029, 900030), 0);
	assert_int_equal(suspend_slept(&s, 4507028, 900030), 0);
	assert_int_equal(suspend_slept(&s, 4508028, 900030), 1000);
	/* a clock that is behind what it was: none */
	assert_int_equal(suspend_slept(&s, 900030, 900030), 0);
}

static void test_quiet(void **state)
{
	struct suspend s;
	struct pollfd p;

	(void)state;
	if (suspend_open(&s) < 0)
		skip();
	p = (struct pollfd){ .fd = s.fd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 20), 0);
	assert_int_equal(suspend_heard(&s), 0);
	assert_true(s.fd >= 0);
	suspend_close(&s);
	assert_int_equal(s.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judgement),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
