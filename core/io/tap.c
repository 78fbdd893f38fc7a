/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap: frames in and out of the tap device, one system call each (a tap has no
 * call for several). */
#include <errno.h>
#include <unistd.h>

#include "io/io.h"
#include "io/stream.h"
#include "proto/ingress.h"
#include "proto/port.h"

/* A frame that is kept stays where it is, the next one behind it, until all have left; others
 * are read to the same place, which is warm in the cache. */
void tap_readable(struct ctx *c)
{
	struct io *io = c->io;
	uint8_t *at = io->frames;
	size_t bytes = 0;

	for (unsigned int i = 0; i < IO_BATCH && bytes < IO_BATCH_BYTES; i++) {
		ssize_t n = read(io->tap, at, IO_FRAME_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			io->tap_gone = n < 0 && errno == EBADFD;
			if (n == 0 || (errno != EAGAIN && errno != EIO))
				io->stop = true;	/* never back to false: main may have ended */
			break;
		}
		if (UNLIKELY(io->capture.on))
			capture_frame(&io->capture, c->now_us,
				      &(struct iovec){ at, (size_t)n }, 1, false);
		if (n > IO_BULK)	/* more of them queue up meanwhile: no loss to sleep */
			io->poll.shorts = 0;
		if (ingress_frame(c, at, (size_t)n))
			at += ((size_t)n + IO_FRAME_ALIGN - 1) / IO_FRAME_ALIGN * IO_FRAME_ALIGN;
		else if (!ingress_keeps(c))
			at = io->frames;
		bytes += (size_t)n;
	}
}

int port_tap_send(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	ssize_t done;

	if (c->io->stream)
		return stream_send(c, iov, n, len);
	if (c->io->tap < 0)
		return 0;	/* no interface: nobody is there to get it */
	do {
		done = writev(c->io->tap, iov, n);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	if (UNLIKELY(c->io->capture.on))
		capture_frame(&c->io->capture, c->now_us, iov, n, true);
	return 0;
}
