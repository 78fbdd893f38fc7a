/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/conf/conf.c: defaults, names, derived MACs, and each rule of the
 * validator by a value just inside it and one just outside. */
#include "../unit.h"

#include <stdio.h>

#include "conf/conf.h"
#include "conf/forward.h"

static struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

static struct addr addr(const char *s)
{
	struct addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

/* A configuration that the validator takes. */
static struct conf good(void)
{
	struct conf c;

	conf_init(&c);
	strcpy(c.container_id, "demo");
	strcpy(c.ifname, "eth0");
	strcpy(c.netns_path, "/run/netns/x");
	strcpy(c.state_dir, "/run/cni-passt/demo@eth0");
	return c;
}

static void assert_ok(struct conf c)
{
	struct err e = ERR_INIT;

	if (conf_validate(&c, &e) < 0)
		fail_msg("refused: %s", e.msg);
	assert_int_equal(e.code, ERR_NONE);
}

/* Refused with that code, and the message has both words. */
static void assert_refused(struct conf c, int code, const char *key, const char *value)
{
	struct err e = ERR_INIT;

	if (conf_validate(&c, &e) == 0)
		fail_msg("taken: %s %s", key, value);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, key) || !strstr(e.msg, value))
		fail_msg("\"%s\" or \"%s\" is not in: %s", key, value, e.msg);
}

static void test_defaults(void **state)
{
	struct addr host = addr("169.254.1.2");
	struct conf c;

	(void)state;
	POISON(c);
	conf_init(&c);
	assert_true(c.ipv4 && c.ipv6 && c.addresses_host);
	assert_int_equal(c.nhost_addresses, 1);
	assert_true(addr_eq(&c.host_addresses[0], &host));
	assert_int_equal(c.log_level, LOGL_INFO);
	assert_int_equal(c.log_target, LOGT_SYSLOG);
	assert_int_equal(c.mtu, 0);
	assert_string_equal(c.container_id, "");
	assert_ok(good());
}

