/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/route.c: a table of destinations, and random addresses that
 * must never lead to the host's loopback. */
#include "../unit.h"

#include "flow/route.h"

struct row {
	const char *dst;
	enum route_verdict verdict;
	const char *to;		/* NULL: dst itself */
	uint32_t scope;
	uint16_t port;
};

static struct conf conf;
static struct netcfg net;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix parse_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static int start(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	conf_init(&conf);
	conf.ipv4 = conf.ipv6 = true;
	conf.nhost_addresses = 2;
	conf.host_addresses[0] = parse("169.254.1.2");
	conf.host_addresses[1] = parse("fe80::1:2");
	conf.nhost_loopback = 2;
	conf.host_loopback[0] = parse("169.254.1.3");
	conf.host_loopback[1] = parse("fd00::3");
	net.naddresses = 4;
	net.addresses[0] = parse_prefix("203.0.113.2/24");
	net.addresses[1] = parse_prefix("2001:db8:1::2/64");
	net.addresses[2] = parse_prefix("192.0.2.8/31");
	net.addresses[3] = parse_prefix("10.1.2.3/12");
	net.outer_ifindex4 = 3;
	net.outer_ifindex6 = 7;
	net.host4 = parse("203.0.113.2");
	net.host6 = parse("2001:db8:1::2");
	return 0;
}

static void check(const struct row *r)
{
	const struct addr dst = parse(r->dst);
	const struct addr to = r->to ? parse(r->to) : dst;
	struct route_target got;
	enum route_verdict verdict;

	POISON(got);
	verdict = route_outbound(&conf, &net, &dst, r->port, &got);
	if (verdict != r->verdict)
		fail_msg("%s: verdict %d, not %d", r->dst, verdict, r->verdict);
	if (verdict != ROUTE_OK && verdict != ROUTE_MULTICAST) {
		ASSERT_POISONED(got);
		return;
	}
	assert_true(addr_eq(&got.addr, &to));
	assert_int_equal(got.scope, r->scope);
	assert_int_equal(got.to_host, r->to && verdict == ROUTE_OK);
}

