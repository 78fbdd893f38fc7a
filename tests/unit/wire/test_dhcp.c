/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/dhcp.c against RFC 2131, 2 and 3, RFC 2132, 9.3 and RFC 3396. */
#include "../unit.h"

#include "wire/dhcp.h"
#include "wire/numbers.h"

#define OPTIONS_AT	(DHCP_HLEN + DHCP_COOKIE_LEN)
#define SNAME_AT	44
#define FILE_AT		108

static const uint8_t cookie[] = { 99, 130, 83, 99 };

/* A header with distinct fields, and these options behind it. */
static size_t message(uint8_t buf[DHCP_MAX_LEN + 1], const void *opts, size_t n)
{
	static const uint8_t head[28] = {
		1, 1, 6, 2, 0xde, 0xad, 0xbe, 0xef, 0, 9, 0x80, 0,
		10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3, 10, 0, 0, 4,
	};

	memset(buf, 0, DHCP_HLEN);
	memcpy(buf, head, sizeof(head));
	memcpy(buf + 28, "\2\0\0\0\0\1", 6);
	memcpy(buf + DHCP_HLEN, cookie, 4);
	memcpy(buf + OPTIONS_AT, opts, n);
	return OPTIONS_AT + n;
}

static enum wire_err try(const uint8_t *bytes, size_t len, struct dhcp *m)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*m);
	err = dhcp_read(&r, m);
	if (err)
		ASSERT_POISONED(*m);
	return err;
}

static enum wire_err with(const void *opts, size_t n)
{
	uint8_t buf[DHCP_MAX_LEN + 1];
	struct dhcp m;

	return try(buf, message(buf, opts, n), &m);
}

static void test_header(void **state)
{
	uint8_t buf[DHCP_MAX_LEN + 1];
	size_t len = message(buf, "\65\1\1\377", 4);
	char text[ADDR_STRLEN];
	struct dhcp m;

	(void)state;
	assert_int_equal(try(buf, len, &m), WIRE_OK);
	assert_int_equal(m.op, BOOTP_REQUEST);
	assert_int_equal(m.hlen, 6);
	assert_int_equal(m.hops, 2);
	assert_int_equal(m.xid, 0xdeadbeef);
	assert_int_equal(m.secs, 9);
	assert_int_equal(m.flags, DHCP_F_BROADCAST);
	assert_string_equal(addr_format(&m.ciaddr, text), "10.0.0.1");
	assert_string_equal(addr_format(&m.yiaddr, text), "10.0.0.2");
	assert_string_equal(addr_format(&m.siaddr, text), "10.0.0.3");
	assert_string_equal(addr_format(&m.giaddr, text), "10.0.0.4");
	assert_memory_equal(m.chaddr, "\2\0\0\0\0\1", 6);
	for (size_t n = 0; n < DHCP_HLEN; n++)
		assert_int_equal(try(buf, n, &m), WIRE_SHORT);
	memset(buf + len, 0, sizeof(buf) - len);
	assert_int_equal(try(buf, DHCP_MAX_LEN, &m), WIRE_OK);
	assert_int_equal(try(buf, DHCP_MAX_LEN + 1, &m), WIRE_LENGTH);
	buf[2] = DHCP_CHADDR_LEN + 1;
	assert_int_equal(try(buf, len, &m), WIRE_LENGTH);
}

/* RFC 951: no cookie, so no options, whatever the bytes are. */
static void test_bootp(void **state)
{
	uint8_t buf[DHCP_MAX_LEN + 1];
	size_t len = message(buf, "\65\1\1\377", 4);
	struct rd r = rd_init(buf, len);
	struct dhcp m;

	(void)state;
	buf[DHCP_HLEN] = 98;
	assert_int_equal(dhcp_read(&r, &m), WIRE_OK);
	assert_int_equal(dhcp_option(&m, DHCPO_TYPE, NULL, 0), -1);
	assert_int_equal(try(buf, DHCP_HLEN, &m), WIRE_OK);
	assert_int_equal(try(buf, DHCP_HLEN + 3, &m), WIRE_OK);
}

static void test_options(void **state)
{
	static const uint8_t opts[] = { 0, 0, 53, 1, 3, 0, 80, 0, 50, 4, 1, 2, 3, 4, 255, 12, 9 };
	uint8_t buf[DHCP_MAX_LEN + 1], got[8];
	struct rd r = rd_init(buf, message(buf, opts, sizeof(opts)));
	struct dhcp m;

	(void)state;
	assert_int_equal(dhcp_read(&r, &m), WIRE_OK);
	assert_int_equal(dhcp_option(&m, 53, got, sizeof(got)), 1);
	assert_int_equal(got[0], 3);
	assert_int_equal(dhcp_option(&m, 80, got, sizeof(got)), 0);
	assert_int_equal(dhcp_option(&m, 50, got, sizeof(got)), 4);
	assert_memory_equal(got, "\1\2\3\4", 4);
	POISON(got);
	assert_int_equal(dhcp_option(&m, 50, got, 2), 4);	/* says it whole, copies a part */
	assert_memory_equal(got, "\1\2\xa5", 3);
	assert_int_equal(dhcp_option(&m, 12, got, sizeof(got)), -1);	/* behind the end */
	assert_int_equal(dhcp_option(&m, 0, got, sizeof(got)), -1);
}

static void test_bad_options(void **state)
{
	(void)state;
	assert_int_equal(with("\65", 1), WIRE_OPTION);		/* no length */
	assert_int_equal(with("\65\2\1", 3), WIRE_OPTION);	/* over the end */
	assert_int_equal(with("\65\1\1", 3), WIRE_OK);		/* no end option: all is read */
	assert_int_equal(with("\64\1\0\377", 4), WIRE_OPTION);	/* overload 0, 4, of 2 bytes */
	assert_int_equal(with("\64\1\4\377", 4), WIRE_OPTION);
	assert_int_equal(with("\64\2\1\1\377", 5), WIRE_OPTION);
}

