/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests sandbox/calls.c and filter.c: the table is whole and small, and a sealed process
 * dies of every call that is not in it. Each try is a process of its own. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/calls.h"
#include "sandbox/filter.h"
#include "sandbox/sanitizer.h"

#define ENGINE_MAX	32	/* calls that are let through */
#define NSAGENT_MAX	25
#define CALL_MAX	470	/* numbers looked at */
#define SURVIVED	99

static volatile int32_t *seen;

static int number_of(const struct call *c)
{
	return seccomp_syscall_resolve_name_arch(seccomp_arch_native(), c->name);
}

/* Whether `who` may make that call in some shape, or is answered without. */
static bool listed(uint32_t who, int number, bool done)
{
	size_t n;
	const struct call *c = calls_table(&n);

	for (size_t i = 0; i < n; i++)
		if ((c[i].who & who) && number_of(&c[i]) == number && !(done && c[i].refused))
			return true;
	return false;
}

static unsigned int count(uint32_t who)
{
	unsigned int n = 0;

	for (int i = 0; i < CALL_MAX; i++)
		n += listed(who, i, true);
	return n;
}

static void test_table(void **state)
{
	size_t n;
	const struct call *c = calls_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_int_not_equal(number_of(&c[i]), __NR_SCMP_ERROR);	/* no such name */
		assert_true(c[i].who && !(c[i].who & ~(CALLS_ENGINE | CALLS_NSAGENT)));
		assert_true(c[i].where && strlen(c[i].where) > 3);
		assert_true(c[i].why && strlen(c[i].why) > 1);
		assert_true(c[i].refused || !c[i].error);
		for (int k = 0; k < CALLS_CHECKS; k++)	/* or it would never be met */
			assert_int_equal(c[i].check[k].value & ~c[i].check[k].mask, 0);
	}
}

static void test_small(void **state)
{
	(void)state;
	assert_in_range(count(CALLS_ENGINE), 20, ENGINE_MAX);
	assert_in_range(count(CALLS_NSAGENT), 10, NSAGENT_MAX);
}

/* Whatever else is added: no program, no process, no file, no memory to execute. */
static void test_never(void **state)
{
	static const char *const names[] = {
		"execve", "execveat", "fork", "vfork", "clone", "clone3", "open", "openat",
		"openat2", "creat", "ptrace", "process_vm_writev", "mprotect", "pkey_mprotect",
		"memfd_create", "mount", "unshare", "setns", "kill", "tkill", "rt_sigaction",
		"prctl", "seccomp", "bpf", "io_uring_setup", "userfaultfd", "perf_event_open",
		"keyctl", "setuid", "setresuid", "chroot", "pivot_root", "unlinkat",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int number = seccomp_syscall_resolve_name_arch(seccomp_arch_native(), names[i]);

		if (number < 0)
			continue;
		assert_false(listed(CALLS_ENGINE, number, false));
		assert_false(listed(CALLS_NSAGENT, number, false));
	}
}

/* One call with these arguments in a process sealed as `who`. Its wait status, or, where it
 * came back, SURVIVED or errno as the exit status. */
static int try(uint32_t who, long number, long a, long b, long c)
{
	struct err e = ERR_INIT;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_enter(who, seen, &e) < 0)
			syscall(SYS_exit_group, 1);
		errno = 0;
		syscall(number, a, b, c, -1L, -1L, -1L);
		syscall(SYS_exit_group, errno ? errno : SURVIVED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_dies(uint32_t who, long number, long a, long b, long c)
{
	int status;

	*seen = -1;
	status = try(who, number, a, b, c);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("call %ld (%ld, %ld, %ld): status %#x", number, a, b, c, (unsigned int)status);
	assert_int_equal(*seen, number);
}

static void assert_answers(uint32_t who, int error, long number, long a, long b, long c)
{
	int status = try(who, number, a, b, c);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != error)
		fail_msg("call %ld (%ld, %ld, %ld): status %#x", number, a, b, c, (unsigned int)status);
}

static void kill_all(uint32_t who)
{
	for (int i = 0; i < CALL_MAX; i++) {
		char name[32];

		filter_call_name(i, name, sizeof(name));
		if (!listed(who, i, false) && strcmp(name, "unknown") != 0)
			assert_dies(who, i, -1, -1, -1);
	}
}

