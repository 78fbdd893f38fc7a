/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch: how main learns that the container ended. In this order: the pidfd of
 * the process that stands for it; inotify on the folder that holds the
 * namespace's path; a look each second, where procfs or a missing right leaves
 * nothing better. The namespace itself tells nothing: our own tap keeps it.
 */
#ifndef IO_WATCH_H
#define IO_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum watch_kind { WATCH_PIDFD, WATCH_INOTIFY, WATCH_TIMER, WATCH_KIND_COUNT };

extern const char *const watch_kind_names[WATCH_KIND_COUNT];

struct watch {
	enum watch_kind kind;
	int fd;			/* poll for POLLIN; owned */
	const char *path;	/* the caller's, kept alive by it; NULL with a pidfd */
	dev_t dev;		/* of the namespace */
	ino_t ino;
};

#define WATCH_INIT ((struct watch){ .fd = -1 })

/*
 * Starts watching. pidfd (or -1) is taken over; path names the namespace that
 * netns_fd is. Fails with *e if the container has ended already. 0 or -1.
 */
int watch_open(struct watch *w, int pidfd, const char *path, int netns_fd, struct err *e);

/* To be called when w->fd is readable: whether the container has ended. */
bool watch_ended(struct watch *w);

void watch_close(struct watch *w);

#endif
