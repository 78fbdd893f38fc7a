/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/rawping.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>

#include "base/siphash.h"
#include "io/ancillary.h"
#include "io/io.h"
#include "io/sockaddr.h"
#include "proto/icmp.h"
#include "wire/ip.h"
#include "wire/numbers.h"

#define BATCH		32	/* messages, and errors, of one turn */
#define QUOTED_MAX	1280u	/* of the packet an error is about (RFC 4443, 2.4 (c)) */
#define SEND_TRIES	4	/* each error about another flow's packet fails one send */

static int icmp_socket(bool v4, int type)
{
	return socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* Errors are not filtered by it: they come through the error queue. */
static int only_replies(int fd, bool v4)
{
	const struct icmp_filter filter4 = { .data = ~(1u << ICMP4_ECHO_REPLY) };
	struct icmp6_filter filter6;

	if (v4)
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter4, sizeof(filter4));
	memset(&filter6, 0xff, sizeof(filter6));
	filter6.data[ICMP6_ECHO_REPLY / 32] &= ~(1u << ICMP6_ECHO_REPLY % 32);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, &filter6, sizeof(filter6));
}

int rawping_open(bool v4)
{
	int fd = icmp_socket(v4, SOCK_DGRAM);

	if (fd >= 0) {
		close(fd);
		return -1;
	}
	fd = icmp_socket(v4, SOCK_RAW);
	if (fd < 0)
		return -1;
	if (only_replies(fd, v4) < 0) {
		close(fd);
		return -1;
	}
	ancillary_want(fd, v4);
	ancillary_want_errors(fd, v4, true);
	return fd;
}

int rawping_use(struct ctx *c, const int fd[2])
{
	struct rawping *r = &c->io->rawping;

	for (uint32_t i = 0; i < 2; i++) {
		struct epoll_event ev = { .events = EPOLLIN, .data.u64 = io_ref(IO_REF_RAWPING, 0, i) };
		const struct flow_ip first = { .ttl = IP_DEFAULT_TTL, .df = true };

		r->fd[i] = fd[i];
		if (fd[i] < 0)
			continue;
		ancillary_set_ip(fd[i], i == 0, false, &first, NULL);
		r->df[i] = true;
		if (epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, fd[i], &ev) < 0)
			return -errno;
	}
	return 0;
}

/* An identifier by chance, not the container's: the sockets of other attachments hear
 * the replies too, and their programs may well have chosen the same. */
int rawping_take(struct ctx *c, struct flow *f)
{
	struct rawping *r = &c->io->rawping;
	int fd = r->fd[!addr_is4(&f->outer)];
	uint64_t start;

	if (fd < 0)
		return -EACCES;
	start = siphash(&c->isn_key, &f->key, sizeof(f->key));
	for (uint32_t i = 0; i < RAWPING_IDS; i++) {
		uint16_t id = (uint16_t)(start + i);

		if (r->flows[id])
			continue;
		r->flows[id] = flow_idx(&c->flows, f) + 1;
		f->dg.outer_id = id;
		f->dg.raw = true;
		f->sock = fd;
		return 0;
	}
	return -ENOSPC;		/* no identifier is left: admit.c counts it as a cap */
}

void rawping_give(struct ctx *c, struct flow *f)
{
	c->io->rawping.flows[f->dg.outer_id] = 0;
	f->sock = -1;
}

static void set_df(struct rawping *r, int fd, bool v4, bool df)
{
	const struct flow_ip was = { .ttl = IP_DEFAULT_TTL, .df = !df };
	const struct flow_ip now = { .ttl = IP_DEFAULT_TTL, .df = df };

	if (r->df[!v4] != df)
		ancillary_set_ip(fd, v4, false, &now, &was);
	r->df[!v4] = df;
}

/* Sends it. An error may be one that came for another packet, and is met but once;
 * rawping_readable() hears of it too. */
