/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/io/splice.c and near.c with real sockets and pipes, and what proto/splice.c takes
 * for granted of Linux. */
#include "../unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io.h"
#include "io/near.h"
#include "io/sockaddr.h"
#include "proto/port.h"
#include "proto/splice.h"

#define FLOWS (IO_PIPES + 1)

/* far[]: what the peers of the flow's two sockets hold. */
static struct bed {
	struct ctx c;
	struct io io;
	struct counters count;
	struct flow flows[FLOWS];
	int far[2];
	int files;		/* open before */
} bed;

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* A connection over the loopback; fd[1] is non-blocking. */
static void connection(int fd[2])
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	const struct addr lo = addr_loopback(true);
	union sockaddr_any sa;
	socklen_t len = sockaddr_make(&sa, &lo, 0, 0);

	assert_int_equal(bind(listener, &sa.sa, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, &sa.sa, &len), 0);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd[0], &sa.sa, len), 0);
	fd[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fd[1] >= 0);
	close(listener);
}

static struct flow *flow_with_sockets(void)
{
	struct flow *f = &bed.flows[0];
	int a[2], b[2];

	connection(a);
	connection(b);
	bed.far[0] = a[0];
	bed.far[1] = b[0];
	f->sock = a[1];
	f->splice.inner = b[1];
	sock_stream_options(f->sock);
	sock_stream_options(f->splice.inner);
	return f;
}

static int start(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	bed.files = open_files();
	bed.c.io = &bed.io;
	bed.c.count = &bed.count;
	bed.c.now = 5000;
	bed.c.splice_head = bed.c.splice_tail = bed.c.relay_head = FLOW_NONE;
	bed.c.flows.flows = bed.flows;
	bed.io.epoll = epoll_create1(EPOLL_CLOEXEC);
	bed.far[0] = bed.far[1] = -1;
	for (unsigned int i = 0; i < FLOWS; i++) {
		bed.flows[i].sock = bed.flows[i].splice.inner = -1;
		for (int k = 0; k < 2; k++)
			memset(bed.flows[i].splice.end[k].pipe, -1, sizeof(int[2]));
	}
	return 0;
}

/* Nothing is left open. */
static int stop(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FLOWS; i++)
		for (int k = 0; k < 2; k++) {
			port_pipe_drop(&bed.c, &bed.flows[i], k);
			port_side_close(&bed.c, &bed.flows[i], k, false);
		}
	for (int k = 0; k < 2; k++)
		if (bed.far[k] >= 0)
			close(bed.far[k]);
	splice_close_pools(&bed.io);
	close(bed.io.epoll);
	assert_int_equal(bed.io.pipes.nopen, 0);
	assert_int_equal(open_files(), bed.files);
	return 0;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(poll(&p, 1, 5000), 1);
}

