/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes wire/tcp: header and options; l4sum_ok over the same bytes. */
#include "fuzz.h"

#include "wire/numbers.h"
#include "wire/tcp.h"

static void same_options(const struct tcp_opts *a, const struct tcp_opts *b)
{
	FUZZ_HOLDS(a->mss == b->mss && a->wscale == b->wscale);
	FUZZ_HOLDS(a->sack_ok == b->sack_ok && a->ts == b->ts);
	FUZZ_HOLDS(a->tsval == b->tsval && a->tsecr == b->tsecr);
	/* the writer pads more than some do, and drops what has no room then */
	FUZZ_HOLDS(a->nsack <= b->nsack);
	for (uint8_t i = 0; i < a->nsack; i++) {
		FUZZ_HOLDS(a->sack[i].left == b->sack[i].left);
		FUZZ_HOLDS(a->sack[i].right == b->sack[i].right);
	}
}

static void round_trip(const struct tcp *t)
{
	uint8_t out[TCP_HLEN + TCP_OPTS_MAX];
	struct wr w = wr_init(out, sizeof(out));
	size_t len = tcp_write(&w, t);
	struct rd r = rd_init(out, len);
	struct tcp back;

	FUZZ_HOLDS(len >= TCP_HLEN && len % 4 == 0 && len == tcp_hdr_len(t));
	FUZZ_HOLDS(tcp_read(&r, &back) == WIRE_OK && r.left == 0);
	FUZZ_HOLDS(back.sport == t->sport && back.dport == t->dport);
	FUZZ_HOLDS(back.seq == t->seq && back.ack == t->ack && back.flags == t->flags);
	FUZZ_HOLDS(back.wnd == t->wnd && back.urg == t->urg && back.sum == t->sum);
	same_options(&back.opt, &t->opt);
}

static void sums(const uint8_t *data, size_t size)
{
	static const uint8_t four[4] = { 198, 51, 100, 10 };
	const struct addr a4 = addr_from4(four), a6 = { { 0x20, 1, [15] = 1 } };
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_ICMP6, 0, 255 };

	for (size_t i = 0; i < sizeof(protos); i++) {
		(void)l4sum_ok(&a4, &a4, protos[i], data, size);
		(void)l4sum_ok(&a6, &a6, protos[i], data, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct tcp t;

	sums(data, size);
	FUZZ_POISON(t);
	if (tcp_read(&r, &t) != WIRE_OK) {
		FUZZ_POISONED(t);
		return 0;
	}
	FUZZ_HOLDS(fuzz_inside(&r, data, size));
	FUZZ_HOLDS(size - r.left == (size_t)(data[12] >> 4) * 4);
	FUZZ_HOLDS(t.opt.wscale >= -1 && t.opt.wscale <= 14 && t.opt.nsack <= TCP_SACK_MAX);
	if (!(t.flags & TCPF_SYN))
		FUZZ_HOLDS(!t.opt.mss && t.opt.wscale == -1 && !t.opt.sack_ok);
	round_trip(&t);
	return 0;
}
