/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests io/template.c: what the container gets from every mixture of given and
 * copied addresses, gateways and routes. */
#include "../unit.h"

#include <stdio.h>

#include "base/log.h"
#include "io/template.h"

static const struct template none;

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

static struct conf base_conf(void)
{
	struct conf c;

	conf_init(&c);
	snprintf(c.container_id, sizeof(c.container_id), "c");
	snprintf(c.ifname, sizeof(c.ifname), "eth0");
	conf_default_macs(&c);
	return c;
}

static struct template host4(void)
{
	return (struct template){
		.found = true, .has_default = true, .ifname = "h0", .ifindex = 7, .mtu = 1500, .metric = 100,
		.gateway = ad("203.0.113.1"), .naddresses = 1,
		.addresses = { px("203.0.113.2/24") },
		.nroutes = 1, .routes = { { .dst = px("198.51.100.0/24"),
					    .gw = ad("203.0.113.9") } },
	};
}

static struct template host6(void)
{
	return (struct template){
		.found = true, .has_default = true, .ifname = "h1", .ifindex = 8, .mtu = 1400, .metric = 1024,
		.gateway = ad("fe80::99"), .naddresses = 1,
		.addresses = { px("2001:db8:1::2/64") },
	};
}

/* All routes as one text: "dst via gw metric [onlink]; ..." */
static const char *routes_text(const struct netcfg *n)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < n->nroutes; i++) {
		const struct route *r = &n->routes[i];
		char dst[PREFIX_STRLEN], gw[ADDR_STRLEN];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s via %s %u%s; ",
					prefix_format(&r->dst, dst), addr_format(&r->gw, gw),
					r->metric, r->onlink ? " onlink" : "");
	}
	return text;
}

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(a, buf), text);
}

static struct netcfg apply(const struct conf *c, const struct template *t4,
			   const struct template *t6)
{
	static const struct occupied occ;
	struct netcfg n;

	template_apply(c, t4, t6, &occ, NULL, &n);
	return n;
}

static void test_copy(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n = apply(&c, &t4, &t6);

	(void)state;
	assert_int_equal(n.naddresses, 2);
	assert_addr(&n.addresses[0].addr, "203.0.113.2");
	assert_int_equal(n.addresses[0].len, 24);
	assert_addr(&n.addresses[1].addr, "2001:db8:1::2");
	assert_addr(&n.gateway4, "203.0.113.1");
	assert_addr(&n.gateway6, "fe80::99");
	assert_int_equal(n.gateway4_of, NETCFG_GATEWAY_HOST);
	assert_int_equal(n.gateway6_of, NETCFG_GATEWAY_HOST);
	assert_addr(&n.host4, "203.0.113.2");
	assert_addr(&n.host6, "2001:db8:1::2");
	assert_int_equal(n.mtu, 1400);
	assert_string_equal(n.outer_ifname4, "h0");
	assert_string_equal(n.outer_ifname6, "h1");
	assert_int_equal(n.outer_ifindex6, 8);
	assert_string_equal(routes_text(&n), "198.51.100.0/24 via 203.0.113.9 0; "
			    "0.0.0.0/0 via 203.0.113.1 100; ::/0 via fe80::99 1024; ");
}

static struct netcfg follow(const struct conf *c, const struct template *t4,
			    const struct template *t6, const struct netcfg *before)
{
	static const struct occupied occ;
	struct netcfg n;

	template_apply(c, t4, t6, &occ, before, &n);
	return n;
}

/* What comes of a host that has changed. */
static void test_before(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg was = apply(&c, &t4, &t6), n = follow(&c, &t4, &t6, &was);

	(void)state;
	assert_int_equal(netcfg_diff(&was, &n), 0);
	t4.addresses[0] = px("203.0.113.7/24");
	n = follow(&c, &t4, &none, &was);
	assert_int_equal(n.naddresses, 1);
	assert_addr(&n.host4, "203.0.113.7");
	assert_true(netcfg_loses_family(&was, &n));
	/* nothing at all: the container keeps what it has */
	n = follow(&c, &none, &none, &was);
	assert_int_equal(netcfg_diff(&was, &n), 1u << NETCFG_OUTER);
	assert_string_equal(n.outer_ifname4, "");
	assert_int_equal(n.outer_ifindex6, 0);
	assert_addr(&n.host4, "203.0.113.2");
}

