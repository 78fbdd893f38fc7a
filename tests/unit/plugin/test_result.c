/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/result.c: the exact text of a result in every version, chained
 * results, errors, VERSION, and messages made fit to print. */
#include "../unit.h"

#include "plugin/attach/front.h"
#include "plugin/result.h"

static struct netcfg netcfg(void)
{
	struct netcfg n = { .ifname = "net1", .mtu = 1500,
			    .mac = { { 2, 0, 0, 0, 0, 9 } } };

	prefix_parse("10.0.0.2/24", &n.addresses[0]);
	prefix_parse("fe80::2/64", &n.addresses[1]);
	prefix_parse("fd00::2/64", &n.addresses[2]);
	n.naddresses = 3;
	addr_parse("10.0.0.1", &n.gateway4);
	prefix_parse("0.0.0.0/0", &n.routes[0].dst);
	n.routes[0].gw = n.gateway4;
	prefix_parse("fd01::/16", &n.routes[1].dst);
	n.routes[1].metric = 5;
	n.nroutes = 2;
	return n;
}

static void assert_json(struct json_object *o, const char *text)
{
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE), text);
	json_object_put(o);
}

static void assert_result(enum cni_version version, const char *prev, const char *dns,
			  const char *text)
{
	struct netcfg n = netcfg();
	struct result r = {
		.version = version,
		.net = &n,
		.sandbox = "/run/netns/x",
		.dns = json_tokener_parse(dns),
		.prev = prev ? json_tokener_parse(prev) : NULL,
	};

	assert_json(result_build(&r), text);
	json_object_put(r.dns);
	json_object_put(r.prev);
}

#define OLD "\",\"ip4\":{\"ip\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"routes\":" \
	    "[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"}]},\"ip6\":{\"ip\":\"fd00::2/64\"," \
	    "\"routes\":[{\"dst\":\"fd01::/16\"}]},\"dns\":{}}"
#define V040 "\",\"interfaces\":[{\"name\":\"net1\",\"mac\":\"02:00:00:00:00:09\"," \
	     "\"sandbox\":\"/run/netns/x\"}],\"ips\":[{\"version\":\"4\",\"address\":" \
	     "\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"interface\":0},{\"version\":\"6\"," \
	     "\"address\":\"fd00::2/64\",\"interface\":0}],\"routes\":[{\"dst\":\"0.0.0.0/0\"," \
	     "\"gw\":\"10.0.0.1\"},{\"dst\":\"fd01::/16\"}],\"dns\":{}}"

static void test_versions(void **state)
{
	(void)state;
	assert_result(CNI_0_1_0, NULL, "{}", "{\"cniVersion\":\"0.1.0" OLD);
	assert_result(CNI_0_2_0, NULL, "{}", "{\"cniVersion\":\"0.2.0" OLD);
	assert_result(CNI_0_3_0, NULL, "{}", "{\"cniVersion\":\"0.3.0" V040);
	assert_result(CNI_0_3_1, NULL, "{}", "{\"cniVersion\":\"0.3.1" V040);
	assert_result(CNI_0_4_0, NULL, "{}", "{\"cniVersion\":\"0.4.0" V040);
	assert_result(CNI_1_0_0, NULL, "{\"nameservers\":[\"1.1.1.1\"]}",
		      "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
		      "\"02:00:00:00:00:09\",\"sandbox\":\"/run/netns/x\"}],\"ips\":[{\"address\":"
		      "\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"interface\":0},{\"address\":"
		      "\"fd00::2/64\",\"interface\":0}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":"
		      "\"10.0.0.1\"},{\"dst\":\"fd01::/16\"}],\"dns\":{\"nameservers\":"
		      "[\"1.1.1.1\"]}}");
	assert_result(CNI_1_1_0, NULL, "{}",
		      "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"net1\",\"mac\":"
		      "\"02:00:00:00:00:09\",\"mtu\":1500,\"sandbox\":\"/run/netns/x\"}],\"ips\":"
		      "[{\"address\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"interface\":0},"
		      "{\"address\":\"fd00::2/64\",\"interface\":0}],\"routes\":[{\"dst\":"
		      "\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"},{\"dst\":\"fd01::/16\",\"priority\":5}],"
		      "\"dns\":{}}");
}

/* The earlier plugins' part stays, ours comes after it with the right index. */
static void test_chained(void **state)
{
	(void)state;
	assert_result(CNI_1_0_0, "{\"cniVersion\":\"0.4.0\",\"interfaces\":[{\"name\":\"a\"},"
				 "{\"name\":\"b\"}],\"ips\":[{\"address\":\"1.2.3.4/8\",\"interface\":1}],"
				 "\"dns\":{\"domain\":\"d\"},\"x\":1}", "{}",
		      "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"a\"},{\"name\":\"b\"},"
		      "{\"name\":\"net1\",\"mac\":\"02:00:00:00:00:09\",\"sandbox\":\"/run/netns/x\"}],"
		      "\"ips\":[{\"address\":\"1.2.3.4/8\",\"interface\":1},{\"address\":"
		      "\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"interface\":2},{\"address\":"
		      "\"fd00::2/64\",\"interface\":2}],\"dns\":{\"domain\":\"d\"},\"x\":1,"
		      "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.0.0.1\"},{\"dst\":"
		      "\"fd01::/16\"}]}");
}

static void test_prev_unchanged(void **state)
{
	struct json_object *prev = json_tokener_parse("{\"ips\":[]}");
	struct netcfg n = netcfg();
	struct result r = { .version = CNI_1_0_0, .net = &n, .sandbox = "/x",
			    .dns = json_object_new_object(), .prev = prev };

	(void)state;
	json_object_put(result_build(&r));
	json_object_put(r.dns);
	assert_json(prev, "{\"ips\":[]}");
}

static void test_error(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, ERR_CONFIG, "mtu: \"x\"\n is \xc3\xa9 cut \xc3");
	assert_json(result_error(CNI_0_4_0, &e),
		    "{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"mtu: \\\"x\\\"? is \xc3\xa9 cut ?\"}");
	err_hint(&e, "do that");
	err_set(&e, ERR_IO, "a");
	err_hint(&e, "do that");
	assert_json(result_error(CNI_1_1_0, &e),
		    "{\"cniVersion\":\"1.1.0\",\"code\":5,\"msg\":\"a\",\"details\":\"do that\"}");
}

static void test_version_answer(void **state)
{
	(void)state;
	assert_json(result_versions(CNI_0_4_0),
		    "{\"cniVersion\":\"0.4.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\","
		    "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
}

static void test_clean(void **state)
{
	char s[] = "a\tb\x7f\xe2\x82\xac\xf0\x9f\x98\x80\xff\xe2\x82";

	(void)state;
	front_clean(s);
	assert_string_equal(s, "a?b?\xe2\x82\xac\xf0\x9f\x98\x80???");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_chained),
		cmocka_unit_test(test_prev_unchanged),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_version_answer),
		cmocka_unit_test(test_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