static ssize_t send_message(int fd, const struct msghdr *m)
{
	ssize_t done = -1;

	for (int i = 0; done < 0 && i < SEND_TRIES; i++) {
		done = sendmsg(fd, m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (done < 0 && errno == EAGAIN)
			break;
	}
	return done;
}

int rawping_send(struct ctx *c, struct flow *f, const struct port_dgram *d)
{
	const struct flow_ip none = { .ttl = 0 };	/* the socket's is nobody's */
	bool v4 = addr_is4(&f->outer);
	struct rd r = rd_init(d->iov->iov_base, d->iov->iov_len);
	uint8_t head[ICMP_HLEN];
	struct wr w = wr_init(head, sizeof(head));
	union sockaddr_any to;
	union ancillary a;
	struct iovec iov[2];
	struct msghdr m = { .msg_name = &to, .msg_iov = iov, .msg_iovlen = 2 };
	struct icmp h;

	if (icmp_read(&r, !v4, &h) != WIRE_OK)
		return -EINVAL;
	icmp_renumber(&h, f->dg.outer_id);	/* ICMPv6: the kernel makes its sum anew */
	icmp_write_echo(&w, &h);
	iov[0] = (struct iovec){ head, sizeof(head) };
	iov[1] = (struct iovec){ (void *)(uintptr_t)r.p, r.left };
	m.msg_namelen = sockaddr_make(&to, &f->outer, 0, f->outer_scope);
	ancillary_put(&m, &a, v4, d, &none);
	set_df(&c->io->rawping, f->sock, v4, d->ip.df);
	if (send_message(f->sock, &m) >= 0)
		return 1;
	c->io->rawping.refused = errno == EMSGSIZE;
	return -errno;
}

/* What the host knows of the way to f's remote: 0 if it cannot be had. */
static uint32_t path_mtu(const struct flow *f)
{
	bool v4 = addr_is4(&f->outer);
	union sockaddr_any to;
	socklen_t len = sockaddr_make(&to, &f->outer, 9, f->outer_scope), size = sizeof(int);
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = 0;

	if (fd < 0)
		return 0;
	if (connect(fd, &to.sa, len) == 0)
		getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &size);
	close(fd);
	return mtu > 0 ? (uint32_t)mtu : 0;
}

/* The queue's own entry of it stands behind others' errors: rawping_readable() drops it. */
int rawping_refusal(struct ctx *c, struct flow *f, struct port_err *ret)
{
	if (!c->io->rawping.refused)
		return -EAGAIN;
	c->io->rawping.refused = false;
	*ret = (struct port_err){ .local = true, .err = -EMSGSIZE, .mtu = path_mtu(f),
				  .dst = f->outer };
	return 0;
}

/* The flow whose echo message this is, or was, to or from that address. */
static struct flow *owner(struct ctx *c, const struct addr *remote, const void *msg, size_t len)
{
	struct rd r = rd_init(msg, len);
	struct icmp h;
	uint32_t idx;
	struct flow *f;

	if (icmp_read(&r, !addr_is4(remote), &h) != WIRE_OK)
		return NULL;
	idx = c->io->rawping.flows[h.echo.id];
	f = idx ? flow_at(&c->flows, idx - 1) : NULL;
	return f && addr_eq(&f->outer, remote) ? f : NULL;
}

static void read_errors(struct ctx *c, int fd)
{
	uint8_t data[QUOTED_MAX];
	struct port_err e;

	for (int i = 0; i < BATCH && ancillary_error(fd, &e, data, sizeof(data)) == 0; i++) {
		struct flow *f = e.local ? NULL : owner(c, &e.dst, data, e.len);

		if (f)
			icmp_tell(c, f, &e, data);
	}
}

/* One reply into *d, whose bytes are behind the IP header a raw IPv4 socket gives. */
static int receive(struct ctx *c, int fd, bool v4, struct port_dgram *d, struct addr *from)
{
	union sockaddr_any sa;
	union ancillary a;
	struct msghdr m = { .msg_name = &sa, .msg_namelen = sizeof(sa), .msg_iov = d->iov,
			    .msg_iovlen = 1 };
	struct rd r;
	struct ip ip;
	ssize_t n;

	*d->iov = (struct iovec){ c->hot, CTX_HOT_SIZE };
	ancillary_room(&m, &a);
	n = recvmsg(fd, &m, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	ancillary_get(&m, d);
	sockaddr_read(&sa, from, NULL);
	r = rd_init(c->hot, (size_t)n);
	if (v4 && ip4_read(&r, &ip, &r) != WIRE_OK)
		r = rd_init(NULL, 0);
	d->iov->iov_base = c->hot + (v4 && r.left ? ip.hdr_len : 0);
	d->len = (uint32_t)r.left;
	return 0;
}

void rawping_readable(struct ctx *c, bool v4)
{
	int fd = c->io->rawping.fd[!v4];
	struct iovec iov;
	struct port_dgram d = { .iov = &iov, .niov = 1 };
	struct addr from;
	struct flow *f;

	read_errors(c, fd);
	for (int i = 0; i < BATCH; i++) {
		int rc = receive(c, fd, v4, &d, &from);

		if (rc == -EAGAIN)
			return;
		f = rc == 0 && addr_is4(&from) == v4 ?
		    owner(c, &from, iov.iov_base, d.len) : NULL;
		if (f)
			icmp_reply(c, f, &d);
	}
}
