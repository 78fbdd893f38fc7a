/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg: one message, one record, few descriptors or none. Nothing here allocates,
 * nothing keeps state, and whatever does not fit its contract is refused whole:
 * the other side may be a process that a container has taken over.
 */
#include "main/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/tun.h"

#define FEATURES_ALL	((uint32_t)(TUN_F_VNETHDR | TUN_F_CHECKSUM | TUN_F_TSO | TUN_F_UDPSEG))

union control {			/* aligned as the kernel wants it */
	struct cmsghdr align;
	char buf[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
};

static int send_fds(int sock, const void *msg, size_t len, const int *fd, uint32_t n, int flags)
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

int msg_send(int sock, const void *msg, size_t len, int fd)
{
	return send_fds(sock, msg, len, &fd, fd >= 0, 0);
}

int msg_send_fds(int sock, const void *msg, size_t len, const int *fd, uint32_t n)
{
	return n <= MSG_FDS_MAX ? send_fds(sock, msg, len, fd, n, MSG_DONTWAIT) : -EINVAL;
}

/* The descriptors that came; returns how many. */
static uint32_t attached(struct msghdr *mh, int fd[MSG_FDS_MAX])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(mh);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = MIN_OF((c->cmsg_len - CMSG_LEN(0)) / sizeof(*fd), (size_t)MSG_FDS_MAX);
	memcpy(fd, CMSG_DATA(c), n * sizeof(*fd));
	return (uint32_t)n;
}

/* One message of exactly len bytes, at most `most` descriptors; *n came. some: of
 * those sent, as many as our limit of open files lets in, may be fewer. */
static int recv_fds(int sock, void *msg, size_t len, int fd[MSG_FDS_MAX], uint32_t *n,
		    uint32_t most, bool some)
{
	union control ctl = { .buf = { 0 } };
	struct iovec iov = { .iov_base = msg, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		/* msg_controllen asks for so many descriptors, not for what padding
		 * would let through besides. */
		.msg_control = ctl.buf, .msg_controllen = CMSG_LEN(MAX_OF(most, 1u) * sizeof(*fd)),
	};
	ssize_t done;

	*n = 0;
	do {
		done = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC | (some ? MSG_DONTWAIT : 0));
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	*n = attached(&mh, fd);
	if (done == 0 && !*n)
		return -EPIPE;
	if ((size_t)done == len && *n <= most &&
	    !(mh.msg_flags & (some ? MSG_TRUNC : MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	msg_close_fds(fd, *n);
	*n = 0;
	return -EBADMSG;
}

void msg_close_fds(const int *fd, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		close(fd[i]);
}

int msg_recv(int sock, void *msg, size_t len, int *fd)
{
	int got[MSG_FDS_MAX];
	uint32_t n;
	int r = recv_fds(sock, msg, len, got, &n, fd ? 1 : 0, false);

	if (fd)
		*fd = n ? got[0] : -1;
	return r;
}

int msg_recv_fds(int sock, void *msg, size_t len, int fd[MSG_FDS_MAX], uint32_t *n)
{
	return recv_fds(sock, msg, len, fd, n, MSG_FDS_MAX, true);
}

int msg_peek_kind(int sock, uint32_t *kind)
{
	uint32_t k;
	ssize_t n;

	do {
		n = recv(sock, &k, sizeof(k), MSG_PEEK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	if ((size_t)n < sizeof(k))
		return -EBADMSG;
	*kind = k;
	return 0;
}

static bool terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

/* A bool that came as bytes may hold neither true nor false. */
static bool is_bool(const bool *b)
{
	uint8_t v;

	memcpy(&v, b, sizeof(v));
	return v <= 1;
}

bool msg_engine_ok(const struct msg_engine *m)
{
	if (m->kind == MSG_INNER_WANTED)
		return m->ipv4 <= 1 && m->count >= 1 && m->count <= MSG_FDS_MAX;
	return m->kind == MSG_RUNNING || m->kind == MSG_TAP_GONE || m->kind == MSG_SYNCED ||
	       m->kind == MSG_VIEWED;
}

bool msg_ports_ok(const struct msg_ports *m)
{
	return m->kind == MSG_PORTS && m->proto < CONF_PROTO_COUNT;
}

bool msg_forward_ok(const struct msg_forward *m)
{
	if (m->kind == MSG_SYNC || m->kind == MSG_VIEW)
		return true;
	if (m->idx >= FORWARD_MAX)
		return false;
	return m->kind == MSG_FORWARD_CLOSE ||
	       (m->kind == MSG_FORWARD_OPEN && m->forward.proto < CONF_PROTO_COUNT &&
		m->forward.port && m->forward.to_port && is_bool(&m->forward.queued) &&
		is_bool(&m->forward.reverse));
}

bool msg_setup_ok(const struct msg_setup *m)
{
	return m->kind == MSG_SETUP && netcfg_ok(&m->net);
}

bool msg_network_ok(const struct msg_network *m)
{
	return m->kind == MSG_NETWORK && netcfg_ok(&m->net);
}

bool msg_move_ok(const struct msg_move *m)
{
	return m->kind == MSG_MOVE && netcfg_ok(&m->was) && netcfg_ok(&m->now) &&
	       strcmp(m->was.ifname, m->now.ifname) == 0;
}

static bool inner_ok(const struct msg_inner *m, uint32_t kind)
{
	return m->kind == kind && m->ipv4 <= 1 && m->count <= MSG_FDS_MAX;
}

bool msg_inner_ok(const struct msg_inner *m)
{
	return inner_ok(m, MSG_INNER) && m->count;
}

bool msg_inner_done_ok(const struct msg_inner *m, uint32_t n)
{
	return inner_ok(m, MSG_INNER_DONE) && n <= m->count;
}

bool msg_listen_ok(const struct msg_listen *m)
{
	return m->kind == MSG_LISTEN && addr_is_loopback(&m->addr) && m->port;
}

bool msg_listen_done_ok(const struct msg_listen_done *m)
{
	return m->kind == MSG_LISTEN_DONE && m->error <= 0 && addr_is_loopback(&m->addr) && m->port;
}

static bool err_ok(const struct err *e)
{
	return terminated(e->msg, sizeof(e->msg)) && terminated(e->details, sizeof(e->details));
}

bool msg_moved_ok(const struct msg_moved *m)
{
	return m->kind == MSG_MOVED && m->ipv6_left_out <= 1 && err_ok(&m->err);
}

bool msg_setup_done_ok(const struct msg_setup_done *m)
{
	return m->kind == MSG_SETUP_DONE && !(m->features & ~FEATURES_ALL) &&
	       m->ipv6_left_out <= 1 && err_ok(&m->err);
}