static void test_table(void **state)
{
	static const struct row rows[] = {
		{ "198.51.100.10", ROUTE_OK, NULL, 0, 0 },
		{ "2001:db8:2::10", ROUTE_OK, NULL, 0, 0 },
		{ "203.0.113.1", ROUTE_OK, NULL, 0, 0 },		/* the gateway itself */
		{ "169.254.7.7", ROUTE_OK, NULL, 0, 0 },		/* no scope in IPv4 */
		{ "169.254.1.2", ROUTE_OK, "203.0.113.2", 0, 0 },	/* hostAddress */
		{ "fe80::1:2", ROUTE_OK, "2001:db8:1::2", 0, 0 },	/* ... before link-local */
		{ "169.254.1.3", ROUTE_OK, "127.0.0.1", 0, 0 },	/* hostLoopback */
		{ "fd00::3", ROUTE_OK, "::1", 0, 0 },
		{ "fe80::5", ROUTE_OK, NULL, 7, 0 },
		{ "febf::5", ROUTE_OK, NULL, 7, 0 },
		{ "fec0::5", ROUTE_OK, NULL, 0, 0 },		/* behind fe80::/10 */
		{ "fd00::5", ROUTE_OK, NULL, 0, 0 },
		{ "127.0.0.1", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "127.255.255.255", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "126.255.255.255", ROUTE_OK, NULL, 0, 0 },
		{ "128.0.0.0", ROUTE_OK, NULL, 0, 0 },
		{ "0.0.0.0", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "0.0.0.1", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "0.255.255.255", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "1.0.0.0", ROUTE_OK, NULL, 0, 0 },
		{ "::", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "::1", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "203.0.113.2", ROUTE_MARTIAN, NULL, 0, 0 },	/* the container's own */
		{ "2001:db8:1::2", ROUTE_MARTIAN, NULL, 0, 0 },
		{ "224.0.0.1", ROUTE_MULTICAST, NULL, 3, 0 },
		{ "239.255.255.255", ROUTE_MULTICAST, NULL, 3, 0 },
		{ "240.0.0.1", ROUTE_OK, NULL, 0, 0 },
		{ "255.255.255.255", ROUTE_MULTICAST, NULL, 3, 0 },
		{ "255.255.255.254", ROUTE_OK, NULL, 0, 0 },
		{ "ff00::1", ROUTE_MULTICAST, NULL, 0, 0 },		/* RFC 4291, 2.7: reserved */
		{ "ff01::1", ROUTE_MULTICAST, NULL, 0, 0 },		/* ... and interface-local */
		{ "ff12::1", ROUTE_MULTICAST, NULL, 7, 0 },
		{ "ff02::1", ROUTE_MULTICAST, NULL, 7, 0 },
		{ "ff0e::1", ROUTE_MULTICAST, NULL, 7, 0 },
		{ "203.0.113.255", ROUTE_MULTICAST, "255.255.255.255", 3, 0 },	/* RFC 919 */
		{ "203.0.113.254", ROUTE_OK, NULL, 0, 0 },
		{ "203.0.112.255", ROUTE_OK, NULL, 0, 0 },
		{ "10.15.255.255", ROUTE_MULTICAST, "255.255.255.255", 3, 0 },
		{ "10.16.255.255", ROUTE_OK, NULL, 0, 0 },
		{ "10.1.2.255", ROUTE_OK, NULL, 0, 0 },
		{ "192.0.2.9", ROUTE_OK, NULL, 0, 0 },		/* RFC 3021: a /31 has none */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

/* The cloud's metadata services are refused, unless that is asked for; as a name server
 * such an address answers questions of that kind. */
static void test_metadata(void **state)
{
	static const struct row refused[] = {
		{ "169.254.169.254", ROUTE_PROHIBITED, NULL, 0, 80 },
		{ "169.254.169.254", ROUTE_PROHIBITED, NULL, 0, 53 },
		{ "169.254.169.254", ROUTE_PROHIBITED, NULL, 0, 0 },
		{ "169.254.170.2", ROUTE_PROHIBITED, NULL, 0, 80 },
		{ "100.100.100.200", ROUTE_PROHIBITED, NULL, 0, 80 },
		{ "fd00:ec2::254", ROUTE_PROHIBITED, NULL, 0, 80 },
		{ "fd20:ce::254", ROUTE_PROHIBITED, NULL, 0, 80 },
		{ "169.254.169.253", ROUTE_OK, NULL, 0, 53 },
		{ "fd00:ec2::253", ROUTE_OK, NULL, 0, 53 },
	};
	static const struct row resolver[] = {
		{ "169.254.169.254", ROUTE_OK, NULL, 0, 53 },
		{ "169.254.169.254", ROUTE_PROHIBITED, NULL, 0, 80 },
		{ "fd20:ce::254", ROUTE_PROHIBITED, NULL, 0, 53 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		check(&refused[i]);
	net.nnameservers = 1;
	net.nameservers[0] = parse("169.254.169.254");
	for (size_t i = 0; i < ARRAY_LEN(resolver); i++)
		check(&resolver[i]);
	conf.metadata = true;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct row r = refused[i];

		r.verdict = ROUTE_OK;
		check(&r);
	}
}

static void test_families_off(void **state)
{
	static const struct row off4[] = {
		{ "198.51.100.10", ROUTE_NONE, NULL, 0, 0 },
		{ "169.254.1.2", ROUTE_NONE, NULL, 0, 0 },
		{ "127.0.0.1", ROUTE_NONE, NULL, 0, 0 },
		{ "2001:db8:2::10", ROUTE_OK, NULL, 0, 0 },
	};
	static const struct row off6[] = {
		{ "198.51.100.10", ROUTE_OK, NULL, 0, 0 },
		{ "2001:db8:2::10", ROUTE_NONE, NULL, 0, 0 },
		{ "fe80::1:2", ROUTE_NONE, NULL, 0, 0 },
		{ "fe80::9", ROUTE_NONE, NULL, 0, 0 },
		{ "::1", ROUTE_NONE, NULL, 0, 0 },
		{ "fd00::3", ROUTE_NONE, NULL, 0, 0 },
	};

	(void)state;
	conf.ipv4 = false;
	for (size_t i = 0; i < ARRAY_LEN(off4); i++)
		check(&off4[i]);
	conf.ipv4 = true;
	conf.ipv6 = false;
	for (size_t i = 0; i < ARRAY_LEN(off6); i++)
		check(&off6[i]);
}

/* A host that lacks what a packet needs. */
static void test_host_lacks(void **state)
{
	static const struct row rows[] = {
		{ "169.254.1.2", ROUTE_NONE, NULL, 0, 0 },
		{ "fe80::1:2", ROUTE_NONE, NULL, 0, 0 },
		{ "fe80::9", ROUTE_NONE, NULL, 0, 0 },
	};

	(void)state;
	net.host4 = net.host6 = ADDR_ANY;
	net.outer_ifindex6 = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

/* Whatever the container names, the host socket goes to none of these. */
static void test_never_loopback(void **state)
{
	uint64_t s = 88172645463325252u;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		struct route_target got;
		struct addr a;

		for (int k = 0; k < 16; k++) {
			s ^= s << 13;
			s ^= s >> 7;
			s ^= s << 17;
			a.b[k] = (uint8_t)s;
		}
		if (i % 2)	/* IPv4, and mostly from where it hurts */
			a = addr_from4((uint8_t[]){ i % 3 ? (uint8_t)(i % 6 < 3 ? 0 : 127) : a.b[0],
						    a.b[1], a.b[2], a.b[3] });
		else if (i % 3)
			memset(a.b, 0, (size_t)(i % 17));
		if (route_outbound(&conf, &net, &a, 80, &got) != ROUTE_OK)
			continue;
		assert_false(addr_is_loopback(&got.addr) || addr_is_unspecified(&got.addr) ||
			     addr_is_multicast(&got.addr) || addr_is_broadcast(&got.addr));
		assert_int_equal(addr_is4(&got.addr), addr_is4(&a));
	}
}

/* Addresses that only we have; the host's own router stays where it is. */
static void test_local(void **state)
{
	static const struct row always[] = {
		{ "169.254.1.1", ROUTE_LOCAL, NULL, 0, 0 },	/* dns.forward */
		{ "169.254.1.1", ROUTE_LOCAL, NULL, 0, 80 },
		{ "fd00::a9fe:101", ROUTE_LOCAL, NULL, 0, 443 },
		{ "fe80::9855:9aff:fe55:9a55", ROUTE_LOCAL, NULL, 0, 0 },	/* gw_mac's */
		{ "fe80::9855:9aff:fe55:9a56", ROUTE_OK, NULL, 7, 0 },
		{ "169.254.1.4", ROUTE_OK, NULL, 0, 0 },
	};
	static const struct row outside[] = {
		{ "192.0.2.1", ROUTE_OK, NULL, 0, 0 }, { "fe80::1", ROUTE_OK, NULL, 7, 0 },
	};
	static const struct row ours[] = {
		{ "192.0.2.1", ROUTE_LOCAL, NULL, 0, 0 }, { "fe80::1", ROUTE_LOCAL, NULL, 0, 80 },
	};
	static const struct row first[] = {		/* what was configured for the host */
		{ "169.254.1.2", ROUTE_OK, "203.0.113.2", 0, 0 },
		{ "fe80::1:2", ROUTE_OK, "2001:db8:1::2", 0, 0 },
		{ "169.254.1.3", ROUTE_OK, "127.0.0.1", 0, 0 },
	};
	const struct row router = { "169.254.1.1", ROUTE_OK, NULL, 0, 80 };
	const struct row none6 = { "fe80::9855:9aff:fe55:9a55", ROUTE_NONE, NULL, 0, 0 };

	(void)state;
	net.gw_mac = (struct mac){ { 0x9a, 0x55, 0x9a, 0x55, 0x9a, 0x55 } };
	net.gateway4 = parse("192.0.2.1");
	net.gateway6 = parse("fe80::1");
	for (uint8_t of = 0; of < NETCFG_GATEWAY_COUNT; of++) {
		net.gateway4_of = net.gateway6_of = of;
		for (size_t i = 0; i < ARRAY_LEN(always); i++)
			check(&always[i]);
		for (size_t i = 0; i < ARRAY_LEN(outside); i++)
			check(of == NETCFG_GATEWAY_OURS ? &ours[i] : &outside[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		check(&first[i]);
	/* one address for both: the router's while it is one, else the forwarder's */
	net.gateway4 = parse("169.254.1.1");
	net.gateway4_of = NETCFG_GATEWAY_HOST;
	check(&router);
	net.gateway4_of = NETCFG_GATEWAY_GIVEN;
	check(&always[1]);
	/* --map-gw of pasta: to the host's loopback, whoever made it up */
	net.gateway4_of = NETCFG_GATEWAY_OURS;
	conf.map_gateway = true;
	check(&(struct row){ "169.254.1.1", ROUTE_OK, "127.0.0.1", 0, 80 });
	conf.ipv6 = false;
	check(&none6);
}

/* Two ports of the forwarder's addresses, and nothing else, lead to resolvers. */
static void test_dns(void **state)
{
	const struct addr four = parse("169.254.1.1"), six = parse("fd00::a9fe:101");
	const struct addr other = parse("169.254.1.3");
	struct resolvers r = { .n = 1, .list = { { .addr = other } } };

	(void)state;
	assert_true(route_is_dns(&conf, &net, &r, &four, 53));
	assert_true(route_is_dns(&conf, &net, &r, &six, 853));
	assert_false(route_is_dns(&conf, &net, &r, &four, 54));
	assert_false(route_is_dns(&conf, &net, &r, &four, 0));
	assert_false(route_is_dns(&conf, &net, &r, &other, 53));
	conf.ndns_forward = 0;
	assert_false(route_is_dns(&conf, &net, &r, &four, 53));
	r.list[0].addr = four;
	assert_false(route_is_dns(&conf, &net, &r, &four, 53));
}

/* Without a forwarder's address: what leads to the host's loopback and is a resolver's. */
static void test_dns_of_gateway(void **state)
{
	struct resolvers r = { .n = 2, .list = { { .addr = parse("9.9.9.9") },
						 { .addr = parse("203.0.113.1") } } };
	const struct addr lo = parse("10.9.9.9");

	(void)state;
	net.gateway4 = r.list[1].addr;
	conf.ndns_forward = 0;
	assert_false(route_is_dns(&conf, &net, &r, &net.gateway4, 53));
	conf.map_gateway = true;
	assert_true(route_is_dns(&conf, &net, &r, &net.gateway4, 53));
	assert_true(route_is_dns(&conf, &net, &r, &net.gateway4, 853));
	assert_false(route_is_dns(&conf, &net, &r, &net.gateway4, 80));
	assert_false(route_is_dns(&conf, &net, &r, &r.list[0].addr, 53));
	conf.nhost_loopback = 1;
	conf.host_loopback[0] = lo;
	assert_false(route_is_dns(&conf, &net, &r, &lo, 53));
	r.list[0].addr = lo;
	assert_true(route_is_dns(&conf, &net, &r, &lo, 53));
	conf.ndns_forward = 1;
	conf.dns_forward[0] = parse("169.254.1.1");
	assert_false(route_is_dns(&conf, &net, &r, &lo, 53));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_table, start),
		cmocka_unit_test_setup(test_metadata, start),
		cmocka_unit_test_setup(test_local, start),
		cmocka_unit_test_setup(test_dns_of_gateway, start),
		cmocka_unit_test_setup(test_families_off, start),
		cmocka_unit_test_setup(test_host_lacks, start),
		cmocka_unit_test_setup(test_never_loopback, start),
		cmocka_unit_test_setup(test_dns, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
