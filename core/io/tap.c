/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap: frames in and out of the tap device, one system call each (a tap has no
 * call for several). */
#include <errno.h>
#include <unistd.h>

#include "io/io.h"
#include "proto/ingress.h"
#include "proto/port.h"

/* A frame that udp kept stays in its slot until the batch is flushed; all
 * others reuse the one slot, which is warm in the cache. */
void tap_readable(struct ctx *c)
{
	struct io *io = c->io;
	uint8_t *slot = io->frames;

	for (unsigned int i = 0; i < IO_BATCH; i++) {
		ssize_t n = read(io->tap, slot, IO_FRAME_MAX);

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
				      &(struct iovec){ slot, (size_t)n }, 1, false);
		if (n > IO_BULK)	/* more of them queue up meanwhile: no loss to sleep */
			io->poll.shorts = 0;
		if (ingress_frame(c, slot, (size_t)n))
			slot += IO_FRAME_MAX;
	}
}

int port_tap_send(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	ssize_t done;

	(void)len;
	do {
		done = writev(c->io->tap, iov, n);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	if (UNLIKELY(c->io->capture.on))
		capture_frame(&c->io->capture, c->now_us, iov, n, true);
	return 0;
}