static void test_names(void **state)
{
	char longest[CONF_ID_MAX + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[CONF_ID_MAX + 1] = '\0';
	assert_false(conf_id_ok(longest));
	longest[CONF_ID_MAX] = '\0';
	assert_true(conf_id_ok(longest));
	assert_true(conf_id_ok("A9_.-"));
	assert_false(conf_id_ok(""));
	assert_false(conf_id_ok("."));
	assert_false(conf_id_ok("-a"));
	assert_false(conf_id_ok("a/b"));
	assert_false(conf_id_ok("a@b"));
	assert_false(conf_id_ok("a\nb"));
	assert_false(conf_id_ok("\xc3\xa9"));

	assert_true(conf_ifname_ok("e"));
	assert_true(conf_ifname_ok("fifteen-letters"));
	assert_false(conf_ifname_ok("sixteen-letters-"));
	assert_false(conf_ifname_ok(""));
	assert_false(conf_ifname_ok("."));
	assert_false(conf_ifname_ok(".."));
	assert_true(conf_ifname_ok("..."));
	assert_false(conf_ifname_ok("a/b"));
	assert_false(conf_ifname_ok("a:b"));
	assert_false(conf_ifname_ok("a b"));
	assert_false(conf_ifname_ok("a\tb"));
	assert_false(conf_ifname_ok("eth%d"));
	assert_false(conf_ifname_ok("\xc3\xa9"));
}

static void test_macs(void **state)
{
	struct conf a = good(), b = good(), c = good(), given = good();

	(void)state;
	conf_default_macs(&a);
	conf_default_macs(&b);
	assert_true(mac_eq(&a.mac, &b.mac));
	assert_true(mac_eq(&a.gw_mac, &b.gw_mac));
	assert_false(mac_eq(&a.mac, &a.gw_mac));
	assert_int_equal(a.mac.b[0], 0x02);
	assert_int_equal(a.gw_mac.b[0] & 3, 2);
	strcpy(c.ifname, "eth1");
	conf_default_macs(&c);
	assert_false(mac_eq(&a.mac, &c.mac));
	assert_false(mac_eq(&a.gw_mac, &c.gw_mac));
	given.mac = a.gw_mac;
	conf_default_macs(&given);
	assert_true(mac_eq(&given.mac, &a.gw_mac));
	assert_false(mac_eq(&given.mac, &given.gw_mac));
}

static void test_identity(void **state)
{
	struct conf c = good();

	(void)state;
	strcpy(c.container_id, "../x");
	assert_refused(c, ERR_ENV, "CNI_CONTAINERID", "../x");
	c = good();
	strcpy(c.ifname, "a/b");
	assert_refused(c, ERR_ENV, "CNI_IFNAME", "a/b");
	c = good();
	strcpy(c.network, "web");
	assert_ok(c);
	strcpy(c.network, "a\nb");
	assert_refused(c, ERR_CONFIG, "name", "a?b");
	c = good();
	strcpy(c.netns_path, "netns");
	assert_refused(c, ERR_ENV, "CNI_NETNS", "netns");
	c = good();
	memset(c.netns_path, '/', sizeof(c.netns_path));
	assert_refused(c, ERR_ENV, "CNI_NETNS", "longer");
	c = good();
	c.state_dir[0] = '\0';
	assert_refused(c, ERR_IO, "state folder", "");
	c = good();
	c.owner_pid = -1;
	assert_refused(c, ERR_ENV, "--pid", "-1");
}

static void test_link(void **state)
{
	static const uint32_t bad[] = { 1, 575, 65536, UINT32_MAX };
	struct conf c = good();
	char text[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c.mtu = bad[i];
		snprintf(text, sizeof(text), "%u", bad[i]);
		assert_refused(c, ERR_CONFIG, "mtu", text);
	}
	c.mtu = 65535;
	assert_ok(c);
	c.mtu = 1280;
	assert_ok(c);
	c.mtu = 1279;
	assert_refused(c, ERR_CONFIG, "mtu", "1279");
	c.ipv6 = false;
	assert_ok(c);
	c.mtu = 576;
	assert_ok(c);
	c = good();
	c.ipv4 = c.ipv6 = false;
	assert_refused(c, ERR_CONFIG, "ipv4", "ipv6");
	c = good();
	c.mac.b[0] = 1;
	assert_refused(c, ERR_CONFIG, "mac", "01:00:00:00:00:00");
	c = good();
	c.mac = c.gw_mac = (struct mac){ { 2, 0, 0, 0, 0, 1 } };
	assert_refused(c, ERR_CONFIG, "mac", "02:00:00:00:00:01");
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"127.0.0.1/8", "0.0.0.0/8", "0.1.2.3/24", "224.0.0.1/24", "255.255.255.255/32",
		"10.0.0.0/24", "10.0.0.255/24", "10.0.0.1/0", "::1/128", "::/64", "ff02::1/64",
		"fd00::1/0",
	};
	static const char *const fine[] = {
		"10.0.0.0/31", "10.0.0.1/31", "10.0.0.0/32", "10.0.0.254/24", "10.0.0.1/1",
		"169.254.9.9/16", "fd00::/64", "fe80::1/64", "fd00::1/128", "192.168.0.1/30",
	};
	struct conf c = good();

	(void)state;
	c.naddresses = 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c.addresses[0] = prefix(bad[i]);
		assert_refused(c, ERR_CONFIG, "addresses", bad[i][0] == ':' ? ":" : "");
	}
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		c.addresses[0] = prefix(fine[i]);
		assert_ok(c);
	}
	c.naddresses = 0;
	c.addresses_private = true;
	assert_refused(c, ERR_CONFIG, "host", "private");
	c = good();
	c.addresses_host = false;
	assert_refused(c, ERR_CONFIG, "addresses", "[]");
	c.naddresses = CONF_ADDRS_MAX + 1;
	assert_refused(c, ERR_CONFIG, "addresses", "17");
	c.naddresses = 2;
	c.addresses[0] = prefix("10.0.0.1/24");
	c.addresses[1] = prefix("10.0.0.1/16");
	assert_refused(c, ERR_CONFIG, "addresses", "10.0.0.1/16");
	c.addresses[1] = prefix("fd00::1/64");
	assert_ok(c);
	c.ipv6 = false;
	assert_refused(c, ERR_CONFIG, "addresses", "fd00::1");
}

