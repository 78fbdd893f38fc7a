/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/flow.h"

#include <assert.h>
#include <string.h>

const char *const flow_proto_names[] = { "tcp", "udp", "ping", "splice", "dns", "relay" };
const char *const flow_state_names[] = { "free", "open", "linger" };
static_assert(ARRAY_LEN(flow_proto_names) == FLOW_PROTO_COUNT, "a name for each protocol");
static_assert(ARRAY_LEN(flow_state_names) == FLOW_STATE_COUNT, "a name for each state");
static_assert(sizeof(struct flow_key) == 40, "the key is hashed as bytes: no hidden padding");
static_assert(sizeof(struct flow) <= 384, "15,000 idle flows in 16 MB leave room to spare");

void flow_init(struct flowtab *t, struct flow *flows, uint32_t *buckets,
	       const struct sipkey *key, uint32_t max)
{
	*t = (struct flowtab){
		.flows = flows, .buckets = buckets, .key = *key, .free = FLOW_NONE,
		.max = max > FLOW_MAX ? FLOW_MAX : max,
		.lru_head = FLOW_NONE, .lru_tail = FLOW_NONE,
		.ready_head = FLOW_NONE, .ready_tail = FLOW_NONE,
	};
}

static uint32_t *bucket_of(const struct flowtab *t, const struct flow_key *key)
{
	return &t->buckets[siphash(&t->key, key, sizeof(*key)) & (FLOW_BUCKETS - 1)];
}

struct flow *flow_find(const struct flowtab *t, const struct flow_key *key)
{
	for (uint32_t n = *bucket_of(t, key); n; n = t->flows[n - 1].hash_next) {
		struct flow *f = &t->flows[n - 1];

		if (memcmp(&f->key, key, sizeof(*key)) == 0)
			return f;
	}
	return NULL;
}

struct flow *flow_new(struct flowtab *t, const struct flow_key *key, uint64_t now)
{
	uint32_t *bucket = bucket_of(t, key);
	uint32_t idx = t->free, gen;
	struct flow *f;

	if (t->count >= t->max)
		return NULL;
	if (idx != FLOW_NONE)
		t->free = t->flows[idx].hash_next;
	else
		idx = t->fresh++;
	f = &t->flows[idx];
	gen = f->gen + 1;
	*f = (struct flow){
		.key = *key, .state = FLOW_OPEN, .sock = -1, .gen = gen, .hash_next = *bucket,
		.ready_next = FLOW_NONE, .lru_next = FLOW_NONE, .lru_prev = FLOW_NONE,
		.opened_ms = now, .used_ms = now,
	};
	*bucket = idx + 1;
	t->count++;
	return f;
}

static void lru_unlink(struct flowtab *t, struct flow *f)
{
	uint32_t idx = flow_idx(t, f);

	if (t->lru_head != idx && f->lru_prev == FLOW_NONE)
		return;
	if (f->lru_prev != FLOW_NONE)
		t->flows[f->lru_prev].lru_next = f->lru_next;
	else
		t->lru_head = f->lru_next;
	if (f->lru_next != FLOW_NONE)
		t->flows[f->lru_next].lru_prev = f->lru_prev;
	else
		t->lru_tail = f->lru_prev;
	f->lru_next = f->lru_prev = FLOW_NONE;
}

void flow_touch(struct flowtab *t, struct flow *f)
{
	uint32_t idx = flow_idx(t, f);

	if (t->lru_tail == idx)
		return;
	lru_unlink(t, f);
	f->lru_prev = t->lru_tail;
	if (t->lru_tail != FLOW_NONE)
		t->flows[t->lru_tail].lru_next = idx;
	else
		t->lru_head = idx;
	t->lru_tail = idx;
}

struct flow *flow_oldest(const struct flowtab *t)
{
	return t->lru_head == FLOW_NONE ? NULL : &t->flows[t->lru_head];
}

void flow_enqueue(struct flowtab *t, struct flow *f)
{
	uint32_t idx = flow_idx(t, f);

	if (f->ready & FLOW_QUEUED)
		return;
	f->ready |= FLOW_QUEUED;
	f->ready_next = FLOW_NONE;
	if (t->ready_tail != FLOW_NONE)
		t->flows[t->ready_tail].ready_next = idx;
	else
		t->ready_head = idx;
	t->ready_tail = idx;
	t->nready++;
}

struct flow *flow_dequeue(struct flowtab *t)
{
	struct flow *f;

	if (t->ready_head == FLOW_NONE)
		return NULL;
	f = &t->flows[t->ready_head];
	t->ready_head = f->ready_next;
	if (t->ready_head == FLOW_NONE)
		t->ready_tail = FLOW_NONE;
	f->ready_next = FLOW_NONE;
	f->ready &= (uint8_t)~FLOW_QUEUED;
	t->nready--;
	return f;
}

/* The queue is short (flows ready in one turn): a walk is cheap, and most
 * flows that end are not in it. */
static void ready_unlink(struct flowtab *t, struct flow *f)
{
	uint32_t idx = flow_idx(t, f), prev = FLOW_NONE;

	if (!(f->ready & FLOW_QUEUED))
		return;
	for (uint32_t i = t->ready_head; i != idx; i = t->flows[i].ready_next)
		prev = i;
	if (prev == FLOW_NONE)
		t->ready_head = f->ready_next;
	else
		t->flows[prev].ready_next = f->ready_next;
	if (t->ready_tail == idx)
		t->ready_tail = prev;
	t->nready--;
}

void flow_free(struct flowtab *t, struct flow *f)
{
	uint32_t idx = flow_idx(t, f), gen = f->gen;
	uint32_t *link = bucket_of(t, &f->key);

	while (*link != idx + 1)
		link = &t->flows[*link - 1].hash_next;
	*link = f->hash_next;
	lru_unlink(t, f);
	ready_unlink(t, f);
	*f = (struct flow){ .state = FLOW_FREE, .sock = -1, .gen = gen, .hash_next = t->free };
	t->free = idx;
	t->count--;
}
