/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/attach/life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define LOOK_MS		1	/* between two looks at what is unread */

int life_make(int dir)
{
	int fd;

	if (mkfifoat(dir, HANDOFF_LIFE_NAME, 0600) < 0)
		return -errno;
	/* For both, so that a writer that goes leaves no end of file behind. */
	fd = openat(dir, HANDOFF_LIFE_NAME, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int life_open(int dir)
{
	FD_OWNED int fd = openat(dir, HANDOFF_LIFE_NAME,
				 O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	/* It is made before the daemon is started: without it, or with a link in its
	 * place, there is none. */
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? -ENXIO : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISFIFO(st.st_mode) ? fd_take(&fd) : -ENXIO;
}

int life_order(int fd, enum handoff_order order)
{
	const char byte = (char)order;

	return write(fd, &byte, 1) == 1 ? 0 : -errno;
}

bool life_ended(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd };
	int64_t end = clock_ms() + timeout_ms, left = timeout_ms;

	do {
		if (poll(&p, 1, left > 0 ? (int)left : 0) > 0)
			return true;
		left = end - clock_ms();
	} while (left > 0);
	return false;
}

bool life_answers(int fd, int timeout_ms)
{
	int64_t end = clock_ms() + timeout_ms;
	int unread = 1;

	if (life_order(fd, HANDOFF_ORDER_LOOK) < 0)
		return false;
	while (ioctl(fd, FIONREAD, &unread) == 0 && unread && clock_ms() < end)
		if (life_ended(fd, LOOK_MS))
			return false;
	return !unread;
}
