/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/err.c: filling, hinting, prefixing, cutting. */
#include "../unit.h"

#include "base/err.h"

static void test_set(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(e.code, ERR_NONE);
	assert_int_equal(err_set(&e, ERR_IO, "open %s: %d", "/x", 7), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.msg, "open /x: 7");
	assert_string_equal(e.details, "");
	assert_int_equal(err_hint(&e, "load %s", "tun"), -1);
	assert_string_equal(e.details, "load tun");
	assert_string_equal(e.msg, "open /x: 7");
	/* a new error does not keep the old one's hint */
	err_set(&e, ERR_CONFIG, "other");
	assert_string_equal(e.details, "");
}

/* Callers that do not care give NULL. */
static void test_null(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
	assert_int_equal(err_hint(NULL, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

static void test_prefix(void **state)
{
	struct err e;

	(void)state;
	err_set(&e, ERR_IO, "inner");
	err_hint(&e, "hint");
	assert_int_equal(err_prefix(&e, "outer %d", 3), -1);
	assert_string_equal(e.msg, "outer 3: inner");
	assert_string_equal(e.details, "hint");
	assert_int_equal(e.code, ERR_IO);
	err_prefix(&e, "most");
	assert_string_equal(e.msg, "most: outer 3: inner");
	err_prefix(&e, "100%%");
	assert_string_equal(e.msg, "100%: most: outer 3: inner");
}

static void test_cut(void **state)
{
	char wide[ERR_DETAILS_MAX + 100];
	struct err e;

	(void)state;
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	err_set(&e, ERR_IO, "%s", wide);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	err_hint(&e, "%s", wide);
	assert_int_equal(strlen(e.details), ERR_DETAILS_MAX - 1);
	err_prefix(&e, "p");
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	assert_memory_equal(e.msg, "p: www", 6);
}

/* A prefix that fills the message, to the byte, or all but few of them. */
static void test_prefix_fills(void **state)
{
	char wide[ERR_MSG_MAX + 8];

	(void)state;
	for (size_t n = ERR_MSG_MAX - 8; n < sizeof(wide); n++) {
		struct {
			struct err e;
			uint8_t guard[8];
		} b;

		POISON(b);
		memset(wide, 'p', n);
		wide[n < sizeof(wide) ? n : sizeof(wide) - 1] = '\0';
		err_set(&b.e, ERR_IO, "inner");
		err_prefix(&b.e, "%s", wide);
		assert_true(strlen(b.e.msg) < ERR_MSG_MAX);
		if (n + 7 < ERR_MSG_MAX)
			assert_string_equal(b.e.msg + n, ": inner");
		else
			assert_int_equal(strlen(b.e.msg), ERR_MSG_MAX - 1);
		ASSERT_POISONED(b.guard);
	}
}

static void test_names(void **state)
{
	static const int codes[] = {
		ERR_NONE, ERR_VERSION, ERR_FIELD, ERR_CONTAINER, ERR_ENV, ERR_IO, ERR_DECODE,
		ERR_CONFIG, ERR_NETNS, ERR_AGAIN, ERR_PRIVILEGE, ERR_EXISTS, ERR_HOSTNET, ERR_PORT,
		ERR_INTERNAL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		assert_string_not_equal(err_name(codes[i]), "unknown");
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(err_name(codes[i]), err_name(codes[k]));
	}
	assert_string_equal(err_name(ERR_PRIVILEGE), "privilege");
	assert_string_equal(err_name(12345), "unknown");
	assert_string_equal(err_name(-1), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_prefix_fills),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
