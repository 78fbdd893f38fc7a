/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several connections at once, and much by one: windows of senders in company (proto/tcp_in.c), each
 * a share, never one that its sender cannot use, smaller ones where memory is short;
 * room made in a full table (proto/admit.c). */
#include "../unit.h"

#include <errno.h>

#include "fakeport.h"
#include "proto/proto.h"
#include "proto/tcp.h"

#define SENDERS	8u
#define ISN	1000u
#define WS	7

/* One of the container's connections, by its port. */
struct sender {
	struct fake_sock *sock;
	uint32_t theirs;	/* our initial sequence number */
	uint32_t next;
};

static struct addr inner, remote;

static void send_segment(struct fake_world *w, unsigned int i, const struct sender *s,
			 uint8_t flags, const struct tcp_opts *opt, const void *data, size_t len)
{
	const struct tcp t = {
		.sport = (uint16_t)(40000 + i), .dport = 80, .seq = s->next,
		.ack = flags & TCPF_ACK ? s->theirs + 1 : 0, .flags = flags, .wnd = 60000,
		.opt = *opt,
	};

	fake_ingress_tcp(w, &inner, &remote, &t, data, len);
	fake_turn(w);
	fake_check(w);
}

static void open_one(struct fake_world *w, unsigned int i, struct sender *s, uint16_t mss)
{
	const struct tcp_opts none = TCP_OPTS_INIT;
	struct tcp_opts syn = TCP_OPTS_INIT;
	struct fake_seen seen;

	syn.mss = mss;
	syn.wscale = WS;
	*s = (struct sender){ .next = ISN };
	send_segment(w, i, s, TCPF_SYN, &syn, NULL, 0);
	assert_true(fake_frame(w, &seen));
	assert_int_equal(seen.tcp.flags, TCPF_SYN | TCPF_ACK);
	s->theirs = seen.tcp.seq;
	s->sock = fake_last(w);
	s->next++;
	send_segment(w, i, s, TCPF_ACK, &none, NULL, 0);
	fake_frames_drop(w);
}

/* The window shown in answer to len bytes of data. */
static uint32_t window_after(struct fake_world *w, unsigned int i, struct sender *s,
			     const void *data, size_t len)
{
	const struct tcp_opts none = TCP_OPTS_INIT;
	struct fake_seen seen;

	send_segment(w, i, s, TCPF_ACK | TCPF_PSH, &none, data, len);
	s->next += (uint32_t)len;
	assert_true(fake_frame(w, &seen));
	assert_int_equal(seen.tcp.ack, s->next);
	fake_frames_drop(w);
	return (uint32_t)seen.tcp.wnd << 8;
}

/* RFC 9293, 3.8.6.2.2: with the largest segments a share below one of them would
 * have the container wait for its probe timer. Shown is no window, or one that
 * takes a segment; here the host has left 20,000 bytes in the hold buffer. */
static void test_large_segments(void **state)
{
	static uint8_t data[60000];
	const struct fake_setup setup = { .mtu = 65520 };
	const uint16_t mss = 65520 - IP4_HLEN - TCP_HLEN;
	struct fake_world *w = fake_start(&setup);
	struct sender s[SENDERS];

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	for (unsigned int i = 0; i < SENDERS; i++)
		open_one(w, i, &s[i], mss);
	/* Twice: the first answer is to one that is still alone, and its right edge
	 * stays. */
	for (unsigned int i = 0; i < 2 * SENDERS; i++)
		window_after(w, i % SENDERS, &s[i % SENDERS], data, sizeof(data));
	s[0].sock->out_room = 40000;
	assert_true(window_after(w, 0, &s[0], data, sizeof(data)) >= mss);
	fake_stop(w);
}

/* Of a remote that sent much the port is told, once (fakeport.c), before the kernel's window
 * has grown; of one that sent little never. */
