/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg: one message, one record, at most one descriptor. Nothing here allocates,
 * nothing keeps state, and whatever does not fit its contract is refused whole:
 * the other side may be a process that a container has taken over.
 */
#include "main/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/tun.h"

#define FEATURES_ALL	((uint32_t)(TUN_F_VNETHDR | TUN_F_CHECKSUM | TUN_F_TSO | TUN_F_UDPSEG))

union control {			/* aligned as the kernel wants it, room for one descriptor */
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

int msg_send(int sock, const void *msg, size_t len, int fd)
{
	union control ctl = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)msg, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		mh.msg_control = ctl.buf;
		mh.msg_controllen = sizeof(ctl.buf);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &mh, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* The one descriptor the control buffer has room for, or -1. */
static int attached(struct msghdr *mh)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(mh);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int msg_recv(int sock, void *msg, size_t len, int *fd)
{
	union control ctl = { .buf = { 0 } };
	struct iovec iov = { .iov_base = msg, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		/* msg_controllen asks for one descriptor, not for what padding
		 * would let through besides. */
		.msg_control = ctl.buf, .msg_controllen = CMSG_LEN(sizeof(int)),
	};
	FD_OWNED int got = -1;
	ssize_t n;

	if (fd)
		*fd = -1;
	do {
		n = recvmsg(sock, &mh, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	got = attached(&mh);
	if (n == 0 && got < 0)
		return -EPIPE;
	if ((size_t)n != len || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (got >= 0 && !fd))
		return -EBADMSG;
	if (fd)
		*fd = fd_take(&got);
	return 0;
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

static bool prefix_ok(const struct prefix *p)
{
	return p->len <= addr_size(&p->addr) * 8;
}

static bool route_ok(const struct route *r)
{
	return prefix_ok(&r->dst) && is_bool(&r->onlink) &&
	       (addr_is_any(&r->gw) || addr_is4(&r->gw) == addr_is4(&r->dst.addr));
}

static bool netcfg_ok(const struct netcfg *n)
{
	if (!terminated(n->ifname, sizeof(n->ifname)) || !conf_ifname_ok(n->ifname) ||
	    !terminated(n->outer_ifname4, sizeof(n->outer_ifname4)) ||
	    !terminated(n->outer_ifname6, sizeof(n->outer_ifname6)))
		return false;
	if (n->mtu < CONF_MTU_MIN || n->mtu > CONF_MTU_MAX || !mac_is_usable(&n->mac) ||
	    n->naddresses > CONF_ADDRS_MAX || n->nroutes > CONF_ROUTES_MAX ||
	    n->nnameservers > CONF_NAMESERVERS_MAX || !is_bool(&n->configure))
		return false;
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (!prefix_ok(&n->addresses[i]))
			return false;
	for (uint32_t i = 0; i < n->nroutes; i++)
		if (!route_ok(&n->routes[i]))
			return false;
	return true;
}

bool msg_engine_ok(const struct msg_engine *m)
{
	return m->kind == MSG_RUNNING || m->kind == MSG_TAP_GONE;
}

bool msg_setup_ok(const struct msg_setup *m)
{
	return m->kind == MSG_SETUP && netcfg_ok(&m->net);
}

bool msg_setup_done_ok(const struct msg_setup_done *m)
{
	return m->kind == MSG_SETUP_DONE && !(m->features & ~FEATURES_ALL) &&
	       m->ipv6_left_out <= 1 && terminated(m->err.msg, sizeof(m->err.msg)) &&
	       terminated(m->err.details, sizeof(m->err.details));
}
