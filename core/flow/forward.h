/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward: one listening socket of the host and where its clients are led. main
 * opens them and keeps them in a table; the engine has a copy of that table, under
 * the same indices. A rule of the configuration (conf.h) makes one for each port.
 */
#ifndef FLOW_FORWARD_H
#define FLOW_FORWARD_H

#include "base/addr.h"
#include "conf/conf.h"

#define FORWARD_MAX	131072u		/* every port, TCP and UDP; virtual until used */

struct forward {
	struct addr addr;	/* bound to; ADDR_ANY: all addresses of both families */
	struct addr to;		/* in the container; ADDR_ANY: its own, of the client's family */
	int sock;		/* -1: this place of the table is free */
	uint16_t port;		/* listened on, never 0 */
	uint16_t to_port;
	uint8_t proto;		/* enum conf_proto */
	bool reverse;		/* it listens in the container, and leads to the host */
};

#endif