static void test_through_a_pipe(void **state)
{
	struct flow *f = flow_with_sockets();
	static uint8_t out[200000], in[200000];
	size_t sent = 0, got = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(fcntl(bed.far[0], F_SETFL, O_NONBLOCK), 0);
	assert_true(port_pipe_get(&bed.c, f, SPLICE_OUTER));
	assert_int_equal(port_pipe_in(&bed.c, f, SPLICE_OUTER, SPLICE_PIPE_LEN), -EAGAIN);
	while (got < sizeof(in)) {
		ssize_t n = send(bed.far[0], out + sent, sizeof(out) - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		wait_for(f->sock, POLLIN);
		n = port_pipe_in(&bed.c, f, SPLICE_OUTER, SPLICE_PIPE_LEN);
		assert_true(n > 0);
		for (size_t left = (size_t)n; left; left -= (size_t)n) {
			n = port_pipe_out(&bed.c, f, SPLICE_OUTER, left);
			assert_true(n > 0);
			assert_int_equal(recv(bed.far[1], in + got, (size_t)n, MSG_WAITALL), n);
			got += (size_t)n;
		}
	}
	assert_memory_equal(in, out, sizeof(in));
	close(bed.far[0]);
	bed.far[0] = -1;
	wait_for(f->sock, POLLIN);
	assert_int_equal(port_pipe_in(&bed.c, f, SPLICE_OUTER, SPLICE_PIPE_LEN), 0);
}

/* How much waits in fd when its sender can put in nothing more. */
static int stuck_at(int from, int fd)
{
	static const uint8_t data[65536];
	int had = -1, has = 0;

	assert_int_equal(fcntl(from, F_SETFL, O_NONBLOCK), 0);
	while (has > had) {
		while (send(from, data, sizeof(data), 0) > 0)
			;
		poll(NULL, 0, 50);	/* the window opens by acknowledgments */
		had = has;
		assert_int_equal(ioctl(fd, FIONREAD, &has), 0);
	}
	return has;
}

/* The window holds what it says, and more than it was at first. */
static void test_near_window(void **state)
{
	struct flow *f = flow_with_sockets();
	int has;

	(void)state;
	near_window(f->sock, 150000);	/* as much as any host allows */
	has = stuck_at(bed.far[0], f->sock);
	assert_in_range(has, 75000, 300000);
	assert_int_equal(recv(f->sock, NULL, (size_t)has, MSG_TRUNC), has);
	has = stuck_at(bed.far[0], f->sock);
	assert_in_range(has, 75000, 300000);
}

/* A sender over the loopback is near; it is kept near where the host lets us. */
static void test_bulk(void **state)
{
	struct flow *f = flow_with_sockets();
	FILE *limit = fopen("/proc/sys/net/core/rmem_max", "r");
	int max = 0, size;
	socklen_t len = sizeof(size);

	(void)state;
	if (limit) {		/* not in all namespaces */
		assert_int_equal(fscanf(limit, "%d", &max), 1);
		fclose(limit);
	}
	bed.io.near = near_probe();
	if (max)
		assert_int_equal(bed.io.near, max >= 1 << 20);
	port_bulk(&bed.c, f);
	assert_int_equal(bed.count.tcp_near, bed.io.near);
	assert_int_equal(getsockopt(f->sock, SOL_SOCKET, SO_RCVBUF, &size, &len), 0);
	assert_int_equal(size == 2 << 20, bed.io.near);
}

/* Ends on this machine are kept near where the host lets us. Where rmem_max is less, the window
 * is the kernel's: one of a few KiB would lose what it had offered, and stand still. */
static void test_near_ends(void **state)
{
	(void)state;
	for (int near = 0; near < 2; near++) {
		struct flow *f = flow_with_sockets();
		int had, size, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		socklen_t len = sizeof(size);

		close(f->splice.inner);
		close(bed.far[1]);
		bed.far[1] = f->splice.inner = -1;
		splice_inner_add(&bed.c, CONF_TCP, true, &fd, 1);
		f->key.remote = f->outer = addr_loopback(true);
		f->outer_port = 1;
		f->splice.caller = SPLICE_OUTER;
		assert_int_equal(getsockopt(f->sock, SOL_SOCKET, SO_RCVBUF, &had, &len), 0);
		bed.io.near = near && near_probe();
		port_splice_connect(&bed.c, f);
		assert_int_equal(getsockopt(f->sock, SOL_SOCKET, SO_RCVBUF, &size, &len), 0);
		assert_int_equal(size, bed.io.near ? 1 << 20 : had);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len), 0);
		assert_int_equal(size == 1 << 20, bed.io.near);
		port_side_close(&bed.c, f, SPLICE_OUTER, false);
		port_side_close(&bed.c, f, SPLICE_INNER, false);
		close(bed.far[0]);
		bed.far[0] = -1;
	}
}

/* splice(2) gives what is before the urgent byte, and then says "end"; peek says what
 * is there. */
