/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/keys.c: every key's setter, every refusal with key and value,
 * and which of configuration, CNI_ARGS and runtimeConfig wins. */
#include "../unit.h"

#include <unistd.h>

#include "conf/forward.h"
#include "plugin/json/keys.h"

static int read_text(const char *text, const char *args, struct keys *k, struct err *e)
{
	struct json_object *o = json_tokener_parse(text);
	int r;

	if (!o)
		fail_msg("the test's own text is bad: %s", text);
	*e = ERR_INIT;
	r = keys_read(o, args, k, e);
	json_object_put(o);
	return r;
}

static void take(const char *text, const char *args, struct keys *k)
{
	struct err e;

	if (read_text(text, args, k, &e) < 0)
		fail_msg("%s refused: %s", text, e.msg);
}

static void assert_taken(const char *text)
{
	struct keys k;

	take(text, NULL, &k);
	keys_drop(&k);
}

static void assert_refused(const char *text, const char *args, int code, const char *key,
			   const char *value)
{
	struct keys k;
	struct err e;

	if (read_text(text, args, &k, &e) == 0)
		fail_msg("taken: %s", text);
	keys_drop(&k);
	if (e.code != code || !strstr(e.msg, key) || !strstr(e.msg, value))
		fail_msg("%s: code %d, \"%s\", \"%s\" expected, got %d: %s", text, code, key,
			 value, e.code, e.msg);
}

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(a, buf), text);
}

static void assert_prefix(const struct prefix *p, const char *text)
{
	char buf[PREFIX_STRLEN];

	assert_string_equal(prefix_format(p, buf), text);
}

static void assert_dns(const struct keys *k, const char *text)
{
	assert_string_equal(json_object_to_json_string_ext(k->dns, JSON_C_TO_STRING_PLAIN), text);
}

static void test_empty(void **state)
{
	struct conf c;
	struct keys k;

	(void)state;
	conf_init(&c);
	take("{}", NULL, &k);
	assert_int_equal(k.conf.run_uid != 0, geteuid() == 0);	/* root does not leave them root */
	c.run_uid = k.conf.run_uid;
	c.run_gid = k.conf.run_gid;
	assert_memory_equal(&k.conf, &c, sizeof(c));
	assert_dns(&k, "{}");
	assert_null(k.prev);
	keys_drop(&k);
}

static void test_all_keys(void **state)
{
	struct keys k;

	(void)state;
	take("{\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"1.0.0\"],\"name\":\"web\","
	     "\"type\":\"cni-passt\",\"capabilities\":{\"ips\":true},\"mtu\":1400,\"ipv4\":true,"
	     "\"ipv6\":true,\"addresses\":[\"host\",\"10.0.0.2/24\"],\"gateways\":[\"10.0.0.1\"],"
	     "\"routes\":[{\"dst\":\"10.8.0.0/16\",\"gw\":\"10.0.0.9\",\"priority\":7},"
	     "{\"dst\":\"10.9.0.0/16\"},{\"dst\":\"fd00::/8\"}],\"mac\":\"02:00:00:00:00:09\","
	     "\"dns\":{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"d\",\"search\":[\"s\"],"
	     "\"options\":[\"o\"]},\"hostAddress\":[\"169.254.1.9\",\"fd00::9\"],"
	     "\"hostLoopback\":[\"169.254.1.10\"],"
	     "\"log\":{\"level\":\"debug\",\"target\":\"/var/x.log\"},\"cni.dev/x\":1,"
	     "\"sourceCheck\":true,\"follow\":false,\"metadata\":true,\"sandbox\":\"strict\",\"user\":\"root\","
	     "\"udp\":{\"timeout\":5,\"timeoutStream\":500}}", NULL, &k);
	assert_string_equal(k.conf.network, "web");
	assert_int_equal(k.conf.mtu, 1400);
	assert_true(k.conf.addresses_host);
	assert_int_equal(k.conf.naddresses, 1);
	assert_prefix(&k.conf.addresses[0], "10.0.0.2/24");
	assert_int_equal(k.conf.ngateways, 1);
	assert_int_equal(k.conf.nroutes, 3);
	assert_addr(&k.conf.routes[0].gw, "10.0.0.9");
	assert_int_equal(k.conf.routes[0].metric, 7);
	assert_addr(&k.conf.routes[1].gw, "10.0.0.1");	/* its family's gateway */
	assert_true(addr_is_any(&k.conf.routes[2].gw));
	assert_int_equal(k.conf.mac.b[5], 9);
	assert_int_equal(k.conf.nhost_addresses, 2);
	assert_addr(&k.conf.host_addresses[1], "fd00::9");
	assert_int_equal(k.conf.nhost_loopback, 1);
	assert_addr(&k.conf.host_loopback[0], "169.254.1.10");
	assert_int_equal(k.conf.log_level, LOGL_DEBUG);
	assert_int_equal(k.conf.log_target, LOGT_FILE);
	assert_string_equal(k.conf.log_path, "/var/x.log");
	assert_true(k.conf.source_check && k.conf.metadata && k.conf.sandbox_strict);
	assert_int_equal(k.conf.run_uid, 0);
	assert_false(k.conf.follow);
	assert_int_equal(k.conf.udp_timeout, 5);
	assert_int_equal(k.conf.udp_stream, 500);
	assert_dns(&k, "{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"d\",\"search\":[\"s\"],"
		       "\"options\":[\"o\"]}");
	keys_drop(&k);
}

