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
#include "io/sockaddr.h"
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

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int make_socket(const struct flow *f)
{
	static const int types[FLOW_PROTO_COUNT] = {
		[FLOW_TCP] = SOCK_STREAM, [FLOW_UDP] = SOCK_DGRAM, [FLOW_PING] = SOCK_DGRAM,
	};
	bool v4 = addr_is4(&f->outer);
	int proto = 0, fd;

	if (f->key.proto == FLOW_PING)
		proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	fd = socket(v4 ? AF_INET : AF_INET6, types[f->key.proto] | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    proto);
	return fd < 0 ? -errno : fd;
}

/* The container's source port, or echo identifier, where it is free here; else
 * the kernel chooses. */
static void keep_port(int fd, const struct flow *f)
{
	const struct addr any = addr_is4(&f->outer) ? addr_from4("\0\0\0\0") : ADDR_ANY;
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &any, f->key.inner_port, 0);

	if (bind(fd, &sa.sa, len) < 0)
		return;		/* taken, or below 1024 without the right: not fatal */
}

void sock_stream_options(int fd)
{
	/* The container did Nagle's waiting; urgent bytes stay in the stream, or
	 * MSG_PEEK offsets would not be sequence numbers. */
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	/* A remote that vanished while nothing is said is found by the host's own
	 * probes (tcp_keepalive_time), however long that takes. */
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void sock_linger(int fd, bool reset)
{
	const struct linger how = { .l_onoff = reset, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &how, sizeof(how));
}

static int prepare_stream(struct ctx *c, int fd)
{
	sock_stream_options(fd);
	return c->peek ? set_int(fd, SOL_SOCKET, SO_PEEK_OFF, 0) : 0;
}

static int prepare(struct ctx *c, struct flow *f, int fd)
{
	switch (f->key.proto) {
	case FLOW_TCP:
		return prepare_stream(c, fd);
	case FLOW_UDP:
		set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RCVBUF);
		if (c->io->udp_gso)
			set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
		keep_port(fd, f);
		return 0;
	default:
		keep_port(fd, f);
		return 0;
	}
}

void sock_complain(struct ctx *c, const struct flow *f, int rc)
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
		sock_complain(c, f, fd);
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
			sock_complain(c, f, rc);	/* ports, memory, epoll's own limit */
		return rc;
	}
	f->sock = fd;
	return rc;
}

int port_accept(struct ctx *c, const struct forward *fwd, struct addr *peer, uint16_t *port,
		struct addr *local)
{
	union sockaddr_any sa;
	socklen_t len;
	int fd;

	(void)c;
	do {
		len = sizeof(sa);
		fd = accept4(fwd->sock, &sa.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)	/* EINVAL: it does not listen at the moment ("ready") */
		return errno == EINVAL ? -EAGAIN : -errno;
	sockaddr_read(&sa, peer, port);
	len = sizeof(sa);
	if (local && getsockname(fd, &sa.sa, &len) == 0)
		sockaddr_read(&sa, local, NULL);
	else if (local)
		*local = ADDR_ANY;
	return fd;
}

int port_adopt(struct ctx *c, struct flow *f, int sock)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = io_ref(IO_REF_FLOW, f->gen, flow_idx(&c->flows, f)),
	};
	int rc = prepare_stream(c, sock);

	f->sock = sock;
	if (rc < 0)
		return rc;
	return epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, sock, &ev) < 0 ? -errno : 0;
}

static void close_by_rst(int fd)
{
	sock_linger(fd, true);
	close(fd);
}

void port_refuse(struct ctx *c, int sock)
{
	(void)c;
	close_by_rst(sock);
}

int sock_listen(struct ctx *c, uint32_t idx)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLET, .data.u64 = io_ref(IO_REF_LISTEN, 0, idx),
	};

	return epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, c->forwards.list[idx].sock, &ev) < 0 ?
	       -errno : 0;
}

