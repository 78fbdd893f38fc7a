/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/vnet: the virtio-net header that the kernel puts before each frame of
 * our tap, and wants before ours (virtio 1.2, 5.1.6). Called by proto's
 * ingress and by io/tap. The kernel is not hostile, but in qemu's manner of
 * attachment the header is the guest's: it is tested like any other.
 */
#include "wire/vnet.h"

#include "wire/eth.h"

/* ECN stands with TCP types only (5.1.6.2); UFO and tunnels are not offered. */
static bool type_ok(uint8_t type)
{
	static const bool known[] = {
		[VNET_GSO_TCP4] = true,
		[VNET_GSO_TCP6] = true,
		[VNET_GSO_UDP_L4] = true,
		[VNET_GSO_TCP4 | VNET_GSO_ECN] = true,
		[VNET_GSO_TCP6 | VNET_GSO_ECN] = true,
	};

	return type < ARRAY_LEN(known) && known[type];
}

/* The two bytes of the checksum field lie in the frame, behind Ethernet. */
static bool csum_ok(const struct vnet *v, size_t frame)
{
	size_t end = (size_t)v->csum_start + v->csum_offset + 2;

	return v->csum_start >= ETH_HLEN && end <= frame;
}

enum wire_err vnet_read(struct rd *r, struct vnet *ret)
{
	struct rd h;
	struct vnet v;

	if (!rd_sub(r, VNET_HLEN, &h))
		return WIRE_SHORT;
	rd_u8(&h, &v.flags);
	rd_u8(&h, &v.gso_type);
	rd_copy(&h, &v.hdr_len, 2);
	rd_copy(&h, &v.gso_size, 2);
	rd_copy(&h, &v.csum_start, 2);
	rd_copy(&h, &v.csum_offset, 2);
	if ((v.flags & VNET_F_NEEDS_CSUM) && !csum_ok(&v, r->left))
		return WIRE_VNET;
	/* hdr_len means something for super-frames only; else it may be anything. */
	if (v.gso_type != VNET_GSO_NONE &&
	    (!type_ok(v.gso_type) || !v.gso_size || v.hdr_len > r->left))
		return WIRE_VNET;
	*ret = v;
	return WIRE_OK;
}

bool vnet_write(struct wr *w, const struct vnet *v)
{
	uint8_t *p = wr_space(w, VNET_HLEN);
	struct wr h;

	if (!p)
		return false;
	h = wr_init(p, VNET_HLEN);
	wr_u8(&h, v->flags);
	wr_u8(&h, v->gso_type);
	wr_bytes(&h, &v->hdr_len, 2);
	wr_bytes(&h, &v->gso_size, 2);
	wr_bytes(&h, &v->csum_start, 2);
	return wr_bytes(&h, &v->csum_offset, 2);
}
