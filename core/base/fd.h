/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fd: owned descriptors. `FD_OWNED int fd = -1;` closes itself at the end of
 * its block; fd_take() hands it on. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <unistd.h>

#include "base/base.h"

#define FD_OWNED CLEANUP(fd_drop)

/* Closes *fd if it is open (>= 0) and makes it -1; errno is kept. */
void fd_drop(int *fd);

/* Returns *fd and makes it -1: the caller owns it now. */
static inline int fd_take(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}

#endif
