/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/alone.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

static int failed(struct err *lack, const char *what)
{
	return err_set(lack, ERR_PRIVILEGE, "not in a sandbox of its own: %s: %s", what, strerror(errno));
}

static int write_file(const char *path, const char *text)
{
	FD_OWNED int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/* One user and one group, the same inside as outside: files of a mount need an owner. */
static int map_self(uint32_t uid, uint32_t gid)
{
	char line[40];

	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	if (write_file("/proc/self/uid_map", line) < 0 || write_file("/proc/self/setgroups", "deny") < 0)
		return -1;
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	return write_file("/proc/self/gid_map", line);
}

static int make_namespaces(bool own_user)
{
	const int parts = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
	uint32_t uid = geteuid(), gid = getegid();
	int rc;

	if (!own_user)
		return unshare(parts);
	if (unshare(CLONE_NEWUSER | parts) < 0)
		return -1;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);	/* or /proc/self is root's */
	rc = map_self(uid, gid);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return rc;
}

/* An empty file system becomes the root, on top of whatever folder there is; the old
 * one is stacked below it by pivot_root(2), and let go. */
static int empty_root(void)
{
	static const char *const places[] = { "/tmp", "/proc", "/run", "/dev" };
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
	int rc = -1;

	if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(places) && rc < 0; i++)
		if (mount("cni-passt", places[i], "tmpfs", flags, "size=4k,nr_inodes=2,mode=0500") == 0)
			rc = chdir(places[i]);
	if (rc < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

int alone_enter(bool own_user, struct err *lack)
{
	if (make_namespaces(own_user) < 0)
		return failed(lack, "namespaces");
	return empty_root() < 0 ? failed(lack, "empty root") : 0;
}

int alone_become(uint32_t uid, uint32_t gid, struct err *lack)
{
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(uid, uid, uid) < 0)
		return failed(lack, "another user than root");
	return 0;
}
