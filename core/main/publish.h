/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish: the listeners of an attachment, from the rules of the configuration.
 * main holds them, so that they outlive an engine; each engine inherits them by fork.
 */
#ifndef MAIN_PUBLISH_H
#define MAIN_PUBLISH_H

#include "conf/netcfg.h"
#include "flow/forward.h"

struct publish {
	struct forward *list;	/* FORWARD_MAX places, virtual until used; NULL: no rule */
	uint32_t n;		/* places used so far */
};

/* Opens the listeners of all rules, or none: -1 with *e. net: which families
 * the container has. */
int publish_open(struct publish *p, const struct conf *c, const struct netcfg *net,
		 struct err *e);

/*
 * The listeners that the rules of "reverse" ask for, one after the other: start with
 * *step zeroed; false at the end. Fills *want but for its socket. Where a rule names no
 * address there is one for each loopback; step->optional: the container may lack it.
 */
struct publish_step {
	uint32_t rule, port, family;
	bool optional;
};
bool publish_next_reverse(const struct conf *c, struct publish_step *step, struct forward *want);

/* Adds a listener that was opened elsewhere, which becomes p's. 0, or -1 with *e and
 * it is closed. */
int publish_add(struct publish *p, const struct forward *f, struct err *e);

/* Closes this process's descriptors of them. */
void publish_close(struct publish *p);

#endif
