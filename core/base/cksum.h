/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cksum: the Internet checksum (RFC 1071). Sums are carried unfolded so that
 * header, pseudo-header and payload can be added piece by piece. */
#ifndef BASE_CKSUM_H
#define BASE_CKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Adds len bytes to sum. Every piece but the last must have even length. */
uint32_t cksum_add(const void *buf, size_t len, uint32_t sum);

/* Adds the pseudo-header of an upper-layer packet of len bytes (RFC 9293, 3.1;
 * RFC 8200, 8.1). src and dst are of one family. */
uint32_t cksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
		      uint32_t len, uint32_t sum);

/* Folds to 16 bits, not complemented: what virtio wants left in the field. */
static inline uint16_t cksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Folds and complements: what stands in a header, host byte order. */
static inline uint16_t cksum_finish(uint32_t sum)
{
	return (uint16_t)~cksum_fold(sum);
}

#endif
