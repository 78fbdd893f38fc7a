/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests sandbox/sandbox.c: each stage in a forked process, which then says what
 * the kernel says of it. As root the capabilities were there before. */
#include "../unit.h"

#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/sanitizer.h"

static bool was_root;

enum { CAP_SET_PERMITTED, CAP_SET_EFFECTIVE, CAP_SET_INHERITABLE };

#define NET_CAPS	((1ULL << 12) | (1ULL << 10))	/* CAP_NET_ADMIN, CAP_NET_BIND_SERVICE */

/* By system calls: who has given all files up has no /proc. */
static uint64_t cap_set(uint32_t which)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return UINT64_MAX;
	switch (which) {
	case CAP_SET_PERMITTED:
		return (uint64_t)d[1].permitted << 32 | d[0].permitted;
	case CAP_SET_EFFECTIVE:
		return (uint64_t)d[1].effective << 32 | d[0].effective;
	default:
		return (uint64_t)d[1].inheritable << 32 | d[0].inheritable;
	}
}

/* Whether any of the bounding, or of the ambient, set is there. */
static bool any_cap(int option, unsigned long how)
{
	for (unsigned long cap = 0; cap < 41; cap++)
		if ((how ? prctl(option, how, cap, 0, 0) : prctl(option, cap, 0, 0, 0)) > 0)
			return true;
	return false;
}

static bool has_only(uint64_t caps)
{
	return cap_set(CAP_SET_PERMITTED) == caps && cap_set(CAP_SET_EFFECTIVE) == caps &&
	       cap_set(CAP_SET_INHERITABLE) == 0 &&
	       !any_cap(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET) &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool check_main(void)
{
	struct rlimit core = { 1, 1 }, files = { 1, 2 };
	struct err e = ERR_INIT;

	return sandbox_main(&e) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
	       getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
	       getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur == files.rlim_max;
}

/* As a caller that is root has it; others stay who they are. */
static const struct sandbox_who who = { .uid = 65534, .gid = 65533 };

/* A part that cannot be had here is told. */
static bool has_files(const struct err *lack)
{
	return !lack->code && !UNDER_SANITIZER && access("/proc", F_OK) == 0;
}

static bool is_nobody(const struct err *lack)
{
	return lack->code || UNDER_SANITIZER || !was_root ||
	       (getuid() == 65534 && getgid() == 65533 && setuid(0) < 0);
}

static bool check_engine(void)
{
	bool privileged = was_root && cap_set(CAP_SET_EFFECTIVE) & (1ULL << 8);
	struct err e = ERR_INIT, lack = ERR_INIT;

	return sandbox_engine(&who, &lack, &e) == 0 && has_only(0) && !has_files(&lack) &&
	       is_nobody(&lack) && (!privileged || !any_cap(PR_CAPBSET_READ, 0));
}

static bool check_nsagent(void)
{
	bool privileged = (cap_set(CAP_SET_PERMITTED) & NET_CAPS) == NET_CAPS;
	struct err e = ERR_INIT, lack = ERR_INIT;

	/* Who has not what a stage keeps cannot enter it. */
	if (!privileged)
		return sandbox_nsagent(&e) == -1 && e.code == ERR_PRIVILEGE;
	return sandbox_nsagent(&e) == 0 && sandbox_settle(&who, &lack, &e) == 0 &&
	       has_only(NET_CAPS) && !has_files(&lack) && is_nobody(&lack);
}

/* What cannot be had is the end where it must be had: here nsagent's own files without
 * any right to give them up. */
static bool check_strict(void)
{
	const struct sandbox_who strict = { .strict = true };
	struct err e = ERR_INIT, lack = ERR_INIT;

	if (UNDER_SANITIZER)
		return true;
	if (was_root && sandbox_engine(&who, &lack, &e) < 0)
		return false;
	lack = e = ERR_INIT;
	return sandbox_settle(&strict, &lack, &e) == -1 && e.code == ERR_PRIVILEGE && lack.code;
}

static void run(bool (*check)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_main(void **state)
{
	(void)state;
	run(check_main);
}

static void test_engine(void **state)
{
	(void)state;
	run(check_engine);
}

static void test_nsagent(void **state)
{
	(void)state;
	run(check_nsagent);
}

static void test_strict(void **state)
{
	(void)state;
	run(check_strict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main),
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_nsagent),
		cmocka_unit_test(test_strict),
	};

	was_root = geteuid() == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
