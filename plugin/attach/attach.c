/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "plugin/attach/attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "conf/encode.h"
#include "plugin/attach/find.h"
#include "plugin/attach/life.h"
#include "plugin/attach/stop.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

/* A folder found: either its attachment lives, or its rests are swept. */
static int check_free(const struct attach *a, struct err *e)
{
	if (attach_lives(a)) {
		err_set(e, ERR_EXISTS, "attachment %s exists already", a->dir.name);
		return err_hint(e, "end it with DEL before the next ADD");
	}
	return state_clean(&a->dir, e);
}

/* Who serves the attachment, for stop.c, as far as it can be known: where /proc
 * is another PID namespace's there is no start time. */
static struct stop_id identify(int32_t pid)
{
	struct stop_id id = { .pid = pid, .start_time = stop_start_time(pid),
			      .pid_ns = stop_pid_ns() };

	if (stop_boot_id(id.boot_id) < 0)
		id.boot_id[0] = '\0';
	return id;
}

/* Before the answer, so that even a front end that is killed leaves a process
 * that can be killed, and after, with the rest. */
static int keep_state(const struct attach *a, const struct conf *c, int32_t pid,
		      const struct netcfg *net, struct err *e)
{
	struct state s = { .version = PACKAGE_VERSION, .net = *net, .daemon = identify(pid) };

	strcpy(s.container_id, c->container_id);
	strcpy(s.network, c->network);
	strcpy(s.netns, c->netns_path);
	return state_write(&a->dir, &s, e);
}

/* The number main gives is good if its start time is too; in a PID namespace of
 * its own it cannot know the one it has here, and then it is the one we started. */
static int32_t daemon_pid(const struct attach *a, const struct ready *r)
{
	bool same = r->pid <= INT32_MAX &&
		    stop_start_time((int32_t)r->pid) == r->start_time;

	return same && r->start_time ? (int32_t)r->pid : a->core.pid;
}

/* The configuration as the core takes it: a descriptor, or -1 with *e. */
static int give_conf(const struct conf *c, struct err *e)
{
	int fd = encode_memfd(c);

	return fd < 0 ? err_set(e, ERR_IO, "configuration hand-over: %s", strerror(-fd)) : fd;
}

static int start_here(struct spawn *s, const char *word, const struct spawn_fds *fds,
		      struct err *e)
{
	char core[CONF_PATH_MAX];

	return spawn_find_core(core, e) < 0 ? -1 : spawn_start(s, core, word, fds, e);
}

/* Of a question that was asked. */
static int hear(struct spawn *s, struct err *e)
{
	struct ready ready;
	int r = spawn_wait(s, &ready, e);

	spawn_end(s);
	return r;
}

static int start_core(struct attach *a, const struct conf *c, struct ready *ret, struct err *e)
{
	FD_OWNED int memfd = give_conf(c, e);
	/* To a core in the broker's mount namespace the path may mean nothing. */
	const bool by_path = a->via.brokered && a->ns.owner_fd < 0;
	FD_OWNED int place = by_path ? netns_place(&a->ns, e) : -1;
	const struct spawn_fds fds = { .conf = memfd, .netns = a->ns.fd, .state = a->dir.fd,
				       .life = a->life_fd, .owner = a->ns.owner_fd,
				       .place = place };
	struct netcfg net = { .mac = c->mac };

	if (memfd < 0 || (by_path && place < 0))
		return -1;
	if (a->via.brokered ? spawn_via(&a->core, &a->via, VIA_ATTACH, &fds, e) < 0
			    : start_here(&a->core, HANDOFF_WORD, &fds, e) < 0)
		return -1;
	strcpy(net.ifname, c->ifname);
	/* If it has ended already, spawn_wait has the better words for it. */
	keep_state(a, c, a->core.pid, &net, NULL);
	return spawn_wait(&a->core, ret, e);
}

static int interrupted(int stop_fd, struct err *e)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	if (stop_fd >= 0 && poll(&p, 1, 0) > 0)
		return err_set(e, ERR_AGAIN, "interrupted by a signal");
	return 0;
}

int attach_prepare(struct attach *a, struct conf *c, struct err *e)
{
	struct ready ready;

	if (conf_validate(c, e) < 0)
		return -1;
	a->life_fd = life_make(a->dir.fd);
	if (a->life_fd < 0)
		return err_set(e, ERR_IO, "state folder %s: " HANDOFF_LIFE_NAME ": %s",
			       a->dir.name, strerror(-a->life_fd));
	if (start_core(a, c, &ready, e) < 0) {
		find_explain(c->forwards, c->nforwards, a->dir.name, e);
		return -1;
	}
	a->daemon_pid = daemon_pid(a, &ready);
	a->net = ready.net;
	return keep_state(a, c, a->daemon_pid, &ready.net, e);
}

int attach_configure(struct attach *a, struct err *e)
{
	struct ready ready;

	if (spawn_say(&a->core, HANDOFF_CONFIGURE, e) < 0 || spawn_wait(&a->core, &ready, e) < 0)
		return -1;
	a->net = ready.net;	/* the host may have moved meanwhile */
	return 0;
}

int attach_commit(struct attach *a, struct err *e)
{
	return interrupted(a->core.stop_fd, e) < 0 ? -1 : spawn_say(&a->core, HANDOFF_COMMIT, e);
}

int attach_start(struct attach *a, struct conf *c, struct err *e)
{
	return attach_prepare(a, c, e) < 0 ? -1 : attach_commit(a, e);
}

static int check_conf(struct conf *c, struct err *e)
{
	/* The names become a path: they are looked at before anything else. */
	if (conf_id_ok(c->container_id) && conf_ifname_ok(c->ifname) &&
	    state_path(c->container_id, c->ifname, c->state_dir, e) < 0)
		return -1;
	return conf_validate(c, e);
}

