/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests hooks/annotation.c: names to keys, texts to values, who may have which. */
#include "../unit.h"

#include <stdio.h>

#include "hooks/annotation.h"

/* Applies {annotations} to {netconf}: the result as text, or NULL with *e. */
static const char *apply(const char *annotations, const char *allowed, const char *netconf,
			 struct err *e)
{
	static char text[1024];
	struct json_object *a = json_tokener_parse(annotations);
	struct json_object *l = allowed ? json_tokener_parse(allowed) : NULL;
	struct json_object *n = json_tokener_parse(netconf);
	bool attach;
	int r;

	assert_non_null(a);
	*e = ERR_INIT;
	r = annotation_apply(a, l, n, &attach, e);
	snprintf(text, sizeof(text), "%s%s", attach ? "" : "not ",
		 json_object_to_json_string_ext(n, JSON_C_TO_STRING_PLAIN |
						JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(a);
	json_object_put(l);
	json_object_put(n);
	return r < 0 ? NULL : text;
}

static void assert_makes(const char *annotations, const char *netconf, const char *wanted)
{
	struct err e;
	const char *got = apply(annotations, NULL, netconf, &e);

	if (!got)
		fail_msg("%s: %s", annotations, e.msg);
	assert_string_equal(got, wanted);
}

static void assert_refused(const char *annotations, const char *allowed, int code,
			   const char *words)
{
	struct err e;

	if (apply(annotations, allowed, "{}", &e))
		fail_msg("taken: %s", annotations);
	if (e.code != code || !strstr(e.msg, words))
		fail_msg("%s: code %d: %s", annotations, e.code, e.msg);
}

static void test_values(void **state)
{
	(void)state;
	assert_makes("{\"other\":5,\"io.cni-passtx\":1}", "{}", "{}");
	assert_makes("{\"io.cni-passt.mtu\":\"1400\"}", "{\"mtu\":9000}", "{\"mtu\":1400}");
	assert_makes("{\"io.cni-passt.ipv6\":\"false\"}", "{}", "{\"ipv6\":false}");
	assert_makes("{\"io.cni-passt.mac\":\"02:00:00:00:00:01\"}", "{}",
		     "{\"mac\":\"02:00:00:00:00:01\"}");
	assert_makes("{\"io.cni-passt.addresses\":\" 10.0.0.1/24 ,, host\"}", "{}",
		     "{\"addresses\":[\"10.0.0.1/24\",\"host\"]}");
	assert_makes("{\"io.cni-passt.publish\":\"8080:80, eth0/53:53/udp,1:1/tcp\"}",
		     "{\"forward\":{\"tcp\":[\"22:22\"]}}",
		     "{\"forward\":{\"tcp\":[\"8080:80\",\"1:1\"],\"udp\":[\"eth0/53:53\"]}}");
	assert_makes("{\"io.cni-passt.dns\":\"192.0.2.1\",\"io.cni-passt.dns.search\":\"a.b\"}",
		     "{\"dns\":{\"domain\":\"d\"}}",
		     "{\"dns\":{\"domain\":\"d\",\"nameservers\":[\"192.0.2.1\"],\"search\":[\"a.b\"]}}");
	assert_makes("{\"io.cni-passt.routes\":\"[{\\\"dst\\\":\\\"0.0.0.0/0\\\"}]\"}", "{}",
		     "{\"routes\":[{\"dst\":\"0.0.0.0/0\"}]}");
	assert_makes("{\"io.cni-passt.attach\":\"false\"}", "{}", "not {}");
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("{\"io.cni-passt.\":\"x\"}", NULL, ERR_FIELD, "io.cni-passt. is not one");
	assert_refused("{\"io.cni-passt.mtu\":1}", NULL, ERR_CONFIG, "not a string");
	assert_refused("{\"io.cni-passt.mtu\":\"\"}", NULL, ERR_CONFIG, "not a number");
	assert_refused("{\"io.cni-passt.mtu\":\"99999999999999999999\"}", NULL, ERR_CONFIG, "number");
	assert_refused("{\"io.cni-passt.ipv4\":\"yes\"}", NULL, ERR_CONFIG, "true or false");
	assert_refused("{\"io.cni-passt.attach\":\"no\"}", NULL, ERR_CONFIG, "true or false");
	assert_refused("{\"io.cni-passt.routes\":\"[\"}", NULL, ERR_CONFIG, "not a JSON list");
	/* nothing beside the value gets in with it */
	assert_refused("{\"io.cni-passt.routes\":\"[],\\\"ipv4\\\":false\"}", NULL, ERR_CONFIG,
		       "not a JSON list");
}

static void test_allowed(void **state)
{
	struct err e;

	(void)state;
	assert_refused("{\"io.cni-passt.hostLoopback\":\"192.0.2.9\"}", NULL, ERR_PRIVILEGE,
		       "hostLoopback is not allowed");
	assert_refused("{\"io.cni-passt.publish\":\"1:1\"}", "[]", ERR_PRIVILEGE, "publish");
	assert_refused("{\"io.cni-passt.publish\":\"1:1\"}", "[\"mtu\"]", ERR_PRIVILEGE, "publish");
	assert_non_null(apply("{\"io.cni-passt.attach\":\"true\"}", "[]", "{}", &e));
	assert_non_null(apply("{\"io.cni-passt.reverse\":\"1:1\"}", "[\"reverse\"]", "{}", &e));
	assert_non_null(apply("{\"io.cni-passt.reverse\":\"1:1\"}", "[\"*\"]", "{}", &e));
	assert_true(annotation_known("dns.search"));
	assert_true(annotation_known("*"));
	assert_false(annotation_known("forward"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
