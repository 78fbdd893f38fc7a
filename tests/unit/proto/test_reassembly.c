/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/reassembly.c, the budget of icmp_error.c, and what ingress makes of fragments and
 * of headers it cannot honour, over the fake world. */
#include "../unit.h"

#include "base/cksum.h"
#include "fakeport.h"
#include "proto/icmp.h"
#include "proto/proto.h"
#include "wire/eth.h"
#include "wire/numbers.h"

static struct addr c4, r4, c6, r6;
static uint8_t dgram[65535];

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct fake_world *start(void)
{
	static const struct fake_setup usual;

	c4 = parse("203.0.113.2");
	r4 = parse("198.51.100.10");
	c6 = parse("2001:db8:1::2");
	r6 = parse("2001:db8:2::10");
	return fake_start(&usual);
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

/* An IP packet as it stands behind the Ethernet header. */
static void put(struct fake_world *w, bool v4, const struct ip *ip, const void *body, size_t len)
{
	static uint8_t buf[FAKE_FRAME_MAX];
	struct wr out = wr_init(buf, sizeof(buf));

	vnet_write(&out, &(struct vnet){ .gso_type = VNET_GSO_NONE });
	eth_write(&out, &(struct eth){ .dst = w->net.gw_mac, .src = w->net.mac,
				       .type = v4 ? ETYPE_IP4 : ETYPE_IP6 });
	assert_true(v4 ? ip4_write(&out, ip) : ip6_write(&out, ip));
	assert_true(wr_bytes(&out, body, len));
	fake_ingress_raw(w, buf, sizeof(buf) - out.left);
}

/* Bytes from..to of the l4 packet in dgram. */
static void piece(struct fake_world *w, bool v4, uint8_t proto, size_t from, size_t to, bool more)
{
	static uint8_t body[65535];
	struct wr out = wr_init(body, sizeof(body));
	struct ip ip = {
		.version = v4 ? 4 : 6, .src = v4 ? c4 : c6, .dst = v4 ? r4 : r6, .proto = proto,
		.ttl = 64, .id = 0x1234, .more = more, .frag_off = (uint16_t)from,
	};

	if (!v4)
		assert_true(ip6_frag_write(&out, &ip));
	wr_bytes(&out, dgram + from, to - from);
	ip.len = (uint16_t)(sizeof(body) - out.left);
	if (!v4)
		ip.proto = PROTO_FRAGMENT;
	put(w, v4, &ip, body, ip.len);
}

/* A UDP datagram of len bytes of payload, whole, in dgram. Returns its length. */
static size_t make_udp(bool v4, size_t len)
{
	struct wr out = wr_init(dgram, sizeof(dgram));
	const struct addr *src = v4 ? &c4 : &c6, *dst = v4 ? &r4 : &r6;
	uint16_t sum;

	udp_write(&out, &(struct udp){ .sport = 4000, .dport = 53, .len = (uint16_t)(8 + len) });
	for (size_t i = 0; i < len; i++)
		dgram[8 + i] = (uint8_t)(i / 3);
	sum = cksum_finish(cksum_add(dgram, 8 + len, cksum_pseudo(src, dst, PROTO_UDP,
								  (uint32_t)(8 + len), 0)));
	dgram[6] = (uint8_t)(sum >> 8);
	dgram[7] = (uint8_t)sum;
	return 8 + len;
}

static void test_whole(void **state)
{
	static const size_t sizes[] = { 1481, 9000, 65507 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct fake_world *w = start();
		bool v4 = i & 1;
		size_t len = make_udp(v4, sizes[i / 2]);

		for (size_t at = 0; at < len; at += 1448)
			piece(w, v4, PROTO_UDP, at, MIN_OF(at + 1448, len), at + 1448 < len);
		turn(w);
		assert_int_equal(w->io.opens, 1);
		assert_int_equal(fake_last(w)->nsent, 1);
		assert_int_equal(fake_last(w)->sent[0].data.len, sizes[i / 2]);
		assert_memory_equal(fake_last(w)->sent[0].data.p, dgram + 8, sizes[i / 2]);
		assert_false(fake_last(w)->sent[0].ip.df);	/* leaves in fragments again */
		assert_int_equal(w->count.frag_reassembled, 1);
		assert_int_equal(w->frags.used, 0);
		fake_stop(w);
	}
}

/* Nothing vouches for a whole that pieces made: its checksum is tested. */
static void test_checksum(void **state)
{
	struct fake_world *w = start();
	size_t len = make_udp(true, 2000);

	(void)state;
	dgram[100] ^= 1;
	piece(w, true, PROTO_UDP, 0, 1480, true);
	piece(w, true, PROTO_UDP, 1480, len, false);
	turn(w);
	assert_int_equal(w->count.drop_wire[WIRE_CHECKSUM], 1);
	dgram[6] = dgram[7] = 0;	/* none is allowed in IPv4 ... */
	piece(w, true, PROTO_UDP, 0, 1480, true);
	piece(w, true, PROTO_UDP, 1480, len, false);
	turn(w);
	assert_int_equal(w->io.opens, 1);
	piece(w, false, PROTO_UDP, 0, 1480, true);	/* ... not in IPv6 (RFC 8200, 8.1) */
	piece(w, false, PROTO_UDP, 1480, len, false);
	turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(w->count.drop_wire[WIRE_CHECKSUM], 2);
	fake_stop(w);
}

/* Extension headers that were cut into pieces are walked in the whole. */
static void test_headers_inside(void **state)
{
	struct fake_world *w = start();
	size_t len = make_udp(false, 1600);

	(void)state;
	memmove(dgram + 8, dgram, len);
	memcpy(dgram, "\x11\0\1\4\0\0\0\0", 8);		/* destination options */
	piece(w, false, PROTO_DSTOPTS, 0, 800, true);
	piece(w, false, PROTO_DSTOPTS, 800, len + 8, false);
	turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(fake_last(w)->sent[0].data.len, 1600);
	/* a fragment inside of one is not taken */
	memcpy(dgram, "\x11\0\0\1\0\0\0\1", 8);
	piece(w, false, PROTO_FRAGMENT, 0, 800, true);
	piece(w, false, PROTO_FRAGMENT, 800, 1600, false);
	turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(w->count.frag_refused, 1);
	assert_int_equal(w->frags.used, 0);
	fake_stop(w);
}

static void pass_time(struct fake_world *w, uint64_t ms)
{
	w->c.now += ms;
	turn(w);
}

/* RFC 792, RFC 4443 3.3: only who sent the first piece hears of the time-out, and sees it
 * quoted with its own identification. */
static void test_time_out(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fake_world *w = start();
		bool v4 = i & 1, first = i & 2;
		struct fake_seen f;
		struct ip quoted;
		struct rd r;

		make_udp(v4, 3000);
		piece(w, v4, PROTO_UDP, first ? 0 : 1480, first ? 1480 : 2960, true);
		assert_int_equal(proto_next(&w->c), w->c.now + FRAG_TIMEOUT_MS);
		pass_time(w, FRAG_TIMEOUT_MS - 1);
		assert_false(fake_frame(w, &f));
		pass_time(w, 1);
		assert_int_equal(w->count.frag_timeouts, 1);
		assert_int_equal(w->frags.used, 0);
		assert_int_equal(fake_frame(w, &f), first);
		if (first) {
			assert_int_equal(f.icmp.type, v4 ? ICMP4_TIMEX : ICMP6_TIMEX);
			assert_int_equal(f.icmp.code, 1);
			assert_int_equal(f.len, v4 ? 576 - 28 : 1280 - 48);
			/* the quote is cut: its length field is the packet's */
			r = rd_init(f.data, f.len);
			assert_int_equal(v4 ? ip4_read(&r, &quoted, &r) :
					      ip6_read(&r, &quoted, &r), WIRE_LENGTH);
			assert_int_equal(f.data[v4 ? 4 : 46], v4 ? 0x12 : 0x12);
			assert_int_equal(f.data[v4 ? 5 : 47], 0x34);
			assert_memory_equal(f.data + (v4 ? 20 : 48), dgram, 400);
		}
		fake_stop(w);
	}
}