static void test_gateways(void **state)
{
	struct conf c = good();

	(void)state;
	c.naddresses = 1;
	c.addresses[0] = prefix("10.0.0.2/24");
	c.ngateways = 1;
	c.gateways[0] = addr("10.0.0.1");
	assert_ok(c);
	c.gateways[0] = addr("10.0.0.2");
	assert_refused(c, ERR_CONFIG, "gateways", "10.0.0.2");
	c.gateways[0] = addr("127.0.0.1");
	assert_refused(c, ERR_CONFIG, "gateways", "127.0.0.1");
	c.gateways[0] = addr("10.0.0.1");
	c.gateways[1] = addr("fe80::1");
	c.ngateways = 2;
	assert_ok(c);
	c.gateways[1] = addr("10.0.0.3");
	assert_refused(c, ERR_CONFIG, "gateways", "10.0.0.3");
	c.ngateways = 3;
	assert_refused(c, ERR_CONFIG, "gateways", "3");
	c.ngateways = 1;
	c.ipv4 = false;
	c.naddresses = 0;
	assert_refused(c, ERR_CONFIG, "gateways", "10.0.0.1");
}

static void test_routes(void **state)
{
	struct prefix masked = prefix("10.1.2.128/25");
	struct conf c = good();

	(void)state;
	c.nroutes = 1;
	c.routes[0].dst = prefix("10.1.2.200/25");
	assert_int_equal(conf_validate(&c, NULL), 0);
	assert_true(addr_eq(&c.routes[0].dst.addr, &masked.addr));
	c.routes[0].dst = prefix("fd00:1:2:3:4:5:6:7/61");
	assert_int_equal(conf_validate(&c, NULL), 0);
	masked = prefix("fd00:1:2::/61");
	assert_true(addr_eq(&c.routes[0].dst.addr, &masked.addr));
	c.routes[0].dst = prefix("1.2.3.4/0");
	assert_int_equal(conf_validate(&c, NULL), 0);
	masked = prefix("0.0.0.0/0");
	assert_true(addr_eq(&c.routes[0].dst.addr, &masked.addr));
	c.routes[0].gw = addr("fe80::1");
	assert_refused(c, ERR_CONFIG, "routes.gw", "fe80::1");
	c.routes[0].gw = addr("224.0.0.1");
	assert_refused(c, ERR_CONFIG, "routes.gw", "224.0.0.1");
	c.routes[0].gw = addr("10.0.0.1");
	assert_ok(c);
	c.routes[1] = c.routes[0];
	c.nroutes = 2;
	assert_refused(c, ERR_CONFIG, "routes.dst", "0.0.0.0/0");
	c.routes[1].metric = 5;
	assert_ok(c);
	c.routes[1].dst = prefix("127.1.0.0/16");
	assert_refused(c, ERR_CONFIG, "routes.dst", "127.1.0.0/16");
	c.routes[1].dst = prefix("fd00::/64");
	c.routes[1].gw = ADDR_ANY;
	assert_ok(c);
	c.ipv6 = false;
	assert_refused(c, ERR_CONFIG, "routes.dst", "fd00::/64");
	c.nroutes = CONF_ROUTES_MAX + 1;
	assert_refused(c, ERR_CONFIG, "routes", "65");
}

