/* SPDX-License-Identifier: GPL-2.0-or-later */
/* siphash: SipHash-2-4 (Aumasson, Bernstein 2012), a keyed hash: a container
 * that does not know the key cannot aim for one hash bucket, nor guess ISNs. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct sipkey {
	uint64_t k[2];
};

uint64_t siphash(const struct sipkey *key, const void *buf, size_t len);

#endif
