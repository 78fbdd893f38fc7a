/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/dhcp.c over the fake world, message by message: RFC 2131, 4.1 and
 * 4.3, and the RFCs of the options. The client's side is built with wire/dhcp. */
#include "../unit.h"

#include <stdio.h>

#include "fakeport.h"
#include "wire/dhcp.h"
#include "wire/numbers.h"

static const struct fake_setup usual;
static const uint8_t chaddr[6] = { 0x52, 0x54, 0, 1, 2, 3 };

/* A client's message; options are added by put() before it is sent. */
struct query {
	struct dhcp m;
	struct dhcp_out out;
	struct addr src, dst;
};

/* What came back. */
struct reply {
	struct fake_seen f;
	uint8_t bytes[DHCP_MAX_LEN];
	struct dhcp m;
};

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

static struct query query(int type)
{
	struct query q = {
		.m = { .op = BOOTP_REQUEST, .htype = 1, .hlen = 6, .xid = 0x12345678 },
		.src = parse("0.0.0.0"), .dst = parse("255.255.255.255"),
	};
	uint8_t t = (uint8_t)type;

	memcpy(q.m.chaddr, chaddr, sizeof(chaddr));
	q.m.ciaddr = q.m.yiaddr = q.m.siaddr = q.m.giaddr = parse("0.0.0.0");
	dhcp_begin(&q.out, DHCP_MAX_LEN, true);
	if (type)
		dhcp_put(&q.out, DHCPO_TYPE, &t, 1);
	return q;
}

static void put_addr(struct query *q, uint8_t code, const char *text)
{
	struct addr a = parse(text);

	assert_true(dhcp_put(&q->out, code, addr_bytes(&a), 4));
}

/* Sends it; whether there was an answer, which is then *ret. */
static bool ask(struct fake_world *w, const struct query *q, struct reply *ret)
{
	uint8_t buf[DHCP_MAX_LEN];
	struct wr out = wr_init(buf, sizeof(buf));
	struct rd r;

	assert_true(dhcp_write(&out, &q->m, &q->out));
	assert_false(fake_ingress_udp(w, &q->src, &q->dst, 68, 67, buf, sizeof(buf) - out.left, 0));
	fake_turn(w);
	assert_int_equal(w->io.opens, 0);
	if (!fake_frame(w, &ret->f))
		return false;
	assert_int_equal(ret->f.udp.sport, 67);
	assert_int_equal(ret->f.vnet.flags, 0);		/* the checksum is there already */
	assert_true(ret->f.len <= sizeof(ret->bytes));
	memcpy(ret->bytes, ret->f.data, ret->f.len);
	r = rd_init(ret->bytes, ret->f.len);
	assert_int_equal(dhcp_read(&r, &ret->m), WIRE_OK);
	assert_int_equal(ret->m.op, BOOTP_REPLY);
	assert_int_equal(ret->m.xid, q->m.xid);
	assert_memory_equal(ret->m.chaddr, q->m.chaddr, DHCP_CHADDR_LEN);
	return true;
}

static void must_ask(struct fake_world *w, const struct query *q, struct reply *ret)
{
	if (!ask(w, q, ret))
		fail_msg("no answer");
}

static void assert_silent(struct fake_world *w, const struct query *q)
{
	struct reply r;

	assert_false(ask(w, q, &r));
}

static void assert_is(const struct addr *a, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(a, buf), text);
}

static int type_of(const struct reply *r)
{
	uint8_t t = 0;

	return dhcp_option(&r->m, DHCPO_TYPE, &t, 1) == 1 ? t : 0;
}

static void assert_option(const struct reply *r, uint8_t code, const void *want, int len)
{
	uint8_t got[DHCP_OPT_MAX];

	assert_int_equal(dhcp_option(&r->m, code, got, sizeof(got)), len);
	assert_memory_equal(got, want, (size_t)len);
}

static void assert_no_option(const struct reply *r, uint8_t code)
{
	assert_int_equal(dhcp_option(&r->m, code, NULL, 0), -1);
}

