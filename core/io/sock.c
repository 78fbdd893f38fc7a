/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock: the host sockets of flows: the part of proto/port.h that is not the
 * tap. All are non-blocking and watched edge-triggered, once, for good. */
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "io/ancillary.h"
#include "io/inner.h"
#include "io/io.h"
#include "io/near.h"
#include "io/rawping.h"
#include "io/sockaddr.h"
#include "proto/group.h"
#include "proto/port.h"
#include "proto/udp.h"

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif

#ifndef IP_UNICAST_IF
#define IP_UNICAST_IF 50
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

#define UDP_RCVBUF	(4 << 20)	/* asked for; the host's rmem_max decides */
#define STRANGERS_MAX	64		/* datagrams looked at of those between bind() and connect() */
#define KEEP_INTERVAL_S	75		/* at most between probes that nobody answers: tcp(7) */
#define MESSAGES_MAX	128u		/* of one port_dgram_send() */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int make_socket(const struct flow *f)
{
	static const int types[FLOW_PROTO_COUNT] = {
		[FLOW_TCP] = SOCK_STREAM, [FLOW_UDP] = SOCK_DGRAM, [FLOW_PING] = SOCK_DGRAM,
		[FLOW_DNS] = SOCK_DGRAM,
	};
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

/* The configured source address for f, or NULL: the kernel chooses, for a resolver on the
 * host's loopback in any case. */
static const struct addr *outbound_address(const struct conf *conf, const struct flow *f)
{
	if (addr_is_loopback(&f->outer))
		return NULL;
	for (uint32_t i = 0; i < conf->noutbound; i++)
		if (addr_is4(&conf->outbound[i]) == addr_is4(&f->outer))
			return &conf->outbound[i];
	return NULL;
}

/* Ties the socket to the configured interface (without a right since Linux 5.7), but
 * for the host itself: what is local never leaves by it. */
static int bind_device(const struct ctx *c, const struct flow *f, int fd)
{
	const char *name = addr_is4(&f->outer) ? c->conf->outbound_ifname4
						: c->conf->outbound_ifname6;
	bool local = addr_eq(&f->outer, &c->net->host4) || addr_eq(&f->outer, &c->net->host6) ||
		     addr_is_loopback(&f->outer);

	if (!name[0] || local)
		return 0;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ?
	       -errno : 0;
}

/* At the configured address, and that port; 0: the kernel chooses. */
static int bind_at(struct ctx *c, int fd, const struct flow *f, uint16_t port)
{
	const struct addr any = addr_is4(&f->outer) ? addr_from4("\0\0\0\0") : ADDR_ANY;
	const struct addr *from = outbound_address(c->conf, f);

	return port || from ? bind_to(fd, from ? from : &any, port) : 0;
}

/* The container's source port, or echo identifier, where it is free here; else the
 * kernel chooses: it may be taken, or below 1024 without the right. */
static int keep_port(struct ctx *c, int fd, const struct flow *f)
{
	if (group_shares_port(c, f))
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return bind_at(c, fd, f, f->key.inner_port) == 0 ? 0 : bind_at(c, fd, f, 0);
}

/* Whether it has the port of its endpoint's mapping. Not where the remote is the host by another
 * address: the same program there, spoken to by two, would be two sockets of the same ends. */
static bool has_mapping(struct ctx *c, const struct flow *f)
{
	return f->key.proto == FLOW_UDP && !flow_is_group(f) && !group_shares_port(c, f) &&
	       addr_eq(&f->outer, &f->key.remote);
}

/* At the port that other flows of the container's endpoint have, if there are such. Nobody else's
 * socket can be there: it was taken without SO_REUSEPORT, which all of them have since. */
static int share_port(struct ctx *c, int fd, struct flow *f)
{
	uint32_t map = portmap_find(&c->maps, &f->key.inner, f->key.inner_port, addr_is4(&f->outer));
	struct portmap *m = &c->maps.maps[map];

	if (map == PORTMAP_NONE)
		return keep_port(c, fd, f);
	if (m->flows < PORTMAP_FLOWS && set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) == 0) {
		if (bind_at(c, fd, f, m->outer_port) == 0) {
			f->dg.map = map;
			m->flows++;
			return 0;
		}
		set_int(fd, SOL_SOCKET, SO_REUSEPORT, 0);
	}
	c->count->udp_other_port++;
	return bind_at(c, fd, f, 0);
}

