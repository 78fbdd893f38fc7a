/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/icmp: ICMP (RFC 792) and ICMPv6 (RFC 4443) headers: type, code,
 * checksum and the 4 bytes whose meaning the type gives. */
#ifndef WIRE_ICMP_H
#define WIRE_ICMP_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define ICMP_HLEN 8

struct icmp {
	uint8_t type, code;
	uint16_t sum;		/* reader: as it stands */
	union {
		uint32_t rest;
		struct { uint16_t id, seq; } echo;	/* host byte order */
		uint32_t mtu;
	};
};

/* Reads 8 bytes; .echo is filled for echo types, .rest for all others.
 * No checksum test. The data stay in *r. */
enum wire_err icmp_read(struct rd *r, bool v6, struct icmp *ret);

/*
 * Writes header and len bytes of data with the right checksum. src and dst are
 * for ICMPv6's pseudo-header and may be NULL for ICMPv4. Returns the bytes
 * written, 0 if they did not fit or len is over 65535. data may be the place right
 * behind the header in w (then nothing is copied).
 */
size_t icmp_write(struct wr *w, bool v6, const struct icmp *h, const struct addr *src,
		  const struct addr *dst, const void *data, size_t len);

/* Gives an echo message another identifier; its sum stays as right as it was
 * (RFC 1624, 3), whatever of the message is there. */
void icmp_renumber(struct icmp *h, uint16_t id);

/* Writes an echo message's header with the sum it has. */
bool icmp_write_echo(struct wr *w, const struct icmp *h);

/* ICMPv4: sum over the whole message is right. */
bool icmp4_sum_ok(const void *msg, size_t len);

#endif
