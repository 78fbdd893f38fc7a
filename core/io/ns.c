/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ns: the order is the kernel's: first the user namespace, which gives the
 * capabilities, then the network namespace, which asks for them.
 */
#include "io/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/nsfs.h>

#include "base/fd.h"

#define SELF_NET	"/proc/self/ns/net"
#define SELF_USER	"/proc/self/ns/user"

/* 1 if fd and path are one namespace, 0 if not, -errno. */
static int same_ns(int fd, const char *path)
{
	struct stat a, b;

	if (fstat(fd, &a) < 0 || stat(path, &b) < 0)
		return -errno;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int ns_check(int netns_fd, struct err *e)
{
	if (ioctl(netns_fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, ERR_NETNS, "what was given is not a network namespace");
	/* Without /proc we cannot tell, and go on: making a device says no then. */
	if (same_ns(netns_fd, SELF_NET) == 1) {
		err_set(e, ERR_NETNS, "the network namespace given is the caller's own");
		return err_hint(e, "give the container's: --pid, --netns or CNI_NETNS");
	}
	return 0;
}

/* The owning user namespace, or -1. */
static int owner_ns(int netns_fd, struct err *e)
{
	int fd = ioctl(netns_fd, NS_GET_USERNS);

	if (fd >= 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		return fd;
	}
	if (errno == EPERM) {
		err_set(e, ERR_PRIVILEGE, "the network namespace belongs to a user namespace"
			" outside the caller's own");
		return err_hint(e, "run this where the container was started, not inside"
				   " another container or user namespace");
	}
	return err_set(e, ERR_NETNS, "cannot find the owner of the network namespace: %s",
		       strerror(errno));
}

static int enter_user(int userns_fd, struct err *e)
{
	if (setns(userns_fd, CLONE_NEWUSER) == 0)
		return 0;
	if (errno == EPERM) {
		err_set(e, ERR_PRIVILEGE, "cannot enter the container's user namespace: it"
			" belongs to another user");
		return err_hint(e, "run this as the user who started the container, or as root");
	}
	return err_set(e, ERR_NETNS, "cannot enter the container's user namespace: %s",
		       strerror(errno));
}

static int enter_net(int netns_fd, bool ours, struct err *e)
{
	if (setns(netns_fd, CLONE_NEWNET) == 0)
		return 0;
	if (errno == EPERM && ours) {
		err_set(e, ERR_PRIVILEGE, "cannot enter the network namespace: its owner is the"
			" caller's own user namespace, and the caller has no CAP_SYS_ADMIN in it");
		return err_hint(e, "run this as root of that namespace, or give the container"
				   " a user namespace of its own (unshare -rUn)");
	}
	return err_set(e, errno == EPERM ? ERR_PRIVILEGE : ERR_NETNS,
		       "cannot enter the network namespace: %s", strerror(errno));
}

int ns_enter(int netns_fd, struct err *e)
{
	FD_OWNED int userns = owner_ns(netns_fd, e);
	int ours;

	if (userns < 0)
		return -1;
	ours = same_ns(userns, SELF_USER);
	if (ours < 0)
		return err_set(e, ERR_NETNS, "cannot look at the caller's own user namespace ("
			       SELF_USER "): %s", strerror(-ours));
	if (!ours && enter_user(userns, e) < 0)
		return -1;
	return enter_net(netns_fd, ours, e);
}
