/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/ipam.c: what of an IPAM plugin's result goes where, and over what
 * of the configuration; running plugins is in tests/bats/12-cni.bats. */
#include "../unit.h"

#include "plugin/ipam.h"

static int take(const char *netconf, const char *result, struct keys *k, struct err *e)
{
	struct json_object *o = json_tokener_parse(netconf);

	assert_non_null(o);
	*e = ERR_INIT;
	assert_int_equal(keys_read(o, NULL, k, e), 0);
	json_object_put(o);
	return ipam_take(result, strlen(result), "result", k, e);
}

static void assert_prefix(const struct prefix *p, const char *text)
{
	char buf[PREFIX_STRLEN];

	assert_string_equal(prefix_format(p, buf), text);
}

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(a, buf), text);
}

static void test_both_families(void **state)
{
	struct keys k;
	struct err e;

	(void)state;
	assert_int_equal(take("{\"ipam\":{\"type\":\"x\"},\"addresses\":[\"192.0.2.1/24\",\"fd00::1/64\"],"
			      "\"routes\":[{\"dst\":\"192.0.2.128/25\"}]}",
			      "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.1.0.5/16\",\"gateway\":"
			      "\"10.1.0.1\",\"interface\":3},{\"address\":\"10.1.0.6/16\",\"gateway\":"
			      "\"10.1.0.2\"},{\"address\":\"fd01::5/64\",\"gateway\":\"fd01::1\"}],"
			      "\"routes\":[{\"dst\":\"10.0.0.0/8\"},{\"dst\":\"fd02::/64\",\"gw\":\"fd01::9\"}],"
			      "\"dns\":{\"nameservers\":[\"9.9.9.9\"]}}", &k, &e), 0);
	assert_int_equal(k.conf.naddresses, 3);
	assert_prefix(&k.conf.addresses[0], "10.1.0.5/16");
	assert_prefix(&k.conf.addresses[2], "fd01::5/64");
	assert_int_equal(k.conf.ngateways, 2);		/* the first of each family */
	assert_addr(&k.conf.gateways[0], "10.1.0.1");
	assert_addr(&k.conf.gateways[1], "fd01::1");
	assert_int_equal(k.conf.nroutes, 2);		/* in place of the configured one */
	assert_addr(&k.conf.routes[0].gw, "10.1.0.1");
	assert_addr(&k.conf.routes[1].gw, "fd01::9");
	assert_string_equal(json_object_to_json_string_ext(k.dns, JSON_C_TO_STRING_PLAIN),
			    "{\"nameservers\":[\"9.9.9.9\"]}");
	keys_drop(&k);
}

/* The other family, and what the plugin says nothing of, stay as configured. */
static void test_one_family(void **state)
{
	struct keys k;
	struct err e;

	(void)state;
	assert_int_equal(take("{\"ipam\":{\"type\":\"x\"},\"addresses\":[\"host\",\"fd00::1/64\"],"
			      "\"gateways\":[\"192.0.2.1\",\"fd00::9\"],\"routes\":[{\"dst\":"
			      "\"192.0.2.128/25\"}],\"dns\":{\"domain\":\"d\"}}",
			      "{\"ip4\":{\"ip\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\",\"routes\":null},"
			      "\"dns\":{\"nameservers\":[\"9.9.9.9\"]}}", &k, &e), 0);
	assert_true(k.conf.addresses_host);
	assert_int_equal(k.conf.naddresses, 2);
	assert_prefix(&k.conf.addresses[0], "fd00::1/64");
	assert_prefix(&k.conf.addresses[1], "10.1.0.5/16");
	assert_int_equal(k.conf.ngateways, 2);
	assert_addr(&k.conf.gateways[0], "10.1.0.1");
	assert_addr(&k.conf.gateways[1], "fd00::9");
	assert_int_equal(k.conf.nroutes, 1);
	assert_string_equal(json_object_to_json_string_ext(k.dns, JSON_C_TO_STRING_PLAIN),
			    "{\"domain\":\"d\"}");
	keys_drop(&k);
}

static void test_refused(void **state)
{
	static const struct {
		const char *result;
		int code;
		const char *words;
	} rows[] = {
		{ "", ERR_DECODE, "empty" },
		{ "[]", ERR_DECODE, "not an object" },
		{ "{}", ERR_IO, "no address" },
		{ "{\"ips\":{}}", ERR_IO, "no address" },
		{ "{\"ips\":[{\"address\":7}]}", ERR_IO, "no address" },
		{ "{\"ips\":[{\"address\":\"10.0.0.300/8\"}]}", ERR_CONFIG, "10.0.0.300" },
		{ "{\"cniVersion\":\"9\",\"ips\":[]}", ERR_VERSION, "9" },
		{ "{\"ips\":[{\"address\":\"10.0.0.3/8\"}],\"routes\":[7]}", ERR_CONFIG, "routes" },
		{ "{\"ips\":[{\"address\":\"10.0.0.3/8\"}],\"dns\":{\"x\":1}}", ERR_FIELD, "dns.x" },
	};
	struct keys k;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(take("{\"ipam\":{\"type\":\"x\"}}", rows[i].result, &k, &e), -1);
		keys_drop(&k);
		if (e.code != rows[i].code || !strstr(e.msg, rows[i].words) ||
		    !strstr(e.msg, "result"))
			fail_msg("%s: %d %s", rows[i].result, e.code, e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_one_family),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
