/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr: one address type for IPv4 and IPv6, so that there is one flow key and
 * one hash. IPv4 is kept as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2); a packet that
 * carries such an address as IPv6 must therefore be refused where it is read
 * (wire/ip6.c does), or it could name an IPv4 destination that IPv4 rules forbid.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

#define ADDR_STRLEN	46	/* INET6_ADDRSTRLEN */
#define PREFIX_STRLEN	(ADDR_STRLEN + 4)
#define MAC_STRLEN	18

struct addr {
	uint8_t b[16];
};

struct prefix {
	struct addr addr;	/* host bits kept */
	uint8_t len;		/* in the family's own bits: 0..32 or 0..128 */
};

struct mac {
	uint8_t b[6];
};

#define ADDR_ANY ((struct addr){ { 0 } })	/* "::", also "no address given" */

static inline bool addr_is4(const struct addr *a)
{
	static const uint8_t pfx[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->b, pfx, sizeof(pfx)) == 0;
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* "::" only: no address at all. */
static inline bool addr_is_any(const struct addr *a)
{
	return addr_eq(a, &ADDR_ANY);
}

/* From 4 bytes in network order. */
static inline struct addr addr_from4(const void *be4)
{
	struct addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };

	memcpy(a.b + 12, be4, 4);
	return a;
}

static inline struct addr addr_from6(const void *be16)
{
	struct addr a;

	memcpy(a.b, be16, 16);
	return a;
}

/* Bytes as they stand in a packet: 4 for IPv4, 16 for IPv6. */
static inline const uint8_t *addr_bytes(const struct addr *a)
{
	return addr_is4(a) ? a->b + 12 : a->b;
}

static inline size_t addr_size(const struct addr *a)
{
	return addr_is4(a) ? 4 : 16;
}

bool addr_is_unspecified(const struct addr *a);	/* 0.0.0.0/8 (RFC 6890) or :: */
bool addr_is_loopback(const struct addr *a);	/* 127.0.0.0/8 or ::1 */
bool addr_is_multicast(const struct addr *a);	/* 224.0.0.0/4 or ff00::/8 */
bool addr_is_broadcast(const struct addr *a);	/* 255.255.255.255 */
/* One host's: none of the four above. What anything may be sent from or to. */
bool addr_is_unicast(const struct addr *a);
bool addr_is_linklocal(const struct addr *a);	/* 169.254.0.0/16 or fe80::/10 */
bool addr_is_linklocal6(const struct addr *a);	/* fe80::/10 only: needs a scope */

/* Parse text. Return 0 or -EINVAL; *ret is untouched on failure. addr_parse
 * refuses IPv4-mapped IPv6 text. prefix_parse without "/len" takes the whole
 * address (32 or 128). mac_parse wants six two-digit groups with colons. */
int addr_parse(const char *s, struct addr *ret);
int prefix_parse(const char *s, struct prefix *ret);
int mac_parse(const char *s, struct mac *ret);

/* Format into buf (of the sizes above) and return buf. */
char *addr_format(const struct addr *a, char buf[ADDR_STRLEN]);
char *prefix_format(const struct prefix *p, char buf[PREFIX_STRLEN]);
char *mac_format(const struct mac *m, char buf[MAC_STRLEN]);

/* Whether a is of p's family and inside p. */
bool prefix_contains(const struct prefix *p, const struct addr *a);

static inline bool mac_eq(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* The link-local address that an interface makes of its MAC: fe80::/64 and the
 * modified EUI-64 (RFC 4291, 2.5.6 and appendix A). */
struct addr addr_linklocal_of(const struct mac *m);

/* A unicast, non-zero MAC address: one an interface may have. */
static inline bool mac_is_usable(const struct mac *m)
{
	static const struct mac zero;

	return !(m->b[0] & 1) && !mac_eq(m, &zero);
}

#endif
