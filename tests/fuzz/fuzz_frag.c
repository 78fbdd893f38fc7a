/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes flow/frag against a model that knows each byte: the input is a sequence of
 * six-byte records, each a piece or time.
 *
 *	byte 0	bits 0-1 which datagram, 2 MF, 3 other bytes than usual, 4 time passes
 *	1-2	offset in eights, or milliseconds	3-4	length	5	nothing
 * Every piece obeys what ip?_read promises: not empty, whole eights unless it is the
 * last, none behind 65535.
 */
#include "fuzz.h"

#include "flow/frag.h"

#define IDS 4u

struct model {
	bool live, abandoned;
	uint64_t due;
	uint32_t total;
	uint8_t came[FRAG_BYTES], bytes[FRAG_BYTES];
};

static struct model models[IDS];
static struct fragtab memory, *const table = &memory;

static uint8_t byte_of(uint32_t at, bool other)
{
	return (uint8_t)(at * 7 + at / 253 + other);
}

static enum frag_verdict expect(struct model *m, const struct ip *ip, const uint8_t *piece,
				uint32_t from, uint32_t to)
{
	uint32_t top = (to + 7) & ~7u, have = 0, behind = 0, all = 0;
	bool same = true;

	if (m->abandoned)
		return FRAG_REFUSED;
	for (uint32_t i = from; i < top; i++) {
		have += m->came[i];
		same &= i >= to || (m->came[i] && m->bytes[i] == piece[i - from]);
	}
	for (uint32_t i = top; i < FRAG_BYTES; i++)
		behind += m->came[i];
	if (have == top - from && same && (ip->more ? !m->total || to < m->total : to == m->total))
		return FRAG_REPEATED;
	if (have || (m->total && (!ip->more || to >= m->total)) || (!ip->more && behind)) {
		m->abandoned = true;
		return FRAG_REFUSED;
	}
	memset(m->came + from, 1, top - from);
	memcpy(m->bytes + from, piece, to - from);
	if (!ip->more)
		m->total = to;
	for (uint32_t i = 0; i < m->total; i++)
		all += m->came[i];
	return m->total && all == m->total ? FRAG_WHOLE : FRAG_WAITS;
}

static void piece(const uint8_t *rec, uint64_t now)
{
	struct model *m = &models[rec[0] & 3];
	uint32_t from = (uint32_t)(rec[1] << 8 | rec[2]) % 8192 * 8;
	uint32_t len = (uint32_t)(rec[3] << 8 | rec[4]), to;
	struct ip ip = {
		.version = rec[0] & 1 ? 4 : 6, .id = rec[0] & 3, .proto = 17, .fragment = true,
		.more = rec[0] & 4, .frag_off = (uint16_t)from,
	};
	static uint8_t bytes[FRAG_BYTES];
	enum frag_verdict want, got;
	struct frag *f;
	bool evicted;

	len = MIN_OF(ip.more ? len & ~7u : len, 65535 - from);
	len = ip.more ? len & ~7u : len;
	if (!len || (!from && !ip.more))	/* that would be no fragment */
		return;
	to = from + len;
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = byte_of(from + i, rec[0] & 8);
	if (!m->live) {
		memset(m, 0, sizeof(*m));
		m->live = true;
		m->due = now + FRAG_TIMEOUT_MS;
	}
	want = expect(m, &ip, bytes, from, to);
	got = frag_add(table, &ip, bytes, len, now, &f, &evicted);
	FUZZ_HOLDS(got == want && !evicted && f->due == m->due);
	if (got != FRAG_WHOLE)
		return;
	FUZZ_HOLDS(f->total == m->total);
	FUZZ_HOLDS(memcmp(frag_payload(table, f), m->bytes, m->total) == 0);
	frag_free(table, f);
	m->live = false;
}

static void expire(uint64_t now)
{
	uint64_t next = UINT64_MAX;
	uint32_t live = 0;
	struct frag *f;

	while ((f = frag_expired(table, now))) {
		struct model *m = &models[f->ip.id];

		FUZZ_HOLDS(m->live && m->due == f->due && m->due <= now);
		m->live = false;
		frag_free(table, f);
	}
	for (uint32_t i = 0; i < IDS; i++) {
		live += models[i].live;
		if (models[i].live)
			next = MIN_OF(next, models[i].due);
	}
	FUZZ_HOLDS(table->used == live && frag_next(table) == next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = 1000;

	/* all free: as zeroed, but for bytes that nothing may look at */
	table->high = 0;
	for (; size >= 6; data += 6, size -= 6) {
		if (data[0] & 16)
			now += (uint64_t)(data[1] << 8 | data[2]);
		else
			piece(data, now);
		expire(now);
	}
	expire(UINT64_MAX);
	FUZZ_HOLDS(!table->used);
	return 0;
}
