/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/flow.c: table, LRU order and ready queue, alone and by random
 * steps against plain lists. */
#include "../unit.h"

#include "flow/flow.h"

#define MAX	64u
#define STEPS	100000

struct model {
	struct flowtab t;
	struct flow flows[MAX];
	uint32_t buckets[FLOW_BUCKETS];
	/* of the plain lists, indices of flows */
	bool used[MAX];
	uint32_t lru[MAX], nlru, ready[MAX], nready;
};

static struct model m;
static const struct sipkey key0 = { { 1, 2 } };

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static int start(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	flow_init(&m.t, m.flows, m.buckets, &key0, MAX);
	return 0;
}

static struct flow_key make_key(uint16_t port)
{
	return (struct flow_key){
		.inner = addr_from4("\xc0\0\2\1"), .remote = addr_from4("\xc6\x33\x64\x0a"),
		.inner_port = port, .remote_port = 80, .proto = FLOW_UDP,
	};
}

static struct flow *make(uint16_t port)
{
	struct flow_key k = make_key(port);

	return flow_new(&m.t, &k, 1000);
}

static void test_find(void **state)
{
	struct flow_key k = make_key(1);
	struct flow *f;

	(void)state;
	assert_null(flow_find(&m.t, &k));
	f = make(1);
	assert_non_null(f);
	assert_int_equal(f->state, FLOW_OPEN);
	assert_int_equal(f->sock, -1);
	assert_int_equal(f->opened_ms, 1000);
	assert_int_equal(f->timer.slot, 0);
	assert_ptr_equal(flow_at(&m.t, flow_idx(&m.t, f)), f);
	assert_ptr_equal(flow_find(&m.t, &k), f);
	/* every field of the key counts */
	k.proto = FLOW_TCP;
	assert_null(flow_find(&m.t, &k));
	k = make_key(1);
	k.remote_port = 81;
	assert_null(flow_find(&m.t, &k));
	k = make_key(1);
	k.remote.b[15]++;
	assert_null(flow_find(&m.t, &k));
	k = make_key(1);
	k.inner.b[15]++;
	assert_null(flow_find(&m.t, &k));
	/* the same bytes as IPv6 are another address */
	k = make_key(1);
	k.inner.b[10] = k.inner.b[11] = 0;
	assert_null(flow_find(&m.t, &k));
	k = make_key(1);
	flow_free(&m.t, f);
	assert_null(flow_find(&m.t, &k));
	assert_int_equal(f->state, FLOW_FREE);
}

/* All flows in one bucket: any of them can go. */
static void test_one_bucket(void **state)
{
	struct flow *f[8];
	uint32_t n = 0;
	uint64_t want = UINT64_MAX;

	(void)state;
	for (uint32_t port = 1; n < ARRAY_LEN(f) && port < 65536 * 16; port++) {
		struct flow_key k = make_key((uint16_t)port);
		uint64_t bucket;

		k.remote_port = (uint16_t)(port >> 16);
		bucket = siphash(&key0, &k, sizeof(k)) & (FLOW_BUCKETS - 1);
		if (want == UINT64_MAX)
			want = bucket;
		if (bucket == want)
			f[n++] = flow_new(&m.t, &k, 0);
	}
	assert_int_equal(n, ARRAY_LEN(f));
	flow_free(&m.t, f[3]);		/* inside, first and last of the chain */
	flow_free(&m.t, f[7]);
	flow_free(&m.t, f[0]);
	for (uint32_t i = 0; i < n; i++)
		if (i != 3 && i != 7 && i != 0)
			assert_ptr_equal(flow_find(&m.t, &f[i]->key), f[i]);
	assert_int_equal(m.t.count, 5);
}

static void test_full_and_generation(void **state)
{
	struct flow *f = NULL;
	uint32_t gen;

	(void)state;
	for (uint16_t i = 0; i < MAX; i++) {
		f = make(i);
		assert_non_null(f);
	}
	assert_null(make(1000));
	assert_int_equal(m.t.count, MAX);
	assert_int_equal(m.t.fresh, MAX);
	gen = f->gen;
	flow_free(&m.t, f);
	assert_int_equal(f->gen, gen);		/* kept, so that it goes on */
	assert_ptr_equal(make(1000), f);	/* the one free slot */
	assert_int_equal(f->gen, gen + 1);
	assert_null(make(1001));
}

static void test_cap(void **state)
{
	(void)state;
	flow_init(&m.t, m.flows, m.buckets, &key0, UINT32_MAX);
	assert_int_equal(m.t.max, FLOW_MAX);
	memset(m.buckets, 0, sizeof(m.buckets));
	flow_init(&m.t, m.flows, m.buckets, &key0, 0);
	assert_null(make(1));
}

