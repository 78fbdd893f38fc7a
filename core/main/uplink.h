/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink: follows the host. When the kernel says that something of its network changed,
 * what the attachment should be is worked out anew and compared with what it is. What
 * differs is told: to the engine, to nsagent (whose interface has copies), to the listeners
 * that are bound to what was; to the log in one line, and to front ends by a file.
 *
 * A change settles for a moment before it is looked at. Looks are bounded: each is
 * followed by a rest of many times what it took, so that a router with a hundred
 * thousand routes that all change costs a small share of a CPU. That an address family is
 * gone is believed at the second look: a link that goes and comes back is no change.
 *
 * An address that was copied, and is the host's still though another is copied now, stays on
 * the container's interface, by itself, as long as the host has it.
 *
 * A container that configures itself keeps an address until its lease is due. When the host's
 * is another, its interface loses the carrier for a moment, as at a cable that is plugged in
 * elsewhere: DHCP clients that watch their link ask again then.
 */
#ifndef MAIN_UPLINK_H
#define MAIN_UPLINK_H

#include "main/msg.h"
#include "main/serve.h"

#define UPLINK_SETTLE_MS	200
#define UPLINK_DOUBT_MS		1000	/* until the second look */
#define UPLINK_REST_MS		300	/* between two looks at least */
#define UPLINK_REST_TIMES	50	/* ... and so many times what the last one took */
#define UPLINK_CARRIER_MS	1200	/* without carrier: the kernel tells of it within a second */

struct uplink {
	int fd;			/* io/hostwatch.h; -1: the host is not followed */
	int state_fd;		/* the attachment's folder */
	uint64_t look_ms;	/* when to look; 0: nothing was heard */
	uint64_t rest_ms;	/* not before then */
	bool doubt;		/* the last look missed a family: once more, soon */
	bool no_ipv6;		/* the container's namespace has none */
	int tap_fd;		/* not owned; -1: there is none */
	uint64_t carrier_ms;	/* when the carrier comes back; 0: it is there */
	bool stale;		/* nsagent is to be told; `inside` is not what there should be */
	pid_t asked;		/* the nsagent that is at work on it; 0: none */
	struct netcfg inside;	/* what the interface was set to last ... */
	struct netcfg asked_for;	/* ... and to what while `asked` */
};

#define UPLINK_INIT ((struct uplink){ .fd = -1, .state_fd = -1, .tap_fd = -1 })

/* Begins to listen, where the configuration wants it: before the host is read for the
 * first time. Without it the attachment works and stays as it is; the log says so. */
void uplink_open(struct uplink *u, const struct conf *c, int state_fd);

/* The interface was made, as *net says; its tap stays the caller's. */
void uplink_start(struct uplink *u, const struct netcfg *net, bool no_ipv6, int tap_fd);

/* What was left out of the interface is due. */
void uplink_complete(struct uplink *u);

/* What to poll for reading, -1: nothing at the moment; and what to do when it is. */
int uplink_poll_fd(const struct uplink *u);
void uplink_heard(struct uplink *u, uint64_t now_ms);

/* Milliseconds until uplink_tick() has work, -1: none. */
int uplink_wait_ms(const struct uplink *u, uint64_t now_ms);
void uplink_tick(struct uplink *u, struct serve *s);

/* nsagent's answer. 0, or -EBADMSG. */
int uplink_moved(struct uplink *u, struct serve *s, const struct msg_moved *m);

void uplink_close(struct uplink *u);

#endif
