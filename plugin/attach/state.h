/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state: the store of attachments. One folder `<container id>@<ifname>/` each,
 * mode 0700, with `lock`, `state.json` and the daemon's `life` (life.h). Owns the folder while its lock is
 * held; never starts or ends a process.
 *
 * The daemon, when its container ends, takes the lock without waiting and, if
 * it gets it, removes the files and the folder itself. So a lock is only held
 * when the path still names the locked file; otherwise all is done again.
 */
#ifndef PLUGIN_ATTACH_STATE_H
#define PLUGIN_ATTACH_STATE_H

#include <stdbool.h>

#include "conf/handoff.h"
#include "plugin/attach/stop.h"

#define STATE_FORMAT		1	/* of state.json */
#define STATE_LOCK_MS		10000	/* patience for another command's lock */
#define STATE_JSON_MAX		65536
#define STATE_LIST_MAX		65536	/* attachments that state_list finds at most */
#define STATE_VERSION_MAX	32
#define STATE_NAME_MAX		(CONF_ID_MAX + 1 + CONF_IFNAME_MAX)

/* An attachment's folder, open and locked. */
struct state_dir {
	int root_fd, fd, lock_fd;
	char name[STATE_NAME_MAX + 1];
};

#define STATE_DIR_INIT ((struct state_dir){ .root_fd = -1, .fd = -1, .lock_fd = -1 })

/* What state.json holds. */
struct state {
	struct stop_id daemon;
	char container_id[CONF_ID_MAX + 1];
	char network[CONF_ID_MAX + 1];
	char netns[CONF_PATH_MAX];
	char version[STATE_VERSION_MAX];	/* of cni-passt */
	struct netcfg net;			/* host4, host6, gw_mac are not kept */
};

/* Whether we are root of the user namespace that no other contains, in which all
 * numbers map to themselves (user_namespaces(7)). */
bool state_is_initial_root(void);

/* The attachment's folder, for conf.state_dir; makes nothing. The names must
 * be good (conf_id_ok, conf_ifname_ok). Returns 0, or -1 with *e. */
int state_path(const char *container_id, const char *ifname, char ret[CONF_PATH_MAX],
	       struct err *e);

/* The store's own folder, O_PATH; -ENOENT without *e, or -1 with *e. */
int state_root(bool make, struct err *e);

/*
 * Opens and locks the folder, making it and its parent where `make` says so.
 * Gives up after STATE_LOCK_MS (ERR_AGAIN), or when stop_fd (a signalfd, or
 * -1) becomes readable. Returns 1, or 0 if it is not there, or -1 with *e.
 */
int state_open(const char *container_id, const char *ifname, bool make, int stop_fd,
	       struct state_dir *ret, struct err *e);

/* The same for a folder that is there, without any patience. */
int state_try(const char *container_id, const char *ifname, struct state_dir *ret,
	      struct err *e);

struct state_name {
	char container_id[CONF_ID_MAX + 1];
	char ifname[CONF_IFNAME_MAX + 1];
};

/* The names of all attachments into *ret, memory to free, their number into *n;
 * what stands in the store under other names is not ours. 0, or -1 with *e. */
int state_list(struct state_name **ret, size_t *n, struct err *e);

/* Whether an attachment could be written down: makes the store where it is not,
 * and a file in it, which it removes. 0, or -1 with *e. */
int state_probe(struct err *e);

/* 1, or 0 if there is none, or -1 with *e if it does not decode. */
int state_read(const struct state_dir *d, struct state *ret, struct err *e);

/* What the network is since the daemon followed the host (conf/handoff.h): 1, or 0 if
 * it is what it was at the start, or -1 with *e if that cannot be told. */
int state_network(const struct state_dir *d, struct netcfg *ret, struct err *e);

/* Atomically: a reader finds the old file, the new one or none. */
int state_write(const struct state_dir *d, const struct state *s, struct err *e);

/* Empties the folder except for the lock. */
int state_clean(const struct state_dir *d, struct err *e);

/* Removes the folder with all that is in it and closes *d, in every case. */
int state_remove(struct state_dir *d, struct err *e);

/* Unlocks and closes; the folder stays. */
void state_close(struct state_dir *d);

#endif
