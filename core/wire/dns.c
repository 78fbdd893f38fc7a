/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire/dns.h"

#define POINTER		0xc0	/* the two upper bits of a compression pointer (RFC 1035, 4.1.4) */
#define NAME_OF_FIRST	0xc00c	/* a pointer to the name behind the header */

enum wire_err dns_head_read(struct rd *r, struct dns_head *ret)
{
	struct dns_head h;
	struct rd in;

	if (!rd_sub(r, DNS_HLEN, &in))
		return WIRE_SHORT;
	rd_u16(&in, &h.id);
	rd_u16(&in, &h.flags);
	rd_u16(&in, &h.questions);
	rd_u16(&in, &h.answers);
	rd_u16(&in, &h.authorities);
	rd_u16(&in, &h.additionals);
	*ret = h;
	return WIRE_OK;
}

/* Labels up to the root's, without pointers (RFC 1035, 3.1). */
static enum wire_err read_name(struct rd *r, uint8_t name[NAME_WIRE_MAX], uint16_t *len)
{
	struct wr w = wr_init(name, NAME_WIRE_MAX);
	const uint8_t *label;
	uint8_t n = 0;

	do {
		if (!rd_u8(r, &n))
			return WIRE_SHORT;
		if (n > DNS_LABEL_MAX)
			return WIRE_OPTION;
		label = rd_bytes(r, n);
		if (!label)
			return WIRE_SHORT;
		if (!wr_u8(&w, n) || !wr_bytes(&w, label, n))
			return WIRE_LENGTH;
	} while (n);
	*len = (uint16_t)(NAME_WIRE_MAX - w.left);
	return WIRE_OK;
}

enum wire_err dns_question_read(struct rd *r, struct dns_question *ret)
{
	struct dns_question q;
	enum wire_err err = read_name(r, q.name, &q.name_len);

	if (err != WIRE_OK)
		return err;
	if (!rd_u16(r, &q.type) || !rd_u16(r, &q.class))
		return WIRE_SHORT;
	memset(q.name + q.name_len, 0, sizeof(q.name) - q.name_len);
	*ret = q;
	return WIRE_OK;
}

/* A name that may end with a pointer. */
static bool skip_name(struct rd *r)
{
	uint8_t n;

	do {
		if (!rd_u8(r, &n))
			return false;
		if ((n & POINTER) == POINTER)
			return rd_skip(r, 1);
		if (n > DNS_LABEL_MAX || !rd_skip(r, n))
			return false;
	} while (n);
	return true;
}

bool dns_edns_find(struct rd r, const struct dns_head *h, uint16_t *ret)
{
	uint32_t n = (uint32_t)h->answers + h->authorities + h->additionals;
	uint16_t type, class, upper, flags, len;

	for (uint32_t i = 0; i < MIN_OF(n, DNS_RECORDS_MAX); i++) {
		if (!skip_name(&r) || !rd_u16(&r, &type) || !rd_u16(&r, &class) ||
		    !rd_u16(&r, &upper) || !rd_u16(&r, &flags) || !rd_u16(&r, &len) ||
		    !rd_skip(&r, len))
			return false;
		if (type != DNST_OPT)
			continue;
		*ret = flags;
		return true;
	}
	return false;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Length bytes are below 64 and so no letters. */
bool dns_name_eq(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool dns_question_eq(const struct dns_question *a, const struct dns_question *b)
{
	return a->type == b->type && a->class == b->class &&
	       dns_name_eq(a->name, a->name_len, b->name, b->name_len);
}

void dns_set_id(void *msg, uint16_t id)
{
	struct wr w = wr_init(msg, 2);

	wr_u16(&w, id);
}

static void write_head(struct wr *w, const struct dns_answer *a)
{
	const uint16_t kept = DNSF_OPCODE | DNSF_RD | DNSF_CD;

	wr_u16(w, a->head->id);
	wr_u16(w, (uint16_t)(DNSF_QR | (a->head->flags & kept) | DNSF_RA |
			     (a->own ? DNSF_AA : 0) | a->rcode));
	wr_u16(w, a->question ? 1 : 0);
	wr_u16(w, (uint16_t)a->n);
	wr_u16(w, 0);
	wr_u16(w, a->edns ? 1 : 0);
}

/* Of an EDNS record class is the size and TTL the flags (RFC 6891, 6.1.3). */
static void write_edns(struct wr *w, const struct dns_answer *a)
{
	wr_u8(w, 0);
	wr_u16(w, DNST_OPT);
	wr_u16(w, a->udp_size);
	wr_u16(w, 0);
	wr_u16(w, a->edns_flags & DNS_OPT_DO);
	wr_u16(w, 0);
}

size_t dns_answer_write(void *buf, size_t size, const struct dns_answer *a)
{
	struct wr w = wr_init(buf, size);

	write_head(&w, a);
	if (a->question) {
		wr_bytes(&w, a->question->name, a->question->name_len);
		wr_u16(&w, a->question->type);
		wr_u16(&w, a->question->class);
	}
	for (uint32_t i = 0; i < a->n; i++) {
		wr_u16(&w, NAME_OF_FIRST);
		wr_u16(&w, a->rr[i].type);
		wr_u16(&w, DNSC_IN);
		wr_u32(&w, a->ttl);
		wr_u16(&w, a->rr[i].len);
		wr_bytes(&w, a->rr[i].data, a->rr[i].len);
	}
	if (a->edns)
		write_edns(&w, a);
	return w.failed ? 0 : size - w.left;
}