/* An abandoned datagram is swallowed to its end, in silence (RFC 5722, 4). */
static void test_abandoned(void **state)
{
	struct fake_world *w = start();
	struct fake_seen f;

	(void)state;
	make_udp(false, 3000);
	piece(w, false, PROTO_UDP, 0, 1480, true);
	piece(w, false, PROTO_UDP, 800, 1600, true);
	piece(w, false, PROTO_UDP, 1480, 3008, false);
	turn(w);
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->count.frag_refused, 2);
	pass_time(w, FRAG_TIMEOUT_MS);
	assert_int_equal(w->frags.used, 0);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

/* Pieces of ever new datagrams hold no more than their share. */
static void test_flood(void **state)
{
	struct fake_world *w = start();
	struct ip ip;

	(void)state;
	make_udp(true, 3000);
	ip = (struct ip){ .version = 4, .src = c4, .dst = r4, .proto = PROTO_UDP, .ttl = 64,
			  .more = true, .len = 800 };
	for (uint32_t i = 0; i < 1000; i++) {
		ip.id = i;
		put(w, true, &ip, dgram, 800);
	}
	turn(w);
	assert_int_equal(w->frags.used, FRAG_MAX);
	assert_int_equal(w->count.frag_evicted, 1000 - FRAG_MAX);
	pass_time(w, FRAG_TIMEOUT_MS);
	assert_int_equal(w->frags.used, 0);
	fake_stop(w);
}

