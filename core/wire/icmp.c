/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/icmp: the first 8 bytes of ICMP (RFC 792) and ICMPv6 (RFC 4443, 2.1)
 * messages, and whole messages for us to send. Called by proto/icmp and by
 * whoever answers with an error. What an error quotes is read by the caller,
 * with ip?_read's siblings.
 */
#include "wire/icmp.h"

#include "base/cksum.h"
#include "wire/numbers.h"

static bool is_echo(bool v6, uint8_t type)
{
	return v6 ? type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY
		  : type == ICMP4_ECHO || type == ICMP4_ECHO_REPLY;
}

enum wire_err icmp_read(struct rd *r, bool v6, struct icmp *ret)
{
	struct rd h;
	struct icmp i;

	if (!rd_sub(r, ICMP_HLEN, &h))
		return WIRE_SHORT;
	rd_u8(&h, &i.type);
	rd_u8(&h, &i.code);
	rd_u16(&h, &i.sum);
	if (is_echo(v6, i.type)) {
		rd_u16(&h, &i.echo.id);
		rd_u16(&h, &i.echo.seq);
	} else {
		rd_u32(&h, &i.rest);
	}
	*ret = i;
	return WIRE_OK;
}

/* Writes the header with a checksum of 0, returns where that stands. */
static struct wr write_header(struct wr *w, bool v6, const struct icmp *h)
{
	struct wr sum;

	wr_u8(w, h->type);
	wr_u8(w, h->code);
	sum = *w;
	wr_u16(w, 0);
	if (is_echo(v6, h->type)) {
		wr_u16(w, h->echo.id);
		wr_u16(w, h->echo.seq);
	} else {
		wr_u32(w, h->rest);
	}
	return sum;
}

size_t icmp_write(struct wr *w, bool v6, const struct icmp *h, const struct addr *src,
		  const struct addr *dst, const void *data, size_t len)
{
	size_t total = ICMP_HLEN + len;
	uint8_t *p = len <= UINT16_MAX ? wr_space(w, total) : NULL;
	uint32_t acc = 0;
	struct wr msg, sum;

	if (!p) {
		w->failed = true;
		return 0;
	}
	msg = wr_init(p, ICMP_HLEN);
	/* memmove: data may lie in the frame being built, not quite in place */
	if (len && data != p + ICMP_HLEN)
		memmove(p + ICMP_HLEN, data, len);
	sum = write_header(&msg, v6, h);
	if (v6)
		acc = cksum_pseudo(src, dst, PROTO_ICMP6, (uint32_t)total, 0);
	wr_u16(&sum, cksum_finish(cksum_add(p, total, acc)));
	return total;
}

void icmp_renumber(struct icmp *h, uint16_t id)
{
	h->sum = cksum_finish((uint32_t)(uint16_t)~h->sum + (uint16_t)~h->echo.id + id);
	h->echo.id = id;
}

bool icmp_write_echo(struct wr *w, const struct icmp *h)
{
	wr_u8(w, h->type);
	wr_u8(w, h->code);
	wr_u16(w, h->sum);
	wr_u16(w, h->echo.id);
	return wr_u16(w, h->echo.seq);
}

bool icmp4_sum_ok(const void *msg, size_t len)
{
	return len >= ICMP_HLEN && cksum_fold(cksum_add(msg, len, 0)) == 0xffff;
}
