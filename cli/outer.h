/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outer: the name of the host's interface that the default route takes, as the
 * name of the one in the namespace. Called by pasta.c. */
#ifndef CLI_OUTER_H
#define CLI_OUTER_H

#include "conf/conf.h"

#define OUTER_NONE	"tap0"	/* a host without any */

/* The interface that addresses are copied from: the configured one, else the
 * default route's with the least metric, else the first with a global address (what
 * the core does, io/netlink.c), each IPv4's before IPv6's; else OUTER_NONE. */
void outer_ifname(const struct conf *c, char ret[CONF_IFNAME_MAX + 1]);

#endif