static void test_host_addresses(void **state)
{
	struct conf c = good();

	(void)state;
	c.ipv4 = false;		/* the default goes with its family */
	assert_int_equal(conf_validate(&c, NULL), 0);
	assert_int_equal(c.nhost_addresses, 0);
	c.nhost_addresses = 1;
	c.host_addresses[0] = addr("169.254.1.3");
	assert_refused(c, ERR_CONFIG, "hostAddress", "169.254.1.3");
	c = good();
	c.naddresses = 1;
	c.addresses[0] = prefix("169.254.1.2/16");
	assert_refused(c, ERR_CONFIG, "hostAddress", "\"169.254.1.2\" is also in \"addresses\"");
	c = good();
	c.naddresses = 2;
	c.addresses[0] = prefix("10.0.0.5/24");
	c.addresses[1] = prefix("fd00::5/64");
	assert_ok(c);
	c.nhost_addresses = 2;
	c.host_addresses[1] = c.addresses[1].addr;
	assert_refused(c, ERR_CONFIG, "hostAddress", "\"fd00::5\" is also in \"addresses\"");
	c.nhost_addresses = 1;
	c.nhost_loopback = 1;
	c.host_loopback[0] = c.addresses[0].addr;
	assert_refused(c, ERR_CONFIG, "hostLoopback", "\"10.0.0.5\" is also in \"addresses\"");
	c = good();
	c.nhost_addresses = 2;
	c.host_addresses[1] = c.host_addresses[0];
	assert_refused(c, ERR_CONFIG, "hostAddress", "twice");
	c.host_addresses[1] = addr("::1");
	assert_refused(c, ERR_CONFIG, "hostAddress", "::1");
	c.nhost_addresses = CONF_HOST_ADDRS_MAX + 1;
	assert_refused(c, ERR_CONFIG, "hostAddress", "5");
}

static void test_host_loopback(void **state)
{
	struct conf c = good();

	(void)state;
	assert_int_equal(c.nhost_loopback, 0);	/* out of reach unless asked for */
	c.nhost_loopback = 2;
	c.host_loopback[0] = addr("169.254.1.3");
	c.host_loopback[1] = addr("fd00::3");
	assert_ok(c);
	c.host_loopback[1] = c.host_loopback[0];
	assert_refused(c, ERR_CONFIG, "hostLoopback", "twice");
	c.host_loopback[1] = addr("127.0.0.1");
	assert_refused(c, ERR_CONFIG, "hostLoopback", "127.0.0.1");
	c.host_loopback[1] = c.host_addresses[0];
	assert_refused(c, ERR_CONFIG, "hostLoopback", "hostAddress");
	c.nhost_loopback = CONF_HOST_ADDRS_MAX + 1;
	assert_refused(c, ERR_CONFIG, "hostLoopback", "5");
}

static void test_dns_forward(void **state)
{
	struct conf c = good();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(c.ndns_forward, 2);
	assert_true(c.dns_host_names);
	c.ipv6 = false;				/* the default goes where it cannot be ... */
	assert_int_equal(conf_validate(&c, &e), 0);
	assert_int_equal(c.ndns_forward, 1);
	assert_int_equal(conf_validate(&c, &e), 0);
	assert_int_equal(c.ndns_forward, 1);
	c = good();
	c.host_addresses[0] = c.dns_forward[0];
	assert_int_equal(conf_validate(&c, &e), 0);
	assert_int_equal(c.ndns_forward, 1);
	c = good();				/* ... and what was asked for is refused there */
	c.ndns_forward = 1;
	c.dns_forward[0] = c.host_addresses[0];
	assert_refused(c, ERR_CONFIG, "dns.forward", "hostAddress");
	c.dns_forward[0] = addr("127.0.0.1");
	assert_refused(c, ERR_CONFIG, "dns.forward", "127.0.0.1");
	c.dns_forward[0] = addr("fe80::1");
	assert_refused(c, ERR_CONFIG, "dns.forward", "fe80::1");
	c.dns_forward[0] = addr("fd00::53");
	assert_ok(c);
	c.dns_forward[1] = c.dns_forward[0];
	c.ndns_forward = 2;
	assert_refused(c, ERR_CONFIG, "dns.forward", "twice");
	c.ndns_forward = CONF_HOST_ADDRS_MAX + 1;
	assert_refused(c, ERR_CONFIG, "dns.forward", "5");
	c.ndns_forward = 0;
	assert_ok(c);
}

