/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hooks/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#define FOLDER		"etc"
#define TEMP_PREFIX	".cni-passt."
#define NAME_MAX_LEN	64
#define MARK_BEGIN	"# cni-passt: begin\n"
#define MARK_END	"# cni-passt: end\n"
#define LOOPBACK	"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

int rootfs_open(const char *bundle, const char *path, struct err *e)
{
	char full[2 * CONF_PATH_MAX];
	int fd, n;

	n = path[0] == '/' ? snprintf(full, sizeof(full), "%s", path)
			   : snprintf(full, sizeof(full), "%s/%s", bundle, path);
	if (n < 0 || n >= (int)sizeof(full))
		return err_set(e, ERR_CONFIG, "config.json: root.path: \"%.80s...\" is too long", path);
	fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "root file system %.200s: %s", full, strerror(errno));
	return fd;
}

/* One component in `at`, without ever leaving it by a link or a "..". */
static int open_in(int at, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, at, name, &how, sizeof(how));

	/* Before Linux 5.6, and where a filter knows no openat2: a single
	 * component without a slash can lead out by a link only. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM) && !strchr(name, '/'))
		fd = openat(at, name, (int)how.flags, (mode_t)how.mode);
	return fd < 0 ? -errno : (int)fd;
}

static int failed(struct err *e, const char *name, int why)
{
	if (why == -ELOOP || why == -ENOTDIR || why == -EXDEV)
		return err_set(e, ERR_CONFIG, "root file system: /" FOLDER "%s%s is not a folder or"
			       " file of its own, and links are not followed", name[0] ? "/" : "",
			       name);
	return err_set(e, why == -EACCES || why == -EPERM ? ERR_PRIVILEGE : ERR_IO,
		       "root file system: cannot write /" FOLDER "%s%s: %s", name[0] ? "/" : "",
		       name, strerror(-why));
}

/* The folder etc, made where it is not. */
static int open_etc(int root, struct err *e)
{
	int fd;

	if (mkdirat(root, FOLDER, 0755) < 0 && errno != EEXIST)
		return failed(e, "", -errno);
	fd = open_in(root, FOLDER, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? failed(e, "", fd) : fd;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A new file beside the place: readable by all, and its folder's owner's, who is
 * the container's root. One that an earlier hook died over is taken away. */
static int write_beside(int etc, const char *temp, const char *text)
{
	FD_OWNED int fd = -1;
	struct stat st;

	if (unlinkat(etc, temp, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = open_in(etc, temp, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return fd;
	if (fstat(etc, &st) < 0)
		return -errno;
	/* An ordinary user can give nothing away: then it stays his. */
	if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return -errno;
	if (fchmod(fd, 0644) < 0)
		return -errno;
	return write_all(fd, text, strlen(text));
}

/* What may be replaced: nothing, a file, a link. */
static int check_place(int etc, const char *name)
{
	struct stat st;

	if (fstatat(etc, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? 0 : -ENOTDIR;
}

static int replace(int etc, const char *name, const char *text, struct err *e)
{
	char temp[NAME_MAX_LEN + sizeof(TEMP_PREFIX)];
	int r = check_place(etc, name);

	snprintf(temp, sizeof(temp), TEMP_PREFIX "%.*s", NAME_MAX_LEN, name);
	if (r == 0)
		r = write_beside(etc, temp, text);
	if (r == 0 && renameat(etc, temp, etc, name) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	unlinkat(etc, temp, 0);
	return failed(e, name, r);
}

int rootfs_write(int root, const char *name, const char *text, struct err *e)
{
	FD_OWNED int etc = open_etc(root, e);

	return etc < 0 ? -1 : replace(etc, name, text, e);
}

/* The file that is there, without what we added once, into buf; "" for none and
 * for a link. 0 or -errno. */
static int read_old(int etc, const char *name, char *buf, size_t size)
{
	FD_OWNED int fd = open_in(etc, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n;
	size_t len = 0;

	buf[0] = '\0';
	if (fd == -ENOENT || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTDIR;
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return -errno;
	if (len == size - 1)
		return -EFBIG;
	buf[len] = '\0';
	return 0;
}

static void cut_ours(char *text)
{
	char *begin = strstr(text, MARK_BEGIN), *end = begin ? strstr(begin, MARK_END) : NULL;

	if (begin && end)
		memmove(begin, end + strlen(MARK_END), strlen(end + strlen(MARK_END)) + 1);
}

static int add_hosts(int etc, char *buf, const char *lines, struct err *e)
{
	const char *old = buf;
	char *text;
	int r = read_old(etc, "hosts", buf, ROOTFS_OLD_MAX);

	if (r < 0)
		return failed(e, "hosts", r);
	cut_ours(buf);
	if (!buf[0])
		old = LOOPBACK;
	if (asprintf(&text, "%s%s" MARK_BEGIN "%s" MARK_END, old,
		     old[strlen(old) - 1] == '\n' ? "" : "\n", lines) < 0)
		return err_set(e, ERR_IO, "out of memory");
	r = replace(etc, "hosts", text, e);
	free(text);
	return r;
}

int rootfs_add_hosts(int root, const char *lines, struct err *e)
{
	FD_OWNED int etc = open_etc(root, e);
	char *buf = etc < 0 ? NULL : malloc(ROOTFS_OLD_MAX);
	int r;

	if (etc < 0)
		return -1;
	if (!buf)
		return err_set(e, ERR_IO, "out of memory");
	r = add_hosts(etc, buf, lines, e);
	free(buf);
	return r;
}
