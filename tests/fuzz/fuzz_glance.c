/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/glance: any bytes are looked at within their length, and what the strict
 * parsers take is seen as they see it. */
#include "fuzz.h"

#include "wire/eth.h"
#include "wire/glance.h"
#include "wire/ip.h"
#include "wire/numbers.h"

static void compare(const struct glance *g, struct rd r)
{
	struct eth eth;
	struct rd payload;
	struct ip ip;

	if (eth_read(&r, &eth) != WIRE_OK)
		return;
	FUZZ_HOLDS(g->type == eth.type);
	if ((eth.type == ETYPE_IP4 && ip4_read(&r, &ip, &payload) == WIRE_OK) ||
	    (eth.type == ETYPE_IP6 && ip6_read(&r, &ip, &payload) == WIRE_OK)) {
		FUZZ_HOLDS(addr_eq(&g->src, &ip.src) && addr_eq(&g->dst, &ip.dst));
		FUZZ_HOLDS(!ip.frag_off || !g->has_ports);
		if (!ip.fragment)
			FUZZ_HOLDS(g->has_proto && g->proto == ip.proto);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct glance g = glance_read(rd_init(data, size));

	FUZZ_HOLDS(!g.has_ports || g.has_proto);
	compare(&g, rd_init(data, size));
	return 0;
}
