/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mirror: rules of "reverse" that say "auto": what programs of the host serve on its
 * loopback, the container has on its own, under the same number. Main looks five times a
 * second at what is listened on (io/diag.h; at UDP when the number of its sockets changed, or
 * a second went by); nsagent opens the container's side.
 *
 * Left out: what the rules except, what a program of the container has itself, and the
 * ports that this attachment publishes: they would lead back into the container.
 */
#ifndef MAIN_MIRROR_H
#define MAIN_MIRROR_H

#include "io/diag.h"
#include "main/msg.h"
#include "main/serve.h"

#define MIRROR_LOOK_MS		200
#define MIRROR_AGAIN_MS		60000	/* a port that could not be had is tried again */
#define MIRROR_UDP_LOOKS	5	/* UDP is looked at each fifth time, whatever the hint says */
#define MIRROR_ASKS		64	/* of one look; the others at the next */

enum mirror_port {		/* what a port of one family's loopback is in the container */
	MIRROR_CLOSED,
	MIRROR_ASKED,		/* of nsagent */
	MIRROR_OPEN,
	MIRROR_REFUSED,		/* somebody has it, or no IPv6 there */
};

struct mirror {
	struct diag diag;
	uint64_t look_ms;	/* when to look; 0: no rule asks for it */
	uint64_t again_ms;
	int32_t agent;		/* the nsagent that was asked */
	bool more[CONF_PROTO_COUNT];	/* the last look did not get to all */
	uint64_t udp_hint;	/* diag_udp_hint() at the last look at UDP, ... */
	unsigned int udp_skipped;	/* ... and how many looks ago that was */
	struct diag_ports (*seen)[2];	/* by enum conf_proto, IPv4 and IPv6: what was there at the
				 * last look */
	uint8_t (*ports)[CONF_PROTO_COUNT][2];	/* 65536: enum mirror_port */
};

#define MIRROR_INIT ((struct mirror){ .diag = DIAG_INIT })

/* Starts where a rule asks for it. 0, or -1 with *e. */
int mirror_open(struct mirror *m, const struct conf *c, struct err *e);

int mirror_wait_ms(const struct mirror *m, uint64_t now_ms);
void mirror_tick(struct mirror *m, struct serve *s);

/* nsagent's answer; the descriptor, -1 for none, becomes the table's or is closed.
 * 0, or -EBADMSG. */
int mirror_opened(struct mirror *m, struct serve *s, const struct msg_listen_done *done, int fd);

/* In a child: closes what is not its own. */
void mirror_close(struct mirror *m);

#endif
