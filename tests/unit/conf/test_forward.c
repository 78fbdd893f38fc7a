/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/conf/forward.c: every form of a rule's text, what is refused and why,
 * and that the text made from a rule is read as that rule again. */
#include "../unit.h"

#include "conf/forward.h"

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(a, buf), text);
}

static struct conf_forward parse(const char *text)
{
	struct conf_forward f;
	const char *why = forward_parse(text, CONF_UDP, &f);

	if (why)
		fail_msg("\"%s\" %s", text, why);
	assert_int_equal(f.proto, CONF_UDP);
	return f;
}

static void test_forms(void **state)
{
	struct conf_forward f = parse("8080:80");

	(void)state;
	assert_int_equal(f.kind, CONF_FORWARD_PORTS);
	assert_int_equal(f.first, 8080);
	assert_int_equal(f.last, 8080);
	assert_int_equal(f.to_first, 80);
	assert_true(addr_is_any(&f.addr) && addr_is_any(&f.to) && !f.ifname[0] && !f.ready);
	f = parse("8080");
	assert_int_equal(f.to_first, 8080);
	f = parse("9000-9010:8000-8010");
	assert_int_equal(f.first, 9000);
	assert_int_equal(f.last, 9010);
	assert_int_equal(f.to_first, 8000);
	f = parse("127.0.0.1:8443:443");
	assert_addr(&f.addr, "127.0.0.1");
	f = parse("[::1]:53:[fd00::2]:54");
	assert_addr(&f.addr, "::1");
	assert_addr(&f.to, "fd00::2");
	assert_int_equal(f.to_first, 54);
	f = parse("eth0.1/80:80");
	assert_string_equal(f.ifname, "eth0.1");
	f = parse("0:80");
	assert_int_equal(f.first, 0);
	assert_int_equal(f.last, 0);
	f = parse("1-65535");
	assert_int_equal(f.last, 65535);
	f = parse("eth0/10.0.0.1:auto");
	assert_int_equal(f.kind, CONF_FORWARD_AUTO);
	assert_addr(&f.addr, "10.0.0.1");
	f = parse("~20-22");
	assert_int_equal(f.kind, CONF_FORWARD_EXCEPT);
	assert_int_equal(f.first, 20);
	assert_int_equal(f.last, 22);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "is not [ADDRESS:|INTERFACE/]PORT" },
		{ "x", "is not" },
		{ "-1", "is not" },
		{ "65536", "is not" },
		{ "000080", "is not" },
		{ "2-1", "is not" },
		{ "0-1:0-1", "is not" },
		{ "1-", "is not" },
		{ " 80", "is not" },
		{ "0", "leads to no port" },
		{ "80:0", "leads to no port" },
		{ "80:", "has a target port that is none" },
		{ "80:x", "has a target port that is none" },
		{ "80:[::1:80", "has a target address that is none" },
		{ "80:300.0.0.1:80", "has a target address that is none" },
		{ "1-2:3", "has ranges of different size" },
		{ "1:3-4", "has ranges of different size" },
		{ "300.0.0.1:80:80", "has an address that is none" },
		{ "[127.0.0.1]:80", "has an address that is none" },
		{ "[::ffff:127.0.0.1]:80", "has an address that is none" },
		{ "[]:80", "has an address that is none" },
		{ "/80", "has an interface name that is none" },
		{ "a b/80", "has an interface name that is none" },
		{ "abcdefghijklmnop/80", "has an interface name that is none" },
		{ "8080:80/tcp", "has a protocol at its end: leave that out, the key chooses it"
		  " (forward.tcp or forward.udp)" },
		{ "80/udp", "has a protocol at its end" },
		{ "127.0.0.1:80:80/TCP", "has a protocol at its end" },
		{ "eth0/80:80/tcp", "has a protocol at its end" },
		{ "~22/tcp", "has a protocol at its end" },
		{ "8080:80/sctp", "asks for SCTP, which is not supported: TCP and UDP are" },
		{ "80/sctp", "asks for SCTP" },
		{ "80/quic", "is not" },
		{ "80:80/quic", "has an interface name that is none" },
		{ "80:80:80", "has something behind its end" },
		{ "80 ", "has something behind its end" },
		{ "autos", "is not" },
		{ "~", "excludes no port" },
		{ "~0", "excludes no port" },
		{ "~22:22", "has something behind its end" },
		{ "~auto", "excludes no port" },
	};
	struct conf_forward f;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		POISON(f);
		why = forward_parse(rows[i].text, CONF_TCP, &f);
		if (!why || strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
			fail_msg("\"%s\": \"%s\"", rows[i].text, why ? why : "taken");
		ASSERT_POISONED(f);
	}
}

static void test_format(void **state)
{
	static const struct {
		const char *text, *formatted;
	} rows[] = {
		{ "8080", "8080:8080" },
		{ "0:80", "0:80" },
		{ "9000-9010:8000-8010", "9000-9010:8000-8010" },
		{ "h0/[2001:db8::1]:1-2:[2001:db8::2]:3-4", "h0/[2001:db8::1]:1-2:[2001:db8::2]:3-4" },
		{ "127.0.0.1:80:10.0.0.2:81", "127.0.0.1:80:10.0.0.2:81" },
		{ "abcdefghijklmno/[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:10000-10001:"
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:20000-20001",
		  "abcdefghijklmno/[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:10000-10001:"
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:20000-20001" },
		{ "h0/auto", "h0/auto" },
		{ "~22-23", "~22-23" },
	};
	char buf[FORWARD_STRLEN];
	struct conf_forward f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f = parse(rows[i].text);
		assert_string_equal(forward_format(&f, buf), rows[i].formatted);
	}
}

static void test_excepted(void **state)
{
	struct conf_forward list[2] = { parse("80:80"), parse("~20-22") };

	(void)state;
	assert_false(forward_excepted(list, 2, CONF_UDP, 19));
	assert_true(forward_excepted(list, 2, CONF_UDP, 20));
	assert_true(forward_excepted(list, 2, CONF_UDP, 22));
	assert_false(forward_excepted(list, 2, CONF_UDP, 23));
	assert_false(forward_excepted(list, 2, CONF_UDP, 80));
	assert_false(forward_excepted(list, 2, CONF_TCP, 21));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_excepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
