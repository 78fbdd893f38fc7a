/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serve: what main does for a request of the control socket, and the words it changes
 * with the engine for that. */
#ifndef MAIN_SERVE_H
#define MAIN_SERVE_H

#include "base/jsonout.h"
#include "conf/control.h"
#include "conf/resolv.h"
#include "flow/counters.h"
#include "flow/view.h"
#include "io/capture.h"
#include "main/child.h"
#include "main/publish.h"

#define SERVE_ENGINE_MS	1000	/* an engine that does not listen for so long is replaced */

/* A connection of a virtual machine that is over; seq 0: none. */
struct serve_stream {
	uint32_t seq, why;
};

struct serve {
	struct conf *conf;		/* its forwards change */
	struct netcfg *net;		/* changes when the host is followed */
	struct publish *publish;
	struct child *engine, *nsagent;
	uint64_t now_ms;
	uint64_t used_us;		/* by the engine, while it was last waited for in vain */
	bool tap_gone;			/* the engine said so meanwhile ... */
	struct serve_stream stream_gone;	/* ... and this */
	const struct view_page *page;	/* what the engine fills ... */
	uint32_t *asked;		/* ... as often as it was asked */
	struct counters *counters;	/* stream_connections, stream_refused are main's own */
	uint64_t started_ms;		/* by the clock of now_ms */
	int64_t since;			/* the same by the wall clock */
	uint32_t features;		/* enum tun_feature */
	const char *watch;		/* how the container's end is seen */
	uint32_t captures;		/* under way at run time */
	bool connected;			/* a virtual machine is */
};

/* MSG_FORWARD_OPEN or _CLOSE of one place. An engine that fails is replaced by one that has
 * the table as it is then. */
void serve_tell(struct serve *s, uint32_t kind, uint32_t place);

/* Whom the engine's DNS forwarder asks from now on. The same with one that fails. */
void serve_resolvers(struct serve *s, const struct resolvers *r);

/* MSG_NETWORK with what *s->net is now; the same holds. */
void serve_tell_network(struct serve *s);

/* MSG_CAPTURE of one place; the same holds. */
void serve_capture(struct serve *s, uint32_t place, const struct capture_order *order);

/* MSG_STREAM with that connection; the same holds. */
void serve_connection(struct serve *s, int fd, uint32_t seq);

/* Returns when the engine has done all it was told. */
void serve_sync(struct serve *s);

/* Does what r asks for and writes the answer, one line. */
void serve_line(struct serve *s, const struct control_request *r, struct jsonout *o);

/* The part of it that is about rules. Fills *a, in place of whatever it holds. When it says
 * "done", the engine has done it. */
void serve_request(struct serve *s, const struct control_request *r, struct control_answer *a);

#endif
