/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * orphan: the container's TCP connections that an engine had when it died. Their host
 * sockets went with it, which reset the remotes; the container must hear of it too,
 * also where it only waits and would never send. How far either end had counted
 * nobody knows any more, so each gets a segment that cannot fit; TCP
 * answers that with where it stands (RFC 9293, 3.10.7.4), and to an answer for which
 * there is no connection the reset fits exactly (3.10.7.1).
 */
#ifndef PROTO_ORPHAN_H
#define PROTO_ORPHAN_H

#include "flow/roster.h"
#include "proto/ctx.h"

#define ORPHAN_BATCH	16u	/* in one turn: as many answers are read in one */
#define ORPHAN_PLACES	4096u	/* looked at in one turn */

/* Of an engine of that number, at its start: r has the connections of those before it. */
void orphan_start(struct ctx *c, struct roster *r, uint32_t engine);

/* f is a connection that the container has; it is none any more. */
void orphan_note(struct ctx *c, const struct flow *f);
void orphan_forget(struct ctx *c, const struct flow *f);

/* A few of them each turn of the loop; whether there are more. */
void orphan_turn(struct ctx *c);
bool orphan_busy(const struct ctx *c);

#endif
