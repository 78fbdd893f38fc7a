/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/base/addr.{h,c}: text forms, classes (RFC 4291, RFC 6890, RFC 3927)
 * and prefixes. */
#include "../unit.h"

#include <errno.h>

#include "base/addr.h"

static struct addr parse(const char *s)
{
	struct addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static void test_parse_good(void **state)
{
	static const struct {
		const char *in, *out;
		bool is4;
	} cases[] = {
		{ "0.0.0.0", "0.0.0.0", true },
		{ "255.255.255.255", "255.255.255.255", true },
		{ "198.51.100.10", "198.51.100.10", true },
		{ "::", "::", false },
		{ "::1", "::1", false },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", false },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304", false },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = parse(cases[i].in);
		char text[ADDR_STRLEN];

		assert_string_equal(addr_format(&a, text), cases[i].out);
		assert_int_equal(addr_is4(&a), cases[i].is4);
		assert_int_equal(addr_size(&a), cases[i].is4 ? 4 : 16);
	}
}

static void test_parse_bad(void **state)
{
	static const char *const cases[] = {
		"", " ", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",
		"0x7f.1", "1.2.3.-4", "localhost", ":", ":::", "1::2::3", "2001:db8::g",
		"2001:db8::1%eth0", "[::1]", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::",
		"::ffff:1.2.3.4", "::ffff:0:0", "0:0:0:0:0:FFFF:7f00:1",	/* mapped */
		"1.2.3.4/8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;

		POISON(a);
		assert_int_equal(addr_parse(cases[i], &a), -EINVAL);
		ASSERT_POISONED(a);
	}
}

/* One letter a class: U unspecified, L loopback, M multicast, B broadcast,
 * l link-local, 6 link-local IPv6. */
static void test_classes(void **state)
{
	static const struct {
		const char *text, *classes;
	} cases[] = {
		{ "0.0.0.0", "U" }, { "0.255.255.255", "U" }, { "1.0.0.0", "" },
		{ "126.255.255.255", "" }, { "127.0.0.0", "L" }, { "127.255.255.255", "L" },
		{ "128.0.0.0", "" }, { "169.253.255.255", "" }, { "169.254.0.0", "l" },
		{ "169.254.255.255", "l" }, { "169.255.0.0", "" },
		{ "223.255.255.255", "" }, { "224.0.0.0", "M" }, { "239.255.255.255", "M" },
		{ "240.0.0.0", "" }, { "255.255.255.254", "" }, { "255.255.255.255", "B" },
		{ "::", "U" }, { "::1", "L" }, { "::2", "" }, { "1::", "" }, { "1::1", "" },
		{ "fe7f:ffff::", "" }, { "fe80::", "l6" }, { "febf:ffff::1", "l6" },
		{ "fec0::", "" }, { "feff::", "" }, { "ff00::", "M" }, { "ffff::1", "M" },
		/* what would be something as IPv4 is nothing here */
		{ "::127.0.0.1", "" }, { "::224.0.0.1", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = parse(cases[i].text);
		const char *c = cases[i].classes;

		assert_int_equal(addr_is_unspecified(&a), strchr(c, 'U') != NULL);
		assert_int_equal(addr_is_loopback(&a), strchr(c, 'L') != NULL);
		assert_int_equal(addr_is_multicast(&a), strchr(c, 'M') != NULL);
		assert_int_equal(addr_is_broadcast(&a), strchr(c, 'B') != NULL);
		assert_int_equal(addr_is_linklocal(&a), strchr(c, 'l') != NULL);
		assert_int_equal(addr_is_linklocal6(&a), strchr(c, '6') != NULL);
		assert_int_equal(addr_is_unicast(&a), !addr_is_unspecified(&a) && !addr_is_loopback(&a) &&
						 !addr_is_multicast(&a) && !addr_is_broadcast(&a));
	}
}

static void test_bytes(void **state)
{
	static const uint8_t v4[4] = { 198, 51, 100, 10 };
	struct addr a = addr_from4(v4), b = parse("198.51.100.10"), any = ADDR_ANY;
	struct addr c = parse("2001:db8::1");

	(void)state;
	assert_true(addr_eq(&a, &b));
	assert_memory_equal(addr_bytes(&a), v4, 4);
	assert_ptr_equal(addr_bytes(&c), c.b);
	b = addr_from6(c.b);
	assert_true(addr_eq(&b, &c));
	assert_true(addr_is_any(&any));
	a = parse("0.0.0.0");
	assert_false(addr_is_any(&a));		/* "no address" is ::, not 0.0.0.0 */
}

static void test_prefix_parse(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "10.0.0.0/8", "10.0.0.0/8" }, { "10.1.2.3", "10.1.2.3/32" },
		{ "10.1.2.3/0", "10.1.2.3/0" }, { "10.1.2.3/32", "10.1.2.3/32" },
		{ "2001:db8::1", "2001:db8::1/128" }, { "2001:db8::1/64", "2001:db8::1/64" },
		{ "::/0", "::/0" },
	};
	static const char *const bad[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
		"10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/8x", "10.0.0.0/8/8", "10.0.0/8",
		"2001:db8::/129", "::ffff:10.0.0.0/104",
		"10.0.0.0/18446744073709551624",	/* 8, were it to wrap */
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[PREFIX_STRLEN];
		struct prefix p;

		assert_int_equal(prefix_parse(good[i].in, &p), 0);
		assert_string_equal(prefix_format(&p, text), good[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct prefix p;

		POISON(p);
		assert_int_equal(prefix_parse(bad[i], &p), -EINVAL);
		ASSERT_POISONED(p);
	}
}

static void test_prefix_contains(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool want;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true }, { "10.0.0.0/8", "11.0.0.0", false },
		{ "10.9.9.9/8", "10.0.0.1", true },	/* host bits do not count */
		{ "172.16.0.0/12", "172.31.255.255", true },
		{ "172.16.0.0/12", "172.32.0.0", false },
		{ "172.16.0.0/12", "172.15.255.255", false },
		{ "0.0.0.0/0", "203.0.113.1", true }, { "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true }, { "::/0", "203.0.113.1", false },
		{ "203.0.113.1/32", "203.0.113.1", true },
		{ "203.0.113.1/32", "203.0.113.0", false },
		{ "203.0.113.1/31", "203.0.113.0", true },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "2001:db8::1/128", "2001:db8::", false },
		{ "2001:db8::1/127", "2001:db8::", true },
		{ "128.0.0.0/1", "127.0.0.1", false }, { "128.0.0.0/1", "255.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = parse(cases[i].addr);
		struct prefix p;

		assert_int_equal(prefix_parse(cases[i].prefix, &p), 0);
		assert_int_equal(prefix_contains(&p, &a), cases[i].want);
	}
}

