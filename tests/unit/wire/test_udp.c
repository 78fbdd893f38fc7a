/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/udp.c against RFC 768; the super-frames against what the
 * kernel's UDP_SEGMENT puts on a tap (virtio 1.2, 5.1.6, GSO_UDP_L4). */
#include "../unit.h"

#include "wire/udp.h"

static const uint8_t dgram[11] = { 0, 53, 0x14, 0xe9, 0, 11, 0xf2, 0x18, 'a', 'b', 'c' };

/* Puts len_field in, hands n bytes over; *pay is what remains. */
static enum wire_err try(unsigned int len_field, size_t n, bool gso, size_t *pay)
{
	uint8_t b[16] = { 0 };
	struct udp u;
	enum wire_err err;
	struct rd r;

	memcpy(b, dgram, sizeof(dgram));
	b[4] = (uint8_t)(len_field >> 8);
	b[5] = (uint8_t)len_field;
	BLOCK p = unit_block(b, n);
	r = rd_init(p, n);
	POISON(u);
	err = udp_read(&r, gso, &u);
	if (err) {
		ASSERT_POISONED(u);
		return err;
	}
	assert_int_equal(u.sport, 53);
	assert_int_equal(u.dport, 5353);
	assert_int_equal(u.len, len_field);
	assert_int_equal(u.sum, 0xf218);
	assert_ptr_equal(r.p, p + UDP_HLEN);
	assert_false(r.failed);
	*pay = r.left;
	return WIRE_OK;
}

static void test_every_length(void **state)
{
	size_t pay = 0;

	(void)state;
	for (size_t n = 0; n <= 16; n++)
		assert_int_equal(try(11, n, false, &pay),
				 n < 8 ? WIRE_SHORT : n < 11 ? WIRE_LENGTH : WIRE_OK);
	assert_int_equal(pay, 3);	/* what IP had behind the datagram is cut off */
}

static void test_length_field(void **state)
{
	size_t pay = 99;

	(void)state;
	for (unsigned int len = 0; len < 8; len++) {
		assert_int_equal(try(len, 16, false, &pay), WIRE_LENGTH);
		assert_int_equal(try(len, 16, true, &pay), WIRE_LENGTH);
	}
	assert_int_equal(try(8, 16, false, &pay), WIRE_OK);
	assert_int_equal(pay, 0);
	assert_int_equal(try(8, 8, false, &pay), WIRE_OK);
	assert_int_equal(try(16, 16, false, &pay), WIRE_OK);
	assert_int_equal(pay, 8);
	assert_int_equal(try(17, 16, false, &pay), WIRE_LENGTH);
	assert_int_equal(try(65535, 16, false, &pay), WIRE_LENGTH);
}

/* The field says one segment, or the whole, or more than there is. */
static void test_gso(void **state)
{
	static const unsigned int fields[] = { 8, 11, 16, 17, 65535 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t pay = 0;

		assert_int_equal(try(fields[i], 16, true, &pay), WIRE_OK);
		assert_int_equal(pay, 8);
		assert_int_equal(try(fields[i], 7, true, &pay), WIRE_SHORT);
	}
}

static void test_write(void **state)
{
	struct udp u = { .sport = 53, .dport = 5353, .len = 11, .sum = 0xf218 };
	uint8_t out[UDP_HLEN + 1];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	assert_true(udp_write(&w, &u));
	assert_int_equal(w.left, 1);
	assert_memory_equal(out, dgram, UDP_HLEN);
	w = wr_init(out, UDP_HLEN - 1);
	POISON(out);
	assert_false(udp_write(&w, &u));
	ASSERT_POISONED(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_length_field),
		cmocka_unit_test(test_gso),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