static void test_lru(void **state)
{
	struct flow *a = make(1), *b = make(2), *c = make(3);

	(void)state;
	assert_null(flow_oldest(&m.t));
	flow_touch(&m.t, a);
	flow_touch(&m.t, a);
	assert_ptr_equal(flow_oldest(&m.t), a);
	flow_touch(&m.t, b);
	flow_touch(&m.t, c);
	flow_touch(&m.t, a);			/* b c a */
	assert_ptr_equal(flow_oldest(&m.t), b);
	flow_touch(&m.t, c);			/* b a c */
	flow_free(&m.t, b);
	assert_ptr_equal(flow_oldest(&m.t), a);
	flow_free(&m.t, c);			/* the youngest */
	flow_touch(&m.t, a);
	assert_ptr_equal(flow_oldest(&m.t), a);
	flow_free(&m.t, a);
	assert_null(flow_oldest(&m.t));
	b = make(9);				/* one that was never touched */
	flow_free(&m.t, b);
	assert_null(flow_oldest(&m.t));
}

static void test_ready(void **state)
{
	struct flow *a = make(1), *b = make(2), *c = make(3);

	(void)state;
	assert_null(flow_dequeue(&m.t));
	flow_enqueue(&m.t, a);
	flow_enqueue(&m.t, b);
	flow_enqueue(&m.t, a);			/* stands in it once */
	flow_enqueue(&m.t, c);
	assert_int_equal(m.t.nready, 3);
	assert_ptr_equal(flow_dequeue(&m.t), a);
	assert_false(a->ready & FLOW_QUEUED);
	flow_enqueue(&m.t, a);			/* b c a */
	flow_free(&m.t, c);			/* inside */
	flow_free(&m.t, a);			/* the last */
	assert_int_equal(m.t.nready, 1);
	c = make(4);
	flow_enqueue(&m.t, c);			/* b c */
	flow_free(&m.t, b);			/* the first */
	assert_ptr_equal(flow_dequeue(&m.t), c);
	assert_null(flow_dequeue(&m.t));
	flow_enqueue(&m.t, c);
	flow_free(&m.t, c);			/* the only one */
	assert_int_equal(m.t.nready, 0);
	assert_null(flow_dequeue(&m.t));
	b = make(5);
	assert_int_equal(b->ready, 0);
}

static void drop(uint32_t *list, uint32_t *n, uint32_t idx)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *n; i++)
		if (list[i] != idx)
			list[kept++] = list[i];
	*n = kept;
}

static void check_lists(void)
{
	uint32_t at = m.t.lru_head, prev = FLOW_NONE;

	for (uint32_t i = 0; i < m.nlru; i++) {
		assert_int_equal(at, m.lru[i]);
		assert_int_equal(m.flows[at].lru_prev, prev);
		prev = at;
		at = m.flows[at].lru_next;
	}
	assert_int_equal(at, FLOW_NONE);
	assert_int_equal(m.t.lru_tail, prev);
	at = m.t.ready_head;
	prev = FLOW_NONE;
	for (uint32_t i = 0; i < m.nready; i++) {
		assert_int_equal(at, m.ready[i]);
		prev = at;
		at = m.flows[at].ready_next;
	}
	assert_int_equal(at, FLOW_NONE);
	assert_int_equal(m.t.ready_tail, prev);
	assert_int_equal(m.t.nready, m.nready);
}

static void random_step(uint64_t r)
{
	uint32_t idx = (uint32_t)(r >> 32) % MAX, count = 0;
	struct flow *f = &m.flows[idx];

	for (uint32_t i = 0; i < MAX; i++)
		count += m.used[i];
	assert_int_equal(m.t.count, count);
	if (r % 4 == 0) {
		uint16_t port = (uint16_t)(r >> 16);
		struct flow_key k = make_key(port);

		if (flow_find(&m.t, &k))
			return;
		f = flow_new(&m.t, &k, 0);
		assert_int_equal(f == NULL, count == MAX);
		if (f) {
			assert_false(m.used[flow_idx(&m.t, f)]);
			m.used[flow_idx(&m.t, f)] = true;
		}
	} else if (r % 4 == 3) {
		f = flow_dequeue(&m.t);
		assert_int_equal(f ? flow_idx(&m.t, f) : FLOW_NONE,
				 m.nready ? m.ready[0] : FLOW_NONE);
		if (f)
			drop(m.ready, &m.nready, flow_idx(&m.t, f));
	} else if (!m.used[idx]) {
		return;
	} else if ((r >> 8) % 5 == 0) {
		flow_free(&m.t, f);
		m.used[idx] = false;
		drop(m.lru, &m.nlru, idx);
		drop(m.ready, &m.nready, idx);
	} else if (r % 4 == 1) {
		flow_touch(&m.t, f);
		drop(m.lru, &m.nlru, idx);
		m.lru[m.nlru++] = idx;
	} else if (!(f->ready & FLOW_QUEUED)) {
		flow_enqueue(&m.t, f);
		m.ready[m.nready++] = idx;
	}
}

static void test_random(void **state)
{
	uint64_t seed = 0xfeedface12345u;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		random_step(next_random(&seed));
		check_lists();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_find, start),
		cmocka_unit_test_setup(test_one_bucket, start),
		cmocka_unit_test_setup(test_full_and_generation, start),
		cmocka_unit_test_setup(test_cap, start),
		cmocka_unit_test_setup(test_lru, start),
		cmocka_unit_test_setup(test_ready, start),
		cmocka_unit_test_setup(test_random, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
