/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/jsonout.c: commas, escapes, and what does not fit. */
#include "../unit.h"

#include "base/jsonout.h"

static struct jsonout write_all(char *buf, size_t size)
{
	struct jsonout o = jsonout_init(buf, size);

	jsonout_open(&o, NULL, '{');
	jsonout_string(&o, "s", "a\"\\\n\xff" "\xc3\xbc\xc2\x9b" "31m\xe2\x82");
	jsonout_open(&o, "list", '[');
	jsonout_number(&o, NULL, 0);
	jsonout_number(&o, NULL, UINT64_MAX);
	jsonout_open(&o, NULL, '{');
	jsonout_shut(&o, '}');
	jsonout_shut(&o, ']');
	jsonout_bool(&o, "yes", true);
	jsonout_bool(&o, "no", false);
	jsonout_shut(&o, '}');
	jsonout_line(&o);
	return o;
}

static const char wanted[] = "{\"s\":\"a\\\"\\\\\\u000a\\u003f\xc3\xbc\\u003f\\u003f" "31m\\u003f\\u003f\",\"list\":[0,18446744073709551615,{}],"
			     "\"yes\":true,\"no\":false}\n";

static void test_all(void **state)
{
	char buf[256];
	struct jsonout o = write_all(buf, sizeof(buf));

	(void)state;
	assert_false(o.failed);
	assert_int_equal(o.len, sizeof(wanted) - 1);
	assert_memory_equal(buf, wanted, o.len);
	assert_int_equal(jsonout_room(&o), sizeof(buf) - o.len);
}

static void test_every_size(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(wanted) - 1; size++) {
		BLOCK buf = malloc(size ? size : 1);
		struct jsonout o = write_all((char *)buf, size);

		assert_true(o.failed);
		assert_true(o.len <= size);
		assert_int_equal(jsonout_room(&o), 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
