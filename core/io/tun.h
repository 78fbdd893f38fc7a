/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tun: making the tap device (linux/if_tun.h). Runs in nsagent, once. */
#ifndef IO_TUN_H
#define IO_TUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum tun_feature {		/* what the tap does for us */
	TUN_F_VNETHDR = 1 << 0,	/* each frame follows a virtio-net header */
	TUN_F_CHECKSUM = 1 << 1, /* TUN_F_CSUM: checksums may be left partial, both ways */
	TUN_F_TSO = 1 << 2,	/* TUN_F_TSO4|TSO6|TSO_ECN: TCP super-frames both ways */
	TUN_F_UDPSEG = 1 << 3,	/* TUN_F_USO4|USO6: UDP super-frames both ways */
};

/*
 * Makes tap `ifname` in the calling thread's network namespace: a new device
 * (IFF_TUN_EXCL), or with `adopt` also a persistent one of that name that nobody has
 * open; non-blocking, with the offloads the kernel has, less those in `without` (enum
 * conf_without). Returns the descriptor and sets *features, or
 * -1 with *e saying which of "no /dev/net/tun", "no right to open it", "name
 * taken" (ERR_EXISTS) or "no right to make one here" it was.
 */
int tun_create(const char *ifname, bool adopt, uint32_t without, uint32_t *features,
	       struct err *e);

/* Whether the container's programs see a cable in it (TUNSETCARRIER, Linux 5.0). 0 or -errno. */
int tun_carrier(int fd, bool on);

/* Whether the interface of a tap's descriptor has been deleted: its name is
 * free, and no frame passes any more. */
bool tun_gone(int fd);

/*
 * Has the kernel close the tap in its own time, and so delete the interface soon:
 * closing it oneself is to wait for that, and a runtime that waits for all that is
 * left of its container (crun, conmon) waits too. Only if nobody else has it open.
 * true: *fd is -1 now; false: as before.
 */
bool tun_leave(int *fd);

#endif
