/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests io/watch.c: each way to learn of the end, with files in a folder of
 * the test's own for the namespace's path, and a process for its owner. */
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/watch.h"

struct place {
	char dir[64], path[96], other[96];
	int fd;			/* of path */
};

static int make_place(void **state)
{
	static struct place p;

	snprintf(p.dir, sizeof(p.dir), "/tmp/test_watch.XXXXXX");
	if (!mkdtemp(p.dir))
		return -1;
	snprintf(p.path, sizeof(p.path), "%s/ns", p.dir);
	snprintf(p.other, sizeof(p.other), "%s/other", p.dir);
	p.fd = open(p.path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	*state = &p;
	return p.fd < 0 ? -1 : 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	close(p->fd);
	unlink(p->path);
	unlink(p->other);
	rmdir(p->dir);
	return 0;
}

static int begin(struct watch *w, int pidfd, const char *path, int place_fd, int netns_fd,
		 struct err *e)
{
	const struct watch_what what = {
		.pidfd = pidfd, .path = path, .place_fd = place_fd, .netns_fd = netns_fd,
	};

	return watch_open(w, &what, e);
}

static bool wait_event(const struct watch *w, int ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void test_deleted(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;

	assert_int_equal(begin(&w, -1, p->path, -1, p->fd, &e), 0);
	assert_int_equal(w.kind, WATCH_INOTIFY);
	assert_false(wait_event(&w, 0));
	unlink(p->path);
	assert_true(wait_event(&w, 1000));
	assert_true(watch_ended(&w));
	watch_close(&w);
}

static void test_moved(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;

	assert_int_equal(begin(&w, -1, p->path, -1, p->fd, &e), 0);
	assert_int_equal(rename(p->path, p->other), 0);
	assert_true(wait_event(&w, 1000));
	assert_true(watch_ended(&w));
	watch_close(&w);
}

/* What goes on beside the path is no end, nor is a second event lost. */
static void test_neighbour(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;

	close(open(p->other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(begin(&w, -1, p->path, -1, p->fd, &e), 0);
	unlink(p->other);
	assert_true(wait_event(&w, 1000));
	assert_false(watch_ended(&w));
	assert_false(wait_event(&w, 0));
	unlink(p->path);
	assert_true(wait_event(&w, 1000));
	assert_true(watch_ended(&w));
	watch_close(&w);
}

/* Another namespace under the same name. */
static void test_replaced(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;

	assert_int_equal(begin(&w, -1, p->path, -1, p->fd, &e), 0);
	close(open(p->other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(rename(p->other, p->path), 0);
	assert_true(wait_event(&w, 1000));
	assert_true(watch_ended(&w));
	watch_close(&w);
}

static void test_link_is_looked_at(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;

	assert_int_equal(symlink(p->path, p->other), 0);
	assert_int_equal(begin(&w, -1, p->other, -1, p->fd, &e), 0);
	assert_int_equal(w.kind, WATCH_TIMER);
	assert_true(wait_event(&w, 3000));
	assert_false(watch_ended(&w));
	unlink(p->path);
	assert_true(wait_event(&w, 3000));
	assert_true(watch_ended(&w));
	watch_close(&w);
}

static void test_gone_already(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;

	unlink(p->path);
	assert_int_equal(begin(&w, -1, p->path, -1, p->fd, &e), -1);
	assert_int_equal(e.code, ERR_CONTAINER);
	assert_int_equal(w.fd, -1);
}

static void test_pidfd(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	pid_t pid = fork();
	struct watch w;
	int fd;

	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(fd >= 0);
	assert_int_equal(begin(&w, fd, p->path, -1, p->fd, &e), 0);
	assert_int_equal(w.kind, WATCH_PIDFD);
	assert_false(watch_ended(&w));
	kill(pid, SIGKILL);
	assert_true(wait_event(&w, 1000));
	assert_true(watch_ended(&w));
	fd = dup(w.fd);
	watch_close(&w);
	assert_int_equal(begin(&w, fd, p->path, -1, p->fd, &e), -1);
	assert_int_equal(e.code, ERR_CONTAINER);
	waitpid(pid, NULL, 0);
}

/* In a folder by descriptor: what the path itself leads to does not matter, nor
 * does a file of another device, which the namespace's mount uncovers when it goes. */
static void test_placed(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;
	struct watch w;
	int dir = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	assert_int_equal(begin(&w, -1, "/nowhere/ns", dir, p->fd, &e), 0);
	assert_int_equal(w.kind, WATCH_INOTIFY);
	assert_false(watch_ended(&w));
	w.dev++;
	assert_false(watch_ended(&w));
	w.dev--;
	close(open(p->other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(rename(p->other, p->path), 0);
	assert_true(wait_event(&w, 1000));
	assert_true(watch_ended(&w));
	unlink(p->path);
	assert_true(watch_ended(&w));
	watch_close(&w);
	assert_int_equal(w.place_fd, -1);
	assert_int_equal(fcntl(dir, F_GETFD), -1);
}

int main(void)
{
#define IN_PLACE(t) cmocka_unit_test_setup_teardown(t, make_place, remove_place)
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_deleted), IN_PLACE(test_moved), IN_PLACE(test_neighbour),
		IN_PLACE(test_replaced), IN_PLACE(test_link_is_looked_at),
		IN_PLACE(test_gone_already), IN_PLACE(test_pidfd), IN_PLACE(test_placed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