/* What the socket took before it was connected is anybody's. */
static void drop_strangers(int fd)
{
	for (int i = 0; i < STRANGERS_MAX; i++)
		if (recv(fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC) < 0)
			return;
}

/* The endpoint's first flow: others come to the port it has. */
static void remember_port(struct ctx *c, int fd, struct flow *f)
{
	bool v4 = addr_is4(&f->outer);
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct addr local;
	uint16_t port;

	if (f->dg.map != PORTMAP_NONE ||
	    portmap_find(&c->maps, &f->key.inner, f->key.inner_port, v4) != PORTMAP_NONE ||
	    set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || getsockname(fd, &sa.sa, &len) < 0)
		return;
	sockaddr_read(&sa, &local, &port);
	f->dg.map = portmap_add(&c->maps, &f->key.inner, f->key.inner_port, v4, port);
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

void sock_stream_options(int fd)
{
	/* The container did Nagle's waiting; urgent bytes stay in the stream (port_urgent()
	 * finds them), or MSG_PEEK offsets would not be sequence numbers. */
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	/* A remote that vanished while nothing is said is found by the host's own
	 * probes (tcp_keepalive_time), however long that takes; or see port_keepalive(). */
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
	/* An engine that is killed must not look like an orderly end. Until port_shutdown(). */
	sock_linger(fd, true);
	return c->peek ? set_int(fd, SOL_SOCKET, SO_PEEK_OFF, 0) : 0;
}

/* Shares the port of the group with whoever else listens there. */
static int bind_group(int fd, const struct flow *f)
{
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &f->outer, f->outer_port, f->outer_scope);
	int rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (rc == 0 && bind(fd, &sa.sa, len) < 0)
		rc = -errno;
	return rc;
}

/* The interface and the hop limit; and of groups none but those the socket joined itself. */
static int choose_link(int fd, const struct flow *f)
{
	const struct ip_mreqn link = { .imr_ifindex = (int)f->outer_scope };
	int rc;

	if (!addr_is4(&f->outer)) {
		rc = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)f->outer_scope);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, f->ip.ttl);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);	/* Linux >= 4.20 */
		return rc;
	}
	if (addr_is_broadcast(&f->outer)) {
		rc = set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
		return rc < 0 ? rc : set_int(fd, IPPROTO_IP, IP_UNICAST_IF,
					     (int)htonl(f->outer_scope));
	}
	set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, f->ip.ttl);
	set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link)) < 0 ? -errno : 0;
}

static int join_group(int fd, const struct flow *f)
{
	struct ip_mreqn four = { .imr_ifindex = (int)f->outer_scope };
	struct ipv6_mreq six = { .ipv6mr_interface = f->outer_scope };

	if (addr_is4(&f->outer)) {
		memcpy(&four.imr_multiaddr, addr_bytes(&f->outer), 4);
		return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &four, sizeof(four)) < 0 ?
		       -errno : 0;
	}
	memcpy(&six.ipv6mr_multiaddr, f->outer.b, 16);
	return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &six, sizeof(six)) < 0 ? -errno : 0;
}

static int prepare_group(struct ctx *c, int fd, const struct flow *f)
{
	int rc = choose_link(fd, f);

	if (rc < 0)
		return rc;
	if (!addr_is_multicast(&f->outer) || f->key.inner_port != f->outer_port)
		return keep_port(c, fd, f);
	rc = bind_group(fd, f);
	if (!flow_is_listener(f))
		return 0;	/* who only sends does so from another port, as keep_port() has it */
	return rc < 0 ? rc : join_group(fd, f);
}

