/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcapng: blocks of a capture (draft-ietf-opsawg-pcapng), in this machine's byte order:
 * one section, one interface, packets, at the end statistics. Pure: bytes into buffers.
 */
#ifndef BASE_PCAPNG_H
#define BASE_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define PCAPNG_TEXT_MAX		480u	/* bytes of one text; longer ones are cut */
#define PCAPNG_HEAD_MAX		2560u	/* of section and interface with all their texts */
#define PCAPNG_BEFORE		28u	/* bytes of a packet's block before the frame ... */
#define PCAPNG_AFTER_MAX	112u	/* ... and behind it, at most */
#define PCAPNG_STATS_LEN	76u	/* bytes of the statistics */
#define PCAPNG_BLOCK_MIN	12u
#define PCAPNG_BLOCK_STATS	5u

/* What stands at the head of a capture; "": left out. */
struct pcapng_about {
	const char *application;	/* who captured */
	const char *comment;		/* on what */
	const char *interface;		/* its name */
	const char *description;
	const char *filter;		/* in words */
	uint32_t snap;			/* bytes of a frame that are kept; 0: all */
};

/* Section and interface (Ethernet, microseconds). Returns their length. */
size_t pcapng_head(uint8_t buf[PCAPNG_HEAD_MAX], const struct pcapng_about *about);

struct pcapng_packet {
	uint64_t us;			/* since 1970 */
	uint32_t captured, original;	/* bytes of the frame: those that follow, and all */
	bool inbound;			/* as the interface sees it; else outbound */
	uint32_t lost;			/* packets before this one that are not there; 0: none, or
					 * not known */
	uint16_t segment;		/* a super-frame: bytes of payload of a segment; else 0 */
};

/* What stands before the frame, and behind it with its padding. */
struct pcapng_frame {
	uint8_t before[PCAPNG_BEFORE];
	uint8_t after[PCAPNG_AFTER_MAX];
	uint32_t nafter;
	uint32_t len;			/* of the whole block, the frame with it */
};

void pcapng_frame(const struct pcapng_packet *p, struct pcapng_frame *ret);

/* Of the interface, at the end. */
struct pcapng_stats {
	uint64_t us;			/* since 1970 */
	uint64_t seen;			/* frames that crossed */
	uint64_t passed;		/* of them those the filter let through */
	uint64_t dropped;		/* of these those there was no room for */
	uint64_t kept;			/* the others */
};

size_t pcapng_stats(uint8_t buf[PCAPNG_STATS_LEN], const struct pcapng_stats *s);

/* Reads such a block back, of that many bytes. False: it is another. */
bool pcapng_read_stats(const uint8_t *block, size_t len, struct pcapng_stats *ret);

#endif