static void test_bulk(void **state)
{
	static const uint8_t data[10000];
	const struct tcp_opts none = TCP_OPTS_INIT;
	const struct fake_setup setup = { .mtu = 0 };
	struct fake_world *w = fake_start(&setup);
	struct sender s;

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	open_one(w, 0, &s, 1460);
	for (uint32_t came = 0; came < 3 * TCP_BULK; came += sizeof(data)) {
		assert_int_equal(s.sock->bulk, came >= TCP_BULK);
		fake_put(s.sock, data, sizeof(data));
		fake_event(w, s.sock, true, false, false);
		fake_turn(w);
		fake_frames_drop(w);
		s.theirs += sizeof(data);	/* acknowledged by the next one */
		send_segment(w, 0, &s, TCPF_ACK, &none, NULL, 0);
		fake_frames_drop(w);
	}
	fake_stop(w);
}

/* What is the next of a flow, which stays where it is until the batch ends or does not. */
static void put_segment(struct fake_world *w, unsigned int i, struct sender *s, int letter, bool stays)
{
	static uint8_t data[20000];
	const struct tcp t = {
		.sport = (uint16_t)(40000 + i), .dport = 80, .seq = s->next, .ack = s->theirs + 1,
		.flags = TCPF_ACK | TCPF_PSH, .wnd = 60000, .opt = TCP_OPTS_INIT,
	};

	memset(data, letter, sizeof(data));
	assert_int_equal(fake_ingress_tcp(w, &inner, &remote, &t, data, sizeof(data)), stays);
	s->next += (uint32_t)sizeof(data);
	fake_check(w);
}

/* Large segments of two in one batch: each one's in one call, and none of the other's in it. Where
 * the host paces, each by itself, at once. */
static void test_in_place(void **state)
{
	static uint8_t data[32000];
	const struct fake_setup setup = { .mtu = 0 };
	struct fake_world *w = fake_start(&setup);
	struct sender s[2];
	uint32_t shown[2] = { 1460, 1460 };
	size_t before[2], sends;

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	for (unsigned int i = 0; i < 2; i++)
		open_one(w, i, &s[i], 1460);
	for (unsigned int i = 0; i < 100; i++)	/* until windows are large */
		shown[i % 2] = window_after(w, i % 2, &s[i % 2], data, MIN_OF(shown[i % 2], (uint32_t)sizeof(data)));
	assert_true(shown[0] >= 40000 && shown[1] >= 40000);
	sends = w->io.sends;
	for (unsigned int i = 0; i < 2; i++)
		before[i] = s[i].sock->out.len;
	for (unsigned int i = 0; i < 4; i++)
		put_segment(w, i % 2, &s[i % 2], 'a' + (int)i, true);
	assert_int_equal(w->io.sends, sends);
	fake_turn(w);
	fake_check(w);
	assert_int_equal(w->io.sends, sends + 2);
	for (unsigned int i = 0; i < 2; i++) {
		const uint8_t *out = s[i].sock->out.p + before[i];

		assert_int_equal(s[i].sock->out.len, before[i] + 40000);
		for (size_t k = 0; k < 40000; k++)
			assert_int_equal(out[k], 'a' + (int)i + (k < 20000 ? 0 : 2));
	}
	w->c.paced = true;
	put_segment(w, 0, &s[0], 'e', false);
	put_segment(w, 0, &s[0], 'f', false);
	assert_int_equal(w->io.sends, sends + 4);
	fake_turn(w);
	fake_check(w);
	assert_int_equal(w->io.sends, sends + 4);
	fake_frames_drop(w);
	fake_stop(w);
}

/* In company the window of one that could have more is its share. */
static void test_shares(void **state)
{
	static uint8_t data[32000];
	const struct fake_setup setup = { .mtu = 0 };
	struct fake_world *w = fake_start(&setup);
	struct sender s[2];
	uint32_t alone = 0, beside = 0;

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	for (unsigned int i = 0; i < 2; i++)
		open_one(w, i, &s[i], 1460);
	while (alone < 1u << 20) {	/* all that was asked for, while nobody else sends */
		uint32_t now = window_after(w, 0, &s[0], data, MIN_OF(sizeof(data), MAX_OF(alone, 4096u)));

		assert_true(s[0].next - ISN < 64u << 20);
		if (now == alone && s[0].next - ISN > 16u << 20)
			break;
		alone = now;
	}
	assert_true(alone > 256u << 10);
	window_after(w, 1, &s[1], data, 1000);
	for (int i = 0; i < 64; i++)	/* the right edge stays; data move up to it */
		beside = window_after(w, 0, &s[0], data, sizeof(data));
	assert_true(beside <= 256u << 10);
	assert_true(beside >= 64u << 10);
	fake_stop(w);
}

