/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define EVENTS_MAX	(2 * CONTROL_CLIENTS)	/* of one call: main has other things to do */
#define LISTENER	CONTROL_CLIENTS		/* its number among the events */

static int watch(struct control *c, int fd, unsigned int number)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = number };

	return epoll_ctl(c->fd, EPOLL_CTL_ADD, fd, &ev);
}

/* By the folder's descriptor: its path may be longer than an address can be. */
static int bind_in(int fd, int state_fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/" CONTROL_NAME, state_fd);
	unlinkat(state_fd, CONTROL_NAME, 0);
	return bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
}

int control_open(struct control *c, int state_fd, struct err *e)
{
	*c = CONTROL_INIT;
	c->fd = epoll_create1(EPOLL_CLOEXEC);
	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || c->listener < 0 || bind_in(c->listener, state_fd) < 0 ||
	    listen(c->listener, CONTROL_CLIENTS) < 0 || watch(c, c->listener, LISTENER) < 0) {
		err_set(e, ERR_IO, CONTROL_NAME " cannot be made: %s", strerror(errno));
		control_close(c);
		return -1;
	}
	return 0;
}

void control_close(struct control *c)
{
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		fd_drop(&c->clients[i]);
	fd_drop(&c->listener);
	fd_drop(&c->fd);
}

/* The folder is its user's alone; this holds even where it was opened to others. */
static bool may_ask(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static void take_client(struct control *c)
{
	FD_OWNED int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	unsigned int i = c->next;

	if (fd < 0 || !may_ask(fd))
		return;
	fd_drop(&c->clients[i]);
	if (watch(c, fd, i) < 0)
		return;
	c->clients[i] = fd_take(&fd);
	c->next = (i + 1) % CONTROL_CLIENTS;
}

bool control_next(struct control *c, struct control_request *ret, unsigned int *client)
{
	struct epoll_event ev;
	ssize_t n;

	for (int i = 0; i < EVENTS_MAX && epoll_wait(c->fd, &ev, 1, 0) == 1; i++) {
		if (ev.data.u32 == LISTENER) {
			take_client(c);
			continue;
		}
		*client = ev.data.u32;
		n = recv(c->clients[*client], ret, sizeof(*ret), MSG_TRUNC | MSG_DONTWAIT);
		if (n > 0 && control_request_ok(ret, (size_t)n))
			return true;
		if (n != 0)
			log_warn("control: a request that is none, of %zd bytes", n);
		fd_drop(&c->clients[*client]);
	}
	return false;
}

void control_reply(struct control *c, unsigned int client, const struct control_answer *a)
{
	ssize_t n = send(c->clients[client], a, control_answer_size(a->nrules),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		log_warn("control: no answer sent: %s", strerror(errno));
	fd_drop(&c->clients[client]);
}
