/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture: all that crosses the tap, as it crossed (super-frames whole, checksums as
 * the kernel leaves them), into a pcapng file (draft-ietf-opsawg-pcapng). main opens
 * the file, which an engine then only appends to: one write a frame, so that an
 * engine's death leaves whole blocks. The network goes before the capture: where the disk
 * fails or the file is full, it ends, and the log says so.
 */
#ifndef IO_CAPTURE_H
#define IO_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

#define CAPTURE_MAX	(UINT64_C(1) << 30)	/* bytes of a file */

struct capture {
	int fd;			/* append-only; -1: none. The owner's, not closed here */
	uint32_t skip;		/* bytes before the Ethernet header: virtio-net's */
	uint64_t size;		/* of the file */
	int64_t to_wall_us;	/* the loop's clock and this: since 1970 */
};

/* Makes the file new, mode 0600, with its head. The descriptor, or -1 with *e. */
int capture_open(const char *path, struct err *e);

/* Appends to fd (-1: nothing is captured) from here on. now_us: the loop's clock. */
void capture_use(struct capture *c, int fd, uint32_t skip, uint64_t now_us);

/* One frame. to_container: it was sent there, else it came from there. */
void capture_frame(struct capture *c, uint64_t now_us, const struct iovec *iov, int n,
		   bool to_container);

#endif
