/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * group: multicast and broadcast. What the container sends to a group or broadcast
 * leaves by an unconnected socket on the outer interface, and whoever answers is
 * heard: the frame carries the true source. The groups it joins (IGMP, MLD) are
 * joined there too, and a *listener* brings what is sent to them: a flow of its own
 *
 *     inner = remote = the group, inner_port = remote_port = the port
 *
 * which no packet of the container can name (a group is no source).
 *
 * A report says no port, and a socket has one. Known ports of a group are listened
 * on at once (mDNS, LLMNR, SSDP, WS-Discovery); any other when the container, which
 * is a member or becomes one, sends to that group and port itself.
 *
 * A socket for group and port (a listener's, or of who sends from the port it sends to, as
 * mDNS asks) is bound to the group, not to the host: it shares the port with the
 * host's own daemons and gets nothing that is meant for them.
 */
#ifndef PROTO_GROUP_H
#define PROTO_GROUP_H

#include "proto/ctx.h"
#include "proto/port.h"
#include "wire/ip.h"

#define GROUP_QUERY_MS		125000u	/* RFC 3376, 8.2 and RFC 3810, 9.2 */
#define GROUP_RESPONSE_MS	10000u	/* 8.3 and 9.3 */
#define GROUP_TIMEOUT_MS	(2 * GROUP_QUERY_MS + GROUP_RESPONSE_MS)	/* 8.4 and 9.4 */
#define GROUP_LEAVE_MS		2000u	/* who else is a member says so within: 8.8 and 9.8 */

/* A whole IGMP or MLD message of the container; checksum tested by the caller. */
void group_message(struct ctx *c, const struct ip *ip, const struct rd *msg);

/* The container sends to that group and port: it may want to hear it too. */
void group_learn(struct ctx *c, const struct addr *group, uint16_t port);

/* The datagram, or those of a USO frame, are about to leave by f, a group's flow. */
void group_sends(struct ctx *c, const struct flow *f, const void *data, size_t len,
		 uint16_t gso_size);

/* Passes on what a group's flow received: each with its source, but no copy of our own. */
void group_deliver(struct ctx *c, struct flow *f, const struct port_dgram *d, int n);

/* Whether f is a listener of a group whose member the container is: not idle then. */
bool group_keeps(struct ctx *c, const struct flow *f);

/*
 * Whether f, connected to one host, sends from the port of a known group that the
 * container is a member of: it shares the port with the listener then, since an
 * answer from elsewhere is none (RFC 6762, 6). Not other ports: a socket of the host
 * that lets its own be shared would lose what f's remote sends to it.
 */
bool group_shares_port(struct ctx *c, const struct flow *f);

/* Hears again what is sent to the groups of that family, on the interface there is now. */
void group_listen_again(struct ctx *c, bool v4);

/* Asks who is still a member, ends the memberships nobody renewed. */
void group_timer(struct ctx *c);

#endif
