/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/roster.h"

#include <assert.h>

static_assert(sizeof(struct roster_entry) == 40, "131,072 of them are 5 MiB, one in a hundred pages");

void roster_put(struct roster *r, uint32_t at, uint32_t engine, const struct flow_key *key)
{
	struct roster_entry *e = &r->list[at];

	/* the engine may be killed between any two lines: its number stands only while
	 * the rest is right */
	__atomic_store_n(&e->engine, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	e->inner = key->inner;
	e->remote = key->remote;
	e->inner_port = key->inner_port;
	e->remote_port = key->remote_port;
	if (at >= r->used)
		r->used = at + 1;
	__atomic_store_n(&e->engine, engine, __ATOMIC_RELEASE);
}

void roster_drop(struct roster *r, uint32_t at)
{
	r->list[at].engine = 0;
}

uint32_t roster_end(const struct roster *r)
{
	return MIN_OF(r->used, FLOW_MAX);
}

bool roster_left(const struct roster *r, uint32_t at, uint32_t engine, struct flow_key *ret)
{
	const struct roster_entry *e = &r->list[at];

	if (!e->engine || e->engine == engine)
		return false;
	*ret = (struct flow_key){
		.inner = e->inner, .remote = e->remote, .inner_port = e->inner_port,
		.remote_port = e->remote_port, .proto = FLOW_TCP,
	};
	return addr_is4(&ret->inner) == addr_is4(&ret->remote) && addr_is_unicast(&ret->inner) &&
	       addr_is_unicast(&ret->remote) && ret->inner_port && ret->remote_port;
}
