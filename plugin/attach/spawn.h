/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spawn: finds the core, starts it detached with the descriptors of
 * conf/handoff.h and no other, or has a broker do so, and waits for its answer. Owns the started
 * process until the commit: without one, spawn_end() leaves none of it.
 * Never touches the state folder. Called by attach.c.
 */
#ifndef PLUGIN_ATTACH_SPAWN_H
#define PLUGIN_ATTACH_SPAWN_H

#include <sys/types.h>

#include "conf/handoff.h"
#include "plugin/attach/via.h"

#ifndef PKGLIBEXECDIR
#define PKGLIBEXECDIR "/usr/local/libexec/cni-passt"
#endif

#define SPAWN_CORE_NAME	"cni-passt-core"
#define SPAWN_END_MS	2000		/* patience after each signal */

struct spawn {
	pid_t pid;			/* the core's main, 0: none, or none here */
	bool brokered;			/* another's child: it ends by itself */
	int sock;			/* HANDOFF_FD_FRONT's other end */
	int stop_fd;			/* signalfd of who may interrupt, or -1; borrowed */
	bool keep_stderr;		/* the daemon logs to ours: its starter stays with it */
};

#define SPAWN_INIT ((struct spawn){ .sock = -1, .stop_fd = -1 })

/* What the core is given besides the front end's socket; borrowed; -1: not given. */
struct spawn_fds {
	int conf, netns, state, life, owner, place;
};

/* Where the core is: CNI_PASST_CORE, beside the running executable in the
 * build tree, installed. Returns 0, or -1 with *e naming the places. */
int spawn_find_core(char ret[CONF_PATH_MAX], struct err *e);

#define SPAWN_FDS_INIT ((struct spawn_fds){ -1, -1, -1, -1, -1, -1 })

/* What is executed. */
struct spawn_program {
	const char *core, *word;
	bool keep_stderr;
};

/* Executes it, detached, with the descriptors and `front`; *pid is its number, a
 * child of the init process or of the nearest subreaper. 0 or -errno. */
int spawn_exec(const struct spawn_program *what, const struct spawn_fds *fds, int front,
	       pid_t *pid);

/* Has the broker start it. On failure nothing runs. */
int spawn_via(struct spawn *s, const struct via *v, enum via_verb verb,
	      const struct spawn_fds *fds, struct err *e);

/* Starts it with a HANDOFF_WORD. On failure nothing runs. s->stop_fd is set by
 * the caller. */
int spawn_start(struct spawn *s, const char *core, const char *word,
		const struct spawn_fds *fds, struct err *e);

/* Waits for struct ready; -1 with *e if the core says no, ends, is silent for
 * HANDOFF_TIMEOUT_MS, or stop_fd becomes readable. The core still runs then. */
int spawn_wait(struct spawn *s, struct ready *ret, struct err *e);

/* HANDOFF_CONFIGURE, which spawn_wait() is to follow; HANDOFF_COMMIT: the daemon is on its own. */
int spawn_say(struct spawn *s, char word, struct err *e);

/* Ends the core and everything it started, and reaps it. A broker's ends by itself,
 * when its end of life.h tells. */
void spawn_end(struct spawn *s);

#endif
