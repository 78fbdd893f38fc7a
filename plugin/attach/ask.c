/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

static int connect_to(int state_fd, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	FD_OWNED int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/" CONTROL_NAME, state_fd);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		err_set(e, errno == EAGAIN ? ERR_AGAIN : ERR_IO, "the daemon cannot be asked: %s",
			strerror(errno));
		return err_hint(e, "it may be ending; see its log");
	}
	return fd_take(&fd);
}

int ask_daemon(int state_fd, const struct control_request *r, struct control_answer *ret,
	       struct err *e)
{
	FD_OWNED int fd = connect_to(state_fd, e);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (fd < 0)
		return -1;
	if (send(fd, r, sizeof(*r), MSG_NOSIGNAL) != (ssize_t)sizeof(*r))
		return err_set(e, ERR_IO, "the daemon cannot be asked: %s", strerror(errno));
	if (poll(&p, 1, CONTROL_TIMEOUT_MS) <= 0)
		return err_set(e, ERR_AGAIN, "the daemon did not answer in time");
	n = recv(fd, ret, sizeof(*ret), MSG_TRUNC);
	if (n <= 0) {
		err_set(e, ERR_IO, "the daemon did not take the request");
		return err_hint(e, "it may be of another version, or another user's");
	}
	if (!control_answer_ok(ret, (size_t)n))
		return err_set(e, ERR_DECODE, "the daemon's answer does not decode; it may be of"
			       " another version");
	if (!ret->err.code)
		return 0;
	*e = ret->err;
	return -1;
}
