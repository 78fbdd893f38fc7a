/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/conf/resolv.c: what is taken from text as resolv.conf(5) says it, and what of
 * a message about resolvers is believed. */
#include "../unit.h"

#include <stdio.h>

#include "conf/resolv.h"

static struct resolv parse(const char *text)
{
	struct resolv r;

	POISON(r);
	resolv_parse(text, strlen(text), &r);
	return r;
}

static void assert_server(const struct resolv *r, uint32_t i, const char *want, const char *ifname)
{
	char text[ADDR_STRLEN];

	assert_true(i < r->nservers);
	assert_string_equal(addr_format(&r->servers[i].addr, text), want);
	assert_string_equal(r->servers[i].ifname, ifname);
}

static void test_servers(void **state)
{
	struct resolv r = parse("# nameserver 192.0.2.1\n; nameserver 192.0.2.1\r\n"
				"nameserver 192.0.2.2\nnameserver\t2001:db8::1 # comment\n"
				"nameserver fe80::1%eth0\nnameserver\nnameserver x\n"
				"options ndots:5\n nameserver 127.0.0.53\nNAMESERVER 192.0.2.9");

	(void)state;
	assert_int_equal(r.nservers, 4);
	assert_server(&r, 0, "192.0.2.2", "");
	assert_server(&r, 1, "2001:db8::1", "");
	assert_server(&r, 2, "fe80::1", "eth0");
	assert_server(&r, 3, "127.0.0.53", "");
}

/* Nobody can be asked there, or nobody could tell which link is meant. */
static void test_not_servers(void **state)
{
	struct resolv r = parse("nameserver 0.0.0.0\nnameserver ::\nnameserver 224.0.0.251\n"
				"nameserver 255.255.255.255\nnameserver ff02::1\n"
				"nameserver ::ffff:192.0.2.1\nnameserver 192.0.2.1.5\n"
				"nameserver fe80::1%a/b\nnameserver fe80::1%\n"
				"nameserver fe80::1%0123456789abcdef\n"
				"nameserver 1111111111111111111111111111111111111111111111111111111111111\n");

	(void)state;
	assert_int_equal(r.nservers, 0);
	r = parse("nameserver 2001:db8::1%eth0\nnameserver ::1\n");
	assert_int_equal(r.nservers, 2);
	assert_server(&r, 0, "2001:db8::1", "");	/* the scope means nothing there */
	assert_server(&r, 1, "::1", "");
}

static void test_most_servers(void **state)
{
	char text[1024] = "";
	struct resolv r;

	(void)state;
	for (int i = 1; i <= (int)RESOLVERS_MAX + 2; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "nameserver 192.0.2.%d\n", i);
	r = parse(text);
	assert_int_equal(r.nservers, RESOLVERS_MAX);
	assert_server(&r, RESOLVERS_MAX - 1, "192.0.2.8", "");
}

/* The last of "domain" and "search" counts. */
static void test_search(void **state)
{
	struct resolv r = parse("domain d.example.\n");

	(void)state;
	assert_string_equal(r.domain, "d.example");
	r = parse("domain d.example\nsearch a.example. b c..d .\n");
	assert_string_equal(r.domain, "");
	assert_int_equal(r.nsearch, 2);
	assert_string_equal(r.search[0], "a.example");
	assert_string_equal(r.search[1], "b");
	r = parse("search a b\ndomain d\n");
	assert_int_equal(r.nsearch, 0);
	assert_string_equal(r.domain, "d");
	r = parse("search 1 2 3 4 5 6 7 8 9 10\n");
	assert_int_equal(r.nsearch, CONF_SEARCH_MAX);
	assert_string_equal(r.search[CONF_SEARCH_MAX - 1], "8");
	r = parse("search a\nsearch\n");
	assert_int_equal(r.nsearch, 0);
	r = parse("domain a b\n");
	assert_string_equal(r.domain, "a");
}

/* Bytes that are no text: each line by itself, and none read past its end. */
static void test_bytes(void **state)
{
	static const char text[] = "nameserver 192.0.2.1\0\nnameserver 192.0.2.2\n\0\n\nnameserver 19";
	struct resolv r;

	(void)state;
	POISON(r);
	resolv_parse(text, sizeof(text) - 1, &r);
	assert_int_equal(r.nservers, 1);
	assert_server(&r, 0, "192.0.2.2", "");
	resolv_parse("", 0, &r);
	assert_int_equal(r.nservers, 0);
	assert_int_equal(r.nsearch, 0);
}

static void test_host_names(void **state)
{
	(void)state;
	assert_true(resolv_host_ok("box"));
	assert_true(resolv_host_ok("box.example.org"));
	assert_true(resolv_host_ok("localhosts"));
	assert_false(resolv_host_ok("localhost"));
	assert_false(resolv_host_ok("LocalHost.localdomain"));
	assert_false(resolv_host_ok(""));
	assert_false(resolv_host_ok("a b"));
	assert_false(resolv_host_ok("(none)"));
}

static void test_message(void **state)
{
	struct resolvers r = { .n = 2, .host = "box" }, s;

	(void)state;
	r.list[0].addr = addr_loopback(true);
	addr_parse("fe80::1", &r.list[1].addr);
	r.list[1].scope = 3;
	assert_true(resolvers_ok(&r));
	s = r;
	assert_true(resolvers_eq(&r, &s));
	s.list[1].scope = 4;
	assert_false(resolvers_eq(&r, &s));
	s = r;
	strcpy(s.host, "localhost");
	assert_false(resolvers_ok(&s));
	assert_false(resolvers_eq(&r, &s));
	memset(s.host, 'a', sizeof(s.host));
	assert_false(resolvers_ok(&s));
	s = r;
	s.list[0].addr = ADDR_ANY;
	assert_false(resolvers_ok(&s));
	assert_false(resolvers_eq(&r, &s));
	s = r;
	s.n = RESOLVERS_MAX + 1;
	assert_false(resolvers_ok(&s));
	assert_false(resolvers_eq(&r, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_not_servers),
		cmocka_unit_test(test_most_servers),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
