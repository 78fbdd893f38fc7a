/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests main/hang.c: its judgement by numbers, its timer with a process that spins. */
#include "../unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "main/hang.h"

static int run_spinning(void *arg, int sock)
{
	volatile uint64_t n = 0;

	(void)arg;
	(void)sock;
	for (;;)
		n++;
	return 0;
}

static int run_waiting(void *arg, int sock)
{
	char c;

	(void)arg;
	while (read(sock, &c, 1) > 0)
		continue;
	return 0;
}

static void test_judgement(void **state)
{
	struct hang h = HANG_INIT;

	(void)state;
	assert_int_equal(hang_stuck_us(&h, 0, 1000000), 1000000);	/* no turn yet */
	assert_int_equal(hang_stuck_us(&h, 7, 2000000), 0);
	assert_int_equal(hang_stuck_us(&h, 7, 3100000), 1100000);
	assert_int_equal(hang_stuck_us(&h, 7, 6000000), 4000000);
	assert_int_equal(hang_stuck_us(&h, 8, 7000000), 0);		/* it was only a long turn */
	assert_int_equal(hang_stuck_us(&h, 8, 7000000), 0);		/* nothing used, nothing owed */
	assert_int_equal(hang_stuck_us(&h, 8, 10), 0);			/* another's clock */
}

/* Whether the signal comes within that time. */
static bool signalled(time_t seconds, long ns)
{
	const struct timespec patience = { .tv_sec = seconds, .tv_nsec = ns };
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, HANG_SIGNAL);
	return sigtimedwait(&set, &si, &patience) == HANG_SIGNAL && si.si_code == SI_TIMER;
}

static void test_kills_who_spins(void **state)
{
	struct child c = { .name = "engine", .run = run_spinning, .sock = -1 };
	struct hang h = HANG_INIT;
	int looks = 0, status;

	(void)state;
	assert_int_equal(child_start(&c, 1000), 0);
	hang_follow(&h, &c, 0);
	assert_true(h.armed);
	while (!c.why[0] && looks < 20) {
		assert_true(signalled(60, 0));
		looks++;
		hang_look(&h, &c, 0);
	}
	assert_in_range(looks, 1, HANG_MS / HANG_LOOK_MS + 2);
	assert_non_null(strstr(c.why, "did not answer while it used "));
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	child_died(&c, status, 2000);
	hang_look(&h, &c, 0);		/* a late signal: nobody is there */
	hang_follow(&h, &c, 0);
	assert_false(h.armed);
}

/* Neither a process that waits, nor one that gets on, nor its stopped successor. */
static void test_leaves_alone(void **state)
{
	struct child c = { .name = "engine", .run = run_waiting, .sock = -1 };
	struct hang h = HANG_INIT;

	(void)state;
	assert_int_equal(child_start(&c, 1000), 0);
	hang_follow(&h, &c, 0);
	assert_false(signalled(0, 300000000));
	child_end(&c);
	hang_follow(&h, &c, 0);
	assert_false(h.armed);
	c.run = run_spinning;
	assert_int_equal(child_start(&c, 1000), 0);
	hang_follow(&h, &c, 0);
	assert_true(signalled(60, 0));
	hang_look(&h, &c, 1);
	assert_string_equal(c.why, "");
	kill(c.pid, SIGSTOP);
	assert_int_equal(waitpid(c.pid, NULL, WUNTRACED), c.pid);
	signalled(0, 1);		/* one may have been under way */
	assert_false(signalled(1, 500000000));
	child_end(&c);
	hang_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judgement),
		cmocka_unit_test(test_kills_who_spins),
		cmocka_unit_test(test_leaves_alone),
	};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, HANG_SIGNAL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	log_open(LOGT_NONE, LOGL_ERROR, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