static void test_mac(void **state)
{
	static const char *const bad[] = {
		"", "9a:55:9a:55:9a", "9a:55:9a:55:9a:55:", "9a:55:9a:55:9a:5", "9a-55-9a-55-9a-55",
		"9a:55:9a:55:9a:5g", " 9a:55:9a:55:9a:5", "9a:55:9a:55:9a::5", "a:5:9:55:9a:55",
		"9a:55:9a:55:9a:555", "9a559a559a55", "+a:55:9a:55:9a:55", "0x:55:9a:55:9a:55",
		"a:bb:cc:dd:ee:fff", ":9a:55:9a:55:9a:5", "9a:55:9a:55:9a:55:01",
	};
	struct mac m, none = { { 0 } };
	char text[MAC_STRLEN];

	(void)state;
	assert_int_equal(mac_parse("9A:55:00:ff:0b:01", &m), 0);
	assert_string_equal(mac_format(&m, text), "9a:55:00:ff:0b:01");
	assert_true(mac_is_usable(&m));
	assert_false(mac_is_usable(&none));
	m.b[0] |= 1;
	assert_false(mac_is_usable(&m));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		POISON(m);
		assert_int_equal(mac_parse(bad[i], &m), -EINVAL);
		ASSERT_POISONED(m);
	}
}

/* RFC 4291, appendix A: the universal/local bit turned over, ff:fe between. */
static void test_linklocal_of(void **state)
{
	const struct mac m = { { 0x02, 0xc0, 0x00, 0x12, 0x34, 0x56 } };
	struct addr a = addr_linklocal6(&m);
	char text[ADDR_STRLEN];

	(void)state;
	assert_string_equal(addr_format(&a, text), "fe80::c0:ff:fe12:3456");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_good),
		cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_prefix_parse),
		cmocka_unit_test(test_prefix_contains),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_linklocal_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
