/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pass: one record over a SOCK_SEQPACKET socket, with descriptors or without
 * (unix(7), SCM_RIGHTS). What does not fit its contract is refused whole: the
 * other side may be a process that somebody has taken over. Called by main's
 * messages, the front ends' way to the broker and the hooks.
 */
#ifndef BASE_PASS_H
#define BASE_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define PASS_FDS_MAX	64u	/* descriptors of one message */

/* Sends all of it. flags as of send(2); no signal is raised. 0 or -errno. */
int pass_send(int sock, const void *msg, size_t len, const int *fd, uint32_t n, int flags);

/* What one message may be. */
struct pass_want {
	size_t len;		/* exactly */
	uint32_t most;		/* descriptors, up to PASS_FDS_MAX */
	bool some;		/* as many of them as our limit of open files lets in */
	int flags;		/* of recv(2) */
};

/* One message into msg; *n descriptors came with it, the caller's to close.
 * 0, -EPIPE at the end of the conversation, -EBADMSG for another shape (nothing
 * is left open then), -errno. */
int pass_recv(int sock, const struct pass_want *want, void *msg, int fd[PASS_FDS_MAX],
	      uint32_t *n);

void pass_close(const int *fd, uint32_t n);

/* Whether the process at the other end (SO_PEERCRED) is this user's, or, with root_too,
 * root's. */
bool pass_peer_ok(int sock, bool root_too);

#endif
