/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolvers: an event is only the reason to look again at all: the way to the file may
 * be another now, so the watches are made anew each time, before the file is read, and
 * nothing that happens meanwhile is missed.
 */
#include "io/resolvers.h"

#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"

/* Writers end with a close; to look while one has emptied the file would tell nothing. */
#define WATCH_FILE	(IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB)
#define WATCH_FOLDER	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | \
			 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* Cuts the last part of an absolute path off: its folder is left. */
static void cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
}

/* The folder of path, or the nearest above it that is there: it comes into being
 * below that one. */
static void watch_folder(int fd, const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	do {
		cut_name(folder);
	} while (inotify_add_watch(fd, folder, WATCH_FOLDER) < 0 && folder[1]);
}

/* Where the link at path leads, in its place; false: it is none. */
static bool follow_link(char path[PATH_MAX])
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	size_t at;

	if (n <= 0)
		return false;
	to[n] = '\0';
	if (to[0] == '/') {
		memcpy(path, to, (size_t)n + 1);
		return true;
	}
	at = (size_t)(strrchr(path, '/') - path) + 1;
	if (at + (size_t)n >= PATH_MAX)
		return false;
	memcpy(path + at, to, (size_t)n + 1);
	return true;
}

static int open_inotify(const char *name)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	char path[PATH_MAX];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "%s", name);
	for (unsigned int i = 0; i <= RESOLVERS_HOPS; i++) {
		watch_folder(fd, path);
		if (!follow_link(path))
			break;
	}
	inotify_add_watch(fd, name, WATCH_FILE);	/* a file bound over it has other folders */
	return fd;
}

static int open_timer(void)
{
	const struct itimerspec its = { { RESOLVERS_LOOK_S, 0 }, { RESOLVERS_LOOK_S, 0 } };
	FD_OWNED int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	return fd < 0 || timerfd_settime(fd, 0, &its, NULL) < 0 ? -1 : fd_take(&fd);
}

bool resolvers_watch(struct resolvers_watch *w, const char *path)
{
	*w = (struct resolvers_watch){ .fd = open_inotify(path), .path = path };
	if (w->fd < 0) {
		w->fd = open_timer();
		w->timer = w->fd >= 0;
	}
	return w->fd >= 0;
}

bool resolvers_watch_again(struct resolvers_watch *w)
{
	uint64_t ticks;

	if (w->timer) {
		(void)!read(w->fd, &ticks, sizeof(ticks));
		return true;
	}
	close(w->fd);
	return resolvers_watch(w, w->path);
}

void resolvers_unwatch(struct resolvers_watch *w)
{
	fd_drop(&w->fd);
	*w = RESOLVERS_WATCH_INIT;
}

/* The file's text; its length, or -1. */
static ssize_t read_text(const char *path, char text[RESOLV_TEXT_MAX])
{
	/* not blocking: it could be a FIFO */
	FD_OWNED int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = 0, got = 0;

	if (fd < 0)
		return -1;
	while (got < (ssize_t)RESOLV_TEXT_MAX &&
	       (n = read(fd, text + got, RESOLV_TEXT_MAX - (size_t)got)) > 0)
		got += n;
	return n < 0 ? -1 : got;
}

static void take_servers(const struct resolv *from, struct resolvers *r)
{
	r->n = 0;
	for (uint32_t i = 0; i < from->nservers; i++) {
		const struct resolv_server *s = &from->servers[i];
		struct resolver to = { .addr = s->addr };

		if (s->ifname[0])
			to.scope = if_nametoindex(s->ifname);
		if (addr_is_linklocal6(&s->addr) && !to.scope)
			continue;	/* nobody could tell which link's */
		r->list[r->n++] = to;
	}
}

static void take_host(struct resolvers *r)
{
	char name[sizeof(r->host)];

	if (gethostname(name, sizeof(name)) < 0)
		return;
	name[sizeof(name) - 1] = '\0';
	snprintf(r->host, sizeof(r->host), "%s", resolv_host_ok(name) ? name : "");
}

bool resolvers_read(const char *path, struct resolvers *r)
{
	static char text[RESOLV_TEXT_MAX];	/* large: not on the stack */
	const struct resolvers before = *r;
	struct resolv file = { .nservers = 0 };
	ssize_t n = read_text(path, text);

	take_host(r);
	if (n >= 0)
		resolv_parse(text, (size_t)n, &file);
	if (n >= 0 || !r->n)
		take_servers(&file, r);
	if (!r->n)
		r->list[r->n++] = (struct resolver){ .addr = addr_loopback(true) };
	return !resolvers_eq(&before, r);
}

void resolvers_given(const struct addr *list, uint32_t n, struct resolvers *r)
{
	take_host(r);
	for (r->n = 0; r->n < n; r->n++)
		r->list[r->n] = (struct resolver){ .addr = list[r->n] };
}
