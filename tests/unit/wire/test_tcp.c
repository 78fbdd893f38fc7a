/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests core/wire/tcp.c against RFC 9293 (3.1 header, 3.2 options), RFC 7323 (2
 * window scale, 3 timestamps), RFC 2018 (2, 3 SACK), and the checksum of RFC
 * 9293 3.1, RFC 768, RFC 8200 8.1, RFC 4443 2.3 with sums worked out elsewhere.
 */
#include "../unit.h"

#include "wire/numbers.h"
#include "wire/tcp.h"

/* 10.0.0.1:40000 to 198.51.100.10:80, SYN as Linux sends it, checksum 33d4. */
static const uint8_t syn[40] = {
	0x9c, 0x40, 0x00, 0x50, 0x11, 0x22, 0x33, 0x44, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02,
	0xfa, 0xf0, 0x33, 0xd4, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a,
	0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

/* [2001:db8:2::10]:80 to [2001:db8:1::2]:40000, an odd number of bytes. */
static const uint8_t data6[25] = {
	0x00, 0x50, 0x9c, 0x40, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0x01, 0xf4, 0x71, 0xe7,
	0, 0, 'h', 'e', 'l', 'l', 'o',
};

static enum wire_err try(const uint8_t *bytes, size_t len, struct tcp *t, size_t *pay)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*t);
	err = tcp_read(&r, t);
	if (err) {
		ASSERT_POISONED(*t);
		return err;
	}
	assert_false(r.failed);
	assert_ptr_equal(r.p + r.left, p + len);
	*pay = r.left;
	return WIRE_OK;
}

/* A header with n bytes of options (padded with END) and 3 bytes behind. */
static enum wire_err with_opts(uint8_t flags, const uint8_t *opts, size_t n, struct tcp *t)
{
	uint8_t buf[TCP_HLEN + TCP_OPTS_MAX + 3] = { 0 };
	size_t padded = (n + 3) / 4 * 4, pay = 0;
	enum wire_err err;

	assert_true(padded <= TCP_OPTS_MAX);
	buf[12] = (uint8_t)((TCP_HLEN + padded) / 4 << 4);
	buf[13] = flags;
	if (n)
		memcpy(buf + TCP_HLEN, opts, n);
	err = try(buf, TCP_HLEN + padded + 3, t, &pay);
	if (!err)
		assert_int_equal(pay, 3);
	return err;
}

static void assert_no_opts(const struct tcp *t)
{
	assert_int_equal(t->opt.mss, 0);
	assert_int_equal(t->opt.wscale, -1);
	assert_false(t->opt.sack_ok || t->opt.ts);
	assert_int_equal(t->opt.nsack, 0);
}

static void test_syn(void **state)
{
	struct tcp t;
	size_t pay;

	(void)state;
	assert_int_equal(try(syn, sizeof(syn), &t, &pay), WIRE_OK);
	assert_int_equal(pay, 0);
	assert_int_equal(t.sport, 40000);
	assert_int_equal(t.dport, 80);
	assert_int_equal(t.seq, 0x11223344);
	assert_int_equal(t.ack, 0);
	assert_int_equal(t.flags, TCPF_SYN);
	assert_int_equal(t.wnd, 64240);
	assert_int_equal(t.sum, 0x33d4);
	assert_int_equal(t.urg, 0);
	assert_int_equal(t.opt.mss, 1460);
	assert_int_equal(t.opt.wscale, 7);
	assert_true(t.opt.sack_ok && t.opt.ts);
	assert_int_equal(t.opt.tsval, 0x01020304);
	assert_int_equal(t.opt.tsecr, 0);
	assert_int_equal(t.opt.nsack, 0);
}

static void test_data(void **state)
{
	struct tcp t;
	size_t pay;

	(void)state;
	assert_int_equal(try(data6, sizeof(data6), &t, &pay), WIRE_OK);
	assert_int_equal(pay, 5);
	assert_int_equal(t.seq, 1);
	assert_int_equal(t.ack, 2);
	assert_int_equal(t.flags, TCPF_PSH | TCPF_ACK);
	assert_int_equal(t.wnd, 500);
	assert_no_opts(&t);
}

