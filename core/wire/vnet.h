/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vnet: struct virtio_net_hdr before each frame of a tap with IFF_VNET_HDR
 * (virtio 1.2, 5.1.6; linux/virtio_net.h). 10 bytes, host byte order. */
#ifndef WIRE_VNET_H
#define WIRE_VNET_H

#include "base/cursor.h"
#include "wire/err.h"

#define VNET_HLEN 10

enum vnet_flag { VNET_F_NEEDS_CSUM = 1, VNET_F_DATA_VALID = 2 };
enum vnet_gso {			/* gso_type without the ECN bit */
	VNET_GSO_NONE = 0,
	VNET_GSO_TCP4 = 1,
	VNET_GSO_UFO = 3,
	VNET_GSO_TCP6 = 4,
	VNET_GSO_UDP_L4 = 5,
};
#define VNET_GSO_ECN 0x80

struct vnet {
	uint8_t flags;
	uint8_t gso_type;	/* with VNET_GSO_ECN where it stood */
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
};

/* Reads the header and tests it against the frame that is left in *r: offsets
 * inside the frame, a gso_size where there is a type, no type we did not offer
 * (UFO, tunnels; ECN without TCP). WIRE_VNET or WIRE_SHORT on failure. */
enum wire_err vnet_read(struct rd *r, struct vnet *ret);
bool vnet_write(struct wr *w, const struct vnet *v);

#endif
