/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alone: a process without files, System V IPC, host name and, where the caller is
 * not root, user namespace of others. Its network namespace stays. Each part may be
 * forbidden where this runs; what is missing then is told and not done.
 */
#ifndef SANDBOX_ALONE_H
#define SANDBOX_ALONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The calling process's own mount (empty and read-only), IPC and UTS namespaces; own_user:
 * in a user namespace of its own, which gives the right to make the others. 0, or -1
 * with *lack. */
int alone_enter(bool own_user, struct err *lack);

/* Becomes that user and group, without supplementary groups; capabilities stay
 * permitted. The parent-death signal is lost. 0, or -1 with *lack. */
int alone_become(uint32_t uid, uint32_t gid, struct err *lack);

#endif
