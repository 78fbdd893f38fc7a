/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests main/msg.c over real socket pairs: what arrives, what is refused, and
 * that no descriptor stays behind when something is. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "main/msg.h"

struct pair {
	int a, b;
};

static int open_pair(void **state)
{
	static struct pair p;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	p = (struct pair){ sv[0], sv[1] };
	*state = &p;
	return 0;
}

static int close_pair(void **state)
{
	struct pair *p = *state;

	close(p->a);
	close(p->b);
	return 0;
}

/* A pipe whose reading end tells whether any copy of its writing end is open. */
static bool is_last_closed(int reader)
{
	struct pollfd p = { .fd = reader };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

static void test_message(void **state)
{
	const struct msg_engine out = { .kind = MSG_RUNNING, .pid = 77 };
	struct pair *p = *state;
	struct msg_engine in;
	uint32_t kind = 0;
	int fd = 5;

	assert_int_equal(msg_send(p->a, &out, sizeof(out), -1), 0);
	assert_int_equal(msg_peek_kind(p->b, &kind), 0);
	assert_int_equal(kind, MSG_RUNNING);
	assert_int_equal(msg_recv(p->b, &in, sizeof(in), &fd), 0);
	assert_int_equal(fd, -1);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void test_descriptor(void **state)
{
	const struct msg_engine out = { .kind = MSG_RUNNING };
	struct pair *p = *state;
	struct msg_engine in;
	int fds[2], fd;
	char c = 'x';

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(msg_send(p->a, &out, sizeof(out), fds[1]), 0);
	close(fds[1]);
	assert_int_equal(msg_recv(p->b, &in, sizeof(in), &fd), 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, &c, 1), 1);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fd);
	assert_true(is_last_closed(fds[0]));
	close(fds[0]);
}

static void test_wrong_size(void **state)
{
	const uint8_t bytes[sizeof(struct msg_engine) + 1] = { MSG_RUNNING };
	struct pair *p = *state;
	struct msg_engine in;

	for (size_t n = 1; n <= sizeof(bytes); n++) {
		assert_int_equal(msg_send(p->a, bytes, n, -1), 0);
		assert_int_equal(msg_recv(p->b, &in, sizeof(in), NULL),
				 n == sizeof(in) ? 0 : -EBADMSG);
	}
}

static void test_wrong_size_keeps_no_descriptor(void **state)
{
	struct pair *p = *state;
	struct msg_engine in;
	int fds[2], fd = 5;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(msg_send(p->a, "abc", 3, fds[1]), 0);
	close(fds[1]);
	assert_int_equal(msg_recv(p->b, &in, sizeof(in), &fd), -EBADMSG);
	assert_int_equal(fd, -1);
	assert_true(is_last_closed(fds[0]));
	close(fds[0]);
}

static void test_descriptor_not_asked_for(void **state)
{
	const struct msg_engine out = { .kind = MSG_RUNNING };
	struct pair *p = *state;
	struct msg_engine in;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(msg_send(p->a, &out, sizeof(out), fds[1]), 0);
	close(fds[1]);
	assert_int_equal(msg_recv(p->b, &in, sizeof(in), NULL), -EBADMSG);
	assert_true(is_last_closed(fds[0]));
	close(fds[0]);
}

/* As a sender would that does not use msg_send. */
static void send_many(int sock, const void *msg, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(8 * sizeof(int))];
	} ctl = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)msg, .iov_len = len };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl.buf, .msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	assert_int_equal(sendmsg(sock, &mh, 0), len);
}

static void test_too_many_descriptors(void **state)
{
	const struct msg_engine out = { .kind = MSG_RUNNING };
	struct pair *p = *state;
	struct msg_engine in;
	int fds[2], many[8], fd = 5;

	for (size_t n = 2; n <= ARRAY_LEN(many); n++) {
		assert_int_equal(pipe(fds), 0);
		for (size_t i = 0; i < n; i++)
			many[i] = fds[1];
		send_many(p->a, &out, sizeof(out), many, n);
		close(fds[1]);
		assert_int_equal(msg_recv(p->b, &in, sizeof(in), &fd), -EBADMSG);
		assert_int_equal(fd, -1);
		assert_true(is_last_closed(fds[0]));
		close(fds[0]);
	}
}

