/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections whose engine died (proto/orphan.c, flow/roster.c): the next one makes the
 * container ask about each, and answers by a reset that fits. */
#include "../unit.h"

#include <stdlib.h>

#include "fakeport.h"
#include "proto/orphan.h"
#include "proto/proto.h"
#include "wire/numbers.h"

#define ISN	5000u

static struct addr inner, remote;

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct roster));
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct fake_world *engine(struct roster *r, uint32_t number)
{
	const struct fake_setup setup = { .flows = 0 };
	struct fake_world *w = fake_start(&setup);

	orphan_start(&w->c, r, number);
	return w;
}

static void send_tcp(struct fake_world *w, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack)
{
	const struct tcp t = {
		.sport = port, .dport = 80, .seq = seq, .ack = ack, .flags = flags,
		.wnd = 60000, .opt = TCP_OPTS_INIT,
	};

	fake_ingress_tcp(w, &inner, &remote, &t, NULL, 0);
	fake_turn(w);
}

static void open_one(struct fake_world *w, uint16_t port)
{
	struct fake_seen s;

	send_tcp(w, port, TCPF_SYN, ISN, 0);
	assert_true(fake_frame(w, &s));
	assert_int_equal(s.tcp.flags, TCPF_SYN | TCPF_ACK);
	send_tcp(w, port, TCPF_ACK, ISN + 1, s.tcp.seq + 1);
	fake_frames_drop(w);
}

static uint32_t noted(const struct roster *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FLOW_MAX; i++)
		n += r->list[i].engine != 0;
	return n;
}

/* A process that dies leaves the roster as it is; fake_stop() is an orderly end. */
static void die(struct fake_world *w)
{
	w->c.roster = NULL;
	fake_stop(w);
}

static void test_next_engine_resets(void **state)
{
	struct roster *r = *state;
	struct fake_world *w = engine(r, 1);
	struct fake_seen s;

	for (uint16_t i = 0; i < 3; i++)
		open_one(w, (uint16_t)(40000 + i));
	assert_int_equal(noted(r), 3);
	die(w);
	w = engine(r, 2);
	assert_true(proto_busy(&w->c));
	fake_turn(w);
	for (uint16_t i = 0; i < 3; i++) {
		assert_true(fake_frame(w, &s));
		assert_int_equal(s.tcp.flags, TCPF_ACK);
		assert_int_equal(s.tcp.dport, 40000 + i);
		assert_int_equal(s.tcp.sport, 80);
		assert_true(addr_eq(&s.ip.src, &remote) && addr_eq(&s.ip.dst, &inner));
	}
	assert_false(fake_frame(w, &s));
	assert_false(proto_busy(&w->c));
	assert_int_equal(w->count.tcp_orphans, 3);
	assert_int_equal(noted(r), 0);
	/* what the container answers, it is reset by */
	send_tcp(w, 40001, TCPF_ACK, ISN + 1, 777);
	assert_true(fake_frame(w, &s));
	assert_int_equal(s.tcp.flags, TCPF_RST);
	assert_int_equal(s.tcp.seq, 777);
	fake_stop(w);
}

/* An orderly end, and a connection that ended, leave nobody. */
static void test_ended_are_forgotten(void **state)
{
	struct roster *r = *state;
	struct fake_world *w = engine(r, 1);

	open_one(w, 40000);
	open_one(w, 40001);
	send_tcp(w, 40000, TCPF_RST, ISN + 1, 0);
	assert_int_equal(noted(r), 1);
	fake_stop(w);
	assert_int_equal(noted(r), 0);
}

/* More than one turn's, a tap that pushes back, an engine that dies over it. */
static void test_many(void **state)
{
	struct roster *r = *state;
	struct fake_world *w;
	struct fake_seen s;
	uint32_t frames = 0, left;

	for (uint32_t i = 0; i < 3 * ORPHAN_BATCH; i++)
		roster_put(r, i * 2000, 1, &(struct flow_key){
			.inner = inner, .remote = remote, .inner_port = (uint16_t)(1 + i),
			.remote_port = 80, .proto = FLOW_TCP });
	w = engine(r, 2);
	w->io.tap_room = 5;
	fake_turn(w);
	left = noted(r);
	assert_true(left > 2 * ORPHAN_BATCH && left < 3 * ORPHAN_BATCH);
	assert_int_equal(w->count.tcp_orphans, 3 * ORPHAN_BATCH - left);
	fake_frames_drop(w);
	die(w);
	w = engine(r, 3);
	for (int turns = 0; turns < 100 && orphan_busy(&w->c); turns++) {
		fake_turn(w);
		while (fake_frame(w, &s))
			frames += s.ip.proto == PROTO_TCP;
	}
	assert_int_equal(frames, left);
	assert_false(orphan_busy(&w->c));
	assert_int_equal(noted(r), 0);
	fake_stop(w);
}

/* A new connection takes an orphan's place before its turn, another its very ends. */
static void test_new_ones_meanwhile(void **state)
{
	struct roster *r = *state;
	struct fake_world *w = engine(r, 1);
	struct fake_seen s;
	bool asked = false;

	open_one(w, 40000);
	open_one(w, 40001);
	die(w);
	w = engine(r, 2);
	send_tcp(w, 40001, TCPF_SYN, ISN * 2, 0);	/* at place 0, whose orphan was 40000 */
	while (fake_frame(w, &s)) {
		assert_true(s.tcp.dport == 40000 || (s.tcp.flags & TCPF_SYN));
		asked |= s.tcp.dport == 40000 && s.tcp.flags == TCPF_ACK;
	}
	assert_true(asked);
	assert_int_equal(noted(r), 1);
	fake_stop(w);
}

/* Whoever took the engine over wrote what it liked. */
static void test_lies(void **state)
{
	struct roster *r = *state;
	struct fake_world *w;
	struct fake_seen s;
	struct addr six, group;

	assert_int_equal(addr_parse("2001:db8::1", &six), 0);
	assert_int_equal(addr_parse("224.0.0.1", &group), 0);
	const struct flow_key lies[] = {
		{ .inner = inner, .remote = six, .inner_port = 1, .remote_port = 2 },
		{ .inner = inner, .remote = group, .inner_port = 1, .remote_port = 2 },
		{ .inner = inner, .remote = remote, .inner_port = 0, .remote_port = 2 },
		{ .inner = inner, .remote = remote, .inner_port = 1, .remote_port = 0 },
		{ .inner = ADDR_ANY, .remote = six, .inner_port = 1, .remote_port = 2 },
	};

	for (uint32_t i = 0; i < ARRAY_LEN(lies); i++)
		roster_put(r, i, 1, &lies[i]);
	r->used = UINT32_MAX;
	w = engine(r, 2);
	for (int turns = 0; turns < 1000 && orphan_busy(&w->c); turns++)
		fake_turn(w);
	assert_false(orphan_busy(&w->c));
	assert_false(fake_frame(w, &s));
	assert_int_equal(noted(r), 0);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_next_engine_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ended_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_ones_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lies, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
