/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch: an inotify event or a tick is only the reason to look; what counts is
 * whether the path still leads to the namespace we hold. A path that is bound
 * to another namespace is therefore an end too, and a stray event is none.
 *
 * A path of another mount namespace is looked for in its folder, which is given by
 * descriptor. That mount namespace may go (podman makes one for each call of a
 * plugin), and with it what was mounted there: then only the name is left to look
 * at, which whoever ends a container removes as well.
 */
#include "io/watch.h"

#include <errno.h>
#include <fcntl.h>
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
	bool placed = w->place_fd >= 0;
	struct stat st;

	if (fstatat(placed ? w->place_fd : AT_FDCWD, w->path, &st, 0) == 0)
		return st.st_dev != w->dev ? !placed : st.st_ino != w->ino;
	/* Any other error (a lost right, say) tells nothing of the container. */
	return errno == ENOENT || errno == ENOTDIR || errno == ESRCH;
}

/* The folder of the path into dir. false if inotify cannot serve there: procfs
 * makes no events, and a link's target may go while the link stays. */
static bool watchable(const struct watch *w, char *dir, size_t size)
{
	const char *slash = strrchr(w->path, '/');
	int n = slash ? (int)(slash - w->path) : 0, at = AT_FDCWD;
	struct statfs fs;
	struct stat st;

	if (w->place_fd >= 0) {
		at = w->place_fd;
		snprintf(dir, size, "/proc/self/fd/%d", at);
	} else if (!slash || snprintf(dir, size, "%.*s", MAX_OF(n, 1), w->path) >= (int)size) {
		return false;
	}
	return fstatat(at, w->path, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode) &&
	       statfs(dir, &fs) == 0 && fs.f_type != PROC_SUPER_MAGIC;
}

static int open_inotify(const struct watch *w)
{
	const uint32_t mask = IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF |
			      IN_UNMOUNT | IN_ONLYDIR;
	FD_OWNED int fd = -1;
	char dir[PATH_MAX];

	if (!watchable(w, dir, sizeof(dir)))
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
	w->path = w->place_fd >= 0 && strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	w->dev = st.st_dev;
	w->ino = st.st_ino;
	w->kind = WATCH_INOTIFY;
	w->fd = open_inotify(w);
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

int watch_open(struct watch *w, const struct watch_what *what, struct err *e)
{
	*w = WATCH_INIT;
	w->place_fd = what->place_fd;
	if (what->pidfd < 0)
		return open_path(w, what->path, what->netns_fd, e);
	w->kind = WATCH_PIDFD;
	w->fd = what->pidfd;
	if (readable(w->fd))
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
	fd_drop(&w->place_fd);
	*w = WATCH_INIT;
}
