/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/io/resolvers.c on real files: every way in which a resolver configuration
 * changes is noticed. */
#include "../unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/resolvers.h"

static char folder[] = "/tmp/test_resolvers.XXXXXX";
static char path[64], real[64], sub[64], deep[64];
static struct resolvers_watch w;
static struct resolvers r;

static int start(void **state)
{
	(void)state;
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/resolv.conf", folder);
	snprintf(real, sizeof(real), "%s/real.conf", folder);
	snprintf(sub, sizeof(sub), "%s/sub", folder);
	snprintf(deep, sizeof(deep), "%s/sub/stub.conf", folder);
	memset(&r, 0, sizeof(r));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	resolvers_unwatch(&w);
	unlink(path);
	unlink(real);
	unlink(deep);
	rmdir(sub);
	return rmdir(folder);
}

static void put(const char *name, const char *server)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fprintf(f, "nameserver %s\n", server);
	fclose(f);
}

static void begin(void)
{
	assert_true(resolvers_watch(&w, path));
	assert_false(w.timer);
	resolvers_read(path, &r);
}

/* What was done is noticed, and the first resolver is that one from now on. */
static void assert_now(const char *server)
{
	struct pollfd p = { .fd = w.fd, .events = POLLIN };
	struct addr want;
	char text[ADDR_STRLEN];

	assert_int_equal(poll(&p, 1, 5000), 1);
	resolvers_watch_again(&w);
	resolvers_read(path, &r);
	assert_int_equal(r.n, 1);
	addr_parse(server, &want);
	addr_format(&r.list[0].addr, text);
	assert_string_equal(text, server);
	/* nothing is left to be noticed */
	p.fd = w.fd;
	assert_int_equal(poll(&p, 1, 0), 0);
}

static void test_written(void **state)
{
	(void)state;
	put(path, "192.0.2.1");
	begin();
	assert_int_equal(r.n, 1);
	assert_false(resolvers_read(path, &r));
	put(path, "192.0.2.2");
	assert_now("192.0.2.2");
}

static void test_renamed(void **state)
{
	(void)state;
	put(path, "192.0.2.1");
	begin();
	put(real, "192.0.2.3");
	assert_int_equal(rename(real, path), 0);
	assert_now("192.0.2.3");
}

/* None at first: the host itself is asked (resolv.conf(5)). One that goes leaves what
 * was known. */
static void test_missing(void **state)
{
	(void)state;
	begin();
	assert_int_equal(r.n, 1);
	assert_true(addr_is_loopback(&r.list[0].addr));
	put(path, "192.0.2.4");
	assert_now("192.0.2.4");
	unlink(path);
	assert_now("192.0.2.4");
	put(path, "192.0.2.5");
	assert_now("192.0.2.5");
}

/* A link, relative and absolute, to a file that changes; to another file; into a folder
 * that comes and goes. */
static void test_link(void **state)
{
	char other[80];

	(void)state;
	put(real, "192.0.2.1");
	assert_int_equal(symlink("real.conf", path), 0);
	begin();
	put(real, "192.0.2.2");
	assert_now("192.0.2.2");
	snprintf(other, sizeof(other), "%s.new", path);
	assert_int_equal(symlink(deep, other), 0);
	assert_int_equal(rename(other, path), 0);
	assert_now("192.0.2.2");
	assert_int_equal(mkdir(sub, 0755), 0);
	assert_now("192.0.2.2");
	put(deep, "192.0.2.3");
	assert_now("192.0.2.3");
	put(deep, "192.0.2.4");
	assert_now("192.0.2.4");
	unlink(deep);
	rmdir(sub);
	assert_now("192.0.2.4");
	assert_int_equal(mkdir(sub, 0755), 0);
	put(deep, "192.0.2.5");
	assert_now("192.0.2.5");
}

/* Links in a circle end, and say nothing. */
static void test_circle(void **state)
{
	(void)state;
	assert_int_equal(symlink(path, real), 0);
	assert_int_equal(symlink(real, path), 0);
	begin();
	assert_true(addr_is_loopback(&r.list[0].addr));
}

/* A file without a server stands for the host itself too; of a link-local one the
 * interface must be there. */
static void test_says(void **state)
{
	(void)state;
	put(path, "fe80::1%not-there");
	begin();
	assert_int_equal(r.n, 1);
	assert_true(addr_is_loopback(&r.list[0].addr));
	put(path, "fe80::1%lo");
	assert_now("fe80::1");
	assert_int_equal(r.list[0].scope, 1);
	put(path, "# nobody");
	assert_now("127.0.0.1");
	assert_true(resolvers_ok(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_written, start, stop),
		cmocka_unit_test_setup_teardown(test_renamed, start, stop),
		cmocka_unit_test_setup_teardown(test_missing, start, stop),
		cmocka_unit_test_setup_teardown(test_link, start, stop),
		cmocka_unit_test_setup_teardown(test_circle, start, stop),
		cmocka_unit_test_setup_teardown(test_says, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
