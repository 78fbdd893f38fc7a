/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/splice.h"

bool splice_wanted(const struct ctx *c, const struct forward *fwd, const struct addr *peer)
{
	(void)fwd;
	return !c->conf->preserve_source || addr_is_loopback(peer);
}
