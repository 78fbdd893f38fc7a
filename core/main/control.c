/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pass.h"
#include "main/report.h"

#define EVENTS_MAX	(2 * CONTROL_CLIENTS)	/* of one call: main has other things to do */
#define LISTENER	CONTROL_CLIENTS		/* its number among the events */
#define OUT_BYTES	((size_t)CONTROL_CLIENTS * CONTROL_ANSWER_MAX)
#define SEND_BUFFER	(2 * CONTROL_ANSWER_MAX)	/* asked for; less only makes more turns */

static int watch(struct control *c, int op, int fd, unsigned int number, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.u32 = number };

	return epoll_ctl(c->fd, op, fd, &ev);
}

/* By the folder's descriptor: its path may be longer than an address can be. */
static int bind_in(int fd, int state_fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/" CONTROL_NAME, state_fd);
	unlinkat(state_fd, CONTROL_NAME, 0);
	return bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
}

/* Reserved before the first client: answers allocate nothing. */
static int reserve(struct control *c)
{
	void *p = mmap(NULL, OUT_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	c->out = p;
	madvise(p, OUT_BYTES, MADV_NOHUGEPAGE);
	c->clients = calloc(CONTROL_CLIENTS, sizeof(*c->clients));
	if (!c->clients)
		return -1;
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i] = (struct control_client){
			.fd = -1, .out = c->out + (size_t)i * CONTROL_ANSWER_MAX,
		};
	return 0;
}

int control_open(struct control *c, int state_fd, struct err *e)
{
	*c = CONTROL_INIT;
	c->fd = epoll_create1(EPOLL_CLOEXEC);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || c->listener < 0 || reserve(c) < 0 || bind_in(c->listener, state_fd) < 0 ||
	    listen(c->listener, CONTROL_QUEUE) < 0 ||
	    watch(c, EPOLL_CTL_ADD, c->listener, LISTENER, EPOLLIN) < 0) {
		err_set(e, ERR_IO, CONTROL_NAME " cannot be made: %s", strerror(errno));
		control_close(c);
		return -1;
	}
	return 0;
}

void control_close(struct control *c)
{
	for (unsigned int i = 0; c->clients && i < CONTROL_CLIENTS; i++)
		fd_drop(&c->clients[i].fd);
	free(c->clients);
	c->clients = NULL;
	if (c->out)
		munmap(c->out, OUT_BYTES);
	c->out = NULL;
	fd_drop(&c->listener);
	fd_drop(&c->fd);
}

/* Its memory is given back: an idle attachment is small. */
static void forget_answer(struct control_client *cl)
{
	if (cl->nout)
		madvise(cl->out, CONTROL_ANSWER_MAX, MADV_DONTNEED);
	cl->nout = cl->sent = 0;
}

static void drop(struct control_client *cl)
{
	fd_drop(&cl->fd);
	forget_answer(cl);
	cl->nin = 0;
}

/* A free place, else that of who was silent longest. */
static unsigned int find_place(const struct control *c)
{
	unsigned int best = 0;

	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->clients[i].fd < 0)
			return i;
		if (c->clients[i].used < c->clients[best].used)
			best = i;
	}
	return best;
}

