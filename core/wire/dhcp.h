/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/dhcp: BOOTP and DHCP messages (RFC 951, RFC 2131, 2), read and built:
 * the fixed header, and options (RFC 2132) in up to three fields of it: the
 * options field, and by option overload (RFC 2132, 9.3) "file" and "sname".
 */
#ifndef WIRE_DHCP_H
#define WIRE_DHCP_H

#include "base/addr.h"
#include "base/cursor.h"
#include "wire/err.h"

#define DHCP_HLEN	236	/* the fixed header */
#define DHCP_COOKIE_LEN	4
#define DHCP_MIN_LEN	300	/* of BOOTP messages: 64 bytes of vendor area (RFC 951, 3) */
#define DHCP_MAX_LEN	1472	/* built and read here: one Ethernet packet's */
#define DHCP_OPT_MAX	1024	/* data of one option, its pieces joined */
#define DHCP_CHADDR_LEN	16
#define DHCP_SNAME_LEN	64
#define DHCP_FILE_LEN	128

#define DHCP_F_BROADCAST 0x8000u	/* RFC 2131, 2 */

enum dhcp_field { DHCP_OPTIONS, DHCP_FILE, DHCP_SNAME, DHCP_FIELDS };

struct dhcp {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	struct addr ciaddr, yiaddr, siaddr, giaddr;	/* 0.0.0.0: not set */
	uint8_t chaddr[DHCP_CHADDR_LEN];
	struct rd fields[DHCP_FIELDS];	/* reader: options in each, empty: none */
};

/* Reads a message that is all of *r. Options are tested to lie within their
 * fields (WIRE_OPTION). A message without the magic cookie (RFC 2131, 3) is one of
 * BOOTP's: it has no options. *ret is untouched on failure and points into r's
 * bytes after success. */
enum wire_err dhcp_read(struct rd *r, struct dhcp *ret);

/* Option `code` of m, all its instances joined in the order of RFC 3396, 5:
 * options field, file, sname. Returns its length, of which at most size bytes were
 * copied to buf; -1: it is not there. */
int dhcp_option(const struct dhcp *m, uint8_t code, void *buf, size_t size);

/* A message being built: options go where there is room, in the order put. */
struct dhcp_out {
	uint8_t bytes[DHCP_FIELDS][DHCP_MAX_LEN];
	size_t len[DHCP_FIELDS], max[DHCP_FIELDS];	/* used; room (0: none there) */
};

/* limit: bytes of the whole message, DHCP_MIN_LEN to DHCP_MAX_LEN. overload:
 * whether the reader knows option overload (DHCP clients do, BOOTP's do not). */
void dhcp_begin(struct dhcp_out *o, size_t limit, bool overload);

/* Adds an option, one longer than 255 bytes in pieces (RFC 3396, 6). False if no
 * field has room for the whole of it: then it is not there at all. */
bool dhcp_put(struct dhcp_out *o, uint8_t code, const void *data, size_t len);

/* Writes header and options, the header's fields but for the readers' from m;
 * padded to DHCP_MIN_LEN. False if w has no room. */
bool dhcp_write(struct wr *w, const struct dhcp *m, const struct dhcp_out *o);

#endif
