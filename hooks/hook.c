/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "hooks/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "hooks/names.h"
#include "hooks/rootfs.h"
#include "plugin/attach/attach.h"
#include "plugin/attach/front.h"
#include "plugin/attach/netns.h"
#include "plugin/attach/resolv.h"

#define OLD_MS		2000	/* for a daemon whose container has ended */
#define LOOK_MS		10

static int shared(const struct settings *s, struct err *e)
{
	if (s->skip_shared)
		return 0;
	err_set(e, ERR_NETNS, "the container has no network namespace of its own, it shares the"
		" runtime's");
	return err_hint(e, "give it one (podman: --network=none; config.json: {\"type\": \"network\"}"
			   " in linux.namespaces), or let the hook skip it: --skip-shared");
}

static bool is_own_netns(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && netns_is_own(st.st_dev, st.st_ino) == 1;
}

int hook_target(struct hook_call *c, struct err *e)
{
	struct conf *conf = &c->settings.keys.conf;
	int n;

	if (c->bundle.net == OCI_NET_SHARED)
		return shared(&c->settings, e);
	if (c->state.pid == 0)
		return err_set(e, ERR_DECODE, "state on stdin: pid: is missing, so the container cannot"
			       " be found");
	if (c->bundle.net == OCI_NET_PATH)
		n = snprintf(conf->netns_path, sizeof(conf->netns_path), "%s", c->bundle.netns);
	else
		n = snprintf(conf->netns_path, sizeof(conf->netns_path), "/proc/%d/ns/net",
			     c->state.pid);
	if (n >= (int)sizeof(conf->netns_path))
		return err_set(e, ERR_CONFIG, "config.json: linux.namespaces: path is too long");
	if (is_own_netns(conf->netns_path))
		return shared(&c->settings, e);
	strcpy(conf->container_id, c->state.id);
	conf->owner_pid = c->state.pid;
	return 1;
}

/* Whether the attachment that is there is the one to be made. */
static bool is_same(const struct conf *c)
{
	struct state s;
	struct attach a;
	bool same = false;

	if (attach_find(&a, c->container_id, c->ifname, -1, NULL) != 1)
		return false;
	if (attach_lives(&a) && state_read(&a.dir, &s, NULL) == 1)
		same = strcmp(s.netns, c->netns_path) == 0 &&
		       strcmp(s.network, SETTINGS_NETWORK) == 0;
	attach_done(&a);
	return same;
}

/* attach_open; an id that was another container's a moment ago may still have
 * that one's daemon, which is ending. 1: it is attached already. */
static int open_attach(struct attach *a, struct conf *c, int netns_fd, int stop_fd, struct err *e)
{
	int64_t end = clock_ms() + OLD_MS;
	int32_t owner = c->owner_pid;
	int fd, r;

	for (;;) {
		fd = netns_fd < 0 ? -1 : fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
		*e = ERR_INIT;
		r = fd < 0 ? attach_open(a, c, stop_fd, e)
			   : attach_open_netns(a, c, fd, stop_fd, e);
		if (r == 0 || e->code != ERR_EXISTS)
			return r;
		if (is_same(c))
			return 1;
		if (clock_ms() >= end)
			return -1;
		poll(NULL, 0, LOOK_MS);
		c->owner_pid = owner;
	}
}

/* A file that a mount of the runtime covers is the runtime's. */
static bool is_ours(const struct hook_call *c, const char *path)
{
	if (!oci_is_mounted(&c->bundle, path))
		return true;
	log_info("%s: is mounted by the runtime, left alone", path);
	return false;
}

static int write_files(const struct hook_call *c, const struct netcfg *net, struct err *e)
{
	const struct keys *k = &c->settings.keys;
	bool resolv = c->settings.resolv_conf && is_ours(c, "/etc/resolv.conf");
	bool hosts = c->settings.hosts && is_ours(c, "/etc/hosts");
	char text[ROOTFS_TEXT_MAX];
	FD_OWNED int root = -1;

	if (!resolv && !hosts)
		return 0;
	if (!c->bundle.rootfs)
		return err_set(e, ERR_CONFIG, "config.json: root.path: is missing");
	root = rootfs_open(c->state.bundle, c->bundle.rootfs, e);
	if (root < 0)
		return -1;
	if (resolv && !names_resolv_conf(k, net, text, sizeof(text)))
		log_warn("/etc/resolv.conf: no name server that the container can reach, left as it is");
	else if (resolv && rootfs_write(root, "resolv.conf", text, e) < 0)
		return -1;
	if (!hosts)
		return 0;
	if (!names_hosts(&k->conf, net, c->bundle.hostname, text, sizeof(text)))
		return err_set(e, ERR_INTERNAL, "hosts: too long");
	return rootfs_add_hosts(root, text, e);
}

bool hook_is_hidden(const struct hook_call *c)
{
	struct stat st;

	return stat(c->settings.keys.conf.netns_path, &st) < 0 &&
	       (errno == EACCES || errno == EPERM);
}

/* Two containers may share a namespace by its path; one of them attached it. */
static bool is_shared_there(const struct hook_call *c, const struct err *e)
{
	return e->code == ERR_EXISTS && c->bundle.net == OCI_NET_PATH && c->settings.skip_shared;
}

int hook_attach(struct hook_call *c, int netns_fd, struct err *e)
{
	struct conf *conf = &c->settings.keys.conf;
	FD_OWNED int netns = netns_fd;
	FD_OWNED int stop_fd = front_hold_signals();
	struct attach a;
	int r;

	resolv_fill(conf);
	if (front_without(&conf->without, e) < 0)
		return -1;
	r = open_attach(&a, conf, netns, stop_fd, e);
	if (r != 0)
		return r > 0 ? 0 : -1;
	if (attach_start(&a, conf, e) == 0 && write_files(c, &a.net, e) == 0) {
		attach_done(&a);
		return 0;
	}
	attach_undo(&a);
	attach_remove(&a, NULL);
	if (!is_shared_there(c, e))
		return -1;
	*e = ERR_INIT;
	return 0;
}

/* What another front end made for the container is its own to end: only an
 * attachment of a hook, or the rests of one that never got so far. */
static bool is_hooks(struct attach *a)
{
	struct state s;

	if (state_read(&a->dir, &s, NULL) == 1)
		return strcmp(s.network, SETTINGS_NETWORK) == 0;
	return !attach_lives(a);
}

static int detach_one(const struct state_name *n, struct err *e)
{
	struct attach a;
	bool ours;
	int r = attach_find(&a, n->container_id, n->ifname, -1, e);

	if (r != 1)
		return r;
	ours = is_hooks(&a);
	r = ours ? attach_stop(&a, e) : 0;
	if (ours && r == 0)
		return attach_remove(&a, e);
	attach_done(&a);
	return r;
}

int hook_detach(const char *id, struct err *e)
{
	struct state_name *names = NULL;
	size_t n = 0;
	int r = state_list(&names, &n, e);

	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i].container_id, id) == 0 && detach_one(&names[i], e) < 0)
			r = -1;
	free(names);
	return r;
}
