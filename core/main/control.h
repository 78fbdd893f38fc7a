/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the socket in the state folder by which commands and other programs reach
 * main at run time (conf/control.h): a stream of lines. Only this user and root are
 * heard. A client that says nothing holds one of a few places until others need it; one
 * that does not read its answer is not heard until it has. Neither delays anybody.
 */
#ifndef MAIN_CONTROL_H
#define MAIN_CONTROL_H

#include "base/jsonout.h"
#include "base/log.h"
#include "conf/control.h"

#define CONTROL_CLIENTS	8	/* heard at a time; the one that was silent longest makes way */
#define CONTROL_QUEUE	64	/* that wait to be heard */

struct control_client {
	int fd;			/* -1: none */
	bool ended;		/* has said all it will: goes when it has its answer */
	uint32_t nin;		/* bytes of lines not answered yet */
	uint32_t nout, sent;	/* bytes of the answer, and how many of them it has */
	uint64_t used;		/* control.clock when it was last heard */
	char in[CONTROL_LINE_MAX];
	char *out;		/* CONTROL_ANSWER_MAX, virtual until used */
};

struct control {
	int fd;			/* epoll of all below: poll for POLLIN */
	int listener;
	struct control_client *clients;	/* CONTROL_CLIENTS; NULL: not open */
	char *out;		/* room for all their answers */
	uint64_t clock;		/* counts what was heard */
	struct log_limit refused;
};

#define CONTROL_INIT ((struct control){ .fd = -1, .listener = -1 })

/* Makes CONTROL_NAME in the folder, in place of a stale one. 0, or -1 with *e. */
int control_open(struct control *c, int state_fd, struct err *e);

/* To be called when fd is readable, until it says false: the next request that is
 * worth an answer, which the caller writes by control_begin() and control_reply(). */
bool control_next(struct control *c, uint64_t now_ms, struct control_request *ret,
		  unsigned int *client);

/* Where to write that client's answer. */
struct jsonout control_begin(struct control *c, unsigned int client);

/* Sends what was written, as far as the client takes it now. */
void control_reply(struct control *c, unsigned int client, const struct jsonout *o);

/* Hands the client's connection over, to be the caller's: nothing more is heard of it here. */
int control_take(struct control *c, unsigned int client);

/* Closes all descriptors; the name in the folder stays. */
void control_close(struct control *c);

#endif
