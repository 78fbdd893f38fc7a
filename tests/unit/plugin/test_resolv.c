/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/resolv.c: what is taken from a file as resolv.conf(5) says it. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "plugin/attach/resolv.h"

static char path[] = "/tmp/test_resolv.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static struct conf read_text(const char *text)
{
	FILE *f = fopen(path, "w");
	struct conf c;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	conf_init(&c);
	assert_int_equal(resolv_read(path, &c), 0);
	return c;
}

static void assert_server(const struct conf *c, uint32_t i, const char *want)
{
	char text[ADDR_STRLEN];

	assert_true(i < c->nnameservers);
	assert_string_equal(addr_format(&c->nameservers[i], text), want);
}

static void test_servers(void **state)
{
	struct conf c = read_text("# nameserver 192.0.2.1\n; nameserver 192.0.2.1\n"
				  "nameserver 192.0.2.2\nnameserver\t2001:db8::1 # comment\n"
				  "nameserver fe80::1%eth0\nnameserver\nnameserver x\n"
				  "options ndots:5\nnameserver 127.0.0.53");

	(void)state;
	assert_int_equal(c.nnameservers, 3);
	assert_server(&c, 0, "192.0.2.2");
	assert_server(&c, 1, "2001:db8::1");
	assert_server(&c, 2, "127.0.0.53");	/* told apart by who uses it */
}

static void test_most_servers(void **state)
{
	char text[1024] = "";
	struct conf c;

	(void)state;
	for (int i = 1; i <= CONF_NAMESERVERS_MAX + 2; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "nameserver 192.0.2.%d\n", i);
	c = read_text(text);
	assert_int_equal(c.nnameservers, CONF_NAMESERVERS_MAX);
	assert_server(&c, CONF_NAMESERVERS_MAX - 1, "192.0.2.8");
}

/* The last of "domain" and "search" counts. */
static void test_search(void **state)
{
	struct conf c = read_text("domain d.example.\n");

	(void)state;
	assert_string_equal(c.domain, "d.example");
	c = read_text("domain d.example\nsearch a.example. b c..d .\n");
	assert_string_equal(c.domain, "");
	assert_int_equal(c.nsearch, 2);
	assert_string_equal(c.search[0], "a.example");
	assert_string_equal(c.search[1], "b");
	c = read_text("search a b\ndomain d\n");
	assert_int_equal(c.nsearch, 0);
	assert_string_equal(c.domain, "d");
	c = read_text("search 1 2 3 4 5 6 7 8 9 10\n");
	assert_int_equal(c.nsearch, CONF_SEARCH_MAX);
	c = read_text("search a\nsearch\n");
	assert_int_equal(c.nsearch, 0);
}

static void test_no_file(void **state)
{
	struct conf c;

	(void)state;
	conf_init(&c);
	assert_int_equal(resolv_read("/nonexistent/resolv.conf", &c), -ENOENT);
	assert_int_equal(c.nnameservers, 0);
}

/* What the configuration names stays. */
static void test_fill_leaves_given(void **state)
{
	struct conf c;

	(void)state;
	conf_init(&c);
	c.nnameservers = 1;
	c.nameservers[0] = addr_from4("\300\0\2\7");
	resolv_fill(&c);
	assert_int_equal(c.nnameservers, 1);
	assert_server(&c, 0, "192.0.2.7");
	assert_int_equal(c.nsearch, 0);
	assert_string_equal(c.domain, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_most_servers),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_fill_leaves_given),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
