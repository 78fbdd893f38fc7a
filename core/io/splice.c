/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice: the system calls of spliced flows, their pipes and the inner sockets
 * to connect with.
 *
 * A pipe has places, not bytes, and what a socket received may lie in pieces of less
 * than 2 KiB: the 16 places of the default size then hold no more than is worth
 * copying, 256 places enough. But a user's pipes share a limit
 * (fs.pipe-user-pages-soft: 16384 places), so that only some are that large. Beyond
 * the limit the kernel makes pipes of two places, or none, which are not worth having:
 * bytes are copied instead until the limit is kept again.
 *
 * Only a process in the container's namespace can make a socket there, but who
 * holds one can connect it: nsagent makes them ahead of need, in batches.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/inner.h"
#include "io/io.h"
#include "io/near.h"
#include "io/sockaddr.h"
#include "proto/port.h"
#include "proto/relay.h"
#include "proto/splice.h"

#define PIPE_WORTH	65536		/* bytes: the default size */
#define PIPE_AGAIN_MS	1000u
#define SPLICE_WINDOW	(512 << 10)	/* bytes that a sender on this machine may be ahead: io/near.h */
#define INNER_LOST_MS	1000u		/* no answer: nsagent died; ask again */
#define INNER_SHORT_MS	100u		/* it could not make all: not at once again */

/* --- inner sockets ------------------------------------------------------ */

static uint64_t due(const struct inner_pool *p)
{
	return p->needed && p->n < IO_INNER_LOW ? p->again_ms : UINT64_MAX;
}

uint64_t splice_inner_due(const struct ctx *c)
{
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < CONF_PROTO_COUNT; i++)
		next = MIN_OF(next, MIN_OF(due(&c->io->inner[i][0]), due(&c->io->inner[i][1])));
	return next;
}

uint32_t splice_inner_ask(struct ctx *c, enum conf_proto proto, bool v4)
{
	struct inner_pool *p = &c->io->inner[proto][!v4];
	uint32_t n;

	if (due(p) > c->now)
		return 0;
	/* What was asked for INNER_LOST_MS ago was lost with an nsagent that died. */
	n = IO_INNER - p->n;
	p->asked = n;
	p->again_ms = c->now + INNER_LOST_MS;
	return n;
}

void splice_inner_add(struct ctx *c, enum conf_proto proto, bool v4, const int *fd, uint32_t n)
{
	struct inner_pool *p = &c->io->inner[proto][!v4];

	p->again_ms = n && n >= p->asked ? 0 : c->now + INNER_SHORT_MS;
	p->asked = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (p->n < IO_INNER)
			p->fd[p->n++] = fd[i];
		else
			close(fd[i]);
	}
	if (proto == CONF_TCP)
		splice_supplied(c);
	else
		relay_supplied(c);
}

int splice_inner_take(struct ctx *c, enum conf_proto proto, bool v4)
{
	struct inner_pool *p = &c->io->inner[proto][!v4];

	p->needed = true;
	return p->n ? p->fd[--p->n] : -EAGAIN;
}

/* --- the two sockets ---------------------------------------------------- */

static int watch_side(struct ctx *c, struct flow *f, enum splice_side side)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
		.data.u64 = io_ref(IO_REF_SIDE + side, f->gen, flow_idx(&c->flows, f)),
	};

	return epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, *splice_sock(f, side), &ev) < 0 ? -errno : 0;
}

/* A socket to connect with, -errno, or -EAGAIN: the pool is empty. */
static int take_socket(struct ctx *c, const struct flow *f)
{
	bool v4 = addr_is4(&f->outer);

	return f->splice.caller == SPLICE_OUTER ? splice_inner_take(c, CONF_TCP, v4)
						: inner_socket(CONF_TCP, v4);
}

/* Whether what that side receives was sent on this machine, whose window need not cover a
 * way through a network. */
static bool is_near(const struct ctx *c, const struct flow *f, enum splice_side side)
{
	const struct addr *a = side == f->splice.caller ? &f->key.remote : &f->outer;

	return addr_is_loopback(a) || netcfg_has_address(c->net, a);
}

static void limit_window(const struct ctx *c, struct flow *f, enum splice_side side)
{
	if (c->io->near && is_near(c, f, side))
		near_window(*splice_sock(f, side), SPLICE_WINDOW);
}

int port_splice_connect(struct ctx *c, struct flow *f)
{
	enum splice_side caller = (enum splice_side)f->splice.caller;
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &f->outer, f->outer_port, f->outer_scope);
	int *sock = splice_sock(f, splice_other(caller)), rc = 0, watched;

	*sock = take_socket(c, f);
	if (*sock < 0) {
		rc = *sock;
		*sock = -1;
		if (rc == -EAGAIN)
			return 1;
		sock_complain(c, f, rc);
		return rc;
	}
	sock_stream_options(*splice_sock(f, caller));
	sock_linger(*splice_sock(f, caller), true);
	limit_window(c, f, SPLICE_OUTER);
	limit_window(c, f, SPLICE_INNER);
	if (connect(*sock, &sa.sa, len) < 0)
		rc = -errno;
	if (rc == -EADDRNOTAVAIL || rc == -EAGAIN)	/* no source port, or address */
		sock_complain(c, f, rc);
	if (rc < 0 && rc != -EINPROGRESS)
		return rc;	/* the flow ends, and the socket with it */
	if ((watched = watch_side(c, f, caller)) < 0 ||
	    (watched = watch_side(c, f, splice_other(caller))) < 0)
		return watched;
	return rc;
}

