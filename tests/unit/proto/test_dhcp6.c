/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/dhcp6.c over the fake world, message by message: RFC 8415, 16, 18.3
 * and 18.4, and the RFCs of the options. */
#include "../unit.h"

#include "fakeport.h"
#include "wire/dhcp6.h"
#include "wire/numbers.h"

static const struct fake_setup usual;
static const uint8_t client_id[] = { 0, 3, 0, 1, 0x52, 0x54, 0, 1, 2, 3 };

#define OWN	"2001:db8:1::2"		/* the fake world's */
#define OTHER	"2001:db8:1::77"	/* on its link */
#define FOREIGN	"2001:db8:99::1"	/* not on its link */

struct query {
	uint8_t buf[DHCP6_MAX_LEN];
	size_t len;
	struct addr dst;
};

struct reply {
	struct fake_seen f;
	uint8_t bytes[DHCP6_MAX_LEN];
	struct dhcp6 m;
};

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void put(struct query *q, uint16_t code, const void *data, size_t len)
{
	struct wr w = wr_init(q->buf + q->len, sizeof(q->buf) - q->len);

	assert_true(dhcp6_put(&w, code, data, len));
	q->len = sizeof(q->buf) - w.left;
}

static struct query anonymous(uint8_t type)
{
	struct query q = { .len = 4, .dst = parse("ff02::1:2") };

	memcpy(q.buf, (uint8_t[]){ type, 1, 2, 3 }, 4);
	return q;
}

static struct query query(uint8_t type)
{
	struct query q = anonymous(type);

	put(&q, DHCP6O_CLIENT_ID, client_id, sizeof(client_id));
	return q;
}

static void put_server(struct query *q, const struct fake_world *w)
{
	uint8_t duid[10] = { 0, 3, 0, 1 };

	memcpy(duid + 4, w->net.gw_mac.b, 6);
	put(q, DHCP6O_SERVER_ID, duid, sizeof(duid));
}

static struct query to_server(uint8_t type, const struct fake_world *w)
{
	struct query q = query(type);

	put_server(&q, w);
	return q;
}

/* An IA_NA with these addresses, NULL at the end. */
static void put_ia(struct query *q, uint32_t iaid, const char *const *addrs)
{
	struct wr w = wr_init(q->buf + q->len, sizeof(q->buf) - q->len);
	uint8_t *ia = dhcp6_open(&w, DHCP6O_IA_NA);

	wr_u32(&w, iaid);
	wr_zero(&w, 8);
	for (; addrs && *addrs; addrs++)
		dhcp6_iaaddr_write(&w, &(struct dhcp6_addr){ .prefix = { parse(*addrs), 128 } });
	dhcp6_close(&w, ia);
	q->len = sizeof(q->buf) - w.left;
}

#define IA(q, iaid, ...) put_ia(q, iaid, (const char *const[]){ __VA_ARGS__, NULL })

static bool ask(struct fake_world *w, const struct query *q, struct reply *ret)
{
	struct addr src = parse("fe80::52");
	struct rd r;

	assert_false(fake_ingress_udp(w, &src, &q->dst, 546, 547, q->buf, q->len, 0));
	fake_turn(w);
	assert_int_equal(w->io.opens, 0);
	if (!fake_frame(w, &ret->f))
		return false;
	assert_true(addr_eq(&ret->f.ip.dst, &src));
	assert_true(addr_is_linklocal6(&ret->f.ip.src));
	assert_int_equal(ret->f.udp.sport, 547);
	assert_int_equal(ret->f.udp.dport, 546);
	memcpy(ret->bytes, ret->f.data, ret->f.len);
	r = rd_init(ret->bytes, ret->f.len);
	assert_int_equal(dhcp6_read(&r, &ret->m), WIRE_OK);
	assert_int_equal(ret->m.xid, 0x010203);
	return true;
}

static void must_ask(struct fake_world *w, const struct query *q, uint8_t type, struct reply *r)
{
	if (!ask(w, q, r))
		fail_msg("no answer");
	assert_int_equal(r->m.type, type);
}

