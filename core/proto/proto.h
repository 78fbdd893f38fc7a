/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proto: the room's doors for io/loop: what happened goes in here, in this order
 * in each turn: socket events, proto_turn(), frames, proto_finish(). What came from
 * outside goes first: it is little where the container's bulk waits in the tap. */
#ifndef PROTO_PROTO_H
#define PROTO_PROTO_H

#include "proto/ctx.h"

/* The socket of flow idx, generation gen, changed; stale events are ignored. */
void proto_socket_event(struct ctx *c, uint32_t idx, uint32_t gen, bool readable,
			bool writable, bool error);
/* A TCP socket has urgent data; the event itself follows. */
void proto_urgent_event(struct ctx *c, uint32_t idx, uint32_t gen);

/* A socket of the spliced flow idx changed; events: enum splice_event. */
void proto_splice_event(struct ctx *c, uint32_t idx, uint32_t gen, enum splice_side side,
			unsigned int events);

/* Whatever is due, one pass over the flows that are ready. */
void proto_turn(struct ctx *c);

/*
 * Whether nobody turned for a while: the machine slept, or the process was stopped. What
 * timers wait for may have come meanwhile, and is taken first, by turns of proto_catch_up(),
 * which fire none.
 */
bool proto_late(struct ctx *c);
void proto_catch_up(struct ctx *c);
#define PROTO_LATE_MS		1000u	/* behind a timer that was due */
#define PROTO_CATCH_UP		16u	/* turns: more frames than a tap's queue has */

/* The end of a turn: what the container's datagrams and owed acknowledgments still
 * have to send. */
void proto_finish(struct ctx *c);

/* Before the first turn. */
void proto_start(struct ctx *c);

/* Whether something waits that no event will announce. */
bool proto_busy(const struct ctx *c);

/* When a turn is due if nothing happens, UINT64_MAX: never. */
uint64_t proto_next(const struct ctx *c);

/* Ends every flow: sockets closed, memory returned. */
void proto_close(struct ctx *c);

#endif
