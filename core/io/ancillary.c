/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/ancillary.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/errqueue.h>

#include "io/sockaddr.h"
#include "wire/numbers.h"

/* One thing by its two names. */
struct names {
	int level;
	int set_ttl, set_tos, set_pmtu;		/* of the socket */
	int want_ttl, want_tos, want_errors;
	int ttl, tos, error;			/* of a message */
	int pmtu_do, pmtu_dont;
};

static const struct names families[] = {
	{ IPPROTO_IP, IP_TTL, IP_TOS, IP_MTU_DISCOVER, IP_RECVTTL, IP_RECVTOS, IP_RECVERR,
	  IP_TTL, IP_TOS, IP_RECVERR, IP_PMTUDISC_DO, IP_PMTUDISC_DONT },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_TCLASS, IPV6_MTU_DISCOVER, IPV6_RECVHOPLIMIT,
	  IPV6_RECVTCLASS, IPV6_RECVERR, IPV6_HOPLIMIT, IPV6_TCLASS, IPV6_RECVERR,
	  IPV6_PMTUDISC_DO, IPV6_PMTUDISC_DONT },
};

static void set(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

/* A stream's DF is the kernel's; a value refused (there is none we send) would leave
 * the packet as the host sends its own. */
void ancillary_set_ip(int fd, bool v4, bool stream, const struct flow_ip *ip,
		      const struct flow_ip *was)
{
	const struct names *n = &families[!v4];

	if (!was || ip->ttl != was->ttl)
		set(fd, n->level, n->set_ttl, ip->ttl);
	if (was ? ip->tos != was->tos : ip->tos)
		set(fd, n->level, n->set_tos, ip->tos);
	if (!stream && (!was || ip->df != was->df))
		set(fd, n->level, n->set_pmtu, ip->df ? n->pmtu_do : n->pmtu_dont);
}

void ancillary_want(int fd, bool v4)
{
	const struct names *n = &families[!v4];

	set(fd, n->level, n->want_ttl, 1);
	set(fd, n->level, n->want_tos, 1);
}

void ancillary_want_errors(int fd, bool v4, bool want)
{
	const struct names *n = &families[!v4];

	set(fd, n->level, n->want_errors, want);
}

/* One more; the buffer is large enough for all those below. */
static void put(struct msghdr *m, union ancillary *a, int level, int type, const void *data,
		size_t len)
{
	struct cmsghdr *h = (struct cmsghdr *)(void *)(a->buf + m->msg_controllen);

	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(h), data, len);
	m->msg_control = a->buf;
	m->msg_controllen += CMSG_SPACE(len);
}

void ancillary_put(struct msghdr *m, union ancillary *a, bool v4, const struct port_dgram *d,
		   const struct flow_ip *usual)
{
	const struct names *n = &families[!v4];
	int ttl = d->ip.ttl, tos = d->ip.tos;

	if (d->gso_size)
		put(m, a, IPPROTO_UDP, UDP_SEGMENT, &d->gso_size, sizeof(d->gso_size));
	if (UNLIKELY(d->ip.ttl != usual->ttl))
		put(m, a, n->level, n->ttl, &ttl, sizeof(ttl));
	if (UNLIKELY(d->ip.tos != usual->tos))
		put(m, a, n->level, n->tos, &tos, sizeof(tos));
}

