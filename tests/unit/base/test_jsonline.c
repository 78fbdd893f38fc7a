/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/jsonline.c: what is taken, with its values, and what is refused. */
#include "../unit.h"

#include <stdio.h>

#include "base/jsonline.h"

/* From a block of exactly its size, without an end. */
static const char *parse(const char *text, struct jsonline *ret)
{
	size_t len = strlen(text);
	BLOCK copy = malloc(len ? len : 1);

	memcpy(copy, text, len);
	return jsonline_parse((const char *)copy, len, ret);
}

static void test_values(void **state)
{
	struct jsonline j;

	(void)state;
	assert_null(parse(" {\"a\" : \"x\\\"\\\\\\/\\u0041\\n\", \"b\":9007199254740991,"
			  "\"c\":true,\"d\":false , \"e\":0} ", &j));
	assert_int_equal(j.n, 5);
	assert_string_equal(jsonline_find(&j, "a")->text, "x\"\\/A\n");
	assert_int_equal(jsonline_find(&j, "b")->number, JSONLINE_NUMBER_MAX);
	assert_int_equal(jsonline_find(&j, "c")->type, JSONLINE_BOOL);
	assert_int_equal(jsonline_find(&j, "c")->number, 1);
	assert_int_equal(jsonline_find(&j, "d")->number, 0);
	assert_int_equal(jsonline_find(&j, "e")->type, JSONLINE_NUMBER);
	assert_null(jsonline_find(&j, "f"));
	assert_null(parse("{}", &j));
	assert_int_equal(j.n, 0);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", " ", "x", "[]", "\"a\"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
		"{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":}", "{\"a\":null}", "{\"a\":{}}",
		"{\"a\":[]}", "{\"a\":-1}", "{\"a\":1.5}", "{\"a\":1e3}", "{\"a\":01}",
		"{\"a\":9007199254740992}", "{\"a\":99999999999999999999}", "{\"a\":tru}",
		"{\"a\":1,\"a\":2}", "{\"a\":1}x", "{\"a\":\"\x01\"}", "{\"a\":\"\xc3\xb6\"}",
		"{\"a\":\"\\x\"}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\u00e4\"}", "{\"a\":\"\\u00\"}",
		"{\"a\":\"\\\"}", "{\"a\":\"x",
	};
	struct jsonline j;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!parse(bad[i], &j))
			fail_msg("taken: %s", bad[i]);
}

static void test_bounds(void **state)
{
	char text[JSONLINE_STRING_MAX + 32], key[64];
	struct jsonline j;

	(void)state;
	for (int n = JSONLINE_MEMBERS; n <= JSONLINE_MEMBERS + 1; n++) {
		size_t len = 0;

		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"%d\":1",
						i ? "," : "{", i);
		snprintf(text + len, sizeof(text) - len, "}");
		assert_int_equal(parse(text, &j) != NULL, n > JSONLINE_MEMBERS);
	}
	for (int over = 0; over < 2; over++) {
		snprintf(text, sizeof(text), "{\"a\":\"%0*d\"}", JSONLINE_STRING_MAX + over, 0);
		assert_int_equal(parse(text, &j) != NULL, over);
		snprintf(key, sizeof(key), "{\"%0*d\":1}", JSONLINE_KEY_MAX + over, 0);
		assert_int_equal(parse(key, &j) != NULL, over);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