static void test_families_and_lists(void **state)
{
	struct keys k;

	(void)state;
	take("{\"ipv4\":false,\"ipv6\":false,\"addresses\":[],\"hostAddress\":[],"
	     "\"log\":{\"target\":\"none\"}}", NULL, &k);
	assert_false(k.conf.ipv4);
	assert_false(k.conf.ipv6);
	assert_false(k.conf.addresses_host);
	assert_int_equal(k.conf.nhost_addresses, 0);
	assert_int_equal(k.conf.log_target, LOGT_NONE);
	keys_drop(&k);
	/* Go writes null for empty lists */
	take("{\"addresses\":null,\"mtu\":null,\"dns\":null,\"prevResult\":null}", NULL, &k);
	assert_true(k.conf.addresses_host);
	assert_null(k.prev);
	keys_drop(&k);
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *text, *key, *value;
	} rows[] = {
		{ "{\"mtu\":70000}", "mtu", "70000" },
		{ "{\"mtu\":-1}", "mtu", "-1" },
		{ "{\"mtu\":\"1500\"}", "mtu", "\"1500\" is not an integer" },
		{ "{\"mtu\":1500.5}", "mtu", "1500.5" },
		{ "{\"ipv4\":1}", "ipv4", "1 is not true or false" },
		{ "{\"ipv6\":\"yes\"}", "ipv6", "yes" },
		{ "{\"sourceCheck\":\"strict\"}", "sourceCheck", "strict" },
		{ "{\"sandbox\":\"loose\"}", "sandbox", "loose" },
		{ "{\"sandbox\":true}", "sandbox", "true" },
		{ "{\"metadata\":\"no\"}", "metadata", "no" },
		{ "{\"user\":\"no such user\"}", "user", "no such user" },
		{ "{\"udp\":{\"timeout\":0}}", "udp.timeout", "1 to 86400" },
		{ "{\"udp\":{\"timeoutStream\":86401}}", "udp.timeoutStream", "1 to 86400" },
		{ "{\"udp\":{\"timeout\":\"30s\"}}", "udp.timeout", "integer" },
		{ "{\"udp\":30}", "udp", "object" },
		{ "{\"addresses\":\"host\"}", "addresses", "\"host\" is not a list" },
		{ "{\"addresses\":[7]}", "addresses", "7" },
		{ "{\"addresses\":[\"10.0.0.1/33\"]}", "addresses", "10.0.0.1/33" },
		{ "{\"addresses\":[\"Host\"]}", "addresses", "Host" },
		{ "{\"gateways\":[\"10.0.0.1/24\"]}", "gateways", "10.0.0.1/24" },
		{ "{\"gateways\":[\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\"]}", "gateways", "3" },
		{ "{\"routes\":[7]}", "routes", "7" },
		{ "{\"routes\":[{\"gw\":\"10.0.0.1\"}]}", "routes", "dst" },
		{ "{\"routes\":[{\"dst\":\"x\"}]}", "routes.dst", "x" },
		{ "{\"routes\":[{\"dst\":7}]}", "routes.dst", "7" },
		{ "{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"gw\":\"y\"}]}", "routes.gw", "y" },
		{ "{\"routes\":[{\"dst\":\"10.0.0.0/8\",\"priority\":-1}]}", "routes.priority", "-1" },
		{ "{\"mac\":\"zz:zz\"}", "mac", "zz:zz" },
		{ "{\"mac\":\"ff:ff:ff:ff:ff:ff\"}", "mac", "ff:ff" },
		{ "{\"hostAddress\":\"169.254.1.2\"}", "hostAddress", "169.254.1.2" },
		{ "{\"hostAddress\":[\"x\"]}", "hostAddress", "x" },
		{ "{\"hostLoopback\":[\"x\"]}", "hostLoopback", "x" },
		{ "{\"name\":\"../x\"}", "name", "../x" },
		{ "{\"name\":\"\\u001b[2J\"}", "name", "\\u001b" },
		{ "{\"type\":7}", "type", "7" },
		{ "{\"log\":7}", "log", "7 is not an object" },
		{ "{\"log\":{\"level\":\"loud\"}}", "log.level", "loud" },
		{ "{\"log\":{\"target\":\"file\"}}", "log.target", "file" },
		{ "{\"log\":{\"target\":\"x.log\"}}", "log.target", "x.log" },
		{ "{\"dns\":{\"nameservers\":[\"host.example\"]}}", "dns.nameservers", "host.example" },
		{ "{\"dns\":{\"search\":[1]}}", "dns.search", "1" },
		{ "{\"dns\":{\"forward\":[\"dns.example\"]}}", "dns.forward", "dns.example" },
		{ "{\"dns\":{\"hostNames\":1}}", "dns.hostNames", "1" },
		{ "{\"via\":\"moon\"}", "via", "moon" },
		{ "{\"preserveSource\":1}", "preserveSource", "1" },
		{ "{\"listen\":\"later\"}", "listen", "later" },
		{ "{\"portConflict\":\"\"}", "portConflict", "\"\"" },
		{ "{\"forward\":{\"tcp\":\"80\"}}", "forward.tcp", "\"80\" is not a list" },
		{ "{\"forward\":{\"udp\":[80]}}", "forward.udp", "80 is not a string" },
		{ "{\"forward\":{\"tcp\":[\"1:2\",\"x\"]}}", "forward.tcp", "\"x\" is not" },
		{ "{\"reverse\":{\"udp\":[\"1-2:3\"]}}", "reverse.udp", "different size" },
		{ "{\"runtimeConfig\":{\"portMappings\":[7]}}", "runtimeConfig.portMappings", "7" },
		{ "{\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":80}]}}",
		  "runtimeConfig.portMappings", "has no containerPort" },
		{ "{\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":65536}]}}",
		  "runtimeConfig.portMappings.hostPort", "65536" },
		{ "{\"runtimeConfig\":{\"portMappings\":[{\"containerPort\":-1}]}}",
		  "runtimeConfig.portMappings.containerPort", "-1" },
		{ "{\"runtimeConfig\":{\"portMappings\":[{\"hostIP\":\"lo\"}]}}",
		  "runtimeConfig.portMappings.hostIP", "lo" },
		{ "{\"runtimeConfig\":7}", "runtimeConfig", "7" },
		{ "{\"runtimeConfig\":{\"mac\":\"x\"}}", "runtimeConfig.mac", "x" },
		{ "{\"runtimeConfig\":{\"ips\":[\"x\"]}}", "runtimeConfig.ips", "x" },
		{ "{\"args\":{\"cni\":{\"ips\":7}}}", "args.cni.ips", "7" },
		{ "{\"prevResult\":{\"ips\":7}}", "prevResult", "7" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(rows[i].text, NULL, ERR_CONFIG, rows[i].key, rows[i].value);
}

