/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network: the host's network became another one. New flows use what is true now; TCP
 * connections live on as the host's kernel has them. A datagram flow of the container's
 * own has a socket that is tied to the address packets left from: where that way is
 * another now, the flow ends, and the next datagram opens it anew, from the same port.
 */
#ifndef PROTO_NETWORK_H
#define PROTO_NETWORK_H

#include "proto/ctx.h"

/* now becomes c->net, and must stay. */
void network_change(struct ctx *c, const struct netcfg *now);

/* The machine slept: what waits for an answer asks again, what is told for a time is told
 * anew. */
void network_resumed(struct ctx *c);

#endif
