/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * find: an attachment by what a person types: a container id or a unique prefix
 * of one, with "/ifname" where the container has several. Looks at the names of
 * the state folders; makes and locks nothing.
 */
#ifndef PLUGIN_ATTACH_FIND_H
#define PLUGIN_ATTACH_FIND_H

#include "plugin/attach/state.h"

struct found {
	int fd;				/* O_PATH of the folder; owned */
	char name[STATE_NAME_MAX + 1];	/* "<container id>@<ifname>" */
};

/* 0, or -1 with *e: none (ERR_CONTAINER), or several, which are named. */
int find_attachment(const char *id, struct found *ret, struct err *e);

/* The folder of one that state_list() named, O_PATH, the caller's; -1: it is gone. */
int find_folder(int root, const struct state_name *n);

/* The name of the attachment, other than `but` (a name, or NULL), with a rule that listens where
 * one of the n rules does; asks their daemons. False: none. */
bool find_port_owner(const struct conf_forward *rules, uint32_t n, const char *but,
		     char ret[STATE_NAME_MAX + 1]);

/* Says in *e, if it is about a port in use, which attachment has it. */
void find_explain(const struct conf_forward *rules, uint32_t n, const char *but, struct err *e);

#endif
