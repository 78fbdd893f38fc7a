/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/attach/netns.c: what is a namespace, what is not, whose end is
 * watched. The namespace is a child's, in a user namespace of its own. */
#include "../unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/attach/netns.h"

static void assert_refused(const char *path, int code, const char *words)
{
	struct err e = ERR_INIT;
	struct netns n;

	if (netns_open_path(path, &n, &e) == 0)
		fail_msg("taken: %s", path);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.owner_fd, -1);
	if (e.code != code || !strstr(e.msg, words))
		fail_msg("%s: code %d: %s", path, e.code, e.msg);
}

static void test_refused(void **state)
{
	char path[64];

	(void)state;
	assert_refused("netns", ERR_ENV, "netns");
	assert_refused("/nowhere/at/all", ERR_NETNS, "/nowhere/at/all");
	assert_refused("/proc/999999999/ns/net", ERR_NETNS, "999999999");
	assert_refused("/etc/passwd", ERR_NETNS, "/etc/passwd is not");
	assert_refused("/dev/null", ERR_NETNS, "/dev/null is not");
	assert_refused("/proc", ERR_NETNS, "/proc is not");
	assert_refused("/proc/self/ns/net", ERR_NETNS, "/proc/self/ns/net");
	assert_refused("/proc/thread-self/ns/net", ERR_NETNS, "thread-self");
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", getpid());
	assert_refused(path, ERR_NETNS, "is not a network namespace");
	snprintf(path, sizeof(path), "/proc/%d/ns/net", getpid());
	assert_refused(path, ERR_NETNS, "itself runs in");
}

/* Opening it for reading would wait for a writer, for ever. */
static void test_fifo(void **state)
{
	char path[] = "/tmp/test_netns.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, ERR_NETNS, "is not a network namespace");
	unlink(path);
}

static pid_t container(void)
{
	int p[2];
	pid_t pid;
	char c = 0;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 'y' : 'n';
		if (write(p[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	close(p[0]);
	close(p[1]);
	if (c == 'y')
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_message("skipped: no user namespace can be made here\n");
	skip();
	return 0;
}

static void test_owner(void **state)
{
	struct err e = ERR_INIT;
	struct netns n, m;
	char path[64];
	pid_t pid = container();

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(netns_open_path(path, &n, &e), 0);
	assert_true(n.fd >= 0);
	assert_true(n.owner_fd >= 0);
	assert_int_equal(n.owner_pid, pid);
	assert_string_equal(n.path, path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", n.fd);
	assert_refused(path, ERR_NETNS, "own process");
	netns_close(&n);
	assert_int_equal(n.fd, -1);
	snprintf(path, sizeof(path), "/proc/%d/root/proc/%d/ns/net", getpid(), pid);
	assert_int_equal(netns_open_path(path, &n, &e), 0);
	assert_int_equal(n.owner_pid, 0);	/* that process owns nothing here */
	assert_int_equal(n.owner_fd, -1);
	netns_close(&n);
	/* whose end counts is told, by path and by descriptor */
	assert_int_equal(netns_open_owned(path, getpid(), &n, &e), 0);
	assert_int_equal(n.owner_pid, getpid());
	assert_true(n.owner_fd >= 0);
	assert_int_equal(netns_take(dup(n.fd), "words", pid, &m, &e), 0);
	assert_int_equal(m.owner_pid, pid);
	netns_close(&m);
	assert_int_equal(netns_take(open("/dev/null", O_RDONLY), "words", pid, &m, &e), -1);
	assert_int_equal(e.code, ERR_NETNS);
	netns_close(&n);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	e = ERR_INIT;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_int_equal(netns_open_path(path, &n, &e), -1);
	assert_int_equal(e.code, ERR_NETNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
