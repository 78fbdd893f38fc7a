/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/portmap.h"

#include <assert.h>
#include <string.h>

struct endpoint {
	struct addr inner;
	uint16_t port;
	uint16_t v4;
};

static_assert(sizeof(struct endpoint) == 20, "it is hashed as bytes: no hidden padding");

void portmap_init(struct portmaps *p, struct portmap *maps, uint32_t *buckets,
		  const struct sipkey *key)
{
	*p = (struct portmaps){ .maps = maps, .buckets = buckets, .key = *key, .fresh = 1 };
}

static uint32_t *bucket_of(const struct portmaps *p, const struct addr *inner, uint16_t port,
			   bool v4)
{
	const struct endpoint e = { .inner = *inner, .port = port, .v4 = v4 };

	return &p->buckets[siphash(&p->key, &e, sizeof(e)) & (PORTMAP_BUCKETS - 1)];
}

uint32_t portmap_find(const struct portmaps *p, const struct addr *inner, uint16_t inner_port,
		      bool v4)
{
	uint32_t i = *bucket_of(p, inner, inner_port, v4);

	while (i != PORTMAP_NONE &&
	       (p->maps[i].inner_port != inner_port || p->maps[i].v4 != v4 ||
		!addr_eq(&p->maps[i].inner, inner)))
		i = p->maps[i].next;
	return i;
}

uint32_t portmap_add(struct portmaps *p, const struct addr *inner, uint16_t inner_port, bool v4,
		     uint16_t outer_port)
{
	uint32_t *bucket = bucket_of(p, inner, inner_port, v4);
	uint32_t i = p->free;

	if (i != PORTMAP_NONE)
		p->free = p->maps[i].next;
	else
		i = p->fresh++;
	p->maps[i] = (struct portmap){
		.inner = *inner, .inner_port = inner_port, .outer_port = outer_port, .v4 = v4,
		.flows = 1, .next = *bucket,
	};
	*bucket = i;
	p->used++;
	return i;
}

void portmap_put(struct portmaps *p, uint32_t *map)
{
	uint32_t i = *map, *link;
	struct portmap *m = &p->maps[i];

	*map = PORTMAP_NONE;
	if (i == PORTMAP_NONE || --m->flows)
		return;
	link = bucket_of(p, &m->inner, m->inner_port, m->v4);
	while (*link != i)
		link = &p->maps[*link].next;
	*link = m->next;
	m->next = p->free;
	p->free = i;
	p->used--;
}
