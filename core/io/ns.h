/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ns: into the container's namespaces (user_namespaces(7), ioctl_nsfs(2)).
 * Rights come from the user namespace that owns the network namespace: it is
 * looked up with NS_GET_USERNS, never taken from the caller's word.
 */
#ifndef IO_NS_H
#define IO_NS_H

#include <stdbool.h>

#include "base/err.h"

/* Whether netns_fd is a network namespace, and not the one we are in, where an
 * attachment would replace the host's own network. 0, or -1 with *e. */
int ns_check(int netns_fd, struct err *e);

/*
 * Moves the calling, single-threaded process into the user namespace that owns
 * netns_fd, unless it is there already, and into netns_fd. The owner of
 * that user namespace, or who has CAP_SYS_ADMIN above it, may. Afterwards the
 * process has every capability in there, and its parent-death signal is gone.
 * 0, or -1 with *e; the process may be half way in then and should exit.
 */
int ns_enter(int netns_fd, struct err *e);

#endif