/* RFC 7112: a first piece without all the headers. */
static void test_chain_cut(void **state)
{
	static const struct { uint8_t proto; size_t len; bool cut; } cases[] = {
		{ PROTO_TCP, 16, true }, { PROTO_TCP, 24, false }, { PROTO_UDP, 8, false },
		{ PROTO_DSTOPTS, 8, true },	/* options, and nothing behind them */
		{ PROTO_DSTOPTS, 16, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_world *w = start();
		struct fake_seen f;

		memset(dgram, 0, sizeof(dgram));
		memcpy(dgram, "\x11\0\1\4\0\0\0\0", 8);
		piece(w, false, cases[i].proto, 0, cases[i].len, true);
		turn(w);
		assert_int_equal(fake_frame(w, &f), cases[i].cut);
		assert_int_equal(w->frags.used, !cases[i].cut);
		if (cases[i].cut) {
			assert_int_equal(f.icmp.type, ICMP6_PARAM);
			assert_int_equal(f.icmp.code, ICMP6_PARAM_CHAIN);
		}
		fake_stop(w);
	}
}

/* --- headers that we cannot honour --- */

/* A chain of extension headers before a UDP datagram; what the container hears. */
static void test_problems(void **state)
{
	static const struct {
		uint8_t first;
		const char *ext;
		uint8_t len;
		bool multicast;
		int code;		/* -1: nothing */
		uint32_t pointer;
	} cases[] = {
		{ PROTO_HOPOPT, "\x11\0\x1e\4\0\0\0\0", 8, false, -1, 0 },	/* may be skipped */
		{ PROTO_HOPOPT, "\x11\0\x5e\4\0\0\0\0", 8, false, -1, 0 },	/* discard, say nothing */
		{ PROTO_HOPOPT, "\x11\0\x9e\4\0\0\0\0", 8, false, 2, 42 },
		{ PROTO_HOPOPT, "\x11\0\xde\4\0\0\0\0", 8, false, 2, 42 },
		{ PROTO_HOPOPT, "\x11\0\x9e\4\0\0\0\0", 8, true, 2, 42 },
		{ PROTO_HOPOPT, "\x11\0\xde\4\0\0\0\0", 8, true, -1, 0 },
		{ PROTO_DSTOPTS, "\x3c\0\1\4\0\0\0\0\x11\0\0\0\x9e\2\0\0", 16, false, 2, 52 },
		{ PROTO_DSTOPTS, "\0\0\1\4\0\0\0\0\x11\0\1\4\0\0\0\0", 16, false, 1, 40 },
		{ PROTO_ROUTING, "\x11\2\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, false,
		  0, 42 },						/* RFC 5095 */
		{ PROTO_ROUTING, "\x11\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, false,
		  -1, 0 },						/* at its end */
		{ 253, "", 0, false, 1, 6 },					/* RFC 3692 */
		{ PROTO_SCTP, "", 0, false, 1, 6 },
		{ PROTO_DSTOPTS, "\x84\0\1\4\0\0\0\0", 8, false, 1, 40 },
		{ PROTO_NONE, "", 0, false, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fake_world *w = start();
		struct ip ip = { .version = 6, .src = c6, .ttl = 64, .proto = cases[i].first };
		const struct addr ours = addr_linklocal6(&w->net.gw_mac);
		uint8_t body[64];
		struct wr out = wr_init(body, sizeof(body));
		struct fake_seen f;

		wr_bytes(&out, cases[i].ext, cases[i].len);
		wr_bytes(&out, dgram, make_udp(false, 4));
		ip.dst = cases[i].multicast ? parse("ff02::1") : r6;
		ip.len = (uint16_t)(sizeof(body) - out.left);
		put(w, false, &ip, body, ip.len);
		turn(w);
		assert_int_equal(fake_frame(w, &f), cases[i].code >= 0);
		if (cases[i].code >= 0) {
			assert_int_equal(f.icmp.type, ICMP6_PARAM);
			assert_int_equal(f.icmp.code, cases[i].code);
			assert_int_equal(f.icmp.rest, cases[i].pointer);
			assert_true(addr_eq(&f.ip.src, &ours));
			assert_memory_equal(f.data + 40, body, ip.len);
		}
		fake_stop(w);
	}
}

/* Hops are counted fragment by fragment, and of a datagram's the first is answered. */
static void test_hops_end(void **state)
{
	struct fake_world *w = start();
	struct ip ip = { .version = 4, .src = c4, .dst = r4, .proto = PROTO_UDP, .ttl = 1,
			 .id = 7, .more = true, .len = 1480 };
	struct fake_seen f;

	(void)state;
	make_udp(true, 2000);
	put(w, true, &ip, dgram, ip.len);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.icmp.type, ICMP4_TIMEX);
	assert_int_equal(f.icmp.code, 0);
	ip.frag_off = ip.len;
	ip.more = false;
	ip.len = 2008 - 1480;
	put(w, true, &ip, dgram + ip.frag_off, ip.len);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.drop_hops, 2);
	assert_int_equal(w->count.frag_rx, 0);
	fake_stop(w);
}

