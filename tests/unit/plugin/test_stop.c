/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/attach/life.c and stop.c on real processes that hold the FIFO as
 * the daemon does: known without a number, ended by order or by SIGKILL, their
 * children waited for, strangers spared. */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/life.h"
#include "plugin/attach/stop.h"

static char folder[] = "/tmp/cni-passt-stop.XXXXXX";
static int dir = -1;

static int make_folder(void **state)
{
	(void)state;
	strcpy(strrchr(folder, '.'), ".XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlinkat(dir, HANDOFF_LIFE_NAME, 0);
	fd_drop(&dir);
	return rmdir(folder);
}

/* What main does with its end: until the order to end, or, deaf, for ever. */
static _Noreturn void serve(int life, bool deaf)
{
	struct pollfd p = { .fd = life, .events = POLLIN };
	char c = 0;

	while (deaf)
		pause();
	while (c != HANDOFF_ORDER_END)
		if (poll(&p, 1, -1) > 0 && read(life, &c, 1) < 0)
			_exit(1);
	_exit(0);
}

static struct stop_id start(bool deaf)
{
	FD_OWNED int life = life_make(dir);
	struct stop_id id = { .pid = fork() };

	assert_true(life >= 0);
	if (id.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(life, deaf);
	}
	assert_true(id.pid > 0);
	id.start_time = stop_start_time(id.pid);
	id.pid_ns = stop_pid_ns();
	assert_true(id.start_time > 0 && id.pid_ns > 0);
	assert_int_equal(stop_boot_id(id.boot_id), 0);
	return id;
}

/* WNOHANG: it has ended by now. */
static int ended(pid_t pid)
{
	int status = 0;

	for (int i = 0; i < 100 && waitpid(pid, &status, WNOHANG) == 0; i++)
		usleep(1000);	/* the FIFO closes a moment before the process is a zombie */
	return status;
}

static void test_is(void **state)
{
	struct stop_id id = start(false), other;

	(void)state;
	assert_true(stop_is(&id));
	other = id;
	other.start_time++;
	assert_false(stop_is(&other));
	other = id;
	other.boot_id[0] = other.boot_id[0] == 'a' ? 'b' : 'a';
	assert_false(stop_is(&other));
	other = id;
	other.pid_ns++;
	assert_false(stop_is(&other));
	other = id;
	other.pid = 0;
	assert_false(stop_is(&other));
	other.pid = -1;
	assert_false(stop_is(&other));
	kill(id.pid, SIGKILL);
	for (int i = 0; i < 100 && stop_is(&id); i++)
		usleep(10000);
	assert_false(stop_is(&id));	/* a zombie is not */
	assert_int_equal(ended(id.pid), SIGKILL);
}

/* Without any number: who holds the FIFO is the daemon. */
static void test_life(void **state)
{
	struct stop_id id;
	int fd;

	(void)state;
	assert_int_equal(life_open(dir), -ENXIO);	/* never made */
	id = start(false);
	fd = life_open(dir);
	assert_true(fd >= 0);
	assert_true(life_answers(fd, 1000));
	assert_false(life_ended(fd, 0));
	assert_int_equal(life_order(fd, HANDOFF_ORDER_END), 0);
	assert_true(life_ended(fd, 1000));
	assert_int_equal(ended(id.pid), 0);
	assert_false(life_answers(fd, 0));
	assert_int_equal(life_order(fd, HANDOFF_ORDER_END), -EPIPE);
	close(fd);
	assert_int_equal(life_open(dir), -ENXIO);	/* there, but nobody's */
}

static void test_silent(void **state)
{
	struct stop_id id = start(true);
	FD_OWNED int fd = life_open(dir);

	(void)state;
	assert_true(fd >= 0);
	assert_false(life_answers(fd, 20));
	kill(id.pid, SIGKILL);
	assert_true(life_ended(fd, 1000));
	assert_int_equal(ended(id.pid), SIGKILL);
}

static void test_not_a_fifo(void **state)
{
	(void)state;
	close(openat(dir, HANDOFF_LIFE_NAME, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(life_open(dir), -ENXIO);
	unlinkat(dir, HANDOFF_LIFE_NAME, 0);
	assert_int_equal(symlinkat("/dev/null", dir, HANDOFF_LIFE_NAME), 0);
	assert_int_equal(life_open(dir), -ENXIO);
	assert_int_equal(life_make(dir), -EEXIST);
}

static void test_stop(void **state)
{
	struct stop_id id = start(false);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(stop_daemon(dir, &id, &e), 0);
	assert_int_equal(ended(id.pid), 0);
	assert_int_equal(stop_daemon(dir, &id, &e), 0);
	assert_int_equal(e.code, ERR_NONE);
}

/* As from another PID namespace, or with a state file that is lost. */
static void test_stop_unknown(void **state)
{
	struct stop_id id = start(false);

	(void)state;
	assert_int_equal(stop_daemon(dir, NULL, NULL), 0);
	assert_int_equal(ended(id.pid), 0);
}

/* Its FIFO was removed by somebody: the state file still tells the process. */
static void test_lost_fifo(void **state)
{
	struct stop_id id = start(false), stranger = id;

	(void)state;
	unlinkat(dir, HANDOFF_LIFE_NAME, 0);
	stranger.start_time--;
	assert_int_equal(stop_daemon(dir, &stranger, NULL), 0);
	assert_true(stop_is(&id));
	assert_int_equal(stop_daemon(dir, &id, NULL), 0);
	assert_int_equal(ended(id.pid), SIGKILL);
}

static void test_deaf(void **state)
{
	struct stop_id id = start(true), stranger = id;
	struct err e = ERR_INIT;
	int64_t since;

	(void)state;
	stranger.start_time--;
	assert_int_equal(stop_daemon(dir, &stranger, &e), -1);
	assert_int_equal(e.code, ERR_AGAIN);
	assert_true(stop_is(&id));	/* nobody was killed in its place */
	since = clock_ms();
	assert_int_equal(stop_daemon(dir, &id, &e), 0);
	assert_int_equal(ended(id.pid), SIGKILL);
	assert_true(clock_ms() - since >= STOP_TERM_MS);
}

/* Killed, it leaves children that end a while after it. */
static void test_children(void **state)
{
	FD_OWNED int life = life_make(dir);
	struct stop_id id = { .pid = -1 };
	int p[2];
	char c;

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	id.pid = fork();
	if (id.pid == 0) {
		if (fork() == 0) {
			close(life);
			serve(-1, true);
		}
		serve(life, true);
	}
	fd_drop(&life);
	usleep(50000);
	id.start_time = stop_start_time(id.pid);
	id.pid_ns = stop_pid_ns();
	assert_int_equal(stop_boot_id(id.boot_id), 0);
	assert_int_equal(stop_daemon(dir, &id, NULL), 0);
	assert_int_equal(ended(id.pid), SIGKILL);
	close(p[1]);
	/* where the kernel does not list children there is nothing to wait for */
	if (access("/proc/thread-self/children", F_OK) == 0)
		assert_int_equal(read(p[0], &c, 1), 0);	/* nobody holds the other end */
	close(p[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_is, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_life, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_silent, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_not_a_fifo, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_stop, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_stop_unknown, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_lost_fifo, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_deaf, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_children, make_folder, remove_folder),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
