/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: what passes over control.sock, the socket that main serves in the
 * attachment's state folder: SOCK_SEQPACKET, one request, one answer, then both
 * close. Values only; front end and core are of one version, or say so.
 */
#ifndef CONF_CONTROL_H
#define CONF_CONTROL_H

#include <stddef.h>

#include "conf/conf.h"

#define CONTROL_NAME		"control.sock"
#define CONTROL_MAGIC		0x43504331u	/* "CPC1": changes with what follows */
#define CONTROL_TIMEOUT_MS	5000		/* front end's patience for the answer */

enum control_verb {
	CONTROL_LIST = 1,	/* all rules of "forward" */
	CONTROL_ADD,		/* one more */
	CONTROL_DEL,		/* one less: exactly this one; its TCP connections stay */
	CONTROL_VERB_COUNT
};

struct control_request {
	uint32_t magic;
	uint32_t verb;		/* enum control_verb */
	struct conf_forward rule;
};

struct control_rule {
	struct conf_forward rule;
	uint16_t picked;	/* by the kernel, for a rule of port 0; else 0 */
	uint32_t listeners;	/* open now */
};

struct control_answer {
	uint32_t magic;
	uint32_t nrules;	/* filled ones, the message ends with the last */
	struct err err;		/* code 0: done */
	struct control_rule rules[CONF_FORWARDS_MAX];
};

/* Bytes of an answer with n rules. */
static inline size_t control_answer_size(uint32_t n)
{
	return offsetof(struct control_answer, rules) + n * sizeof(struct control_rule);
}

/* Whether n received bytes are a request, or an answer, whose fields may be used: in
 * bounds, strings terminated. What a rule means is conf_validate's. */
bool control_request_ok(const struct control_request *r, size_t n);
bool control_answer_ok(const struct control_answer *a, size_t n);

#endif
