/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: fork without exec, so that the three processes of an attachment share
 * their pages, and so that a restart needs neither a path nor a file.
 */
#include "main/child.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

void child_bind(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);	/* it died before the line above */
}

/* The signals main takes by descriptor are ordinary ones again. */
static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a log or capture that may not grow is no end */
}

static _Noreturn void run_forked(struct child *c, pid_t parent, int sock)
{
	char title[16];

	child_bind(parent);
	reset_signals();
	snprintf(title, sizeof(title), "passt-%s", c->name);
	prctl(PR_SET_NAME, title, 0, 0, 0);
	log_role(c->name);
	/* not exit(): what main registered or buffered is not the child's */
	_exit(c->run(c->arg, sock));
}

int child_start(struct child *c, uint64_t now_ms)
{
	FD_OWNED int ours = -1;
	FD_OWNED int theirs = -1;
	pid_t parent = getpid(), pid;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	ours = sv[0];
	theirs = sv[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		fd_drop(&ours);
		run_forked(c, parent, theirs);
	}
	c->pid = pid;
	c->sock = fd_take(&ours);
	c->up = false;
	c->why[0] = '\0';
	c->started_ms = now_ms;
	c->due_ms = 0;
	return 0;
}

void child_describe(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exited with status %d", WEXITSTATUS(status));
}

#define DEBT_MAX ((uint64_t)CHILD_AT_ONCE * CHILD_FORGET_MS)

/* What is still owed at that time of its life, or now that it is dead. */
static uint64_t debt(const struct child *c, uint64_t now_ms)
{
	uint64_t lived = now_ms - c->started_ms;

	return lived < c->debt_ms ? c->debt_ms - lived : 0;
}

bool child_is_failing(const struct child *c, uint64_t now_ms)
{
	return (c->pid ? debt(c, now_ms) : c->debt_ms) > DEBT_MAX;
}

/* One death more, and what pause follows. */
static uint32_t set_due(struct child *c, uint64_t now_ms)
{
	uint64_t pause = 0;

	c->debt_ms = debt(c, now_ms) + CHILD_FORGET_MS;
	if (c->debt_ms > DEBT_MAX)
		pause = CHILD_BACKOFF_MIN_MS << MIN_OF((c->debt_ms - DEBT_MAX - 1) / CHILD_FORGET_MS,
						      UINT64_C(10));
	pause = MIN_OF(pause, (uint64_t)CHILD_BACKOFF_MAX_MS);
	c->due_ms = now_ms + pause;
	return (uint32_t)pause;
}

void child_died(struct child *c, int status, uint64_t now_ms)
{
	bool failed = child_is_failing(c, now_ms);
	char how[80 + CHILD_WHY_MAX];
	pid_t pid = c->pid;

	c->pid = 0;
	c->up = false;
	fd_drop(&c->sock);
	/* it may have died of something else before main's signal came */
	if (c->why[0] && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		snprintf(how, sizeof(how), "killed by main: %s", c->why);
	else
		child_describe(status, how, sizeof(how));
	log_error("process=%s pid=%d %s; restart in %u ms", c->name, (int)pid, how,
		  set_due(c, now_ms));
	if (!failed && child_is_failing(c, now_ms))
		log_error("process=%s dies again and again: pauses between its restarts grow to %d s",
			  c->name, CHILD_BACKOFF_MAX_MS / 1000);
}

void child_tick(struct child *c, uint64_t now_ms)
{
	int r;

	if (c->pid || now_ms < c->due_ms)
		return;
	c->restarts++;
	r = child_start(c, now_ms);
	if (r == 0)
		return;
	c->started_ms = now_ms;
	log_error("process=%s cannot be started: %s; again in %u ms", c->name, strerror(-r),
		  set_due(c, now_ms));
}

int child_wait_ms(const struct child *c, uint64_t now_ms)
{
	if (c->pid)
		return -1;
	return c->due_ms > now_ms ? (int)(c->due_ms - now_ms) : 0;
}

void child_up(struct child *c)
{
	if (c->up)
		return;
	c->up = true;
	if (c->restarts)
		log_info("%s running again, restarts=%llu", c->name,
			 (unsigned long long)c->restarts);
}

/* What it still has to say is of no interest. */
static void put_down(struct child *c)
{
	fd_drop(&c->sock);
	if (c->pid)
		kill(c->pid, SIGKILL);
}

void child_kill(struct child *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	put_down(c);
}

void child_give_up(struct child *c, int err)
{
	if (err == -EPIPE)
		put_down(c);
	else if (err == -EBADMSG)
		child_kill(c, "it spoke nonsense");
	else
		child_kill(c, "it cannot be spoken to: %s", strerror(-err));
}

uint64_t child_cpu_us(const struct child *c)
{
	struct timespec ts;
	clockid_t clock;

	if (!c->pid || clock_getcpuclockid(c->pid, &clock) != 0 || clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int child_end(struct child *c)
{
	int status = 0;

	fd_drop(&c->sock);
	if (!c->pid)
		return 0;
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	c->pid = 0;
	return status;
}