/* The codes of the answer's options field, in order. */
static void assert_codes(const struct reply *r, const char *want)
{
	struct rd f = r->m.fields[DHCP_OPTIONS];
	char text[256] = "";
	uint8_t code, len;

	while (rd_u8(&f, &code) && code != DHCPO_END && code != DHCPO_PAD && rd_u8(&f, &len) &&
	       rd_skip(&f, len))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ", code);
	assert_string_equal(text, want);
}

/* --- DHCPDISCOVER, 4.3.1 --- */

static void test_discover(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_OFFER);
	assert_is(&r.m.yiaddr, "203.0.113.2");
	assert_is(&r.m.ciaddr, "0.0.0.0");
	assert_is(&r.m.siaddr, "0.0.0.0");
	assert_is(&r.f.ip.src, "203.0.113.1");
	/* 4.1: no broadcast bit, so to the hardware address and the address offered */
	assert_is(&r.f.ip.dst, "203.0.113.2");
	assert_int_equal(r.f.udp.dport, 68);
	assert_memory_equal(r.f.dst.b, chaddr, 6);
	/* no parameter request list: what every client can use */
	assert_codes(&r, "53 54 51 1 3 28 58 59 26 ");
	assert_option(&r, DHCPO_SERVER, "\313\0\161\1", 4);
	assert_option(&r, DHCPO_MASK, "\377\377\377\0", 4);
	assert_option(&r, DHCPO_ROUTER, "\313\0\161\1", 4);
	assert_option(&r, DHCPO_BROADCAST, "\313\0\161\377", 4);
	assert_option(&r, DHCPO_LEASE, "\0\0\x15\x18", 4);
	assert_option(&r, DHCPO_T1, "\0\0\x0a\x8c", 4);
	assert_option(&r, DHCPO_T2, "\0\0\x12\x75", 4);
	assert_option(&r, DHCPO_MTU, "\5\334", 2);
	assert_int_equal(w->count.dhcp_replies, 1);
	fake_stop(w);
}

static void test_discover_asks_for_address(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	w->net.addresses[w->net.naddresses++] = px("198.18.0.9/16");
	put_addr(&q, DHCPO_REQUESTED, "198.18.0.9");
	must_ask(w, &q, &r);
	assert_is(&r.m.yiaddr, "198.18.0.9");
	assert_option(&r, DHCPO_MASK, "\377\377\0\0", 4);
	q = query(DHCP_DISCOVER);
	put_addr(&q, DHCPO_REQUESTED, "198.18.0.8");	/* not to be had */
	must_ask(w, &q, &r);
	assert_is(&r.m.yiaddr, "203.0.113.2");
	fake_stop(w);
}

/* RFC 4039, 3.1: DHCPACK at once, with the option. */
static void test_rapid_commit(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	dhcp_put(&q.out, DHCPO_RAPID_COMMIT, NULL, 0);
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_ACK);
	assert_option(&r, DHCPO_RAPID_COMMIT, "", 0);
	assert_is(&r.m.yiaddr, "203.0.113.2");
	q = query(DHCP_DISCOVER);
	must_ask(w, &q, &r);
	assert_no_option(&r, DHCPO_RAPID_COMMIT);
	fake_stop(w);
}

/* --- DHCPREQUEST, 4.3.2 --- */

static void test_selecting(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_REQUEST);
	struct reply r;

	(void)state;
	put_addr(&q, DHCPO_SERVER, "203.0.113.1");
	put_addr(&q, DHCPO_REQUESTED, "203.0.113.2");
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_ACK);
	assert_is(&r.m.yiaddr, "203.0.113.2");
	assert_is(&r.m.ciaddr, "0.0.0.0");
	q = query(DHCP_REQUEST);			/* another server was chosen */
	put_addr(&q, DHCPO_SERVER, "203.0.113.9");
	put_addr(&q, DHCPO_REQUESTED, "203.0.113.2");
	assert_silent(w, &q);
	assert_int_equal(w->count.dhcp_ignored, 1);
	fake_stop(w);
}

