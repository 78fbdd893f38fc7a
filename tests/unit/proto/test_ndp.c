/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests the router's side of core/proto/ndp.c over the fake world: what advertisements
 * say, and when they are sent (RFC 4861, 6.1.1 and 6.2); and which neighbours it answers for.
 * More about Neighbor Solicitations is in test_ingress.c. */
#include "../unit.h"

#include "fakeport.h"
#include "proto/ndp.h"
#include "proto/network.h"
#include "proto/proto.h"
#include "wire/nd.h"
#include "wire/numbers.h"

static const struct fake_setup usual;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix px(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct fake_world *start(bool configure)
{
	struct fake_world *w = fake_start(&usual);

	w->conf.configure = configure;
	w->net.nroutes = 1;
	w->net.routes[0] = (struct route){ .dst = px("::/0"), .gw = w->net.gateway6 };
	proto_start(&w->c);
	return w;
}

static void solicit(struct fake_world *w, const char *from, const void *opts, size_t n, uint8_t ttl)
{
	uint8_t msg[64] = { ICMP6_RS };
	struct fake_packet p = {
		.src = parse(from), .dst = parse("ff02::2"), .proto = PROTO_ICMP6, .ttl = ttl,
		.l4 = msg, .len = ICMP_HLEN + n,
	};

	if (n)
		memcpy(msg + ICMP_HLEN, opts, n);
	fake_ingress(w, &p);
	fake_turn(w);
}

/* The next frame, a Router Advertisement as RFC 4861, 6.1.2 wants it. */
static bool advertised(struct fake_world *w, struct fake_seen *f)
{
	if (!fake_frame(w, f))
		return false;
	assert_int_equal(f->icmp.type, ICMP6_RA);
	assert_int_equal(f->icmp.code, 0);
	assert_int_equal(f->ip.ttl, ND_HOPLIMIT);
	assert_true(addr_is_linklocal6(&f->ip.src));
	return true;
}

/* The n-th option of a type: its body behind type and length, or NULL. */
static const uint8_t *option(const struct fake_seen *f, uint8_t type, unsigned int n)
{
	struct rd r = rd_init(f->data + ND_RA_LEN, f->len - ND_RA_LEN);
	const uint8_t *p;
	uint8_t t = 0, len = 0;

	while (r.left) {
		assert_true(rd_u8(&r, &t) && rd_u8(&r, &len) && len);
		p = rd_bytes(&r, (size_t)len * 8 - 2);
		assert_non_null(p);
		if (t == type && n-- == 0)
			return p;
	}
	return NULL;
}

static void assert_option(const struct fake_seen *f, uint8_t type, unsigned int n,
			  const void *want, size_t len)
{
	const uint8_t *p = option(f, type, n);

	assert_non_null(p);
	assert_memory_equal(p, want, len);
}

static void test_says(void **state)
{
	struct fake_world *w = start(true);
	struct addr ll;
	struct fake_seen f;

	(void)state;
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_true(advertised(w, &f));
	assert_true(addr_eq(&f.ip.dst, &(struct addr){ { 0xfe, 0x80, [15] = 0x52 } }));
	ll = parse("fe80::9855:9aff:fe55:9a55");	/* the gateway is not link-local: by MAC */
	assert_true(addr_eq(&f.ip.src, &ll));
	assert_int_equal(f.icmp.rest, 0x40c00708);	/* hop limit 64, M and O, 1800 s */
	assert_option(&f, NDO_SLLA, 0, w->net.gw_mac.b, 6);
	assert_option(&f, NDO_MTU, 0, "\0\0\0\0\5\334", 6);
	assert_option(&f, NDO_PREFIX, 0, "\x40\xc0\0\0\x15\x18\0\0\x0a\x8c\0\0\0\0"
		      "\x20\1\xd\xb8\0\1\0\0\0\0\0\0\0\0\0", 30);
	assert_null(option(&f, NDO_PREFIX, 1));
	assert_null(option(&f, NDO_RDNSS, 0));
	assert_null(option(&f, NDO_DNSSL, 0));
	assert_null(option(&f, NDO_ROUTE, 0));
	assert_null(option(&f, NDO_CAPTIVE_PORTAL, 0));
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.nd_router_adverts, 1);
	w->net.gateway6 = parse("fe80::1");
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_true(advertised(w, &f));
	assert_true(addr_eq(&f.ip.src, &w->net.gateway6));
	fake_stop(w);
}

