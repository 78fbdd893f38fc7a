/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/fd.h"

#define BUFFER		8192u	/* of one part of an answer; the kernel fits itself to it */
#define STATE_CLOSE	7u	/* TCP_CLOSE: a UDP socket without a peer */
#define STATE_LISTEN	10u	/* TCP_LISTEN */
#define ANSWER_S	1	/* the kernel answers at once; never wait for ever */

/* UDP sockets without a peer get their ports from it: clients, mostly. */
static void read_picked(struct diag *d)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int first, last;

	if (f && fscanf(f, "%u %u", &first, &last) == 2 && last <= UINT16_MAX) {
		d->picked_first = (uint16_t)first;
		d->picked_last = (uint16_t)last;
	}
	if (f)
		fclose(f);
}

int diag_open(struct diag *d)
{
	int rc;

	*d = DIAG_INIT;
	rc = diag_ask_anew(d);
	if (rc < 0)
		return rc;
	d->inuse[0] = open("/proc/self/net/sockstat", O_RDONLY | O_CLOEXEC);
	d->inuse[1] = open("/proc/self/net/sockstat6", O_RDONLY | O_CLOEXEC);
	d->picked_first = 32768;	/* Linux's own */
	d->picked_last = 60999;
	read_picked(d);
	return 0;
}

int diag_ask_anew(struct diag *d)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };

	fd_drop(&d->fd);
	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (d->fd < 0 ||
	    setsockopt(d->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
		int err = errno;

		fd_drop(&d->fd);
		return -err;
	}
	return 0;
}

void diag_close(struct diag *d)
{
	fd_drop(&d->fd);
	fd_drop(&d->inuse[0]);
	fd_drop(&d->inuse[1]);
}

/* "UDP: inuse 3", "UDP6: inuse 1"; counts all bound, in the namespace of who opened. */
static bool read_inuse(int fd, const char *label, uint32_t *ret)
{
	char text[512], *at;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, label);
	return at && sscanf(at + strlen(label), "%u", ret) == 1;
}

uint64_t diag_udp_hint(struct diag *d)
{
	static const char *const labels[2] = { "UDP: inuse", "UDP6: inuse" };
	uint32_t n[2] = { 0, 0 };

	for (int i = 0; i < 2; i++)
		if (d->inuse[i] >= 0 && !read_inuse(d->inuse[i], labels[i], &n[i]))
			return ++d->unknown;
	return (uint64_t)n[0] << 32 | n[1];
}

static int ask(int fd, uint8_t family, bool tcp)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 req;
	} m = {
		.h = {
			.nlmsg_len = sizeof(m), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.req = {
			.sdiag_family = family, .sdiag_protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP,
			.idiag_states = 1u << (tcp ? STATE_LISTEN : STATE_CLOSE),
		},
	};

	return send(fd, &m, sizeof(m), 0) == (ssize_t)sizeof(m) ? 0 : -errno;
}

/* What a read is for: what others reach, what the loopback does; NULL: not asked for. */
struct wanted {
	struct diag_ports *others, *loopback;
};

static void set_port(struct diag_ports *ports, uint16_t port)
{
	ports->bits[port / 8] |= (uint8_t)(1u << (port % 8));
}

static void take_loopback(const struct addr *a, uint16_t port, struct diag_ports ret[2])
{
	const struct addr lo4 = addr_loopback(true), lo6 = addr_loopback(false);
	bool all = addr_is_unspecified(a);

	if (addr_eq(a, &lo4) || all)
		set_port(&ret[0], port);
	if (addr_eq(a, &lo6) || (all && !addr_is4(a)))
		set_port(&ret[1], port);
}

static void take(const struct inet_diag_msg *d, const struct wanted *ret)
{
	struct addr a = d->idiag_family == AF_INET ? addr_from4(d->id.idiag_src)
						   : addr_from6(d->id.idiag_src);
	uint16_t port = ntohs(d->id.idiag_sport);

	if (port && ret->loopback)
		take_loopback(&a, port, ret->loopback);
	if (port && ret->others && !addr_is_loopback(&a))
		set_port(ret->others, port);
}

/* The messages of one part. 1: the last, 0: there is more, or -errno. */
static int take_part(const uint8_t *buf, size_t len, bool *changed, const struct wanted *ret)
{
	struct inet_diag_msg d;
	struct nlmsghdr h;
	int err;

	for (size_t at = 0; at + sizeof(h) <= len; at += NLMSG_ALIGN(h.nlmsg_len)) {
		memcpy(&h, buf + at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len - at)
			return -EBADMSG;
		*changed |= h.nlmsg_flags & NLM_F_DUMP_INTR;
		if (h.nlmsg_type == NLMSG_DONE)
			return 1;
		if (h.nlmsg_len < sizeof(h) + (h.nlmsg_type == NLMSG_ERROR ? sizeof(err)
									   : sizeof(d)))
			return -EBADMSG;
		if (h.nlmsg_type == NLMSG_ERROR) {
			memcpy(&err, buf + at + sizeof(h), sizeof(err));
			return err ? err : 1;
		}
		memcpy(&d, buf + at + sizeof(h), sizeof(d));
		take(&d, ret);
	}
	return 0;
}

static int read_family(int fd, uint8_t family, bool tcp, const struct wanted *ret)
{
	uint8_t buf[BUFFER];
	int rc = ask(fd, family, tcp);
	bool changed = false;
	ssize_t n;

	while (rc == 0) {
		n = recv(fd, buf, sizeof(buf), 0);
		rc = n > 0 ? take_part(buf, (size_t)n, &changed, ret) : n == 0 ? -EPIPE : -errno;
	}
	return rc < 0 ? rc : changed ? -EINTR : 0;
}

static int read_both(int fd, bool tcp, const struct wanted *ret)
{
	int rc = read_family(fd, AF_INET, tcp, ret);

	return rc == 0 ? read_family(fd, AF_INET6, tcp, ret) : rc;
}

/* What the kernel picked for clients, of UDP. */
static void drop_picked(const struct diag *d, struct diag_ports *ret)
{
	for (uint32_t port = d->picked_first; port <= d->picked_last; port++)
		ret->bits[port / 8] &= (uint8_t)~(1u << (port % 8));
}

int diag_read_loopback(const struct diag *d, bool tcp, struct diag_ports ret[2])
{
	int rc;

	memset(ret, 0, 2 * sizeof(*ret));
	rc = read_both(d->fd, tcp, &(struct wanted){ .loopback = ret });
	for (int i = 0; rc == 0 && !tcp && i < 2; i++)
		drop_picked(d, &ret[i]);
	return rc;
}

int diag_read(const struct diag *d, bool tcp, struct diag_ports *ret,
	      struct diag_ports loopback[2])
{
	int rc;

	memset(ret, 0, sizeof(*ret));
	memset(loopback, 0, 2 * sizeof(*loopback));
	rc = read_both(d->fd, tcp, &(struct wanted){ ret, loopback });
	if (rc == 0 && !tcp) {
		drop_picked(d, ret);
		drop_picked(d, &loopback[0]);
		drop_picked(d, &loopback[1]);
	}
	return rc;
}
