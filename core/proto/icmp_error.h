/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * icmp_error: ICMP errors about a packet of the container that lies before us
 * whole (those about a flow, of which only the first packet is known, are
 * proto/icmp's), and the one limit on the rate of all errors that we originate
 * (RFC 1812, 4.3.2.8; RFC 4443, 2.4 f).
 */
#ifndef PROTO_ICMP_ERROR_H
#define PROTO_ICMP_ERROR_H

#include "proto/ctx.h"
#include "wire/ip.h"

#define ICMP_ERRORS_PER_S	1000u
#define ICMP_ERRORS_BURST	250u

struct icmp_cause {
	uint8_t type, code;
	uint32_t rest;			/* the four bytes whose meaning the type gives */
	bool multicast_too;		/* RFC 4443, 2.4 (e.3): an exception from it */
};

/* Takes one error from the budget; false, and counted, if none is left. */
bool icmp_error_allowed(struct ctx *c);

/*
 * Tells the packet's sender, as our gateway (IPv4: its address, or the
 * destination's without one; IPv6: link-local), with as much of the packet as RFC 1812,
 * 4.3.2.3 and RFC 4443, 2.4 (c) allow. Not where none may be sent (RFC 1122,
 * 3.2.2; RFC 4443, 2.4 e): about an ICMP error, to or from more than one host,
 * about a fragment that is not the first. Of *ip source, destination, proto and
 * frag_off are looked at; packet begins with the IP header.
 */
void icmp_error(struct ctx *c, const struct ip *ip, const struct rd *packet,
		const struct icmp_cause *cause);

#endif
