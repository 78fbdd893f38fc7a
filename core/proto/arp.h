/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arp: answers every ARP request of the container but those about its own
 * addresses: all that is not the container is behind our MAC (RFC 826; the
 * container's own probes, RFC 5227, must stay unanswered). Also learns the
 * container's MAC where it changed it. */
#ifndef PROTO_ARP_H
#define PROTO_ARP_H

#include "base/cursor.h"
#include "proto/ctx.h"

void arp_packet(struct ctx *c, struct rd *r);

#endif