static void take_client(struct control *c)
{
	FD_OWNED int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const int buffer = SEND_BUFFER;
	unsigned int i = find_place(c);

	/* The folder is its user's alone; this holds even where it was opened to others. */
	if (fd < 0 || !pass_peer_ok(fd, true))
		return;
	drop(&c->clients[i]);
	if (watch(c, EPOLL_CTL_ADD, fd, i, EPOLLIN) < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	c->clients[i].fd = fd_take(&fd);
	c->clients[i].ended = false;
	c->clients[i].used = ++c->clock;
}

struct jsonout control_begin(struct control *c, unsigned int client)
{
	return jsonout_init(c->clients[client].out, CONTROL_ANSWER_MAX);
}

/* What of its answer the client takes now; the rest when it can be sent. Until then
 * nothing more is read of it. */
static void push(struct control *c, unsigned int client)
{
	struct control_client *cl = &c->clients[client];
	ssize_t n = 0;

	while (cl->sent < cl->nout && n >= 0) {
		n = send(cl->fd, cl->out + cl->sent, cl->nout - cl->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		cl->sent += n > 0 ? (uint32_t)n : 0;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		drop(cl);
		return;
	}
	if (cl->sent == cl->nout)
		forget_answer(cl);
	watch(c, EPOLL_CTL_MOD, cl->fd, client, cl->nout ? EPOLLOUT : EPOLLIN);
}

void control_reply(struct control *c, unsigned int client, const struct jsonout *o)
{
	const struct err large = { .code = ERR_INTERNAL, .msg = "the answer is too long" };
	struct jsonout again = control_begin(c, client);

	if (o->failed)
		report_error(&again, &large);
	c->clients[client].nout = (uint32_t)(o->failed ? again.len : o->len);
	c->clients[client].sent = 0;
	push(c, client);
}

int control_take(struct control *c, unsigned int client)
{
	struct control_client *cl = &c->clients[client];

	watch(c, EPOLL_CTL_DEL, cl->fd, client, 0);
	cl->nin = 0;
	return fd_take(&cl->fd);
}

static void refuse(struct control *c, unsigned int client, const struct err *e, uint64_t now_ms)
{
	struct jsonout o = control_begin(c, client);

	if (log_allowed(&c->refused, now_ms))
		log_warn("control: a request is refused: %s", e->msg);
	report_error(&o, e);
	control_reply(c, client, &o);
}

/* The first whole line that a client has sent and that is a request, taken out of its
 * buffer. What is no request is answered here. */
static bool take_line(struct control *c, unsigned int client, uint64_t now_ms,
		      struct control_request *ret)
{
	struct control_client *cl = &c->clients[client];

	while (cl->fd >= 0 && !cl->nout) {
		const char *end = memchr(cl->in, '\n', cl->nin);
		struct err e = ERR_INIT;
		size_t len;
		int r;

		if (!end && cl->nin == CONTROL_LINE_MAX) {
			err_set(&e, ERR_DECODE, "a request is longer than %d bytes",
				CONTROL_LINE_MAX);
			refuse(c, client, &e, now_ms);
			drop(cl);
		}
		if (!end || cl->fd < 0)
			return false;
		len = (size_t)(end - cl->in);
		r = control_read(cl->in, len, ret, &e);
		cl->nin -= (uint32_t)len + 1;
		memmove(cl->in, end + 1, cl->nin);
		if (r == 0)
			return true;
		refuse(c, client, &e, now_ms);
	}
	return false;
}

static void hear(struct control *c, unsigned int client)
{
	struct control_client *cl = &c->clients[client];
	ssize_t n = recv(cl->fd, cl->in + cl->nin, sizeof(cl->in) - cl->nin, MSG_DONTWAIT);

	cl->used = ++c->clock;
	if (n > 0)
		cl->nin += (uint32_t)n;
	else if (n == 0)
		cl->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		drop(cl);
}

/* A client that has ended and has all its answers. */
static void settle(struct control_client *cl)
{
	if (cl->fd >= 0 && cl->ended && !cl->nout)
		drop(cl);
}

/* Any client with a whole line, in turn. */
static bool next_line(struct control *c, uint64_t now_ms, struct control_request *ret,
		      unsigned int *client)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		if (take_line(c, i, now_ms, ret)) {
			*client = i;
			return true;
		}
		settle(&c->clients[i]);
	}
	return false;
}

bool control_next(struct control *c, uint64_t now_ms, struct control_request *ret,
		  unsigned int *client)
{
	struct epoll_event ev;

	if (next_line(c, now_ms, ret, client))
		return true;
	for (int i = 0; i < EVENTS_MAX && epoll_wait(c->fd, &ev, 1, 0) == 1; i++) {
		if (ev.data.u32 == LISTENER)
			take_client(c);
		else if (c->clients[ev.data.u32].nout)
			push(c, ev.data.u32);
		else
			hear(c, ev.data.u32);
		if (next_line(c, now_ms, ret, client))
			return true;
	}
	return false;
}