/* The real length; SLAAC with 64 bits only; once a prefix; a /128 is no link's. */
static void test_prefixes(void **state)
{
	static const char *const addrs[] = {
		"2001:db8:1::3/64", "2001:db8:2::3/56", "2001:db8:3::3/128", "2001:db8:4::3/96",
	};
	struct fake_world *w = start(true);
	struct fake_seen f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
		w->net.addresses[w->net.naddresses++] = px(addrs[i]);
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_true(advertised(w, &f));
	assert_option(&f, NDO_PREFIX, 0, "\x40\xc0", 2);
	assert_option(&f, NDO_PREFIX, 1, "\x38\x80", 2);
	assert_option(&f, NDO_PREFIX, 2, "\x60\x80", 2);
	assert_null(option(&f, NDO_PREFIX, 3));
	fake_stop(w);
}

static void test_names_and_routes(void **state)
{
	struct fake_world *w = start(true);
	struct fake_seen f;

	(void)state;
	w->net.nameservers[w->net.nnameservers++] = parse("2001:db8::53");
	strcpy(w->conf.search[w->conf.nsearch++], "a.example");
	strcpy(w->conf.captive_portal, "urn:p");
	w->net.routes[0] = (struct route){ .dst = px("2001:db8:9::/48"), .gw = w->net.gateway6 };
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_true(advertised(w, &f));
	/* no default route: not a default router (RFC 4861, 4.2), but for this */
	assert_int_equal(f.icmp.rest, 0x40c00000);
	assert_option(&f, NDO_ROUTE, 0, "\x30\0\0\0\7\x08\x20\1\xd\xb8\0\x9\0\0", 14);
	assert_option(&f, NDO_RDNSS, 0, "\0\0\0\0\7\x08\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\x53", 22);
	assert_option(&f, NDO_DNSSL, 0, "\0\0\0\0\7\x08\1a\7example\0", 17);
	assert_option(&f, NDO_CAPTIVE_PORTAL, 0, "urn:p\0", 6);
	fake_stop(w);
}

/* Whatever is configured, the message passes the least MTU. */
static void test_largest(void **state)
{
	struct fake_world *w = start(true);
	struct fake_seen f;

	(void)state;
	w->net.nroutes = CONF_ROUTES_MAX;
	for (uint8_t i = 0; i < CONF_ROUTES_MAX; i++) {
		w->net.routes[i] = (struct route){ .dst = px("2001:db8:9::/128") };
		w->net.routes[i].dst.addr.b[15] = i;
	}
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_true(advertised(w, &f));
	assert_true(f.len + ICMP_HLEN + IP6_HLEN <= 1280);
	assert_non_null(option(&f, NDO_ROUTE, 40));
	fake_stop(w);
}

/* RFC 4861, 6.1.1 */
static void test_bad_solicitations(void **state)
{
	struct fake_world *w = start(true);
	struct fake_seen f;

	(void)state;
	solicit(w, "fe80::52", NULL, 0, 254);
	solicit(w, "::", "\1\1\2\0\0\0\0\1", 8, 255);
	assert_int_equal(w->count.drop_martian, 2);
	solicit(w, "fe80::52", "\1\0\2\0\0\0\0\1", 8, 255);
	assert_int_equal(w->count.drop_wire[WIRE_OPTION], 1);
	w->net.naddresses = 1;			/* no IPv6 */
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_false(fake_frame(w, &f));
	assert_true(proto_next(&w->c) == UINT64_MAX);
	fake_stop(w);
}

/* Moves time to the next advertisement and checks that it is not before or after. */
static uint64_t next_ra(struct fake_world *w, struct fake_seen *f)
{
	uint64_t wait = proto_next(&w->c) - w->c.now;

	w->c.now += wait - 1;
	fake_turn(w);
	assert_false(fake_frame(w, f));
	w->c.now++;
	w->c.now_us = w->c.now * 1000;
	fake_turn(w);
	assert_true(advertised(w, f));
	assert_true(addr_eq(&f->ip.dst, &(struct addr){ { 0xff, 2, [15] = 1 } }));
	assert_memory_equal(f->dst.b, "\x33\x33\0\0\0\1", 6);
	return wait;
}

/* 6.2.4: to a container that configures itself, three soon, then at random between
 * 200 and 600 s. */
static void test_periodic(void **state)
{
	struct fake_world *w = start(false);
	uint64_t wait, last = 0;
	struct fake_seen f;
	bool differs = false;

	(void)state;
	fake_turn(w);
	assert_true(advertised(w, &f));
	for (int i = 0; i < 2; i++)
		assert_int_equal(next_ra(w, &f), 16000);
	for (int i = 0; i < 20; i++) {
		wait = next_ra(w, &f);
		assert_in_range(wait, 200000, 600000);
		differs |= last && wait != last;
		last = wait;
	}
	assert_true(differs);
	fake_stop(w);
}

