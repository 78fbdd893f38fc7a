/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/offer.h"

#include "wire/name.h"

const char *offer_domain(const struct conf *c)
{
	return c->domain[0] || !c->nsearch ? c->domain : c->search[0];
}

/* What does not fit leaves no half of itself behind. */
static void add_name(struct wr *w, const char *name)
{
	struct wr before = *w;

	if (!name_write(w, name))
		*w = before;
}

size_t offer_search(const struct conf *c, uint8_t buf[OFFER_SEARCH_MAX])
{
	struct wr w = wr_init(buf, OFFER_SEARCH_MAX);

	for (uint32_t i = 0; i < c->nsearch; i++)
		add_name(&w, c->search[i]);
	if (!c->nsearch && c->domain[0])
		add_name(&w, c->domain);
	return OFFER_SEARCH_MAX - w.left;
}

struct addr offer_router6(const struct netcfg *net)
{
	return addr_is_linklocal6(&net->gateway6) ? net->gateway6
						  : addr_linklocal6(&net->gw_mac);
}
