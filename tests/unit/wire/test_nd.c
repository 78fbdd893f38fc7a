/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/nd.c against RFC 4861 (4.1 to 4.4, 4.6, 7.1.1), RFC 2464, 6,
 * RFC 4191, 2.3, RFC 8106, 5 and RFC 8910, 2.3. */
#include "../unit.h"

#include "wire/nd.h"

static const uint8_t target6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 };
static const struct mac hw = { { 0x52, 0x54, 0, 1, 2, 3 } };

#define SLLA	1, 1, 0x52, 0x54, 0, 1, 2, 3
#define NONCE	14, 1, 9, 8, 7, 6, 5, 4		/* RFC 3971, 5.3.2: unknown to us */

static enum wire_err try(const uint8_t *bytes, size_t len, struct nd_ns *ns)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*ns);
	err = nd_ns_read(&r, ns);
	if (err)
		ASSERT_POISONED(*ns);
	else
		assert_int_equal(r.left, 0);
	return err;
}

static enum wire_err with_opts(const uint8_t *opts, size_t n, struct nd_ns *ns)
{
	uint8_t b[16 + 8 * (ND_OPTS_MAX + 1)];

	assert_true(n <= sizeof(b) - 16);
	memcpy(b, target6, 16);
	if (n)
		memcpy(b + 16, opts, n);
	return try(b, 16 + n, ns);
}

static void test_without_options(void **state)
{
	struct nd_ns ns;

	(void)state;
	assert_int_equal(with_opts(NULL, 0, &ns), WIRE_OK);	/* as DAD sends it */
	assert_memory_equal(ns.target.b, target6, 16);
	assert_false(ns.has_slla);
	for (size_t n = 0; n < 16; n++)
		assert_int_equal(try(target6, n, &ns), WIRE_SHORT);
}

static void test_slla(void **state)
{
	static const uint8_t one[] = { SLLA };
	static const uint8_t behind[] = { NONCE, SLLA, 254, 2, 0, 0, 0, 0, 0, 0, [31] = 0 };
	struct nd_ns ns;

	(void)state;
	assert_int_equal(with_opts(one, sizeof(one), &ns), WIRE_OK);
	assert_true(ns.has_slla);
	assert_true(mac_eq(&ns.slla, &hw));
	assert_int_equal(with_opts(behind, sizeof(behind), &ns), WIRE_OK);
	assert_true(ns.has_slla);
	assert_true(mac_eq(&ns.slla, &hw));
	/* another option alone says nothing of the source */
	assert_int_equal(with_opts(behind, 8, &ns), WIRE_OK);
	assert_false(ns.has_slla);
}

