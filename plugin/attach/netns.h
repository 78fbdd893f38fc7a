/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns: the container's network namespace as a front end is given it, by path,
 * checked to be one and not our own. Also finds the process
 * whose end is the container's, where the front end knows it or the path tells
 * it (/proc/<pid>/...), and holds it by pidfd. Never enters a namespace. Called by attach.c.
 */
#ifndef PLUGIN_ATTACH_NETNS_H
#define PLUGIN_ATTACH_NETNS_H

#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"

struct netns {
	int fd;				/* O_RDONLY; owned */
	int owner_fd;			/* pidfd, -1 where owner_pid is 0; owned */
	int32_t owner_pid;
	char path[CONF_PATH_MAX];	/* as given */
};

#define NETNS_INIT ((struct netns){ .fd = -1, .owner_fd = -1 })

/* 0, or -1 with *e (ERR_NETNS, ERR_PRIVILEGE) and *ret as NETNS_INIT. */
int netns_open_path(const char *path, struct netns *ret, struct err *e);

/* The same where the front end knows whose end is the container's: process pid,
 * which its runtime has not reaped. ERR_CONTAINER if there is none. */
int netns_open_owned(const char *path, int32_t pid, struct netns *ret, struct err *e);

/* The same of a namespace that is open already; fd is taken over in any case. */
int netns_take(int fd, const char *path, int32_t pid, struct netns *ret, struct err *e);

/* The folder that holds the path, for a core in another mount namespace, which
 * looks there for the last name (HANDOFF_FD_PLACE). O_PATH, or -1 with *e. */
int netns_place(const struct netns *n, struct err *e);

/* 1: that inode is the network namespace this process is in, 0: it is not, or -errno. */
int netns_is_own(dev_t dev, ino_t ino);

void netns_close(struct netns *n);

#endif
