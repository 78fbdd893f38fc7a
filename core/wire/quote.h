/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/quote: what an ICMP or ICMPv6 error quotes: the beginning of the packet it
 * is about (RFC 792; RFC 4443, 3), cut off anywhere. */
#ifndef WIRE_QUOTE_H
#define WIRE_QUOTE_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

struct quote {
	struct addr src, dst;
	uint16_t sport, dport;	/* UDP and TCP; else 0 */
	uint8_t proto;
};

/*
 * Reads what tells whose packet it was: addresses, protocol, ports, and no byte more
 * is asked for. Lengths and checksums in it are not tested: the one is of a whole
 * that is not here, the other routers are known to leave wrong (RFC 1812,
 * 4.3.2.3). WIRE_SHORT, WIRE_VERSION, WIRE_LENGTH (IPv4 header), WIRE_ADDRESS
 * (IPv4-mapped IPv6), or WIRE_OPTION for what has no ports there: a later fragment,
 * an extension header other than a first fragment's. Untouched on failure; else r
 * stands behind the ports.
 */
enum wire_err quote_read(struct rd *r, bool v6, struct quote *ret);

#endif
