/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests sandbox/sandbox.c: each stage in a forked process, which then says what
 * /proc/self/status shows of it. As root the capabilities were there before. */
#include "../unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define NET_CAPS	((1ULL << 12) | (1ULL << 10))	/* CAP_NET_ADMIN, CAP_NET_BIND_SERVICE */

/* The hexadecimal value of one line of /proc/self/status. */
static unsigned long long status_value(const char *name)
{
	unsigned long long v = ~0ULL;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			sscanf(line + strlen(name), ": %llx", &v);
	if (f)
		fclose(f);
	return v;
}

static bool has_only(unsigned long long caps)
{
	return status_value("CapPrm") == caps && status_value("CapEff") == caps &&
	       status_value("CapInh") == 0 && status_value("CapAmb") == 0 &&
	       status_value("NoNewPrivs") == 1;
}

static bool check_main(void)
{
	struct rlimit core = { 1, 1 }, files = { 1, 2 };
	struct err e = ERR_INIT;

	return sandbox_main(&e) == 0 && status_value("NoNewPrivs") == 1 &&
	       getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
	       getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur == files.rlim_max;
}

static bool check_engine(void)
{
	bool privileged = geteuid() == 0 && status_value("CapEff") & (1ULL << 8);
	struct err e = ERR_INIT;

	return sandbox_engine(&e) == 0 && has_only(0) &&
	       (!privileged || status_value("CapBnd") == 0);
}

static bool check_nsagent(void)
{
	bool privileged = (status_value("CapPrm") & NET_CAPS) == NET_CAPS;
	struct err e = ERR_INIT;

	/* Who has not what a stage keeps cannot enter it. */
	if (!privileged)
		return sandbox_nsagent(&e) == -1 && e.code == ERR_PRIVILEGE;
	return sandbox_nsagent(&e) == 0 && has_only(NET_CAPS);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main),
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_nsagent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
