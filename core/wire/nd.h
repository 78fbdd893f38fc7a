/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/nd: Neighbor Discovery messages (RFC 4861, 4). Readers take the ICMPv6
 * message from the byte after its 8-byte header (wire/icmp.h has read that).
 */
#ifndef WIRE_ND_H
#define WIRE_ND_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define ND_OPTS_MAX 32	/* options looked at in one message */

struct nd_ns {			/* Neighbor Solicitation, RFC 4861 4.3 */
	struct addr target;
	bool has_slla;
	struct mac slla;	/* source link-layer address option */
};

/* Validity rules of RFC 4861, 7.1.1 that the message alone can show: target
 * not multicast (nor IPv4-mapped), options of length over 0, the whole consumed;
 * more than ND_OPTS_MAX options are WIRE_OPTION. (Hop limit 255 and code 0 are the
 * caller's to test.) *ret is untouched on failure, *r is then undefined. */
enum wire_err nd_ns_read(struct rd *r, struct nd_ns *ret);

/* What follows the 8-byte ICMPv6 header of a Neighbor Advertisement (4.4):
 * target and a target link-layer address option: 24 bytes. The flags stand in
 * icmp.rest: ND_NA_*. */
#define ND_NA_LEN	24
#define ND_NA_ROUTER	0x80000000u
#define ND_NA_SOLICITED	0x40000000u
#define ND_NA_OVERRIDE	0x20000000u
bool nd_na_write(struct wr *w, const struct addr *target, const struct mac *tlla);

#endif
