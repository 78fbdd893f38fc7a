/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/dns: any message. What is read of it can be written as an answer that
 * reads the same. */
#include "fuzz.h"

#include "wire/dns.h"

static void answer(const struct dns_head *h, const struct dns_question *q, bool edns,
		   uint16_t flags)
{
	const struct dns_answer a = {
		.head = h, .question = q, .rcode = DNSR_SERVFAIL, .edns = edns,
		.edns_flags = flags, .udp_size = 1232, .ttl = 1, .n = 1,
		.rr = { { DNST_PTR, q->name_len, q->name } },
	};
	uint8_t out[1024];
	size_t len = dns_answer_write(out, sizeof(out), &a);
	struct rd r = rd_init(out, len);
	struct dns_question again;
	struct dns_head back;
	uint16_t got = 0;

	FUZZ_HOLDS(len > 0);
	FUZZ_HOLDS(dns_head_read(&r, &back) == WIRE_OK && back.id == h->id);
	FUZZ_HOLDS((back.flags & DNSF_QR) && (back.flags & DNSF_RCODE) == DNSR_SERVFAIL);
	FUZZ_HOLDS(dns_question_read(&r, &again) == WIRE_OK && dns_question_eq(&again, q));
	FUZZ_HOLDS(dns_edns_find(r, &back, &got) == edns);
	FUZZ_HOLDS(!edns || got == (flags & DNS_OPT_DO));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct dns_question q;
	uint16_t flags = 0;
	struct dns_head h;
	bool edns;

	FUZZ_POISON(h);
	if (dns_head_read(&r, &h) != WIRE_OK) {
		FUZZ_POISONED(h);
		FUZZ_HOLDS(size < DNS_HLEN);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_POISON(q);
	if (dns_question_read(&r, &q) != WIRE_OK) {
		FUZZ_POISONED(q);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(q.name_len >= 1 && q.name_len <= NAME_WIRE_MAX && !q.name[q.name_len - 1]);
	FUZZ_HOLDS(dns_question_eq(&q, &q));
	edns = dns_edns_find(r, &h, &flags);
	answer(&h, &q, edns, flags);
	return 0;
}
