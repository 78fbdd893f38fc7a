/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests hooks/oci.c: what of a state and of a config.json is taken, tolerated
 * and refused. */
#include "../unit.h"

#include "hooks/oci.h"

static int read_state(const char *text, struct oci_state *s, struct err *e)
{
	*e = ERR_INIT;
	return oci_read_state(text, strlen(text), s, e);
}

static void assert_state_refused(const char *text, const char *words)
{
	struct oci_state s;
	struct err e;

	if (read_state(text, &s, &e) == 0)
		fail_msg("taken: %s", text);
	oci_drop_state(&s);
	if (!e.code || !strstr(e.msg, words))
		fail_msg("%s: %s", text, e.msg);
}

static void test_state(void **state)
{
	struct oci_state s;
	struct err e;

	(void)state;
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"created\",\"pid\":7,\"bundle\":\"/b\","
				    "\"root\":\"rootfs\",\"annotations\":{\"x\":\"y\"}}", &s, &e), 0);
	assert_string_equal(s.id, "a");
	assert_int_equal(s.status, OCI_CREATED);
	assert_int_equal(s.pid, 7);
	assert_string_equal(s.bundle, "/b");
	assert_int_equal(json_object_object_length(s.annotations), 1);
	oci_drop_state(&s);
	/* poststop, and unknown words */
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"stopped\",\"pid\":0}", &s, &e), 0);
	assert_int_equal(s.status, OCI_STOPPED);
	oci_drop_state(&s);
	assert_int_equal(read_state("{\"id\":\"a\",\"status\":\"melted\",\"pid\":null,"
				    "\"annotations\":null}", &s, &e), 0);
	assert_int_equal(s.status, OCI_NONE);
	assert_int_equal(s.pid, 0);
	assert_null(s.annotations);
	oci_drop_state(&s);
}

static void test_state_refused(void **state)
{
	struct oci_state s;
	struct err e;

	(void)state;
	assert_state_refused("", "empty");
	assert_state_refused("[]", "not an object");
	assert_state_refused("{}", "id: is missing");
	assert_state_refused("{\"id\":\"../a\"}", "not a container id");
	assert_state_refused("{\"id\":1}", "id: 1 is not a string");
	assert_state_refused("{\"id\":\"a\",\"status\":1}", "status: 1");
	assert_state_refused("{\"id\":\"a\",\"pid\":-1}", "pid: -1");
	assert_state_refused("{\"id\":\"a\",\"pid\":2147483648}", "pid: 2147483648");
	assert_state_refused("{\"id\":\"a\",\"pid\":\"1\"}", "not an integer");
	assert_state_refused("{\"id\":\"a\",\"bundle\":\"b\"}", "not an absolute path");
	assert_state_refused("{\"id\":\"a\",\"annotations\":[]}", "not an object");
	/* the id is known even so: a detach needs no more */
	assert_int_equal(read_state("{\"id\":\"a\",\"pid\":-1}", &s, &e), -1);
	assert_string_equal(s.id, "a");
	oci_drop_state(&s);
}

static void take_bundle(const char *text, struct oci_bundle *b)
{
	struct err e = ERR_INIT;

	if (oci_read_bundle(text, strlen(text), b, &e) < 0)
		fail_msg("%s refused: %s", text, e.msg);
}

static void assert_bundle_refused(const char *text, const char *words)
{
	struct oci_bundle b;
	struct err e = ERR_INIT;

	if (oci_read_bundle(text, strlen(text), &b, &e) == 0)
		fail_msg("taken: %s", text);
	oci_drop_bundle(&b);
	if (!e.code || !strstr(e.msg, words))
		fail_msg("%s: %s", text, e.msg);
}

static void test_namespaces(void **state)
{
	struct oci_bundle b;

	(void)state;
	take_bundle("{}", &b);
	assert_int_equal(b.net, OCI_NET_SHARED);
	oci_drop_bundle(&b);
	take_bundle("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},5]}}", &b);
	assert_int_equal(b.net, OCI_NET_SHARED);
	oci_drop_bundle(&b);
	take_bundle("{\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"\"}]}}", &b);
	assert_int_equal(b.net, OCI_NET_OWN);
	oci_drop_bundle(&b);
	take_bundle("{\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/n\"}]}}", &b);
	assert_int_equal(b.net, OCI_NET_PATH);
	assert_string_equal(b.netns, "/n");
	oci_drop_bundle(&b);
	assert_bundle_refused("{\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"n\"}]}}",
			      "no absolute path");
	assert_bundle_refused("{\"linux\":[]}", "linux: [] is not an object");
	assert_bundle_refused("{\"linux\":{\"namespaces\":{}}}", "not a list");
	assert_bundle_refused("{\"root\":{\"path\":1}}", "path: 1 is not a string");
	assert_bundle_refused("{\"mounts\":{}}", "mounts");
}

static void test_mounts_and_hooks(void **state)
{
	struct oci_bundle b;

	(void)state;
	take_bundle("{\"mounts\":[{\"destination\":\"/etc/resolv.conf\"},{\"destination\":\"/\"},7,"
		    "{\"destination\":\"/run//\"}],\"hooks\":{\"createContainer\":[{\"path\":\"/h\","
		    "\"args\":[\"h\",1,\"pass\"]}],\"poststop\":[{\"path\":\"/h\"}]}}", &b);
	assert_true(oci_is_mounted(&b, "/etc/resolv.conf"));
	assert_false(oci_is_mounted(&b, "/etc/resolv.confx"));
	assert_false(oci_is_mounted(&b, "/etc/hosts"));
	assert_true(oci_is_mounted(&b, "/run/x"));
	assert_true(oci_has_hook(&b, "createContainer", "pass"));
	assert_false(oci_has_hook(&b, "createContainer", "attach"));
	assert_false(oci_has_hook(&b, "poststop", "pass"));
	assert_false(oci_has_hook(&b, "prestart", "pass"));
	oci_drop_bundle(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_state_refused),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_mounts_and_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
