/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/wire/vnet.c against virtio 1.2, 5.1.6 (struct virtio_net_hdr, here
 * the 10-byte form in host byte order). */
#include "../unit.h"

#include "wire/vnet.h"

#define FRAME 100	/* bytes behind the header in every case */

static const struct vnet plain = { .flags = 0 };
static const struct vnet csum = {
	.flags = VNET_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16,
};
static const struct vnet tso = {
	.flags = VNET_F_NEEDS_CSUM, .gso_type = VNET_GSO_TCP4, .hdr_len = 54,
	.gso_size = 1448, .csum_start = 34, .csum_offset = 16,
};

static enum wire_err try(const struct vnet *v, size_t frame)
{
	uint8_t buf[VNET_HLEN + FRAME] = { 0 };
	struct wr w = wr_init(buf, sizeof(buf));
	struct vnet got;
	enum wire_err err;
	struct rd r;

	assert_true(vnet_write(&w, v));
	BLOCK p = unit_block(buf, VNET_HLEN + frame);
	r = rd_init(p, VNET_HLEN + frame);
	POISON(got);
	err = vnet_read(&r, &got);
	if (err) {
		ASSERT_POISONED(got);
		return err;
	}
	assert_int_equal(r.left, frame);
	assert_ptr_equal(r.p, p + VNET_HLEN);
	assert_int_equal(got.flags, v->flags);
	assert_int_equal(got.gso_type, v->gso_type);
	assert_int_equal(got.hdr_len, v->hdr_len);
	assert_int_equal(got.gso_size, v->gso_size);
	assert_int_equal(got.csum_start, v->csum_start);
	assert_int_equal(got.csum_offset, v->csum_offset);
	return WIRE_OK;
}

static void test_layout(void **state)
{
	static const uint16_t values[4] = { 54, 1448, 34, 16 };
	uint8_t want[VNET_HLEN] = { VNET_F_NEEDS_CSUM, VNET_GSO_TCP4 }, out[VNET_HLEN];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	memcpy(want + 2, values, sizeof(values));	/* host byte order */
	assert_true(vnet_write(&w, &tso));
	assert_memory_equal(out, want, VNET_HLEN);
}

static void test_good(void **state)
{
	static const uint8_t types[] = {
		VNET_GSO_TCP4, VNET_GSO_TCP6, VNET_GSO_UDP_L4,
		VNET_GSO_TCP4 | VNET_GSO_ECN, VNET_GSO_TCP6 | VNET_GSO_ECN,
	};
	struct vnet v = tso;

	(void)state;
	assert_int_equal(try(&plain, FRAME), WIRE_OK);
	assert_int_equal(try(&plain, 0), WIRE_OK);
	assert_int_equal(try(&csum, FRAME), WIRE_OK);
	for (size_t i = 0; i < sizeof(types); i++) {
		v.gso_type = types[i];
		assert_int_equal(try(&v, FRAME), WIRE_OK);
	}
	v = plain;
	v.flags = VNET_F_DATA_VALID;
	assert_int_equal(try(&v, FRAME), WIRE_OK);
	/* Without its flag or type a field means nothing (5.1.6.4.1). */
	v = (struct vnet){ .csum_start = 9999, .csum_offset = 9999, .hdr_len = 9999 };
	assert_int_equal(try(&v, FRAME), WIRE_OK);
}

static void test_short(void **state)
{
	(void)state;
	for (size_t n = 0; n < VNET_HLEN; n++) {
		uint8_t zero[VNET_HLEN] = { 0 };
		BLOCK p = unit_block(zero, n);
		struct rd r = rd_init(p, n);
		struct vnet v;

		POISON(v);
		assert_int_equal(vnet_read(&r, &v), WIRE_SHORT);
		ASSERT_POISONED(v);
	}
}

/* The checksum's two bytes must be in the frame, and behind Ethernet. */
static void test_csum_offsets(void **state)
{
	static const struct {
		uint16_t start, offset;
		size_t frame;
		enum wire_err want;
	} cases[] = {
		{ 34, 16, 52, WIRE_OK },	/* last two bytes */
		{ 34, 16, 51, WIRE_VNET },
		{ 34, 16, 0, WIRE_VNET },
		{ 14, 0, 16, WIRE_OK },
		{ 13, 0, 100, WIRE_VNET },	/* inside Ethernet */
		{ 0, 0, 100, WIRE_VNET },
		{ 98, 0, 100, WIRE_OK },
		{ 99, 0, 100, WIRE_VNET },
		{ 34, 65535, 100, WIRE_VNET },	/* 16-bit sums would wrap */
		{ 65535, 16, 100, WIRE_VNET },
		{ 65535, 65535, 100, WIRE_VNET },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct vnet v = csum;

		v.csum_start = cases[i].start;
		v.csum_offset = cases[i].offset;
		assert_int_equal(try(&v, cases[i].frame), cases[i].want);
	}
}

static void test_gso(void **state)
{
	struct vnet v = tso;

	(void)state;
	v.gso_size = 0;
	assert_int_equal(try(&v, FRAME), WIRE_VNET);
	v = tso;
	v.hdr_len = FRAME;
	assert_int_equal(try(&v, FRAME), WIRE_OK);
	v.hdr_len = FRAME + 1;
	assert_int_equal(try(&v, FRAME), WIRE_VNET);
}

/* All 256 types: five and "none" are good, UFO, tunnels and the unknown not. */
static void test_every_type(void **state)
{
	unsigned int good = 0;

	(void)state;
	for (unsigned int t = 0; t < 256; t++) {
		struct vnet v = tso;

		v.gso_type = (uint8_t)t;
		good += try(&v, FRAME) == WIRE_OK;
	}
	assert_int_equal(good, 6);
	assert_int_equal(try(&(struct vnet){ .gso_type = VNET_GSO_UFO, .gso_size = 8 }, FRAME),
			 WIRE_VNET);
	assert_int_equal(try(&(struct vnet){ .gso_type = VNET_GSO_ECN, .gso_size = 8 }, FRAME),
			 WIRE_VNET);
}

static void test_write_no_room(void **state)
{
	uint8_t out[VNET_HLEN - 1];
	struct wr w = wr_init(out, sizeof(out));

	(void)state;
	POISON(out);
	assert_false(vnet_write(&w, &tso));
	ASSERT_POISONED(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_csum_offsets),
		cmocka_unit_test(test_gso),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_write_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
