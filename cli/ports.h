/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports: the port specifications of pasta's -t, -u, -T and -U, as rules of struct conf:
 *
 *	spec  = "none" | [where "/"] item {"," item}
 *	where = ADDRESS | ADDRESS "%" IFNAME | "%" IFNAME	(IPv6 also in brackets)
 *	item  = ports [":" [ADDRESS "/"] ports | ":" ADDRESS] | "~" ports | "all" [":" ADDRESS] | "auto"
 *	ports = PORT ["-" PORT]
 *
 * An exclusion counts for its own specification. One of exclusions only, like "all",
 * stands for all other ports but the ephemeral ones, as far as they can be had.
 * "auto" beside ranges: they are open while something listens there. Pure text:
 * reads no file. Called by options.c.
 */
#ifndef CLI_PORTS_H
#define CLI_PORTS_H

#include "conf/conf.h"

enum ports_kind { PORTS_DEFAULT, PORTS_NONE, PORTS_ALL, PORTS_SOME };

/* One of the four options, over all its specifications. */
struct ports {
	struct conf_forward *rules;	/* into struct conf */
	uint32_t *n, max;
	enum conf_proto proto;
	enum ports_kind kind;
};

/* What the host hands out by itself (ip_local_port_range). */
struct ports_ephemeral {
	uint16_t first, last;
};

/* Adds the rules of one more specification. NULL, or what is wrong with it ("is
 * not ..."), and then the rules are as they were. */
const char *ports_add(struct ports *p, const char *spec, struct ports_ephemeral eph);

#endif
