/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests main/child.c with real forked processes and a clock of its own. */
#include "../unit.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "main/child.h"

/* Says one byte, then waits for the end of file. */
static int run_waiting(void *arg, int sock)
{
	char c = 'x';

	(void)arg;
	if (write(sock, &c, 1) != 1)
		return 9;
	while (read(sock, &c, 1) > 0)
		continue;
	return 3;
}

static struct child a_child(void)
{
	return (struct child){ .name = "engine", .run = run_waiting, .sock = -1 };
}

static int reap(struct child *c)
{
	int status;

	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return status;
}

static void test_end_of_file_ends_it(void **state)
{
	struct child c = a_child();
	int status;
	char x;

	(void)state;
	assert_int_equal(child_start(&c, 1000), 0);
	assert_int_equal(read(c.sock, &x, 1), 1);
	assert_int_equal(child_wait_ms(&c, 1000), -1);
	close(c.sock);
	c.sock = -1;
	status = reap(&c);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

static void test_end_kills(void **state)
{
	struct child c = a_child();
	int status;

	(void)state;
	assert_int_equal(child_end(&c), 0);
	assert_int_equal(child_start(&c, 1000), 0);
	kill(c.pid, SIGSTOP);
	status = child_end(&c);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.sock, -1);
}

/* Dies at `now`; returns the pause before the next start. */
static int die(struct child *c, uint64_t now)
{
	kill(c->pid, SIGKILL);
	child_died(c, reap(c), now);
	return child_wait_ms(c, now);
}

static void start_again(struct child *c, uint64_t now)
{
	child_tick(c, now);
	assert_true(c->pid > 0);
}

static void test_backoff(void **state)
{
	static const int pauses[] = { 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000, 5000 };
	struct child c = a_child();
	uint64_t now = 1000;

	(void)state;
	assert_int_equal(child_start(&c, now), 0);
	/* Now and then is no crash loop: at once. */
	for (size_t i = 0; i < CHILD_AT_ONCE; i++) {
		assert_int_equal(die(&c, now), 0);
		assert_int_equal(c.sock, -1);
		assert_false(child_is_failing(&c, now));
		start_again(&c, now);
		assert_int_equal(c.restarts, i + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(pauses); i++) {
		assert_int_equal(die(&c, now), pauses[i]);
		assert_true(child_is_failing(&c, now));
		child_tick(&c, now + (uint64_t)pauses[i] - 1);
		assert_int_equal(c.pid, 0);
		now += (uint64_t)pauses[i];
		start_again(&c, now);
		assert_true(child_is_failing(&c, now));
	}
	/* What it lived, not what it lay dead, makes up for it. */
	now += CHILD_FORGET_MS * ARRAY_LEN(pauses);
	assert_false(child_is_failing(&c, now));
	assert_int_equal(die(&c, now), CHILD_BACKOFF_MIN_MS);
	now += CHILD_BACKOFF_MIN_MS;
	start_again(&c, now);
	now += CHILD_FORGET_MS * 1000;
	assert_int_equal(die(&c, now), 0);
	assert_int_equal(c.debt_ms, CHILD_FORGET_MS);
	start_again(&c, now);
	child_end(&c);
}

/* Killed once a second: never a pause. */
static void test_no_backoff(void **state)
{
	struct child c = a_child();
	uint64_t now = 1000;

	(void)state;
	assert_int_equal(child_start(&c, now), 0);
	for (int i = 0; i < 40; i++) {
		now += CHILD_FORGET_MS;
		assert_int_equal(die(&c, now), 0);
		start_again(&c, now);
	}
	child_end(&c);
}

/* What a process forked here forks dies when it does. */
static void test_dies_with_parent(void **state)
{
	struct pollfd p = { .events = POLLIN };
	int report[2];
	pid_t middle;
	char x;

	(void)state;
	assert_int_equal(pipe(report), 0);
	middle = fork();
	assert_true(middle >= 0);
	if (middle == 0) {
		struct child c = a_child();

		close(report[0]);
		if (child_start(&c, 0) < 0 || read(c.sock, &x, 1) != 1 ||
		    write(report[1], "r", 1) != 1)
			_exit(1);
		pause();
	}
	close(report[1]);
	assert_int_equal(read(report[0], &x, 1), 1);
	kill(middle, SIGKILL);
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	/* The grandchild held the other copy of the pipe's writing end. */
	p.fd = report[0];
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(report[0], &x, 1), 0);
	close(report[0]);
}

static void test_describe(void **state)
{
	char how[80];

	(void)state;
	child_describe(SIGSEGV, how, sizeof(how));
	assert_non_null(strstr(how, "signal 11"));
	child_describe(2 << 8, how, sizeof(how));
	assert_string_equal(how, "exited with status 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_of_file_ends_it),
		cmocka_unit_test(test_end_kills),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_no_backoff),
		cmocka_unit_test(test_dies_with_parent),
		cmocka_unit_test(test_describe),
	};

	log_open(LOGT_NONE, LOGL_ERROR, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
