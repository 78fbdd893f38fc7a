/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests io/netlink.c and io/tun.c against the kernel: in a user and network
 * namespace of the test's own a tap is made and configured, and what was
 * configured is read back as if it were the outer side. Skipped where the
 * machine gives no such namespace or no /dev/net/tun.
 */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "io/netlink.h"
#include "io/tun.h"

static bool is_ready;		/* namespace and device are there */

static void put_text(const char *path, const char *text)
{
	FD_OWNED int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		print_message("%s: %s\n", path, strerror(errno));
}

static int enter_own(void **state)
{
	char map[32];

	(void)state;
	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		print_message("skipped: no user and network namespace: %s\n", strerror(errno));
		return 0;
	}
	put_text("/proc/self/setgroups", "deny");
	put_text("/proc/self/uid_map", map);
	is_ready = access("/dev/net/tun", R_OK | W_OK) == 0;
	if (!is_ready)
		print_message("skipped: /dev/net/tun cannot be opened\n");
	return 0;
}

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
		.ifname = "eth0", .configure = true, .mac = { { 2, 0, 0, 0, 0, 1 } }, .mtu = 1400,
		.naddresses = 4,
		.addresses = { px("203.0.113.2/24"), px("198.51.100.7/32"),
			       px("2001:db8:1::2/64"), px("2001:db8:2::2/128") },
		.nroutes = 4,
		.routes = {
			{ .dst = px("192.0.2.0/24") },
			{ .dst = px("10.0.0.0/8"), .gw = ad("169.254.1.1"), .onlink = true },
			{ .dst = px("0.0.0.0/0"), .gw = ad("203.0.113.1"), .metric = 50 },
			{ .dst = px("::/0"), .gw = ad("fe80::1"), .metric = 70 },
		},
	};
}