static void test_init_reboot(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_REQUEST);
	struct reply r;

	(void)state;
	put_addr(&q, DHCPO_REQUESTED, "203.0.113.2");
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_ACK);
	q = query(DHCP_REQUEST);
	put_addr(&q, DHCPO_REQUESTED, "10.0.0.7");	/* it was elsewhere before */
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_NAK);
	assert_is(&r.m.yiaddr, "0.0.0.0");
	assert_is(&r.m.ciaddr, "0.0.0.0");
	assert_is(&r.f.ip.dst, "255.255.255.255");
	assert_memory_equal(r.f.dst.b, "\377\377\377\377\377\377", 6);
	assert_codes(&r, "53 54 56 ");
	assert_int_equal(w->count.dhcp_naks, 1);
	fake_stop(w);
}

/* Renewing comes by unicast, rebinding by broadcast; both have ciaddr alone, and the
 * answer goes there. */
static void test_renewing_and_rebinding(void **state)
{
	static const char *const to[] = { "203.0.113.1", "255.255.255.255" };
	struct fake_world *w = fake_start(&usual);
	struct reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		struct query q = query(DHCP_REQUEST);

		q.src = q.m.ciaddr = parse("203.0.113.2");
		q.dst = parse(to[i]);
		q.m.flags = DHCP_F_BROADCAST;		/* means nothing with ciaddr */
		must_ask(w, &q, &r);
		assert_int_equal(type_of(&r), DHCP_ACK);
		assert_is(&r.m.ciaddr, "203.0.113.2");
		assert_is(&r.m.yiaddr, "203.0.113.2");
		assert_is(&r.f.ip.dst, "203.0.113.2");
		q.src = q.m.ciaddr = parse("203.0.113.3");
		must_ask(w, &q, &r);
		assert_int_equal(type_of(&r), DHCP_NAK);
		assert_is(&r.f.ip.dst, "255.255.255.255");
	}
	fake_stop(w);
}

static void test_request_without_address(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_REQUEST);

	(void)state;
	assert_silent(w, &q);
	fake_stop(w);
}

/* --- the others --- */

/* 4.3.5: parameters and no lease, to ciaddr. */
static void test_inform(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_INFORM);
	struct reply r;

	(void)state;
	q.src = q.m.ciaddr = parse("203.0.113.77");	/* any address it has */
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_ACK);
	assert_is(&r.m.yiaddr, "0.0.0.0");
	assert_is(&r.f.ip.dst, "203.0.113.77");
	assert_option(&r, DHCPO_ROUTER, "\313\0\161\1", 4);
	assert_no_option(&r, DHCPO_LEASE);
	assert_no_option(&r, DHCPO_T1);
	assert_no_option(&r, DHCPO_T2);
	q = query(DHCP_INFORM);
	assert_silent(w, &q);				/* from nowhere */
	fake_stop(w);
}

/* 4.3.3, 4.3.4; and what only servers send, what is no request, what is unknown. */
static void test_unanswered(void **state)
{
	static const uint8_t types[] = {
		DHCP_DECLINE, DHCP_RELEASE, DHCP_OFFER, DHCP_ACK, DHCP_NAK, 0xff,
	};
	struct fake_world *w = fake_start(&usual);
	struct query q;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		q = query(types[i]);
		put_addr(&q, DHCPO_REQUESTED, "203.0.113.2");
		assert_silent(w, &q);
	}
	q = query(DHCP_DISCOVER);
	q.m.op = BOOTP_REPLY;
	assert_silent(w, &q);
	q = query(0);
	dhcp_put(&q.out, DHCPO_TYPE, "\1\1", 2);
	assert_silent(w, &q);
	assert_int_equal(w->count.dhcp_ignored, ARRAY_LEN(types) + 2);
	w->net.addresses[0] = w->net.addresses[1];	/* no IPv4 to lease */
	w->net.naddresses = 1;
	q = query(DHCP_DISCOVER);
	assert_silent(w, &q);
	fake_stop(w);
}

