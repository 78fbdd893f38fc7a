/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/arp.c against RFC 826 (packet format). */
#include "../unit.h"

#include "wire/arp.h"

static const uint8_t request[ARP_LEN] = {
	0, 1, 8, 0, 6, 4, 0, 1,
	0x52, 0x54, 0, 1, 2, 3, 203, 0, 113, 2,
	0, 0, 0, 0, 0, 0, 203, 0, 113, 1,
};

static enum wire_err try(const uint8_t *bytes, size_t len, struct arp *a)
{
	BLOCK p = unit_block(bytes, len);
	struct rd r = rd_init(p, len);
	enum wire_err err;

	POISON(*a);
	err = arp_read(&r, a);
	if (err)
		ASSERT_POISONED(*a);
	else
		assert_int_equal(r.left, len - ARP_LEN);
	return err;
}

static void test_good(void **state)
{
	static const struct mac sha = { { 0x52, 0x54, 0, 1, 2, 3 } }, none;
	struct addr spa, tpa;
	struct arp a;

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &spa), 0);
	assert_int_equal(addr_parse("203.0.113.1", &tpa), 0);
	assert_int_equal(try(request, sizeof(request), &a), WIRE_OK);
	assert_int_equal(a.op, ARP_REQUEST);
	assert_true(mac_eq(&a.sha, &sha));
	assert_true(mac_eq(&a.tha, &none));
	assert_true(addr_eq(&a.spa, &spa));
	assert_true(addr_eq(&a.tpa, &tpa));
}

/* Each length; Ethernet's padding behind it is left alone. */
static void test_every_length(void **state)
{
	uint8_t b[46] = { 0 };
	struct arp a;

	(void)state;
	memcpy(b, request, sizeof(request));
	for (size_t n = 0; n <= sizeof(b); n++)
		assert_int_equal(try(b, n, &a), n < ARP_LEN ? WIRE_SHORT : WIRE_OK);
}

static void test_not_ours(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum wire_err want;
	} cases[] = {
		{ 0, 1, WIRE_VERSION }, { 1, 0, WIRE_VERSION }, { 1, 6, WIRE_VERSION },
		{ 2, 0x86, WIRE_VERSION }, { 3, 6, WIRE_VERSION },
		{ 4, 0, WIRE_LENGTH }, { 4, 5, WIRE_LENGTH }, { 4, 8, WIRE_LENGTH },
		{ 4, 255, WIRE_LENGTH }, { 5, 0, WIRE_LENGTH }, { 5, 16, WIRE_LENGTH },
		/* which operations mean something is proto/arp's to say */
		{ 7, 2, WIRE_OK }, { 7, 0, WIRE_OK }, { 6, 255, WIRE_OK },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t b[ARP_LEN];
		struct arp a;

		memcpy(b, request, sizeof(b));
		b[cases[i].at] = cases[i].value;
		assert_int_equal(try(b, sizeof(b), &a), cases[i].want);
	}
}

static void test_write(void **state)
{
	uint8_t out[ARP_LEN + 1];
	struct wr w = wr_init(out, sizeof(out));
	struct arp a;

	(void)state;
	assert_int_equal(try(request, sizeof(request), &a), WIRE_OK);
	assert_true(arp_write(&w, &a));
	assert_int_equal(w.left, 1);
	assert_memory_equal(out, request, ARP_LEN);
	w = wr_init(out, ARP_LEN - 1);
	POISON(out);
	assert_false(arp_write(&w, &a));
	ASSERT_POISONED(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
