/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"

/* Blocks are in the writer's byte order, which the magic tells the reader. */
#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE	1u
#define BLOCK_PACKET	6u
#define SECTION_MAGIC	0x1a2b3c4du
#define LINK_ETHERNET	1u
#define OPTION_FLAGS	2u
#define FLAG_INBOUND	1u	/* from the container */
#define FLAG_OUTBOUND	2u
#define PIECES_MAX	256	/* of a frame; more than any has (proto/frame.c) */

struct section {
	uint32_t type, len, magic;
	uint16_t major, minor;
	uint32_t length[2];		/* all ones: not known */
	uint32_t len_again;
};

struct interface {
	uint32_t type, len;
	uint16_t link, reserved;
	uint32_t snap;			/* 0: frames are whole */
	uint32_t len_again;
};

struct packet {
	uint32_t type, len, interface;
	uint32_t time_high, time_low;	/* microseconds since 1970 */
	uint32_t captured, original;
};

struct packet_end {
	uint8_t pad[4];			/* as many as the frame wants */
	uint16_t option, option_len;
	uint32_t flags;
	uint32_t end_of_options;
	uint32_t len_again;
};

int capture_open(const char *path, struct err *e)
{
	const struct {
		struct section s;
		struct interface i;
	} head = {
		.s = { .type = BLOCK_SECTION, .len = sizeof(head.s), .magic = SECTION_MAGIC,
		       .major = 1, .length = { ~0u, ~0u }, .len_again = sizeof(head.s) },
		.i = { .type = BLOCK_INTERFACE, .len = sizeof(head.i), .link = LINK_ETHERNET,
		       .len_again = sizeof(head.i) },
	};
	FD_OWNED int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
			       O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, ERR_CONFIG, "capture: cannot open %.200s: %s", path,
			       strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFIG, "capture: %.200s is not a file", path);
	if (write(fd, &head, sizeof(head)) != sizeof(head))
		return err_set(e, ERR_CONFIG, "capture: cannot write %.200s: %s", path,
			       strerror(errno));
	return fd_take(&fd);
}

void capture_use(struct capture *c, int fd, uint32_t skip, uint64_t now_us)
{
	struct timespec ts;
	struct stat st;

	*c = (struct capture){ .fd = fd, .skip = skip };
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		c->size = (uint64_t)st.st_size;
	clock_gettime(CLOCK_REALTIME, &ts);
	c->to_wall_us = ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - (int64_t)now_us;
}

/* What was not written whole would make the rest unreadable. */
static void give_up(struct capture *c, const char *why)
{
	if (ftruncate(c->fd, (off_t)c->size) < 0)
		why = "cannot be written, nor cut back";
	log_warn("event=capture_ended bytes=%llu: %s", (unsigned long long)c->size, why);
	c->fd = -1;
}

/* The frame's pieces behind what is skipped. Returns how many, and their length. */
static int frame_of(const struct iovec *iov, int n, size_t skip, struct iovec *ret, uint32_t *len)
{
	int m = 0;

	*len = 0;
	for (int i = 0; i < n && m < PIECES_MAX; i++) {
		size_t less = skip < iov[i].iov_len ? skip : iov[i].iov_len;

		skip -= less;
		if (less == iov[i].iov_len)
			continue;
		ret[m++] = (struct iovec){ (uint8_t *)iov[i].iov_base + less,
					   iov[i].iov_len - less };
		*len += (uint32_t)(iov[i].iov_len - less);
	}
	return m;
}

void capture_frame(struct capture *c, uint64_t now_us, const struct iovec *iov, int n,
		   bool to_container)
{
	struct iovec out[PIECES_MAX + 2];
	struct packet head = { .type = BLOCK_PACKET };
	struct packet_end end = {
		.option = OPTION_FLAGS, .option_len = sizeof(end.flags),
		.flags = to_container ? FLAG_OUTBOUND : FLAG_INBOUND,
	};
	uint64_t at = (uint64_t)((int64_t)now_us + c->to_wall_us);
	uint32_t pad;
	int m;
	ssize_t done;

	if (c->fd < 0)
		return;
	m = frame_of(iov, n, c->skip, &out[1], &head.captured);
	pad = -head.captured & 3;
	head.original = head.captured;
	head.time_high = (uint32_t)(at >> 32);
	head.time_low = (uint32_t)at;
	head.len = (uint32_t)(sizeof(head) + sizeof(end) - sizeof(end.pad)) + head.captured + pad;
	end.len_again = head.len;
	if (c->size + head.len > CAPTURE_MAX) {
		give_up(c, "the file has reached its greatest size");
		return;
	}
	out[0] = (struct iovec){ &head, sizeof(head) };
	out[m + 1] = (struct iovec){ end.pad + sizeof(end.pad) - pad,
				     sizeof(end) - sizeof(end.pad) + pad };
	do {
		done = writev(c->fd, out, m + 2);
	} while (done < 0 && errno == EINTR);
	if (done == (ssize_t)head.len)
		c->size += head.len;
	else
		give_up(c, done < 0 ? strerror(errno) : "the disk is full");
}