static void test_log_and_without(void **state)
{
	struct conf c = good();

	(void)state;
	c.log_target = LOGT_FILE;
	assert_refused(c, ERR_CONFIG, "log.target", "");
	strcpy(c.log_path, "x.log");
	assert_refused(c, ERR_CONFIG, "log.target", "x.log");
	strcpy(c.log_path, "/x.log");
	assert_ok(c);
	c.log_level = LOGL_COUNT;
	assert_refused(c, ERR_CONFIG, "log.level", "");
	c = good();
	c.log_target = LOGT_COUNT;
	assert_refused(c, ERR_CONFIG, "log.target", "");
	c = good();
	c.without = 1U << 31;
	assert_refused(c, ERR_ENV, "CNI_PASST_WITHOUT", "0x80000000");
	assert_int_equal(conf_without_parse("offload"), CONF_WITHOUT_OFFLOAD);
	assert_int_equal(conf_without_parse("uso"), CONF_WITHOUT_USO);
	assert_int_equal(conf_without_parse("peek"), CONF_WITHOUT_PEEK);
	assert_int_equal(conf_without_parse("udpgso"), CONF_WITHOUT_UDPGSO);
	assert_int_equal(conf_without_parse("PEEK"), 0);
	assert_int_equal(conf_without_parse(""), 0);
}

static void add_forward(struct conf *c, enum conf_proto proto, const char *text)
{
	const char *why = forward_parse(text, proto, &c->forwards[c->nforwards++]);

	if (why)
		fail_msg("%s: %s", text, why);
}

/* Two rules of TCP, which must or must not be able to stand together. */
static void assert_together(const char *a, const char *b, bool ok)
{
	struct conf c = good();

	add_forward(&c, CONF_TCP, a);
	add_forward(&c, CONF_TCP, b);
	if (ok)
		assert_ok(c);
	else
		assert_refused(c, ERR_CONFIG, "forward.tcp", "listens where another rule does");
}

static void test_forwards(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "224.0.0.1:80:80", "not one host's" },
		{ "80:255.255.255.255:80", "not one host's" },
		{ "80:0.0.0.0:80", "unspecified" },
		{ "127.0.0.1:80:[fd00::1]:80", "family into the other" },
	};
	struct conf c = good();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c = good();
		add_forward(&c, CONF_UDP, bad[i].text);
		assert_refused(c, ERR_CONFIG, "forward.udp", bad[i].why);
	}
	c = good();
	add_forward(&c, CONF_TCP, "[2001:db8::1]:80:80");
	assert_ok(c);
	c.ipv6 = false;
	assert_refused(c, ERR_CONFIG, "2001:db8::1", "switched off");
	assert_together("80:80", "80:81", false);
	assert_together("80-90:80-90", "90-99:90-99", false);
	assert_together("127.0.0.1:80:80", "80:80", false);
	assert_together("0.0.0.0:80:80", "127.0.0.1:80:80", false);
	assert_together("0.0.0.0:80:80", "[::1]:80:80", true);
	assert_together("127.0.0.1:80:80", "127.0.0.2:80:80", true);
	assert_together("eth0/80:80", "eth1/80:80", true);
	assert_together("eth0/80:80", "80:80", false);
	assert_together("0:80", "0:80", true);
	assert_together("auto", "80:80", true);
	assert_together("~80", "80:80", true);
	c = good();
	add_forward(&c, CONF_TCP, "80:80");
	add_forward(&c, CONF_UDP, "80:80");
	assert_ok(c);
	c.nforwards = CONF_FORWARDS_MAX + 1;
	assert_refused(c, ERR_CONFIG, "forward", "257");
	c = good();
	c.port_conflict = CONF_CONFLICT_COUNT;
	assert_refused(c, ERR_CONFIG, "portConflict", "2");
}

