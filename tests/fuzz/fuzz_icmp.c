/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/icmp: the first byte's lowest bit says ICMPv6 or ICMP, the rest is
 * the message. */
#include "fuzz.h"

#include "wire/icmp.h"
#include "wire/numbers.h"
#include "wire/tcp.h"

/* Written again, it is the same but for the checksum, which is right. */
static void round_trip(const struct icmp *i, bool v6, const uint8_t *msg, size_t size)
{
	const struct addr src = { { 0x20, 1, [15] = 1 } }, dst = { { 0x20, 1, [15] = 2 } };
	uint8_t *out = malloc(size);
	struct wr w = wr_init(out, size);

	if (!out)
		return;
	FUZZ_HOLDS(icmp_write(&w, v6, i, &src, &dst, msg + ICMP_HLEN, size - ICMP_HLEN) == size);
	FUZZ_HOLDS(w.left == 0);
	FUZZ_HOLDS(memcmp(out, msg, 2) == 0 && memcmp(out + 4, msg + 4, size - 4) == 0);
	FUZZ_HOLDS(v6 ? l4sum_ok(&src, &dst, PROTO_ICMP6, out, size) : icmp4_sum_ok(out, size));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct icmp i;
	struct rd r;
	bool v6;

	if (!size)
		return 0;
	v6 = *data & 1;
	data++;
	size--;
	r = rd_init(data, size);
	(void)icmp4_sum_ok(data, size);
	FUZZ_POISON(i);
	if (icmp_read(&r, v6, &i) != WIRE_OK) {
		FUZZ_POISONED(i);
		FUZZ_HOLDS(size < ICMP_HLEN);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(r.left == size - ICMP_HLEN);
	if (size <= UINT16_MAX)
		round_trip(&i, v6, data, size);
	return 0;
}