static int prepare(struct ctx *c, struct flow *f, int fd)
{
	bool v4 = addr_is4(&f->outer);
	const struct addr *from;
	int rc = bind_device(c, f, fd);

	if (rc < 0)
		return rc;
	ancillary_set_ip(fd, v4, f->key.proto == FLOW_TCP, &f->ip, NULL);
	/* What comes back for a SYN is queued for IPv4 in any case (Linux 5.11); of what
	 * goes to a group nothing is told. */
	if (f->key.proto == FLOW_TCP ? !v4 : !flow_is_group(f))
		ancillary_want_errors(fd, v4, true);
	if (f->key.proto != FLOW_TCP)
		ancillary_want(fd, v4);
	switch (f->key.proto) {
	case FLOW_TCP:
		rc = prepare_stream(c, fd);
		return rc < 0 ? rc : bind_stream(fd, outbound_address(c->conf, f));
	case FLOW_UDP:
		if (flow_is_group(f))
			return prepare_group(c, fd, f);
		set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RCVBUF);
		if (c->io->udp_gso)
			set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
		if (!v4)
			set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		return has_mapping(c, f) ? share_port(c, fd, f) : keep_port(c, fd, f);
	case FLOW_DNS:
		/* The kernel picks a port by chance (RFC 5452, 9.2). */
		from = outbound_address(c->conf, f);
		return from ? bind_to(fd, from, 0) : 0;
	default:
		/* Ping sockets are born with it: two of one identifier would take turns
		 * at the replies of either. */
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 0);
		return keep_port(c, fd, f);
	}
}

static void forget_port(struct ctx *c, struct flow *f)
{
	if (f->key.proto == FLOW_UDP)
		portmap_put(&c->maps, &f->dg.map);
}

void sock_complain(struct ctx *c, const struct flow *f, int rc)
{
	bool ping = f->key.proto == FLOW_PING && (rc == -EACCES || rc == -EPERM);
	struct log_limit *limit = ping ? &c->io->no_ping : &c->io->no_socket;

	if (!log_allowed(limit, c->now))
		return;
	if (ping) {
		log_warn("echo requests are dropped: net.ipv4.ping_group_range leaves group %u out"
			 " and there is no right to a raw socket; as root:"
			 " sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"",
			 c->io->group);
		return;
	}
	log_warn("no socket for a new %s flow: %s; flows=%u, limit of open files %llu, more since"
		 " the last such line: %llu", flow_proto_names[f->key.proto], strerror(-rc),
		 c->flows.count, c->io->files_max,
		 (unsigned long long)limit->last_swallowed);
}

int port_open(struct ctx *c, struct flow *f)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLET,
		.data.u64 = io_ref(IO_REF_FLOW, f->gen, flow_idx(&c->flows, f)),
	};
	/* Connected to port 0 of an address a socket hears all of its ports. */
	uint16_t port = udp_hears_any_port(f) ? 0 : f->outer_port;
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &f->outer, port, f->outer_scope);
	int fd = make_socket(f), rc;

	if (f->key.proto == FLOW_PING && (fd == -EACCES || fd == -EPERM) &&
	    rawping_take(c, f) == 0)
		return 0;
	if (fd < 0) {
		sock_complain(c, f, fd);
		return fd;
	}
	rc = prepare(c, f, fd);
	if (rc == 0 && !flow_is_group(f) && connect(fd, &sa.sa, len) < 0)
		rc = -errno;
	if (rc == 0 && f->key.proto == FLOW_UDP && !flow_is_group(f))
		drop_strangers(fd);
	if (rc == 0 || rc == -EINPROGRESS) {
		if (f->key.proto == FLOW_TCP)
			ev.events |= EPOLLOUT | EPOLLRDHUP | EPOLLPRI;
		if (epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
			rc = -errno;
	}
	if (rc < 0 && rc != -EINPROGRESS) {
		close(fd);
		forget_port(c, f);
		if (rc == -EADDRNOTAVAIL || rc == -EAGAIN || rc == -ENOBUFS || rc == -ENOSPC)
			sock_complain(c, f, rc);	/* ports, memory, epoll's own limit */
		return rc;
	}
	f->sock = fd;
	if (has_mapping(c, f))
		remember_port(c, fd, f);
	return rc;
}

