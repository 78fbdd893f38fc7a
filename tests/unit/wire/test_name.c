/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/name.c against RFC 1035, 2.3.4 and 3.1. */
#include "../unit.h"

#include "wire/name.h"

static void assert_name(const char *text, const char *want, size_t len)
{
	uint8_t buf[NAME_WIRE_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	assert_true(name_write(&w, text));
	assert_int_equal(sizeof(buf) - w.left, len);
	assert_memory_equal(buf, want, len);
}

static void assert_refused(const char *text)
{
	uint8_t buf[NAME_WIRE_MAX + 64];
	struct wr w = wr_init(buf, sizeof(buf));

	assert_false(name_write(&w, text));
}

static void test_names(void **state)
{
	(void)state;
	assert_name("org", "\3org", 5);
	assert_name("eng.apple.com", "\3eng\5apple\3com", 15);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("");
	assert_refused(".");
	assert_refused("a..b");
	assert_refused(".a");
	assert_refused("a.");
}

/* Labels of 63 bytes and names of 255, and one byte more. */
static void test_lengths(void **state)
{
	char text[256];
	uint8_t buf[NAME_WIRE_MAX];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	assert_true(name_write(&w, text));
	assert_int_equal(w.left, 0);
	text[253] = 'a';
	text[254] = '\0';
	assert_refused(text);
	text[63] = 'a';
	text[64] = '\0';
	assert_refused(text);
	text[63] = '\0';
	w = wr_init(buf, 64);		/* the length and the label, not the root */
	assert_false(name_write(&w, text));
	w = wr_init(buf, 65);
	assert_true(name_write(&w, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