static void assert_silent(struct fake_world *w, const struct query *q)
{
	struct reply r;

	assert_false(ask(w, q, &r));
}

static void assert_option(const struct reply *r, uint16_t code, const void *want, size_t len)
{
	struct rd d;

	assert_true(dhcp6_find(r->m.opts, code, &d));
	assert_int_equal(d.left, len);
	assert_memory_equal(d.p, want, len);
}

static void assert_no_option(const struct reply *r, uint16_t code)
{
	struct rd d;

	assert_false(dhcp6_find(r->m.opts, code, &d));
}

/* The status in these options, -1: none, which means success (21.13). */
static int status_of(struct rd opts)
{
	uint16_t s;
	struct rd d;

	return dhcp6_find(opts, DHCP6O_STATUS, &d) && rd_u16(&d, &s) ? s : -1;
}

/* The n-th association of a kind in the answer. */
static struct dhcp6_ia ia_of(const struct reply *r, uint16_t kind, unsigned int n)
{
	struct rd opts = r->m.opts, d;
	struct dhcp6_ia ia;
	uint16_t code;

	while (dhcp6_next(&opts, &code, &d))
		if (code == kind && n-- == 0) {
			assert_true(dhcp6_ia_read(d, &ia));
			return ia;
		}
	fail_msg("no association");
	return (struct dhcp6_ia){ .iaid = 0 };
}

/* The association's addresses as "address/valid ...". */
static void assert_addrs(const struct dhcp6_ia *ia, const char *want)
{
	char text[512] = "", one[ADDR_STRLEN];
	struct rd opts = ia->opts, d;
	struct dhcp6_addr a;
	uint16_t code;

	while (dhcp6_next(&opts, &code, &d))
		if (code == DHCP6O_IAADDR && dhcp6_iaaddr_read(d, &a)) {
			strcat(strcat(text, addr_format(&a.prefix.addr, one)),
			       a.valid == 5400 && a.preferred == 2700 ? "+ " :
			       a.valid == 0 && a.preferred == 0 ? "- " : "? ");
		}
	assert_string_equal(text, want);
}

/* --- Solicit, 18.3.1 --- */

static void test_solicit(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_SOLICIT);
	uint8_t duid[10] = { 0, 3, 0, 1, 0x9a, 0x55, 0x9a, 0x55, 0x9a, 0x55 };
	struct dhcp6_ia ia;
	struct reply r;

	(void)state;
	IA(&q, 7, NULL);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	assert_option(&r, DHCP6O_CLIENT_ID, client_id, sizeof(client_id));
	assert_option(&r, DHCP6O_SERVER_ID, duid, sizeof(duid));
	assert_option(&r, DHCP6O_PREFERENCE, "\377", 1);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_int_equal(ia.iaid, 7);
	assert_int_equal(ia.t1, 1350);
	assert_int_equal(ia.t2, 2160);
	assert_addrs(&ia, OWN "+ ");
	assert_int_equal(status_of(ia.opts), -1);
	assert_int_equal(w->count.dhcp6_replies, 1);
	fake_stop(w);
}

static void test_rapid_commit(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_SOLICIT);
	struct reply r;

	(void)state;
	put(&q, DHCP6O_RAPID_COMMIT, NULL, 0);
	IA(&q, 7, NULL);
	must_ask(w, &q, DHCP6_REPLY, &r);
	assert_option(&r, DHCP6O_RAPID_COMMIT, "", 0);
	assert_no_option(&r, DHCP6O_PREFERENCE);
	fake_stop(w);
}

