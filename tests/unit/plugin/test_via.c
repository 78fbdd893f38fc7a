/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/attach/via.c and what plugin/broker.c refuses: the shape of each
 * message, and whose network namespace is served. */
#include "../unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/via.h"
#include "plugin/broker.h"

#define ATTACH_FDS	0x1fu	/* conf, front, netns, state, life */
#define OWNER_PLACE	0x60u

static void test_request(void **state)
{
	static const struct {
		uint32_t magic, verb, fds, n;
		bool ok;
	} rows[] = {
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS, 5, true },
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS | 0x20, 6, true },
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS | OWNER_PLACE, 7, true },
		{ VIA_MAGIC, VIA_STATUS, 3, 2, true },
		{ VIA_MAGIC - 1, VIA_ATTACH, ATTACH_FDS, 5, false },
		{ VIA_MAGIC, 0, 3, 2, false },
		{ VIA_MAGIC, VIA_VERB_COUNT, 3, 2, false },
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS, 4, false },	/* fewer than it says */
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS, 6, false },	/* more */
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS & ~1u, 4, false },	/* no configuration */
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS & ~4u, 4, false },	/* no namespace */
		{ VIA_MAGIC, VIA_ATTACH, ATTACH_FDS | 0x80, 6, false },	/* none of ours */
		{ VIA_MAGIC, VIA_STATUS, 7, 3, false },
		{ VIA_MAGIC, VIA_STATUS, 1, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct via_request r = { rows[i].magic, rows[i].verb, rows[i].fds };

		if (via_request_ok(&r, rows[i].n) != rows[i].ok)
			fail_msg("row %zu", i);
	}
}

static void test_hello(void **state)
{
	struct via_hello h = { .magic = VIA_MAGIC };

	(void)state;
	assert_true(via_hello_ok(&h));
	h.names.nnameservers = CONF_NAMESERVERS_MAX + 1;
	assert_false(via_hello_ok(&h));
	h.names.nnameservers = CONF_NAMESERVERS_MAX;
	h.names.nsearch = CONF_SEARCH_MAX + 1;
	assert_false(via_hello_ok(&h));
	h.names.nsearch = 1;
	memset(h.names.search[0], 'a', sizeof(h.names.search[0]));
	assert_false(via_hello_ok(&h));
	h.names.nsearch = 0;
	assert_true(via_hello_ok(&h));
	memset(h.names.domain, 'a', sizeof(h.names.domain));
	assert_false(via_hello_ok(&h));
	h = (struct via_hello){ .magic = VIA_MAGIC };
	memset(h.version, '1', sizeof(h.version));
	assert_false(via_hello_ok(&h));
	h = (struct via_hello){ .magic = VIA_MAGIC + 1 };
	assert_false(via_hello_ok(&h));
}

static void test_answer(void **state)
{
	struct via_answer a = { .magic = VIA_MAGIC, .pid = 7 };

	(void)state;
	assert_true(via_answer_ok(&a));
	a.err.code = ERR_IO;
	assert_false(via_answer_ok(&a));	/* started and not */
	a.pid = 0;
	assert_true(via_answer_ok(&a));
	memset(a.err.msg, 'a', sizeof(a.err.msg));
	assert_false(via_answer_ok(&a));
	a.err = ERR_INIT;
	assert_false(via_answer_ok(&a));	/* neither */
}

/* Ourselves as root in a new user namespace: without a map no further one is made. */
static bool enter_userns(void)
{
	char map[32];
	int fd, n = snprintf(map, sizeof(map), "0 %u 1", geteuid());

	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, map, (size_t)n) == n && close(fd) == 0;
}

/* A child in a user and network namespace of its own, in another such where deep. */
static pid_t make_container(bool deep, int *netns)
{
	char path[64], c = 0;
	int p[2];
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = enter_userns() && (!deep || enter_userns()) && unshare(CLONE_NEWNET) == 0;
		if (write(p[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	*netns = open(path, O_RDONLY | O_CLOEXEC);
	if (c && *netns >= 0)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	skip();
	return 0;
}

static void test_may(void **state)
{
	struct err e = ERR_INIT;
	FD_OWNED int netns = -1;
	FD_OWNED int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	FD_OWNED int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	(void)state;
	assert_int_equal(broker_may(null, geteuid(), &e), -1);
	assert_int_equal(e.code, ERR_NETNS);
	assert_int_equal(broker_may(-1, geteuid(), &e), -1);
	assert_int_equal(broker_may(own, 4711, &e), -1);
	assert_int_equal(e.code, ERR_PRIVILEGE);
	pid = make_container(false, &netns);
	assert_int_equal(broker_may(netns, geteuid(), &e), 0);
	assert_int_equal(broker_may(netns, geteuid() + 1, &e), -1);
	assert_int_equal(e.code, ERR_PRIVILEGE);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* podman --userns: made by root of a namespace that the user made. */
static void test_may_deep(void **state)
{
	struct err e = ERR_INIT;
	FD_OWNED int netns = -1;
	pid_t pid = make_container(true, &netns);

	(void)state;
	assert_int_equal(broker_may(netns, geteuid(), &e), 0);
	assert_int_equal(broker_may(netns, geteuid() + 1, &e), -1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request), cmocka_unit_test(test_hello),
		cmocka_unit_test(test_answer), cmocka_unit_test(test_may),
		cmocka_unit_test(test_may_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