/* What the forwarder is given is no part of the result's dns. */
static void test_dns_forward(void **state)
{
	struct keys k;

	(void)state;
	take("{\"dns\":{\"forward\":[\"169.254.1.53\",\"fd00::53\"],\"hostNames\":false}}", NULL, &k);
	assert_int_equal(k.conf.ndns_forward, 2);
	assert_addr(&k.conf.dns_forward[1], "fd00::53");
	assert_false(k.conf.dns_host_names);
	assert_dns(&k, "{}");
	keys_drop(&k);
	take("{\"dns\":{\"forward\":[]}}", NULL, &k);
	assert_int_equal(k.conf.ndns_forward, 0);
	keys_drop(&k);
}

/* dns goes into the result as it stands, and into what the container is told. */
static void test_dns(void **state)
{
	struct keys k;

	(void)state;
	take("{\"dns\":{\"nameservers\":[\"1.1.1.1\",\"2001:db8::1\"],\"domain\":\"d.example.\","
	     "\"search\":[\"s.example.\",\".\",\"_udp.t\"]}}", NULL, &k);
	assert_int_equal(k.conf.nnameservers, 2);
	assert_addr(&k.conf.nameservers[1], "2001:db8::1");
	assert_string_equal(k.conf.domain, "d.example");
	assert_int_equal(k.conf.nsearch, 2);
	assert_string_equal(k.conf.search[0], "s.example");
	assert_string_equal(k.conf.search[1], "_udp.t");
	assert_dns(&k, "{\"nameservers\":[\"1.1.1.1\",\"2001:db8::1\"],\"domain\":\"d.example.\","
		   "\"search\":[\"s.example.\",\".\",\"_udp.t\"]}");
	keys_drop(&k);
	/* runtimeConfig's comes in place of all of it */
	take("{\"dns\":{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"d\",\"search\":[\"s\"]},"
	     "\"runtimeConfig\":{\"dns\":{\"servers\":[\"2.2.2.2\"]}}}", NULL, &k);
	assert_int_equal(k.conf.nnameservers, 1);
	assert_addr(&k.conf.nameservers[0], "2.2.2.2");
	assert_string_equal(k.conf.domain, "");
	assert_int_equal(k.conf.nsearch, 0);
	keys_drop(&k);
	assert_refused("{\"dns\":{\"search\":[\"a..b\"]}}", NULL, ERR_CONFIG, "dns.search", "a..b");
	assert_refused("{\"dns\":{\"domain\":\"a b\"}}", NULL, ERR_CONFIG, "dns.domain", "a b");
	assert_refused("{\"dns\":{\"search\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}}",
		       NULL, ERR_CONFIG, "dns.search", "9 entries");
}

