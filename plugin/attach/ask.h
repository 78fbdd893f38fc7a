/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask: requests to a running daemon over its control socket, cni-passt-control(7). */
#ifndef PLUGIN_ATTACH_ASK_H
#define PLUGIN_ATTACH_ASK_H

#include <json-c/json.h>

#include "conf/control.h"

/* A conversation of any number of requests. */
struct ask {
	int fd;
	size_t len;		/* bytes of the answer, without its end */
	size_t have;		/* bytes of buf that came: may be those of the next one too */
	char *buf;		/* CONTROL_ANSWER_MAX; owned */
	int64_t deadline;	/* clock_ms() of all answers; 0: each has CONTROL_TIMEOUT_MS */
};

#define ASK_INIT ((struct ask){ .fd = -1 })

/* state_fd: the attachment's folder. 0, or -1 with *e: nobody listens there. */
int ask_open(struct ask *a, int state_fd, struct err *e);
void ask_close(struct ask *a);

/* A request of that verb, to which members can be added. */
struct json_object *ask_request(enum control_verb verb);

/* Sends a request, which is put, and waits for its answer, for the caller to put. NULL
 * with *e: the daemon's own error, or why it could not be asked. */
struct json_object *ask_line(struct ask *a, struct json_object *request, struct err *e);

/* The two halves of that, for who reads the answer's text himself: it stands in a->buf, of
 * a->len bytes without its end, until the next one. 0, or -1 with *e. */
int ask_send(struct ask *a, struct json_object *request, struct err *e);
int ask_text(struct ask *a, struct err *e);
struct json_object *ask_answer(struct ask *a, struct err *e);	/* to put; NULL with *e */
/* *e becomes what such a text, which is no answer as wanted, says or lacks. Returns -1. */
int ask_refused(const char *text, size_t len, struct err *e);

/* The same for a request whose answer is followed by bytes without end: 0, and they are
 * to be read from a->fd; or -1 with *e. */
int ask_stream(struct ask *a, struct json_object *request, struct err *e);

/* All of it for a single request. */
struct json_object *ask_daemon(int state_fd, struct json_object *request, struct err *e);

#endif
