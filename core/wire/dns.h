/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire/dns: of a DNS message what a forwarder must know (RFC 1035, 4.1): the header,
 * the one question, and whether there is an EDNS record (RFC 6891, 6.1). All else
 * passes as bytes. Small answers are written whole.
 */
#ifndef WIRE_DNS_H
#define WIRE_DNS_H

#include "base/cursor.h"
#include "wire/err.h"
#include "wire/name.h"
#include "wire/numbers.h"

#define DNS_HLEN	12u
#define DNS_LABEL_MAX	63u
#define DNS_RECORDS_MAX	32u	/* records looked at for the EDNS one */
#define DNS_RRS_MAX	2u	/* records of an answer of ours */

struct dns_head {
	uint16_t id, flags;
	uint16_t questions, answers, authorities, additionals;
};

struct dns_question {
	uint8_t name[NAME_WIRE_MAX];	/* in wire form, letters as they came */
	uint16_t name_len;		/* with the root's empty label */
	uint16_t type, class;
};

/* The header; *r is then behind it. */
enum wire_err dns_head_read(struct rd *r, struct dns_head *ret);

/* One question; *r is then behind it. A name with a compression pointer is refused:
 * nothing stands before the first one that it could point to. */
enum wire_err dns_question_read(struct rd *r, struct dns_question *ret);

/* Whether an EDNS record is among the records of a message, whose question *r is
 * behind; then its flags are in *ret. What is malformed has none. */
bool dns_edns_find(struct rd r, const struct dns_head *h, uint16_t *ret);

/* Names are compared without regard to case (RFC 4343, 3). */
bool dns_name_eq(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
bool dns_question_eq(const struct dns_question *a, const struct dns_question *b);

/* In place of the identifier a message of at least two bytes has. */
void dns_set_id(void *msg, uint16_t id);

struct dns_rr {
	uint16_t type, len;
	const uint8_t *data;
};

/* An answer of our own. */
struct dns_answer {
	const struct dns_head *head;		/* of the question's message */
	const struct dns_question *question;	/* NULL: it had none that could be read */
	uint8_t rcode;
	bool own;				/* we have authority over the name */
	bool edns;				/* the question had an EDNS record, ... */
	uint16_t edns_flags;			/* ... with these flags */
	uint16_t udp_size;			/* that we take */
	uint32_t ttl;
	uint32_t n;
	struct dns_rr rr[DNS_RRS_MAX];		/* each about the question's name */
};

/* Bytes written, 0 if they have no room. */
size_t dns_answer_write(void *buf, size_t size, const struct dns_answer *a);

#endif
