/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {			/* aligned as the kernel wants it */
	struct cmsghdr align;
	char buf[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
};

int pass_send(int sock, const void *msg, size_t len, const int *fd, uint32_t n, int flags)
{
	union control ctl = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)msg, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t done;

	if (n) {
		mh.msg_control = ctl.buf;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(*fd));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(*fd));
		memcpy(CMSG_DATA(c), fd, n * sizeof(*fd));
	}
	do {
		done = sendmsg(sock, &mh, MSG_NOSIGNAL | flags);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	return (size_t)done == len ? 0 : -EIO;
}

/* The descriptors that came; returns how many. */
static uint32_t attached(struct msghdr *mh, int fd[PASS_FDS_MAX])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(mh);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = MIN_OF((c->cmsg_len - CMSG_LEN(0)) / sizeof(*fd), (size_t)PASS_FDS_MAX);
	memcpy(fd, CMSG_DATA(c), n * sizeof(*fd));
	return (uint32_t)n;
}

int pass_recv(int sock, const struct pass_want *want, void *msg, int fd[PASS_FDS_MAX],
	      uint32_t *n)
{
	union control ctl = { .buf = { 0 } };
	struct iovec iov = { .iov_base = msg, .iov_len = want->len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		/* msg_controllen asks for so many descriptors, not for what padding
		 * would let through besides. */
		.msg_control = ctl.buf,
		.msg_controllen = CMSG_LEN(MAX_OF(want->most, 1u) * sizeof(*fd)),
	};
	ssize_t done;

	*n = 0;
	do {
		done = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | want->flags);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	*n = attached(&mh, fd);
	if (done == 0 && !*n)
		return -EPIPE;
	if ((size_t)done == want->len && *n <= want->most &&
	    !(mh.msg_flags & (want->some ? MSG_TRUNC : MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	pass_close(fd, *n);
	*n = 0;
	return -EBADMSG;
}

bool pass_peer_ok(int sock, bool root_too)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	       (who.uid == geteuid() || (root_too && who.uid == 0));
}

void pass_close(const int *fd, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		close(fd[i]);
}
