/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

static int open_failed(const char *path, struct err *e)
{
	int why = errno;

	if (why == EACCES || why == EPERM) {
		err_set(e, ERR_PRIVILEGE, "network namespace %s: %s", path, strerror(why));
		return err_hint(e, "run as the user who owns the container's user namespace,"
				   " or as root");
	}
	return err_set(e, ERR_NETNS, "network namespace %s: %s", path, strerror(why));
}

int netns_is_own(dev_t dev, ino_t ino)
{
	struct stat ours;

	return stat("/proc/self/ns/net", &ours) < 0 ? -errno :
	       ours.st_dev == dev && ours.st_ino == ino;
}

static int check_kind(int fd, const char *path, struct err *e)
{
	struct stat theirs;
	int own;

	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, ERR_NETNS, "%s is not a network namespace", path);
	own = fstat(fd, &theirs) < 0 ? -errno : netns_is_own(theirs.st_dev, theirs.st_ino);
	if (own < 0)
		return err_set(e, ERR_IO, "network namespace %s: stat: %s", path, strerror(-own));
	if (!own)
		return 0;
	err_set(e, ERR_NETNS, "%s is the network namespace cni-passt itself runs in", path);
	return err_hint(e, "give the container's, and call after it has been made");
}

/* The process whose end is the path's end: /proc/<pid>/{ns,task,fd}/..., but not
 * /proc/<pid>/root/..., which only looks at a file through a process. */
static int32_t path_pid(const char *path)
{
	unsigned long pid;
	char *end;

	if (strncmp(path, "/proc/", 6) != 0 || path[6] < '1' || path[6] > '9')
		return 0;
	errno = 0;
	pid = strtoul(path + 6, &end, 10);
	if (errno || pid > INT32_MAX || (strncmp(end, "/ns/", 4) != 0 &&
	    strncmp(end, "/task/", 6) != 0 && strncmp(end, "/fd/", 4) != 0))
		return 0;
	return (int32_t)pid;
}

/* In a PID namespace of our own with another's /proc the numbers in paths are
 * not those that system calls take. */
static bool is_own_proc(void)
{
	char self[32];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	return strtol(self, NULL, 10) == getpid();
}

/* Without a pidfd (old kernel, a thread's number) the path alone is watched. */
static int find_owner(struct netns *n, struct err *e)
{
	struct stat now, held;
	int32_t pid = path_pid(n->path);

	if (!pid || !is_own_proc())
		return 0;
	n->owner_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (n->owner_fd < 0 && errno != ESRCH)
		return 0;
	/* The process may have ended and its number gone to another since the
	 * namespace was opened: the pidfd is right if the path still agrees. */
	if (n->owner_fd < 0 || stat(n->path, &now) < 0 || fstat(n->fd, &held) < 0 ||
	    now.st_dev != held.st_dev || now.st_ino != held.st_ino)
		return err_set(e, ERR_NETNS, "network namespace %s: its process has ended",
			       n->path);
	n->owner_pid = pid;
	return 0;
}

static int open_into(struct netns *n, struct err *e)
{
	if (strncmp(n->path, "/proc/self/", 11) == 0 ||
	    strncmp(n->path, "/proc/thread-self/", 18) == 0) {
		err_set(e, ERR_NETNS, "network namespace %s names cni-passt's own process",
			n->path);
		return err_hint(e, "give /proc/<pid>/ns/net or a bind mount");
	}
	/* O_NONBLOCK: a FIFO or a device at that path must not hold us. */
	n->fd = open(n->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (n->fd < 0)
		return open_failed(n->path, e);
	if (check_kind(n->fd, n->path, e) < 0)
		return -1;
	return find_owner(n, e);
}

/* Who waits for us keeps its number from being another's. */
static int set_owner(struct netns *n, int32_t pid, struct err *e)
{
	fd_drop(&n->owner_fd);
	n->owner_pid = 0;
	n->owner_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (n->owner_fd >= 0)
		n->owner_pid = pid;
	else if (errno == ESRCH)
		return err_set(e, ERR_CONTAINER, "the container ended already: no process %d", pid);
	return 0;
}

int netns_open_owned(const char *path, int32_t pid, struct netns *ret, struct err *e)
{
	if (netns_open_path(path, ret, e) < 0)
		return -1;
	if (set_owner(ret, pid, e) == 0)
		return 0;
	netns_close(ret);
	return -1;
}

int netns_take(int fd, const char *path, int32_t pid, struct netns *ret, struct err *e)
{
	*ret = NETNS_INIT;
	ret->fd = fd;
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	if (check_kind(fd, path, e) == 0 && set_owner(ret, pid, e) == 0)
		return 0;
	netns_close(ret);
	return -1;
}

int netns_open_path(const char *path, struct netns *ret, struct err *e)
{
	*ret = NETNS_INIT;
	if (path[0] != '/' || strlen(path) >= sizeof(ret->path))
		return err_set(e, ERR_ENV, "CNI_NETNS: \"%.80s\" is not an absolute path", path);
	strcpy(ret->path, path);
	if (open_into(ret, e) == 0)
		return 0;
	netns_close(ret);
	return -1;
}

int netns_place(const struct netns *n, struct err *e)
{
	const char *slash = strrchr(n->path, '/');
	char dir[CONF_PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", (int)MAX_OF(slash - n->path, 1), n->path);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(e, ERR_NETNS, "%s: %s", dir, strerror(errno)) : fd;
}

void netns_close(struct netns *n)
{
	fd_drop(&n->fd);
	fd_drop(&n->owner_fd);
	*n = NETNS_INIT;
}
