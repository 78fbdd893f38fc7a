/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * via: where the daemon is started: from the front end itself, or from a broker,
 * a service of the same user in the host's network namespace. A front end inside
 * the network namespace that podman or RootlessKit shares among its containers
 * cannot go back to the host's (setns(2) needs rights over it); a path-name UNIX
 * socket reaches across. Here are the words of that conversation, and the front
 * end's side of it; plugin/broker.c has the other.
 *
 *     front end                                   broker
 *     connect ─────────────────────────────────→
 *              ←─────── struct via_hello ────────
 *     struct via_request, descriptors ─────────→  exec of the core
 *              ←────── struct via_answer ────────
 *
 * HANDOFF_FD_FRONT is among the descriptors: from the exec on, front end and core
 * speak with each other only, so that all of conf/handoff.h holds, the undoing of
 * what a dead front end left too. Called by attach.c.
 */
#ifndef PLUGIN_ATTACH_VIA_H
#define PLUGIN_ATTACH_VIA_H

#include <stddef.h>
#include <sys/types.h>

#include "conf/handoff.h"
#include "plugin/attach/state.h"

#define VIA_NAME	"broker.sock"		/* in the store's folder (state.h) */
#define VIA_ENV		"CNI_PASST_BROKER"	/* another path */
#define VIA_MAGIC	0x43504232u		/* "CPB2": changes with any struct below */
#define VIA_WAIT_MS	5000			/* patience for each answer of the broker */

/* The resolver configuration that the broker sees: in a client's namespaces
 * resolv.conf is often another. */
struct via_names {
	uint32_t nnameservers, nsearch;
	struct addr nameservers[CONF_NAMESERVERS_MAX];
	char domain[CONF_DOMAIN_MAX + 1];
	char search[CONF_SEARCH_MAX][CONF_DOMAIN_MAX + 1];
};

struct via_hello {
	uint32_t magic;
	uint32_t pad;
	uint64_t net_dev, net_ino;	/* the broker's network namespace */
	uint64_t pid_ns;		/* and its PID namespace, as stop.h has it */
	struct via_names names;
	char version[STATE_VERSION_MAX];	/* of the broker's program, for those who look */
};

enum via_verb { VIA_ATTACH = 1, VIA_STATUS, VIA_VERB_COUNT };

/* With the descriptors whose bits are set in fds, in the order of their numbers. */
struct via_request {
	uint32_t magic;
	uint32_t verb;		/* enum via_verb */
	uint32_t fds;		/* VIA_BIT of enum handoff_fd */
};

#define VIA_BIT(fd)	(1u << ((fd) - HANDOFF_FD_CONF))
#define VIA_FDS_MAX	(HANDOFF_FD_END - HANDOFF_FD_CONF)

struct via_answer {
	uint32_t magic;
	int32_t pid;		/* of the core's main, in the broker's PID namespace */
	struct err err;		/* code 0: it was started */
};

/* Whether every field of what came may be believed. */
bool via_hello_ok(const struct via_hello *h);
bool via_request_ok(const struct via_request *r, uint32_t nfds);
bool via_answer_ok(const struct via_answer *a);

struct via {
	bool brokered;			/* else the front end starts the core itself */
	struct via_hello hello;		/* if so */
};

#define VIA_INIT ((struct via){ .brokered = false })

/*
 * Decides: "direct" never asks, "broker" fails with *e where none answers, "auto"
 * takes the broker that answers from another network namespace than our own.
 * 0 or -1.
 */
int via_choose(struct via *v, enum conf_via how, struct err *e);

/* Who answers, for those who only look: 1, 0 if there is no broker, or -1 with *e. */
int via_look(struct via_hello *ret, struct err *e);

/* Has the broker start the core; fd[] by enum handoff_fd less HANDOFF_FD_CONF, -1:
 * not given. *pid: its number here, 0 if it has none here. 0, or -1 with *e. */
int via_start(const struct via *v, enum via_verb verb, const int fd[VIA_FDS_MAX], pid_t *pid,
	      struct err *e);

#endif
