/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/quote.c: packets cut off anywhere, as ICMP errors quote them. */
#include "../unit.h"

#include "wire/ip.h"
#include "wire/numbers.h"
#include "wire/quote.h"

/* 198.51.100.10:53 to 203.0.113.2:4000, said to be 1028 bytes long; checksum wrong */
static const uint8_t udp4[] = {
	0x45, 0, 4, 4, 0, 1, 0x40, 0, 9, 17, 0xde, 0xad, 198, 51, 100, 10, 203, 0, 113, 2,
	0, 53, 0x0f, 0xa0, 3, 0xf0, 0, 0,
};
static const uint8_t tcp6[] = {
	0x60, 0, 0, 0, 5, 0, 6, 9,
	0x20, 1, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0, 80, 0x9c, 0x40, 0, 0, 0, 1,
};

static enum wire_err read_at(const uint8_t *p, size_t n, bool v6, struct quote *q)
{
	BLOCK b = unit_block(p, n);
	struct rd r = rd_init(b, n);

	memset(q, POISON_BYTE, sizeof(*q));
	return quote_read(&r, v6, q);
}

static void test_4(void **state)
{
	struct quote q;
	char text[ADDR_STRLEN];

	(void)state;
	assert_int_equal(read_at(udp4, sizeof(udp4), false, &q), WIRE_OK);
	assert_string_equal(addr_format(&q.src, text), "198.51.100.10");
	assert_string_equal(addr_format(&q.dst, text), "203.0.113.2");
	assert_int_equal(q.proto, PROTO_UDP);
	assert_int_equal(q.sport, 53);
	assert_int_equal(q.dport, 4000);
}

static void test_6(void **state)
{
	struct quote q;
	char text[ADDR_STRLEN];

	(void)state;
	assert_int_equal(read_at(tcp6, sizeof(tcp6), true, &q), WIRE_OK);
	assert_string_equal(addr_format(&q.src, text), "2001:db8:2::10");
	assert_string_equal(addr_format(&q.dst, text), "2001:db8:1::2");
	assert_int_equal(q.proto, PROTO_TCP);
	assert_int_equal(q.sport, 80);
	assert_int_equal(q.dport, 40000);
}

/* Up to the ports every byte is needed, behind them none. */
static void test_cut(void **state)
{
	struct quote q;

	(void)state;
	for (size_t n = 0; n < sizeof(udp4); n++) {
		enum wire_err err = read_at(udp4, n, false, &q);

		assert_int_equal(err, n < IP4_HLEN + 4 ? WIRE_SHORT : WIRE_OK);
		if (err)
			ASSERT_POISONED(q);
	}
	for (size_t n = 0; n < sizeof(tcp6); n++)
		assert_int_equal(read_at(tcp6, n, true, &q), n < IP6_HLEN + 4 ? WIRE_SHORT : WIRE_OK);
}

static enum wire_err changed4(size_t at, uint8_t v)
{
	uint8_t b[sizeof(udp4)];
	struct quote q;

	memcpy(b, udp4, sizeof(b));
	b[at] = v;
	return read_at(b, sizeof(b), false, &q);
}

static void test_refused4(void **state)
{
	uint8_t options[sizeof(udp4) + 40];
	struct quote q;

	(void)state;
	assert_int_equal(changed4(0, 0x65), WIRE_VERSION);
	assert_int_equal(changed4(0, 0x44), WIRE_LENGTH);
	assert_int_equal(changed4(0, 0x4f), WIRE_SHORT);	/* options that are not here */
	assert_int_equal(changed4(6, 0x20), WIRE_OK);		/* a first fragment */
	assert_int_equal(changed4(7, 1), WIRE_OPTION);		/* a later one */
	assert_int_equal(changed4(9, PROTO_ICMP6), WIRE_OPTION);
	assert_int_equal(changed4(9, 132), WIRE_OPTION);
	assert_int_equal(changed4(9, PROTO_ICMP), WIRE_OK);
	memset(options, 1, sizeof(options));
	memcpy(options, udp4, IP4_HLEN);
	options[0] = 0x4f;
	memcpy(options + 60, udp4 + IP4_HLEN, 8);
	assert_int_equal(read_at(options, 68, false, &q), WIRE_OK);
	assert_int_equal(q.dport, 4000);
}

static enum wire_err changed6(size_t at, uint8_t v)
{
	uint8_t b[sizeof(tcp6)];
	struct quote q;

	memcpy(b, tcp6, sizeof(b));
	b[at] = v;
	return read_at(b, sizeof(b), true, &q);
}

static void test_refused6(void **state)
{
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 203, 0, 113, 2 };
	uint8_t b[sizeof(tcp6) + 8];
	struct quote q;

	(void)state;
	assert_int_equal(changed6(0, 0x40), WIRE_VERSION);
	assert_int_equal(changed6(6, PROTO_HOPOPT), WIRE_OPTION);
	assert_int_equal(changed6(6, PROTO_ICMP), WIRE_OPTION);
	for (size_t at = 8; at <= 24; at += 16) {
		memcpy(b, tcp6, sizeof(tcp6));
		memcpy(b + at, mapped, sizeof(mapped));
		assert_int_equal(read_at(b, sizeof(tcp6), true, &q), WIRE_ADDRESS);
		ASSERT_POISONED(q);
	}
	memcpy(b, tcp6, IP6_HLEN);
	memset(b + IP6_HLEN, 0, 8);
	memcpy(b + IP6_HLEN + 8, tcp6 + IP6_HLEN, 8);
	b[6] = PROTO_FRAGMENT;
	b[IP6_HLEN] = PROTO_TCP;
	assert_int_equal(read_at(b, sizeof(b), true, &q), WIRE_OK);
	assert_int_equal(q.dport, 40000);
	b[IP6_HLEN + 3] = 8;
	assert_int_equal(read_at(b, sizeof(b), true, &q), WIRE_OPTION);
	b[IP6_HLEN] = PROTO_FRAGMENT;
	b[IP6_HLEN + 3] = 0;
	assert_int_equal(read_at(b, sizeof(b), true, &q), WIRE_OPTION);
	assert_int_equal(read_at(b, IP6_HLEN + 7, true, &q), WIRE_SHORT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_4),
		cmocka_unit_test(test_6),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_refused4),
		cmocka_unit_test(test_refused6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