/* All the addresses go to one association: who has one of them, else the first. */
static void test_several_ias(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_SOLICIT);
	struct dhcp6_ia ia;
	struct reply r;

	(void)state;
	w->net.addresses[w->net.naddresses++] = (struct prefix){ parse("2001:db8:2::3"), 128 };
	IA(&q, 7, NULL);
	IA(&q, 8, NULL);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_addrs(&ia, OWN "+ 2001:db8:2::3+ ");
	ia = ia_of(&r, DHCP6O_IA_NA, 1);
	assert_addrs(&ia, "");
	assert_int_equal(status_of(ia.opts), DHCP6S_NO_ADDRS);
	q = to_server(DHCP6_RENEW, w);
	IA(&q, 7, NULL);
	IA(&q, 8, "2001:db8:2::3");
	must_ask(w, &q, DHCP6_REPLY, &r);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_int_equal(status_of(ia.opts), DHCP6S_NO_ADDRS);
	ia = ia_of(&r, DHCP6O_IA_NA, 1);
	assert_addrs(&ia, OWN "+ 2001:db8:2::3+ ");
	fake_stop(w);
}

/* --- Request, 18.3.2; Renew, 18.3.4; Rebind, 18.3.5 --- */

static void test_request(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = to_server(DHCP6_REQUEST, w);
	struct dhcp6_ia ia;
	struct reply r;

	(void)state;
	IA(&q, 7, OTHER);		/* a hint that cannot be followed */
	must_ask(w, &q, DHCP6_REPLY, &r);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_addrs(&ia, OWN "+ ");
	q = to_server(DHCP6_REQUEST, w);
	IA(&q, 7, FOREIGN);
	must_ask(w, &q, DHCP6_REPLY, &r);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_addrs(&ia, "");
	assert_int_equal(status_of(ia.opts), DHCP6S_NOT_ON_LINK);
	fake_stop(w);
}

/* What the client may keep has lifetimes, what it must drop has none. */
static void extends(uint8_t type, bool server)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = server ? to_server(type, w) : query(type);
	struct dhcp6_ia ia;
	struct reply r;

	IA(&q, 7, OWN, OTHER, FOREIGN);
	must_ask(w, &q, DHCP6_REPLY, &r);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_addrs(&ia, OWN "+ " OTHER "- " FOREIGN "- ");
	fake_stop(w);
}

static void test_renew_and_rebind(void **state)
{
	(void)state;
	extends(DHCP6_RENEW, true);
	extends(DHCP6_REBIND, false);
}

/* --- Confirm, 18.3.3 --- */

static void test_confirm(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_CONFIRM);
	struct reply r;

	(void)state;
	IA(&q, 7, OWN, OTHER);
	must_ask(w, &q, DHCP6_REPLY, &r);
	assert_int_equal(status_of(r.m.opts), DHCP6S_SUCCESS);
	assert_no_option(&r, DHCP6O_IA_NA);
	IA(&q, 8, FOREIGN);
	must_ask(w, &q, DHCP6_REPLY, &r);
	assert_int_equal(status_of(r.m.opts), DHCP6S_NOT_ON_LINK);
	q = query(DHCP6_CONFIRM);
	IA(&q, 7, NULL);		/* nothing to confirm */
	assert_silent(w, &q);
	fake_stop(w);
}

/* --- Release, 18.3.7; Decline, 18.3.8; Information-request, 18.3.6 --- */

static void test_release_and_decline(void **state)
{
	static const uint8_t types[] = { DHCP6_RELEASE, DHCP6_DECLINE };
	struct fake_world *w = fake_start(&usual);
	struct reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct query q = to_server(types[i], w);

		IA(&q, 7, OWN);
		must_ask(w, &q, DHCP6_REPLY, &r);
		assert_int_equal(status_of(r.m.opts), DHCP6S_SUCCESS);
	}
	fake_stop(w);
}

static void test_information_request(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = anonymous(DHCP6_INFORMATION_REQUEST);
	struct reply r;

	(void)state;
	w->net.nameservers[w->net.nnameservers++] = parse("2001:db8::53");
	put(&q, DHCP6O_ORO, "\0\27\0\40", 4);
	must_ask(w, &q, DHCP6_REPLY, &r);
	assert_no_option(&r, DHCP6O_CLIENT_ID);
	assert_option(&r, DHCP6O_DNS, parse("2001:db8::53").b, 16);
	assert_option(&r, DHCP6O_REFRESH_TIME, "\0\0\x15\x18", 4);
	IA(&q, 7, NULL);		/* 16.12: not with an IA */
	assert_silent(w, &q);
	q = anonymous(DHCP6_INFORMATION_REQUEST);
	put(&q, DHCP6O_SERVER_ID, "\0\1\2", 3);
	assert_silent(w, &q);
	q = anonymous(DHCP6_INFORMATION_REQUEST);
	put_server(&q, w);
	must_ask(w, &q, DHCP6_REPLY, &r);
	fake_stop(w);
}

