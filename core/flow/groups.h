/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * groups: the multicast groups the container is a member of, the ports on which it
 * hears each of them, and what it sent to groups a moment ago (the host's kernel
 * gives a copy of that to our own sockets).
 *
 * Bounded: GROUPS_MAX groups of GROUP_PORTS_MAX ports; one more is refused until
 * others end. Of what was sent the last GROUP_ECHOES are known, for a second; of
 * groups and ports that were sent to, the last GROUP_SPOKEN.
 */
#ifndef FLOW_GROUPS_H
#define FLOW_GROUPS_H

#include <stdbool.h>

#include "base/addr.h"

#define GROUPS_MAX		32u
#define GROUP_PORTS_MAX		4u
#define GROUP_ECHOES		64u
#define GROUP_ECHO_MS		1000u
#define GROUP_SPOKEN		16u

struct membership {
	struct addr group;
	uint64_t due;			/* when it ends unless a report renews it */
	uint16_t ports[GROUP_PORTS_MAX];
	uint32_t nports;
};

struct groups {
	uint64_t query_due;		/* of the next general query; 0: none */
	uint32_t n, next_echo, next_spoken;
	struct membership members[GROUPS_MAX];	/* the first n, in no order */
	struct { struct addr group; uint16_t port; } spoken[GROUP_SPOKEN];
	struct { uint64_t hash, until; } echoes[GROUP_ECHOES];
};

struct membership *groups_find(struct groups *g, const struct addr *group);
/* A new one without ports; NULL when the table is full. */
struct membership *groups_add(struct groups *g, const struct addr *group);
void groups_remove(struct groups *g, struct membership *m);

/* Notes a port of it; false if it is noted already or there is no room. */
bool groups_add_port(struct membership *m, uint16_t port);

/* The container sent to that group and port: a member, now or in a while, has it as one
 * of its ports. (A report comes up to a second after the program joined.) */
void groups_spoke(struct groups *g, const struct addr *group, uint16_t port);
void groups_add_spoken(const struct groups *g, struct membership *m);

/* One whose time is over, or NULL. */
struct membership *groups_expired(struct groups *g, uint64_t now);
/* When a query is due or a membership ends; UINT64_MAX: never. */
uint64_t groups_next(const struct groups *g);
/* All memberships end so much later. */
void groups_defer(struct groups *g, uint64_t ms);

/* A datagram with that hash went to a group; whether one came back of it, which is
 * forgotten with the answer. */
void groups_sent(struct groups *g, uint64_t hash, uint64_t now);
bool groups_is_echo(struct groups *g, uint64_t hash, uint64_t now);

#endif