static void test_fields(void **state)
{
	uint8_t b[TCP_HLEN] = { [12] = 0x5f, [13] = 0xff, [18] = 0xab, [19] = 0xcd };
	struct tcp t;
	size_t pay;

	(void)state;
	assert_int_equal(try(b, sizeof(b), &t, &pay), WIRE_OK);
	assert_int_equal(t.flags, 0xff);	/* all eight; reserved bits are ignored */
	assert_int_equal(t.urg, 0xabcd);
}

/* Each length of a SYN: short before 40. */
static void test_every_length(void **state)
{
	struct tcp t;
	size_t pay;

	(void)state;
	for (size_t n = 0; n <= sizeof(syn); n++)
		assert_int_equal(try(syn, n, &t, &pay), n < sizeof(syn) ? WIRE_SHORT : WIRE_OK);
}

/* Data offset, RFC 9293, 3.1: below 5 a lie. */
static void test_data_offset(void **state)
{
	uint8_t b[60] = { 0 };
	struct tcp t;
	size_t pay;

	(void)state;
	for (unsigned int off = 0; off < 16; off++) {
		b[12] = (uint8_t)(off << 4);
		assert_int_equal(try(b, sizeof(b), &t, &pay), off < 5 ? WIRE_LENGTH : WIRE_OK);
		if (off >= 5)
			assert_int_equal(pay, 60 - off * 4);
		if (off > 5)
			assert_int_equal(try(b, off * 4 - 1, &t, &pay), WIRE_SHORT);
	}
}

