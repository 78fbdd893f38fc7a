/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock: the host sockets of flows: the part of proto/port.h that is not the
 * tap. All are non-blocking and watched edge-triggered, once, for good. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "io/io.h"
#include "proto/port.h"

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define UDP_RCVBUF	(4 << 20)	/* asked for; the host's rmem_max decides */
#define MESSAGES_MAX	128u		/* of one port_dgram_send() */

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t sockaddr_make(union sockaddr_any *sa, const struct addr *a, uint16_t port,
			       uint32_t scope)
{
	memset(sa, 0, sizeof(*sa));
	if (addr_is4(a)) {
		sa->v4.sin_family = AF_INET;
		sa->v4.sin_port = htons(port);
		memcpy(&sa->v4.sin_addr, addr_bytes(a), 4);
		return sizeof(sa->v4);
	}
	sa->v6.sin6_family = AF_INET6;
	sa->v6.sin6_port = htons(port);
	sa->v6.sin6_scope_id = scope;
	memcpy(&sa->v6.sin6_addr, a->b, 16);
	return sizeof(sa->v6);
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int make_socket(const struct flow *f)
{
	static const int types[FLOW_PROTO_COUNT] = { SOCK_STREAM, SOCK_DGRAM, SOCK_DGRAM };
	bool v4 = addr_is4(&f->outer);
	int proto = 0, fd;

	if (f->key.proto == FLOW_PING)
		proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	fd = socket(v4 ? AF_INET : AF_INET6, types[f->key.proto] | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    proto);
	return fd < 0 ? -errno : fd;
}

static int bind_to(int fd, const struct addr *a, uint16_t port)
{
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, a, port, 0);

	return bind(fd, &sa.sa, len) < 0 ? -errno : 0;
}

/* The configured source address for f, or NULL: the kernel chooses. */
static const struct addr *outbound_address(const struct conf *conf, const struct flow *f)
{
	for (uint32_t i = 0; i < conf->noutbound; i++)
		if (addr_is4(&conf->outbound[i]) == addr_is4(&f->outer))
			return &conf->outbound[i];
	return NULL;
}

/* Ties the socket to the configured interface (without a right since Linux 5.7), but
 * for the host itself: what is local never leaves by it. */
static int bind_device(const struct ctx *c, const struct flow *f, int fd)
{
	const char *name = c->conf->outbound_ifname;
	bool local = addr_eq(&f->outer, &c->net->host4) || addr_eq(&f->outer, &c->net->host6);

	if (!name[0] || local)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ?
	       -errno : 0;
}

/* The container's source port, or echo identifier, where it is free here; else the
 * kernel chooses: it may be taken, or below 1024 without the right. */
static int keep_port(int fd, const struct flow *f, const struct addr *from)
{
	const struct addr any = addr_is4(&f->outer) ? addr_from4("\0\0\0\0") : ADDR_ANY;

	if (bind_to(fd, from ? from : &any, f->key.inner_port) == 0 || !from)
		return 0;
	return bind_to(fd, from, 0);
}

/* Without a port: it is chosen at the connect, when the kernel knows that only the
 * whole tuple must be its own. */
static int bind_stream(int fd, const struct addr *from)
{
	if (!from)
		return 0;
	set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind_to(fd, from, 0);
}

static int prepare(struct ctx *c, struct flow *f, int fd)
{
	const struct addr *from = outbound_address(c->conf, f);
	int rc = bind_device(c, f, fd);

	if (rc < 0)
		return rc;
	switch (f->key.proto) {
	case FLOW_TCP:
		/* The container did Nagle's waiting; urgent bytes stay in the
		 * stream, or MSG_PEEK offsets would not be sequence numbers. */
		set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1);
		/* A remote that vanished while nothing is said is found by the
		 * host's own probes (tcp_keepalive_time), however long that takes. */
		set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
		if (c->peek && (rc = set_int(fd, SOL_SOCKET, SO_PEEK_OFF, 0)) < 0)
			return rc;
		return bind_stream(fd, from);
	case FLOW_UDP:
		set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RCVBUF);
		if (c->io->udp_gso)
			set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
		return keep_port(fd, f, from);
	default:
		return keep_port(fd, f, from);
	}
}