/* Copies take the place of what a host without a network gave; private ones stay,
 * whatever networks the host joins. */
static void test_before_private(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4();
	struct netcfg was = apply(&c, &none, &none), n = follow(&c, &t4, &none, &was);
	struct occupied occ = { .n = 1 };

	(void)state;
	assert_int_equal(was.naddresses, 2);
	assert_int_equal(n.naddresses, 1);
	assert_addr(&n.addresses[0].addr, "203.0.113.2");
	c.addresses_host = false;
	c.addresses_private = true;
	was = apply(&c, &none, &none);
	occ.nets[0] = was.addresses[0];		/* the host has it too, by now */
	template_apply(&c, &t4, &none, &occ, &was, &n);
	assert_int_equal(n.naddresses, 1);
	assert_true(addr_eq(&n.addresses[0].addr, &was.addresses[0].addr));
	template_apply(&c, &t4, &none, &occ, NULL, &n);
	assert_false(addr_eq(&n.addresses[0].addr, &was.addresses[0].addr));
}

static void test_family_left_out(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n = apply(&c, &t4, &none);

	(void)state;
	assert_int_equal(n.naddresses, 1);
	assert_true(addr_is_any(&n.gateway6));
	assert_int_equal(n.mtu, 1500);
	c.ipv4 = false;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.naddresses, 1);
	assert_string_equal(n.outer_ifname4, "");
	assert_true(addr_is_any(&n.host4));
	assert_string_equal(routes_text(&n), "::/0 via fe80::99 1024; ");
}

/* A host without any network: addresses of the container's own, ready for one. */
static void test_nothing(void **state)
{
	const struct prefix cgnat = px("100.64.0.0/10"), ula = px("fd00::/8");
	struct conf c = base_conf();
	struct template t4 = host4();
	struct netcfg n = apply(&c, &none, &none);

	(void)state;
	assert_int_equal(n.naddresses, 2);
	assert_true(prefix_contains(&cgnat, &n.addresses[0].addr) && n.addresses[0].len == 32);
	assert_true(prefix_contains(&ula, &n.addresses[1].addr) && n.addresses[1].len == 128);
	assert_string_equal(routes_text(&n), "0.0.0.0/0 via 169.254.1.1 0 onlink; "
			    "::/0 via fe80::1 0; ");
	t4.naddresses = 0;		/* an interface without an address gives none either */
	n = apply(&c, &t4, &none);
	assert_int_equal(n.naddresses, 2);
	c.ipv4 = false;
	n = apply(&c, &none, &none);
	assert_int_equal(n.naddresses, 1);
}

/* Without a default route the container has one: what the host cannot reach is
 * told by the host, and reached as soon as it can. */
static void test_no_default(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4();
	struct netcfg n;

	(void)state;
	t4.has_default = false;
	t4.gateway = ADDR_ANY;
	n = apply(&c, &t4, &none);
	assert_int_equal(n.naddresses, 1);
	assert_addr(&n.addresses[0].addr, "203.0.113.2");
	assert_addr(&n.gateway4, "169.254.1.1");
	assert_string_equal(routes_text(&n), "198.51.100.0/24 via 203.0.113.9 0; "
			    "0.0.0.0/0 via 169.254.1.1 100 onlink; ");
}

