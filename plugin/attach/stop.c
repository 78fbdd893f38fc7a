/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/clock.h"

/* Whole small file into buf, NUL-terminated. Returns its length or -errno. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

int stop_boot_id(char buf[STOP_BOOT_ID_LEN + 1])
{
	char text[64];
	ssize_t n = read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (n < STOP_BOOT_ID_LEN)
		return -EIO;
	memcpy(buf, text, STOP_BOOT_ID_LEN);
	buf[STOP_BOOT_ID_LEN] = '\0';
	return 0;
}

uint64_t stop_start_time(int32_t pid)
{
	char path[64], text[1024], state;
	uint64_t start;
	const char *p;

	if (pid <= 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_small(path, text, sizeof(text)) < 0)
		return 0;
	/* The name in brackets may hold anything, brackets too. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d"
				" %*d %*d %*d %*d %" SCNu64, &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start;
}

bool stop_alive(const struct stop_id *id)
{
	char boot[STOP_BOOT_ID_LEN + 1];

	if (id->pid <= 0 || !id->start_time || stop_start_time(id->pid) != id->start_time)
		return false;
	return stop_boot_id(boot) < 0 || strcmp(boot, id->boot_id) == 0;
}

struct group {
	struct pollfd p[STOP_CHILDREN_MAX + 1];		/* pidfds; [0] is main's */
	nfds_t n;
};

static void close_group(struct group *g)
{
	for (nfds_t i = 0; i < g->n; i++)
		fd_drop(&g->p[i].fd);
}

static void add_process(struct group *g, int32_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		g->p[g->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* The children end by themselves a moment after main does, and one of them may
 * hold the last descriptor of the interface: they are waited for as well. */
static void add_children(struct group *g, int32_t pid)
{
	char path[64], text[512], *p = text, *end;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (read_small(path, text, sizeof(text)) < 0)
		return;
	while (g->n < STOP_CHILDREN_MAX + 1) {
		child = strtol(p, &end, 10);
		if (end == p || child <= 0 || child > INT32_MAX)
			return;
		add_process(g, (int32_t)child);
		p = end;
	}
}

/* True when every process of the group has ended. */
static bool wait_group(struct group *g, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms, left;

	for (nfds_t i = 0; i < g->n; i++) {
		do {
			left = end - clock_ms();
			g->p[i].revents = 0;
			if (poll(&g->p[i], 1, left > 0 ? (int)left : 0) > 0)
				break;
		} while (left > 0);
		if (!g->p[i].revents)
			return false;
	}
	return true;
}

static int signal_fd(int pidfd, int sig)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

static int end_group(struct group *g, const struct stop_id *id, struct err *e)
{
	int r = signal_fd(g->p[0].fd, SIGTERM);

	if (r < 0)
		return err_set(e, r == -EPERM ? ERR_PRIVILEGE : ERR_IO,
			       "daemon %d cannot be ended: %s", id->pid, strerror(-r));
	if (wait_group(g, STOP_TERM_MS))
		return 0;
	/* A child of another user namespace may be out of our reach; it dies with main. */
	for (nfds_t i = 0; i < g->n; i++)
		signal_fd(g->p[i].fd, SIGKILL);
	if (wait_group(g, STOP_KILL_MS))
		return 0;
	return err_set(e, ERR_AGAIN, "daemon %d does not end, not even by SIGKILL", id->pid);
}

int stop_daemon(const struct stop_id *id, struct err *e)
{
	struct group g = { .n = 0 };
	int r;

	if (!stop_alive(id))
		return 0;
	add_process(&g, id->pid);
	if (!g.n && errno == ESRCH)
		return 0;
	if (!g.n)
		return err_set(e, ERR_IO, "daemon %d: pidfd_open: %s", id->pid, strerror(errno));
	/* Asked again now that the pidfd holds the number. */
	if (!stop_alive(id)) {
		close_group(&g);
		return 0;
	}
	add_children(&g, id->pid);
	r = end_group(&g, id, e);
	close_group(&g);
	return r;
}