void port_side_close(struct ctx *c, struct flow *f, enum splice_side side, bool abort)
{
	int *sock = splice_sock(f, side);

	if (*sock < 0)
		return;
	(void)c;
	sock_linger(*sock, abort);
	close(*sock);
	*sock = -1;
}

int port_side_error(struct ctx *c, struct flow *f, enum splice_side side)
{
	int err = 0;
	socklen_t len = sizeof(err);

	(void)c;
	if (getsockopt(*splice_sock(f, side), SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	return -err;
}

int port_side_shutdown(struct ctx *c, struct flow *f, enum splice_side side)
{
	(void)c;
	return shutdown(*splice_sock(f, side), SHUT_WR) < 0 ? -errno : 0;
}

ssize_t port_side_peek(struct ctx *c, struct flow *f, enum splice_side side, void *buf, size_t len)
{
	ssize_t n;

	(void)c;
	do {
		n = recv(*splice_sock(f, side), buf, len, MSG_PEEK | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void port_side_discard(struct ctx *c, struct flow *f, enum splice_side side, size_t len)
{
	ssize_t n;

	(void)c;
	/* Urgent data end a read: what lies behind them is the next one's. */
	while (len) {
		n = recv(*splice_sock(f, side), NULL, len, MSG_TRUNC | MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		len -= n > 0 ? (size_t)n : 0;
	}
}

bool port_side_urgent(struct ctx *c, struct flow *f, enum splice_side side, bool *next)
{
	const struct timespec at_once = { .tv_sec = 0 };
	struct pollfd p = { .fd = *splice_sock(f, side), .events = POLLPRI };
	int at_mark = 0;

	(void)c;
	if (ppoll(&p, 1, &at_once, NULL) != 1 || !(p.revents & POLLPRI) ||
	    ioctl(p.fd, SIOCATMARK, &at_mark) < 0)
		return false;
	*next = at_mark;
	return true;
}

ssize_t port_side_send(struct ctx *c, struct flow *f, enum splice_side side, const void *buf,
		       size_t len, bool urgent)
{
	ssize_t n;

	(void)c;
	do {
		n = send(*splice_sock(f, side), buf, len,
			 MSG_NOSIGNAL | MSG_DONTWAIT | (urgent ? MSG_OOB : 0));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* --- pipes -------------------------------------------------------------- */

static void close_pipe(struct pipe_pool *p, const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
	p->nopen--;
}

/* A new one of the size worth having. */
static bool make_pipe(struct ctx *c, int fd[2])
{
	struct pipe_pool *p = &c->io->pipes;

	if (p->nopen >= IO_PIPES || c->now < p->again_ms)
		return false;
	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) < 0) {
		p->again_ms = c->now + PIPE_AGAIN_MS;
		return false;
	}
	if (p->nopen++ < IO_PIPES_LARGE)
		fcntl(fd[0], F_SETPIPE_SZ, (int)SPLICE_PIPE_LEN);	/* or it stays as it is */
	if (fcntl(fd[0], F_GETPIPE_SZ) >= PIPE_WORTH)
		return true;
	p->again_ms = c->now + PIPE_AGAIN_MS;
	close_pipe(p, fd);
	return false;
}

bool port_pipe_get(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct pipe_pool *p = &c->io->pipes;
	struct splice_end *e = &f->splice.end[from];
	int fd[2];

	if (e->pipe[0] >= 0)
		return true;
	if (p->nidle) {
		memcpy(e->pipe, p->idle[--p->nidle], sizeof(e->pipe));
		return true;
	}
	if (!make_pipe(c, fd)) {
		c->count->splice_no_pipe++;
		return false;
	}
	memcpy(e->pipe, fd, sizeof(e->pipe));
	return true;
}

void port_pipe_put(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct pipe_pool *p = &c->io->pipes;
	struct splice_end *e = &f->splice.end[from];

	if (e->pipe[0] < 0)
		return;
	if (p->nidle == IO_PIPES_IDLE) {
		port_pipe_drop(c, f, from);
		return;
	}
	memcpy(p->idle[p->nidle++], e->pipe, sizeof(e->pipe));
	e->pipe[0] = e->pipe[1] = -1;
}

void port_pipe_drop(struct ctx *c, struct flow *f, enum splice_side from)
{
	struct splice_end *e = &f->splice.end[from];

	if (e->pipe[0] < 0)
		return;
	close_pipe(&c->io->pipes, e->pipe);
	e->pipe[0] = e->pipe[1] = -1;
}

static ssize_t splice_some(int from, int to, size_t len)
{
	ssize_t n;

	do {
		n = splice(from, NULL, to, NULL, len, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t port_pipe_in(struct ctx *c, struct flow *f, enum splice_side from, size_t len)
{
	ssize_t n = splice_some(*splice_sock(f, from), f->splice.end[from].pipe[1], len);

	if (n > IO_BULK)
		c->io->poll.bulk_us = c->now_us;
	return n;
}

ssize_t port_pipe_out(struct ctx *c, struct flow *f, enum splice_side from, size_t len)
{
	(void)c;
	return splice_some(f->splice.end[from].pipe[0], *splice_sock(f, splice_other(from)), len);
}

void splice_close_pools(struct io *io)
{
	struct pipe_pool *p = &io->pipes;

	while (p->nidle)
		close_pipe(p, p->idle[--p->nidle]);
	for (int i = 0; i < CONF_PROTO_COUNT; i++)
		for (int v6 = 0; v6 < 2; v6++)
			while (io->inner[i][v6].n)
				close(io->inner[i][v6].fd[--io->inner[i][v6].n]);
}
