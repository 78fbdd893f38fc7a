/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cksum.h"

#include <string.h>

/*
 * One's complement addition does not care in which byte order it is done (RFC
 * 1071, 2B): whole words are added as the machine has them, and the folded
 * result is swapped once. The loop is of a shape compilers vectorise.
 */
uint32_t cksum_add(const void *buf, size_t len, uint32_t sum)
{
	const uint8_t *p = buf;
	uint64_t acc = 0;
	uint16_t native;

	while (len >= 32) {
		uint32_t w[8];

		memcpy(w, p, sizeof(w));
		for (int i = 0; i < 8; i++)
			acc += w[i];
		p += 32;
		len -= 32;
	}
	while (len >= 2) {
		uint16_t w;

		memcpy(&w, p, 2);
		acc += w;
		p += 2;
		len -= 2;
	}
	if (len) {
		const uint8_t last[2] = { *p, 0 };
		uint16_t w;

		memcpy(&w, last, 2);
		acc += w;
	}
	acc = (acc & 0xffffffff) + (acc >> 32);
	acc = (acc & 0xffffffff) + (acc >> 32);
	native = cksum_fold((uint32_t)acc);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	native = (uint16_t)((native >> 8) | (native << 8));
#endif
	sum = (sum & 0xffff) + (sum >> 16);
	return sum + native;
}

uint32_t cksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
		      uint32_t len, uint32_t sum)
{
	sum = cksum_add(addr_bytes(src), addr_size(src), sum);
	sum = cksum_add(addr_bytes(dst), addr_size(dst), sum);
	sum += (len >> 16) + (len & 0xffff);
	return sum + proto;
}
