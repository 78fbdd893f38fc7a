/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/attach/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define READ_STEP	4096

struct job {
	pid_t pid;
	int pidfd, out;
	char *text;
	size_t len, room;
};

/* A file, not a pipe: nobody needs to feed it, and it can be seen only by who
 * is given it. */
static int open_input(const struct run *r)
{
	FD_OWNED int fd = memfd_create("cni-passt-input", MFD_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = pwrite(fd, r->input, r->input_len, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == r->input_len ? fd_take(&fd) : -EIO;
}

/* The child's side. It leads a process group, so that all of it can be killed;
 * our front end holds its signals, which must not be inherited. */
static _Noreturn void exec_program(const struct run *r, int in, int out)
{
	char *argv[] = { (char *)(uintptr_t)r->path, NULL };
	sigset_t none;

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (char *const *env = r->env; env && *env; env++)
		putenv(*env);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		execv(r->path, argv);
	_exit(RUN_EXEC_FAILED);
}

static int start(const struct run *r, struct job *j)
{
	FD_OWNED int in = open_input(r);
	FD_OWNED int wr = -1;
	int p[2];

	if (in < 0)
		return in;
	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	j->out = p[0];
	wr = p[1];
	if (fcntl(j->out, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	j->pid = fork();
	if (j->pid < 0)
		return -errno;
	if (j->pid == 0)
		exec_program(r, in, wr);
	setpgid(j->pid, j->pid);	/* whoever comes first */
	j->pidfd = (int)syscall(SYS_pidfd_open, j->pid, 0);
	return j->pidfd < 0 ? -errno : 0;
}

/* All that is there now: 1, 0 at its end, -ENOSPC over the cap, -errno. */
static int take_output(const struct run *r, struct job *j)
{
	ssize_t n;
	char *more;

	for (;;) {
		if (j->room - j->len < READ_STEP) {
			more = realloc(j->text, j->room + 4 * READ_STEP);
			if (!more)
				return -ENOMEM;
			j->text = more;
			j->room += 4 * READ_STEP;
		}
		n = read(j->out, j->text + j->len, j->room - j->len - 1);
		if (n < 0)
			return errno == EAGAIN ? 1 : -errno;
		if (n == 0)
			return 0;
		j->len += (size_t)n;
		if (j->len > r->output_max)
			return -ENOSPC;
	}
}

/* Until the program has ended: 0, or -errno: -ETIME, -ECANCELED, -ENOSPC ... */
static int follow(const struct run *r, struct job *j)
{
	int64_t end = clock_ms() + r->timeout_ms, left;
	struct pollfd p[] = { { .fd = j->pidfd, .events = POLLIN },
			      { .fd = j->out, .events = POLLIN },
			      { .fd = r->stop_fd, .events = POLLIN } };
	int got;

	do {
		left = end - clock_ms();
		if (left <= 0)
			return -ETIME;
		if (poll(p, ARRAY_LEN(p), (int)left) < 0 && errno != EINTR)
			return -errno;
		if (p[2].revents)
			return -ECANCELED;
		got = take_output(r, j);
		if (got < 0)
			return got;
		if (got == 0)
			p[1].fd = -1;	/* closed before it ends */
	} while (!p[0].revents);
	return 0;
}

/* Kills the group, if the program has not ended, and reaps it. */
static int finish(struct job *j, bool kill_it)
{
	int status = 0;

	if (kill_it) {
		kill(-j->pid, SIGKILL);
		kill(j->pid, SIGKILL);
	}
	while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static int explain(const struct run *r, int why, struct err *e)
{
	switch (why) {
	case -ETIME:
		return err_set(e, ERR_AGAIN, "%.200s did not end within %d s and was killed",
			       r->path, r->timeout_ms / 1000);
	case -ECANCELED:
		return err_set(e, ERR_AGAIN, "interrupted by a signal while %.200s ran", r->path);
	case -ENOSPC:
		return err_set(e, ERR_IO, "%.200s printed more than %zu bytes and was killed",
			       r->path, r->output_max);
	default:
		return err_set(e, ERR_IO, "cannot run %.200s: %s", r->path, strerror(-why));
	}
}

int run_program(const struct run *r, struct run_result *ret, struct err *e)
{
	struct job j = { .pid = 0, .pidfd = -1, .out = -1 };
	int why = start(r, &j);

	*ret = (struct run_result){ .status = 0 };
	if (why == 0)
		why = follow(r, &j);
	if (j.pid > 0)
		ret->status = finish(&j, why < 0);
	fd_drop(&j.pidfd);
	fd_drop(&j.out);
	if (why < 0) {
		free(j.text);
		return explain(r, why, e);
	}
	j.text[j.len] = '\0';
	ret->output = j.text;
	ret->output_len = j.len;
	return 0;
}