/* --- 16: which messages count --- */

static void test_identifiers(void **state)
{
	static const struct {
		uint8_t type;
		bool server;		/* must name it; else must not */
	} rows[] = {
		{ DHCP6_SOLICIT, false }, { DHCP6_REQUEST, true }, { DHCP6_CONFIRM, false },
		{ DHCP6_RENEW, true }, { DHCP6_REBIND, false }, { DHCP6_RELEASE, true },
		{ DHCP6_DECLINE, true },
	};
	struct fake_world *w = fake_start(&usual);
	struct query q;
	struct reply r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		q = rows[i].server ? query(rows[i].type) : to_server(rows[i].type, w);
		IA(&q, 7, OWN);
		assert_silent(w, &q);
		q = query(rows[i].type);		/* another server */
		put(&q, DHCP6O_SERVER_ID, "\0\3\0\1\2\0\0\0\0\1", 10);
		IA(&q, 7, OWN);
		assert_silent(w, &q);
		q = anonymous(rows[i].type);		/* no client */
		if (rows[i].server)
			put_server(&q, w);
		IA(&q, 7, OWN);
		assert_silent(w, &q);
		q = rows[i].server ? to_server(rows[i].type, w) : query(rows[i].type);
		IA(&q, 7, OWN);
		if (!ask(w, &q, &r))
			fail_msg("type %u: no answer", rows[i].type);
	}
	assert_int_equal(w->count.dhcp_ignored, 3 * ARRAY_LEN(rows));
	fake_stop(w);
}

static void test_nonsense(void **state)
{
	static const uint8_t types[] = { 0, DHCP6_ADVERTISE, DHCP6_REPLY, 10, 12, 13, 255 };
	struct fake_world *w = fake_start(&usual);
	struct query q;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		q = query(types[i]);
		assert_silent(w, &q);
	}
	q = anonymous(DHCP6_SOLICIT);
	put(&q, DHCP6O_CLIENT_ID, "", 0);
	assert_silent(w, &q);
	q = query(DHCP6_SOLICIT);
	q.len--;
	assert_silent(w, &q);
	assert_int_equal(w->count.drop_wire[WIRE_OPTION], 1);
	w->net.naddresses = 1;		/* no IPv6 */
	q = query(DHCP6_SOLICIT);
	assert_silent(w, &q);
	fake_stop(w);
}

/* 16, 18.4: by unicast, which was not offered. */
static void test_unicast(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q;
	struct reply r;

	(void)state;
	w->net.gateway6 = parse("fe80::1");
	q = to_server(DHCP6_RENEW, w);
	q.dst = w->net.gateway6;
	IA(&q, 7, OWN);
	must_ask(w, &q, DHCP6_REPLY, &r);
	assert_int_equal(status_of(r.m.opts), DHCP6S_USE_MULTICAST);
	assert_no_option(&r, DHCP6O_IA_NA);
	q = query(DHCP6_SOLICIT);
	q.dst = w->net.gateway6;
	assert_silent(w, &q);
	q = anonymous(DHCP6_INFORMATION_REQUEST);
	q.dst = w->net.gateway6;
	assert_silent(w, &q);
	fake_stop(w);
}

/* --- other options --- */

