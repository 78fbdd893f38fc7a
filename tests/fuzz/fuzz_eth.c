/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/eth: any 14 bytes are a header, and are written back the same. */
#include "fuzz.h"

#include "wire/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	uint8_t out[ETH_HLEN];
	struct wr w = wr_init(out, sizeof(out));
	struct eth e;

	FUZZ_POISON(e);
	if (eth_read(&r, &e) != WIRE_OK) {
		FUZZ_POISONED(e);
		FUZZ_HOLDS(size < ETH_HLEN);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(r.left == size - ETH_HLEN);
	FUZZ_HOLDS(eth_write(&w, &e));
	FUZZ_HOLDS(memcmp(out, data, ETH_HLEN) == 0);
	return 0;
}
