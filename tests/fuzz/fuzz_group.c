/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/group: any bytes as an IGMP message and as an MLD one. It comes to an
 * end, stays inside, and names groups of its family only. */
#include "fuzz.h"

#include "wire/group.h"

static void one(const uint8_t *data, size_t size, bool v6)
{
	struct rd r = rd_init(data, size);
	struct group_report g;
	struct group_record rec;
	enum wire_err err;
	unsigned int n = 0;

	FUZZ_POISON(g);
	if (group_read(&r, v6, &g) != WIRE_OK) {
		FUZZ_POISONED(g);
		FUZZ_HOLDS(size < 8);
		return;
	}
	while (group_next(&g, &rec, &err)) {
		FUZZ_HOLDS(err == WIRE_OK && ++n <= GROUP_RECORDS_MAX);
		FUZZ_HOLDS(fuzz_inside(&g.left, data, size));
		FUZZ_HOLDS(addr_is_multicast(&rec.group) && addr_is4(&rec.group) == !v6);
	}
	FUZZ_HOLDS(!g.records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(data, size, false);
	one(data, size, true);
	return 0;
}