/* A container that was configured at the start hears nothing until it asks. */
static void test_unasked(void **state)
{
	struct fake_world *w = start(true);
	struct fake_seen f;

	(void)state;
	fake_turn(w);
	assert_false(fake_frame(w, &f));
	assert_true(proto_next(&w->c) == UINT64_MAX);
	solicit(w, "fe80::52", NULL, 0, 255);
	assert_true(advertised(w, &f));
	assert_int_equal(next_ra(w, &f), 16000);
	fake_stop(w);
}

/* 6.2.6: who has no address is answered by one to all, 3 s apart. */
static void test_apart(void **state)
{
	struct fake_world *w = start(true);
	struct fake_seen f;

	(void)state;
	solicit(w, "::", NULL, 0, 255);
	assert_true(advertised(w, &f));
	assert_true(addr_is_multicast(&f.ip.dst));
	solicit(w, "::", NULL, 0, 255);
	solicit(w, "::", NULL, 0, 255);
	assert_false(fake_frame(w, &f));
	assert_int_equal(next_ra(w, &f), 3000);
	fake_stop(w);
}

/* 6.2.5: no router any more, and silent from then on. */
static void test_withdraw(void **state)
{
	struct fake_world *w = start(false);
	struct netcfg other;
	struct fake_seen f;

	(void)state;
	w->net.nameservers[w->net.nnameservers++] = parse("2001:db8::53");
	fake_turn(w);
	assert_true(advertised(w, &f));
	other = w->net;
	netcfg_strip_ipv6(&other);
	network_change(&w->c, &other);
	assert_true(advertised(w, &f));
	assert_int_equal(f.icmp.rest & 0xffff, 0);
	assert_option(&f, NDO_PREFIX, 0, "\x40\xc0\0\0\0\0\0\0\0\0", 10);
	assert_option(&f, NDO_RDNSS, 0, "\0\0\0\0\0\0", 6);
	assert_true(proto_next(&w->c) == UINT64_MAX);
	fake_stop(w);
}

/* RFC 4861, 4.2: what DHCPv6 has, if there is one. */
static void test_flags(void **state)
{
	struct fake_world *w = start(false);
	struct fake_seen f;

	(void)state;
	fake_turn(w);
	assert_true(advertised(w, &f));
	assert_int_equal(f.icmp.rest >> 16 & 0xff, 0xc0);
	fake_stop(w);
	w = start(false);
	w->conf.off = CONF_OFF_DHCP6;
	fake_turn(w);
	assert_true(advertised(w, &f));
	assert_int_equal(f.icmp.rest >> 16 & 0xff, 0);
	fake_stop(w);
}

/* After a suspend: once more, with all its lifetimes; to who never asked nothing. */
static void test_resumed(void **state)
{
	struct fake_world *w = start(false);
	struct fake_seen f;

	(void)state;
	fake_turn(w);
	assert_true(advertised(w, &f));
	w->c.now += 3600000;
	network_resumed(&w->c);
	fake_turn(w);
	assert_true(advertised(w, &f));
	assert_int_equal(f.icmp.rest & 0xffff, 1800);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
	w = start(true);
	network_resumed(&w->c);
	fake_turn(w);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

static void assert_neighbour(struct fake_world *w, const char *target, bool answered)
{
	uint8_t msg[ICMP_HLEN + 16] = { ICMP6_NS };
	struct fake_packet p = {
		.src = parse("2001:db8:1::2"), .dst = parse("ff02::1:ff00:1"), .proto = PROTO_ICMP6,
		.ttl = ND_HOPLIMIT, .l4 = msg, .len = sizeof(msg),
	};
	struct addr a = parse(target);
	struct fake_seen f;

	memcpy(msg + ICMP_HLEN, a.b, 16);
	fake_ingress(w, &p);
	fake_turn(w);
	assert_int_equal(fake_frame(w, &f), answered);
}

/* What the container makes of its MAC by SLAAC (RFC 4862, 5.5.3) is its own. */
static void test_own_addresses(void **state)
{
	struct fake_world *w = start(false);

	(void)state;
	fake_turn(w);
	fake_frames_drop(w);
	assert_neighbour(w, "2001:db8:1::2", false);
	assert_neighbour(w, "fe80::5054:ff:fe01:203", false);
	assert_neighbour(w, "2001:db8:1:0:5054:ff:fe01:203", false);
	assert_neighbour(w, "2001:db8:1:0:5054:ff:fe01:204", true);
	assert_neighbour(w, "2001:db8:2:0:5054:ff:fe01:203", true);	/* no prefix of its */
	w->net.addresses[1].len = 56;					/* none for SLAAC */
	assert_neighbour(w, "2001:db8:1:0:5054:ff:fe01:203", true);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_names_and_routes),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_bad_solicitations),
		cmocka_unit_test(test_periodic),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_withdraw),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_own_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
