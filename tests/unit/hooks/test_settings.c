/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests hooks/settings.c and names.c: annotation over file over default, the key
 * "hook", and the files' texts that come of it. */
#include "../unit.h"

#include <stdio.h>
#include <unistd.h>

#include "hooks/names.h"
#include "hooks/settings.h"

/* Reads a file of this text, or none, and these annotations. */
static int read_both(const char *file, const char *annotations, struct settings_args *args,
		     struct settings *s, struct err *e)
{
	char path[] = "/tmp/test_settings.XXXXXX";
	struct json_object *a = annotations ? json_tokener_parse(annotations) : NULL;
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	if (file) {
		assert_int_equal(write(fd, file, strlen(file)), strlen(file));
		args->conf_path = path;
	}
	*e = ERR_INIT;
	r = settings_read(args, a, s, e);
	json_object_put(a);
	unlink(path);
	close(fd);
	return r;
}

static void take(const char *file, const char *annotations, struct settings_args *args,
		 struct settings *s)
{
	struct err e;

	if (read_both(file, annotations, args, s, &e) < 0)
		fail_msg("refused: %s", e.msg);
}

static void assert_refused(const char *file, int code, const char *words)
{
	struct settings_args args = { .conf_path = NULL };
	struct settings s;
	struct err e;

	if (read_both(file, NULL, &args, &s, &e) == 0)
		fail_msg("taken: %s", file);
	settings_drop(&s);
	if (e.code != code || !strstr(e.msg, words))
		fail_msg("%s: code %d: %s", file, e.code, e.msg);
}

static void test_precedence(void **state)
{
	struct settings_args args = { .conf_path = NULL };
	struct settings s;

	(void)state;
	take(NULL, NULL, &args, &s);
	assert_string_equal(s.keys.conf.ifname, "eth0");
	assert_string_equal(s.keys.conf.network, SETTINGS_NETWORK);
	assert_int_equal(s.keys.conf.mtu, 0);
	assert_true(s.attach);
	assert_false(s.resolv_conf || s.hosts || s.skip_shared);
	settings_drop(&s);

	take("{\"name\":\"n\",\"mtu\":1400,\"ipv6\":false,\"hook\":{\"ifname\":\"net0\",\"hosts\":true,"
	     "\"shared\":\"skip\"}}", "{\"io.cni-passt.mtu\":\"1300\"}", &args, &s);
	assert_int_equal(s.keys.conf.mtu, 1300);
	assert_false(s.keys.conf.ipv6);
	assert_string_equal(s.keys.conf.ifname, "net0");
	assert_string_equal(s.keys.conf.network, SETTINGS_NETWORK);
	assert_true(s.hosts && s.skip_shared && !s.resolv_conf);
	settings_drop(&s);

	args = (struct settings_args){ .ifname = "net1", .resolv_conf = true };
	take("{\"hook\":{\"ifname\":\"net0\"}}", NULL, &args, &s);
	assert_string_equal(s.keys.conf.ifname, "net1");
	assert_true(s.resolv_conf);
	settings_drop(&s);
}

