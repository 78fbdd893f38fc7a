/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rootfs: etc/resolv.conf and etc/hosts in a container's root file system, while
 * the container is not in it yet. The tree may be anybody's: nothing in it is
 * followed (openat2(2), RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS), a file is written
 * beside and put in place of the old one, which is never opened for writing; a
 * symbolic link at that place is replaced, anything but a file refused.
 */
#ifndef HOOKS_ROOTFS_H
#define HOOKS_ROOTFS_H

#include "conf/conf.h"

#define ROOTFS_TEXT_MAX		8192	/* of what we write */
#define ROOTFS_OLD_MAX		65536	/* of a hosts file that is there */

/* The folder, O_PATH: bundle/path, or path where that is absolute. -1 with *e. */
int rootfs_open(const char *bundle, const char *path, struct err *e);

/* etc/<name> becomes this text. 0, or -1 with *e; then it is as it was. */
int rootfs_write(int root, const char *name, const char *text, struct err *e);

/*
 * etc/hosts gets these lines, between two marks, in place of what stands between
 * them from an earlier time. One that is not there begins with the loopback names.
 */
int rootfs_add_hosts(int root, const char *lines, struct err *e);

#endif