/* What a person can mend, said once a minute. */
static void complain(struct ctx *c, const struct flow *f, int rc)
{
	bool ping = f->key.proto == FLOW_PING && (rc == -EACCES || rc == -EPERM);
	struct log_limit *limit = ping ? &c->io->no_ping : &c->io->no_socket;
	struct rlimit files = { .rlim_cur = 0 };

	if (!log_allowed(limit, c->now))
		return;
	if (ping) {
		log_warn("echo requests are dropped: net.ipv4.ping_group_range leaves group %u out;"
			 " as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"",
			 (unsigned int)getegid());
		return;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	log_warn("no socket for a new %s flow: %s; flows=%u, limit of open files %llu, more since"
		 " the last such line: %llu", flow_proto_names[f->key.proto], strerror(-rc),
		 c->flows.count, (unsigned long long)files.rlim_cur,
		 (unsigned long long)limit->last_swallowed);
}

int port_open(struct ctx *c, struct flow *f)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLET,
		.data.u64 = io_ref(IO_REF_FLOW, f->gen, flow_idx(&c->flows, f)),
	};
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &f->outer, f->outer_port, f->outer_scope);
	int fd = make_socket(f), rc;

	if (fd < 0) {
		complain(c, f, fd);
		return fd;
	}
	rc = prepare(c, f, fd);
	if (rc == 0 && connect(fd, &sa.sa, len) < 0)
		rc = -errno;
	if (rc == 0 || rc == -EINPROGRESS) {
		if (f->key.proto == FLOW_TCP)
			ev.events |= EPOLLOUT | EPOLLRDHUP;
		if (epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
			rc = -errno;
	}
	if (rc < 0 && rc != -EINPROGRESS) {
		close(fd);
		if (rc == -EADDRNOTAVAIL || rc == -EAGAIN || rc == -ENOBUFS || rc == -ENOSPC)
			complain(c, f, rc);	/* ports, memory, epoll's own limit */
		return rc;
	}
	f->sock = fd;
	return rc;
}

void port_close(struct ctx *c, struct flow *f, bool abort)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)c;
	if (f->sock < 0)
		return;
	if (abort)
		setsockopt(f->sock, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(f->sock);		/* and out of epoll: nobody else has this description */
	f->sock = -1;
}

