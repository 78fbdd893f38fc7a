/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what a CHECK compares with: of what we made (state.json) that which
 * prevResult still has, for a later plugin of the list may have changed or
 * taken away some of it (CNI SPEC.md, section 2, CHECK). Where the host was followed
 * since, what is true now counts, which prevResult cannot know. Called by main.c.
 */
#ifndef PLUGIN_CHECK_H
#define PLUGIN_CHECK_H

#include <json-c/json.h>

#include "conf/conf.h"
#include "plugin/attach/state.h"

/* Fills *want from both, or with prev NULL from what was made alone; now: what the
 * network is since then, or NULL for the same. want->netns_path is netns. 0, or -1 with *e if
 * prevResult does not have our interface in that namespace. */
int check_expect(const struct state *made, const struct netcfg *now, struct json_object *prev,
		 const char *netns, struct conf *want, struct err *e);

/* Whether the processes of the attachment whose folder is open live: 0, or -1 with *e where
 * one dies again and again. A daemon that cannot be asked is no finding of this. */
int check_processes(int state_fd, struct err *e);

#endif