/* Each of them becomes a key that there is, and is noted as where it came from. */
static void test_every_annotation(void **state)
{
	struct settings_args args = { .conf_path = NULL };
	struct settings s;

	(void)state;
	take("{\"follow\":false,\"mtu\":1400,\"gateways\":[\"10.9.0.1\"],\"hook\":{\"annotations\":[\"*\"]}}",
	     "{\"io.cni-passt.publish\":\"8080:80\",\"io.cni-passt.addresses\":\"10.9.0.2/24,host\","
	     "\"io.cni-passt.routes\":\"[]\",\"io.cni-passt.mac\":\"02:00:00:00:00:01\","
	     "\"io.cni-passt.mtu\":\"1300\",\"io.cni-passt.ipv4\":\"true\",\"io.cni-passt.ipv6\":\"true\","
	     "\"io.cni-passt.configure\":\"true\",\"io.cni-passt.dns\":\"192.0.2.53\","
	     "\"io.cni-passt.dns.domain\":\"a.example\",\"io.cni-passt.dns.search\":\"b.example\","
	     "\"io.cni-passt.dns.options\":\"ndots:2\",\"io.cni-passt.listen\":\"ready\","
	     "\"io.cni-passt.portConflict\":\"ignore\",\"io.cni-passt.preserveSource\":\"false\","
	     "\"io.cni-passt.sourceCheck\":\"true\",\"io.cni-passt.udp.timeout\":\"20\","
	     "\"io.cni-passt.udp.stream\":\"200\",\"io.cni-passt.hostAddress\":\"169.254.1.9\","
	     "\"io.cni-passt.hostLoopback\":\"169.254.1.8\",\"io.cni-passt.reverse\":\"5432\","
	     "\"io.cni-passt.outbound.interface\":\"lo\",\"io.cni-passt.outbound.addresses\":\"192.0.2.9\","
	     "\"io.cni-passt.log.level\":\"debug\"}", &args, &s);
	assert_int_equal(s.keys.conf.udp_stream, 200);
	assert_int_equal(s.keys.conf.from[ORIGIN_KEY_UDP_STREAM], ORIGIN_ANNOTATION);
	assert_int_equal(s.keys.conf.from[ORIGIN_KEY_MTU], ORIGIN_ANNOTATION);
	assert_int_equal(s.keys.conf.from[ORIGIN_KEY_ADDRESSES4], ORIGIN_ANNOTATION);
	assert_int_equal(s.keys.conf.from[ORIGIN_KEY_GATEWAYS4], ORIGIN_CONF);
	assert_int_equal(s.keys.conf.from[ORIGIN_KEY_FOLLOW], ORIGIN_CONF);
	assert_int_equal(s.keys.conf.from[ORIGIN_KEY_METADATA], ORIGIN_DEFAULT);
	assert_int_equal(s.keys.conf.forwards[0].from, ORIGIN_ANNOTATION);
	assert_int_equal(s.keys.conf.reverses[0].from, ORIGIN_ANNOTATION);
	settings_drop(&s);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("{\"hook\":[]}", ERR_CONFIG, "hook: [] is not an object");
	assert_refused("{\"hook\":{\"host\":true}}", ERR_FIELD, "hook.host");
	assert_refused("{\"hook\":{\"hosts\":1}}", ERR_CONFIG, "hook.hosts: 1");
	assert_refused("{\"hook\":{\"shared\":\"maybe\"}}", ERR_CONFIG, "hook.shared");
	assert_refused("{\"hook\":{\"annotations\":[\"pubish\"]}}", ERR_CONFIG, "hook.annotations");
	assert_refused("{\"hook\":{\"annotations\":[1]}}", ERR_CONFIG, "hook.annotations");
	assert_refused("{\"hook\":{\"ifname\":\"much-too-long-name\"}}", ERR_CONFIG, "ifname");
	assert_refused("{\"mtu\":17}", ERR_CONFIG, "mtu: 17");
	assert_refused("{\"ipam\":{\"type\":\"host-local\"}}", ERR_FIELD, "ipam");
	assert_refused("{", ERR_DECODE, "ends too early");
}

static void test_names(void **state)
{
	struct settings_args args = { .conf_path = NULL };
	struct netcfg net = { .naddresses = 1, .nnameservers = 1 };
	struct settings s;
	char text[1024];

	(void)state;
	take("{\"dns\":{\"search\":[\"a.b\",\"c\"],\"options\":[\"ndots:1\",\"x\\ny\"]}}", NULL, &args, &s);
	assert_int_equal(prefix_parse("192.0.2.1/24", &net.addresses[0]), 0);
	assert_int_equal(addr_parse("2001:db8::1", &net.nameservers[0]), 0);
	assert_true(names_resolv_conf(&s.keys, &net, text, sizeof(text)));
	assert_string_equal(text, "search a.b c\nnameserver 2001:db8::1\noptions ndots:1\n");
	assert_false(names_resolv_conf(&s.keys, &net, text, 20));
	net.nnameservers = 0;
	assert_false(names_resolv_conf(&s.keys, &net, text, sizeof(text)));
	strcpy(s.keys.conf.container_id, "0123456789abcdef");
	assert_true(names_hosts(&s.keys.conf, &net, "box", text, sizeof(text)));
	assert_string_equal(text, "192.0.2.1\tbox\n169.254.1.2\thost.containers.internal"
			    " host.docker.internal\n");
	/* a name that would be a line of its own */
	assert_true(names_hosts(&s.keys.conf, &net, "x\n6.6.6.6 bank", text, sizeof(text)));
	assert_non_null(strstr(text, "192.0.2.1\t0123456789ab\n"));
	settings_drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_every_annotation),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