/* An option's length: none, too little, over the end, not the RFC's. */
static void test_bad_options(void **state)
{
	static const struct {
		uint8_t b[16];
		size_t n;
	} cases[] = {
		{ { 254, 0, 0, 0 }, 4 },		/* 0: would never end */
		{ { 254, 1, 0, 0 }, 4 },
		{ { 254, 5, 0, 0 }, 4 },		/* one over the end */
		{ { 254, 255, 0, 0 }, 4 },
		{ { 1, 1, 1, 254 }, 4 },		/* no length byte */
		{ { 1, 1, 1, 2 }, 4 },
		{ { 2, 3, 5, 0 }, 4 },
		{ { 2, 5, 5, 0xb4, 0, 0, 0, 0 }, 8 },
		{ { 2, 2, 0, 0 }, 4 },
		{ { 3, 2, 0, 0 }, 4 },
		{ { 3, 4, 7, 7 }, 4 },
		{ { 4, 3, 0, 0 }, 4 },
		{ { 8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
		{ { 8, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
		{ { 8, 10, 0, 0, 0, 0, 0, 0 }, 8 },	/* cut off */
		{ { 1, 1, 8, 11, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
		{ { 5, 2, 0, 0 }, 4 },			/* no block */
		{ { 5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
		{ { 5, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
		{ { 5, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tcp t;

		assert_int_equal(with_opts(TCPF_SYN, cases[i].b, cases[i].n, &t), WIRE_OPTION);
		assert_int_equal(with_opts(TCPF_ACK, cases[i].b, cases[i].n, &t), WIRE_OPTION);
	}
}

static void test_options_without_effect(void **state)
{
	static const uint8_t end_first[] = { 0, 254, 0, 0 };	/* what is behind END is not read */
	static const uint8_t nops[] = { 1, 1, 1, 1 };
	static const uint8_t unknown[] = { 254, 4, 0xf9, 0x89, 30, 2, 1, 0 };
	static const uint8_t only_syn[] = { 2, 4, 5, 0xb4, 3, 3, 7, 4, 2, 0, 0, 0 };
	struct tcp t;

	(void)state;
	assert_int_equal(with_opts(TCPF_SYN, end_first, sizeof(end_first), &t), WIRE_OK);
	assert_no_opts(&t);
	assert_int_equal(with_opts(TCPF_SYN, nops, sizeof(nops), &t), WIRE_OK);
	assert_no_opts(&t);
	assert_int_equal(with_opts(TCPF_SYN, unknown, sizeof(unknown), &t), WIRE_OK);
	assert_no_opts(&t);
	/* RFC 9293, 3.2; RFC 7323, 2.1; RFC 2018, 2: on SYN segments only */
	assert_int_equal(with_opts(TCPF_ACK, only_syn, sizeof(only_syn), &t), WIRE_OK);
	assert_no_opts(&t);
	assert_int_equal(with_opts(TCPF_SYN | TCPF_ACK, only_syn, sizeof(only_syn), &t), WIRE_OK);
	assert_int_equal(t.opt.mss, 1460);
	assert_int_equal(t.opt.wscale, 7);
	assert_true(t.opt.sack_ok);
}

/* RFC 7323, 2.3: a shift over 14 is taken as 14. */
static void test_wscale(void **state)
{
	(void)state;
	for (unsigned int shift = 0; shift < 256; shift++) {
		const uint8_t b[] = { 1, 3, 3, (uint8_t)shift };
		struct tcp t;

		assert_int_equal(with_opts(TCPF_SYN, b, sizeof(b), &t), WIRE_OK);
		assert_int_equal(t.opt.wscale, shift > 14 ? 14 : shift);
	}
}

/* The usual form goes a shorter way: it and all others give the same. */
static void test_timestamps(void **state)
{
	static const struct {
		uint8_t b[16];
		size_t n;
	} cases[] = {
		{ { 1, 1, 8, 10, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 9 }, 12 },
		{ { 8, 10, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 9, 1, 1 }, 12 },
		{ { 1, 8, 10, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 9, 0 }, 12 },
		{ { 1, 1, 8, 10, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 9, 1, 1, 1, 1 }, 16 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tcp t;

		assert_int_equal(with_opts(TCPF_ACK, cases[i].b, cases[i].n, &t), WIRE_OK);
		assert_true(t.opt.ts);
		assert_int_equal(t.opt.tsval, 0xdeadbeef);
		assert_int_equal(t.opt.tsecr, 9);
		assert_int_equal(t.opt.mss, 0);
		assert_int_equal(t.opt.wscale, -1);
		assert_false(t.opt.sack_ok);
		assert_int_equal(t.opt.nsack, 0);
	}
}

/* RFC 2018, 3: one to four blocks. */
static void test_sack(void **state)
{
	(void)state;
	for (uint8_t n = 1; n <= TCP_SACK_MAX; n++) {
		uint8_t b[2 + 8 * TCP_SACK_MAX] = { 5, (uint8_t)(2 + 8 * n) };
		struct tcp t;

		for (uint8_t i = 0; i < n; i++) {
			b[2 + 8 * i] = 0x80;
			b[2 + 8 * i + 3] = (uint8_t)(10 * i);
			b[2 + 8 * i + 7] = (uint8_t)(10 * i + 5);
		}
		assert_int_equal(with_opts(TCPF_ACK, b, 2 + 8 * n, &t), WIRE_OK);
		assert_int_equal(t.opt.nsack, n);
		for (uint8_t i = 0; i < n; i++) {
			assert_int_equal(t.opt.sack[i].left, 0x80000000u + 10 * i);
			assert_int_equal(t.opt.sack[i].right, 10 * i + 5);
		}
	}
}

static void test_write_known(void **state)
{
	uint8_t out[sizeof(syn) + 1];
	struct wr w = wr_init(out, sizeof(out));
	struct tcp t;
	size_t pay;

	(void)state;
	assert_int_equal(try(syn, sizeof(syn), &t, &pay), WIRE_OK);
	assert_int_equal(tcp_hdr_len(&t), sizeof(syn));
	assert_int_equal(tcp_write(&w, &t), sizeof(syn));
	assert_memory_equal(out, syn, sizeof(syn));
	assert_int_equal(w.left, 1);

	assert_int_equal(try(data6, sizeof(data6), &t, &pay), WIRE_OK);
	w = wr_init(out, sizeof(out));
	assert_int_equal(tcp_write(&w, &t), TCP_HLEN);
	assert_memory_equal(out, data6, TCP_HLEN);
}

/* Every set of options: what is written has the said length, reads back the
 * same, and does not fit in one byte less. */
static void test_write_round_trip(void **state)
{
	(void)state;
	for (unsigned int set = 0; set < 16 * (TCP_SACK_MAX + 1); set++) {
		struct tcp t = {
			.sport = 1, .dport = 65535, .seq = 0xfffffffe, .ack = 0x80000000,
			.flags = TCPF_SYN | TCPF_ACK, .wnd = 65535, .urg = 7, .sum = 0xbeef,
			.opt = TCP_OPTS_INIT,
		}, back;
		uint8_t out[TCP_HLEN + TCP_OPTS_MAX];
		struct wr w = wr_init(out, sizeof(out));
		size_t len, pay;

		t.opt.mss = set & 1 ? 536 : 0;
		t.opt.wscale = set & 2 ? 0 : -1;
		t.opt.sack_ok = set & 4;
		t.opt.ts = set & 8;
		t.opt.tsval = set & 8 ? 0xcafebabe : 0;
		t.opt.tsecr = set & 8 ? 1 : 0;
		t.opt.nsack = (uint8_t)(set / 16);
		for (uint8_t i = 0; i < t.opt.nsack; i++) {
			t.opt.sack[i].left = 100u * i;
			t.opt.sack[i].right = 100u * i + 50;
		}
		len = tcp_write(&w, &t);
		assert_true(len >= TCP_HLEN && len <= sizeof(out) && len % 4 == 0);
		assert_int_equal(len, tcp_hdr_len(&t));
		assert_int_equal(w.left, sizeof(out) - len);
		assert_int_equal(try(out, len, &back, &pay), WIRE_OK);
		assert_int_equal(pay, 0);
		assert_int_equal(back.sport, t.sport);
		assert_int_equal(back.dport, t.dport);
		assert_int_equal(back.seq, t.seq);
		assert_int_equal(back.ack, t.ack);
		assert_int_equal(back.flags, t.flags);
		assert_int_equal(back.wnd, t.wnd);
		assert_int_equal(back.urg, t.urg);
		assert_int_equal(back.sum, t.sum);
		assert_int_equal(back.opt.mss, t.opt.mss);
		assert_int_equal(back.opt.wscale, t.opt.wscale);
		assert_int_equal(back.opt.sack_ok, t.opt.sack_ok);
		assert_int_equal(back.opt.ts, t.opt.ts);
		assert_int_equal(back.opt.tsval, t.opt.tsval);
		assert_int_equal(back.opt.tsecr, t.opt.tsecr);
		assert_true(back.opt.nsack <= t.opt.nsack);
		/* no block is left out that had room */
		if (back.opt.nsack < t.opt.nsack)
			assert_true(len + (back.opt.nsack ? 8 : 12) > sizeof(out));
		for (uint8_t i = 0; i < back.opt.nsack; i++) {
			assert_int_equal(back.opt.sack[i].left, t.opt.sack[i].left);
			assert_int_equal(back.opt.sack[i].right, t.opt.sack[i].right);
		}
		POISON(out);
		w = wr_init(out, len - 1);
		assert_int_equal(tcp_write(&w, &t), 0);
		ASSERT_POISONED(out);
	}
}

/* RFC 2018, 3: four blocks alone, three beside timestamps. */
static void test_write_sack_room(void **state)
{
	struct tcp t = { .flags = TCPF_ACK, .opt = TCP_OPTS_INIT };

	(void)state;
	t.opt.nsack = 4;
	assert_int_equal(tcp_hdr_len(&t), 20 + 4 + 32);
	t.opt.nsack = 200;	/* a caller's slip must not write past the table */
	assert_int_equal(tcp_hdr_len(&t), 20 + 4 + 32);
	t.opt.ts = true;
	assert_int_equal(tcp_hdr_len(&t), 20 + 12 + 4 + 24);
}

struct ends {
	struct addr src, dst;
};

static struct ends ends4(void)
{
	struct ends e;

	assert_int_equal(addr_parse("10.0.0.1", &e.src), 0);
	assert_int_equal(addr_parse("198.51.100.10", &e.dst), 0);
	return e;
}

static struct ends ends6(void)
{
	struct ends e;

	assert_int_equal(addr_parse("2001:db8:2::10", &e.src), 0);
	assert_int_equal(addr_parse("2001:db8:1::2", &e.dst), 0);
	return e;
}

static bool sum_ok(const struct ends *e, uint8_t proto, const uint8_t *bytes, size_t len)
{
	BLOCK p = unit_block(bytes, len);

	return l4sum_ok(&e->src, &e->dst, proto, p, len);
}

/* Right as given; wrong with any bit, address or length changed. */
static void check_sum(const struct ends *e, uint8_t proto, const uint8_t *good, size_t len)
{
	uint8_t b[64];
	struct ends other = *e;

	assert_true(len < sizeof(b));
	memcpy(b, good, len);
	b[len] = 0x11;
	assert_true(sum_ok(e, proto, b, len));
	for (size_t bit = 0; bit < len * 8; bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(sum_ok(e, proto, b, len));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_false(sum_ok(e, proto, b, len - 1));
	assert_false(sum_ok(e, proto, b, len + 1));
	other.dst.b[15] ^= 1;
	assert_false(sum_ok(&other, proto, b, len));
}

static void test_sum_tcp(void **state)
{
	const struct ends e4 = ends4(), e6 = ends6();

	(void)state;
	check_sum(&e4, PROTO_TCP, syn, sizeof(syn));
	check_sum(&e6, PROTO_TCP, data6, sizeof(data6));
	assert_false(sum_ok(&e6, PROTO_TCP, syn, sizeof(syn)));
}

static void test_sum_udp(void **state)
{
	static const uint8_t u4[11] = { 0, 53, 0x14, 0xe9, 0, 11, 0xf2, 0x18, 'a', 'b', 'c' };
	static const uint8_t u6[11] = { 0, 53, 0x14, 0xe9, 0, 11, 0xca, 0xd0, 'a', 'b', 'c' };
	static const uint8_t none[11] = { 0, 53, 0x14, 0xe9, 0, 11, 0, 0, 'a', 'b', 'c' };
	/* the sum comes to 0 here and must stand as ffff (RFC 768) */
	static const uint8_t zero6[8] = { 0, 53, 42018 >> 8, 42018 & 0xff, 0, 8, 0, 0 };
	static const uint8_t ones6[8] = { 0, 53, 42018 >> 8, 42018 & 0xff, 0, 8, 0xff, 0xff };
	const struct ends e4 = ends4(), e6 = ends6();

	(void)state;
	check_sum(&e4, PROTO_UDP, u4, sizeof(u4));
	check_sum(&e6, PROTO_UDP, u6, sizeof(u6));
	assert_true(sum_ok(&e4, PROTO_UDP, none, sizeof(none)));
	assert_false(sum_ok(&e6, PROTO_UDP, none, sizeof(none)));
	assert_true(sum_ok(&e6, PROTO_UDP, ones6, sizeof(ones6)));
	assert_false(sum_ok(&e6, PROTO_UDP, zero6, sizeof(zero6)));
}

static void test_sum_icmp6(void **state)
{
	static const uint8_t echo[17] = {
		128, 0, 0x17, 0x62, 0x12, 0x34, 0, 1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
	};
	const struct ends e6 = ends6();

	(void)state;
	check_sum(&e6, PROTO_ICMP6, echo, sizeof(echo));
}

/* Too short for a header, too long for IP, not a protocol with this sum. */
static void test_sum_limits(void **state)
{
	const struct ends e4 = ends4();
	uint8_t *big = calloc(1, 65536);

	(void)state;
	assert_non_null(big);
	for (size_t n = 0; n < TCP_HLEN; n++)
		assert_false(sum_ok(&e4, PROTO_TCP, big, n));
	for (size_t n = 0; n < 8; n++)
		assert_false(sum_ok(&e4, PROTO_UDP, big, n));
	assert_true(sum_ok(&e4, PROTO_UDP, big, 65535));	/* a field of 0 */
	assert_false(sum_ok(&e4, PROTO_UDP, big, 65536));
	assert_false(sum_ok(&e4, PROTO_SCTP, syn, sizeof(syn)));
	assert_false(sum_ok(&e4, 0, syn, sizeof(syn)));
	assert_false(sum_ok(&e4, 255, syn, sizeof(syn)));
	free(big);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_data_offset),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_options_without_effect),
		cmocka_unit_test(test_wscale),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_sack),
		cmocka_unit_test(test_write_known),
		cmocka_unit_test(test_write_round_trip),
		cmocka_unit_test(test_write_sack_room),
		cmocka_unit_test(test_sum_tcp),
		cmocka_unit_test(test_sum_udp),
		cmocka_unit_test(test_sum_icmp6),
		cmocka_unit_test(test_sum_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