static void test_prefix_delegation(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_SOLICIT);
	struct dhcp6_addr got;
	struct dhcp6_ia ia;
	struct reply r;
	struct rd d;

	(void)state;
	put(&q, DHCP6O_IA_PD, "\0\0\0\5\0\0\0\0\0\0\0\0", 12);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	ia = ia_of(&r, DHCP6O_IA_PD, 0);
	assert_int_equal(ia.iaid, 5);
	assert_int_equal(status_of(ia.opts), DHCP6S_NO_PREFIX);
	assert_int_equal(prefix_parse("2001:db8:7::/48", &w->conf.delegated), 0);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	ia = ia_of(&r, DHCP6O_IA_PD, 0);
	assert_int_equal(status_of(ia.opts), -1);
	assert_true(dhcp6_find(ia.opts, DHCP6O_IAPREFIX, &d) && dhcp6_iaprefix_read(d, &got));
	assert_int_equal(got.prefix.len, 48);
	assert_true(addr_eq(&got.prefix.addr, &w->conf.delegated.addr));
	assert_int_equal(got.valid, 5400);
	fake_stop(w);
}

/* RFC 3646, RFC 4704, RFC 8910: what is asked for, and it alone. */
static void test_requested_options(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_SOLICIT);
	struct reply r;

	(void)state;
	w->net.nameservers[w->net.nnameservers++] = parse("198.51.100.53");
	w->net.nameservers[w->net.nnameservers++] = parse("2001:db8::53");
	strcpy(w->conf.search[w->conf.nsearch++], "a.example");
	strcpy(w->conf.captive_portal, "urn:p");
	put(&q, DHCP6O_FQDN, "\1\3box", 5);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);		/* no ORO */
	assert_option(&r, DHCP6O_DNS, parse("2001:db8::53").b, 16);
	assert_option(&r, DHCP6O_SEARCH, "\1a\7example", 11);
	assert_no_option(&r, DHCP6O_FQDN);
	put(&q, DHCP6O_ORO, "\0\x67\0\x27\xff\xff\0\x20", 8);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	assert_no_option(&r, DHCP6O_DNS);
	assert_no_option(&r, DHCP6O_SEARCH);
	assert_no_option(&r, DHCP6O_REFRESH_TIME);
	assert_option(&r, DHCP6O_CAPTIVE_PORTAL, "urn:p", 5);
	assert_option(&r, DHCP6O_FQDN, "\6\3box", 5);	/* S overridden, N said */
	strcpy(w->conf.fqdn, "web.lan");
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	assert_option(&r, DHCP6O_FQDN, "\6\3web\3lan", 10);
	fake_stop(w);
}

/* A search list that has no room must not cost the client its address. */
static void test_full(void **state)
{
	struct fake_world *w = fake_start(&usual);
	struct query q = query(DHCP6_SOLICIT);
	struct dhcp6_ia ia;
	struct reply r;

	(void)state;
	w->conf.nsearch = CONF_SEARCH_MAX;
	for (uint32_t i = 0; i < CONF_SEARCH_MAX; i++)
		for (uint32_t k = 0; k < 120; k++)
			w->conf.search[i][k] = k % 40 == 39 ? '.' : 'a';
	for (uint32_t i = 0; i < CONF_SEARCH_MAX; i++)
		w->conf.search[i][119] = '\0';
	for (uint8_t i = 1; i < 15; i++) {
		w->net.addresses[w->net.naddresses] = w->net.addresses[1];
		w->net.addresses[w->net.naddresses++].addr.b[15] = (uint8_t)(0x80 + i);
	}
	IA(&q, 7, NULL);
	must_ask(w, &q, DHCP6_ADVERTISE, &r);
	ia = ia_of(&r, DHCP6O_IA_NA, 0);
	assert_int_equal(ia.opts.left, 15 * 28);
	assert_no_option(&r, DHCP6O_SEARCH);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_solicit),
		cmocka_unit_test(test_rapid_commit),
		cmocka_unit_test(test_several_ias),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_renew_and_rebind),
		cmocka_unit_test(test_confirm),
		cmocka_unit_test(test_release_and_decline),
		cmocka_unit_test(test_information_request),
		cmocka_unit_test(test_identifiers),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_unicast),
		cmocka_unit_test(test_prefix_delegation),
		cmocka_unit_test(test_requested_options),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
