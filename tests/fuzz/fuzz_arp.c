/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/arp: what is read is written back the same. */
#include "fuzz.h"

#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	uint8_t out[ARP_LEN];
	struct wr w = wr_init(out, sizeof(out));
	struct arp a;

	FUZZ_POISON(a);
	if (arp_read(&r, &a) != WIRE_OK) {
		FUZZ_POISONED(a);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(r.left == size - ARP_LEN);
	FUZZ_HOLDS(addr_is4(&a.spa) && addr_is4(&a.tpa));
	FUZZ_HOLDS(arp_write(&w, &a));
	FUZZ_HOLDS(memcmp(out, data, ARP_LEN) == 0);
	return 0;
}
