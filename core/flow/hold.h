/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold: byte queues made of small chunks out of one arena. A TCP flow keeps in
 * one what the host's socket did not take yet, and, where the kernel has no
 * SO_PEEK_OFF, in another what the container has not acknowledged yet.
 *
 * A queue may have bytes beyond its end, written ahead by hold_write(): what
 * came out of order stands where it belongs until hold_extend() reaches it.
 *
 * Invariant of the promise: what a window offered is dropped never, so each
 * flow reserves chunks for its whole window beforehand; hold_append() within
 * a reservation cannot fail. The arena is virtual memory, touched when used, and
 * given back by hold_trim() after a peak.
 */
#ifndef FLOW_HOLD_H
#define FLOW_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define HOLD_CHUNK	4096u
#define HOLD_NONE	UINT32_MAX
#define HOLD_IOV_MAX	32		/* pieces of one hold_iov(): 128 KiB */
#define HOLD_TRIM_MAX	128u		/* chunks of one hold_trim() */

struct hold_pool {
	uint8_t *mem;
	uint32_t *next;		/* a chunk's successor, in a queue or among the free ones */
	uint32_t nchunks;
	uint32_t fresh;		/* chunks from here on were never used */
	uint32_t free;		/* head of the used and freed, ... */
	uint32_t nwarm;		/* ... so many, ... */
	uint32_t idle;		/* ... the fewest of them since the last hold_trim() */
	uint32_t cold;		/* head of those whose memory was given back */
	uint32_t nfree;		/* all that are in no queue */
	uint32_t reserved;	/* chunks promised to flows */
	uint64_t bytes;		/* in all queues */
};

struct hold {
	uint32_t head, tail;	/* chunks; HOLD_NONE when empty */
	uint32_t chunks;	/* from head to tail */
	uint32_t offset;	/* of the first byte in head */
	uint32_t len;		/* bytes of the queue */
	uint32_t end;		/* how far anything was written; >= len */
};

#define HOLD_INIT ((struct hold){ .head = HOLD_NONE, .tail = HOLD_NONE })

/* mem: nchunks * HOLD_CHUNK bytes; next: nchunks entries; both the caller's. */
void hold_pool_init(struct hold_pool *p, void *mem, uint32_t *next, uint32_t nchunks);

/* Chunks that a queue of up to `bytes` may take: it begins anywhere in its first. */
static inline uint32_t hold_chunks(uint32_t bytes)
{
	return (bytes + 2 * HOLD_CHUNK - 2) / HOLD_CHUNK;
}

/* Changes a reservation from `before` to `after` chunks. False, and nothing
 * changed, if the arena cannot promise that many. */
bool hold_reserve(struct hold_pool *p, uint32_t before, uint32_t after);

/* Appends n bytes of src; returns how many fitted (fewer only without a
 * sufficient reservation). */
size_t hold_append(struct hold_pool *p, struct hold *h, const void *src, size_t n);

/* Writes n bytes of src at off bytes from the queue's head, beyond its end or
 * across it. False, and nothing written, without a sufficient reservation. */
bool hold_write(struct hold_pool *p, struct hold *h, uint32_t off, const void *src, size_t n);

/* The queue is n bytes longer: bytes that hold_write() has put there. */
void hold_extend(struct hold_pool *p, struct hold *h, uint32_t n);

/* What was written ahead is forgotten. */
void hold_cut(struct hold_pool *p, struct hold *h);

/* Room to write into at the end, up to max bytes in at most HOLD_IOV_MAX pieces:
 * whole new chunks and the rest of the last one. hold_commit() then says how
 * many bytes were really written and gives back the chunks not used. Not for a
 * queue with bytes written ahead. */
int hold_space(struct hold_pool *p, struct hold *h, size_t max,
	       struct iovec iov[HOLD_IOV_MAX]);
void hold_commit(struct hold_pool *p, struct hold *h, size_t n);

/* Pieces of the queue from `off` on, up to max bytes; returns their number and
 * sets *ret_len to the bytes they cover. */
int hold_iov(const struct hold_pool *p, const struct hold *h, uint32_t off, size_t max,
	     struct iovec iov[HOLD_IOV_MAX], size_t *ret_len);

/* Drops n bytes (n <= h->len) from the front, what was written ahead moves up.
 * hold_clear() drops all, that too. */
void hold_consume(struct hold_pool *p, struct hold *h, uint32_t n);
void hold_clear(struct hold_pool *p, struct hold *h);

/*
 * To be called from time to time: of the chunks that nobody needed since the last
 * call all but `keep`, at most HOLD_TRIM_MAX, go to give(), as pieces of the arena
 * in ascending order, whose content is of no use any more. give() may take their
 * memory away, so long as they read as anything when touched again.
 */
void hold_trim(struct hold_pool *p, uint32_t keep, void (*give)(void *mem, size_t len));

#endif