static void test_all_others_kill(void **state)
{
	(void)state;
	if (UNDER_SANITIZER)
		skip();
	kill_all(CALLS_ENGINE);
	kill_all(CALLS_NSAGENT);
}

static void test_arguments(void **state)
{
	const long nonblock = SOCK_NONBLOCK | SOCK_CLOEXEC;

	(void)state;
	if (UNDER_SANITIZER)
		skip();
	assert_answers(CALLS_ENGINE, SURVIVED, SYS_socket, AF_INET, SOCK_STREAM | nonblock, 0);
	assert_answers(CALLS_ENGINE, SURVIVED, SYS_socket, AF_INET, SOCK_DGRAM, 0);
	assert_answers(CALLS_ENGINE, EACCES, SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	assert_dies(CALLS_ENGINE, SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	assert_dies(CALLS_ENGINE, SYS_socket, AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	assert_dies(CALLS_ENGINE, SYS_socket, AF_PACKET, SOCK_RAW, 0);
	assert_dies(CALLS_ENGINE, SYS_socket, AF_NETLINK, SOCK_RAW, 0);
	assert_dies(CALLS_NSAGENT, SYS_socket, AF_NETLINK, SOCK_RAW, 12 /* nftables */);
	assert_answers(CALLS_NSAGENT, SURVIVED, SYS_socket, AF_INET6, SOCK_DGRAM, 0);
	assert_dies(CALLS_NSAGENT, SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	assert_answers(CALLS_ENGINE, EBADF, SYS_setsockopt, -1, IPPROTO_IP, IP_TTL);
	assert_dies(CALLS_ENGINE, SYS_setsockopt, -1, IPPROTO_IP, IP_TRANSPARENT);
	assert_dies(CALLS_ENGINE, SYS_setsockopt, -1, SOL_SOCKET, SO_ATTACH_FILTER);
	assert_dies(CALLS_ENGINE, SYS_setsockopt, -1, IPPROTO_IP, 64 /* IPT_SO_SET_REPLACE */);
	assert_answers(CALLS_ENGINE, EBADF, SYS_getsockopt, -1, SOL_SOCKET, SO_ERROR);
	assert_dies(CALLS_ENGINE, SYS_getsockopt, -1, SOL_SOCKET, SO_PEERCRED);

	assert_answers(CALLS_ENGINE, EBADF, SYS_fcntl, -1, F_GETPIPE_SZ, 0);
	assert_dies(CALLS_ENGINE, SYS_fcntl, -1, F_SETOWN, 1);
	assert_dies(CALLS_ENGINE, SYS_fcntl, -1, F_DUPFD, 0);

	assert_answers(CALLS_ENGINE, EBADF, SYS_ioctl, -1, FIONREAD, 0);
	assert_dies(CALLS_ENGINE, SYS_ioctl, -1, TIOCSTI, 0);
	assert_dies(CALLS_ENGINE, SYS_ioctl, -1, SIOCGIFCONF, 0);
	assert_dies(CALLS_NSAGENT, SYS_ioctl, -1, FIONREAD, 0);

	/* Answered, not done. */
	assert_answers(CALLS_ENGINE, ENOMEM, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC);
	assert_answers(CALLS_ENGINE, SURVIVED, SYS_munmap, 0, 4096, 0);
	/* Signals are for itself only. */
	assert_dies(CALLS_ENGINE, SYS_tgkill, getppid(), getppid(), SIGTERM);
}

/* A bug of our own still looks like one. */
static void test_abort(void **state)
{
	struct err e = ERR_INIT;
	int status;
	pid_t pid;

	(void)state;
	if (UNDER_SANITIZER)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);	/* cmocka has a handler */
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_enter(CALLS_ENGINE, seen, &e) < 0)
			syscall(SYS_exit_group, 1);
		abort();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_names(void **state)
{
	char name[32];

	(void)state;
	filter_call_name(SYS_ptrace, name, sizeof(name));
	assert_string_equal(name, "ptrace");
	filter_call_name(100000, name, sizeof(name));
	assert_string_equal(name, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_all_others_kill),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_names),
	};

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });	/* hundreds of deaths */
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
