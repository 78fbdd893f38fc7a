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
	int place_fd;		/* the folder that path is a name in; -1: none; owned */
	const char *path;	/* the caller's, kept alive by it; NULL with a pidfd */
	dev_t dev;		/* of the namespace */
	ino_t ino;
};

#define WATCH_INIT ((struct watch){ .fd = -1, .place_fd = -1 })

/* What is watched. */
struct watch_what {
	int pidfd;		/* or -1 */
	const char *path;	/* names the namespace that netns_fd is */
	int place_fd;		/* where its last name is to be looked for, or -1: see watch.c */
	int netns_fd;
};

/*
 * Starts watching; what->pidfd and what->place_fd are taken over. Fails with *e if
 * the container has ended already. 0 or -1.
 */
int watch_open(struct watch *w, const struct watch_what *what, struct err *e);

/* To be called when w->fd is readable: whether the container has ended. */
bool watch_ended(struct watch *w);

void watch_close(struct watch *w);

#endif
