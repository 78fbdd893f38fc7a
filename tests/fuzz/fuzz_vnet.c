/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/vnet: what was let through may be acted on without more tests. */
#include "fuzz.h"

#include "wire/vnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	uint8_t out[VNET_HLEN];
	struct wr w = wr_init(out, sizeof(out));
	struct vnet v;

	FUZZ_POISON(v);
	if (vnet_read(&r, &v) != WIRE_OK) {
		FUZZ_POISONED(v);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(r.left == size - VNET_HLEN);
	if (v.flags & VNET_F_NEEDS_CSUM)
		FUZZ_HOLDS((size_t)v.csum_start + v.csum_offset + 2 <= r.left);
	if (v.gso_type)
		FUZZ_HOLDS(v.gso_size && v.hdr_len <= r.left && v.gso_type != VNET_GSO_UFO);
	FUZZ_HOLDS(vnet_write(&w, &v));
	FUZZ_HOLDS(memcmp(out, data, VNET_HLEN) == 0);
	return 0;
}
