/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests conf/netcfg.c: what differs between two, part by part, and taking IPv6 out. What
 * may not be believed of one is in unit/main/test_msg.c. */
#include "../unit.h"

#include "conf/netcfg.h"

static struct prefix px(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(s, &p), 0);
	return p;
}

static struct addr ad(const char *s)
{
	struct addr a;

	assert_int_equal(addr_parse(s, &a), 0);
	return a;
}

static struct netcfg a_netcfg(void)
{
	return (struct netcfg){
		.ifname = "eth0", .outer_ifname4 = "h0", .outer_ifname6 = "h0", .outer_ifindex4 = 3,
		.outer_ifindex6 = 3, .mtu = 1500, .naddresses = 2,
		.addresses = { px("203.0.113.2/24"), px("2001:db8::2/64") },
		.gateway4 = ad("203.0.113.1"), .gateway6 = ad("fe80::1"), .nroutes = 2,
		.routes = { { .dst = px("0.0.0.0/0"), .gw = ad("203.0.113.1") },
			    { .dst = px("::/0"), .gw = ad("fe80::1") } },
		.nnameservers = 2, .nameservers = { ad("203.0.113.53"), ad("2001:db8::53") },
		.host4 = ad("203.0.113.2"), .host6 = ad("2001:db8::2"),
	};
}

/* After the change exactly these parts differ, seen from either side. */
#define DIFFERS(change, parts) do { \
		struct netcfg a = a_netcfg(), n = a_netcfg(); \
		change; \
		assert_int_equal(netcfg_diff(&a, &n), (parts)); \
		assert_int_equal(netcfg_diff(&n, &a), (parts)); \
	} while (0)
#define PART(p) (1u << NETCFG_##p)

static void test_diff(void **state)
{
	const struct route first = a_netcfg().routes[0];

	(void)state;
	DIFFERS((void)n, 0);
	DIFFERS(n.addresses[0] = px("203.0.113.3/24"), PART(ADDRESSES));
	DIFFERS(n.addresses[0] = px("203.0.113.2/25"), PART(ADDRESSES));
	DIFFERS(n.naddresses--, PART(ADDRESSES));
	DIFFERS(n.addresses[0] = n.addresses[1]; n.addresses[1] = px("203.0.113.2/24"),
		PART(ADDRESSES));
	DIFFERS(n.routes[0].gw = ad("203.0.113.9"), PART(ROUTES));
	DIFFERS(n.routes[0].metric = 7, PART(ROUTES));
	DIFFERS(n.routes[1].onlink = true, PART(ROUTES));
	DIFFERS(n.nroutes = 0, PART(ROUTES));
	DIFFERS(n.routes[0] = n.routes[1]; n.routes[1] = first, 0);	/* their order is the kernel's */
	DIFFERS(n.gateway4 = ADDR_ANY, PART(GATEWAYS));
	DIFFERS(n.gateway6 = ad("fe80::2"), PART(GATEWAYS));
	DIFFERS(n.gateway4_of = NETCFG_GATEWAY_OURS, PART(GATEWAYS));
	DIFFERS(n.gateway6_of = NETCFG_GATEWAY_GIVEN, PART(GATEWAYS));
	DIFFERS(n.mtu--, PART(MTU));
	DIFFERS(n.outer_ifname4[0] = 'x', PART(OUTER));
	DIFFERS(n.outer_ifname6[0] = 'x', PART(OUTER));
	DIFFERS(n.outer_ifindex4++, PART(OUTER));
	DIFFERS(n.outer_ifindex6++, PART(OUTER));
	DIFFERS(n.host4 = ADDR_ANY, PART(HOST));
	DIFFERS(n.host6 = ad("2001:db8::3"), PART(HOST));
	DIFFERS(n.nameservers[1] = ad("2001:db8::54"), PART(NAMESERVERS));
	DIFFERS(n.nnameservers = 1, PART(NAMESERVERS));
	DIFFERS(n.mtu = 1400; n.host4 = ad("203.0.113.7"), PART(MTU) | PART(HOST));
	for (int i = 0; i < NETCFG_PART_COUNT; i++)
		assert_non_null(netcfg_part_names[i]);
}

static void test_way(void **state)
{
	struct netcfg a = a_netcfg(), b = a_netcfg();

	(void)state;
	b.addresses[0] = px("203.0.113.3/24");	/* the container's: no matter */
	b.mtu = 1400;
	assert_false(netcfg_way_differs(&a, &b, true));
	b.host4 = ad("203.0.113.3");
	assert_true(netcfg_way_differs(&a, &b, true));
	assert_false(netcfg_way_differs(&a, &b, false));
	b = a;
	b.outer_ifindex6 = 9;
	assert_false(netcfg_way_differs(&a, &b, true));
	assert_true(netcfg_way_differs(&a, &b, false));
}

static void test_strip(void **state)
{
	struct netcfg a = a_netcfg(), b = a_netcfg();

	(void)state;
	assert_false(netcfg_loses_family(&a, &b));
	netcfg_drop_ipv4(&b);
	assert_int_equal(b.naddresses, 1);
	assert_true(netcfg_has_prefix(&b, &a.addresses[1]));
	assert_true(addr_eq(&b.gateway4, &a.gateway4));
	b = a;
	netcfg_strip_ipv6(&b);
	assert_int_equal(b.naddresses, 1);
	assert_int_equal(b.nroutes, 1);
	assert_int_equal(b.nnameservers, 1);
	assert_true(addr_is_any(&b.gateway6) && addr_is_any(&b.host6));
	assert_string_equal(b.outer_ifname6, "");
	assert_string_equal(b.outer_ifname4, "h0");
	assert_true(netcfg_loses_family(&a, &b));
	assert_false(netcfg_loses_family(&b, &a));
	assert_true(netcfg_has_prefix(&b, &a.addresses[0]));
	assert_false(netcfg_has_prefix(&b, &a.addresses[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_strip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
