/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture: which of the frames that cross the tap a capture at run time wants, and how
 * much of them. Asked for by conf/control.c, tested by io/capture.c.
 */
#ifndef CONF_CAPTURE_H
#define CONF_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define CAPTURES	4	/* of an attachment at a time */
#define CAPTURE_SNAP_MIN	14u	/* bytes of a frame: an Ethernet header */
#define CAPTURE_SNAP_MAX	65535u
#define CAPTURE_BYTES_MIN	4096u	/* of a capture's limit: room for its head and end */
#define CAPTURE_FILTER_TEXT	160

enum capture_proto { CAPTURE_ANY, CAPTURE_TCP, CAPTURE_UDP, CAPTURE_ICMP, CAPTURE_ARP,
		     CAPTURE_PROTO_COUNT };
/* As the container's interface sees it. */
enum capture_way { CAPTURE_BOTH, CAPTURE_IN, CAPTURE_OUT, CAPTURE_WAY_COUNT };

extern const char *const capture_proto_names[CAPTURE_PROTO_COUNT];	/* [0]: "any" */
extern const char *const capture_way_names[CAPTURE_WAY_COUNT];		/* [0]: "both" */

struct capture_want {
	uint64_t count;		/* frames, then it ends; 0: no limit */
	uint64_t bytes;		/* of the file, at most; 0: no limit */
	uint32_t snap;		/* bytes of a frame; 0: all */
	uint16_t port;		/* of either end, TCP and UDP; 0: any */
	uint8_t proto;		/* enum capture_proto; ICMP is both families' */
	uint8_t way;		/* enum capture_way */
	bool has_prefix;
	struct prefix prefix;	/* that of either end, ARP's too */
};

/* Whether every field of what came as bytes may be believed. */
bool capture_want_ok(const struct capture_want *w);

/* In words, "" if everything is wanted: "proto tcp port 80 address 192.0.2.0/24 in". */
char *capture_filter(const struct capture_want *w, char buf[CAPTURE_FILTER_TEXT]);

#endif