/* RFC 1534, 2; RFC 951: the address for ever, 300 bytes, nothing of DHCP. */
static void test_bootp(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(0);
	struct reply r;

	(void)state;
	must_ask(w, &q, &r);
	assert_is(&r.m.yiaddr, "203.0.113.2");
	assert_int_equal(r.f.len, DHCP_MIN_LEN);
	assert_codes(&r, "1 3 28 26 ");
	fake_stop(w);
}

/* --- where the answer goes, 4.1 --- */

static void test_broadcast_flag(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	q.m.flags = DHCP_F_BROADCAST;
	must_ask(w, &q, &r);
	assert_is(&r.f.ip.dst, "255.255.255.255");
	assert_memory_equal(r.f.dst.b, "\377\377\377\377\377\377", 6);
	assert_int_equal(r.m.flags, DHCP_F_BROADCAST);
	q.m.flags = 0;
	q.m.htype = 32;				/* no address to send to by hardware */
	q.m.hlen = 0;
	must_ask(w, &q, &r);
	assert_is(&r.f.ip.dst, "255.255.255.255");
	fake_stop(w);
}

/* A relay in the container: to its server port, a DHCPNAK with the broadcast bit. */
static void test_relay(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	q.m.giaddr = q.src = parse("203.0.113.50");
	q.dst = parse("203.0.113.1");
	must_ask(w, &q, &r);
	assert_is(&r.f.ip.dst, "203.0.113.50");
	assert_int_equal(r.f.udp.dport, 67);
	assert_is(&r.m.giaddr, "203.0.113.50");
	assert_int_equal(r.m.flags, 0);
	q = query(DHCP_REQUEST);
	q.m.giaddr = q.src = parse("203.0.113.50");
	put_addr(&q, DHCPO_REQUESTED, "10.0.0.7");
	must_ask(w, &q, &r);
	assert_int_equal(type_of(&r), DHCP_NAK);
	assert_is(&r.f.ip.dst, "203.0.113.50");
	assert_int_equal(r.m.flags, DHCP_F_BROADCAST);
	fake_stop(w);
}

/* Someone else's server is reached like any other host. */
static void test_not_ours(void **state)
{
	struct addr c4 = parse("203.0.113.2"), other = parse("198.51.100.10");
	struct fake_world *w = fake_start(&usual);
	struct addr none = parse("0.0.0.0"), all = parse("255.255.255.255");

	(void)state;
	fake_ingress_udp(w, &c4, &other, 68, 67, "x", 1, 0);
	fake_turn(w);
	assert_int_equal(w->io.opens, 1);
	fake_ingress_udp(w, &none, &all, 68, 69, "x", 1, 0);	/* 0.0.0.0 for DHCP alone */
	fake_ingress_udp(w, &none, &other, 68, 67, "x", 1, 0);
	fake_turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(w->count.drop_martian, 2);
	fake_stop(w);
}

/* No gateway: the server has the documented link-local address. */
static void test_without_gateway(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	w->net.gateway4 = ADDR_ANY;
	must_ask(w, &q, &r);
	assert_is(&r.f.ip.src, "169.254.1.1");
	assert_option(&r, DHCPO_SERVER, "\251\376\1\1", 4);
	assert_no_option(&r, DHCPO_ROUTER);
	fake_stop(w);
}

/* --- options --- */

/* RFC 2132, 9.8: in the order asked; 3.3: but the mask before the router; unknown
 * ones, those without a value, and repeated ones left out. */
static void test_parameter_list(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x1a\3\1\x2a\x0f\x33\3\x1c", 8);
	must_ask(w, &q, &r);
	assert_codes(&r, "53 54 51 1 26 3 28 ");
	fake_stop(w);
}

static void name_things(struct fake_world *w)
{
	w->net.nameservers[0] = parse("198.51.100.53");
	w->net.nameservers[1] = parse("2001:db8::53");
	w->net.nameservers[2] = parse("198.51.100.54");
	w->net.nnameservers = 3;
	strcpy(w->conf.domain, "example.org");
	strcpy(w->conf.search[0], "a.example");
	strcpy(w->conf.search[1], "b.example");
	w->conf.nsearch = 2;
	strcpy(w->conf.captive_portal, "https://p.example/");
	w->conf.ipv6_only_s = 1800;
}