void ancillary_put_local(struct msghdr *m, union ancillary *a, const struct flow *f,
			 bool v6_socket)
{
	struct in6_pktinfo v6 = { .ipi6_ifindex = f->dg.local_scope };
	struct in_pktinfo v4 = { .ipi_ifindex = 0 };

	if (addr_is_any(&f->dg.local))
		return;
	memcpy(&v6.ipi6_addr, f->dg.local.b, sizeof(v6.ipi6_addr));
	memcpy(&v4.ipi_spec_dst, f->dg.local.b + 12, sizeof(v4.ipi_spec_dst));
	if (v6_socket)
		put(m, a, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	else
		put(m, a, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
}

/* Where a datagram came to: the address, and the interface if that is needed to
 * answer (link-local). IPv4 on a socket of both families is told as IPv6. */
void ancillary_get_local(struct msghdr *m, struct port_client *from)
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

void ancillary_room(struct msghdr *m, union ancillary *a)
{
	m->msg_control = a->buf;
	m->msg_controllen = sizeof(a->buf);
}

/* IP_TOS comes as a byte, all others as an int. */
static int value_of(const struct cmsghdr *h)
{
	int v = 0;
	uint8_t byte;

	if (h->cmsg_len == CMSG_LEN(sizeof(byte))) {
		memcpy(&byte, CMSG_DATA(h), sizeof(byte));
		return byte;
	}
	if (h->cmsg_len >= CMSG_LEN(sizeof(v)))
		memcpy(&v, CMSG_DATA(h), sizeof(v));
	return v;
}

void ancillary_get(struct msghdr *m, struct port_dgram *d)
{
	d->gso_size = 0;
	d->ip = (struct flow_ip){ .ttl = IP_DEFAULT_TTL, .df = true };
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		const struct names *n = &families[h->cmsg_level != IPPROTO_IP];

		if (h->cmsg_level == IPPROTO_UDP && h->cmsg_type == UDP_GRO)
			d->gso_size = (uint16_t)value_of(h);
		else if (h->cmsg_level == n->level && h->cmsg_type == n->ttl)
			d->ip.ttl = (uint8_t)value_of(h);
		else if (h->cmsg_level == n->level && h->cmsg_type == n->tos)
			d->ip.tos = (uint8_t)value_of(h);
	}
}

/* struct sock_extended_err, and the sender's address behind it. */
struct entry {
	struct sock_extended_err ee;
	struct sockaddr_in6 from;
};

static struct addr offender(const struct entry *e)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&e->from;

	if (e->from.sin6_family == AF_INET)
		return addr_from4(&v4->sin_addr);
	if (e->from.sin6_family == AF_INET6)
		return addr_from6(&e->from.sin6_addr);
	return ADDR_ANY;
}

static bool read_entry(struct msghdr *m, struct port_err *ret)
{
	struct entry e = { .from = { .sin6_family = AF_UNSPEC } };
	uint8_t ttl = IP_DEFAULT_TTL;
	bool found = false;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		const struct names *n = &families[h->cmsg_level != IPPROTO_IP];

		if (h->cmsg_level == n->level && h->cmsg_type == n->ttl) {
			ttl = (uint8_t)value_of(h);
		} else if (h->cmsg_level == n->level && h->cmsg_type == n->error &&
			   h->cmsg_len >= CMSG_LEN(sizeof(e.ee))) {
			memcpy(&e, CMSG_DATA(h), MIN_OF(h->cmsg_len - CMSG_LEN(0), sizeof(e)));
			found = true;
		}
	}
	*ret = (struct port_err){
		.local = e.ee.ee_origin == SO_EE_ORIGIN_LOCAL, .type = e.ee.ee_type,
		.code = e.ee.ee_code, .err = -(int)e.ee.ee_errno, .ttl = ttl,
		.mtu = e.ee.ee_errno == EMSGSIZE ? e.ee.ee_info : 0, .offender = offender(&e),
	};
	return found;
}

int ancillary_error(int fd, struct port_err *ret, void *buf, size_t size)
{
	/* of old datagrams hop limit and class come too */
	char control[CMSG_SPACE(sizeof(struct entry)) + sizeof(union ancillary)]
		__attribute__((aligned(__alignof__(struct cmsghdr))));
	union sockaddr_any dst;
	struct iovec iov = { buf, size };
	struct msghdr m = {
		.msg_name = &dst, .msg_namelen = sizeof(dst), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	do {
		n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!read_entry(&m, ret))
		return -EPROTO;
	if (m.msg_namelen)
		sockaddr_read(&dst, &ret->dst, NULL);
	ret->len = (uint32_t)n;
	return 0;
}
