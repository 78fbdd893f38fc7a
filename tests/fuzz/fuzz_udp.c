/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/udp: the first byte's lowest bit says super-frame or not, the rest
 * is the datagram. */
#include "fuzz.h"

#include "wire/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[UDP_HLEN];
	struct wr w = wr_init(out, sizeof(out));
	struct udp u;
	struct rd r;
	bool gso;

	if (!size)
		return 0;
	gso = *data & 1;
	data++;
	size--;
	r = rd_init(data, size);
	FUZZ_POISON(u);
	if (udp_read(&r, gso, &u) != WIRE_OK) {
		FUZZ_POISONED(u);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(r.p == data + UDP_HLEN && u.len >= UDP_HLEN);
	FUZZ_HOLDS(r.left == (gso ? size : u.len) - UDP_HLEN);
	FUZZ_HOLDS(udp_write(&w, &u));
	FUZZ_HOLDS(memcmp(out, data, UDP_HLEN) == 0);
	return 0;
}