static void test_network_keys(void **state)
{
	struct keys k;

	(void)state;
	take("{\"configure\":false,\"dhcp\":{\"captivePortal\":\"https://p.example/\","
	     "\"ipv6OnlyPreferred\":1800,\"prefix\":\"2001:db8:7::/48\"}}", NULL, &k);
	assert_false(k.conf.configure);
	assert_string_equal(k.conf.captive_portal, "https://p.example/");
	assert_int_equal(k.conf.ipv6_only_s, 1800);
	assert_prefix(&k.conf.delegated, "2001:db8:7::/48");
	keys_drop(&k);
	take("{\"outbound\":{\"interface\":\"h0\",\"addresses\":[\"192.0.2.5\",\"2001:db8::5\"]}}", NULL, &k);
	assert_string_equal(k.conf.outbound_ifname4, "h0");
	assert_int_equal(k.conf.noutbound, 2);
	assert_addr(&k.conf.outbound[1], "2001:db8::5");
	keys_drop(&k);
	assert_refused("{\"outbound\":{\"interface\":\"a/b\"}}", NULL, ERR_CONFIG,
		       "outbound.interface", "a/b");
	take("{\"addresses\":[\"private\"]}", NULL, &k);
	assert_true(k.conf.addresses_private);
	assert_false(k.conf.addresses_host);
	keys_drop(&k);
	assert_taken("{\"dhcp\":{\"captivePortal\":\"\",\"ipv6OnlyPreferred\":0,\"prefix\":\"\"}}");
	assert_refused("{\"dhcp\":{\"prefix\":\"x\"}}", NULL, ERR_CONFIG, "dhcp.prefix", "x");
	assert_refused("{\"dhcp\":{\"ipv6OnlyPreferred\":-1}}", NULL, ERR_CONFIG,
		       "dhcp.ipv6OnlyPreferred", "-1");
	assert_refused("{\"dhcp\":{\"lease\":1}}", NULL, ERR_FIELD, "dhcp.lease", "1");
}

