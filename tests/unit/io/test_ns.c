/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests io/ns.c with the namespaces of a process of its own: the way in, and
 * what it says where there is none. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/ns.h"

/* A process in new namespaces, which waits; 0 if the machine gives none. */
static pid_t make_container(int flags)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = unshare(flags) == 0 ? 'y' : 'n';
		if (write(ready[1], &c, 1) == 1 && c == 'y')
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	if (c == 'y')
		return pid;
	waitpid(pid, NULL, 0);
	return 0;
}

static void end_container(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int open_net(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static bool is_inside(int netns)
{
	struct stat a, b;

	return fstat(netns, &a) == 0 && stat("/proc/self/ns/net", &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Enters in a forked process: 0 inside, else the error's code. */
static int enter_forked(int netns)
{
	struct err e = ERR_INIT;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ns_enter(netns, &e) < 0)
			_exit(e.msg[0] && e.code ? e.code : 255);
		_exit(is_inside(netns) ? 0 : 254);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_enter(void **state)
{
	pid_t pid = make_container(CLONE_NEWUSER | CLONE_NEWNET);
	FD_OWNED int netns = -1;
	struct err e = ERR_INIT;

	(void)state;
	if (!pid)
		skip();
	netns = open_net(pid);
	assert_int_equal(ns_check(netns, &e), 0);
	assert_int_equal(enter_forked(netns), 0);
	end_container(pid);
	assert_int_equal(enter_forked(netns), 0);	/* our descriptor keeps it */
}

static void test_own_is_refused(void **state)
{
	FD_OWNED int netns = open_net(getpid());
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(ns_check(netns, &e), -1);
	assert_int_equal(e.code, ERR_NETNS);
	assert_non_null(strstr(e.msg, "own"));
}

static void test_other_things_are_refused(void **state)
{
	static const char *const paths[] = { "/dev/null", "/proc/self/ns/user", "/" };
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		FD_OWNED int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		e = ERR_INIT;
		assert_int_equal(ns_check(fd, &e), -1);
		assert_int_equal(e.code, ERR_NETNS);
	}
}

/* From inside another user namespace the owner cannot be had. */
static void test_owner_outside(void **state)
{
	FD_OWNED int netns = open_net(getpid());
	pid_t pid = fork();
	struct err e = ERR_INIT;
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			_exit(77);
		_exit(ns_enter(netns, &e) < 0 ? e.code : 0);
	}
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), ERR_PRIVILEGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_own_is_refused),
		cmocka_unit_test(test_other_things_are_refused),
		cmocka_unit_test(test_owner_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