static void test_urgent(void **state)
{
	struct flow *f = flow_with_sockets();
	char buf[8];
	bool next;

	(void)state;
	assert_false(port_side_urgent(&bed.c, f, SPLICE_OUTER, &next));
	assert_int_equal(send(bed.far[0], "abc", 3, 0), 3);
	assert_int_equal(send(bed.far[0], "d", 1, MSG_OOB), 1);
	assert_int_equal(send(bed.far[0], "ef", 2, 0), 2);
	assert_int_equal(shutdown(bed.far[0], SHUT_WR), 0);
	wait_for(f->sock, POLLRDHUP);
	assert_true(port_side_urgent(&bed.c, f, SPLICE_OUTER, &next) && !next);
	assert_true(port_pipe_get(&bed.c, f, SPLICE_OUTER));
	assert_int_equal(port_pipe_in(&bed.c, f, SPLICE_OUTER, 100), 3);
	assert_int_equal(port_pipe_in(&bed.c, f, SPLICE_OUTER, 100), 0);
	assert_true(port_side_urgent(&bed.c, f, SPLICE_OUTER, &next) && next);
	for (size_t got = 3; got < 6;) {
		ssize_t n = port_side_peek(&bed.c, f, SPLICE_OUTER, buf, sizeof(buf));

		assert_in_range(n, 1, 3);
		assert_memory_equal(buf, &"abcdef"[got], (size_t)n);
		port_side_discard(&bed.c, f, SPLICE_OUTER, (size_t)n);
		got += (size_t)n;
	}
	assert_false(port_side_urgent(&bed.c, f, SPLICE_OUTER, &next));
	assert_int_equal(port_side_peek(&bed.c, f, SPLICE_OUTER, buf, sizeof(buf)), 0);
	assert_int_equal(port_pipe_out(&bed.c, f, SPLICE_OUTER, 3), 3);
}

static void test_ends(void **state)
{
	char c;

	(void)state;
	for (int abort = 0; abort < 2; abort++) {
		struct flow *f = flow_with_sockets();

		sock_linger(f->sock, true);	/* as from the beginning */
		port_side_close(&bed.c, f, SPLICE_OUTER, abort);
		wait_for(bed.far[0], POLLIN);
		assert_int_equal(recv(bed.far[0], &c, 1, 0), abort ? -1 : 0);
		assert_int_equal(abort ? errno : ECONNRESET, ECONNRESET);
		port_side_close(&bed.c, f, SPLICE_INNER, abort);
		close(bed.far[0]);
		close(bed.far[1]);
		bed.far[0] = bed.far[1] = -1;
	}
}

static void test_pipes(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < IO_PIPES; i++)
		if (!port_pipe_get(&bed.c, &bed.flows[i], SPLICE_INNER))
			skip();		/* this user has no more, or a low limit of files */
	assert_true(port_pipe_get(&bed.c, &bed.flows[0], SPLICE_INNER));	/* has it */
	assert_int_equal(bed.count.splice_no_pipe, 0);
	for (unsigned int i = 0; i < IO_PIPES; i++)	/* the user's limit is not ours alone */
		assert_in_range(fcntl(bed.flows[i].splice.end[SPLICE_INNER].pipe[0], F_GETPIPE_SZ),
				65536, i < IO_PIPES_LARGE ? (int)SPLICE_PIPE_LEN : 65536);
	assert_false(port_pipe_get(&bed.c, &bed.flows[IO_PIPES], SPLICE_INNER));
	assert_int_equal(bed.count.splice_no_pipe, 1);
	for (unsigned int i = 0; i < IO_PIPES; i++)
		port_pipe_put(&bed.c, &bed.flows[i], SPLICE_INNER);
	assert_int_equal(bed.io.pipes.nidle, IO_PIPES_IDLE);
	assert_int_equal(bed.io.pipes.nopen, IO_PIPES_IDLE);
	assert_true(port_pipe_get(&bed.c, &bed.flows[1], SPLICE_OUTER));
	assert_int_equal(bed.io.pipes.nopen, IO_PIPES_IDLE);
}