void port_close(struct ctx *c, struct flow *f, bool abort)
{
	(void)c;
	if (f->sock < 0)
		return;
	if (abort)
		close_by_rst(f->sock);
	else
		close(f->sock);	/* and out of epoll: nobody else has this description */
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

union control {		/* the segments' size, and an address of the host */
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* One more control message; the buffer is large enough for those we know. */
static void put_control(struct msghdr *m, union control *ctl, int level, int type,
			const void *data, size_t len)
{
	struct cmsghdr *h = (struct cmsghdr *)(void *)(ctl->buf + m->msg_controllen);

	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(h), data, len);
	m->msg_control = ctl->buf;
	m->msg_controllen += CMSG_SPACE(len);
}

/* Of a client's flow: the answer leaves from where the client's datagram came to. */
static void put_local(struct msghdr *m, union control *ctl, const struct flow *f, bool v6_socket)
{
	struct in6_pktinfo v6 = { .ipi6_ifindex = f->dg.local_scope };
	struct in_pktinfo v4 = { .ipi_ifindex = 0 };

	if (addr_is_any(&f->dg.local))
		return;
	memcpy(&v6.ipi6_addr, f->dg.local.b, sizeof(v6.ipi6_addr));
	memcpy(&v4.ipi_spec_dst, f->dg.local.b + 12, sizeof(v4.ipi_spec_dst));
	if (v6_socket)
		put_control(m, ctl, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	else
		put_control(m, ctl, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
}

/* The socket a flow sends by, and where to, if it is not connected. */
struct sending {
	int fd;
	bool v6_socket;
	union sockaddr_any to;
	socklen_t to_len;	/* 0: connected */
};

static int sending_of(struct ctx *c, const struct flow *f, struct sending *ret)
{
	const struct forward *fwd;

	*ret = (struct sending){ .fd = f->sock };
	if (f->key.proto != FLOW_UDP || f->dg.via == FORWARD_NONE)
		return 0;
	fwd = forward_at(&c->forwards, f->dg.via);
	if (!fwd)
		return -ENOTCONN;
	ret->fd = fwd->sock;
	ret->v6_socket = !addr_is4(&fwd->addr);
	ret->to_len = ret->v6_socket ?
		      sockaddr_make6(&ret->to, &f->outer, f->outer_port, f->outer_scope) :
		      sockaddr_make(&ret->to, &f->outer, f->outer_port, 0);
	return 0;
}

int port_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	struct mmsghdr m[MESSAGES_MAX];
	union control ctl[MESSAGES_MAX];
	struct sending by;
	int done = sending_of(c, f, &by);

	if (done < 0)
		return done;
	n = MIN_OF(n, MESSAGES_MAX);
	if (n && d[0].gso_size && !c->io->udp_gso)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		m[i].msg_hdr = (struct msghdr){ .msg_iov = d[i].iov, .msg_iovlen = d[i].niov };
		if (by.to_len) {
			m[i].msg_hdr.msg_name = &by.to;
			m[i].msg_hdr.msg_namelen = by.to_len;
			put_local(&m[i].msg_hdr, &ctl[i], f, by.v6_socket);
		}
		if (d[i].gso_size && !c->io->udp_gso)
			n = i;
		else if (d[i].gso_size)
			put_control(&m[i].msg_hdr, &ctl[i], IPPROTO_UDP, UDP_SEGMENT,
				    &d[i].gso_size, sizeof(d[i].gso_size));
	}
	do {
		done = sendmmsg(by.fd, m, n, MSG_NOSIGNAL | MSG_DONTWAIT);
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

static void take_message(struct ctx *c, struct mmsghdr *m, struct port_dgram *d)
{
	d->len = m->msg_len;
	d->gso_size = c->io->udp_gso ? got_segment(&m->msg_hdr) : 0;
	if (d->gso_size >= d->len)
		d->gso_size = 0;
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
	for (int i = 0; i < done; i++)
		take_message(c, &m[i], &d[i]);
	return done;
}

/* Where a datagram came to: the address, and the interface if that is needed to
 * answer (link-local). IPv4 on a socket of both families is told as IPv6. */
static void got_local(struct msghdr *m, struct port_client *from)
{
	struct in6_pktinfo v6;
	struct in_pktinfo v4;

	from->local = ADDR_ANY;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(h), sizeof(v6));
			from->local = addr_from6(&v6.ipi6_addr);
			from->scope = addr_is_linklocal6(&from->peer) ? v6.ipi6_ifindex : 0;
		} else if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(h), sizeof(v4));
			from->local = addr_from4(&v4.ipi_spec_dst);
		}
	}
	/* What was sent to a group cannot be answered from its address. */
	if (!addr_is_unicast(&from->local) && !addr_is_loopback(&from->local))
		from->local = ADDR_ANY;
}

int port_dgram_from(struct ctx *c, const struct forward *fwd, struct port_dgram *d,
		    struct port_client *client, unsigned int n)
{
	union sockaddr_any sa[CTX_DGRAMS];
	struct mmsghdr m[CTX_DGRAMS];
	union control ctl[CTX_DGRAMS];
	int done;

	n = MIN_OF(n, CTX_DGRAMS);
	for (unsigned int i = 0; i < n; i++)
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &sa[i], .msg_namelen = sizeof(sa[i]),
			.msg_iov = d[i].iov, .msg_iovlen = d[i].niov,
			.msg_control = ctl[i].buf, .msg_controllen = sizeof(ctl[i].buf),
		};
	do {
		done = recvmmsg(fwd->sock, m, n, MSG_DONTWAIT, NULL);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	for (int i = 0; i < done; i++) {
		take_message(c, &m[i], &d[i]);
		client[i] = (struct port_client){ .scope = 0 };
		sockaddr_read(&sa[i], &client[i].peer, &client[i].port);
		got_local(&m[i].msg_hdr, &client[i]);
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
