/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests what core/main/publish.c makes of "reverse": which listeners the rules
 * ask for. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "conf/forward.h"
#include "main/publish.h"

static struct conf start(void)
{
	struct conf c;

	conf_init(&c);
	return c;
}

static void add(struct conf *c, const char *text)
{
	assert_null(forward_parse(text, CONF_TCP, &c->reverses[c->nreverses++]));
}

/* "ADDRESS PORT TARGET-PORT" of each listener, "?" behind those the container may lack. */
static void assert_asked(const struct conf *c, const char *const *want)
{
	struct publish_step step = { .rule = 0 };
	char line[ADDR_STRLEN + 32], text[ADDR_STRLEN];
	struct forward f;

	for (; *want; want++) {
		assert_true(publish_next_reverse(c, &step, &f));
		assert_true(f.reverse && f.sock == -1);
		snprintf(line, sizeof(line), "%s %u %u%s", addr_format(&f.addr, text), f.port,
			 f.to_port, step.optional ? "?" : "");
		assert_string_equal(line, *want);
	}
	assert_false(publish_next_reverse(c, &step, &f));
	assert_false(publish_next_reverse(c, &step, &f));
}

static void test_reverse(void **state)
{
	struct conf c = start();

	(void)state;
	assert_asked(&c, (const char *const[]){ NULL });
	add(&c, "80");
	add(&c, "~81");
	add(&c, "81-83:1081-1083");
	add(&c, "127.0.0.9:84:85");
	add(&c, "[::1]:86-87:1-2");
	add(&c, "88:127.0.0.1:89");
	assert_asked(&c, (const char *const[]){
		"127.0.0.1 80 80", "::1 80 80?", "127.0.0.1 82 1082", "::1 82 1082?",
		"127.0.0.1 83 1083", "::1 83 1083?", "127.0.0.9 84 85", "::1 86 1", "::1 87 2",
		"127.0.0.1 88 89", NULL });
	c.ipv4 = false;
	c.nreverses = 1;
	assert_asked(&c, (const char *const[]){ "::1 80 80?", NULL });
	c.ipv4 = true;
	c.ipv6 = false;
	assert_asked(&c, (const char *const[]){ "127.0.0.1 80 80", NULL });
	c.nreverses = 0;
	add(&c, "65535");
	assert_asked(&c, (const char *const[]){ "127.0.0.1 65535 65535", NULL });
}

/* What nsagent opened is closed with the rest. */
static void test_adopt(void **state)
{
	struct publish p = { .list = NULL };
	struct conf c = start();
	struct netcfg net = { .naddresses = 0 };
	struct err e = ERR_INIT;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(publish_open(&p, &c, &net, &e), 0);
	assert_int_equal(publish_adopt(&p, &(struct forward){ .sock = fds[1], .reverse = true }, &e), 0);
	assert_int_equal(p.nopen, 1);
	publish_close(&p);
	assert_int_equal(write(fds[1], "x", 1), -1);
	assert_int_equal(errno, EBADF);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reverse), cmocka_unit_test(test_adopt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
