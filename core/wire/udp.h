/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/udp: UDP header (RFC 768). */
#ifndef WIRE_UDP_H
#define WIRE_UDP_H

#include "base/cursor.h"
#include "wire/err.h"

#define UDP_HLEN 8

struct udp {
	uint16_t sport, dport;
	uint16_t len;	/* header and data */
	uint16_t sum;	/* as it stands */
};

/* Reads the header; *r is then cut to the datagram's data. `gso` says that the
 * frame is a USO super-frame, whose length field may be that of one segment
 * or of the whole and is not tested against the frame; *r is then all there is. */
enum wire_err udp_read(struct rd *r, bool gso, struct udp *ret);
bool udp_write(struct wr *w, const struct udp *u);

#endif
