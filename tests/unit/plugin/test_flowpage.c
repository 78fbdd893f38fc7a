/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests plugin/json/scan.c and plugin/flowpage.c: a page as the daemon writes it, what a
 * later daemon may add, and what does not decode. */
#include "../unit.h"

#include <errno.h>

#include "plugin/flowpage.h"

#define FLOW "{\"id\":\"7.1\",\"protocol\":\"tcp\",\"state\":\"open\",\"path\":\"tap\",\"inbound\":true," \
	"\"inner\":{\"address\":\"10.0.0.2\",\"port\":80}," \
	"\"remote\":{\"address\":\"2001:db8::1\",\"port\":40000}," \
	"\"outer\":{\"address\":\"2001:db8::1\",\"port\":40000},\"age_ms\":10,\"idle_ms\":2," \
	"\"tx_bytes\":18446744073709551615,\"rx_bytes\":0,\"window\":65535,\"own_window\":1," \
	"\"held_bytes\":3,\"rtt_us\":500,\"retransmits\":4}"
#define PAGE(flows, rest) "{\"v\":1,\"ok\":true,\"flows\":[" flows "]" rest "}"

static bool all(const struct flow_row *r, void *arg)
{
	(void)r;
	(void)arg;
	return true;
}

static bool none(const struct flow_row *r, void *arg)
{
	(void)r;
	++*(int *)arg;
	return false;
}

/* From a block of exactly its size, without an end. */
static int read_page(const char *text, struct flow_list *l)
{
	size_t n = strlen(text);
	char *copy = flowpage_hold(l, text, n);

	return flowpage_read(copy, n, all, NULL, l);
}

static void test_values(void **state)
{
	struct flow_list l = { .n = 0 };
	const struct flow_row *r;
	struct addr a;
	int met = 0;

	(void)state;
	assert_int_equal(read_page(PAGE(FLOW "," FLOW, ",\"total\":2,\"next\":9"), &l), 0);
	assert_int_equal(l.n, 2);
	r = &l.rows[1];
	assert_true(scan_is(r->proto, "tcp") && scan_is(r->state, "open") &&
		    scan_is(r->path, "tap"));
	assert_true(r->inbound && r->has_window && r->has_rtt);
	assert_true(r->tx_bytes == UINT64_MAX && r->rx_bytes == 0 && r->rtt_us == 500);
	assert_int_equal(r->end[FLOW_INNER].port, 80);
	assert_true(flowpage_address(r, FLOW_REMOTE, &a) && !addr_is4(&a));
	assert_true(scan_is(r->whole, FLOW));
	assert_int_equal(flowpage_read(PAGE(FLOW, ""), strlen(PAGE(FLOW, "")), none, &met, &l), 0);
	assert_true(met == 1 && l.n == 2);
	flowpage_drop(&l);
	assert_int_equal(read_page(PAGE("", ",\"total\":0"), &l), 0);
	assert_int_equal(l.n, 0);
	flowpage_drop(&l);
}

/* Members, values of members and white space that this version does not know. */
static void test_later(void **state)
{
	struct flow_list l = { .n = 0 };

	(void)state;
	assert_int_equal(read_page(" {\"new\" : [1, -2.5e+3, {\"a\":[[]], \"b\\n\":null}], \"ok\":true,\n"
				   "\"flows\":[ {\"protocol\":\"sctp\", \"x\": {\"y\":\"\\\"}\"},"
				   " \"inner\":{\"zone\":\"eth0\",\"port\":1}}, {} ], \"z\":false} ", &l), 0);
	assert_int_equal(l.n, 2);
	assert_true(scan_is(l.rows[0].proto, "sctp"));
	assert_int_equal(l.rows[0].end[FLOW_INNER].port, 1);
	assert_true(scan_is(l.rows[1].whole, "{}") && !l.rows[1].has_rtt);
	flowpage_drop(&l);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"", "x", "[]", "{}", "{\"ok\":true}", "{\"ok\":false,\"flows\":[]}",
		"{\"ok\":true,\"flows\":{}}", "{\"ok\":true,\"flows\":[}", "{\"ok\":true,\"flows\":[1]}",
		"{\"ok\":true,\"flows\":[{\"age_ms\":-1}]}", "{\"ok\":true,\"flows\":[{\"age_ms\":1.5}]}",
		"{\"ok\":true,\"flows\":[{\"age_ms\":18446744073709551616}]}",
		"{\"ok\":true,\"flows\":[{\"age_ms\":\"1\"}]}", "{\"ok\":true,\"flows\":[{\"protocol\":1}]}",
		"{\"ok\":true,\"flows\":[{\"protocol\":\"t\\u0063p\"}]}",
		"{\"ok\":true,\"flows\":[{\"protocol\":\"t\tcp\"}]}",
		"{\"ok\":true,\"flows\":[{\"inbound\":1}]}", "{\"ok\":true,\"flows\":[{\"inner\":1}]}",
		"{\"ok\":true,\"flows\":[{},]}", "{\"ok\":true,\"flows\":[]", "{\"ok\":true,\"flows\":[]} x",
		"{\"ok\":true,\"flows\":[],}", "{\"ok\" true,\"flows\":[]}", "{\"ok\":true \"flows\":[]}",
		"{\"ok\":true,\"flows\":[],\"x\":}", "{\"ok\":true,\"flows\":[],\"x\":tru}",
		"{\"ok\":true,\"flows\":[],\"x\":[[[[[[[[[1]]]]]]]]]}", "{\"ok\":true,\"flows\":[],\"x\":\"\\",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct flow_list l = { .n = 0 };

		if (read_page(bad[i], &l) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
		flowpage_drop(&l);
	}
}

static void test_next(void **state)
{
	uint64_t next = 0;

#define NEXT(text) flowpage_next(text, strlen(text), &next)
	(void)state;
	assert_true(NEXT(PAGE(FLOW, ",\"total\":2,\"next\":4294967294")) && next == 4294967294);
	assert_false(NEXT(PAGE(FLOW, ",\"total\":2")));
	assert_false(NEXT("") || NEXT(",\"next\":") || NEXT(",\"next\":\"1\""));
	/* what stands further in front is not the page's */
	assert_false(NEXT("{\"flows\":[{\"x\":1,\"next\":5}],\"total\":1,\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
