/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolvers: the host's resolvers as its resolv.conf has them now, for main, which
 * tells the engine. The file may be a symbolic link, replaced by rename, bound over, or
 * not be there yet: watched are it and every folder that its name leads through.
 */
#ifndef IO_RESOLVERS_H
#define IO_RESOLVERS_H

#include "conf/resolv.h"

#define RESOLVERS_HOPS		8u	/* symbolic links followed */
#define RESOLVERS_LOOK_S	2	/* where inotify has no room for us */

struct resolvers_watch {
	int fd;				/* poll for POLLIN; owned; -1: nothing is watched */
	bool timer;			/* fd is a timer: a look each RESOLVERS_LOOK_S */
	const char *path;		/* the caller's */
};

#define RESOLVERS_WATCH_INIT ((struct resolvers_watch){ .fd = -1 })

/* Watches path, which stays the caller's. False: it cannot, and fd is -1. */
bool resolvers_watch(struct resolvers_watch *w, const char *path);

/* To be called when w->fd is readable, then resolvers_read(). False: as of resolvers_watch(). */
bool resolvers_watch_again(struct resolvers_watch *w);

void resolvers_unwatch(struct resolvers_watch *w);

/*
 * Reads what path says into *r, and the host's name. A file that says nothing stands
 * for a resolver on the host itself (resolv.conf(5)), and so does none at first; one
 * that went away, or cannot be read for now, leaves what was known. True: *r changed.
 */
bool resolvers_read(const char *path, struct resolvers *r);

/* These in place of the file's, and the host's name. */
void resolvers_given(const struct addr *list, uint32_t n, struct resolvers *r);

#endif
