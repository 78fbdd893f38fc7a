/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/dhcp6.c against RFC 8415, 8, 21.1, 21.4, 21.6, 21.13, 21.21 and 21.22. */
#include "../unit.h"

#include "wire/dhcp6.h"
#include "wire/numbers.h"

static enum wire_err try(const void *bytes, size_t len, struct dhcp6 *m)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*m);
	err = dhcp6_read(&r, m);
	if (err)
		ASSERT_POISONED(*m);
	return err;
}

static void test_message(void **state)
{
	static const uint8_t bytes[] = { 1, 0xa, 0xb, 0xc, 0, 14, 0, 0, 0, 1, 0, 2, 7, 8 };
	static uint8_t longest[DHCP6_MAX_LEN + 1] = { 1, 0, 0, 0, 0, 99, 0x04, 0xc8 };
	struct rd r = rd_init(bytes, sizeof(bytes)), data;
	struct dhcp6 m;
	uint16_t code;

	(void)state;
	assert_int_equal(dhcp6_read(&r, &m), WIRE_OK);
	assert_int_equal(m.type, DHCP6_SOLICIT);
	assert_int_equal(m.xid, 0xa0b0c);
	assert_true(dhcp6_next(&m.opts, &code, &data));
	assert_int_equal(code, DHCP6O_RAPID_COMMIT);
	assert_int_equal(data.left, 0);
	assert_true(dhcp6_find(m.opts, 1, &data));
	assert_int_equal(data.left, 2);
	assert_int_equal(data.p[1], 8);
	assert_false(dhcp6_find(m.opts, 2, &data));
	assert_true(dhcp6_next(&m.opts, &code, &data));
	assert_false(dhcp6_next(&m.opts, &code, &data));
	assert_false(m.opts.failed);
	for (size_t n = 0; n < 4; n++)
		assert_int_equal(try(bytes, n, &m), WIRE_SHORT);
	assert_int_equal(try(bytes, 4, &m), WIRE_OK);
	for (size_t n = 5; n < 8; n++)
		assert_int_equal(try(bytes, n, &m), WIRE_OPTION);
	assert_int_equal(try(bytes, 8, &m), WIRE_OK);
	for (size_t n = 9; n < sizeof(bytes); n++)
		assert_int_equal(try(bytes, n, &m), WIRE_OPTION);
	assert_int_equal(try(longest, DHCP6_MAX_LEN, &m), WIRE_OK);
	assert_int_equal(try(longest, DHCP6_MAX_LEN + 1, &m), WIRE_LENGTH);
}

static void test_ia(void **state)
{
	static const uint8_t bytes[] = { 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 13, 0, 2, 0, 0 };
	struct dhcp6_ia ia;

	(void)state;
	assert_true(dhcp6_ia_read(rd_init(bytes, sizeof(bytes)), &ia));
	assert_int_equal(ia.iaid, 1);
	assert_int_equal(ia.t1, 2);
	assert_int_equal(ia.t2, 3);
	assert_int_equal(ia.opts.left, 6);
	assert_true(dhcp6_ia_read(rd_init(bytes, 12), &ia));
	POISON(ia);
	assert_false(dhcp6_ia_read(rd_init(bytes, 11), &ia));
	assert_false(dhcp6_ia_read(rd_init(bytes, 17), &ia));
	ASSERT_POISONED(ia);
}

static struct dhcp6_addr an_item(const char *text, uint8_t len)
{
	struct dhcp6_addr a = { .preferred = 2700, .valid = 5400, .prefix.len = len };

	assert_int_equal(addr_parse(text, &a.prefix.addr), 0);
	return a;
}

/* Written and read back, and every shorter one refused. */
static void items(bool (*write)(struct wr *w, const struct dhcp6_addr *a),
		  bool (*read)(struct rd data, struct dhcp6_addr *ret),
		  const struct dhcp6_addr *a, size_t len)
{
	struct dhcp6_addr b;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	assert_true(write(&w, a));
	assert_int_equal(sizeof(buf) - w.left, DHCP6_OPT_HLEN + len);
	assert_int_equal(buf[3], len);
	assert_true(read(rd_init(buf + DHCP6_OPT_HLEN, len), &b));
	assert_true(addr_eq(&b.prefix.addr, &a->prefix.addr));
	assert_int_equal(b.prefix.len, a->prefix.len);
	assert_int_equal(b.preferred, 2700);
	assert_int_equal(b.valid, 5400);
	POISON(b);
	for (size_t n = 0; n < len; n++)
		assert_false(read(rd_init(buf + DHCP6_OPT_HLEN, n), &b));
	assert_false(read(rd_init(buf + DHCP6_OPT_HLEN, len + 1), &b));	/* half an option */
	ASSERT_POISONED(b);
	w = wr_init(buf, DHCP6_OPT_HLEN + len - 1);
	assert_false(write(&w, a));
}

static void test_items(void **state)
{
	struct dhcp6_addr addr = an_item("2001:db8::7", 128), prefix = an_item("2001:db8::", 56);
	uint8_t bytes[25] = { [8] = 129 };

	(void)state;
	items(dhcp6_iaaddr_write, dhcp6_iaaddr_read, &addr, 24);
	items(dhcp6_iaprefix_write, dhcp6_iaprefix_read, &prefix, 25);
	assert_false(dhcp6_iaprefix_read(rd_init(bytes, 25), &addr));	/* /129 */
	bytes[8] = 0;
	memset(bytes + 19, 0xff, 2);					/* IPv4-mapped */
	assert_false(dhcp6_iaprefix_read(rd_init(bytes, 25), &addr));
	memset(bytes, 0, sizeof(bytes));
	memset(bytes + 10, 0xff, 2);
	assert_false(dhcp6_iaaddr_read(rd_init(bytes, 24), &addr));
}

static void test_written(void **state)
{
	static const uint8_t want[] = {
		2, 1, 2, 3, 0, 3, 0, 21, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 13, 0, 5, 0, 2, 'n', 'o', 't',
	};
	uint8_t buf[64], *ia;
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	dhcp6_write(&w, DHCP6_ADVERTISE, 0xff010203);
	ia = dhcp6_open(&w, DHCP6O_IA_NA);
	wr_u32(&w, 9);
	wr_zero(&w, 8);
	dhcp6_status(&w, DHCP6S_NO_ADDRS, "not");
	dhcp6_close(&w, ia);
	assert_int_equal(sizeof(buf) - w.left, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_ia),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
