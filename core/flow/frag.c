/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/frag.h"

#include <string.h>

#define ECN_MASK	3
#define ECN_CE		3	/* RFC 3168, 5 */

static struct frag_body *body_of(struct fragtab *t, const struct frag *f)
{
	return &t->bodies[f - t->frags];
}

static bool is_of(const struct frag *f, const struct ip *ip)
{
	return f->state != FRAG_FREE && f->ip.id == ip->id && addr_eq(&f->ip.src, &ip->src) &&
	       addr_eq(&f->ip.dst, &ip->dst) && (ip->version == 6 || f->ip.proto == ip->proto);
}

static struct frag *find(struct fragtab *t, const struct ip *ip)
{
	for (uint32_t i = 0; t->used && i < t->high; i++)
		if (is_of(&t->frags[i], ip))
			return &t->frags[i];
	return NULL;
}

static struct frag *oldest(struct fragtab *t)
{
	struct frag *ret = NULL;

	for (uint32_t i = 0; t->used && i < t->high; i++)
		if (t->frags[i].state != FRAG_FREE && (!ret || t->frags[i].due < ret->due))
			ret = &t->frags[i];
	return ret;
}

static struct frag *free_slot(struct fragtab *t)
{
	for (uint32_t i = 0; i < t->high; i++)
		if (t->frags[i].state == FRAG_FREE)
			return &t->frags[i];
	return t->high < FRAG_MAX ? &t->frags[t->high++] : NULL;
}

static struct frag *begin(struct fragtab *t, const struct ip *ip, uint64_t now, bool *evicted)
{
	struct frag *f = free_slot(t);

	if (!f) {
		f = oldest(t);
		frag_free(t, f);
		*evicted = true;
	}
	*f = (struct frag){ .state = FRAG_COLLECTING, .ip = *ip, .due = now + FRAG_TIMEOUT_MS };
	memset(body_of(t, f)->came, 0, sizeof(body_of(t, f)->came));
	t->used++;
	return f;
}

/* How many of the eights from..to have come; they are marked if `mark`. */
static uint32_t count_units(uint64_t *came, uint32_t from, uint32_t to, bool mark)
{
	uint32_t n = 0;

	while (from < to) {
		uint32_t bit = from % 64, bits = MIN_OF(64 - bit, to - from);
		uint64_t mask = (bits == 64 ? ~0ULL : (1ULL << bits) - 1) << bit;

		n += (uint32_t)__builtin_popcountll(came[from / 64] & mask);
		if (mark)
			came[from / 64] |= mask;
		from += bits;
	}
	return n;
}

/* Whether the piece agrees with the datagram's end as it is known: only the last
 * reaches it. */
static bool agrees(const struct frag *f, const struct ip *ip, uint32_t end)
{
	return ip->more ? !f->total || end < f->total : end == f->total;
}

/* The same for a new piece, which may be the one that makes the end known: then
 * nothing that came lies behind it. */
static bool fits_end(const struct frag *f, const uint64_t *came, const struct ip *ip, uint32_t end)
{
	uint32_t units = (end + FRAG_UNIT - 1) / FRAG_UNIT;

	if (ip->more || f->total)
		return agrees(f, ip, end);
	for (uint32_t i = units / 64 + 1; i < FRAG_BYTES / FRAG_UNIT / 64; i++)
		if (came[i])
			return false;
	return units % 64 ? !(came[units / 64] >> (units % 64)) :
			    units == FRAG_BYTES / FRAG_UNIT || !came[units / 64];
}

static void keep(struct fragtab *t, struct frag *f, const struct ip *ip, const void *piece,
		 size_t len, uint32_t units)
{
	memcpy(frag_payload(t, f) + ip->frag_off, piece, len);
	f->units += units;
	f->congested |= (ip->tos & ECN_MASK) == ECN_CE;
	if (!ip->frag_off) {
		f->ip = *ip;
		f->first = (uint16_t)len;
	}
	if (!ip->more)
		f->total = (uint32_t)(ip->frag_off + len);
	if (f->congested)
		f->ip.tos |= ECN_CE;
}

enum frag_verdict frag_add(struct fragtab *t, const struct ip *ip, const void *piece, size_t len,
			   uint64_t now, struct frag **ret, bool *evicted)
{
	struct frag *f = find(t, ip);
	uint32_t end = (uint32_t)(ip->frag_off + len), from = ip->frag_off / FRAG_UNIT;
	uint32_t to = (end + FRAG_UNIT - 1) / FRAG_UNIT, have;
	uint64_t *came;

	*evicted = false;
	if (!f)
		f = begin(t, ip, now, evicted);
	*ret = f;
	if (f->state == FRAG_ABANDONED)
		return FRAG_REFUSED;
	came = body_of(t, f)->came;
	have = count_units(came, from, to, false);
	/* A link may deliver twice (RFC 8200, 4.5): the same bytes do no harm. */
	if (have == to - from && agrees(f, ip, end) &&
	    memcmp(frag_payload(t, f) + ip->frag_off, piece, len) == 0)
		return FRAG_REPEATED;
	if (have || !fits_end(f, came, ip, end)) {
		f->state = FRAG_ABANDONED;
		return FRAG_REFUSED;
	}
	count_units(came, from, to, true);
	keep(t, f, ip, piece, len, to - from);
	return f->total && f->units == (f->total + FRAG_UNIT - 1) / FRAG_UNIT ? FRAG_WHOLE :
										FRAG_WAITS;
}

void frag_free(struct fragtab *t, struct frag *f)
{
	f->state = FRAG_FREE;
	t->used--;
}

struct frag *frag_expired(struct fragtab *t, uint64_t now)
{
	struct frag *f = oldest(t);

	return f && f->due <= now ? f : NULL;
}

uint64_t frag_next(const struct fragtab *t)
{
	uint64_t due = UINT64_MAX;

	for (uint32_t i = 0; t->used && i < t->high; i++)
		if (t->frags[i].state != FRAG_FREE && t->frags[i].due < due)
			due = t->frags[i].due;
	return due;
}
