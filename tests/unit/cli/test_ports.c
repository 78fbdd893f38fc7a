/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests cli/ports.c: each form of a specification as the rules it makes. */
#include "../unit.h"

#include <stdio.h>

#include "cli/ports.h"
#include "conf/forward.h"

static struct conf_forward rules[CONF_FORWARDS_MAX];
static uint32_t n;
static struct ports ports;

static const char *add(const char *spec)
{
	return ports_add(&ports, spec, (struct ports_ephemeral){ 32768, 60999 });
}

static void start(uint32_t max)
{
	n = 0;
	ports = (struct ports){ .rules = rules, .n = &n, .max = max, .proto = CONF_TCP };
}

/* The rules as text, each with its marks. */
static const char *made(void)
{
	static char all[4096];
	size_t len = 0;
	char text[FORWARD_STRLEN];

	all[0] = '\0';
	for (uint32_t i = 0; i < n; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s%s%s", i ? " " : "",
					forward_format(&rules[i], text), rules[i].ready ? "!" : "",
					rules[i].weak ? "?" : "");
	return all;
}

static void test_forms(void **state)
{
	static const struct {
		const char *spec, *rules;
	} cases[] = {
		{ "none", "" },
		{ "auto", "auto" },
		{ "all", "1-32767:1-32767? 61000-65535:61000-65535?" },
		{ "22", "22:22" },
		{ "22:23", "22:23" },
		{ "22,25", "22:22 25:25" },
		{ "22-80:32-90", "22-80:32-90" },
		{ "192.0.2.1/22", "192.0.2.1:22:22" },
		{ "192.0.2.1%eth0/22", "eth0/192.0.2.1:22:22" },
		{ "%eth0/22", "eth0/22:22" },
		{ "2001:db8::1/22", "[2001:db8::1]:22:22" },
		{ "[::1]/22", "[::1]:22:22" },
		{ "2000-5000,~3000-3010", "2000-2999:2000-2999 3011-5000:3011-5000" },
		{ "20-30:120-130,~25", "20-24:120-124 26-30:126-130" },
		{ "~25,20-30", "20-24:20-24 26-30:26-30" },
		{ "20,~20", "" },
		{ "~20000-20010", "1-19999:1-19999? 20011-32767:20011-32767? "
				  "61000-65535:61000-65535?" },
		{ "auto,~22,~65535", "auto ~22 ~65535" },
		{ "auto,8000-8010", "8000-8010:8000-8010!" },
		{ "65535", "65535:65535" },
		{ "::1/all", "[::1]:1-32767:1-32767? [::1]:61000-65535:61000-65535?" },
		{ "127.0.0.6/all:192.0.2.6", "127.0.0.6:1-32767:192.0.2.6:1-32767? "
					     "127.0.0.6:61000-65535:192.0.2.6:61000-65535?" },
		{ "all,~1-32767,~61001-65535", "61000:61000?" },
		{ "all,80:8080,~1-79,~82-32767,~61000-65535", "80:8080 81:81?" },
		{ "::1/auto", "[::1]:auto" },
		{ "all,auto,~22", "auto ~22" },
		{ "0.0.0.0/5000:192.0.2.5/6000", "0.0.0.0:5000:192.0.2.5:6000" },
		{ "5000:192.0.2.5/6000", "5000:192.0.2.5:6000" },
		{ "5000-5001:192.0.2.5/6000-6001,7", "5000-5001:192.0.2.5:6000-6001 7:7" },
		{ "5000:192.0.2.5", "5000:192.0.2.5:5000" },
		{ "5000:192.0.2.5,6000:fd00::1", "5000:192.0.2.5:5000 6000:[fd00::1]:6000" },
		{ "::1/5000:[fd00::1]/6000", "[::1]:5000:[fd00::1]:6000" },
		{ "5000:[fd00::1]/80-80", "5000:[fd00::1]:80" },
		{ "5000:fd00::1/80", "[5000:fd00::1]:80:80" },
		{ "~1-65535", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		start(CONF_FORWARDS_MAX);
		if (add(cases[i].spec))
			fail_msg("\"%s\" was refused", cases[i].spec);
		assert_string_equal(made(), cases[i].rules);
	}
}

static void test_refusals(void **state)
{
	static const char *const specs[] = {
		"", ",", "0", "65536", "000022", "80-70", "80-", "80:", "80:90-91", "80:0",
		"1-10:65530-65539", "80,", "80,,81", "80 ", "x", "~", "~x", "autox", "/80", "%/80",
		"%a/b/80", "192.0.2.1", "192.0.2/80", "[::1/80", "fe80::1%/80", "none,22",
		"all:", "all:80", "allx", "192.0.2.1/none", "80:192.0.2.1/", "80:192.0.2.1/x", "80:192.0.2/1",
		"80:[::1", "80:192.0.2.1/80-81", "192.0.2.1/80:192.0.2.1/80/80", "80:192.0.2.1:80",
		"%abcdefghijklmnop/80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		start(CONF_FORWARDS_MAX);
		if (!add(specs[i]))
			fail_msg("\"%s\" was taken: %s", specs[i], made());
		assert_int_equal(n, 0);
		assert_int_equal(ports.kind, PORTS_DEFAULT);
	}
}

static void test_several(void **state)
{
	(void)state;
	start(CONF_FORWARDS_MAX);
	assert_null(add("22"));
	assert_null(add("127.0.0.1/80"));
	assert_string_equal(made(), "22:22 127.0.0.1:80:80");
	assert_non_null(add("none"));
	assert_non_null(add("all"));
	assert_string_equal(made(), "22:22 127.0.0.1:80:80");
	start(CONF_FORWARDS_MAX);
	assert_null(add("none"));
	assert_null(add("none"));
	assert_null(add("22"));		/* podman's -p behind the administrator's "none" */
	assert_non_null(add("none"));
	assert_string_equal(made(), "22:22");
}

static void test_cap(void **state)
{
	(void)state;
	start(3);
	assert_null(add("1,3"));
	assert_non_null(add("5-9,~7"));		/* two more */
	assert_string_equal(made(), "1:1 3:3");
	assert_null(add("5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
