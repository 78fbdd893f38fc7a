/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire/err: why a packet was dropped. Every reader of wire/ returns one of
 * these: WIRE_OK (0) or what was wrong; the index is that of a counter. */
#ifndef WIRE_ERR_H
#define WIRE_ERR_H

enum wire_err {
	WIRE_OK = 0,
	WIRE_SHORT,		/* ends before its header does */
	WIRE_LENGTH,		/* a length field says more than there is, or too little */
	WIRE_VERSION,		/* IP version, hardware type, protocol type not ours */
	WIRE_CHECKSUM,
	WIRE_OPTION,		/* option or extension header malformed */
	WIRE_CHAIN,		/* too many extension headers */
	WIRE_ADDRESS,		/* an address that may not stand there */
	WIRE_VNET,		/* virtio-net header lies about the frame */
	WIRE_ERR_COUNT
};

extern const char *const wire_err_names[WIRE_ERR_COUNT];	/* "short", "length", ... */

#endif
