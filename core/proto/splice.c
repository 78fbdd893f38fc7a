/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/splice.h"

#include "proto/inbound.h"

bool splice_wanted(const struct ctx *c, const struct forward *fwd, const struct addr *peer)
{
	(void)fwd;
	return !c->conf->preserve_source || addr_is_loopback(peer);
}

int splice_accept(struct ctx *c, int sock, const struct forward *fwd, const struct addr *peer,
		  uint16_t peer_port)
{
	return inbound_open(c, sock, fwd, peer, peer_port, &ADDR_ANY);
}
