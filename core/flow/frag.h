/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frag: datagrams of the container that come in pieces, until they are whole. What
 * has come of one is kept as a bit for each eight bytes (RFC 791: offsets count
 * eights), so that a piece costs the same however many came before it: a list
 * of holes (RFC 815) can be made long by who sends them.
 *
 *   state            meaning
 *   FRAG_FREE        nobody's
 *   FRAG_COLLECTING  pieces came, none overlaps another
 *   FRAG_ABANDONED   two did: what still comes is swallowed until the time is over
 *                    (RFC 5722, 4)
 *
 * Bounded: FRAG_MAX datagrams of 64 KiB each; when full the oldest makes way.
 */
#ifndef FLOW_FRAG_H
#define FLOW_FRAG_H

#include "wire/ip.h"

#define FRAG_MAX	64u		/* datagrams, 64 KiB each: 4 MiB, as Linux's own cap */
#define FRAG_BYTES	65536u
#define FRAG_UNIT	8u
#define FRAG_HEADROOM	(IP6_HLEN + IP6_FRAG_HLEN)	/* before the payload, for a header */
#define FRAG_TIMEOUT_MS	30000u		/* from the first piece on, as Linux has it */

enum frag_state { FRAG_FREE, FRAG_COLLECTING, FRAG_ABANDONED };

/* What became of a piece. */
enum frag_verdict {
	FRAG_WAITS,		/* kept; more must come */
	FRAG_WHOLE,		/* it was the last one missing */
	FRAG_REPEATED,		/* all of it had come before, and was the same */
	FRAG_REFUSED,		/* it overlaps, contradicts the end, or comes for an abandoned one */
};

struct frag {
	struct ip ip;		/* of the first piece, once it came; else of the one that came first */
	uint64_t due;		/* when its time is over */
	uint32_t units;		/* eights that came */
	uint32_t total;		/* bytes of the payload; 0: the last piece has not come */
	uint16_t first;		/* bytes of the first piece; 0: it has not come */
	uint8_t state;		/* enum frag_state */
	bool congested;		/* a piece was marked CE (RFC 3168, 5.3) */
};

struct frag_body {
	uint64_t came[FRAG_BYTES / FRAG_UNIT / 64];
	uint8_t bytes[FRAG_HEADROOM + FRAG_BYTES];
};

/* Over zeroed memory, virtual until used. */
struct fragtab {
	uint32_t used;		/* slots not free */
	uint32_t high;		/* slots from here on were never used */
	struct frag frags[FRAG_MAX];
	struct frag_body bodies[FRAG_MAX];
};

/*
 * Takes the piece of a fragment (ip->fragment, as ip?_read gave both; never
 * empty). *ret is its datagram, *evicted is set if another had to go for it.
 * Datagrams are told apart by source, destination, identification and, in IPv4,
 * protocol (RFC 791, 3.2; RFC 8200, 4.5).
 */
enum frag_verdict frag_add(struct fragtab *t, const struct ip *ip, const void *piece, size_t len,
			   uint64_t now, struct frag **ret, bool *evicted);

void frag_free(struct fragtab *t, struct frag *f);

/* One whose time is over, or NULL. */
struct frag *frag_expired(struct fragtab *t, uint64_t now);

/* When the next one's time is over; UINT64_MAX: there is none. */
uint64_t frag_next(const struct fragtab *t);

/* The payload; FRAG_HEADROOM bytes before it are free for a header. */
static inline uint8_t *frag_payload(struct fragtab *t, const struct frag *f)
{
	return t->bodies[f - t->frags].bytes + FRAG_HEADROOM;
}

#endif
