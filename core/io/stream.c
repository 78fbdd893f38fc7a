/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io.h"
#include "proto/ingress.h"

static const struct mac nobody = { .b = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

void stream_use(struct ctx *c, struct framing *f)
{
	c->io->stream = f;
	c->guest_mac = nobody;
}

/* Main has the same socket open: epoll does not forget it by itself, and the other side
 * would not see a mere close. */
void stream_close(struct ctx *c)
{
	struct io *io = c->io;

	if (io->tap < 0)
		return;
	epoll_ctl(io->epoll, EPOLL_CTL_DEL, io->tap, NULL);
	close(io->tap);
	io->tap = -1;
	c->tap_waits = c->tap_blocked = false;
}

/* The connection is over; main is told (LOOP_STREAM). */
static void gone(struct ctx *c, int why)
{
	shutdown(c->io->tap, SHUT_RDWR);
	stream_close(c);
	c->io->stream_gone = true;
	c->io->stream_why = why;
}

static int watch(struct ctx *c, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u64 = io_ref(IO_REF_TAP, 0, 0) };

	return epoll_ctl(c->io->epoll, op, c->io->tap, &ev) < 0 ? -errno : 0;
}

/* Flows rest, or go on. */
static void set_waiting(struct ctx *c, bool waits)
{
	if (c->io->tap < 0 || c->tap_waits == waits)
		return;
	watch(c, EPOLL_CTL_MOD, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
	c->tap_waits = c->tap_blocked = waits;
}

void stream_connect(struct ctx *c, int fd, uint32_t seq)
{
	struct io *io = c->io;
	struct framing *f = io->stream;
	bool ok = true;
	int rc;

	stream_close(c);
	io->tap = fd;
	io->stream_seq = seq;
	io->stream_gone = false;
	if (f->seq == seq)
		ok = framing_recover(f);
	else
		framing_reset(f, seq);
	c->guest_mac = mac_is_usable(&f->guest) ? f->guest : nobody;
	rc = ok ? watch(c, EPOLL_CTL_ADD, EPOLLIN) : -EBADMSG;
	if (rc < 0)
		gone(c, -rc);
	else
		set_waiting(c, framing_waiting(f));	/* of another engine: its events are gone */
}

/* --- out --------------------------------------------------------------------- */

/* Sends what waits, and behind it that frame (n 0: none). Whether it goes. */
static bool push(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	struct framing *f = c->io->stream;
	struct iovec pieces[FRAMING_IOV + 2];
	struct mmsghdr *m = framing_writing(f, pieces, iov, n, len);
	int rc, err;
	bool goes;

	do {
		rc = sendmmsg(c->io->tap, m, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		err = errno;
	} while (rc < 0 && err == EINTR);
	goes = framing_wrote(f, iov, n);
	if (rc < 0 && err != EAGAIN && err != ENOBUFS && err != ENOMEM)
		gone(c, err);
	else
		set_waiting(c, framing_waiting(f) || (n && !goes));
	return goes;
}

static int send_later(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	struct framing *f = c->io->stream;

	if (!framing_put(f, iov, n, len))
		return -EAGAIN;
	if (!c->tap_waits && framing_waiting(f) >= STREAM_TOGETHER)
		push(c, NULL, 0, 0);
	return 0;
}

static int send_frame(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	if (c->io->tap < 0)
		return -ENOTCONN;
	if (len < FRAMING_LEAST || len > FRAMING_MOST)
		return -EMSGSIZE;
	if (c->tap_waits || len < STREAM_SMALL || n > FRAMING_IOV)
		return send_later(c, iov, n, len);
	if (push(c, iov, n, len))
		return 0;
	return c->io->tap < 0 ? -ENOTCONN : send_later(c, iov, n, len);
}

int stream_send(struct ctx *c, const struct iovec *iov, int n, size_t len)
{
	int rc = send_frame(c, iov, n, len);

	if (rc == 0 && UNLIKELY(c->io->capture.on))
		capture_frame(&c->io->capture, c->now_us, iov, n, true);
	return rc;
}

void stream_writable(struct ctx *c)
{
	if (c->io->tap < 0)
		return;
	if (framing_waiting(c->io->stream))
		push(c, NULL, 0, 0);
	else
		set_waiting(c, false);
}

void stream_finish(struct ctx *c)
{
	if (c->io->tap >= 0 && !c->tap_waits && framing_waiting(c->io->stream))
		push(c, NULL, 0, 0);
}

/* --- in ---------------------------------------------------------------------- */

static void take_frames(struct ctx *c)
{
	struct framing *f = c->io->stream;
	uint8_t *frame;
	uint32_t len;
	int rc;

	while (c->io->tap >= 0 && (rc = framing_next(f, &frame, &len)) != 0) {
		if (rc < 0) {
			c->count->stream_nonsense++;
			gone(c, -rc);
			return;
		}
		if (UNLIKELY(c->io->capture.on))
			capture_frame(&c->io->capture, c->now_us, &(struct iovec){ frame, len }, 1,
				      false);
		if (len > IO_BULK)	/* as in tap.c */
			c->io->poll.shorts = 0;
		ingress_frame(c, frame, len);
	}
	f->guest = c->guest_mac;
}

void stream_readable(struct ctx *c)
{
	struct framing *f = c->io->stream;
	struct mmsghdr *m;
	struct iovec room;

	if (c->io->tap < 0)
		return;
	/* What an engine that died had read: it stays where it is for this turn. */
	if (framing_has(f)) {
		take_frames(c);
		return;
	}
	m = framing_reading(f, &room);
	if (recvmmsg(c->io->tap, m, 1, MSG_DONTWAIT, NULL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			gone(c, errno);
		return;
	}
	if (m->msg_len)
		take_frames(c);
	else
		gone(c, 0);
}
