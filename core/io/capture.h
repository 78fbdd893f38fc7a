/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture: what crosses the tap, as it crossed (super-frames whole, checksums as the
 * kernel leaves them), as pcapng (base/pcapng.h), two ways:
 *
 * - into a file, all of it from the first frame on (key `capture`). main opens the file,
 *   an engine only appends, one write a frame. What is whole of it stands in memory
 *   shared with main: an engine that dies in a write leaves a piece, which is cut off
 *   before the next one appends, and at the end. Where the disk fails or the file is
 *   full, it ends, and the log says so: the network goes before the capture.
 * - into rings shared with main (main/captures.c), CAPTURES of them, which main empties
 *   to clients of the control socket. Here a frame costs copying it, and nothing waits:
 *   what finds no room is counted and not there. A block is shown when it is whole, so an
 *   engine's death loses none and tears none.
 */
#ifndef IO_CAPTURE_H
#define IO_CAPTURE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/pcapng.h"
#include "conf/capture.h"
#include "flow/counters.h"

#define CAPTURE_MAX	(UINT64_C(1) << 30)	/* bytes of a file */
#define CAPTURE_RING	(16u << 20)		/* bytes of a ring, a power of two; virtual until used */

struct capture_ring {
	/* The engine's. main believes none of it further than it harms the capture. */
	_Atomic uint64_t head;		/* bytes written since the capture began */
	_Atomic uint32_t stopped;	/* the capture of that number gets no more */
	uint32_t lost;			/* dropped since the last frame that was kept */
	_Atomic uint64_t seen, passed, dropped, kept;	/* frames, struct pcapng_stats */
	/* main's */
	_Atomic uint64_t tail;		/* bytes taken out */
	_Atomic uint32_t asleep;	/* main wants a word when there is something */
	alignas(4096) uint8_t bytes[CAPTURE_RING];
};

/* Memory that main and the engines share. */
struct capture_shared {
	_Atomic uint64_t whole;		/* bytes of the file that are whole blocks */
	struct capture_ring ring[CAPTURES];
};

/* One at run time, as main asks for it. */
struct capture_order {
	uint32_t number;		/* of the capture; 0: none */
	struct capture_want want;
};

struct capture {
	bool on;			/* anything below: the one question while it is off */
	int fd;				/* append-only; -1: none. The owner's, not closed here */
	int bell;			/* eventfd: wakes main */
	uint32_t skip;			/* bytes before the Ethernet header: virtio-net's */
	int64_t to_wall_us;		/* the loop's clock and this: since 1970 */
	struct capture_shared *shared;
	struct counters *count;
	struct capture_order order[CAPTURES];
};

/* Makes the file new, mode 0600, with its head. The descriptor, or -1 with *e. */
int capture_open(const char *path, const struct pcapng_about *about,
		 struct capture_shared *shared, struct err *e);

/* Cuts off what is not whole: to be called while no engine lives. */
void capture_trim(int fd, const struct capture_shared *shared);

/* What an engine begins with, which outlives it. */
struct capture_with {
	int fd;				/* -1: no file */
	int bell;
	struct capture_shared *shared;
	struct counters *count;
	const struct capture_order *orders;	/* CAPTURES, under way already */
};

/* From here on. now_us: the loop's clock. */
void capture_use(struct capture *c, const struct capture_with *with, uint32_t skip,
		 uint64_t now_us);

/* Number 0 ends what is there. An order that has ended is not begun again. */
void capture_set(struct capture *c, uint32_t place, const struct capture_order *order);

/* One frame, when c->on. to_container: it was sent there, else it came from there. */
void capture_frame(struct capture *c, uint64_t now_us, const struct iovec *iov, int n,
		   bool to_container);

#endif
