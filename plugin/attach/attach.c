/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "plugin/attach/attach.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "conf/encode.h"
#include "plugin/attach/find.h"
#include "plugin/attach/stop.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

/* A folder found: either its attachment lives, or its rests are swept. */
static int check_free(const struct attach *a, struct err *e)
{
	struct state old;
	int r = state_read(&a->dir, &old, NULL);

	if (r == 1 && stop_alive(&old.daemon)) {
		err_set(e, ERR_EXISTS, "attachment %s exists already (daemon %d)", a->dir.name,
			old.daemon.pid);
		return err_hint(e, "end it with DEL before the next ADD");
	}
	return state_clean(&a->dir, e);
}

/* Writes who serves the attachment: before the answer, so that even a front
 * end that is killed leaves a daemon a DEL can find, and after, with the rest. */
static int keep_state(const struct attach *a, const struct conf *c, uint32_t pid,
		      const struct netcfg *net, struct err *e)
{
	struct state s = { .version = PACKAGE_VERSION, .net = *net };

	s.daemon.pid = (int32_t)pid;
	s.daemon.start_time = stop_start_time(s.daemon.pid);
	strcpy(s.container_id, c->container_id);
	strcpy(s.network, c->network);
	strcpy(s.netns, c->netns_path);
	if (!s.daemon.start_time)
		return err_set(e, ERR_INTERNAL, "the daemon ended while starting");
	if (stop_boot_id(s.daemon.boot_id) < 0)
		return err_set(e, ERR_IO, "/proc/sys/kernel/random/boot_id cannot be read");
	return state_write(&a->dir, &s, e);
}

/* The number main gives is good if its start time is too; in a PID namespace of
 * its own it cannot know the one it has here, and then it is the one we started. */
static uint32_t daemon_pid(const struct attach *a, const struct ready *r)
{
	bool same = r->pid <= INT32_MAX &&
		    stop_start_time((int32_t)r->pid) == r->start_time;

	return same && r->start_time ? r->pid : (uint32_t)a->core.pid;
}

static int start_core(struct attach *a, const struct conf *c, const struct netns *ns,
		      struct ready *ret, struct err *e)
{
	FD_OWNED int memfd = encode_memfd(c);
	struct spawn_fds fds = { .conf = memfd, .netns = ns->fd, .state = a->dir.fd,
				 .owner = ns->owner_fd };
	struct netcfg net = { .mac = c->mac };
	char core[CONF_PATH_MAX];

	if (memfd < 0)
		return err_set(e, ERR_IO, "configuration hand-over: %s", strerror(-memfd));
	if (spawn_find_core(core, e) < 0 || spawn_start(&a->core, core, &fds, e) < 0)
		return -1;
	strcpy(net.ifname, c->ifname);
	/* If it has ended already, spawn_wait has the better words for it. */
	keep_state(a, c, (uint32_t)a->core.pid, &net, NULL);
	return spawn_wait(&a->core, ret, e);
}

static int interrupted(int stop_fd, struct err *e)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	if (stop_fd >= 0 && poll(&p, 1, 0) > 0)
		return err_set(e, ERR_AGAIN, "interrupted by a signal");
	return 0;
}

static int add_locked(struct attach *a, struct conf *c, const struct netns *ns, struct err *e)
{
	struct ready ready;

	if (start_core(a, c, ns, &ready, e) < 0 ||
	    keep_state(a, c, daemon_pid(a, &ready), &ready.net, e) < 0 ||
	    interrupted(a->core.stop_fd, e) < 0 || spawn_commit(&a->core, e) < 0)
		return -1;
	a->net = ready.net;
	return 0;
}

static int add_in(struct attach *a, struct conf *c, const struct netns *ns, struct err *e)
{
	int r;

	if (state_open(c->container_id, c->ifname, true, a->core.stop_fd, &a->dir, e) < 0)
		return -1;
	/* The folder of a living attachment is not ours to undo. */
	r = check_free(a, e);
	if (r < 0) {
		state_close(&a->dir);
		return -1;
	}
	r = add_locked(a, c, ns, e);
	if (r < 0) {
		find_explain(c->forwards, c->nforwards, a->dir.name, e);
		attach_undo(a);
	}
	return r;
}

static int check_conf(struct conf *c, int32_t pid, struct err *e)
{
	if (pid)
		snprintf(c->netns_path, sizeof(c->netns_path), "/proc/%d/ns/net", pid);
	/* The names become a path: they are looked at before anything else. */
	if (conf_id_ok(c->container_id) && conf_ifname_ok(c->ifname) &&
	    state_path(c->container_id, c->ifname, c->state_dir, e) < 0)
		return -1;
	return conf_validate(c, e);
}

int attach_add(struct attach *a, struct conf *c, int32_t pid, int stop_fd, struct err *e)
{
	struct netns ns;
	int r;

	*a = ATTACH_INIT;
	a->core.stop_fd = stop_fd;
	if (check_conf(c, pid, e) < 0)
		return -1;
	r = pid ? netns_open_pid(pid, &ns, e) : netns_open_path(c->netns_path, &ns, e);
	if (r < 0)
		return -1;
	c->owner_pid = ns.owner_pid;
	r = add_in(a, c, &ns, e);
	netns_close(&ns);
	return r;
}

void attach_undo(struct attach *a)
{
	struct state s;

	/* By state first: that way main's children are waited for as well. */
	if (state_read(&a->dir, &s, NULL) == 1)
		stop_daemon(&s.daemon, NULL);
	spawn_end(&a->core);
	state_remove(&a->dir, NULL);
}

void attach_done(struct attach *a)
{
	fd_drop(&a->core.sock);
	state_close(&a->dir);
}

int attach_del(const char *container_id, const char *ifname, int stop_fd, struct err *e)
{
	struct state_dir dir;
	struct state s;
	int r = state_open(container_id, ifname, false, stop_fd, &dir, e);

	if (r <= 0)
		return r;
	r = state_read(&dir, &s, e);
	if (r == 1 && stop_daemon(&s.daemon, e) < 0) {
		state_close(&dir);
		return -1;
	}
	/* A file that does not decode names no process; the folder must still go,
	 * or no DEL of this container could ever succeed. */
	if (r < 0 && e)
		e->code = ERR_NONE;
	return state_remove(&dir, e);
}