/* By name until they work, and their defaults are fine. */
static void test_later(void **state)
{
	static const struct {
		const char *text, *key, *value;
	} rows[] = {
		{ "{\"colour\":\"red\"}", "colour", "red" },
		{ "{\"MTU\":1500}", "MTU", "1500" },
		{ "{\"log\":{\"colour\":1}}", "log.colour", "1" },
		{ "{\"dns\":{\"colour\":1}}", "dns.colour", "1" },
		{ "{\"routes\":[{\"dst\":\"::/0\",\"colour\":1}]}", "routes.colour", "1" },
		{ "{\"routes\":[{\"dst\":\"::/0\",\"mtu\":1300}]}", "routes.mtu", "1300" },
		{ "{\"runtimeConfig\":{\"portMappings\":[{\"protocol\":\"sctp\"}]}}",
		  "runtimeConfig.portMappings.protocol", "sctp" },
		{ "{\"runtimeConfig\":{\"portMappings\":[{\"colour\":1}]}}",
		  "runtimeConfig.portMappings.colour", "1" },
		{ "{\"forward\":{\"sctp\":[]}}", "forward.sctp", "[]" },
		{ "{\"runtimeConfig\":{\"bandwidth\":{\"ingressRate\":1}}}",
		  "runtimeConfig.bandwidth", "1" },
		{ "{\"runtimeConfig\":{\"ipRanges\":[[]]}}", "runtimeConfig.ipRanges", "[]" },
		{ "{\"runtimeConfig\":{\"colour\":1}}", "runtimeConfig.colour", "1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(rows[i].text, NULL, ERR_FIELD, rows[i].key, rows[i].value);
	assert_taken("{\"configure\":true,\"preserveSource\":true,\"ipam\":{},\"via\":\"direct\","
		     "\"hostLoopback\":[],\"forward\":{\"tcp\":[],\"udp\":[]},\"capture\":\"\","
		     "\"reverse\":{\"tcp\":[],\"udp\":[]},\"dns\":{\"forward\":[]},"
		     "\"outbound\":{\"interface\":\"\",\"addresses\":[]},\"runtimeConfig\":{"
		     "\"portMappings\":[],\"BandWidth\":{\"IngressRate\":0},\"cgroupPath\":\"/x\","
		     "\"io.kubernetes.cri.pod-annotations\":{\"a\":\"b\"}}}");
}

static void assert_rule(const struct conf_forward *f, enum conf_proto proto, const char *text)
{
	char buf[FORWARD_STRLEN];

	assert_int_equal(f->proto, proto);
	assert_string_equal(forward_format(f, buf), text);
}

static void test_forwards(void **state)
{
	struct keys k;

	(void)state;
	take("{\"listen\":\"ready\",\"portConflict\":\"ignore\",\"preserveSource\":false,"
	     "\"forward\":{\"tcp\":[\"8080:80\",\"~22\"],\"udp\":[\"auto\"]},"
	     "\"reverse\":{\"tcp\":[\"5432\"]}}", NULL, &k);
	assert_int_equal(k.conf.nforwards, 3);
	assert_rule(&k.conf.forwards[0], CONF_TCP, "8080:80");
	assert_rule(&k.conf.forwards[1], CONF_TCP, "~22");
	assert_rule(&k.conf.forwards[2], CONF_UDP, "auto");
	assert_true(k.conf.forwards[0].ready);
	assert_int_equal(k.conf.nreverses, 1);
	assert_rule(&k.conf.reverses[0], CONF_TCP, "5432:5432");
	assert_true(k.conf.reverses[0].ready);
	assert_false(k.conf.preserve_source);
	assert_int_equal(k.conf.port_conflict, CONF_CONFLICT_IGNORE);
	keys_drop(&k);
}

/* As podman (lower case, one a port), nerdctl (capitals, HostIP) and CRI send them. */
static void test_port_mappings(void **state)
{
	struct keys k;

	(void)state;
	take("{\"forward\":{\"tcp\":[\"1:1\"]},\"runtimeConfig\":{\"portMappings\":["
	     "{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"},"
	     "{\"hostPort\":8081,\"containerPort\":81,\"protocol\":\"tcp\"},"
	     "{\"hostPort\":8081,\"containerPort\":81,\"protocol\":\"udp\"},"
	     "{\"hostPort\":8082,\"containerPort\":82,\"protocol\":\"tcp\"},"
	     "{\"hostPort\":8083,\"containerPort\":99,\"protocol\":\"tcp\"},"
	     "{\"HostPort\":53,\"ContainerPort\":53,\"Protocol\":\"UDP\",\"HostIP\":\"::1\"},"
	     "{\"HostPort\":0,\"ContainerPort\":7,\"HostIP\":\"\"}]}}", NULL, &k);
	assert_int_equal(k.conf.nforwards, 6);
	assert_rule(&k.conf.forwards[1], CONF_TCP, "8080-8082:80-82");
	assert_rule(&k.conf.forwards[2], CONF_UDP, "8081:81");
	assert_rule(&k.conf.forwards[3], CONF_TCP, "8083:99");
	assert_rule(&k.conf.forwards[4], CONF_UDP, "[::1]:53:53");
	assert_rule(&k.conf.forwards[5], CONF_TCP, "0:7");
	assert_false(k.conf.forwards[1].ready);
	keys_drop(&k);
}

static void test_args(void **state)
{
	struct keys k;

	(void)state;
	take("{\"mac\":\"02:00:00:00:00:01\"}", "IgnoreUnknown=1;K8S_POD_NAME=a=b;;X=;"
	     "MAC=02:00:00:00:00:02;IP=10.1.1.1/24,fd00::1/64;GATEWAY=10.1.1.254", &k);
	assert_int_equal(k.conf.mac.b[5], 2);
	assert_int_equal(k.conf.naddresses, 2);
	assert_prefix(&k.conf.addresses[1], "fd00::1/64");
	assert_addr(&k.conf.gateways[0], "10.1.1.254");
	keys_drop(&k);
	assert_refused("{}", "x", ERR_ENV, "CNI_ARGS", "=");
	assert_refused("{}", "IP=x", ERR_ENV, "CNI_ARGS: IP", "x");
	assert_refused("{}", "MAC=x", ERR_ENV, "CNI_ARGS: MAC", "x");
}

/* Configuration, then CNI_ARGS, then args.cni, then runtimeConfig: addresses by
 * family, so that a given IPv4 address leaves IPv6 as it was. */
static void test_who_wins(void **state)
{
	struct keys k;

	(void)state;
	take("{\"addresses\":[\"10.0.0.1/24\",\"fd00::1/64\"],\"runtimeConfig\":"
	     "{\"Ips\":[\"10.0.0.3\"],\"MAC\":\"02:00:00:00:00:03\"},"
	     "\"args\":{\"cni\":{\"ips\":[\"10.0.0.2/24\"],\"labels\":[1]},\"x\":1}}",
	     "IP=10.0.0.9/24;MAC=02:00:00:00:00:09", &k);
	assert_int_equal(k.conf.naddresses, 2);
	assert_prefix(&k.conf.addresses[0], "fd00::1/64");
	assert_prefix(&k.conf.addresses[1], "10.0.0.3/32");
	assert_int_equal(k.conf.mac.b[5], 3);
	keys_drop(&k);
	take("{\"args\":{\"cni\":{\"ips\":[\"10.0.0.2/24\"]}}}", "IP=10.0.0.9/24", &k);
	assert_int_equal(k.conf.naddresses, 1);
	assert_prefix(&k.conf.addresses[0], "10.0.0.2/24");
	assert_true(k.conf.addresses_host);
	keys_drop(&k);
	take("{\"dns\":{\"nameservers\":[\"1.1.1.1\"],\"domain\":\"d\"},\"runtimeConfig\":"
	     "{\"dns\":{\"Servers\":[\"2.2.2.2\"],\"Searches\":[\"s\"],\"Options\":[\"o\"]}}}",
	     NULL, &k);
	assert_dns(&k, "{\"nameservers\":[\"2.2.2.2\"],\"search\":[\"s\"],\"options\":[\"o\"]}");
	keys_drop(&k);
	take("{\"dns\":{\"domain\":\"d\"},\"runtimeConfig\":{\"dns\":{\"Servers\":null}}}", NULL,
	     &k);
	assert_dns(&k, "{\"domain\":\"d\"}");
	keys_drop(&k);
}

/* Each key and each family of addresses says who gave it. */
static void test_origins(void **state)
{
	const uint8_t *from;
	struct json_object *o;
	struct err e = ERR_INIT;
	struct keys k;

	(void)state;
	take("{\"mtu\":0,\"addresses\":[\"10.0.0.2/24\",\"2001:db8::2/64\"],"
	     "\"gateways\":[\"10.0.0.1\",\"2001:db8::1\"],\"udp\":{\"timeoutStream\":120},"
	     "\"dns\":{\"nameservers\":[\"192.0.2.1\"],\"search\":[\"a.example\"]},"
	     "\"forward\":{\"tcp\":[\"8080:80\"]},\"reverse\":{\"udp\":[\"53\"]},"
	     "\"runtimeConfig\":{\"DNS\":{\"Servers\":[\"192.0.2.2\"]},\"ips\":[\"2001:db8::3/64\"],"
	     "\"portMappings\":[{\"hostPort\":8081,\"containerPort\":81}]}}",
	     "MAC=02:00:00:00:00:07", &k);
	from = k.conf.from;
	assert_int_equal(from[ORIGIN_KEY_MTU], ORIGIN_CONF);
	assert_int_equal(from[ORIGIN_KEY_MAC], ORIGIN_ARGS);
	assert_int_equal(from[ORIGIN_KEY_ADDRESSES], ORIGIN_CONF);
	assert_int_equal(from[ORIGIN_KEY_ADDRESSES4], ORIGIN_CONF);
	assert_int_equal(from[ORIGIN_KEY_ADDRESSES6], ORIGIN_RUNTIME);
	assert_int_equal(from[ORIGIN_KEY_NAMESERVERS], ORIGIN_RUNTIME);
	assert_int_equal(from[ORIGIN_KEY_UDP_STREAM], ORIGIN_CONF);
	assert_int_equal(from[ORIGIN_KEY_UDP_TIMEOUT], ORIGIN_DEFAULT);
	assert_int_equal(k.conf.nforwards, 2);	/* one rule, if they came from one */
	assert_int_equal(k.conf.forwards[0].from, ORIGIN_CONF);
	assert_int_equal(k.conf.forwards[1].from, ORIGIN_RUNTIME);
	assert_int_equal(k.conf.reverses[0].from, ORIGIN_CONF);
	o = json_tokener_parse("{\"ips\":[\"10.1.0.2/24\"],\"gateways\":[\"10.1.0.1\"]}");
	k.ipam = true;
	assert_int_equal(keys_read_ipam(o, &k, &e), 0);
	assert_int_equal(from[ORIGIN_KEY_ADDRESSES4], ORIGIN_IPAM);
	assert_int_equal(from[ORIGIN_KEY_ADDRESSES6], ORIGIN_RUNTIME);
	assert_int_equal(from[ORIGIN_KEY_GATEWAYS4], ORIGIN_IPAM);
	assert_int_equal(from[ORIGIN_KEY_GATEWAYS6], ORIGIN_CONF);
	json_object_put(o);
	keys_drop(&k);
}

static void test_caps(void **state)
{
	char text[8192] = "{\"addresses\":[";
	struct keys k;

	(void)state;
	for (int i = 0; i < CONF_ADDRS_MAX; i++)
		strcat(text, i ? ",\"10.0.0.1/24\"" : "\"10.0.0.1/24\"");
	strcat(text, "]}");
	take(text, NULL, &k);	/* that they are the same is the validator's */
	keys_drop(&k);
	strcpy(text + strlen(text) - 2, ",\"10.0.0.1/24\"]}");
	assert_refused(text, NULL, ERR_CONFIG, "addresses", "17");
	strcpy(text, "{\"routes\":[");
	for (int i = 0; i <= CONF_ROUTES_MAX; i++)
		strcat(text, i ? ",{\"dst\":\"::/0\"}" : "{\"dst\":\"::/0\"}");
	strcat(text, "]}");
	assert_refused(text, NULL, ERR_CONFIG, "routes", "65");
}

static void test_prev(void **state)
{
	struct keys k;

	(void)state;
	take("{\"prevResult\":{\"ips\":[],\"cniVersion\":\"1.0.0\"}}", NULL, &k);
	assert_non_null(k.prev);
	keys_drop(&k);
	assert_null(k.prev);
}

/* With an IPAM plugin the addresses asked for are its to give. */
static void test_ipam(void **state)
{
	struct keys k;

	(void)state;
	take("{\"ipam\":{\"type\":\"x\",\"subnet\":7},\"runtimeConfig\":{\"ips\":[\"10.0.0.9/24\"],"
	     "\"ipRanges\":[[{}]]}}", "IP=10.0.0.8/24", &k);
	assert_true(k.ipam);
	assert_int_equal(k.conf.naddresses, 0);
	keys_drop(&k);
	take("{\"ipam\":{},\"runtimeConfig\":{\"ips\":[\"10.0.0.9/24\"]}}", NULL, &k);
	assert_false(k.ipam);
	assert_int_equal(k.conf.naddresses, 1);
	keys_drop(&k);
	/* over the interface: addresses stay ours to say */
	take("{\"ipam\":{\"type\":\"dhcp\"},\"runtimeConfig\":{\"ips\":[\"10.0.0.9/24\"]}}", NULL, &k);
	assert_true(k.ipam_dhcp && k.conf.ipv4_late && !k.ipam);
	assert_int_equal(k.conf.naddresses, 1);
	keys_drop(&k);
	assert_refused("{\"ipam\":{\"type\":\"dhcp\"},\"configure\":false}", NULL, ERR_CONFIG, "dhcp",
		       "configure");
	assert_refused("{\"ipam\":{\"type\":\"dhcp\"},\"ipv4\":false}", NULL, ERR_CONFIG, "dhcp", "ipv4");
	assert_refused("{\"ipam\":{\"subnet\":\"10.0.0.0/8\"}}", NULL, ERR_CONFIG, "ipam", "type");
	assert_refused("{\"ipam\":{\"type\":7}}", NULL, ERR_CONFIG, "ipam", "7");
	assert_refused("{\"ipam\":{\"type\":\"x\"},\"runtimeConfig\":{\"ips\":[\"z\"]}}", NULL,
		       ERR_CONFIG, "runtimeConfig.ips", "z");
}

static void test_aliases(void **state)
{
	(void)state;
	assert_taken("{\"runtimeConfig\":{\"aliases\":[\"a\",\"b\"]}}");
	assert_taken("{\"runtimeConfig\":{\"Aliases\":{\"net\":[\"a\"],\"other\":null}}}");
	assert_refused("{\"runtimeConfig\":{\"aliases\":[7]}}", NULL, ERR_CONFIG,
		       "runtimeConfig.aliases", "7");
	assert_refused("{\"runtimeConfig\":{\"aliases\":{\"net\":\"a\"}}}", NULL, ERR_CONFIG,
		       "runtimeConfig.aliases", "a");
}

static void assert_hint(const char *text, const char *hint)
{
	struct keys k;
	struct err e;

	assert_int_equal(read_text(text, NULL, &k, &e), -1);
	keys_drop(&k);
	assert_int_equal(e.code, ERR_FIELD);
	assert_string_equal(e.details, hint);
}

static void test_hints(void **state)
{
	(void)state;
	assert_hint("{\"MTU\":1500}", "did you mean \"mtu\"?");
	assert_hint("{\"adress\":[]}", "did you mean \"addresses\"?");
	assert_hint("{\"hostAdress\":[]}", "did you mean \"hostAddress\"?");
	assert_hint("{\"log\":{\"levle\":\"info\"}}", "did you mean \"log.level\"?");
	assert_hint("{\"runtimeConfig\":{\"portMapping\":[]}}",
		    "did you mean \"runtimeConfig.portMappings\"?");
	assert_hint("{\"ipvx\":1}", "did you mean \"ipv4\"?");
	/* too far from all, or too short or too long to tell */
	assert_hint("{\"colour\":1}", "");
	assert_hint("{\"x\":1}", "");
	assert_hint("{\"\":1}", "");
	assert_hint("{\"addressesaddressesaddressesaddressesaddresses\":1}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_families_and_lists),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_dns),
		cmocka_unit_test(test_dns_forward),
		cmocka_unit_test(test_network_keys),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_port_mappings),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_who_wins),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_prev),
		cmocka_unit_test(test_ipam),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
