/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/err.c: every reason for a drop has its own name. */
#include "../unit.h"

#include "wire/err.h"

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < WIRE_ERR_COUNT; i++) {
		assert_non_null(wire_err_names[i]);
		assert_true(wire_err_names[i][0] != '\0');
		for (int k = 0; k < i; k++)
			assert_string_not_equal(wire_err_names[i], wire_err_names[k]);
	}
	assert_int_equal(WIRE_OK, 0);
	assert_string_equal(wire_err_names[WIRE_SHORT], "short");
	assert_string_equal(wire_err_names[WIRE_VNET], "vnet");
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
