/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/resolv.c: what of the host's file the container is told. */
#include "../unit.h"

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

static void put_text(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Filled from a file that is not there, then the one with the text. */
static struct conf fill(const char *text, uint32_t forwarders)
{
	const char *const files[] = { "/nonexistent/resolv.conf", path };
	struct conf c;

	put_text(text);
	conf_init(&c);
	c.ndns_forward = forwarders;
	resolv_fill_from(&c, files, ARRAY_LEN(files));
	return c;
}

static void assert_server(const struct conf *c, uint32_t i, const char *want)
{
	char text[ADDR_STRLEN];

	assert_true(i < c->nnameservers);
	assert_string_equal(addr_format(&c->nameservers[i], text), want);
}

/* Without a forwarder: those that the container can ask where they stand. */
static void test_servers(void **state)
{
	struct conf c = fill("nameserver 127.0.0.53\nnameserver 192.0.2.2\nnameserver fe80::1%eth0\n"
			     "nameserver 2001:db8::1\nsearch a.example b\n", 0);

	(void)state;
	assert_int_equal(c.nnameservers, 2);
	assert_server(&c, 0, "192.0.2.2");
	assert_server(&c, 1, "2001:db8::1");
	assert_int_equal(c.nsearch, 2);
	assert_string_equal(c.search[0], "a.example");
}

/* A file whose servers only the host can ask is not the one, names and all. */
static void test_only_loopback(void **state)
{
	struct conf c = fill("nameserver 127.0.0.53\nsearch a.example\n", 0);

	(void)state;
	assert_int_equal(c.nnameservers, 0);
	assert_int_equal(c.nsearch, 0);
}

/* With a forwarder it is that which is told, and the names are the host's. */
static void test_forwarder(void **state)
{
	struct conf c = fill("nameserver 127.0.0.53\nnameserver 192.0.2.2\ndomain d.example\n", 1);

	(void)state;
	assert_int_equal(c.nnameservers, 0);
	assert_string_equal(c.domain, "d.example");
}

/* What the configuration names stays. */
static void test_leaves_given(void **state)
{
	const char *const files[] = { path };
	struct conf c;

	(void)state;
	put_text("nameserver 192.0.2.2\nsearch a\n");
	conf_init(&c);
	c.ndns_forward = 0;
	c.nnameservers = 1;
	c.nameservers[0] = addr_from4("\300\0\2\7");
	resolv_fill_from(&c, files, 1);
	assert_int_equal(c.nnameservers, 1);
	assert_server(&c, 0, "192.0.2.7");
	assert_int_equal(c.nsearch, 0);
	c.nnameservers = 0;
	strcpy(c.domain, "mine");
	resolv_fill_from(&c, files, 1);
	assert_server(&c, 0, "192.0.2.2");
	assert_string_equal(c.domain, "mine");
	assert_int_equal(c.nsearch, 0);
}

/* The machine's own files, whatever they say, give no more than there is room for. */
static void test_machine(void **state)
{
	struct conf c;

	(void)state;
	conf_init(&c);
	resolv_fill(&c);
	assert_int_equal(c.nnameservers, 0);
	c.ndns_forward = 0;
	resolv_fill(&c);
	assert_in_range(c.nnameservers, 0, CONF_NAMESERVERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_only_loopback),
		cmocka_unit_test(test_forwarder),
		cmocka_unit_test(test_leaves_given),
		cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