static void test_names(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	name_things(w);
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\6\x0f\x77\x72\x6c", 5);
	must_ask(w, &q, &r);
	assert_codes(&r, "53 54 51 6 15 119 114 108 ");
	assert_option(&r, DHCPO_DNS, "\xc6\x33\x64\x35\xc6\x33\x64\x36", 8);
	assert_option(&r, DHCPO_DOMAIN, "example.org", 11);
	assert_option(&r, DHCPO_SEARCH, "\1a\7example\0\1b\7example", 22);	/* RFC 3397, 2 */
	assert_option(&r, DHCPO_CAPTIVE_PORTAL, "https://p.example/", 18);
	assert_option(&r, DHCPO_IPV6_ONLY, "\0\0\7\x08", 4);
	q = query(DHCP_DISCOVER);	/* RFC 8925, 3.3: to who asks alone */
	must_ask(w, &q, &r);
	assert_no_option(&r, DHCPO_IPV6_ONLY);
	w->net.naddresses = 1;		/* and not where there is no IPv6 */
	q = query(DHCP_DISCOVER);
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x6c", 1);
	must_ask(w, &q, &r);
	assert_no_option(&r, DHCPO_IPV6_ONLY);
	w->conf.domain[0] = '\0';	/* the first searched stands in */
	dhcp_begin(&q.out, DHCP_MAX_LEN, true);
	dhcp_put(&q.out, DHCPO_TYPE, "\1", 1);
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x0f", 1);
	must_ask(w, &q, &r);
	assert_option(&r, DHCPO_DOMAIN, "a.example", 9);
	fake_stop(w);
}

/* RFC 3442: all routes, the default one too, on-link ones by 0.0.0.0, and before a
 * gateway outside the network the way to it. */
static void test_classless_routes(void **state)
{
	static const uint8_t want[] = {
		16, 198, 18, 0, 0, 0, 0,
		25, 198, 51, 100, 128, 203, 0, 113, 9,
		32, 169, 254, 1, 1, 0, 0, 0, 0,
		0, 169, 254, 1, 1,
	};
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	w->net.nroutes = 4;
	w->net.routes[0] = (struct route){ .dst = px("198.18.0.0/16") };
	w->net.routes[1] = (struct route){ .dst = px("2001:db8:9::/48") };
	w->net.routes[2] = (struct route){ .dst = px("198.51.100.128/25"),
					   .gw = parse("203.0.113.9") };
	w->net.routes[3] = (struct route){ .dst = px("0.0.0.0/0"), .gw = parse("169.254.1.1"),
					   .onlink = true };
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x79", 1);
	must_ask(w, &q, &r);
	assert_option(&r, DHCPO_ROUTES, want, sizeof(want));
	fake_stop(w);
}

static void test_single_address(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	w->net.addresses[0] = px("203.0.113.2/32");
	must_ask(w, &q, &r);
	assert_option(&r, DHCPO_MASK, "\377\377\377\377", 4);
	assert_no_option(&r, DHCPO_BROADCAST);
	fake_stop(w);
}

/* RFC 4702, 4: S overridden, N said, E and the name as they came. RFC 6842: the
 * client identifier comes back. */
static void test_client_names(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	dhcp_put(&q.out, DHCPO_CLIENT_ID, "\1\2\3", 3);
	dhcp_put(&q.out, DHCPO_HOSTNAME, "box", 3);
	dhcp_put(&q.out, DHCPO_FQDN, "\5\0\0\3box", 7);
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x0c", 1);
	must_ask(w, &q, &r);
	assert_codes(&r, "53 54 61 51 81 12 ");
	assert_option(&r, DHCPO_CLIENT_ID, "\1\2\3", 3);
	assert_option(&r, DHCPO_HOSTNAME, "box", 3);
	assert_option(&r, DHCPO_FQDN, "\x0e\xff\xff\3box", 7);
	q = query(DHCP_DISCOVER);
	dhcp_put(&q.out, DHCPO_FQDN, "\5\0", 2);	/* cut */
	must_ask(w, &q, &r);
	assert_no_option(&r, DHCPO_FQDN);
	fake_stop(w);
}