static void test_end_of_file(void **state)
{
	struct pair *p = *state;
	struct msg_engine in;
	uint32_t kind;
	int fd;

	assert_int_equal(shutdown(p->a, SHUT_WR), 0);
	assert_int_equal(msg_peek_kind(p->b, &kind), -EPIPE);
	assert_int_equal(msg_recv(p->b, &in, sizeof(in), &fd), -EPIPE);
	assert_int_equal(fd, -1);
	close(p->b);
	assert_int_equal(msg_send(p->a, &in, sizeof(in), -1), -EPIPE);
	p->b = dup(p->a);
}

static void test_peek(void **state)
{
	struct pair *p = *state;
	uint32_t kind;

	POISON(kind);
	assert_int_equal(msg_send(p->a, "ab", 2, -1), 0);
	assert_int_equal(msg_peek_kind(p->b, &kind), -EBADMSG);
	ASSERT_POISONED(kind);
}

static struct msg_setup valid_setup(void)
{
	return (struct msg_setup){
		.kind = MSG_SETUP,
		.net = {
			.ifname = "eth0", .mtu = 1500, .mac = { { 2, 0, 0, 0, 0, 1 } },
			.naddresses = 1,
			.addresses = { { { { 0x20, 1, 0x0d, 0xb8, [15] = 2 } }, 64 } },
			.nroutes = 1,
			.routes = { { .gw = { { 0xfe, 0x80, [15] = 1 } } } },
		},
	};
}

#define REFUSED_IF(change) do { \
		struct msg_setup m = valid_setup(); \
		change; \
		if (msg_setup_ok(&m)) \
			fail_msg("taken: %s", #change); \
	} while (0)

static void test_setup(void **state)
{
	const struct msg_setup ok = valid_setup();

	(void)state;
	assert_true(msg_setup_ok(&ok));
	REFUSED_IF(m.kind = MSG_RUNNING);
	REFUSED_IF(m.kind = MSG_KIND_COUNT);
	REFUSED_IF(memset(m.net.ifname, 'a', sizeof(m.net.ifname)));
	REFUSED_IF(memset(m.net.outer_ifname4, 'a', sizeof(m.net.outer_ifname4)));
	REFUSED_IF(memset(m.net.outer_ifname6, 'a', sizeof(m.net.outer_ifname6)));
	REFUSED_IF(m.net.ifname[0] = '\0');
	REFUSED_IF(memcpy(m.net.ifname, "a/../b", 7));
	REFUSED_IF(m.net.mtu = 0);
	REFUSED_IF(m.net.mtu = CONF_MTU_MAX + 1);
	REFUSED_IF(m.net.mac.b[0] = 1);
	REFUSED_IF(m.net.naddresses = CONF_ADDRS_MAX + 1);
	REFUSED_IF(m.net.nroutes = CONF_ROUTES_MAX + 1);
	REFUSED_IF(m.net.addresses[0].len = 129);
	REFUSED_IF(m.net.addresses[0].addr = addr_from4("abcd"); m.net.addresses[0].len = 33);
	REFUSED_IF(m.net.routes[0].dst.len = 129);
	REFUSED_IF(m.net.routes[0].gw = addr_from4("abcd"));
	REFUSED_IF(memset(&m.net.routes[0].onlink, 2, 1));
	REFUSED_IF(memset(&m.net.configure, 2, 1));
	REFUSED_IF(m.net.gateway4_of = NETCFG_GATEWAY_COUNT);
	REFUSED_IF(m.net.gateway6_of = 255);
	REFUSED_IF(m.net.nnameservers = CONF_NAMESERVERS_MAX + 1);
}

static void test_network_and_move(void **state)
{
	const struct netcfg net = valid_setup().net;
	struct msg_network n = { .kind = MSG_NETWORK, .net = net };
	struct msg_move m = { .kind = MSG_MOVE, .was = net, .now = net };
	struct msg_moved d = { .kind = MSG_MOVED, .ipv6_left_out = 1 };

	(void)state;
	assert_true(msg_network_ok(&n) && msg_move_ok(&m) && msg_moved_ok(&d));
	n.net.naddresses = CONF_ADDRS_MAX + 1;
	assert_false(msg_network_ok(&n));
	n = (struct msg_network){ .kind = MSG_SETUP, .net = net };
	assert_false(msg_network_ok(&n));
	m.nold = net.naddresses;
	assert_true(msg_move_ok(&m));
	m.nold = net.naddresses + 1;
	assert_false(msg_move_ok(&m));
	m.nold = 0;
	m.was.nroutes = CONF_ROUTES_MAX + 1;
	assert_false(msg_move_ok(&m));
	m.was = net;
	m.now.addresses[0].len = 129;
	assert_false(msg_move_ok(&m));
	m.now = net;
	m.now.ifname[0] = 'x';		/* of one interface */
	assert_false(msg_move_ok(&m));
	d.ipv6_left_out = 2;
	assert_false(msg_moved_ok(&d));
	d.ipv6_left_out = 0;
	memset(d.err.details, 'a', sizeof(d.err.details));
	assert_false(msg_moved_ok(&d));
}

