/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/flow/view.c: pages with every flow once, and pages not to be believed. */
#include "../unit.h"

#include "flow/view.h"

#define FLOWS	600u

static struct flow flows[FLOWS];
static uint32_t buckets[FLOW_BUCKETS];
static struct flowtab tab;
static struct hold_pool pool;
static struct view_page page;

static struct flow *make(uint16_t port, enum flow_proto proto)
{
	const struct flow_key k = {
		.inner = addr_from4("\xc0\0\2\1"), .remote = addr_from4("\xc6\x33\x64\x0a"),
		.inner_port = port, .remote_port = 80, .proto = (uint8_t)proto,
	};

	return flow_new(&tab, &k, 1000);
}

static int start(void **state)
{
	static const struct sipkey key = { { 1, 2 } };

	(void)state;
	memset(flows, 0, sizeof(flows));
	memset(buckets, 0, sizeof(buckets));
	pool = (struct hold_pool){ .nchunks = 4, .reserved = 2, .bytes = 7 };
	flow_init(&tab, flows, buckets, &key, FLOWS);
	return 0;
}

static void test_pages(void **state)
{
	bool seen[FLOWS] = { false };
	uint32_t from = 0, n = 0;

	(void)state;
	for (uint16_t i = 0; i < FLOWS; i++)
		make(i, FLOW_UDP);
	for (uint32_t i = 0; i < FLOWS; i += 3)
		flow_free(&tab, &flows[i]);
	while (from != VIEW_END) {
		view_fill(&tab, &pool, from, 2000, &page);
		assert_true(view_ok(&page));
		assert_true(page.n <= VIEW_FLOWS);
		for (uint32_t i = 0; i < page.n; i++, n++) {
			assert_false(seen[page.list[i].id]);
			seen[page.list[i].id] = true;
			assert_int_equal(page.list[i].age_ms, 1000);
		}
		from = page.next;
	}
	assert_int_equal(n, FLOWS / 3 * 2);
	assert_int_equal(page.flows, FLOWS / 3 * 2);
	assert_int_equal(page.reserved_bytes, 2 * HOLD_CHUNK);
	assert_int_equal(page.held_bytes, 7);
}

static void test_gauges_only(void **state)
{
	(void)state;
	make(1, FLOW_UDP);
	for (int i = 0; i < 2; i++) {
		view_fill(&tab, &pool, i ? VIEW_END : tab.fresh, 2000, &page);
		assert_int_equal(page.n, 0);
		assert_int_equal(page.next, VIEW_END);
		assert_int_equal(page.flows, 1);
	}
}

static void test_fields(void **state)
{
	struct flow *f = make(1, FLOW_TCP);

	(void)state;
	f->tcp.state = TCPS_OPEN;
	f->tcp.snd_wnd = 1000;
	f->tcp.rcv_nxt = UINT32_MAX;
	f->tcp.rcv_adv = 499;
	f->tcp.srtt8 = 20;
	f->tcp.retransmits = 3;
	flow_sent(&tab, f, 10, 1500);
	flow_got(&tab, f, 20, 1600);
	view_fill(&tab, &pool, 0, 2000, &page);
	assert_int_equal(page.list[0].state, VIEW_OPEN);
	assert_int_equal(page.list[0].idle_ms, 400);
	assert_int_equal(page.list[0].tx_bytes, 10);
	assert_int_equal(page.list[0].rx_bytes, 20);
	assert_int_equal(page.list[0].window, 1000);
	assert_int_equal(page.list[0].own_window, 500);
	assert_int_equal(page.list[0].rtt_us, 2500);
	assert_int_equal(page.list[0].retransmits, 3);
	f->tcp.marks = TCPM_OUT_EOF;
	view_fill(&tab, &pool, 0, 2000, &page);
	assert_int_equal(page.list[0].state, VIEW_CLOSING);
	f = make(2, FLOW_SPLICE);
	f->splice.state = SPLICES_OPEN;
	view_fill(&tab, &pool, 1, 2000, &page);
	assert_int_equal(page.list[0].proto, FLOW_TCP);
	assert_int_equal(page.list[0].path, VIEW_SPLICE);
	make(3, FLOW_RELAY);
	view_fill(&tab, &pool, 2, 2000, &page);
	assert_int_equal(page.list[0].proto, FLOW_UDP);
	assert_int_equal(page.list[0].path, VIEW_RELAY);
	make(4, FLOW_DNS);
	view_fill(&tab, &pool, 3, 2000, &page);
	assert_int_equal(page.list[0].proto, FLOW_UDP);
	assert_int_equal(page.list[0].path, VIEW_DNS);
	assert_true(view_ok(&page));
}

static void test_not_believed(void **state)
{
	(void)state;
	make(1, FLOW_UDP);
	view_fill(&tab, &pool, 0, 2000, &page);
	assert_true(view_ok(&page));
#define BAD(field, value) do { \
		struct view_page bad = page; \
		bad.field = value; \
		assert_false(view_ok(&bad)); \
	} while (0)
	BAD(n, VIEW_FLOWS + 1);
	BAD(next, FLOW_MAX + 1);
	BAD(list[0].proto, FLOW_PROTO_COUNT);
	BAD(list[0].path, VIEW_PATH_COUNT);
	BAD(list[0].state, VIEW_STATE_COUNT);
#undef BAD
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pages, start),
		cmocka_unit_test_setup(test_gauges_only, start),
		cmocka_unit_test_setup(test_fields, start),
		cmocka_unit_test_setup(test_not_believed, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