int port_error(struct ctx *c, struct flow *f)
{
	int err = 0;
	socklen_t len = sizeof(err);

	(void)c;
	if (getsockopt(f->sock, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	return -err;
}

ssize_t port_send(struct ctx *c, struct flow *f, const struct iovec *iov, int n)
{
	const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov,
				  .msg_iovlen = (size_t)n };
	ssize_t done;

	(void)c;
	do {
		done = sendmsg(f->sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

int port_shutdown(struct ctx *c, struct flow *f)
{
	(void)c;
	return shutdown(f->sock, SHUT_WR) < 0 ? -errno : 0;
}

ssize_t port_recv(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool peek)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };
	ssize_t done;

	(void)c;
	do {
		done = recvmsg(f->sock, &m, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

int port_peek_seek(struct ctx *c, struct flow *f, uint32_t off)
{
	(void)c;
	return set_int(f->sock, SOL_SOCKET, SO_PEEK_OFF, (int)off);
}

ssize_t port_discard(struct ctx *c, struct flow *f, uint32_t n)
{
	ssize_t done;

	(void)c;
	do {
		done = recv(f->sock, NULL, n, MSG_TRUNC | MSG_DONTWAIT);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

static void put_segment(struct msghdr *m, union control *ctl, uint16_t size)
{
	struct cmsghdr *h;

	m->msg_control = ctl->buf;
	m->msg_controllen = CMSG_SPACE(sizeof(size));
	h = CMSG_FIRSTHDR(m);
	h->cmsg_level = IPPROTO_UDP;
	h->cmsg_type = UDP_SEGMENT;
	h->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(h), &size, sizeof(size));
}

int port_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	struct mmsghdr m[MESSAGES_MAX];
	union control ctl[MESSAGES_MAX];
	int done;

	n = MIN_OF(n, MESSAGES_MAX);
	if (n && d[0].gso_size && !c->io->udp_gso)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		m[i].msg_hdr = (struct msghdr){ .msg_iov = d[i].iov, .msg_iovlen = d[i].niov };
		if (d[i].gso_size && !c->io->udp_gso)
			n = i;
		else if (d[i].gso_size)
			put_segment(&m[i].msg_hdr, &ctl[i], d[i].gso_size);
	}
	do {
		done = sendmmsg(f->sock, m, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

static uint16_t got_segment(struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		int size;

		if (h->cmsg_level != IPPROTO_UDP || h->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(h), sizeof(size));
		return (uint16_t)size;
	}
	return 0;
}

/* A ping socket hears every reply to its identifier, whoever sent it. */
static bool from_peer(const struct flow *f, const union sockaddr_any *sa)
{
	if (addr_is4(&f->outer))
		return memcmp(&sa->v4.sin_addr, addr_bytes(&f->outer), 4) == 0;
	return memcmp(&sa->v6.sin6_addr, f->outer.b, 16) == 0;
}

static int recv_ping(struct flow *f, struct port_dgram *d)
{
	union sockaddr_any sa;
	socklen_t len;
	ssize_t n;

	do {
		len = sizeof(sa);
		n = recvfrom(f->sock, d->iov->iov_base, d->iov->iov_len, MSG_DONTWAIT, &sa.sa,
			     &len);
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (n < 0 || !from_peer(f, &sa));
	d->len = (uint32_t)n;
	d->gso_size = 0;
	return 1;
}

int port_dgram_recv(struct ctx *c, struct flow *f, struct port_dgram *d, unsigned int n)
{
	struct mmsghdr m[CTX_DGRAMS];
	union control ctl[CTX_DGRAMS];
	int done;

	if (f->key.proto == FLOW_PING)
		return recv_ping(f, d);
	n = MIN_OF(n, CTX_DGRAMS);
	for (unsigned int i = 0; i < n; i++) {
		m[i].msg_hdr = (struct msghdr){ .msg_iov = d[i].iov, .msg_iovlen = d[i].niov };
		if (c->io->udp_gso) {
			m[i].msg_hdr.msg_control = ctl[i].buf;
			m[i].msg_hdr.msg_controllen = sizeof(ctl[i].buf);
		}
	}
	do {
		done = recvmmsg(f->sock, m, n, MSG_DONTWAIT, NULL);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	for (int i = 0; i < done; i++) {
		d[i].len = m[i].msg_len;
		d[i].gso_size = c->io->udp_gso ? got_segment(&m[i].msg_hdr) : 0;
		if (d[i].gso_size >= d[i].len)
			d[i].gso_size = 0;
	}
	return done;
}

static bool probe(int family, int type, int level, int name, int value)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0), rc = -1;

	if (fd < 0)
		return errno == EAFNOSUPPORT;	/* a family the host lacks takes no part */
	rc = set_int(fd, level, name, value);
	close(fd);
	return rc == 0;
}

void sock_probe(struct ctx *c)
{
	uint32_t without = c->conf->without;

	c->peek = !(without & CONF_WITHOUT_PEEK) &&
		  probe(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0) &&
		  probe(AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0);
	c->io->udp_gso = !(without & CONF_WITHOUT_UDPGSO) &&
			 probe(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_GRO, 1) &&
			 probe(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_SEGMENT, 1000);
}