static void test_setup_done(void **state)
{
	struct msg_setup_done m = { .kind = MSG_SETUP_DONE, .features = 0xf, .ipv6_left_out = 1 };

	(void)state;
	assert_true(msg_setup_done_ok(&m));
	m.ipv6_left_out = 2;
	assert_false(msg_setup_done_ok(&m));
	m.ipv6_left_out = 0;
	m.features = 0x10;
	assert_false(msg_setup_done_ok(&m));
	m.features = 0;
	m.kind = MSG_SETUP;
	assert_false(msg_setup_done_ok(&m));
	m.kind = MSG_SETUP_DONE;
	memset(m.err.msg, 'a', sizeof(m.err.msg));
	assert_false(msg_setup_done_ok(&m));
	m.err.msg[sizeof(m.err.msg) - 1] = '\0';
	assert_true(msg_setup_done_ok(&m));
	memset(m.err.details, 'a', sizeof(m.err.details));
	assert_false(msg_setup_done_ok(&m));
}

static void test_running(void **state)
{
	struct msg_engine m = { .kind = MSG_RUNNING };

	(void)state;
	assert_true(msg_engine_ok(&m));
	m.kind = 0;
	assert_false(msg_engine_ok(&m));
	m = (struct msg_engine){ .kind = MSG_STREAM_GONE, .seq = 1, .why = EPIPE };
	assert_true(msg_engine_ok(&m));
	m.why = UINT32_MAX;
	assert_false(msg_engine_ok(&m));
}

static void test_stream(void **state)
{
	struct msg_stream m = { .kind = MSG_STREAM, .seq = 1 };

	(void)state;
	assert_true(msg_stream_ok(&m));
	m.seq = 0;
	assert_false(msg_stream_ok(&m));
	m = (struct msg_stream){ .kind = MSG_STREAM_GONE, .seq = 1 };
	assert_false(msg_stream_ok(&m));
}

