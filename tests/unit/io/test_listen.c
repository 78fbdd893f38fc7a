/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests io/listen.c with real sockets on the loopback: what is opened, and how each
 * refusal is told. */
#include "../unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/listen.h"

static const struct listen_how both = { .ifname = "", .ipv4 = true, .ipv6 = true };

static struct forward want(enum conf_proto proto, const char *addr, uint16_t port)
{
	struct forward f = { .proto = (uint8_t)proto, .port = port };

	if (addr)
		assert_int_equal(addr_parse(addr, &f.addr), 0);
	return f;
}

static int get_int(int fd, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(getsockopt(fd, level, name, &v, &len), 0);
	return v;
}

static void test_picked_port(void **state)
{
	struct forward f = want(CONF_TCP, "127.0.0.1", 0), same;

	(void)state;
	assert_int_equal(listen_open(&f, &both), 0);
	assert_true(f.port > 0);
	assert_int_equal(get_int(f.sock, SOL_SOCKET, SO_ACCEPTCONN), 1);
	same = want(CONF_TCP, "127.0.0.1", f.port);
	assert_int_equal(listen_open(&same, &both), -EADDRINUSE);
	assert_int_equal(same.sock, -1);
	close(f.sock);
	assert_int_equal(listen_open(&same, &both), 0);	/* free at once */
	close(same.sock);
}

static void test_families(void **state)
{
	const struct listen_how only4 = { .ifname = "", .ipv4 = true };
	const struct listen_how only6 = { .ifname = "", .ipv6 = true };
	struct forward f = want(CONF_UDP, NULL, 0);

	(void)state;
	assert_int_equal(listen_open(&f, &only4), 0);
	assert_int_equal(get_int(f.sock, SOL_SOCKET, SO_DOMAIN), AF_INET);
	assert_true(addr_is4(&f.addr));		/* so that sendmsg() is told the right family */
	assert_int_equal(get_int(f.sock, IPPROTO_IP, IP_PKTINFO), 1);
	close(f.sock);
	f = want(CONF_TCP, NULL, 0);
	if (listen_open(&f, &only6) == -EAFNOSUPPORT)
		skip();
	assert_int_equal(get_int(f.sock, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	close(f.sock);
	f = want(CONF_TCP, NULL, 0);
	assert_int_equal(listen_open(&f, &both), 0);
	assert_int_equal(get_int(f.sock, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	close(f.sock);
}

static void assert_explained(const struct forward *f, const struct listen_how *how, int err,
			     int code, const char *words)
{
	struct err e = ERR_INIT;

	assert_int_equal(listen_explain(f, how, err, &e), -1);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" is not in: %s", words, e.msg);
}

static void test_explained(void **state)
{
	const struct listen_how dev = { .ifname = "nope0", .ipv4 = true };
	struct forward f = want(CONF_TCP, "127.0.0.1", 0), g = want(CONF_UDP, NULL, 7);
	char mine[64];

	(void)state;
	assert_int_equal(listen_open(&f, &both), 0);
	snprintf(mine, sizeof(mine), "is in use, by test_listen (pid %d)", (int)getpid());
	assert_explained(&f, &both, -EADDRINUSE, ERR_PORT, mine);
	assert_explained(&f, &both, -EADDRINUSE, ERR_PORT, "forward.tcp: port ");
	close(f.sock);
	assert_explained(&g, &both, -EACCES, ERR_PRIVILEGE, "forward.udp: port 7 of all addresses");
	assert_explained(&g, &dev, -ENODEV, ERR_PORT, "on nope0");
	assert_explained(&f, &both, -EADDRNOTAVAIL, ERR_PORT, "127.0.0.1");
	assert_explained(&f, &both, -ENOMEM, ERR_PORT, "memory");
}

/* A connection that this host closed keeps the port that the kernel gave it, for a minute. */
static void test_explained_ended(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), conn;
	struct forward f;
	char c;

	(void)state;
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(client, (struct sockaddr *)&sa, &len), 0);
	conn = accept(server, NULL, NULL);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(read(conn, &c, 1), 0);
	close(conn);
	assert_int_equal(read(client, &c, 1), 0);
	close(client);
	close(server);
	f = want(CONF_TCP, "127.0.0.1", ntohs(sa.sin_port));
	assert_int_equal(listen_open(&f, &both), -EADDRINUSE);
	assert_explained(&f, &both, -EADDRINUSE, ERR_PORT, "by a connection that ended");
}

static void test_no_interface(void **state)
{
	const struct listen_how dev = { .ifname = "nope0", .ipv4 = true };
	struct forward f = want(CONF_TCP, "127.0.0.1", 0);

	(void)state;
	assert_int_equal(listen_open(&f, &dev), -ENODEV);
	f = want(CONF_TCP, "192.0.2.1", 0);
	assert_int_equal(listen_open(&f, &both), -EADDRNOTAVAIL);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
		return fd;
	close(fd);
	return -errno;
}

/* "ready": bound and nobody else's, listening or not, also while connections of
 * the last time are open. */
static void test_start_and_stop(void **state)
{
	const struct listen_how reserve = { .ifname = "", .ipv4 = true, .reserve = true };
	struct forward f = want(CONF_TCP, "127.0.0.1", 0), other;
	int client, server;

	(void)state;
	assert_int_equal(listen_open(&f, &reserve), 0);
	assert_int_equal(connect_to(f.port), -ECONNREFUSED);
	other = want(CONF_TCP, "127.0.0.1", f.port);
	assert_int_equal(listen_open(&other, &both), -EADDRINUSE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(listen_start(&f), 0);
		client = connect_to(f.port);
		assert_true(client >= 0);
		server = accept(f.sock, NULL, NULL);
		assert_true(server >= 0);
		assert_int_equal(listen_stop(&f), 0);
		assert_int_equal(connect_to(f.port), -ECONNREFUSED);
		assert_int_equal(accept(f.sock, NULL, NULL), -1);
		assert_int_equal(errno, EINVAL);	/* sock.c takes it for "none" */
		assert_int_equal(listen_open(&other, &both), -EADDRINUSE);
		/* the connections stay open */
		assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), 1);
	}
	close(f.sock);
}

static void test_room(void **state)
{
	struct err e = ERR_INIT;
	struct rlimit files;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(listen_room(1, &e), 0);
	files.rlim_cur = LISTEN_SPARE + 10;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(listen_room(10, &e), 0);
	assert_int_equal(listen_room(0, &e), 0);
	assert_int_equal(listen_room(11, &e), -1);
	assert_int_equal(e.code, ERR_PORT);
	assert_non_null(strstr(e.msg, "11 ports need a limit of 267 open files, and it is 266"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picked_port),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_explained_ended),
		cmocka_unit_test(test_no_interface),
		cmocka_unit_test(test_start_and_stop),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
