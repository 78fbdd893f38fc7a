/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/check.c: what is expected is what we made and prevResult has. */
#include "../unit.h"

#include "plugin/check.h"

#define NETNS	"/run/netns/x"
#define OURS	"{\"name\":\"eth0\",\"sandbox\":\"" NETNS "\",\"mac\":\"02:00:00:00:00:01\"}"

static struct state made(void)
{
	struct state s = { .container_id = "demo", .net = {
		.ifname = "eth0", .mtu = 1500, .mac = { { 2, 0, 0, 0, 0, 1 } },
		.naddresses = 2, .nroutes = 2 } };

	assert_int_equal(prefix_parse("10.0.0.2/24", &s.net.addresses[0]), 0);
	assert_int_equal(prefix_parse("fd00::2/64", &s.net.addresses[1]), 0);
	assert_int_equal(prefix_parse("0.0.0.0/0", &s.net.routes[0].dst), 0);
	assert_int_equal(addr_parse("10.0.0.1", &s.net.routes[0].gw), 0);
	assert_int_equal(prefix_parse("169.254.1.2/32", &s.net.routes[1].dst), 0);
	return s;
}

static int expect(const char *prev, struct conf *want, struct err *e)
{
	struct json_object *o = prev ? json_tokener_parse(prev) : NULL;
	struct state s = made();
	int r;

	*e = ERR_INIT;
	r = check_expect(&s, NULL, o, NETNS, want, e);
	json_object_put(o);
	return r;
}

static void take(const char *prev, struct conf *want)
{
	struct err e;

	if (expect(prev, want, &e) < 0)
		fail_msg("%s: %s", prev, e.msg);
	assert_string_equal(want->ifname, "eth0");
	assert_string_equal(want->netns_path, NETNS);
}

static void test_all(void **state)
{
	struct conf want;

	(void)state;
	take("{\"interfaces\":[{\"name\":\"eth0\"}," OURS "],\"ips\":[{\"address\":\"10.0.0.2/24\"},"
	     "{\"address\":\"fd00:0::2/64\"},{\"address\":\"10.9.9.9/24\"}],\"routes\":["
	     "{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"},{\"dst\":\"169.254.1.2/32\"}]}", &want);
	assert_int_equal(want.naddresses, 2);
	assert_int_equal(want.nroutes, 2);
	assert_int_equal(want.mtu, 0);		/* not told: a later plugin may have changed it */
	assert_int_equal(want.mac.b[5], 1);
}

static void test_changed(void **state)
{
	struct conf want;

	(void)state;
	take("{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"" NETNS "\",\"mtu\":1400,"
	     "\"mac\":\"02:00:00:00:00:77\"}],\"ips\":[{\"address\":\"10.0.0.2/25\"},7,{\"address\":8}],"
	     "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.9\"},{\"dst\":\"x\"},null]}", &want);
	assert_int_equal(want.mtu, 1400);
	assert_int_equal(want.mac.b[5], 0x77);
	assert_int_equal(want.naddresses, 0);
	assert_int_equal(want.nroutes, 0);
}

static void test_no_result(void **state)
{
	struct conf want;

	(void)state;
	take(NULL, &want);
	assert_int_equal(want.mtu, 1500);
	assert_int_equal(want.naddresses, 2);
	assert_int_equal(want.nroutes, 2);
}

/* The host was followed since: prevResult knows the start only. */
static void test_followed(void **state)
{
	struct state s = made();
	struct netcfg now = s.net;
	struct json_object *prev = json_tokener_parse("{\"interfaces\":[{\"name\":\"eth0\","
		"\"sandbox\":\"" NETNS "\",\"mtu\":1500}],\"ips\":[{\"address\":\"10.0.0.2/24\"}]}");
	struct err e = ERR_INIT;
	struct conf want;

	(void)state;
	now.configure = true;
	now.mtu = 1400;
	assert_int_equal(prefix_parse("10.0.0.7/24", &now.addresses[0]), 0);
	assert_int_equal(check_expect(&s, &now, prev, NETNS, &want, &e), 0);
	assert_int_equal(want.mtu, 1400);
	assert_int_equal(want.naddresses, 1);	/* fd00::2 is not in prevResult any more */
	assert_true(addr_eq(&want.addresses[0].addr, &now.addresses[0].addr));
	/* who configures itself gets to it in its own time */
	now.configure = false;
	assert_int_equal(check_expect(&s, &now, prev, NETNS, &want, &e), 0);
	assert_int_equal(want.mtu, 0);
	assert_int_equal(want.naddresses, 0);
	json_object_put(prev);
}

static void test_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "{}", "no eth0" },
		{ "{\"interfaces\":7}", "no eth0" },
		{ "{\"interfaces\":[{\"name\":\"eth0\"}]}", "no eth0" },
		{ "{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/other\"}]}", "/other" },
		{ "{\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"" NETNS "\",\"mac\":\"z\"}]}",
		  "\"z\"" },
	};
	struct conf want;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(expect(rows[i][0], &want, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		if (!strstr(e.msg, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_no_result),
		cmocka_unit_test(test_followed),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
