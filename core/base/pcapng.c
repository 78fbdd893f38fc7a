/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pcapng.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Blocks are in the writer's byte order, which the magic tells the reader. */
#define BLOCK_SECTION	0x0a0d0d0au
#define BLOCK_INTERFACE	1u
#define BLOCK_PACKET	6u
#define SECTION_MAGIC	0x1a2b3c4du
#define LINK_ETHERNET	1u

#define OPT_END		0u
#define OPT_COMMENT	1u
#define SHB_USERAPPL	4u
#define IF_NAME		2u
#define IF_DESCRIPTION	3u
#define IF_FILTER	11u	/* its first byte says how it is written: 0, as text */
#define EPB_FLAGS	2u
#define EPB_DROPCOUNT	4u
#define ISB_IFRECV	4u
#define ISB_FILTERACCEPT 6u
#define ISB_OSDROP	7u
#define ISB_USRDELIV	8u

#define FLAG_INBOUND	1u
#define FLAG_OUTBOUND	2u

struct out {
	uint8_t *p;
	size_t len;
};

static void put(struct out *o, const void *v, size_t n)
{
	memcpy(o->p + o->len, v, n);
	o->len += n;
}

static void put16(struct out *o, uint16_t v)
{
	put(o, &v, sizeof(v));
}

static void put32(struct out *o, uint32_t v)
{
	put(o, &v, sizeof(v));
}

/* A time stamp: the high half stands first, whatever the byte order. */
static void put_time(struct out *o, uint64_t us)
{
	put32(o, (uint32_t)(us >> 32));
	put32(o, (uint32_t)us);
}

static void put_padded(struct out *o, const void *v, size_t n)
{
	static const uint8_t zero[4];

	put(o, v, n);
	put(o, zero, -n & 3);
}

static void option(struct out *o, uint16_t code, const void *v, size_t n)
{
	put16(o, code);
	put16(o, (uint16_t)n);
	put_padded(o, v, n);
}

static void option_text(struct out *o, uint16_t code, const char *text)
{
	if (text[0])
		option(o, code, text, strnlen(text, PCAPNG_TEXT_MAX));
}

static void option_number(struct out *o, uint16_t code, uint64_t v)
{
	option(o, code, &v, sizeof(v));
}

/* A block's head, and its end, which sets both its lengths. Returns where it began. */
static size_t begin(struct out *o, uint32_t type)
{
	put32(o, type);
	put32(o, 0);
	return o->len - 8;
}

static void finish(struct out *o, size_t from)
{
	uint32_t len;

	put32(o, OPT_END);
	len = (uint32_t)(o->len - from + sizeof(len));
	memcpy(o->p + from + 4, &len, sizeof(len));
	put32(o, len);
}

size_t pcapng_head(uint8_t buf[PCAPNG_HEAD_MAX], const struct pcapng_about *about)
{
	struct out o = { .p = buf };
	char filter[PCAPNG_TEXT_MAX + 1] = "";	/* its first byte stays 0 */
	size_t at = begin(&o, BLOCK_SECTION);

	static_assert(5 * (PCAPNG_TEXT_MAX + 8) + 64 <= PCAPNG_HEAD_MAX, "all texts fit");
	put32(&o, SECTION_MAGIC);
	put16(&o, 1);
	put16(&o, 0);
	put32(&o, ~0u);		/* the section's length is not known */
	put32(&o, ~0u);
	option_text(&o, SHB_USERAPPL, about->application);
	option_text(&o, OPT_COMMENT, about->comment);
	finish(&o, at);
	at = begin(&o, BLOCK_INTERFACE);
	put16(&o, LINK_ETHERNET);
	put16(&o, 0);
	put32(&o, about->snap);
	option_text(&o, IF_NAME, about->interface);
	option_text(&o, IF_DESCRIPTION, about->description);
	if (about->filter[0]) {
		snprintf(filter + 1, sizeof(filter) - 1, "%s", about->filter);
		option(&o, IF_FILTER, filter, strlen(filter + 1) + 1);
	}
	finish(&o, at);
	return o.len;
}

/* What a reader would wonder about. */
static void remark(struct out *o, uint16_t segment)
{
	char text[64];

	if (!segment)
		return;
	snprintf(text, sizeof(text), "super-frame, in segments of %u bytes", segment);
	option(o, OPT_COMMENT, text, strlen(text));
}

void pcapng_frame(const struct pcapng_packet *p, struct pcapng_frame *ret)
{
	static const uint8_t zero[4];
	struct out before = { .p = ret->before }, after = { .p = ret->after };
	uint32_t flags = p->inbound ? FLAG_INBOUND : FLAG_OUTBOUND;

	static_assert(3 + 4 + 64 + 8 + 12 + 8 <= PCAPNG_AFTER_MAX, "all options fit");
	put(&after, zero, -p->captured & 3);
	remark(&after, p->segment);
	option(&after, EPB_FLAGS, &flags, sizeof(flags));
	if (p->lost)
		option_number(&after, EPB_DROPCOUNT, p->lost);
	put32(&after, OPT_END);
	ret->len = (uint32_t)(PCAPNG_BEFORE + p->captured + after.len + sizeof(ret->len));
	put32(&after, ret->len);
	ret->nafter = (uint32_t)after.len;
	put32(&before, BLOCK_PACKET);
	put32(&before, ret->len);
	put32(&before, 0);	/* of the first interface, the only one */
	put_time(&before, p->us);
	put32(&before, p->captured);
	put32(&before, p->original);
}

size_t pcapng_stats(uint8_t buf[PCAPNG_STATS_LEN], const struct pcapng_stats *s)
{
	struct out o = { .p = buf };
	size_t at = begin(&o, PCAPNG_BLOCK_STATS);

	put32(&o, 0);
	put_time(&o, s->us);
	option_number(&o, ISB_IFRECV, s->seen);
	option_number(&o, ISB_FILTERACCEPT, s->passed);
	option_number(&o, ISB_OSDROP, s->dropped);
	option_number(&o, ISB_USRDELIV, s->kept);
	finish(&o, at);
	return o.len;
}

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool pcapng_read_stats(const uint8_t *block, size_t len, struct pcapng_stats *ret)
{
	uint64_t v[4];

	if (len != PCAPNG_STATS_LEN || word(block) != PCAPNG_BLOCK_STATS ||
	    word(block + 4) != PCAPNG_STATS_LEN)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)	/* as they are written above */
		memcpy(&v[i], block + 24 + 12 * i, sizeof(v[i]));
	*ret = (struct pcapng_stats){
		.us = (uint64_t)word(block + 12) << 32 | word(block + 16),
		.seen = v[0], .passed = v[1], .dropped = v[2], .kept = v[3],
	};
	return true;
}