/* No descriptor for a pipe: not tried again with each byte. */
static void test_no_pipe(void **state)
{
	struct rlimit old, none = { 0 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_false(port_pipe_get(&bed.c, &bed.flows[0], SPLICE_OUTER));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(port_pipe_get(&bed.c, &bed.flows[0], SPLICE_OUTER));
	bed.c.now += 10000;
	assert_true(port_pipe_get(&bed.c, &bed.flows[0], SPLICE_OUTER));
}

/* Inner sockets: none before the first is looked for; asked for once while they are on
 * their way; what came short, or not at all, is asked for again later. */
static void test_inner_pool(void **state)
{
	const struct inner_pool *p = &bed.io.inner[CONF_TCP][0];
	struct flow *f = &bed.flows[0];
	int fd[IO_INNER];
	uint32_t n;

	(void)state;
	assert_int_equal(splice_inner_due(&bed.c), UINT64_MAX);
	assert_int_equal(splice_inner_ask(&bed.c, CONF_TCP, true), 0);
	f->outer = addr_loopback(true);
	f->outer_port = 1;
	f->splice.caller = SPLICE_OUTER;
	assert_int_equal(port_splice_connect(&bed.c, f), 1);
	assert_true(splice_inner_due(&bed.c) <= bed.c.now);
	assert_int_equal(splice_inner_ask(&bed.c, CONF_TCP, false), 0);	/* the other family */
	assert_int_equal(splice_inner_ask(&bed.c, CONF_TCP, true), IO_INNER);
	assert_int_equal(splice_inner_ask(&bed.c, CONF_TCP, true), 0);
	assert_in_range(splice_inner_due(&bed.c), bed.c.now + 1, bed.c.now + 2000);
	for (n = 0; n < IO_INNER; n++)
		fd[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	splice_inner_add(&bed.c, CONF_TCP, true, fd, IO_INNER / 4);
	assert_int_equal(p->n, IO_INNER / 4);
	assert_int_equal(splice_inner_ask(&bed.c, CONF_TCP, true), 0);	/* nsagent has no more now */
	bed.c.now = splice_inner_due(&bed.c);
	assert_int_equal(splice_inner_ask(&bed.c, CONF_TCP, true), IO_INNER - IO_INNER / 4);
	splice_inner_add(&bed.c, CONF_TCP, true, fd + IO_INNER / 4, IO_INNER - IO_INNER / 4);
	assert_int_equal(p->n, IO_INNER);
	assert_int_equal(splice_inner_due(&bed.c), UINT64_MAX);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	splice_inner_add(&bed.c, CONF_TCP, true, fd, 1);			/* one too many is closed */
	assert_int_equal(p->n, IO_INNER);
	/* of datagrams there is another */
	assert_int_equal(splice_inner_take(&bed.c, CONF_UDP, true), -EAGAIN);
	assert_int_equal(splice_inner_ask(&bed.c, CONF_UDP, true), IO_INNER);
	fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
	splice_inner_add(&bed.c, CONF_UDP, true, fd, 1);
	assert_int_equal(splice_inner_take(&bed.c, CONF_UDP, true), fd[0]);
	close(fd[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_through_a_pipe, start, stop),
		cmocka_unit_test_setup_teardown(test_near_window, start, stop),
		cmocka_unit_test_setup_teardown(test_bulk, start, stop),
		cmocka_unit_test_setup_teardown(test_near_ends, start, stop),
		cmocka_unit_test_setup_teardown(test_urgent, start, stop),
		cmocka_unit_test_setup_teardown(test_ends, start, stop),
		cmocka_unit_test_setup_teardown(test_pipes, start, stop),
		cmocka_unit_test_setup_teardown(test_no_pipe, start, stop),
		cmocka_unit_test_setup_teardown(test_inner_pool, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
