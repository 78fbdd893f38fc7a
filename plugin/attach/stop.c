/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/attach/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/life.h"

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

uint64_t stop_pid_ns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0 : st.st_ino;
}

bool stop_is(const struct stop_id *id)
{
	char boot[STOP_BOOT_ID_LEN + 1];

	return id->pid > 0 && id->start_time && id->pid_ns && id->pid_ns == stop_pid_ns() &&
	       stop_boot_id(boot) == 0 && strcmp(boot, id->boot_id) == 0 &&
	       stop_start_time(id->pid) == id->start_time;
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

/* SIGKILL for main and, as they would end by themselves only a moment later,
 * its children. False if main's number is not to be trusted, or not ours. */
static bool kill_group(const struct stop_id *id)
{
	struct group g = { .n = 0 };
	bool ended = false;

	if (stop_is(id))
		add_process(&g, id->pid);
	/* Asked again now that the pidfd holds the number. */
	if (g.n && stop_is(id)) {
		add_children(&g, id->pid);
		/* A child of another user namespace may be out of our reach; it
		 * dies with main. */
		for (nfds_t i = 0; i < g.n; i++)
			syscall(SYS_pidfd_send_signal, g.p[i].fd, SIGKILL, NULL, 0);
		ended = wait_group(&g, STOP_KILL_MS);
	}
	close_group(&g);
	return ended;
}

int stop_daemon(int dir, const struct stop_id *id, struct err *e)
{
	FD_OWNED int life = life_open(dir);
	int r;

	if (life == -ENXIO) {
		/* None, or one in its last moments, or somebody took its FIFO away. */
		if (id)
			kill_group(id);
		return 0;
	}
	if (life < 0)
		return err_set(e, life == -EACCES ? ERR_PRIVILEGE : ERR_IO,
			       "the daemon's " HANDOFF_LIFE_NAME ": %s", strerror(-life));
	r = life_order(life, HANDOFF_ORDER_END);
	if (r == -EPIPE || (r == 0 && life_ended(life, STOP_TERM_MS)))
		return 0;
	if (id && kill_group(id) && life_ended(life, STOP_KILL_MS))
		return 0;
	err_set(e, ERR_AGAIN, "the daemon does not end, and cannot be killed from here");
	return err_hint(e, "end process %d of the PID namespace it was started in, then try again",
			id ? id->pid : 0);
}
