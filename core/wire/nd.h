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

/* A Router Solicitation (4.1) by the rules of 6.1.1 that the message alone can
 * show; the sender's link-layer address, if it says it. */
struct nd_rs {
	bool has_slla;
	struct mac slla;
};
enum wire_err nd_rs_read(struct rd *r, struct nd_rs *ret);

/*
 * A Router Advertisement (4.2), in pieces: icmp.rest is nd_ra_rest(), the message
 * begins with nd_ra_write() and goes on with any options. Each option writer
 * returns false, and writes nothing, if there is no room for the whole option.
 * Lifetimes are in seconds.
 */
#define ND_RA_MANAGED	0x80u	/* addresses by DHCPv6 */
#define ND_RA_OTHER	0x40u	/* the rest by DHCPv6 */
#define ND_RA_LEN	8	/* what nd_ra_write() writes */

#define ND_PREFIX_ONLINK 0x80u	/* 4.6.2: L */
#define ND_PREFIX_AUTO	0x40u	/* A */

uint32_t nd_ra_rest(uint8_t hop_limit, uint8_t flags, uint16_t lifetime);
bool nd_ra_write(struct wr *w, uint32_t reachable_ms, uint32_t retrans_ms);
bool nd_opt_slla(struct wr *w, const struct mac *mac);
bool nd_opt_mtu(struct wr *w, uint32_t mtu);
/* The prefix's host bits are written as zero. */
bool nd_opt_prefix(struct wr *w, const struct prefix *p, uint8_t flags, uint32_t valid,
		   uint32_t preferred);
bool nd_opt_route(struct wr *w, const struct prefix *p, uint32_t lifetime);	/* RFC 4191, 2.3 */
/* RFC 8106, 5.1: n IPv6 addresses; those of `servers` that are IPv4 are stepped over. */
bool nd_opt_rdnss(struct wr *w, const struct addr *servers, uint32_t n, uint32_t lifetime);
/* RFC 8106, 5.2: names_len bytes of names as name_write() writes them. */
bool nd_opt_dnssl(struct wr *w, const void *names, size_t names_len, uint32_t lifetime);
bool nd_opt_captive_portal(struct wr *w, const char *uri);			/* RFC 8910, 2.3 */

#endif
