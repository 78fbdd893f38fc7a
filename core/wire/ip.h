/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ip: one view of an IPv4 (RFC 791) or IPv6 (RFC 8200) header, whichever came,
 * and writers for both. ip4.c and ip6.c.
 */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define IP4_HLEN	20
#define IP6_HLEN	40
#define IP_ECN_CE	3	/* congestion experienced, of the mask below */
#define IP_ECN_MASK	3	/* of ip.tos; the rest is DSCP (RFC 3168, 5; RFC 2474, 3) */
#define IP6_EXT_MAX	8	/* extension headers walked before WIRE_CHAIN */

struct ip {
	struct addr src, dst;
	uint8_t version;	/* 4 or 6 */
	uint8_t proto;		/* of the payload: after all extension headers */
	uint8_t ttl;		/* hop limit */
	uint8_t tos;		/* traffic class: DSCP and ECN */
	bool df;		/* IPv4 DF; always true for IPv6 without Fragment header */
	bool fragment;		/* MF set or offset not 0 (an atomic one, RFC 6946, is none) */
	bool more;		/* MF */
	uint16_t frag_off;	/* in bytes */
	uint32_t id;		/* IPv4 identification, or the Fragment header's */
	uint16_t hdr_len;	/* IP header with options or extension headers */
	uint16_t len;		/* of the payload, bytes */
	uint16_t proto_at;	/* IPv6: offset of the field that names proto */
};

/* What is wrong with an IPv6 packet, where its sender is to be told (RFC 8200, 4;
 * RFC 4443, 3.4). */
struct ip6_problem {
	bool tell;
	uint8_t code;		/* ICMP6_PARAM_* */
	uint16_t pointer;	/* offset of the offending byte */
	struct addr src, dst;	/* the packet's */
};

/* Whether an address may stand in an IPv6 header. Not IPv4 in IPv6's clothes (RFC
 * 4291, 2.5.5): ::ffff:0:0/96 would be IPv4 to struct addr, ::/96 is obsolete. The
 * latter holds ::1 too, which may not be on a wire (2.5.3), and ::, which may. */
bool ip6_addr_ok(const struct addr *a);

/*
 * Read a header from *r and leave the payload, cut to the length the header
 * gives, in *ret_payload. Bytes behind that (Ethernet padding) are ignored.
 * ip4_read verifies the header checksum. ip6_read walks hop-by-hop, routing,
 * destination options, fragment and AH headers; IP proto 59 (no next header) is
 * returned as such. Addresses that may not stand where they do (a multicast or
 * broadcast source, IPv4-mapped or IPv4-compatible IPv6 addresses, except ::)
 * are WIRE_ADDRESS; so is ::1 (RFC 4291, 2.5.3). Outputs are untouched on failure;
 * on success *r stands behind the payload. ret_payload may be r.
 *
 * A fragment's payload is its piece alone: ip6_read stops behind the Fragment
 * header of every one (.proto is that header's Next Header, and may be another
 * extension header), so that frag_off counts from the payload's first byte;
 * what was put together is read again with ip6_read. A piece that is not the
 * last and not of whole eights, or that reaches beyond 65535, is WIRE_LENGTH.
 * Refused as WIRE_OPTION: hop-by-hop options anywhere but first, a routing header
 * with segments left, an option to be discarded by who does not know it (RFC
 * 8200, 4.2), a second Fragment header. A jumbogram is WIRE_LENGTH.
 */
enum wire_err ip4_read(struct rd *r, struct ip *ret, struct rd *ret_payload);
enum wire_err ip6_read(struct rd *r, struct ip *ret, struct rd *ret_payload);

/* ip6_read that also says what the sender is to be told, on failure: *why is set
 * in any case. */
enum wire_err ip6_read_why(struct rd *r, struct ip *ret, struct rd *ret_payload,
			   struct ip6_problem *why);

/* Whether a first fragment's piece, behind its Fragment header whose Next Header
 * is `next`, holds all further headers, the upper-layer one too (RFC 7112, 5). */
bool ip6_chain_whole(uint8_t next, const struct rd *piece);

/*
 * Write a header for ip->len bytes of payload; ip4_write fills in the header
 * checksum, and identification, DF, MF and offset from ip. No options.
 * Where the whole does not fit 65535 (a GSO frame) the caller keeps len small;
 * ip4_write fails if it did not. src and dst are of the writer's family.
 */
bool ip4_write(struct wr *w, const struct ip *ip);
bool ip6_write(struct wr *w, const struct ip *ip);

/* The Fragment header (RFC 8200, 4.5) with next header ip->proto, offset, M and
 * identification of ip. The header before it names PROTO_FRAGMENT. */
#define IP6_FRAG_HLEN	8
bool ip6_frag_write(struct wr *w, const struct ip *ip);

/* Length of the header ip?_write would write for ip->version. */
static inline size_t ip_hlen(const struct ip *ip)
{
	return ip->version == 4 ? IP4_HLEN : IP6_HLEN;
}

#endif
