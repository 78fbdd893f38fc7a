/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tun: makes the tap and asks the kernel for as much of our work as it does:
 * a virtio-net header before each frame, checksums left partial, TCP and UDP
 * super-frames. Each offload is probed, each may be missing (ARCHITECTURE.md,
 * the data path, 1). Never configures the link: netlink.c does.
 */
#include "io/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "base/fd.h"
#include "base/pass.h"
#include "conf/conf.h"

#define TUN_PATH	"/dev/net/tun"
#define VNET_HDR_SIZE	10	/* struct virtio_net_hdr without num_buffers */

#ifndef IFF_TUN_EXCL
#define IFF_TUN_EXCL	0x8000
#endif
#ifndef TUNSETCARRIER
#define TUNSETCARRIER	_IOW('T', 226, int)
#endif
#ifndef TUN_F_USO4
#define TUN_F_USO4	0x20
#define TUN_F_USO6	0x40
#endif

/* From the most to the least; USO only for both families at once, TSO only
 * with checksums (if_tun.h, tun.c set_offload). */
static const struct offload {
	unsigned int flags;
	uint32_t features;
	uint32_t unless;	/* enum conf_without */
} offloads[] = {
	{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
	  TUN_F_CHECKSUM | TUN_F_TSO | TUN_F_UDPSEG,
	  CONF_WITHOUT_OFFLOAD | CONF_WITHOUT_USO },
	{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
	  TUN_F_CHECKSUM | TUN_F_TSO, CONF_WITHOUT_OFFLOAD },
	{ TUN_F_CSUM, TUN_F_CHECKSUM, CONF_WITHOUT_OFFLOAD },
	{ 0, 0, 0 },
};

static int explain_open(int error, struct err *e)
{
	switch (error) {
	case ENOENT:
		err_set(e, ERR_PRIVILEGE, "no " TUN_PATH " here: %s", strerror(error));
		return err_hint(e, "load the tun module (modprobe tun), or let this "
				   "environment have the device");
	case ENXIO:
	case ENODEV:
		err_set(e, ERR_PRIVILEGE, TUN_PATH " has no driver: %s", strerror(error));
		return err_hint(e, "load the tun module: modprobe tun");
	case EACCES:
	case EPERM:
		err_set(e, ERR_PRIVILEGE, "no right to open " TUN_PATH ": %s", strerror(error));
		return err_hint(e, "as root: chmod 0666 " TUN_PATH " (the usual mode; "
				   "making a device still needs rights in the namespace)");
	}
	return err_set(e, ERR_IO, "cannot open " TUN_PATH ": %s", strerror(error));
}

static int explain_create(const char *ifname, int error, struct err *e)
{
	switch (error) {
	case EBUSY:
	case EEXIST:
	case EINVAL:	/* and is no tap */
		err_set(e, ERR_EXISTS, "interface %s already exists in the container", ifname);
		return err_hint(e, "choose another interface name, or remove the one that is there");
	case EPERM:
	case EACCES:
		err_set(e, ERR_PRIVILEGE, "no right to make interface %s in the container: %s",
			ifname, strerror(error));
		return err_hint(e, "the caller must own the user namespace of the network namespace");
	}
	return err_set(e, ERR_IO, "cannot make interface %s: %s", ifname, strerror(error));
}

static uint32_t set_offloads(int fd, uint32_t without)
{
	for (size_t i = 0; i < ARRAY_LEN(offloads); i++)
		if (!(offloads[i].unless & without) &&
		    ioctl(fd, TUNSETOFFLOAD, (unsigned long)offloads[i].flags) == 0)
			return offloads[i].features;
	return 0;
}

int tun_create(const char *ifname, bool adopt, uint32_t without, uint32_t *features,
	       struct err *e)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	FD_OWNED int fd = -1;
	int size = VNET_HDR_SIZE;

	fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return explain_open(errno, e);
	/* ifr_flags is a short, and EXCL its sign bit */
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (adopt ? 0 : IFF_TUN_EXCL));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return explain_create(ifname, errno, e);
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
		return err_set(e, ERR_IO, "interface %s: cannot set the virtio-net header's size: %s",
			       ifname, strerror(errno));
	*features = TUN_F_VNETHDR | set_offloads(fd, without);
	return fd_take(&fd);
}

int tun_carrier(int fd, bool on)
{
	int value = on;

	return ioctl(fd, TUNSETCARRIER, &value) < 0 ? -errno : 0;
}

/* tun_chr_poll() has nothing but EPOLLERR for a file without a device. */
bool tun_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLERR);
}

/*
 * The tap lies in the queue of a socket that lies in the same queue: once both
 * have no other owner, unix(7)'s collector of descriptors in flight closes them,
 * since Linux 6.8 in a worker of the kernel (before, in whoever closes a socket
 * next, which is this process: then nothing is gained and nothing lost).
 */
bool tun_leave(int *fd)
{
	FD_OWNED int from = -1;
	FD_OWNED int to = -1;
	int sv[2];

	if (*fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return false;
	from = sv[0];
	to = sv[1];
	if (pass_send(from, "", 1, (const int[]){ to, *fd }, 2, 0) < 0)
		return false;
	ioctl(*fd, TUNSETPERSIST, 0);	/* one that was there before us (tun_create()) may be */
	fd_drop(fd);
	fd_drop(&to);	/* first: the collector looks when a socket is closed */
	return true;
}