static int make_tap(uint32_t without, uint32_t *features)
{
	struct err e = ERR_INIT;
	int fd = tun_create("eth0", false, without, features, &e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	return fd;
}

static void configure(const struct netcfg *net, struct netlink_done *done)
{
	struct err e = ERR_INIT;

	if (netlink_configure(net, done, &e) < 0)
		fail_msg("%s", e.msg);
}

static void assert_prefix(const struct prefix *got, const char *text)
{
	char buf[PREFIX_STRLEN];

	assert_string_equal(prefix_format(got, buf), text);
}

static const struct route *find_route(const struct netcfg *n, const char *dst)
{
	struct prefix p = px(dst);

	for (uint32_t i = 0; i < n->nroutes; i++)
		if (addr_eq(&n->routes[i].dst.addr, &p.addr) && n->routes[i].dst.len == p.len)
			return &n->routes[i];
	fail_msg("no route %s", dst);
	return NULL;
}

/* What was configured serves as a template, and the template says the same. */
static void test_there_and_back(void **state)
{
	const struct netcfg net = a_netcfg();
	struct netlink_done done;
	FD_OWNED int tap = -1;
	struct err e = ERR_INIT;
	struct netcfg back;
	uint32_t features;
	struct conf c;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	configure(&net, &done);
	assert_int_equal(done.ifindex, if_nametoindex("eth0"));
	assert_false(done.ipv6_left_out);

	conf_init(&c);
	snprintf(c.ifname, sizeof(c.ifname), "eth1");
	if (netlink_template(&c, NULL, &back, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(back.outer_ifname4, "eth0");
	assert_string_equal(back.outer_ifname6, "eth0");
	assert_int_equal(back.mtu, 1400);
	assert_int_equal(back.naddresses, 4);
	assert_prefix(&back.addresses[0], "203.0.113.2/24");
	assert_prefix(&back.addresses[1], "198.51.100.7/32");
	assert_prefix(&back.addresses[2], "2001:db8:1::2/64");
	assert_prefix(&back.addresses[3], "2001:db8:2::2/128");
	assert_int_equal(back.nroutes, 4);
	assert_true(addr_is_any(&find_route(&back, "192.0.2.0/24")->gw));
	assert_true(find_route(&back, "10.0.0.0/8")->onlink);
	assert_int_equal(find_route(&back, "0.0.0.0/0")->metric, 50);
	assert_int_equal(find_route(&back, "::/0")->metric, 70);
	assert_true(addr_eq(&back.gateway6, &net.routes[3].gw));
	assert_true(addr_eq(&back.host4, &net.addresses[0].addr));
}

static uint32_t count(const char *command)
{
	FILE *f = popen(command, "r");
	uint32_t n = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* What was set becomes what is to be; what the container did itself stays. */
static void test_move(void **state)
{
	const struct netcfg was = a_netcfg();
	struct netcfg now = a_netcfg();
	struct netlink_done done;
	struct err e = ERR_INIT;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	configure(&was, &done);
	if (system("ip addr add 192.168.7.7/32 dev eth0 && ip route add 10.99.0.0/16 dev eth0"))
		skip();
	now.mtu = 1300;
	now.addresses[0] = px("203.0.113.7/24");	/* of the same network */
	now.addresses[3] = px("2001:db8:2::3/128");
	now.routes[0].dst = px("192.0.2.0/25");
	now.routes[2].gw = ad("203.0.113.9");
	now.routes[3].gw = ad("fe80::2");
	for (int again = 0; again < 3; again++)		/* said twice it is no different */
		assert_int_equal(netlink_move(done.ifindex, &was, &now, 0, &done, &e), 0);
	assert_int_equal(count("ip -o addr show dev eth0 scope global | wc -l"), 5);
	assert_int_equal(count("ip -o addr show dev eth0 | grep -c ' 203.0.113.7/24 '"), 1);
	assert_int_equal(count("ip -o addr show dev eth0 | grep -c ' 192.168.7.7/32 '"), 1);
	assert_int_equal(count("ip -4 route show | wc -l"), 5);
	assert_int_equal(count("ip route show 10.99.0.0/16 | grep -c eth0"), 1);
	assert_int_equal(count("ip route show default | grep -c 'via 203.0.113.9 .*metric 50'"), 1);
	assert_int_equal(count("ip -6 route show default | grep -c 'via fe80::2 .*metric 70'"), 1);
	assert_int_equal(count("ip -6 route show default | wc -l"), 1);
	/* and away with IPv6, for a host that lost it */
	netcfg_strip_ipv6(&now);
	assert_int_equal(netlink_move(done.ifindex, &was, &now, 0, &done, &e), 0);
	assert_int_equal(count("ip -6 -o addr show dev eth0 scope global | grep -c -v 2001:db8:2::3 || true"), 0);
	assert_int_equal(count("ip -6 route show default | grep -c 'fe80::1' || true"), 0);
}

/* A default route that the container made in place of ours is its own. */
static void test_move_around(void **state)
{
	const struct netcfg was = a_netcfg();
	struct netcfg now = a_netcfg();
	struct netlink_done done;
	struct err e = ERR_INIT;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	configure(&was, &done);
	if (system("ip route replace default dev eth0 metric 50"))
		skip();
	now.routes[2].gw = ad("203.0.113.9");
	assert_int_equal(netlink_move(done.ifindex, &was, &now, 0, &done, &e), 0);
	assert_int_equal(count("ip -4 route show default | wc -l"), 1);
	assert_int_equal(count("ip -4 route show default | grep -c 'default dev eth0'"), 1);
}

/* An address that stays without its network, is old, and gets both back (IPv6 can have one
 * prefix length only). */
static void test_move_old(void **state)
{
	struct netcfg was = a_netcfg(), now;
	struct netlink_done done;
	struct err e = ERR_INIT;
	FD_OWNED int tap = -1;
	uint32_t features, n = 2;
	bool there[CONF_ADDRS_MAX];

	(void)state;
	if (!is_ready)
		skip();
	was.naddresses = n;
	was.addresses[1] = was.addresses[2];
	was.nroutes = 0;
	now = was;
	tap = make_tap(0, &features);
	configure(&was, &done);
	for (uint32_t i = 0; i < n; i++)
		now.addresses[i].len = addr_is4(&now.addresses[i].addr) ? 32 : 128;
	assert_int_equal(netlink_move(done.ifindex, &was, &now, n, &done, &e), 0);
	assert_int_equal(count("ip -o addr show dev eth0 scope global | wc -l"), n);
	assert_int_equal(count("ip -o -6 addr show dev eth0 scope global | grep -c '/128 .*deprecated'"), 1);
	assert_int_equal(count("ip -o -4 addr show dev eth0 | grep -c '/32 '"), 1);
	netlink_present(now.addresses, n, there);
	assert_true(there[0] && there[n - 1]);
	assert_int_equal(netlink_move(done.ifindex, &now, &was, 0, &done, &e), 0);
	assert_int_equal(count("ip -o addr show dev eth0 scope global | wc -l"), n);
	assert_int_equal(count("ip -o -6 addr show dev eth0 scope global | grep -vc deprecated"), 1);
	netlink_present(&(struct prefix){ ad("192.0.2.99"), 32 }, 1, there);
	assert_false(there[0]);
}

static void test_name_taken(void **state)
{
	struct err e = ERR_INIT;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	assert_int_equal(tun_create("eth0", false, 0, &features, &e), -1);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_non_null(strstr(e.msg, "eth0"));
}

static void test_offloads(void **state)
{
	uint32_t all, some;

	(void)state;
	if (!is_ready)
		skip();
	close(make_tap(0, &all));
	assert_true(all & TUN_F_VNETHDR);
	close(make_tap(CONF_WITHOUT_USO, &some));
	assert_int_equal(some, all & ~(uint32_t)TUN_F_UDPSEG);
	close(make_tap(CONF_WITHOUT_OFFLOAD, &some));
	assert_int_equal(some, TUN_F_VNETHDR);
}

static void test_closing_undoes(void **state)
{
	const struct netcfg net = a_netcfg();
	struct netlink_done done;
	uint32_t features;
	int tap;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	configure(&net, &done);
	close(tap);
	assert_int_equal(if_nametoindex("eth0"), 0);
}

static void assert_differs(const struct conf *want, const char *words)
{
	struct err e = ERR_INIT;

	assert_int_equal(netlink_check(want, &e), -1);
	assert_int_equal(e.code, ERR_CHECK);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" does not say \"%s\"", e.msg, words);
}

/* A configuration that wants what was configured, without its gateways: nobody
 * is there to answer for them. */
static struct conf wanted(const struct netcfg *net)
{
	struct conf c;

	conf_init(&c);
	strcpy(c.ifname, net->ifname);
	c.mac = net->mac;
	c.mtu = net->mtu;
	c.naddresses = net->naddresses;
	memcpy(c.addresses, net->addresses, sizeof(c.addresses));
	c.nroutes = 1;
	memcpy(c.routes, net->routes, sizeof(c.routes));
	return c;
}

static void test_check(void **state)
{
	const struct netcfg net = a_netcfg();
	struct netlink_done done;
	FD_OWNED int tap = -1;
	struct err e = ERR_INIT;
	uint32_t features;
	struct conf c = wanted(&net), want = c;

	(void)state;
	if (!is_ready)
		skip();
	assert_differs(&c, "gone");
	tap = make_tap(0, &features);
	assert_differs(&c, "down");
	configure(&net, &done);
	if (netlink_check(&c, &e) < 0)
		fail_msg("%s", e.msg);
	want.mac.b[5]++;
	assert_differs(&want, "MAC");
	want = c;
	want.mtu++;
	assert_differs(&want, "1400, not 1401");
	want.mtu = 0;		/* any */
	assert_int_equal(netlink_check(&want, &e), 0);
	want.addresses[0].len = 25;
	assert_differs(&want, "203.0.113.2/25");
	want = c;
	want.addresses[3] = px("2001:db8:2::3/128");
	assert_differs(&want, "2001:db8:2::3/128");
	want = c;
	want.routes[0].gw = ad("203.0.113.9");
	assert_differs(&want, "192.0.2.0/24");
	want = c;
	want.nroutes = net.nroutes;
	assert_differs(&want, "169.254.1.1");	/* all there, but nobody answers */
}

/* The descriptor outlives the interface and tells that it is gone. */
static void test_delete(void **state)
{
	const struct netcfg net = a_netcfg();
	struct netlink_done done;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	configure(&net, &done);
	assert_false(tun_gone(tap));
	assert_int_equal(netlink_delete(done.ifindex), 0);
	assert_true(tun_gone(tap));
	assert_int_equal(if_nametoindex("eth0"), 0);
	assert_int_equal(netlink_delete(done.ifindex), -ENODEV);
}

static void test_no_ipv6(void **state)
{
	const struct netcfg net = a_netcfg();
	struct netlink_done done;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	put_text("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	put_text("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	tap = make_tap(0, &features);
	configure(&net, &done);		/* switches it on, for its interface alone */
	assert_false(done.ipv6_left_out);
}

/* Link up, MAC and MTU; addresses and routes are the container's to ask for. */
static void test_unconfigured(void **state)
{
	struct netcfg net = a_netcfg(), back;
	struct netlink_done done;
	FD_OWNED int tap = -1;
	struct err e = ERR_INIT;
	uint32_t features;
	struct conf c;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	net.configure = false;
	configure(&net, &done);
	conf_init(&c);
	snprintf(c.ifname, sizeof(c.ifname), "eth1");
	assert_int_equal(netlink_template(&c, NULL, &back, &e), 0);
	assert_string_equal(back.outer_ifname4, "");
	assert_string_equal(back.outer_ifname6, "");
}

/* The templates of a host that has `net` and no default route. */
static struct netcfg taken_from(struct netcfg *net)
{
	struct netlink_done done;
	struct err e = ERR_INIT;
	struct netcfg back;
	struct conf c;

	net->nroutes = 0;
	configure(net, &done);
	conf_init(&c);
	snprintf(c.ifname, sizeof(c.ifname), "eth1");
	if (netlink_template(&c, NULL, &back, &e) < 0)
		fail_msg("%s", e.msg);
	return back;
}

static void test_no_default_route(void **state)
{
	struct netcfg net = a_netcfg(), back;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	back = taken_from(&net);
	assert_string_equal(back.outer_ifname4, "eth0");
	assert_string_equal(back.outer_ifname6, "eth0");
	assert_int_equal(back.naddresses, 4);
	assert_true(find_route(&back, "0.0.0.0/0")->onlink);
}

/* 169.254.0.0/16 is taken where there is nothing better. */
static void test_only_linklocal(void **state)
{
	struct netcfg net = a_netcfg(), back;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	tap = make_tap(0, &features);
	net.naddresses = 1;
	net.addresses[0] = px("169.254.7.7/16");
	back = taken_from(&net);
	assert_string_equal(back.outer_ifname4, "eth0");
	assert_int_equal(back.naddresses, 1);
	assert_prefix(&back.addresses[0], "169.254.7.7/16");
}

static void test_failures_name_what(void **state)
{
	struct netcfg net = a_netcfg();
	struct err e = ERR_INIT;
	struct netlink_done done;
	FD_OWNED int tap = -1;
	uint32_t features;

	(void)state;
	if (!is_ready)
		skip();
	assert_int_equal(netlink_configure(&net, &done, &e), -1);	/* no eth0 */
	assert_non_null(strstr(e.msg, "eth0"));
	tap = make_tap(0, &features);
	net = a_netcfg();
	net.routes[1].onlink = false;
	assert_int_equal(netlink_configure(&net, &done, &e), -1);
	assert_non_null(strstr(e.msg, "route 10.0.0.0/8"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_move), cmocka_unit_test(test_move_around),
		cmocka_unit_test(test_move_old),
		cmocka_unit_test(test_name_taken),
		cmocka_unit_test(test_offloads),
		cmocka_unit_test(test_closing_undoes),
		cmocka_unit_test(test_unconfigured),
		cmocka_unit_test(test_no_default_route),
		cmocka_unit_test(test_only_linklocal),
		cmocka_unit_test(test_failures_name_what),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_no_ipv6),
	};

	log_open(LOGT_NONE, LOGL_ERROR, NULL, NULL);
	return cmocka_run_group_tests(tests, enter_own, NULL);
}
