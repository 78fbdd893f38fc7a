/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * msg: one message, one record, few descriptors or none (base/pass.h). Nothing here
 * allocates, nothing keeps state, and whatever does not fit its contract is refused
 * whole: the other side may be a process that a container has taken over.
 */
#include "main/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "io/tun.h"

#define FEATURES_ALL	((uint32_t)(TUN_F_VNETHDR | TUN_F_CHECKSUM | TUN_F_TSO | TUN_F_UDPSEG))

int msg_send(int sock, const void *msg, size_t len, int fd)
{
	return pass_send(sock, msg, len, &fd, fd >= 0, 0);
}

int msg_send_fds(int sock, const void *msg, size_t len, const int *fd, uint32_t n)
{
	return n <= MSG_FDS_MAX ? pass_send(sock, msg, len, fd, n, MSG_DONTWAIT) : -EINVAL;
}

void msg_close_fds(const int *fd, uint32_t n)
{
	pass_close(fd, n);
}

int msg_recv(int sock, void *msg, size_t len, int *fd)
{
	const struct pass_want want = { .len = len, .most = fd ? 1 : 0 };
	int got[PASS_FDS_MAX];
	uint32_t n;
	int r = pass_recv(sock, &want, msg, got, &n);

	if (fd)
		*fd = n ? got[0] : -1;
	return r;
}

int msg_recv_fds(int sock, void *msg, size_t len, int fd[MSG_FDS_MAX], uint32_t *n)
{
	const struct pass_want want = {
		.len = len, .most = MSG_FDS_MAX, .some = true, .flags = MSG_DONTWAIT,
	};

	return pass_recv(sock, &want, msg, fd, n);
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

bool msg_engine_ok(const struct msg_engine *m)
{
	if (m->kind == MSG_INNER_WANTED)
		return m->proto < CONF_PROTO_COUNT && m->ipv4 <= 1 && m->count >= 1 &&
		       m->count <= MSG_FDS_MAX;
	return m->kind == MSG_RUNNING || m->kind == MSG_TAP_GONE || m->kind == MSG_SYNCED ||
	       m->kind == MSG_VIEWED || (m->kind == MSG_STREAM_GONE && m->why <= INT32_MAX);
}

bool msg_stream_ok(const struct msg_stream *m)
{
	return m->kind == MSG_STREAM && m->seq;
}

bool msg_ports_ok(const struct msg_ports *m)
{
	return m->kind == MSG_PORTS && m->proto < CONF_PROTO_COUNT;
}

bool msg_forward_ok(const struct msg_forward *m)
{
	if (m->kind == MSG_SYNC || m->kind == MSG_VIEW || m->kind == MSG_RESUMED)
		return true;
	if (m->idx >= FORWARD_MAX)
		return false;
	return m->kind == MSG_FORWARD_CLOSE ||
	       (m->kind == MSG_FORWARD_OPEN && m->forward.proto < CONF_PROTO_COUNT &&
		m->forward.port && m->forward.to_port && bytes_are_bool(&m->forward.queued) &&
		bytes_are_bool(&m->forward.reverse));
}

bool msg_resolvers_ok(const struct msg_resolvers *m)
{
	return m->kind == MSG_RESOLVERS && resolvers_ok(&m->resolvers);
}

bool msg_capture_ok(const struct msg_capture *m)
{
	return m->kind == MSG_CAPTURE && m->place < CAPTURES && capture_want_ok(&m->order.want);
}

bool msg_setup_ok(const struct msg_setup *m)
{
	return m->kind == MSG_SETUP && m->tap < MSG_TAP_COUNT && netcfg_ok(&m->net);
}

bool msg_network_ok(const struct msg_network *m)
{
	return m->kind == MSG_NETWORK && netcfg_ok(&m->net);
}

bool msg_move_ok(const struct msg_move *m)
{
	return m->kind == MSG_MOVE && netcfg_ok(&m->was) && netcfg_ok(&m->now) &&
	       strcmp(m->was.ifname, m->now.ifname) == 0 && m->nold <= m->now.naddresses;
}

static bool inner_ok(const struct msg_inner *m, uint32_t kind)
{
	return m->kind == kind && m->proto < CONF_PROTO_COUNT && m->ipv4 <= 1 &&
	       m->count <= MSG_FDS_MAX;
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
	return m->kind == MSG_LISTEN && addr_is_loopback(&m->addr) && m->port &&
	       m->proto < CONF_PROTO_COUNT;
}

bool msg_listen_done_ok(const struct msg_listen_done *m)
{
	return m->kind == MSG_LISTEN_DONE && m->error <= 0 && addr_is_loopback(&m->addr) &&
	       m->port && m->proto < CONF_PROTO_COUNT;
}

static bool err_ok(const struct err *e)
{
	return bytes_terminated(e->msg, sizeof(e->msg)) && bytes_terminated(e->details, sizeof(e->details));
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