/* One of its own in each family the host has, and nothing of the host's. */
static void test_private(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n, again;

	(void)state;
	c.addresses_host = false;
	c.addresses_private = true;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.naddresses, 2);
	assert_string_equal(routes_text(&n), "0.0.0.0/0 via 169.254.1.1 100 onlink; "
			    "::/0 via fe80::1 1024; ");
	assert_false(netcfg_has_address(&n, &t4.addresses[0].addr));
	assert_addr(&n.host4, "203.0.113.2");
	assert_string_equal(n.outer_ifname4, "h0");
	again = apply(&c, &t4, &none);		/* the host lacks IPv6 */
	assert_int_equal(again.naddresses, 1);
	assert_true(addr_eq(&again.addresses[0].addr, &n.addresses[0].addr));
	c.naddresses = 1;			/* given ones come first, in their family */
	c.addresses[0] = px("10.1.2.3/24");
	again = apply(&c, &t4, &t6);
	assert_int_equal(again.naddresses, 2);
	assert_addr(&again.addresses[0].addr, "10.1.2.3");
	assert_true(addr_eq(&again.addresses[1].addr, &n.addresses[1].addr));
}

/* Those that can be asked where they stand (add_nameservers). */
static void test_nameservers(void **state)
{
	static const char *const all[] = {
		"127.0.0.53", "198.51.100.53", "::1", "2001:db8::53", "fe80::53", "0.0.0.0",
	};
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		c.nameservers[c.nnameservers++] = ad(all[i]);
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.nnameservers, 2);
	assert_addr(&n.nameservers[0], "198.51.100.53");
	assert_addr(&n.nameservers[1], "2001:db8::53");
	n = apply(&c, &t4, &none);
	assert_int_equal(n.nnameservers, 1);
	/* without given ones the forwarder, in each family that is there */
	c.nnameservers = 0;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.nnameservers, 2);
	assert_addr(&n.nameservers[0], "169.254.1.1");
	assert_addr(&n.nameservers[1], "fd00::a9fe:101");
	n = apply(&c, &none, &t6);
	assert_int_equal(n.nnameservers, 1);
	assert_addr(&n.nameservers[0], "fd00::a9fe:101");
	c.dns_told = false;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.nnameservers, 0);
	c.dns_told = true;
	c.ndns_forward = 0;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.nnameservers, 0);
}

static void test_given_without_template(void **state)
{
	struct conf c = base_conf();
	struct netcfg n;

	(void)state;
	c.addresses_host = false;
	c.naddresses = 2;
	c.addresses[0] = px("10.1.2.3/24");
	c.addresses[1] = px("fd00::5/64");
	n = apply(&c, &none, &none);
	assert_int_equal(n.mtu, 1500);
	assert_addr(&n.gateway4, "169.254.1.1");
	assert_addr(&n.gateway6, "fe80::1");
	assert_int_equal(n.gateway4_of, NETCFG_GATEWAY_OURS);
	assert_int_equal(n.gateway6_of, NETCFG_GATEWAY_OURS);
	assert_true(addr_is_any(&n.host4));
	assert_string_equal(routes_text(&n), "0.0.0.0/0 via 169.254.1.1 0 onlink; "
			    "::/0 via fe80::1 0; ");
}

static void test_given_with_template(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n;

	(void)state;
	c.addresses_host = false;
	c.naddresses = 1;
	c.addresses[0] = px("203.0.113.77/24");
	n = apply(&c, &t4, &none);
	assert_addr(&n.gateway4, "203.0.113.1");	/* inside the prefix */
	assert_int_equal(n.gateway4_of, NETCFG_GATEWAY_HOST);
	assert_addr(&n.host4, "203.0.113.2");
	c.addresses[0] = px("10.0.0.1/8");
	n = apply(&c, &t4, &none);
	assert_addr(&n.gateway4, "169.254.1.1");
	c.ngateways = 1;
	c.gateways[0] = ad("10.9.9.9");
	n = apply(&c, &t4, &none);
	assert_addr(&n.gateway4, "10.9.9.9");
	assert_int_equal(n.gateway4_of, NETCFG_GATEWAY_GIVEN);
	c.gateways[0] = t4.gateway;		/* by whatever way it came */
	n = apply(&c, &t4, &none);
	assert_int_equal(n.gateway4_of, NETCFG_GATEWAY_HOST);
	c.gateways[0] = ad("10.9.9.9");
	/* A given address stands in place of the host's, in its family only:
	 * CNI_ARGS IP with the default "addresses": ["host"]. */
	c.addresses_host = true;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.naddresses, 2);
	assert_addr(&n.addresses[0].addr, "10.0.0.1");
	assert_addr(&n.addresses[1].addr, "2001:db8:1::2");
}