/* Values that no text makes, but a hand-over could hold. */
static void test_forward_values(void **state)
{
	static const struct conf_forward rows[] = {
		{ .proto = CONF_PROTO_COUNT, .first = 1, .last = 1, .to_first = 1 },
		{ .kind = CONF_FORWARD_KIND_COUNT, .first = 1, .last = 1, .to_first = 1 },
		{ .first = 2, .last = 1, .to_first = 1 },
		{ .first = 0, .last = 1, .to_first = 1 },
		{ .first = 1, .last = 1, .to_first = 0 },
		{ .first = 1, .last = 3, .to_first = 65534 },
		{ .first = 1, .last = 1, .to_first = 1, .ifname = "a/b" },
	};
	const struct conf_forward *const at_run_time = &rows[2];
	struct err e = ERR_INIT;
	struct conf c = good();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		c = good();
		c.nforwards = 1;
		c.forwards[0] = rows[i];
		assert_refused(c, ERR_CONFIG, "forward", "");
	}
	c = good();
	assert_int_equal(conf_add_forward(&c, at_run_time, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(c.nforwards, 0);
}

static void test_add_forward(void **state)
{
	struct conf c = good();
	struct conf_forward f, g;
	struct err e = ERR_INIT;

	(void)state;
	add_forward(&c, CONF_TCP, "80-90:80-90");
	assert_null(forward_parse("91:91", CONF_TCP, &f));
	assert_int_equal(conf_add_forward(&c, &f, &e), 0);
	assert_int_equal(c.nforwards, 2);
	assert_true(conf_forward_eq(&c.forwards[1], &f));
	assert_int_equal(conf_add_forward(&c, &f, &e), -1);
	assert_non_null(strstr(e.msg, "91:91"));
	assert_int_equal(c.nforwards, 2);
	while (c.nforwards < CONF_FORWARDS_MAX)
		add_forward(&c, CONF_UDP, "0:1");
	g = f;
	g.proto = CONF_UDP;
	assert_false(conf_forward_eq(&f, &g));
	assert_int_equal(conf_add_forward(&c, &g, &e), -1);
	assert_non_null(strstr(e.msg, "256 rules already"));
}

/* Loopback to loopback, and nothing else. */
static void test_reverses(void **state)
{
	static const char *const bad[] = {
		"127.0.0.5:auto", "lo/auto", "lo/80", "203.0.113.2:80:80", "80:203.0.113.9:80", "[2001:db8::1]:80:80",
		"0:80",
	};
	static const char *const fine[] = {
		"80", "8000-8999:7000-7999", "127.0.0.1:80:80", "[::1]:81:[::1]:80",
		"127.0.0.2:80:127.0.0.9:80", "~82", "auto", "127.0.0.1:auto", "[::1]:auto",
	};
	struct conf c = good();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c = good();
		c.nreverses = 1;
		assert_null(forward_parse(bad[i], CONF_TCP, &c.reverses[0]));
		assert_refused(c, ERR_CONFIG, "reverse", "");
	}
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		c = good();
		c.nreverses = 1;
		assert_null(forward_parse(fine[i], CONF_TCP, &c.reverses[0]));
		assert_ok(c);
	}
	assert_null(forward_parse("80", CONF_UDP, &c.reverses[0]));
	assert_ok(c);
	c = good();
	add_forward(&c, CONF_TCP, "80:127.0.0.1:80");	/* the container's loopback: by splice */
	assert_ok(c);
	c.forwards[0].ready = true;
	assert_ok(c);
}

static void test_forwards_to_loopback(void **state)
{
	struct conf c = good();

	(void)state;
	add_forward(&c, CONF_UDP, "80:127.0.0.1:80");
	assert_ok(c);
	c.forwards[0].ready = true;
	assert_ok(c);
	add_forward(&c, CONF_TCP, "80:127.0.0.9:80");
	assert_ok(c);
	c.forwards[1].ready = true;
	assert_refused(c, ERR_CONFIG, "127.0.0.9", "ready");
}

static void test_udp(void **state)
{
	struct conf c = good();

	(void)state;
	assert_int_equal(c.udp_timeout, 30);
	assert_int_equal(c.udp_stream, 120);
	c.udp_timeout = c.udp_stream = 1;
	assert_ok(c);
	c.udp_timeout = 2;
	assert_refused(c, ERR_CONFIG, "udp.timeoutStream", "1");
	c.udp_stream = CONF_UDP_MAX;
	assert_ok(c);
	c.udp_stream++;
	assert_refused(c, ERR_CONFIG, "udp.timeoutStream", "86401");
	c.udp_timeout = 0;
	assert_refused(c, ERR_CONFIG, "udp.timeout", "0");
	c.udp_timeout = CONF_UDP_MAX + 1;
	assert_refused(c, ERR_CONFIG, "udp.timeout", "86401");
}

