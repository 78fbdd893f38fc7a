/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach: one attachment made and ended, whatever the front end: state folder
 * and lock, namespace, the core's start, the state file. Owns all of it while
 * it is half made, and undoes it; knows nothing of JSON requests or results.
 * Called by the CNI plugin, the command line and the OCI hook, later by netavark.
 *
 * Each way goes in steps, so that a front end can do its own things while the
 * attachment is locked (an IPAM plugin's addresses belong to who has the lock):
 *     attach_open, attach_start, then attach_done, or attach_undo and attach_remove
 *     the same with attach_prepare, attach_configure, attach_commit for attach_start
 *     attach_find, attach_stop, attach_remove
 *     attach_find, attach_check, attach_done
 */
#ifndef PLUGIN_ATTACH_ATTACH_H
#define PLUGIN_ATTACH_ATTACH_H

#include "plugin/attach/netns.h"
#include "plugin/attach/spawn.h"
#include "plugin/attach/state.h"

#define ATTACH_ANSWER_MS	2000	/* the daemon's time to show that it is well */

struct attach {
	struct state_dir dir;
	struct netns ns;
	struct via via;
	struct spawn core;
	int life_fd;			/* the daemon's end of life.h, until it is on its own */
	struct netcfg net;		/* what it became, after attach_start ... */
	int32_t daemon_pid;		/* ... and its daemon's number here */
};

#define ATTACH_INIT ((struct attach){ .dir = STATE_DIR_INIT, .ns = NETNS_INIT, \
				      .via = VIA_INIT, .core = SPAWN_INIT, .life_fd = -1 })

/*
 * Validates a filled configuration, opens the namespace, decides from where the
 * daemon is started (via.h), makes and locks the folder; c->state_dir is set here,
 * and c->owner_pid, if it is 0, by the namespace's path. Fails with ERR_EXISTS if the
 * attachment lives; on failure nothing is left. stop_fd: a signalfd that interrupts,
 * or -1.
 */
int attach_open(struct attach *a, struct conf *c, int stop_fd, struct err *e);

/* The same with the namespace's descriptor, which is taken over; the path is
 * only for words, and c->owner_pid must be known. */
int attach_open_netns(struct attach *a, struct conf *c, int netns_fd, int stop_fd,
		      struct err *e);

/* The same for a virtual machine (conf.guest): sock, listening or connected, is taken over
 * in any case. */
int attach_open_guest(struct attach *a, struct conf *c, int sock, int stop_fd, struct err *e);

/*
 * Validates once more and starts the daemon. On success the network works and
 * the daemon is on its own, but the folder is still locked: the caller answers
 * and calls attach_done, or, if the answer did not get through, attach_undo and
 * attach_remove. These two also after a failure.
 */
int attach_start(struct attach *a, struct conf *c, struct err *e);

/*
 * attach_start in steps, for who sets c->ipv4_late. After attach_prepare the interface is there
 * without IPv4, and answered, by DHCP too; a->net says what it will have. Nothing outlives the
 * caller before attach_commit.
 */
int attach_prepare(struct attach *a, struct conf *c, struct err *e);
int attach_configure(struct attach *a, struct err *e);
int attach_commit(struct attach *a, struct err *e);

/* Ends all that was started; the folder stays, locked. */
void attach_undo(struct attach *a);

/* Lets go of it as it is. */
void attach_done(struct attach *a);

/* Locks an attachment that is there: 1, or 0 if there is none, or -1 with *e. */
int attach_find(struct attach *a, const char *container_id, const char *ifname, int stop_fd,
		struct err *e);

/* The same without waiting for the lock (ERR_AGAIN). */
int attach_try(struct attach *a, const char *container_id, const char *ifname, struct err *e);

/* Whether a daemon serves what was found. */
bool attach_lives(const struct attach *a);

/* Ends the daemon, if there is one; -1 with *e if it does not end. */
int attach_stop(struct attach *a, struct err *e);

/* Removes the folder and lets go of it. 0, or -1 with *e. */
int attach_remove(struct attach *a, struct err *e);

/* Whether the daemon answers, and the interface in namespace want->netns_path is
 * as *want says (netlink_check() in the core). 0, or -1 with *e. */
int attach_check(struct attach *a, const struct conf *want, struct err *e);

/* Whether an attachment of this configuration could be made: state, core,
 * outer network, namespaces, tap. 0, or -1 with *e. */
int attach_status(struct conf *c, int stop_fd, struct err *e);

#endif
