/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * near: windows of TCP senders on this machine or right beside it.
 *
 * The kernel lets a sender be as far ahead of its reader as tcp_rmem allows, for it has to
 * fill ways of any length: 6 MiB by default, tens of them on machines set up for long ways.
 * Where there is next to no way, all that waits in our socket, and its pages have left the
 * CPU's caches when we come to copy them.
 */
#ifndef IO_NEAR_H
#define IO_NEAR_H

#include <stdbool.h>

#include "proto/ctx.h"

/* Whether the host lets a socket have NEAR_WINDOW (net.core.rmem_max). */
bool near_probe(void);

/* From now on the sender may be at most len bytes ahead of who reads fd, or less where
 * rmem_max says so. It holds for good. */
void near_window(int fd, int len);

#endif