/* RFC 2132, 9.3; RFC 3396, 5: pieces in options, file, sname make one. */
static void test_overload_and_pieces(void **state)
{
	static const uint8_t opts[] = { 119, 2, 'a', 'b', 52, 1, 3, 119, 1, 'c', 255 };
	uint8_t buf[DHCP_MAX_LEN + 1], got[8];
	size_t len = message(buf, opts, sizeof(opts));
	struct rd r = rd_init(buf, len);
	struct dhcp m;

	(void)state;
	memcpy(buf + FILE_AT, "\167\1d\14\1h\377", 7);
	memcpy(buf + SNAME_AT, "\167\1e\377", 4);
	assert_int_equal(dhcp_read(&r, &m), WIRE_OK);
	assert_int_equal(dhcp_option(&m, 119, got, sizeof(got)), 5);
	assert_memory_equal(got, "abcde", 5);
	assert_int_equal(dhcp_option(&m, 12, got, sizeof(got)), 1);
	buf[OPTIONS_AT + 6] = 1;		/* file alone */
	r = rd_init(buf, len);
	assert_int_equal(dhcp_read(&r, &m), WIRE_OK);
	assert_int_equal(dhcp_option(&m, 119, got, sizeof(got)), 4);
	buf[OPTIONS_AT + 6] = 2;
	buf[SNAME_AT + 1] = 63;			/* over the field's end */
	assert_int_equal(try(buf, len, &m), WIRE_OPTION);
}

static size_t build(struct dhcp_out *o, uint8_t buf[DHCP_MAX_LEN])
{
	const struct dhcp m = { .op = BOOTP_REPLY, .htype = 1, .hlen = 6, .xid = 7 };
	struct wr w = wr_init(buf, DHCP_MAX_LEN);

	assert_true(dhcp_write(&w, &m, o));
	return DHCP_MAX_LEN - w.left;
}

static void test_built(void **state)
{
	uint8_t buf[DHCP_MAX_LEN], got[600], text[600];
	struct dhcp_out o;
	struct dhcp m;
	struct rd r;

	(void)state;
	memset(text, 'x', sizeof(text));
	dhcp_begin(&o, DHCP_MAX_LEN, true);
	assert_true(dhcp_put(&o, 53, "\5", 1));
	assert_true(dhcp_put(&o, 80, NULL, 0));
	assert_true(dhcp_put(&o, 119, text, 600));	/* three pieces */
	r = rd_init(buf, build(&o, buf));
	assert_int_equal(r.left, OPTIONS_AT + 3 + 2 + 600 + 6 + 1);
	assert_int_equal(dhcp_read(&r, &m), WIRE_OK);
	assert_int_equal(m.op, BOOTP_REPLY);
	assert_int_equal(dhcp_option(&m, 80, got, 0), 0);
	assert_int_equal(dhcp_option(&m, 119, got, sizeof(got)), 600);
	assert_memory_equal(got, text, 600);
	assert_int_equal(dhcp_option(&m, DHCPO_OVERLOAD, got, 1), -1);
}

/* At the least size: what does not fit goes to file, then sname, then nowhere. */
static void test_built_overloaded(void **state)
{
	uint8_t buf[DHCP_MAX_LEN], got[128], text[128];
	struct dhcp_out o;
	struct dhcp m;
	struct rd r;

	(void)state;
	memset(text, 'x', sizeof(text));
	dhcp_begin(&o, DHCP_MIN_LEN, true);
	assert_true(dhcp_put(&o, 1, text, 54));		/* 60 less overload 3, end 1 */
	assert_true(dhcp_put(&o, 2, text, 125));	/* file */
	assert_true(dhcp_put(&o, 3, text, 61));		/* sname */
	assert_false(dhcp_put(&o, 4, text, 1));
	assert_false(dhcp_put(&o, 5, NULL, 0));
	r = rd_init(buf, build(&o, buf));
	assert_int_equal(r.left, DHCP_MIN_LEN);
	assert_int_equal(dhcp_read(&r, &m), WIRE_OK);
	assert_int_equal(dhcp_option(&m, 1, got, sizeof(got)), 54);
	assert_int_equal(dhcp_option(&m, 2, got, sizeof(got)), 125);
	assert_int_equal(dhcp_option(&m, 3, got, sizeof(got)), 61);
	assert_int_equal(dhcp_option(&m, 4, got, sizeof(got)), -1);
	dhcp_begin(&o, DHCP_MIN_LEN, false);		/* BOOTP knows no overload */
	assert_true(dhcp_put(&o, 1, text, 57));
	assert_false(dhcp_put(&o, 2, text, 1));
	assert_int_equal(build(&o, buf), DHCP_MIN_LEN);
	for (int i = SNAME_AT; i < DHCP_HLEN; i++)
		assert_int_equal(buf[i], 0);
}

static void test_no_room(void **state)
{
	const struct dhcp m = { .op = BOOTP_REPLY };
	uint8_t buf[DHCP_MIN_LEN];
	struct wr w = wr_init(buf, sizeof(buf) - 1);
	struct dhcp_out o;

	(void)state;
	dhcp_begin(&o, DHCP_MIN_LEN, true);
	assert_false(dhcp_write(&w, &m, &o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_bootp),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_overload_and_pieces),
		cmocka_unit_test(test_built),
		cmocka_unit_test(test_built_overloaded),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
