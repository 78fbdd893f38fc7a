/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach: one attachment made and ended, whatever the front end: state folder
 * and lock, namespace, the core's start, the state file. Owns all of it while
 * it is half made, and undoes it; knows nothing of JSON requests or results.
 * Called by the CNI plugin and the command line, later by hook and netavark.
 */
#ifndef PLUGIN_ATTACH_ATTACH_H
#define PLUGIN_ATTACH_ATTACH_H

#include "plugin/attach/netns.h"
#include "plugin/attach/spawn.h"
#include "plugin/attach/state.h"

struct attach {
	struct state_dir dir;
	struct spawn core;
	int life_fd;			/* the daemon's end of life.h, until it is on its own */
	struct netcfg net;		/* what it became, after attach_add */
};

#define ATTACH_INIT ((struct attach){ .dir = STATE_DIR_INIT, .core = SPAWN_INIT, .life_fd = -1 })

/*
 * Makes the attachment of a filled configuration; c->state_dir and, with
 * `pid`, c->netns_path are set here. On success the network works and the
 * daemon is on its own, but the folder is still locked: the caller answers
 * and calls attach_done, or attach_undo if the answer did not get through.
 * On failure nothing is left. stop_fd: a signalfd that interrupts, or -1.
 */
int attach_add(struct attach *a, struct conf *c, int32_t pid, int stop_fd, struct err *e);
void attach_undo(struct attach *a);
void attach_done(struct attach *a);

/* Ends the attachment; that there is none is success. *e may hold a remark
 * (code 0, msg not empty) on success. */
int attach_del(const char *container_id, const char *ifname, int stop_fd, struct err *e);

#endif
