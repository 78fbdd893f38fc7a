/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/attach/run.c with real programs: input, output and environment
 * pass, time and bytes are bounded, nothing is left of what was killed. */
#include "../unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "plugin/attach/run.h"

static char script[] = "/tmp/cni-passt-run.XXXXXX";

static void write_script(const char *body)
{
	FILE *f = fopen(script, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(script, 0700), 0);
}

static int run(const char *body, int timeout_ms, int stop_fd, struct run_result *ret,
	       struct err *e)
{
	char *env[] = { (char *)"WORD=said", NULL };
	const struct run r = {
		.path = script, .env = env, .input = "input text", .input_len = 10,
		.output_max = 1000, .timeout_ms = timeout_ms, .stop_fd = stop_fd,
	};

	write_script(body);
	*e = ERR_INIT;
	return run_program(&r, ret, e);
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_passes(void **state)
{
	struct run_result out;
	struct err e;

	(void)state;
	assert_int_equal(run("cat; printf ' %s %s' \"$WORD\" \"$#\"; exit 3", 5000, -1, &out, &e), 0);
	assert_string_equal(out.output, "input text said 0");
	assert_int_equal(out.output_len, strlen(out.output));
	assert_int_equal(WEXITSTATUS(out.status), 3);
	free(out.output);
	assert_int_equal(run("exit 0", 5000, -1, &out, &e), 0);
	assert_string_equal(out.output, "");
	free(out.output);
	assert_int_equal(run("exec >&-; sleep 0.05; exit 4", 5000, -1, &out, &e), 0);
	assert_int_equal(WEXITSTATUS(out.status), 4);
	free(out.output);
	assert_int_equal(run("kill -9 $$", 5000, -1, &out, &e), 0);
	assert_int_equal(WTERMSIG(out.status), SIGKILL);
	free(out.output);
	assert_no_children();
}

/* Our descriptors are not the program's, and our blocked signals neither. */
static void test_inherits(void **state)
{
	struct run_result out;
	struct err e;
	sigset_t set, old;
	int fd = open(script, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	assert_int_equal(run("ls -l /proc/self/fd | grep -c cni-passt-run; grep SigBlk /proc/self/status",
			     5000, -1, &out, &e), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd);
	assert_string_equal(out.output, "0\nSigBlk:\t0000000000000000\n");
	free(out.output);
}

static void test_time(void **state)
{
	int64_t since = clock_ms();
	struct run_result out;
	struct err e;

	(void)state;
	assert_int_equal(run("sleep 30 & sleep 30", 100, -1, &out, &e), -1);
	assert_int_equal(e.code, ERR_AGAIN);
	assert_null(out.output);
	assert_true(clock_ms() - since < 20000);
	assert_no_children();
}

static void test_bytes(void **state)
{
	struct run_result out;
	struct err e;

	(void)state;
	assert_int_equal(run("while :; do echo word; done", 20000, -1, &out, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.msg, "1000 bytes"));
	assert_null(out.output);
	assert_no_children();
}

static void test_interrupted(void **state)
{
	struct run_result out;
	struct err e;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(run("sleep 30", 20000, p[0], &out, &e), -1);
	assert_int_equal(e.code, ERR_AGAIN);
	close(p[0]);
	close(p[1]);
	assert_no_children();
}

/* Its child keeps standard output; we do not wait for that. */
static void test_kept_output(void **state)
{
	struct run_result out;
	struct err e;
	int pid;

	(void)state;
	assert_int_equal(run("sleep 30 2> /dev/null & echo $!", 20000, -1, &out, &e), 0);
	assert_int_equal(sscanf(out.output, "%d", &pid), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);	/* still there */
	free(out.output);
}

static void test_not_there(void **state)
{
	struct run_result out;
	struct err e;

	(void)state;
	assert_int_equal(run_program(&(struct run){ .path = "/nowhere/at/all", .input = "",
						    .output_max = 10, .timeout_ms = 5000,
						    .stop_fd = -1 }, &out, &e), 0);
	assert_int_equal(WEXITSTATUS(out.status), RUN_EXEC_FAILED);
	free(out.output);
}

static int make_script(void **state)
{
	int fd = mkstemp(script);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_script(void **state)
{
	(void)state;
	return unlink(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes),	   cmocka_unit_test(test_inherits),
		cmocka_unit_test(test_time),	   cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_interrupted), cmocka_unit_test(test_kept_output),
		cmocka_unit_test(test_not_there),
	};

	return cmocka_run_group_tests(tests, make_script, remove_script);
}
