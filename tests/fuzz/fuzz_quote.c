/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/quote: the first byte's lowest bit says IPv6 or IPv4, the rest is the
 * packet as far as it is quoted. */
#include "fuzz.h"

#include "wire/ip.h"
#include "wire/numbers.h"
#include "wire/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quote q, again;
	struct rd r;
	bool v6;

	if (!size)
		return 0;
	v6 = *data & 1;
	data++;
	size--;
	r = rd_init(data, size);
	FUZZ_POISON(q);
	if (quote_read(&r, v6, &q) != WIRE_OK) {
		FUZZ_POISONED(q);
		FUZZ_HOLDS(r.p == data && r.left == size);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(addr_is4(&q.src) == !v6 && addr_is4(&q.dst) == !v6);
	FUZZ_HOLDS(q.proto == PROTO_TCP || q.proto == PROTO_UDP ||
		   q.proto == (v6 ? PROTO_ICMP6 : PROTO_ICMP));
	/* what stood behind the last byte read does not matter */
	r = rd_init(data, size - r.left);
	FUZZ_HOLDS(quote_read(&r, v6, &again) == WIRE_OK && r.left == 0);
	FUZZ_HOLDS(addr_eq(&q.src, &again.src) && addr_eq(&q.dst, &again.dst) &&
		   q.proto == again.proto && q.sport == again.sport && q.dport == again.dport);
	return 0;
}
