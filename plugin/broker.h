/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * broker: the service `cni-passt broker`. It stands in the host's network
 * namespace and starts the daemon there for front ends of its own user that are
 * elsewhere (attach/via.h has the conversation and the reason). Owns the socket it
 * listens on; what it started lives without it. It never waits for a client, and
 * looks at nothing in what it passes on but whether the network namespace is the
 * user's own. Called by main.c.
 */
#ifndef PLUGIN_BROKER_H
#define PLUGIN_BROKER_H

#include <sys/types.h>

#include "base/err.h"

#define BROKER_CLIENTS	64	/* heard at a time; more wait in the kernel's queue */
#define BROKER_HEAR_MS	5000	/* a client that says nothing is sent away */
#define BROKER_BACKLOG	128

/* Serves until SIGTERM or SIGINT. path: where to listen, or NULL: where front ends
 * look; neither counts if systemd hands over a socket (LISTEN_FDS). 0, or -1 with
 * *e. */
int broker_run(const char *path, struct err *e);

/*
 * Whether user uid may attach in that network namespace: it belongs to a user
 * namespace below ours that the user, or one above it that the user, made; or, for
 * root, to our own. So says the kernel (NS_GET_USERNS, NS_GET_OWNER_UID), not the
 * client. 0, or -1 with *e.
 */
int broker_may(int netns_fd, uid_t uid, struct err *e);

#endif
