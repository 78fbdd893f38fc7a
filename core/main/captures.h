/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * captures: main's side of captures at run time: who asked for one on the control socket
 * gets, behind the answer's line, a pcapng stream on the same connection, out of a ring
 * that the engine fills (io/capture.h). It ends when the client closes its way to us
 * (then with statistics, like one that has all it wanted), when the client is gone, and
 * with the attachment; an engine's restart does not end it. A client that does not read
 * fills its ring and loses frames; it delays nobody.
 */
#ifndef MAIN_CAPTURES_H
#define MAIN_CAPTURES_H

#include "io/capture.h"
#include "main/serve.h"

#define CAPTURES_TURN	(1u << 20)	/* bytes that one client is sent in a turn of main */
#define CAPTURES_LINE	1024u		/* of the answer, at most */

enum captures_state {
	CAPTURES_FREE,
	CAPTURES_RUNNING,
	CAPTURES_ENDING,	/* the engine was told to stop */
	CAPTURES_LAST,		/* it has; the ring is empty, the statistics are on their way */
};

struct captures_one {
	enum captures_state state;
	int fd;			/* the client's; -1: it is gone */
	struct capture_order order;
	uint32_t nout, sent;	/* of out */
	uint32_t events;	/* that are waited for */
	uint8_t out[CAPTURES_LINE + PCAPNG_HEAD_MAX];
};

struct captures {
	int fd;			/* epoll of all below: poll for POLLIN */
	int bell;		/* eventfd: an engine has written to a ring */
	struct capture_shared *shared;
	uint32_t places;	/* CAPTURES, or 0: no memory for rings */
	uint32_t number;	/* of the last one */
	bool more;		/* one has more to send than a turn takes */
	struct captures_one *one;	/* CAPTURES; NULL: not open */
};

#define CAPTURES_INIT ((struct captures){ .fd = -1, .bell = -1 })

/* Reserves everything. 0, or -1 with *e. */
int captures_open(struct captures *c, struct err *e);

/* Closes all descriptors, having sent what can be sent at once. */
void captures_close(struct captures *c);

/* In a forked child: what is main's alone goes, or a client would not see the end; where it
 * is no engine, the rings and their bell too. */
void captures_leave(struct captures *c, bool engine);

/* What stands at a capture's head. */
struct pcapng_about captures_about(const struct serve *s, const char *filter, uint32_t snap,
				   char buf[2][PCAPNG_TEXT_MAX]);

/* Whether there is a place for one more: 0, or -1 with *e. */
int captures_check(const struct captures *c, const struct capture_want *w, struct err *e);

/* Begins: the answer's line, then frames. fd, the client's, is taken over. To be asked
 * captures_check() before. */
void captures_begin(struct captures *c, struct serve *s, int fd, const struct capture_want *w,
		    const struct jsonout *line);

/* When fd is readable, or `more`. */
void captures_turn(struct captures *c, struct serve *s);

/* There is no engine now: what it was told to stop has stopped. */
void captures_engine_died(struct captures *c);

/* Those under way, for an engine that starts. */
void captures_orders(const struct captures *c, struct capture_order ret[CAPTURES]);

uint32_t captures_count(const struct captures *c);

#endif
