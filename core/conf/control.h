/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the requests of control.sock, the socket that main serves in the attachment's
 * state folder: one JSON object a line, each answered by one line, as many as the client
 * likes on one connection. cni-passt-control(7) has the protocol; this is the one reader
 * of it, core/main/report.c the one writer.
 */
#ifndef CONF_CONTROL_H
#define CONF_CONTROL_H

#include <stddef.h>

#include "conf/capture.h"
#include "conf/conf.h"

#define CONTROL_NAME		"control.sock"
#define CONTROL_VERSION		1	/* changes when what stands in the manual would break */
#define CONTROL_LINE_MAX	1024	/* of a request, with its end */
#define CONTROL_ANSWER_MAX	262144	/* of an answer, with its end */
#define CONTROL_TIMEOUT_MS	5000	/* front end's patience for the answer */

enum control_verb {
	CONTROL_SHOW = 1,	/* what main knows of the attachment */
	CONTROL_STATS,		/* counters and gauges */
	CONTROL_FLOWS,		/* a page of flows */
	CONTROL_LIST,		/* all rules of "forward" */
	CONTROL_ADD,		/* one more */
	CONTROL_DEL,		/* one less: exactly this one; its TCP connections stay */
	CONTROL_COUNTERS,	/* what each counter of CONTROL_STATS counts */
	CONTROL_CAPTURE,	/* frames, from then on, behind the answer: the connection's last */
	CONTROL_VERB_COUNT
};

extern const char *const control_verb_names[CONTROL_VERB_COUNT];	/* [0]: "" */

struct control_request {
	enum control_verb verb;
	uint32_t from;			/* CONTROL_FLOWS: place of the page's first flow */
	struct conf_forward rule;	/* CONTROL_ADD, CONTROL_DEL */
	struct capture_want want;	/* CONTROL_CAPTURE */
};

struct control_rule {
	struct conf_forward rule;
	uint16_t picked;	/* by the kernel, for a rule of port 0; else 0 */
	uint32_t listeners;	/* open now */
	uint64_t clients, refused, tx_bytes, rx_bytes;	/* so far (flow/tally.h) */
};

/* What is said of rules. */
struct control_answer {
	uint32_t nrules;
	struct err err;		/* code 0: done */
	struct control_rule rules[CONF_FORWARDS_MAX];
};

/* Reads one line without its end. 0, or -1 with *e: it is not for us, or wrong. What a
 * rule means together with others is conf_validate's. */
int control_read(const char *line, size_t len, struct control_request *ret, struct err *e);

#endif
