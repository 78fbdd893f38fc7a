/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/conf/private.c: stable, in its ranges, and out of the host's way. */
#include "../unit.h"

#include <stdio.h>

#include "conf/private.h"

static struct prefix px(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

static struct conf of(const char *id, const char *ifname)
{
	struct conf c;

	conf_init(&c);
	snprintf(c.container_id, sizeof(c.container_id), "%s", id);
	snprintf(c.ifname, sizeof(c.ifname), "%s", ifname);
	return c;
}

static bool same(const struct conf *a, const struct conf *b, bool v4, const struct occupied *occ)
{
	struct prefix p = private_address(a, v4, occ), q = private_address(b, v4, occ);

	return addr_eq(&p.addr, &q.addr);
}

static void test_stable(void **state)
{
	static const struct occupied occ;
	struct conf a = of("web", "eth0"), b = of("web", "eth0"), c = of("web", "eth1"),
		    d = of("web2", "eth0");

	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		assert_true(same(&a, &b, v4, &occ));
		assert_false(same(&a, &c, v4, &occ));
		assert_false(same(&a, &d, v4, &occ));
	}
}

static void test_ranges(void **state)
{
	const struct prefix range4 = px("100.64.0.0/10"), range6 = px("fd00::/8");
	static const struct occupied occ;
	char id[16];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(id, sizeof(id), "c%d", i);
		struct conf c = of(id, "eth0");
		struct prefix p = private_address(&c, true, &occ);

		assert_int_equal(p.len, 32);
		assert_true(prefix_contains(&range4, &p.addr));
		assert_in_range(p.addr.b[15], 1, 254);
		p = private_address(&c, false, &occ);
		assert_int_equal(p.len, 128);
		assert_true(prefix_contains(&range6, &p.addr));
	}
}

static void test_occupied(void **state)
{
	struct conf c = of("web", "eth0");
	struct occupied occ = { .n = 0 };
	struct prefix first = private_address(&c, true, &occ), next;

	(void)state;
	occ.nets[occ.n++] = px("fd00::/8");		/* the other family's */
	next = private_address(&c, true, &occ);
	assert_true(addr_eq(&first.addr, &next.addr));
	occ.nets[occ.n] = first;
	occ.nets[occ.n++].len = 24;
	next = private_address(&c, true, &occ);
	assert_false(prefix_contains(&occ.nets[1], &next.addr));
	occ.nets[occ.n++] = px("100.64.0.0/10");	/* all of it: still one */
	next = private_address(&c, true, &occ);
	assert_true(prefix_contains(&occ.nets[2], &next.addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stable),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_occupied),
	};

	log_open(LOGT_NONE, LOGL_ERROR, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
