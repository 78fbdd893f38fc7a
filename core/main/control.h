/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the socket in the state folder by which commands reach main at run time
 * (conf/control.h). Only this user and root are heard. A client that says nothing holds
 * one of a few places until others need it, and delays nobody.
 */
#ifndef MAIN_CONTROL_H
#define MAIN_CONTROL_H

#include "conf/control.h"

#define CONTROL_CLIENTS	8	/* heard at a time; the oldest silent one makes way */

struct control {
	int fd;			/* epoll of all below: poll for POLLIN */
	int listener;
	int clients[CONTROL_CLIENTS];	/* -1: none */
	unsigned int next;	/* place of the next one */
};

#define CONTROL_INIT ((struct control){ .fd = -1, .listener = -1, \
	.clients = { -1, -1, -1, -1, -1, -1, -1, -1 } })

/* Makes CONTROL_NAME in the folder, in place of a stale one. 0, or -1 with *e. */
int control_open(struct control *c, int state_fd, struct err *e);

/* To be called when fd is readable, until it says false: the next request that is
 * worth an answer. */
bool control_next(struct control *c, struct control_request *ret, unsigned int *client);

/* Answers, and says goodbye. A client that does not take it goes without. */
void control_reply(struct control *c, unsigned int client, const struct control_answer *a);

/* Closes all descriptors; the name in the folder stays. */
void control_close(struct control *c);

#endif