/* Given routes stand in place of the copied ones, the default one too. */
static void test_given_routes(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n;

	(void)state;
	c.nroutes = 2;
	c.routes[0] = (struct route){ .dst = px("172.16.0.0/12"), .gw = ad("192.0.2.1") };
	c.routes[1] = (struct route){ .dst = px("192.0.2.0/24") };
	n = apply(&c, &t4, &t6);
	assert_string_equal(routes_text(&n), "192.0.2.0/24 via :: 0; 169.254.1.2/32 via :: 0; "
			    "169.254.1.1/32 via :: 0; "
			    "172.16.0.0/12 via 192.0.2.1 0 onlink; ::/0 via fe80::99 1024; ");
	c.ngateways = 1;
	c.gateways[0] = ad("203.0.113.5");
	n = apply(&c, &t4, &none);
	assert_string_equal(routes_text(&n), "192.0.2.0/24 via :: 0; "
			    "172.16.0.0/12 via 192.0.2.1 0 onlink; 0.0.0.0/0 via 203.0.113.5 100; ");
}

static void test_on_link_default(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4();
	struct netcfg n;

	(void)state;
	t4.gateway = ADDR_ANY;
	t4.addresses[0] = px("10.8.0.6/32");
	n = apply(&c, &t4, &none);
	assert_true(addr_is_any(&n.gateway4));
	assert_string_equal(routes_text(&n), "0.0.0.0/0 via :: 100; "
			    "198.51.100.0/24 via 203.0.113.9 0 onlink; ");
}

/* Connected routes and doubles are not made twice. */
static void test_needless(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4();
	struct netcfg n;

	(void)state;
	t4.nroutes = 3;
	t4.routes[1] = (struct route){ .dst = px("203.0.113.0/24") };
	t4.routes[2] = t4.routes[0];
	n = apply(&c, &t4, &none);
	assert_int_equal(n.nroutes, 2);
}

static void test_caps(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n;

	(void)state;
	t4.naddresses = CONF_ADDRS_MAX;
	t4.nroutes = CONF_ROUTES_MAX;
	for (uint32_t i = 0; i < CONF_ADDRS_MAX; i++)
		t4.addresses[i] = (struct prefix){ addr_from4((uint8_t[4]){ 10, 0, 0, (uint8_t)(i + 1) }), 24 };
	for (uint32_t i = 0; i < CONF_ROUTES_MAX; i++)
		t4.routes[i] = (struct route){ .dst = { addr_from4((uint8_t[4]){ 20, 0, (uint8_t)i, 0 }), 24 } };
	n = apply(&c, &t4, &t6);		/* no room for the IPv6 one */
	assert_int_equal(n.naddresses, CONF_ADDRS_MAX);
	assert_int_equal(n.nroutes, CONF_ROUTES_MAX);
}

static void test_mtu(void **state)
{
	struct conf c = base_conf();
	struct template t4 = host4(), t6 = host6();
	struct netcfg n;

	(void)state;
	t4.mtu = 65536;			/* the loopback's, of a default route's odd interface */
	n = apply(&c, &t4, &none);
	assert_int_equal(n.mtu, 65535);
	t6.mtu = 1000;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.mtu, 1280);
	c.mtu = 9000;
	n = apply(&c, &t4, &t6);
	assert_int_equal(n.mtu, 9000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_before), cmocka_unit_test(test_before_private),
		cmocka_unit_test(test_family_left_out),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_no_default),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_nameservers),
		cmocka_unit_test(test_given_without_template),
		cmocka_unit_test(test_given_with_template),
		cmocka_unit_test(test_given_routes),
		cmocka_unit_test(test_on_link_default),
		cmocka_unit_test(test_needless),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_mtu),
	};

	log_open(LOGT_NONE, LOGL_ERROR, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