int port_relay_open(struct ctx *c, struct flow *f)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLET,
		.data.u64 = io_ref(IO_REF_FLOW, f->gen, flow_idx(&c->flows, f)),
	};
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &f->outer, f->outer_port, 0);
	bool v4 = addr_is4(&f->outer);
	int fd = f->inbound ? splice_inner_take(c, CONF_UDP, v4) : inner_socket(CONF_UDP, v4);
	int rc = 0;

	if (fd == -EAGAIN)
		return 1;
	if (fd < 0) {
		sock_complain(c, f, fd);
		return fd;
	}
	set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RCVBUF);
	if (c->io->udp_gso)
		set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (connect(fd, &sa.sa, len) < 0 || epoll_ctl(c->io->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		rc = -errno;
	if (rc < 0) {
		sock_complain(c, f, rc);
		close(fd);
		return rc;
	}
	f->sock = fd;
	return 0;
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
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
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

static bool is_raw(const struct flow *f)
{
	return f->key.proto == FLOW_PING && f->dg.raw;
}

void port_close(struct ctx *c, struct flow *f, bool abort)
{
	if (f->sock < 0)
		return;
	if (is_raw(f)) {
		rawping_give(c, f);
		return;
	}
	forget_port(c, f);
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

int port_errqueue(struct ctx *c, struct flow *f, struct port_err *ret, void *buf, size_t size)
{
	int rc = is_raw(f) ? rawping_refusal(c, f, ret) :
		 f->sock < 0 ? -EAGAIN :	/* a client's flow: its listener serves many */
		 ancillary_error(f->sock, ret, buf, size);

	if (rc == 0 && f->key.proto == FLOW_TCP)
		ret->len = 0;		/* the host's segment, not the container's */
	return rc;
}

/* From here on a router's "unreachable" is no more than a hint, which the kernel
 * keeps for the time-out (RFC 1122, 4.2.3.9); IP_RECVERR would end the connection. */
void port_connected(struct ctx *c, struct flow *f)
{
	(void)c;
	if (!addr_is4(&f->outer))	/* IPv4 does without, see prepare() */
		ancillary_want_errors(f->sock, false, false);
}

void port_set_ip(struct ctx *c, struct flow *f, const struct flow_ip *ip)
{
	(void)c;
	ancillary_set_ip(f->sock, addr_is4(&f->outer), f->key.proto == FLOW_TCP, ip, &f->ip);
	f->ip = *ip;
}

ssize_t port_send(struct ctx *c, struct flow *f, const struct iovec *iov, int n, bool urgent)
{
	const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov,
				  .msg_iovlen = (size_t)n };
	ssize_t done;

	(void)c;
	do {
		done = sendmsg(f->sock, &m, MSG_NOSIGNAL | MSG_DONTWAIT | (urgent ? MSG_OOB : 0));
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

void port_keepalive(struct ctx *c, struct flow *f, uint16_t seconds)
{
	(void)c;
	set_int(f->sock, IPPROTO_TCP, TCP_KEEPINTVL, MIN_OF((int)seconds, KEEP_INTERVAL_S));
	set_int(f->sock, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
}

int port_shutdown(struct ctx *c, struct flow *f)
{
	(void)c;
	/* The container is done: what it sent must arrive, whoever dies meanwhile. */
	sock_linger(f->sock, false);
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

/* A peek from the first byte on stops before the urgent one: before all that came there is
 * one where it stops, or it is the first. */
bool port_urgent(struct ctx *c, struct flow *f, uint32_t peek_at, uint32_t *ret)
{
	const struct timespec at_once = { .tv_sec = 0 };
	struct pollfd p = { .fd = f->sock, .events = POLLPRI };
	int at_mark = 0, all = 0;
	ssize_t before;

	if (ppoll(&p, 1, &at_once, NULL) != 1 || !(p.revents & POLLPRI) ||
	    ioctl(f->sock, SIOCATMARK, &at_mark) < 0 || ioctl(f->sock, FIONREAD, &all) < 0)
		return false;
	*ret = 0;
	if (at_mark)
		return true;
	if (c->peek && port_peek_seek(c, f, 0) < 0)
		return false;
	before = recv(f->sock, NULL, INT_MAX, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (c->peek)
		port_peek_seek(c, f, peek_at);
	*ret = (uint32_t)before;
	return before > 0 && before < all;
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

/* The socket a flow sends by, and where to, if it is not connected. */
struct sending {
	int fd;
	bool v6_socket;
	union sockaddr_any to;
	socklen_t to_len;	/* 0: connected */
};

/* A client is answered by the listener it spoke to. */
static int by_listener(struct ctx *c, const struct flow *f, const struct addr *to, uint16_t port,
		       uint32_t scope, struct sending *ret)
{
	const struct forward *fwd = forward_at(&c->forwards, f->dg.via);

	if (!fwd)
		return -ENOTCONN;
	*ret = (struct sending){ .fd = fwd->sock, .v6_socket = !addr_is4(&fwd->addr) };
	ret->to_len = ret->v6_socket ? sockaddr_make6(&ret->to, to, port, scope)
				     : sockaddr_make(&ret->to, to, port, 0);
	return 0;
}

static int sending_of(struct ctx *c, const struct flow *f, struct sending *ret)
{
	*ret = (struct sending){ .fd = f->sock };
	if (flow_is_group(f) || udp_hears_any_port(f))
		ret->to_len = sockaddr_make(&ret->to, &f->outer, f->outer_port, f->outer_scope);
	if (f->key.proto != FLOW_UDP || f->dg.via == FORWARD_NONE)
		return 0;
	return by_listener(c, f, &f->outer, f->outer_port, f->outer_scope, ret);
}

static int send_by(struct ctx *c, struct flow *f, const struct sending *by,
		   const struct port_dgram *d, unsigned int n)
{
	const struct flow_ip first = { .ttl = f->ip.ttl, .tos = f->ip.tos, .df = d->ip.df };
	struct mmsghdr m[MESSAGES_MAX];
	union ancillary a[MESSAGES_MAX];
	bool v4 = addr_is4(&f->outer);
	int done;

	n = MIN_OF(n, MESSAGES_MAX);
	if (d[0].gso_size && !c->io->udp_gso)
		return -EINVAL;
	/* of the socket only: no message can say it */
	if (UNLIKELY(first.df != f->ip.df && !by->to_len))
		port_set_ip(c, f, &first);
	for (unsigned int i = 0; i < n; i++) {
		if ((d[i].gso_size && !c->io->udp_gso) || (!by->to_len && d[i].ip.df != first.df)) {
			n = i;
			break;
		}
		m[i].msg_hdr = (struct msghdr){ .msg_iov = d[i].iov, .msg_iovlen = d[i].niov };
		if (by->to_len) {
			m[i].msg_hdr.msg_name = (void *)(uintptr_t)&by->to;
			m[i].msg_hdr.msg_namelen = by->to_len;
			ancillary_put_local(&m[i].msg_hdr, &a[i], f, by->v6_socket);
		}
		if (d[i].gso_size || !flow_ip_eq(&d[i].ip, &first))
			ancillary_put(&m[i].msg_hdr, &a[i], v4, &d[i], &first);
	}
	do {
		done = sendmmsg(by->fd, m, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

int port_dgram_send(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	struct sending by;
	int rc;

	if (is_raw(f))
		return rawping_send(c, f, d);
	rc = sending_of(c, f, &by);
	return rc < 0 ? rc : send_by(c, f, &by, d, n);
}

int port_dgram_answer(struct ctx *c, struct flow *f, const struct port_dgram *d, unsigned int n)
{
	struct sending by;
	int rc = by_listener(c, f, &f->key.remote, f->key.remote_port, f->dg.local_scope, &by);

	return rc < 0 ? rc : send_by(c, f, &by, d, n);
}

static void take_message(struct mmsghdr *m, struct port_dgram *d)
{
	d->len = m->msg_len;
	ancillary_get(&m->msg_hdr, d);
	if (d->gso_size >= d->len)
		d->gso_size = 0;
}

/* A ping socket hears every reply to its identifier, whoever sent it. */
static int recv_ping(struct flow *f, struct port_dgram *d)
{
	union sockaddr_any sa;
	union ancillary a;
	struct addr from = ADDR_ANY;
	struct msghdr m;
	ssize_t n;

	do {
		m = (struct msghdr){
			.msg_name = &sa, .msg_namelen = sizeof(sa), .msg_iov = d->iov,
			.msg_iovlen = d->niov,
		};
		ancillary_room(&m, &a);
		n = recvmsg(f->sock, &m, MSG_DONTWAIT);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n >= 0)
			sockaddr_read(&sa, &from, NULL);
	} while (n < 0 || !addr_eq(&from, &f->outer));
	ancillary_get(&m, d);
	d->len = (uint32_t)n;
	return 1;
}

/* sa, n of them, is who sent each; NULL: the socket is connected. */
static int receive(int fd, struct port_dgram *d, union sockaddr_any *sa, struct mmsghdr *m,
		   union ancillary *a, unsigned int n)
{
	int done;

	for (unsigned int i = 0; i < n; i++) {
		m[i].msg_hdr = (struct msghdr){
			.msg_name = sa ? &sa[i] : NULL, .msg_namelen = sa ? sizeof(sa[i]) : 0,
			.msg_iov = d[i].iov, .msg_iovlen = d[i].niov,
		};
		ancillary_room(&m[i].msg_hdr, &a[i]);
	}
	do {
		done = recvmmsg(fd, m, n, MSG_DONTWAIT, NULL);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	for (int i = 0; i < done; i++)
		take_message(&m[i], &d[i]);
	return done;
}

int port_dgram_recv(struct ctx *c, struct flow *f, struct port_dgram *d, unsigned int n)
{
	union sockaddr_any sa[CTX_DGRAMS];
	struct mmsghdr m[CTX_DGRAMS];
	union ancillary a[CTX_DGRAMS];
	union sockaddr_any *from = flow_is_group(f) || udp_hears_any_port(f) ? sa : NULL;
	int done;

	(void)c;
	if (is_raw(f))		/* rawping_readable() brings it */
		return -EAGAIN;
	if (f->key.proto == FLOW_PING)
		return recv_ping(f, d);
	done = receive(f->sock, d, from, m, a, MIN_OF(n, CTX_DGRAMS));
	for (int i = 0; from && i < done; i++)
		sockaddr_read(&from[i], &d[i].from, &d[i].from_port);
	return done;
}

int port_dgram_from(struct ctx *c, const struct forward *fwd, struct port_dgram *d,
		    struct port_client *client, unsigned int n)
{
	union sockaddr_any sa[CTX_DGRAMS];
	struct mmsghdr m[CTX_DGRAMS];
	union ancillary a[CTX_DGRAMS];
	int done = receive(fwd->sock, d, sa, m, a, MIN_OF(n, CTX_DGRAMS));

	(void)c;
	for (int i = 0; i < done; i++) {
		client[i] = (struct port_client){ .scope = 0 };
		sockaddr_read(&sa[i], &client[i].peer, &client[i].port);
		ancillary_get_local(&m[i].msg_hdr, &client[i]);
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

/* Whether the host's TCP paces what it sends: BBR, in any of its versions. */
static bool host_paces(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char name[16] = "";			/* TCP_CA_NAME_MAX */
	socklen_t len = sizeof(name);

	if (fd < 0)
		return false;
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) < 0)
		name[0] = 0;
	close(fd);
	return strncmp(name, "bbr", 3) == 0;
}

void sock_probe(struct ctx *c)
{
	uint32_t without = c->conf->without;
	struct rlimit files = { .rlim_cur = 0 };

	getrlimit(RLIMIT_NOFILE, &files);
	c->io->files_max = files.rlim_cur;
	c->io->group = getegid();

	c->peek = !(without & CONF_WITHOUT_PEEK) &&
		  probe(AF_INET, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0) &&
		  probe(AF_INET6, SOCK_STREAM, SOL_SOCKET, SO_PEEK_OFF, 0);
	c->io->udp_gso = !(without & CONF_WITHOUT_UDPGSO) &&
			 probe(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_GRO, 1) &&
			 probe(AF_INET, SOCK_DGRAM, IPPROTO_UDP, UDP_SEGMENT, 1000);
	c->io->near = near_probe();
	c->paced = host_paces();
}
