/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish: the listeners of an attachment, from the rules of the configuration.
 * main holds them, so that they outlive an engine; each engine inherits them by fork.
 */
#ifndef MAIN_PUBLISH_H
#define MAIN_PUBLISH_H

#include "base/log.h"
#include "conf/control.h"
#include "conf/netcfg.h"
#include "flow/forward.h"
#include "flow/tally.h"

struct publish {
	struct forward *list;	/* FORWARD_MAX places, virtual until used */
	uint32_t n;		/* places used so far; some are free again (sock -1) */
	uint32_t nopen;
	uint32_t ids[CONF_FORWARDS_MAX];	/* what forward.rule is for each of conf.forwards */
	bool of_host[CONF_FORWARDS_MAX];	/* ... whose address is the host's own: it follows that */
	uint32_t last_id;
	struct tally *tallies;	/* TALLIES, shared with the engine; NULL: there are none */
	struct log_limit not_opened;	/* one line a minute */
};

/* Opens the listeners of all rules, or none: -1 with *e. net: which families
 * the container has. */
int publish_open(struct publish *p, const struct conf *c, const struct netcfg *net,
		 struct err *e);

/*
 * The listeners that the rules of "reverse" ask for, one after the other: start with
 * *step zeroed; false at the end. Fills *want but for its socket. Where a rule names no
 * address there is one for each loopback; step->optional: the container may lack it;
 * step->weak: or have the port in use.
 */
struct publish_step {
	uint32_t rule, port, family;
	bool optional, weak;
};
bool publish_next_reverse(const struct conf *c, struct publish_step *step, struct forward *want);

/* Adds a listener that nsagent opened, which becomes p's. Its place, or -1 with *e and it
 * is closed. */
int publish_adopt(struct publish *p, const struct forward *f, struct err *e);
/* One more rule, at run time: appended to c->forwards and opened whole, or neither.
 * Its index, or -1 with *e. */
int publish_add(struct publish *p, struct conf *c, const struct netcfg *net,
		const struct conf_forward *rule, struct err *e);

/* Closes the listeners of rule `at` and takes it out of c->forwards. */
void publish_del(struct publish *p, struct conf *c, uint32_t at);

/* One listener of rule `at`, opened when the container's program is there: its place,
 * or FORWARD_NONE, which the log says. */
uint32_t publish_open_place(struct publish *p, const struct conf *c, const struct netcfg *net,
			    uint32_t at, uint16_t port, uint64_t now_ms);
void publish_close_place(struct publish *p, uint32_t place);

/*
 * The host is followed from *was to *net. Whether the listener at that place (open, not
 * of "reverse") is bound to what is no more: the host's own address, an interface that
 * went and came back, a family the container lost or got. And opens it again, once it
 * is closed everywhere: its place, or FORWARD_NONE, which the log says.
 */
bool publish_is_stale(const struct publish *p, const struct conf *c, const struct netcfg *was,
		      const struct netcfg *net, uint32_t place);
uint32_t publish_reopen(struct publish *p, const struct conf *c, const struct netcfg *net,
			uint32_t place);

/* The first place from `from` on with a listener of that rule id, or FORWARD_NONE. */
uint32_t publish_next(const struct publish *p, uint32_t from, uint32_t id);

/* What became of rule `at`. */
void publish_describe(const struct publish *p, const struct conf *c, uint32_t at,
		      struct control_rule *ret);

/* Closes this process's descriptors of them. */
void publish_close(struct publish *p);

#endif