/* RFC 1035, 2.3.4 */
static void test_domains(void **state)
{
	char text[256];

	(void)state;
	assert_true(conf_domain_ok("a"));
	assert_true(conf_domain_ok("_tcp.a-b.example"));
	assert_false(conf_domain_ok(""));
	assert_false(conf_domain_ok("."));
	assert_false(conf_domain_ok("a."));
	assert_false(conf_domain_ok(".a"));
	assert_false(conf_domain_ok("a..b"));
	assert_false(conf_domain_ok("a b"));
	assert_false(conf_domain_ok("\xc3\xa4.example"));
	memset(text, 'a', sizeof(text));
	text[64] = '\0';
	assert_false(conf_domain_ok(text));
	text[63] = '\0';
	assert_true(conf_domain_ok(text));
	text[64] = 'a';
	text[63] = text[127] = text[191] = '.';
	text[253] = '\0';
	assert_true(conf_domain_ok(text));
	text[253] = 'a';
	text[254] = '\0';
	assert_false(conf_domain_ok(text));
}

static void test_dns_and_dhcp(void **state)
{
	struct conf c = good();
	struct addr want;
	struct err e;

	(void)state;
	c.nnameservers = CONF_NAMESERVERS_MAX + 1;
	assert_refused(c, ERR_CONFIG, "dns.nameservers", "9");
	c = good();
	c.nsearch = CONF_SEARCH_MAX + 1;
	assert_refused(c, ERR_CONFIG, "dns.search", "9");
	c.nsearch = 1;
	strcpy(c.search[0], "a..b");
	assert_refused(c, ERR_CONFIG, "dns.search", "a..b");
	c = good();
	strcpy(c.domain, "a b");
	assert_refused(c, ERR_CONFIG, "dns.domain", "a b");
	c = good();
	strcpy(c.captive_portal, "https://p.example/?q=1");
	assert_ok(c);
	strcpy(c.captive_portal, "https://p.example/ x");
	assert_refused(c, ERR_CONFIG, "dhcp.captivePortal", "x");
	c = good();
	c.ipv6_only_s = CONF_IPV6_ONLY_MIN;
	assert_ok(c);
	c.ipv6_only_s = CONF_IPV6_ONLY_MIN - 1;
	assert_refused(c, ERR_CONFIG, "dhcp.ipv6OnlyPreferred", "299");
	c = good();
	c.delegated = prefix("2001:db8:7:1::1/48");
	assert_int_equal(conf_validate(&c, &e), 0);
	want = addr("2001:db8:7::");
	assert_true(addr_eq(&c.delegated.addr, &want));
	c.ipv6 = false;
	assert_refused(c, ERR_CONFIG, "dhcp.prefix", "2001:db8:7::");
	c = good();
	c.delegated = prefix("fe80::/64");
	assert_refused(c, ERR_CONFIG, "dhcp.prefix", "fe80::/64");
	c.delegated = prefix("10.0.0.0/8");
	assert_refused(c, ERR_CONFIG, "dhcp.prefix", "10.0.0.0/8");
}

static void test_outbound(void **state)
{
	struct conf c = good();

	(void)state;
	strcpy(c.outbound_ifname4, "wlan0");
	c.noutbound = 2;
	c.outbound[0] = addr("192.0.2.5");
	c.outbound[1] = addr("2001:db8::5");
	assert_ok(c);
	c.outbound[1] = addr("192.0.2.6");
	assert_refused(c, ERR_CONFIG, "outbound.addresses", "192.0.2.6");
	c.outbound[1] = addr("::1");
	assert_refused(c, ERR_CONFIG, "outbound.addresses", "::1");
	c.noutbound = 3;
	assert_refused(c, ERR_CONFIG, "outbound.addresses", "3");
	c.noutbound = 0;
	strcpy(c.outbound_ifname4, "a/b");
	assert_refused(c, ERR_CONFIG, "outbound.interface", "a/b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp), cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_gateways),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_host_addresses),
		cmocka_unit_test(test_host_loopback),
		cmocka_unit_test(test_dns_forward),
		cmocka_unit_test(test_log_and_without),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_forward_values),
		cmocka_unit_test(test_reverses),
		cmocka_unit_test(test_add_forward),
		cmocka_unit_test(test_forwards_to_loopback),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_outbound),
		cmocka_unit_test(test_dns_and_dhcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
