/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/dhcp6: DHCPv6 messages between client and server (RFC 8415, 8) and their
 * options (21.1), which may hold options in turn. A struct rd over options is
 * passed by value where it is looked through.
 */
#ifndef WIRE_DHCP6_H
#define WIRE_DHCP6_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define DHCP6_HLEN	4
#define DHCP6_OPT_HLEN	4
#define DHCP6_MAX_LEN	1232	/* built and read: IPv6's least MTU less IPv6 and UDP headers */
#define DHCP6_DUID_MAX	130	/* RFC 8415, 11.1 */
#define DHCP6_INFINITY	0xffffffffu

struct dhcp6 {
	uint8_t type;
	uint32_t xid;		/* 24 bits */
	struct rd opts;
};

struct dhcp6_ia {		/* IA_NA (21.4), IA_PD (21.21) */
	uint32_t iaid, t1, t2;
	struct rd opts;		/* reader */
};

struct dhcp6_addr {		/* IA Address (21.6), IA Prefix (21.22) */
	struct prefix prefix;	/* an address has length 128 */
	uint32_t preferred, valid;
};

/* Reads a message that is all of *r; its options are tested to lie within it. */
enum wire_err dhcp6_read(struct rd *r, struct dhcp6 *ret);

/* The next option and its data; false at the end, or if it is cut (opts->failed). */
bool dhcp6_next(struct rd *opts, uint16_t *code, struct rd *data);
/* The first option `code` of these. */
bool dhcp6_find(struct rd opts, uint16_t code, struct rd *data);

/* The data of IA_NA or IA_PD, of IAADDR, of IAPREFIX. *ret is set on success only. */
bool dhcp6_ia_read(struct rd data, struct dhcp6_ia *ret);
bool dhcp6_iaaddr_read(struct rd data, struct dhcp6_addr *ret);
bool dhcp6_iaprefix_read(struct rd data, struct dhcp6_addr *ret);

bool dhcp6_write(struct wr *w, uint8_t type, uint32_t xid);
bool dhcp6_put(struct wr *w, uint16_t code, const void *data, size_t len);
/* An option whose data are written piece by piece: what open returned is handed to
 * close, which fills in the length. NULL: no room, and close does nothing. */
uint8_t *dhcp6_open(struct wr *w, uint16_t code);
void dhcp6_close(const struct wr *w, uint8_t *opened);
bool dhcp6_status(struct wr *w, uint16_t status, const char *message);
bool dhcp6_iaaddr_write(struct wr *w, const struct dhcp6_addr *a);
bool dhcp6_iaprefix_write(struct wr *w, const struct dhcp6_addr *a);

#endif