/* Names that were given: in place of the client's, in the encoding that it has. */
static void test_given_names(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	strcpy(w->conf.hostname, "web");
	strcpy(w->conf.fqdn, "web.lan");
	must_ask(w, &q, &r);			/* asks for nothing by its number */
	assert_option(&r, DHCPO_HOSTNAME, "web", 3);
	assert_option(&r, DHCPO_FQDN, "\x0c\xff\xff\3web\3lan", 12);
	dhcp_put(&q.out, DHCPO_HOSTNAME, "box", 3);
	dhcp_put(&q.out, DHCPO_FQDN, "\1\0\0box", 6);		/* ASCII */
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x0c", 1);
	must_ask(w, &q, &r);
	assert_codes(&r, "53 54 51 81 12 ");
	assert_option(&r, DHCPO_HOSTNAME, "web", 3);
	assert_option(&r, DHCPO_FQDN, "\x0a\xff\xff""web.lan", 10);
	fake_stop(w);
}

/* RFC 2132, 9.10: no longer than the client says, nor than the link takes; what does
 * not fit the options field stands in file and sname. */
static void test_message_size(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP_DISCOVER);
	struct reply r;

	(void)state;
	for (uint32_t i = 0; i < CONF_SEARCH_MAX; i++)
		snprintf(w->conf.search[i], sizeof(w->conf.search[i]), "%050u.example", i);
	w->conf.nsearch = CONF_SEARCH_MAX;
	memset(w->conf.captive_portal, 'x', 100);
	dhcp_put(&q.out, DHCPO_PARAMETERS, "\x77\x72\x0f", 3);
	must_ask(w, &q, &r);			/* 576 less 28 */
	assert_true(r.f.len <= 548);
	assert_no_option(&r, DHCPO_SEARCH);
	assert_int_equal(dhcp_option(&r.m, DHCPO_CAPTIVE_PORTAL, NULL, 0), 100);
	dhcp_put(&q.out, DHCPO_MAX_SIZE, "\5\334", 2);
	must_ask(w, &q, &r);
	assert_int_equal(dhcp_option(&r.m, DHCPO_SEARCH, NULL, 0), 8 * 60);
	w->net.mtu = 760;			/* 760 - 28 - 240: not beside the portal */
	must_ask(w, &q, &r);
	assert_true(r.f.len <= 760 - 28);
	assert_int_equal(dhcp_option(&r.m, DHCPO_SEARCH, NULL, 0), -1);
	w->net.mtu = 800;
	must_ask(w, &q, &r);
	assert_int_equal(dhcp_option(&r.m, DHCPO_SEARCH, NULL, 0), 8 * 60);
	assert_int_equal(dhcp_option(&r.m, DHCPO_CAPTIVE_PORTAL, NULL, 0), 100);
	assert_int_equal(dhcp_option(&r.m, DHCPO_OVERLOAD, NULL, 0), 1);
	fake_stop(w);
}

static void test_malformed(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct addr none = parse("0.0.0.0"), all = parse("255.255.255.255");
	struct fake_seen f;

	(void)state;
	fake_ingress_udp(w, &none, &all, 68, 67, "short", 5, 0);
	fake_turn(w);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.drop_wire[WIRE_SHORT], 1);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover),
		cmocka_unit_test(test_discover_asks_for_address),
		cmocka_unit_test(test_rapid_commit),
		cmocka_unit_test(test_selecting),
		cmocka_unit_test(test_init_reboot),
		cmocka_unit_test(test_renewing_and_rebinding),
		cmocka_unit_test(test_request_without_address),
		cmocka_unit_test(test_inform),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_bootp),
		cmocka_unit_test(test_broadcast_flag),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_without_gateway),
		cmocka_unit_test(test_parameter_list),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_classless_routes),
		cmocka_unit_test(test_single_address),
		cmocka_unit_test(test_client_names),
		cmocka_unit_test(test_given_names),
		cmocka_unit_test(test_message_size),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