/* Many at once: all come, or as many as the receiver may have open. */
static void test_descriptors(void **state)
{
	const struct msg_inner out = { .kind = MSG_INNER_DONE, .count = MSG_FDS_MAX };
	struct pair *p = *state;
	int fds[2], many[MSG_FDS_MAX], got[MSG_FDS_MAX];
	struct rlimit old, few;
	struct msg_inner in;
	uint32_t n;

	assert_int_equal(pipe(fds), 0);
	for (size_t i = 0; i < MSG_FDS_MAX; i++)
		many[i] = fds[1];
	assert_int_equal(msg_recv_fds(p->b, &in, sizeof(in), got, &n), -EAGAIN);
	assert_int_equal(msg_send_fds(p->a, &out, sizeof(out), many, MSG_FDS_MAX + 1), -EINVAL);
	for (uint32_t k = 0; k <= MSG_FDS_MAX; k += MSG_FDS_MAX / 2) {
		assert_int_equal(msg_send_fds(p->a, &out, sizeof(out), many, k), 0);
		assert_int_equal(msg_recv_fds(p->b, &in, sizeof(in), got, &n), 0);
		assert_int_equal(n, k);
		assert_memory_equal(&in, &out, sizeof(in));
		msg_close_fds(got, n);
	}
	assert_int_equal(msg_send_fds(p->a, &out, sizeof(out), many, MSG_FDS_MAX), 0);
	close(fds[1]);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = (struct rlimit){ (rlim_t)dup(p->b) + 3, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(msg_recv_fds(p->b, &in, sizeof(in), got, &n), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_in_range(n, 1, 3);
	assert_true(msg_inner_done_ok(&in, n));
	msg_close_fds(got, n);
	assert_true(is_last_closed(fds[0]));	/* those that did not fit are nowhere */
	close(fds[0]);
	/* of another size: none is kept */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(msg_send_fds(p->a, &out, sizeof(out) - 1, &fds[1], 1), 0);
	close(fds[1]);
	assert_int_equal(msg_recv_fds(p->b, &in, sizeof(in), got, &n), -EBADMSG);
	assert_int_equal(n, 0);
	assert_true(is_last_closed(fds[0]));
	close(fds[0]);
}

static void test_inner(void **state)
{
	struct msg_inner m = { .kind = MSG_INNER, .ipv4 = 1, .count = MSG_FDS_MAX };
	struct msg_engine w = { .kind = MSG_INNER_WANTED, .ipv4 = 1, .count = 1 };

	(void)state;
	assert_true(msg_inner_ok(&m));
	assert_false(msg_inner_done_ok(&m, 0));
	m.count++;
	assert_false(msg_inner_ok(&m));
	m.count = 0;
	assert_false(msg_inner_ok(&m));
	m.kind = MSG_INNER_DONE;
	assert_true(msg_inner_done_ok(&m, 0));
	assert_false(msg_inner_done_ok(&m, 1));
	m.proto = CONF_UDP;
	assert_true(msg_inner_done_ok(&m, 0));
	m.proto = CONF_PROTO_COUNT;
	assert_false(msg_inner_done_ok(&m, 0));
	m.proto = CONF_TCP;
	m.ipv4 = 2;
	assert_false(msg_inner_done_ok(&m, 0));
	assert_true(msg_engine_ok(&w));
	w.count = MSG_FDS_MAX + 1;
	assert_false(msg_engine_ok(&w));
	w.count = 0;
	assert_false(msg_engine_ok(&w));
	w.count = 1;
	w.proto = CONF_PROTO_COUNT;
	assert_false(msg_engine_ok(&w));
	w.proto = CONF_UDP;
	w.ipv4 = 2;
	assert_false(msg_engine_ok(&w));
}

static void test_listen(void **state)
{
	struct msg_listen m = { .kind = MSG_LISTEN, .addr = addr_loopback(true), .port = 1 };
	struct msg_listen_done d = { .kind = MSG_LISTEN_DONE, .addr = addr_loopback(true),
				     .port = 80 };

	(void)state;
	assert_true(msg_listen_ok(&m));
	m.addr = addr_loopback(false);
	assert_true(msg_listen_ok(&m));
	m.addr = addr_from4("\0\0\0\0");	/* everywhere */
	assert_false(msg_listen_ok(&m));
	m.addr = ADDR_ANY;
	assert_false(msg_listen_ok(&m));
	m.addr = addr_loopback(true);
	m.proto = CONF_UDP;
	assert_true(msg_listen_ok(&m));
	m.proto = CONF_PROTO_COUNT;
	assert_false(msg_listen_ok(&m));
	m.proto = CONF_TCP;
	m.port = 0;
	assert_false(msg_listen_ok(&m));
	assert_true(msg_listen_done_ok(&d));
	d.error = -EADDRINUSE;
	assert_true(msg_listen_done_ok(&d));
	d.proto = CONF_PROTO_COUNT;
	assert_false(msg_listen_done_ok(&d));
	d.proto = CONF_UDP;
	d.error = 1;
	assert_false(msg_listen_done_ok(&d));
}

static void test_resolvers(void **state)
{
	struct msg_resolvers m = { .kind = MSG_RESOLVERS, .resolvers = { .n = 1 } };

	(void)state;
	m.resolvers.list[0].addr = addr_loopback(true);
	assert_true(msg_resolvers_ok(&m));
	m.resolvers.n = RESOLVERS_MAX + 1;
	assert_false(msg_resolvers_ok(&m));
	m.resolvers.n = 0;
	assert_true(msg_resolvers_ok(&m));
	m.kind = MSG_SYNC;
	assert_false(msg_resolvers_ok(&m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_message, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_descriptor, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_wrong_size, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_wrong_size_keeps_no_descriptor, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(test_descriptor_not_asked_for, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(test_too_many_descriptors, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_end_of_file, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_peek, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(test_descriptors, open_pair, close_pair),
		cmocka_unit_test(test_inner), cmocka_unit_test(test_listen),
		cmocka_unit_test(test_setup),
		cmocka_unit_test(test_network_and_move), cmocka_unit_test(test_setup_done),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
