/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * private: addresses of a container's own ("addresses": ["private"]), where none of
 * the host's shall be copied. They follow from container id and interface name, so
 * that a container has the same ones every time and on every host.
 */
#ifndef CONF_PRIVATE_H
#define CONF_PRIVATE_H

#include "conf/conf.h"

#define OCCUPIED_MAX 256

/* Networks that the host is in or has routes to, of both families: none may hold a
 * private address. Those beyond the cap are not looked at. */
struct occupied {
	uint32_t n;
	struct prefix nets[OCCUPIED_MAX];
};

/* The container's: a /32 of 100.64.0.0/10 (RFC 6598), or a /128 of a ULA prefix (RFC
 * 4193). A host whose routes cover all of that range still gets an address of it,
 * with a line in the log: what it hides from the container is that one address. */
struct prefix private_address(const struct conf *c, bool v4, const struct occupied *occ);

#endif