/* RFC 4861, 4.6: 0 is to be discarded; nor may one reach over the end. */
static void test_bad_options(void **state)
{
	static const struct {
		uint8_t b[16];
		size_t n;
	} cases[] = {
		{ { 1, 0, 0x52, 0x54, 0, 1, 2, 3 }, 8 },
		{ { 14, 0, 0, 0, 0, 0, 0, 0 }, 8 },
		{ { 14, 2, 0, 0, 0, 0, 0, 0 }, 8 },
		{ { 14, 255, 0, 0, 0, 0, 0, 0 }, 8 },
		{ { 1, 2, 0x52, 0x54, 0, 1, 2, 3 }, 16 },	/* RFC 2464, 6: one unit */
		{ { 1 }, 1 },
		{ { 1, 1 }, 2 },
		{ { 1, 1, 0x52, 0x54, 0, 1, 2 }, 7 },
		{ { SLLA, 14 }, 9 },
		{ { SLLA, 14, 0 }, 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nd_ns ns;

		assert_int_equal(with_opts(cases[i].b, cases[i].n, &ns), WIRE_OPTION);
	}
}

static void test_options_cap(void **state)
{
	uint8_t b[8 * (ND_OPTS_MAX + 1)] = { 0 };
	struct nd_ns ns;

	(void)state;
	for (size_t i = 0; i <= ND_OPTS_MAX; i++) {
		b[8 * i] = 14;
		b[8 * i + 1] = 1;
	}
	assert_int_equal(with_opts(b, 8 * ND_OPTS_MAX, &ns), WIRE_OK);
	assert_int_equal(with_opts(b, sizeof(b), &ns), WIRE_OPTION);
}

/* RFC 4861, 7.1.1: no multicast; and no IPv4 in disguise. */
static void test_target(void **state)
{
	static const uint8_t multicast[16] = { 0xff, 0x02, [15] = 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };
	static const uint8_t local[16] = { 0xfe, 0x80, [15] = 1 };
	struct nd_ns ns;

	(void)state;
	assert_int_equal(try(multicast, 16, &ns), WIRE_ADDRESS);
	assert_int_equal(try(mapped, 16, &ns), WIRE_ADDRESS);
	assert_int_equal(try(local, 16, &ns), WIRE_OK);
}

static void test_na_write(void **state)
{
	static const uint8_t tail[8] = { 2, 1, 0x52, 0x54, 0, 1, 2, 3 };
	struct addr target = addr_from6(target6);
	uint8_t out[ND_NA_LEN + 1];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	assert_true(nd_na_write(&w, &target, &hw));
	assert_int_equal(w.left, 1);
	assert_memory_equal(out, target6, 16);
	assert_memory_equal(out + 16, tail, 8);
	w = wr_init(out, ND_NA_LEN - 1);
	POISON(out);
	assert_false(nd_na_write(&w, &target, &hw));
	ASSERT_POISONED(out);
}

/* --- Router Solicitations and Advertisements --- */

static void test_rs(void **state)
{
	static const uint8_t opts[] = { NONCE, SLLA };
	struct rd r = rd_init(opts, sizeof(opts));
	struct nd_rs rs;

	(void)state;
	assert_int_equal(nd_rs_read(&r, &rs), WIRE_OK);
	assert_true(rs.has_slla && mac_eq(&rs.slla, &hw));
	r = rd_init(opts, 8);
	assert_int_equal(nd_rs_read(&r, &rs), WIRE_OK);
	assert_false(rs.has_slla);
	POISON(rs);
	r = rd_init(opts, 9);
	assert_int_equal(nd_rs_read(&r, &rs), WIRE_OPTION);
	ASSERT_POISONED(rs);
}

static struct prefix px(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void test_ra(void **state)
{
	uint8_t buf[8];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	assert_int_equal(nd_ra_rest(64, ND_RA_MANAGED | ND_RA_OTHER, 1800), 0x40c00708);
	assert_true(nd_ra_write(&w, 1, 0x01020304));
	assert_memory_equal(buf, "\0\0\0\1\1\2\3\4", 8);
}

/* One option as it must stand, and nothing at all where a byte is missing. */
#define ASSERT_OPTION(call, ...) do { \
	static const uint8_t want[] = { __VA_ARGS__ }; \
	uint8_t buf[sizeof(want) + 8]; \
	struct wr w = wr_init(buf, sizeof(want) - 1), before = w; \
	assert_false(call); \
	assert_memory_equal(&w, &before, sizeof(w)); \
	w = wr_init(buf, sizeof(buf)); \
	assert_true(call); \
	assert_int_equal(sizeof(buf) - w.left, sizeof(want)); \
	assert_memory_equal(buf, want, sizeof(want)); \
} while (0)

static void test_ra_options(void **state)
{
	const struct prefix p56 = px("2001:db8:1:2ff::1/57"), p0 = px("::/0");
	const struct prefix p64 = px("2001:db8:1:2::9/64"), p65 = px("2001:db8::ffff:0:0:1/65");
	const struct addr servers[] = { px("198.51.100.1").addr, px("2001:db8::5").addr };

	(void)state;
	ASSERT_OPTION(nd_opt_slla(&w, &hw), SLLA);
	ASSERT_OPTION(nd_opt_mtu(&w, 1500), 5, 1, 0, 0, 0, 0, 5, 0xdc);
	ASSERT_OPTION(nd_opt_prefix(&w, &p56, ND_PREFIX_ONLINK, 0x102, 0x304),
		      3, 4, 57, 0x80, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0,
		      0x20, 1, 0xd, 0xb8, 0, 1, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0);
	ASSERT_OPTION(nd_opt_route(&w, &p0, 9), 24, 1, 0, 0, 0, 0, 0, 9);
	ASSERT_OPTION(nd_opt_route(&w, &p64, 9), 24, 2, 64, 0, 0, 0, 0, 9,
		      0x20, 1, 0xd, 0xb8, 0, 1, 0, 2);
	ASSERT_OPTION(nd_opt_route(&w, &p65, 9), 24, 3, 65, 0, 0, 0, 0, 9,
		      0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0);
	ASSERT_OPTION(nd_opt_rdnss(&w, servers, 2, 7), 25, 3, 0, 0, 0, 0, 0, 7,
		      0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5);
	ASSERT_OPTION(nd_opt_dnssl(&w, "\1a", 3, 7), 31, 2, 0, 0, 0, 0, 0, 7, 1, 'a', 0,
		      0, 0, 0, 0, 0);
	ASSERT_OPTION(nd_opt_captive_portal(&w, "urn:x:y"), 37, 2, 'u', 'r', 'n', ':', 'x', ':', 'y',
		      0, 0, 0, 0, 0, 0, 0);
}

/* An option that would say nothing is not written. */
static void test_ra_nothing(void **state)
{
	const struct addr v4 = px("198.51.100.1").addr;
	uint8_t buf[64];
	struct wr w = wr_init(buf, sizeof(buf));

	(void)state;
	assert_false(nd_opt_rdnss(&w, &v4, 1, 7));
	assert_false(nd_opt_rdnss(&w, NULL, 0, 7));
	assert_false(nd_opt_dnssl(&w, "", 0, 7));
	assert_int_equal(w.left, sizeof(buf));
	assert_false(w.failed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_options),
		cmocka_unit_test(test_slla),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_options_cap),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_na_write),
		cmocka_unit_test(test_rs),
		cmocka_unit_test(test_ra),
		cmocka_unit_test(test_ra_options),
		cmocka_unit_test(test_ra_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