/* The namespace is open: makes and locks the folder. */
static int open_state(struct attach *a, struct conf *c, struct err *e)
{
	if (via_choose(&a->via, c->via, e) < 0) {
		attach_done(a);
		return -1;
	}
	c->via = a->via.brokered ? CONF_VIA_BROKER : CONF_VIA_DIRECT;
	c->owner_pid = a->ns.owner_pid;
	/* The folder of a living attachment is not ours to undo. */
	if (state_open(c->container_id, c->ifname, true, a->core.stop_fd, &a->dir, e) == 1 &&
	    check_free(a, e) == 0)
		return 0;
	attach_done(a);
	return -1;
}

int attach_open(struct attach *a, struct conf *c, int stop_fd, struct err *e)
{
	int r;

	*a = ATTACH_INIT;
	a->core.stop_fd = stop_fd;
	if (check_conf(c, e) < 0)
		return -1;
	r = c->owner_pid ? netns_open_owned(c->netns_path, c->owner_pid, &a->ns, e)
			 : netns_open_path(c->netns_path, &a->ns, e);
	return r < 0 ? -1 : open_state(a, c, e);
}

int attach_open_netns(struct attach *a, struct conf *c, int netns_fd, int stop_fd,
		      struct err *e)
{
	FD_OWNED int fd = netns_fd;

	*a = ATTACH_INIT;
	a->core.stop_fd = stop_fd;
	if (check_conf(c, e) < 0 ||
	    netns_take(fd_take(&fd), c->netns_path, c->owner_pid, &a->ns, e) < 0)
		return -1;
	return open_state(a, c, e);
}

int attach_open_guest(struct attach *a, struct conf *c, int sock, int stop_fd, struct err *e)
{
	FD_OWNED int fd = sock;

	*a = ATTACH_INIT;
	a->core.stop_fd = stop_fd;
	if (check_conf(c, e) < 0)
		return -1;
	a->ns.fd = fd_take(&fd);	/* where the core looks for it (HANDOFF_FD_SOCKET) */
	return open_state(a, c, e);
}

void attach_undo(struct attach *a)
{
	struct state s;

	fd_drop(&a->life_fd);
	/* A core that is still starting hears this, and ends by itself. */
	fd_drop(&a->core.sock);
	stop_daemon(a->dir.fd, state_read(&a->dir, &s, NULL) == 1 ? &s.daemon : NULL, NULL);
	spawn_end(&a->core);
}

void attach_done(struct attach *a)
{
	fd_drop(&a->core.sock);
	fd_drop(&a->life_fd);
	state_close(&a->dir);
	netns_close(&a->ns);
}

int attach_find(struct attach *a, const char *container_id, const char *ifname, int stop_fd,
		struct err *e)
{
	*a = ATTACH_INIT;
	a->core.stop_fd = stop_fd;
	return state_open(container_id, ifname, false, stop_fd, &a->dir, e);
}

int attach_try(struct attach *a, const char *container_id, const char *ifname, struct err *e)
{
	*a = ATTACH_INIT;
	return state_try(container_id, ifname, &a->dir, e);
}

bool attach_lives(const struct attach *a)
{
	FD_OWNED int life = life_open(a->dir.fd);

	/* Where it cannot be told, nobody shall take it for dead. */
	return life != -ENXIO;
}

int attach_stop(struct attach *a, struct err *e)
{
	struct state s;
	/* A file that does not decode names no process, and must not keep the
	 * container from going. */
	int r = state_read(&a->dir, &s, NULL);

	return stop_daemon(a->dir.fd, r == 1 ? &s.daemon : NULL, e);
}

int attach_remove(struct attach *a, struct err *e)
{
	netns_close(&a->ns);
	return state_remove(&a->dir, e);
}

static int check_daemon(const struct attach *a, struct err *e)
{
	FD_OWNED int life = life_open(a->dir.fd);

	if (life == -ENXIO)
		return err_set(e, ERR_CHECK, "attachment %s: its daemon has ended", a->dir.name);
	if (life < 0)
		return err_set(e, ERR_IO, "attachment %s: " HANDOFF_LIFE_NAME ": %s", a->dir.name,
			       strerror(-life));
	if (!life_answers(life, ATTACH_ANSWER_MS))
		return err_set(e, ERR_CHECK, "attachment %s: its daemon does not answer",
			       a->dir.name);
	return 0;
}

int attach_check(struct attach *a, const struct conf *want, struct err *e)
{
	FD_OWNED int memfd = give_conf(want, e);
	struct spawn_fds fds = SPAWN_FDS_INIT;

	if (memfd < 0 || check_daemon(a, e) < 0 ||
	    netns_open_path(want->netns_path, &a->ns, e) < 0)
		return -1;
	fds.conf = memfd;
	fds.netns = a->ns.fd;
	/* What is looked at is inside the container: that needs no broker. */
	return start_here(&a->core, HANDOFF_WORD_CHECK, &fds, e) < 0 ? -1 : hear(&a->core, e);
}

int attach_status(struct conf *c, int stop_fd, struct err *e)
{
	FD_OWNED int memfd = give_conf(c, e);
	struct spawn_fds fds = SPAWN_FDS_INIT;
	struct spawn core = SPAWN_INIT;
	struct via via;
	int r;

	if (memfd < 0 || state_probe(e) < 0 || via_choose(&via, c->via, e) < 0)
		return -1;
	fds.conf = memfd;
	core.stop_fd = stop_fd;
	r = via.brokered ? spawn_via(&core, &via, VIA_STATUS, &fds, e)
			 : start_here(&core, HANDOFF_WORD_STATUS, &fds, e);
	return r < 0 ? -1 : hear(&core, e);
}