/* When most of the arena is promised, a window that had grown shrinks as its bytes
 * come in: its right edge stays, and the memory goes back. */
static void test_memory_short(void **state)
{
	static uint8_t data[32000];
	const struct fake_setup setup = { .chunks = 348 };	/* a window of a megabyte promises 258 */
	struct fake_world *w = fake_start(&setup);
	struct sender s[4];
	uint32_t shown = 0, before;

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	open_one(w, 0, &s[0], 1460);
	for (int i = 0; i < 200; i++)
		shown = window_after(w, 0, &s[0], data, MIN_OF(sizeof(data), MAX_OF(shown, 4096u)));
	assert_int_equal(w->c.pool.reserved, 258);
	for (unsigned int i = 1; i < 4; i++)	/* more than three quarters now */
		open_one(w, i, &s[i], 1460);
	before = w->c.pool.reserved;
	for (int i = 0; i < 200; i++)
		shown = window_after(w, 0, &s[0], data, MIN_OF(sizeof(data), shown));
	assert_int_equal(w->c.pool.reserved, before - 128);
	assert_true(shown >= 256u << 10 && shown <= 512u << 10);
	fake_stop(w);
}

/* A connection in TIME-WAIT makes way where the table is full, an open one does not. */
static void test_time_wait_makes_way(void **state)
{
	const struct tcp_opts none = TCP_OPTS_INIT;
	const struct fake_setup setup = { .flows = 1 };
	struct fake_world *w = fake_start(&setup);
	struct sender s[2];

	(void)state;
	assert_int_equal(addr_parse("203.0.113.2", &inner), 0);
	assert_int_equal(addr_parse("198.51.100.10", &remote), 0);
	open_one(w, 0, &s[0], 1460);
	s[0].sock->in_eof = true;
	fake_event(w, s[0].sock, true, false, false);
	fake_turn(w);
	s[0].theirs++;
	send_segment(w, 0, &s[0], TCPF_ACK | TCPF_FIN, &none, NULL, 0);
	assert_false(s[0].sock->open);
	fake_frames_drop(w);
	open_one(w, 1, &s[1], 1460);
	assert_int_equal(w->count.flows_evicted, 1);
	send_segment(w, 2, &s[0], TCPF_SYN, &none, NULL, 0);
	assert_int_equal(w->count.flows_refused, 1);
	fake_stop(w);
}

/* A host without memory for a moment: what it did not take goes without an event. */
static void test_starved(void **state)
{
	const struct fake_setup setup = { .flows = 0 };
	const struct tcp_opts none = TCP_OPTS_INIT;
	struct fake_world *w = fake_start(&setup);
	struct sender s;

	(void)state;
	open_one(w, 0, &s, 1460);
	for (int i = 0; i < 3; i++) {
		s.sock->err = i & 1 ? -ENOBUFS : -ENOMEM;
		send_segment(w, 0, &s, TCPF_ACK | TCPF_PSH, &none, "twelve bytes", 12);
		s.next += 12;
		assert_int_equal(s.sock->out.len, 12 * i);
		assert_int_equal(w->count.tcp_starved, i + 1);
		assert_true(proto_next(&w->c) <= w->c.now + 20);
		w->c.now += 20;
		fake_turn(w);
		assert_int_equal(s.sock->out.len, 12 * (i + 1));
		assert_int_equal(w->c.starved_at, 0);
	}
	/* with the end behind it */
	s.sock->err = -ENOMEM;
	send_segment(w, 0, &s, TCPF_ACK | TCPF_FIN, &none, "twelve bytes", 12);
	assert_false(s.sock->shut);
	w->c.now += 20;
	fake_turn(w);
	assert_true(s.sock->shut);
	assert_int_equal(s.sock->out.len, 48);
	fake_frames_drop(w);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_large_segments),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_memory_short),
		cmocka_unit_test(test_time_wait_makes_way),
		cmocka_unit_test(test_starved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
