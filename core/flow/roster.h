/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * roster: which TCP connections the container has, in memory that main keeps and each
 * engine shares. An engine that dies takes its flow table with it; the next finds
 * here whom it owes a reset (proto/orphan.h).
 *
 * A connection stands at its flow's place. What an engine wrote is for the next one to
 * read, and who took an engine over wrote what it liked: whatever stands here can
 * at worst end connections of that same container.
 */
#ifndef FLOW_ROSTER_H
#define FLOW_ROSTER_H

#include "flow/flow.h"

struct roster_entry {
	struct addr inner, remote;
	uint16_t inner_port, remote_port;
	uint32_t engine;		/* who had it: the engine's number, from 1; 0: nobody */
};

struct roster {
	uint32_t used;			/* places from here on were never written */
	struct roster_entry list[FLOW_MAX];	/* virtual until used */
};

/* A connection of that engine. Whole or not at all, whenever the engine dies. */
void roster_put(struct roster *r, uint32_t at, uint32_t engine, const struct flow_key *key);
void roster_drop(struct roster *r, uint32_t at);

/* Places to look at, one after the other from 0. */
uint32_t roster_end(const struct roster *r);

/* Whether a connection of another engine stands there, that can be one; *ret is its key. */
bool roster_left(const struct roster *r, uint32_t at, uint32_t engine, struct flow_key *ret);

#endif
