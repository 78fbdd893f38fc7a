/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook: a container attached and detached for a hook: from what oci.h and
 * settings.h read to an attachment of plugin/attach, and the container's files.
 * Done or undone as a whole. Called by main.c and pass.c.
 */
#ifndef HOOKS_HOOK_H
#define HOOKS_HOOK_H

#include "hooks/oci.h"
#include "hooks/settings.h"

/* What is attached. */
struct hook_call {
	struct oci_state state;
	struct oci_bundle bundle;
	struct settings settings;
};

/*
 * Finds which namespace the container has and fills the identity in
 * c->settings.keys.conf. 1, or 0 if there is nothing to attach to and that is no
 * error, or -1 with *e.
 */
int hook_target(struct hook_call *c, struct err *e);

/*
 * Attaches it. netns_fd: its namespace, taken over, or -1: opened by the path.
 * That this very attachment is there already is no error (prestart and
 * createRuntime may both be configured). 0, or -1 with *e and nothing left.
 */
int hook_attach(struct hook_call *c, int netns_fd, struct err *e);

/* Whether the container's /proc folder is closed to us: its first process is
 * another user's or not dumpable yet. */
bool hook_is_hidden(const struct hook_call *c);

/* Ends all that hooks made for container id. What fails is told by the last *e;
 * the others are ended all the same. 0 or -1. */
int hook_detach(const char *id, struct err *e);

#endif
