/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pass: a container's network namespace from a hook that is in it to one that is
 * outside. crun, started by an ordinary user, leaves the container's first
 * process undumpable until it executes the user's program: before that nothing
 * in its /proc folder opens for anybody but root. So the createRuntime hook
 * leaves a process behind that waits on a socket in the store of attachments,
 * and the createContainer hook, which the runtime starts inside, sends it the
 * descriptor and waits for what comes of it. Called by main.c.
 */
#ifndef HOOKS_PASS_H
#define HOOKS_PASS_H

#include "hooks/hook.h"

#define PASS_WAIT_MS	30000	/* from one hook to the other */

/* Outside: leaves the process that will do hook_attach(c). 0, or -1 with *e. */
int pass_wait(struct hook_call *c, struct err *e);

/* Inside: passes this process's own namespace on, if somebody waits for it. 0, also
 * if nobody does (the other hook managed alone), or -1 with *e. */
int pass_netns(const char *id, struct err *e);

#endif
