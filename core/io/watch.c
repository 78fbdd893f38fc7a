/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch: an inotify event or a tick is only the reason to look; what counts is
 * whether the path still leads to the namespace we hold. A path that is bound
 * to another namespace is therefore an end too, and a stray event is none.
 */
#include "io/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/poll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/fd.h"

#define LOOK_S	1

const char *const watch_kind_names[WATCH_KIND_COUNT] = { "pidfd", "inotify", "timer" };

static bool path_gone(const struct watch *w)
{
	struct stat st;

	if (stat(w->path, &st) == 0)
		return st.st_dev != w->dev || st.st_ino != w->ino;
	/* Any other error (a lost right, say) tells nothing of the container. */
	return errno == ENOENT || errno == ENOTDIR || errno == ESRCH;
}

/* The folder of path into dir. false if inotify cannot serve there: procfs
 * makes no events, and a link's target may go while the link stays. */
static bool watchable(const char *path, char *dir, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	struct statfs fs;
	struct stat st;

	if (!slash || n >= size || lstat(path, &st) < 0 || S_ISLNK(st.st_mode))
		return false;
	memcpy(dir, path, n);
	dir[n] = '\0';
	if (n == 0)
		snprintf(dir, size, "/");
	return statfs(dir, &fs) == 0 && fs.f_type != PROC_SUPER_MAGIC;
}

static int open_inotify(const char *path)
{
	const uint32_t mask = IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF |
			      IN_UNMOUNT | IN_ONLYDIR;
	FD_OWNED int fd = -1;
	char dir[PATH_MAX];

	if (!watchable(path, dir, sizeof(dir)))
		return -1;
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0 || inotify_add_watch(fd, dir, mask) < 0)
		return -1;
	return fd_take(&fd);
}

static int open_timer(void)
{
	const struct itimerspec its = { { LOOK_S, 0 }, { LOOK_S, 0 } };
	FD_OWNED int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &its, NULL) < 0)
		return -1;
	return fd_take(&fd);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static int ended_already(struct watch *w, const char *what, struct err *e)
{
	watch_close(w);
	return err_set(e, ERR_CONTAINER, "the container ended already: %s", what);
}

static int open_path(struct watch *w, const char *path, int netns_fd, struct err *e)
{
	struct stat st;

	if (fstat(netns_fd, &st) < 0)
		return err_set(e, ERR_NETNS, "cannot look at the network namespace: %s",
			       strerror(errno));
	w->path = path;
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->kind = WATCH_INOTIFY;
	w->fd = open_inotify(path);
	if (w->fd < 0) {
		w->kind = WATCH_TIMER;
		w->fd = open_timer();
	}
	if (w->fd < 0)
		return err_set(e, ERR_IO, "cannot watch %s: %s", path, strerror(errno));
	/* Only now: what went before the watch began made no event. */
	if (path_gone(w))
		return ended_already(w, "its network namespace's path is gone", e);
	return 0;
}

int watch_open(struct watch *w, int pidfd, const char *path, int netns_fd, struct err *e)
{
	*w = WATCH_INIT;
	if (pidfd < 0)
		return open_path(w, path, netns_fd, e);
	w->kind = WATCH_PIDFD;
	w->fd = pidfd;
	if (readable(pidfd))
		return ended_already(w, "its process is gone", e);
	return 0;
}

/* Takes what is readable off a non-blocking descriptor. */
static void drain(int fd)
{
	char buf[4096] __attribute__((aligned(8)));

	while (read(fd, buf, sizeof(buf)) > 0)
		continue;
}

bool watch_ended(struct watch *w)
{
	if (w->kind == WATCH_PIDFD)
		return readable(w->fd);
	drain(w->fd);
	return path_gone(w);
}

void watch_close(struct watch *w)
{
	fd_drop(&w->fd);
	*w = WATCH_INIT;
}