static void test_protocol_unreachable(void **state)
{
	static const uint8_t protos[] = { PROTO_SCTP, 47, 50, 253, PROTO_ICMP6 };
	struct fake_world *w = start();
	uint8_t body[700] = { 1, 2, 3 };
	struct fake_seen f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(protos); i++) {
		struct ip ip = { .version = 4, .src = c4, .dst = r4, .ttl = 64,
				 .proto = protos[i], .len = sizeof(body) };

		put(w, true, &ip, body, sizeof(body));
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.icmp.type, ICMP4_UNREACH);
		assert_int_equal(f.icmp.code, ICMP4_UNREACH_PROTO);
		assert_true(addr_eq(&f.ip.src, &w->conf.host_addresses[0]));
		assert_int_equal(f.ip.hdr_len + ICMP_HLEN + f.len, 576);
		ip.dst = parse("224.0.0.5");		/* never about what went to many */
		put(w, true, &ip, body, sizeof(body));
		assert_false(fake_frame(w, &f));
	}
	assert_int_equal(w->count.drop_proto, 2 * ARRAY_LEN(protos));
	fake_stop(w);
}

/* All errors that we originate share one budget. */
static void test_rate(void **state)
{
	struct fake_world *w = start();
	const struct ip ip = { .version = 4, .src = c4, .dst = r4, .ttl = 64, .proto = 50,
			       .len = 8 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		put(w, true, &ip, "12345678", 8);
	assert_int_equal(w->count.icmp_errors_sent, ICMP_ERRORS_BURST);
	assert_int_equal(w->count.icmp_errors_limited, 1000 - ICMP_ERRORS_BURST);
	w->c.now += 10;
	for (int i = 0; i < 1000; i++)
		put(w, true, &ip, "12345678", 8);
	assert_int_equal(w->count.icmp_errors_sent, ICMP_ERRORS_BURST + 10);
	w->c.now += 100000;			/* a long rest saves up no more than a burst */
	for (int i = 0; i < 1000; i++)
		put(w, true, &ip, "12345678", 8);
	assert_int_equal(w->count.icmp_errors_sent, 2 * ICMP_ERRORS_BURST + 10);
	fake_stop(w);
}

/* "sourceCheck": who uses an address that was not given to the container. */
static void test_source_check(void **state)
{
	struct fake_world *w = start();
	const struct addr other = parse("203.0.113.3"), local = parse("fe80::1234");

	(void)state;
	assert_true(fake_ingress_udp(w, &other, &r4, 1, 53, "a", 1, 0));
	w->conf.source_check = true;
	assert_false(fake_ingress_udp(w, &other, &r4, 2, 53, "a", 1, 0));
	assert_int_equal(w->count.drop_source, 1);
	assert_true(fake_ingress_udp(w, &c4, &r4, 3, 53, "a", 1, 0));
	assert_true(fake_ingress_udp(w, &c6, &r6, 3, 53, "a", 1, 0));
	assert_true(fake_ingress_udp(w, &local, &r6, 3, 53, "a", 1, 0));
	turn(w);
	assert_int_equal(w->count.drop_source, 1);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_headers_inside), cmocka_unit_test(test_time_out),
		cmocka_unit_test(test_abandoned), cmocka_unit_test(test_flood),
		cmocka_unit_test(test_chain_cut), cmocka_unit_test(test_problems),
		cmocka_unit_test(test_hops_end), cmocka_unit_test(test_protocol_unreachable),
		cmocka_unit_test(test_rate), cmocka_unit_test(test_source_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
