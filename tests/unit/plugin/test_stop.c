/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/attach/stop.c on real processes: known by start time and boot,
 * ended by SIGTERM or SIGKILL, their children waited for, strangers spared. */
#include "../unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/attach/clock.h"
#include "plugin/attach/stop.h"

/* A child that waits for its end; stubborn: not by SIGTERM. */
static struct stop_id child(bool stubborn)
{
	struct stop_id id = { .pid = fork() };

	if (id.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, stubborn ? SIG_IGN : SIG_DFL);
		for (;;)
			pause();
	}
	assert_true(id.pid > 0);
	usleep(20000);	/* until the child has said what to do with SIGTERM */
	id.start_time = stop_start_time(id.pid);
	assert_true(id.start_time > 0);
	assert_int_equal(stop_boot_id(id.boot_id), 0);
	return id;
}

static void assert_ended_by(pid_t pid, int sig)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), sig);
}

static void test_alive(void **state)
{
	struct stop_id id = child(false), other;

	(void)state;
	assert_true(stop_alive(&id));
	other = id;
	other.start_time++;
	assert_false(stop_alive(&other));
	other = id;
	other.boot_id[0] = other.boot_id[0] == 'a' ? 'b' : 'a';
	assert_false(stop_alive(&other));
	other = id;
	other.pid = 0;
	assert_false(stop_alive(&other));
	other.pid = -1;
	assert_false(stop_alive(&other));
	kill(id.pid, SIGKILL);
	for (int i = 0; i < 100 && stop_alive(&id); i++)
		usleep(10000);
	assert_false(stop_alive(&id));	/* a zombie is not */
	assert_ended_by(id.pid, SIGKILL);
	assert_false(stop_alive(&id));
}

static void test_stop(void **state)
{
	struct stop_id id = child(false);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(stop_daemon(&id, &e), 0);
	assert_ended_by(id.pid, SIGTERM);
	assert_int_equal(stop_daemon(&id, &e), 0);
	assert_int_equal(e.code, ERR_NONE);
}

/* A number that now is another process's: nothing is signalled. */
static void test_stranger(void **state)
{
	struct stop_id id = child(false), old = id;
	struct err e = ERR_INIT;

	(void)state;
	old.start_time -= 1;
	assert_int_equal(stop_daemon(&old, &e), 0);
	assert_true(stop_alive(&id));
	assert_int_equal(stop_daemon(&id, &e), 0);
	assert_ended_by(id.pid, SIGTERM);
}

static void test_stubborn(void **state)
{
	struct stop_id id = child(true);
	struct err e = ERR_INIT;
	int64_t start = clock_ms();

	(void)state;
	assert_int_equal(stop_daemon(&id, &e), 0);
	assert_ended_by(id.pid, SIGKILL);
	assert_in_range(clock_ms() - start, STOP_TERM_MS - 10, STOP_TERM_MS + STOP_KILL_MS);
}

/* The daemon ends at SIGTERM, its child only a while after it. */
static void test_children(void **state)
{
	struct stop_id id = { .pid = fork() };
	int64_t start;

	(void)state;
	if (id.pid == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			signal(SIGUSR1, SIG_IGN);
			usleep(400000);
			_exit(0);
		}
		for (;;)
			pause();
	}
	usleep(50000);
	id.start_time = stop_start_time(id.pid);
	assert_int_equal(stop_boot_id(id.boot_id), 0);
	start = clock_ms();
	assert_int_equal(stop_daemon(&id, NULL), 0);
	assert_ended_by(id.pid, SIGTERM);
	/* where the kernel does not list children there is nothing to wait for */
	if (access("/proc/thread-self/children", F_OK) == 0)
		assert_in_range(clock_ms() - start, 100, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alive),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_stubborn),
		cmocka_unit_test(test_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
