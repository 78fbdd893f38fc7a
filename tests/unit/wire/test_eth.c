/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/eth.c against RFC 894 / IEEE 802.3 (header of 14 bytes). */
#include "../unit.h"

#include "wire/eth.h"
#include "wire/numbers.h"

static const uint8_t frame[] = {
	0x52, 0x54, 0x00, 0x01, 0x02, 0x03, 0x9a, 0x55, 0x9a, 0x55, 0x9a, 0x55, 0x08, 0x00,
	0xde, 0xad,
};

static void test_good(void **state)
{
	static const struct mac dst = { { 0x52, 0x54, 0, 1, 2, 3 } };
	static const struct mac src = { { 0x9a, 0x55, 0x9a, 0x55, 0x9a, 0x55 } };
	BLOCK p = unit_block(frame, sizeof(frame));
	struct rd r = rd_init(p, sizeof(frame));
	struct eth e;

	(void)state;
	assert_int_equal(eth_read(&r, &e), WIRE_OK);
	assert_true(mac_eq(&e.dst, &dst));
	assert_true(mac_eq(&e.src, &src));
	assert_int_equal(e.type, ETYPE_IP4);
	assert_ptr_equal(r.p, p + ETH_HLEN);
	assert_int_equal(r.left, 2);
}

/* Every length from nothing to one byte too few; and exactly the header. */
static void test_short(void **state)
{
	(void)state;
	for (size_t n = 0; n <= ETH_HLEN; n++) {
		BLOCK p = unit_block(frame, n);
		struct rd r = rd_init(p, n);
		struct eth e;

		POISON(e);
		if (n == ETH_HLEN) {
			assert_int_equal(eth_read(&r, &e), WIRE_OK);
			assert_int_equal(r.left, 0);
		} else {
			assert_int_equal(eth_read(&r, &e), WIRE_SHORT);
			ASSERT_POISONED(e);
		}
	}
}

static void test_write(void **state)
{
	struct rd r = rd_init(frame, sizeof(frame));
	uint8_t out[ETH_HLEN + 1] = { 0 };
	struct wr w = wr_init(out, sizeof(out));
	struct eth e;

	(void)state;
	assert_int_equal(eth_read(&r, &e), WIRE_OK);
	assert_true(eth_write(&w, &e));
	assert_int_equal(w.left, 1);
	assert_memory_equal(out, frame, ETH_HLEN);
}

static void test_write_no_room(void **state)
{
	uint8_t out[ETH_HLEN - 1];
	struct wr w = wr_init(out, sizeof(out));
	struct eth e = { .type = ETYPE_IP6 };

	(void)state;
	POISON(out);
	assert_false(eth_write(&w, &e));
	assert_true(w.failed);
	ASSERT_POISONED(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
