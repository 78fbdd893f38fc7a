/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests io/diag.c with real sockets of the test's own, wherever it runs. */
#include "../unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/diag.h"

/* Bound to a port that the kernel picks, below its range for clients where `low`. */
static int open_one(int type, uint32_t addr, bool low, uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(addr) } };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sin);

	assert_true(fd >= 0);
	for (uint16_t p = 20000; low && p < 30000; p++) {
		sin.sin_port = htons(p);
		if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0)
			break;
	}
	if (!low)
		assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void look(const struct diag *d, bool tcp, struct diag_ports *ret)
{
	struct diag_ports loopback[2];
	int rc = -EINTR;

	while (rc == -EINTR)		/* others open and close sockets meanwhile */
		rc = diag_read(d, tcp, ret, loopback);
	assert_int_equal(rc, 0);
}

static void test_tcp(void **state)
{
	struct diag d;
	struct diag_ports p;
	uint16_t any, loop;
	int a = open_one(SOCK_STREAM, INADDR_ANY, false, &any);
	int l = open_one(SOCK_STREAM, INADDR_LOOPBACK, false, &loop);

	(void)state;
	if (diag_open(&d) < 0)
		skip();			/* a kernel without sock_diag */
	look(&d, true, &p);
	assert_true(diag_has(&p, any));
	assert_false(diag_has(&p, loop));
	close(a);
	look(&d, true, &p);
	assert_false(diag_has(&p, any));
	close(l);
	diag_close(&d);
	assert_int_equal(d.fd, -1);
}

/* What the loopback reaches; a socket of one family is not the other's. */
static void test_loopback(void **state)
{
	struct diag_ports p[2];
	struct diag d;
	uint16_t any, loop;
	int a = open_one(SOCK_STREAM, INADDR_ANY, false, &any);
	int l = open_one(SOCK_STREAM, INADDR_LOOPBACK, false, &loop);
	int rc = -EINTR;

	(void)state;
	if (diag_open(&d) < 0)
		skip();
	while (rc == -EINTR)
		rc = diag_read_loopback(&d, true, p);
	assert_int_equal(rc, 0);
	assert_true(diag_has(&p[0], any) && diag_has(&p[0], loop));
	assert_false(diag_has(&p[1], any) || diag_has(&p[1], loop));
	close(a);
	close(l);
	diag_close(&d);
}

static void test_udp(void **state)
{
	struct diag d;
	struct diag_ports p;
	uint16_t low, picked;
	int a = open_one(SOCK_DGRAM, INADDR_ANY, true, &low);
	int b = open_one(SOCK_DGRAM, INADDR_ANY, false, &picked);
	uint64_t before, after;

	(void)state;
	if (diag_open(&d) < 0)
		skip();
	look(&d, false, &p);
	assert_true(diag_has(&p, low));
	assert_false(diag_has(&p, picked));	/* a client, most likely */
	look(&d, true, &p);
	assert_false(diag_has(&p, low) && diag_has(&p, picked));
	before = diag_udp_hint(&d);
	close(a);
	close(b);
	after = diag_udp_hint(&d);
	assert_true(before != after);
	diag_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_loopback), cmocka_unit_test(test_udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
