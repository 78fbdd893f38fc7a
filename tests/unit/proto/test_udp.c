/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/udp.c and admit.c over the fake world. */
#include "../unit.h"

#include <errno.h>

#include "fakeport.h"
#include "proto/network.h"
#include "proto/proto.h"
#include "proto/udp.h"
#include "wire/numbers.h"

static struct addr c4, r4, c6, r6;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct fake_world *start(const struct fake_setup *s)
{
	static const struct fake_setup usual;

	c4 = parse("203.0.113.2");
	r4 = parse("198.51.100.10");
	c6 = parse("2001:db8:1::2");
	r6 = parse("2001:db8:2::10");
	return fake_start(s ? s : &usual);
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

static bool put(struct fake_world *w, uint16_t sport, const char *data, size_t len, uint16_t gso)
{
	return fake_ingress_udp(w, &c4, &r4, sport, 7000, data, len, gso);
}

/* The host has another address: the next datagram goes by a socket of its own, from the
 * same port; what goes another way, or none, is left alone. */
static void test_network_changes(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_sock *first, *other;
	struct netcfg now = w->net;

	(void)state;
	assert_true(put(w, 4000, "hello", 5, 0));
	turn(w);
	first = fake_last(w);
	assert_true(fake_ingress_udp(w, &c6, &r6, 4001, 7000, "hello", 5, 0));
	turn(w);
	other = fake_last(w);
	now.mtu = 1400;
	network_change(&w->c, &now);
	assert_true(first->open && other->open);
	w->net.host4 = parse("203.0.113.9");
	network_change(&w->c, &w->net);
	assert_false(first->open);
	assert_true(other->open);
	assert_true(put(w, 4000, "again", 5, 0));
	turn(w);
	first = fake_last(w);
	assert_true(first->open);
	assert_int_equal(first->nsent, 1);
	assert_int_equal(first->sent[0].data.len, 5);
	assert_true(w->c.count->network_changes == 2);
	fake_stop(w);
}

static void test_one(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f;
	struct fake_sock *s;

	(void)state;
	assert_true(put(w, 4000, "hello", 5, 0));
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->outer_port, 7000);
	assert_true(addr_eq(&s->outer, &r4));
	assert_int_equal(s->nsent, 1);
	assert_int_equal(s->sent[0].data.len, 5);
	assert_memory_equal(s->sent[0].data.p, "hello", 5);
	assert_int_equal(s->sent[0].gso_size, 0);
	fake_put_dgram(s, "answer", 6, 0, 0);
	fake_event(w, s, true, false, false);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_UDP);
	assert_true(addr_eq(&f.ip.src, &r4) && addr_eq(&f.ip.dst, &c4));
	assert_int_equal(f.udp.sport, 7000);
	assert_int_equal(f.udp.dport, 4000);
	assert_int_equal(f.len, 6);
	assert_memory_equal(f.data, "answer", 6);
	assert_false(fake_frame(w, &f));
	put(w, 4000, "again", 5, 0);
	turn(w);
	assert_int_equal(w->io.opens, 1);	/* the same flow */
	assert_int_equal(w->count.udp_tx_datagrams, 2);
	assert_int_equal(w->count.udp_rx_datagrams, 1);
	fake_stop(w);
}

/* A TFTP server's answers come from a port that was not asked (RFC 1350, 4), those of one port
 * in one message; what goes back there is a flow of its own. */
static void test_tftp(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f;
	struct fake_sock *s;

	(void)state;
	assert_true(fake_ingress_udp(w, &c4, &r4, 4000, PORT_TFTP, "ask", 3, 0));
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->outer_port, PORT_TFTP);
	fake_put_from(s, &r4, 34567, "data", 4);
	fake_put_from(s, &r4, 34568, "data", 4);
	fake_event(w, s, true, false, false);
	turn(w);
	for (uint16_t port = 34567; port <= 34568; port++) {
		assert_true(fake_frame(w, &f));
		assert_true(addr_eq(&f.ip.src, &r4));
		assert_int_equal(f.udp.sport, port);
		assert_int_equal(f.udp.dport, 4000);
		assert_int_equal(f.len, 4);
	}
	assert_false(fake_frame(w, &f));
	assert_true(fake_ingress_udp(w, &c4, &r4, 4000, 34567, "ack", 3, 0));
	turn(w);
	assert_int_equal(w->io.opens, 2);
	assert_int_equal(fake_last(w)->outer_port, 34567);
	fake_stop(w);
}

static void test_six(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	assert_true(fake_ingress_udp(w, &c6, &r6, 4000, 7000, "hi", 2, 0));
	turn(w);
	assert_true(addr_eq(&fake_last(w)->outer, &r6));
	fake_put_dgram(fake_last(w), "", 0, 0, 0);	/* IPv6: its checksum is never 0 */
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.version, 6);
	assert_int_equal(f.len, 0);
	fake_stop(w);
}

/* Equal datagrams leave as one message, and the last may be shorter; one that is
 * larger, or follows the shorter one, begins anew (udp(7), UDP_SEGMENT). */
static void test_merge(void **state)
{
	static const size_t sizes[] = { 100, 100, 100, 40, 100, 100, 200, 200, 0, 100, 0, 0, 7 };
	static const uint32_t message[] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7 };
	struct fake_world *w = start(NULL);
	char data[200];
	struct fake_sock *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		memset(data, (int)('a' + i), sizeof(data));
		assert_true(put(w, 4000, data, sizes[i], 0));
	}
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->nsent, ARRAY_LEN(sizes));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_int_equal(s->sent[i].data.len, sizes[i]);
		assert_int_equal(s->sent[i].message, message[i]);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(s->sent[i].data.p[k], 'a' + i);
	}
	assert_int_equal(w->count.udp_tx_datagrams, ARRAY_LEN(sizes));
	fake_stop(w);
}

/* Datagrams of several flows in one batch: each its own, in its order. */
static void test_two_flows(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	for (int i = 0; i < 20; i++) {
		char d = (char)i;

		put(w, (uint16_t)(4000 + i % 2), &d, 1, 0);
	}
	turn(w);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(w->io.socks[k].nsent, 10);
		for (int i = 0; i < 10; i++)
			assert_int_equal(w->io.socks[k].sent[i].data.p[0], i * 2 + k);
	}
	fake_stop(w);
}

/* More than CTX_PENDING, and more than one message takes. */
static void test_many(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_sock *s;

	(void)state;
	for (int i = 0; i < 200; i++) {
		char d[100];

		memset(d, i, sizeof(d));
		put(w, 4000, d, sizeof(d), 0);
	}
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->nsent, 200);
	assert_in_range(s->messages, 4, 6);
	for (int i = 0; i < 200; i++)
		assert_int_equal(s->sent[i].data.p[99], i);
	fake_stop(w);
}

static void test_large(void **state)
{
	static char d[65507];
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	put(w, 4000, d, sizeof(d), 0);	/* the largest there is */
	put(w, 4000, d, 40000, 0);
	put(w, 4000, d, 40000, 0);	/* together they would be over a message's 65535 */
	turn(w);
	assert_int_equal(fake_last(w)->nsent, 3);
	assert_int_equal(fake_last(w)->messages, 3);
	fake_put_dgram(fake_last(w), d, sizeof(d), 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	assert_int_equal(w->io.nframes, (65515 + 1479) / 1480);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.len, sizeof(d));
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

/* What is larger than the container's MTU arrives in fragments, of both families, with
 * identifications of their own; also the segments of what GRO put together. */
static void test_fragments_out(void **state)
{
	static char d[9000];
	const struct addr *const pairs[][2] = { { &c4, &r4 }, { &c6, &r6 } };

	(void)state;
	for (size_t i = 0; i < sizeof(d); i++)
		d[i] = (char)(i / 7);
	for (int i = 0; i < 4; i++) {
		struct fake_world *w = start(&(struct fake_setup){ .no_offload = i & 2 });
		struct fake_seen f;
		uint32_t id;

		fake_ingress_udp(w, pairs[i & 1][0], pairs[i & 1][1], 4000, 7000, "a", 1, 0);
		turn(w);
		fake_put_dgram(fake_last(w), d, sizeof(d), 0, 0);
		fake_put_dgram(fake_last(w), d, 8000, 4000, 0);
		fake_event(w, fake_last(w), true, false, false);
		turn(w);
		assert_int_equal(w->count.frag_tx, 7 + 3 + 3);
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.len, sizeof(d));
		assert_memory_equal(f.data, d, sizeof(d));
		id = f.ip.id;
		assert_true(fake_frame(w, &f));
		assert_memory_equal(f.data, d, 4000);
		assert_true(fake_frame(w, &f));
		assert_memory_equal(f.data, d + 4000, 4000);
		assert_true(f.ip.id != id);
		assert_false(fake_frame(w, &f));
		fake_stop(w);
	}
}

/* USO frames: of more than 64 segments in two messages, which is all there can be. */
static void test_uso(void **state)
{
	static char d[127 * 100 + 50];
	struct fake_world *w = start(NULL);
	struct fake_sock *s;

	(void)state;
	for (size_t i = 0; i < sizeof(d); i++)
		d[i] = (char)(i / 100);
	assert_true(put(w, 4000, d, 250, 100));
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->nsent, 3);
	assert_int_equal(s->messages, 1);
	assert_int_equal(s->sent[2].data.len, 50);
	assert_true(put(w, 4000, d, sizeof(d), 100));
	turn(w);
	assert_int_equal(s->nsent, 3 + 128);
	assert_int_equal(s->messages, 3);
	for (int i = 0; i < 128; i++) {
		assert_int_equal(s->sent[3 + i].data.len, i < 127 ? 100 : 50);
		assert_int_equal(s->sent[3 + i].data.p[0], i);
	}
	assert_true(put(w, 4000, d, 100, 100));	/* one segment: no super-frame */
	turn(w);
	assert_int_equal(s->sent[131].gso_size, 0);
	assert_false(put(w, 4000, d, sizeof(d), 50));	/* 255 of them: nonsense */
	assert_int_equal(w->count.drop_martian, 1);
	fake_stop(w);
}

/* A path that does not take UDP_SEGMENT gets each by itself, then and later. */
static void test_no_gso(void **state)
{
	struct fake_world *w = start(NULL);
	char d[300] = { 1 };
	struct fake_sock *s;

	(void)state;
	put(w, 4000, d, 10, 0);
	turn(w);
	s = fake_last(w);
	s->no_gso = true;
	put(w, 4000, d, 250, 100);
	turn(w);
	assert_int_equal(s->nsent, 4);
	assert_int_equal(s->messages, 4);
	put(w, 4000, d, 100, 0);
	put(w, 4000, d, 100, 0);
	put(w, 4000, d, 250, 100);
	turn(w);
	assert_int_equal(s->nsent, 9);
	assert_int_equal(s->messages, 9);
	assert_int_equal(w->count.udp_tx_datagrams, 9);
	assert_int_equal(w->count.udp_tx_error, 0);
	fake_stop(w);
}

/* What an earlier datagram met is told to the container, and the new one is sent. */
static void test_error_on_send(void **state)
{
	const struct port_err refused = {
		.type = ICMP4_UNREACH, .code = ICMP4_UNREACH_PORT, .err = -ECONNREFUSED,
		.offender = parse("198.51.100.10"),
	};
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	put(w, 4000, "a", 1, 0);
	turn(w);
	fake_put_err(fake_last(w), &refused, "a", 1);
	put(w, 4000, "b", 1, 0);
	turn(w);
	assert_int_equal(fake_last(w)->nsent, 2);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_ICMP);
	assert_int_equal(f.icmp.type, ICMP4_UNREACH);
	assert_int_equal(f.icmp.code, ICMP4_UNREACH_PORT);
	assert_true(addr_eq(&f.ip.src, &r4));
	fake_last(w)->send_err = -EAGAIN;	/* full: lost, as on a network */
	put(w, 4000, "c", 1, 0);
	turn(w);
	assert_int_equal(fake_last(w)->nsent, 2);
	assert_int_equal(w->count.udp_tx_error, 1);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

/* What the host itself refuses is told once, and not tried again. */
static void test_refused_by_host(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	put(w, 4000, "a", 1, 0);
	turn(w);
	fake_last(w)->send_err = -EPERM;
	put(w, 4000, "b", 1, 0);
	turn(w);
	assert_int_equal(fake_last(w)->nsent, 1);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.icmp.code, ICMP4_UNREACH_ADMIN);
	assert_true(addr_eq(&f.ip.src, &w->conf.host_addresses[0]));
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.udp_tx_error, 1);
	fake_stop(w);
}

/* An error that a receive meets before its event does not hide what was received. */
static void test_error_on_receive(void **state)
{
	const struct port_err unreach = {
		.type = ICMP6_UNREACH, .code = ICMP6_UNREACH_ADDR, .err = -EHOSTUNREACH,
		.offender = parse("2001:db8:9::1"),
	};
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	fake_ingress_udp(w, &c6, &r6, 4000, 7000, "a", 1, 0);
	turn(w);
	fake_put_err(fake_last(w), &unreach, "a", 1);
	fake_put_dgram(fake_last(w), "b", 1, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	do
		turn(w);
	while (proto_busy(&w->c));
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_ICMP6);
	assert_int_equal(f.icmp.type, ICMP6_UNREACH);
	assert_int_equal(f.icmp.code, ICMP6_UNREACH_ADDR);
	assert_true(addr_eq(&f.ip.src, &unreach.offender));
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_UDP);
	fake_stop(w);
}

static bool put_ip(struct fake_world *w, const struct flow_ip *ip)
{
	uint8_t dgram[UDP_HLEN + 10] = { 0 };
	struct wr out = wr_init(dgram, sizeof(dgram));

	udp_write(&out, &(struct udp){ .sport = 4000, .dport = 53, .len = sizeof(dgram) });
	return fake_ingress(w, &(struct fake_packet){
		.src = c4, .dst = r4, .proto = PROTO_UDP, .ttl = ip->ttl, .tos = ip->tos,
		.no_df = !ip->df, .l4 = dgram, .len = sizeof(dgram),
	});
}

/* Hop limit (one less), DSCP, ECN and DF leave with each datagram; only those that are
 * alike go as one message. */
static void test_header_out(void **state)
{
	static const struct flow_ip in[] = {
		{ 64, 0, true }, { 64, 0, true }, { 9, 0, true }, { 64, 0xb8, true },
		{ 64, 0xb8, true }, { 64, 0xbb, true }, { 64, 0, false }, { 64, 0, false },
		{ 2, 0, true },
	};
	static const uint32_t message[] = { 0, 0, 1, 2, 2, 3, 4, 4, 5 };
	struct fake_world *w = start(NULL);
	struct fake_sock *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_true(put_ip(w, &in[i]));
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->nsent, ARRAY_LEN(in));
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		assert_int_equal(s->sent[i].ip.ttl, in[i].ttl - 1);
		assert_int_equal(s->sent[i].ip.tos, in[i].tos);
		assert_int_equal(s->sent[i].ip.df, in[i].df);
		assert_int_equal(s->sent[i].message, message[i]);
	}
	fake_stop(w);
}

static void test_header_in(void **state)
{
	static const struct flow_ip in[] = {
		{ 64, 0, true }, { 64, 0, true }, { 64, 3, true }, { 1, 3, true },
		{ 255, 0xb8, true },
	};
	static const size_t frames[] = { 2, 1, 1, 1 };
	struct fake_world *w = start(NULL);
	struct fake_seen f;
	size_t k = 0;

	(void)state;
	put(w, 4000, "a", 1, 0);
	turn(w);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		fake_put_dgram_ip(fake_last(w), "0123456789", 10, &in[i]);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	for (size_t i = 0; i < ARRAY_LEN(frames); k += frames[i++]) {
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.len, 10 * frames[i]);
		assert_int_equal(f.ip.ttl, in[k].ttl > 1 ? in[k].ttl - 1 : 1);
		assert_int_equal(f.ip.tos, in[k].tos);
	}
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

/* A path that got too small: the container hears its MTU for each datagram that is
 * refused, and segmentation goes on when it has heeded it. */
static void test_too_big(void **state)
{
	static char d[1472 * 4];
	struct fake_world *w = start(NULL);
	struct fake_seen f;
	struct fake_sock *s;
	uint32_t messages;

	(void)state;
	put(w, 4000, d, sizeof(d), 1472);
	turn(w);
	s = fake_last(w);
	assert_int_equal(s->nsent, 4);
	s->mtu = 1400;
	put(w, 4000, d, sizeof(d), 1472);
	turn(w);
	assert_int_equal(s->nsent, 4);
	for (int i = 0; i < 4; i++) {
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.icmp.type, ICMP4_UNREACH);
		assert_int_equal(f.icmp.code, ICMP4_UNREACH_FRAG);
		assert_int_equal(f.icmp.mtu, 1400);
	}
	assert_false(fake_frame(w, &f));
	messages = s->messages;
	put(w, 4000, d, 1372 * 4, 1372);
	turn(w);
	assert_int_equal(s->nsent, 8);
	assert_int_equal(s->messages, messages + 1);
	fake_stop(w);
}

static void test_no_route(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	w->io.open_rc = -ENETUNREACH;
	put(w, 4000, "a", 1, 0);
	turn(w);
	assert_int_equal(w->c.flows.count, 0);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.icmp.code, ICMP4_UNREACH_NET);
	assert_int_equal(f.len, IP4_HLEN + UDP_HLEN + 1);	/* all of the datagram */
	assert_int_equal(f.data[f.len - 1], 'a');
	assert_int_equal(w->count.udp_tx_error, 1);
	assert_int_equal(w->count.flows_refused, 0);		/* no cap of anything */
	fake_stop(w);
}

/* What came in one go leaves as one USO frame, or as several where the tap has none. */
static void receive_batch(bool no_uso)
{
	static const size_t sizes[] = { 300, 300, 300, 100, 300, 0, 300 };
	struct fake_world *w = start(&(struct fake_setup){ .no_uso = no_uso });
	char d[300];
	size_t at = 0, i = 0;
	struct fake_seen f;

	put(w, 4000, "a", 1, 0);
	turn(w);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		memset(d, (int)i, sizeof(d));
		fake_put_dgram(fake_last(w), d, sizes[i], 0, 0);
	}
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	assert_int_equal(w->io.nframes, no_uso ? ARRAY_LEN(sizes) : 4);
	i = 0;
	while (fake_frame(w, &f)) {
		assert_int_equal(f.gso_size, !no_uso && i == 0 ? 300 : 0);
		at = 0;
		do {
			assert_in_range(i, 0, ARRAY_LEN(sizes) - 1);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(f.data[at + k], i);
			at += sizes[i++];
		} while (at < f.len);
		assert_int_equal(at, f.len);
	}
	assert_int_equal(i, ARRAY_LEN(sizes));
	fake_stop(w);
}

static void test_receive_uso(void **state)
{
	(void)state;
	receive_batch(false);
}

static void test_receive_plain(void **state)
{
	(void)state;
	receive_batch(true);
}

/* The kernel's GRO gives several in one: passed on as one, or cut up here. */
static void test_receive_gro(void **state)
{
	(void)state;
	for (int no_uso = 0; no_uso < 2; no_uso++) {
		struct fake_world *w = start(&(struct fake_setup){ .no_uso = no_uso });
		static char d[1050];
		struct fake_seen f;

		put(w, 4000, "a", 1, 0);
		turn(w);
		fake_put_dgram(fake_last(w), d, sizeof(d), 100, 0);
		fake_put_dgram(fake_last(w), d, 100, 0, 0);
		fake_event(w, fake_last(w), true, false, false);
		turn(w);
		assert_int_equal(w->io.nframes, no_uso ? 12 : 2);
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.len, no_uso ? 100 : sizeof(d));
		assert_int_equal(w->count.udp_rx_datagrams, 12);
		fake_stop(w);
	}
}

static void pass_time(struct fake_world *w, uint64_t ms)
{
	w->c.now += ms;
	turn(w);
}

static void test_time_outs(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	put(w, 4000, "a", 1, 0);
	turn(w);
	pass_time(w, udp_oneway_ms(&w->c) - 1);
	put(w, 4000, "b", 1, 0);		/* used: from now on anew */
	turn(w);
	pass_time(w, udp_oneway_ms(&w->c) - 1);
	assert_int_equal(w->c.flows.count, 1);
	pass_time(w, 1);
	assert_int_equal(w->c.flows.count, 0);
	assert_false(fake_last(w)->open);

	put(w, 4000, "a", 1, 0);
	turn(w);
	assert_int_equal(w->io.opens, 2);
	fake_put_dgram(fake_last(w), "b", 1, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	pass_time(w, udp_twoway_ms(&w->c) - 1);
	assert_int_equal(w->c.flows.count, 1);
	pass_time(w, 1);
	assert_int_equal(w->c.flows.count, 0);
	fake_frames_drop(w);
	fake_stop(w);
}

/* A resolver's flow ends with the answer to its last question. */
static void test_dns(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	for (int i = 0; i < 3; i++)
		fake_ingress_udp(w, &c4, &r4, 4000, PORT_DNS, "question", 8, 0);
	fake_ingress_udp(w, &c4, &r4, 4000, PORT_DNS, "two of them", 10, 5);
	turn(w);
	fake_put_dgram(fake_last(w), "4 answers", 8, 2, 0);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	assert_int_equal(w->c.flows.count, 1);
	fake_put_dgram(fake_last(w), "the fifth", 9, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	assert_int_equal(w->c.flows.count, 0);
	assert_int_equal(w->count.udp_rx_datagrams, 5);
	fake_frames_drop(w);
	fake_ingress_udp(w, &c4, &r4, 4000, PORT_DNS, "never answered", 14, 0);
	turn(w);
	pass_time(w, udp_oneway_ms(&w->c));
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* As configured, not as the default has it. */
static void test_configured_time_outs(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	w->conf.udp_timeout = 2;
	w->conf.udp_stream = 3;
	put(w, 4000, "a", 1, 0);
	turn(w);
	pass_time(w, 1999);
	assert_int_equal(w->c.flows.count, 1);
	fake_put_dgram(fake_last(w), "b", 1, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	pass_time(w, 2999);
	assert_int_equal(w->c.flows.count, 1);
	pass_time(w, 1);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* A full table: the least recently used goes, with what it still had to send. */
static void test_eviction(void **state)
{
	struct fake_world *w = start(&(struct fake_setup){ .flows = 3 });

	(void)state;
	put(w, 1, "a", 1, 0);
	put(w, 2, "b", 1, 0);
	put(w, 3, "c", 1, 0);
	turn(w);
	put(w, 1, "d", 1, 0);		/* 2 is now the oldest */
	put(w, 4, "e", 1, 0);
	turn(w);
	assert_true(w->io.socks[0].open && !w->io.socks[1].open && w->io.socks[2].open);
	assert_int_equal(w->count.flows_evicted, 1);
	/* in one batch more than fit: the first ones are gone before they are sent */
	for (uint16_t p = 10; p < 20; p++)
		put(w, p, "x", 1, 0);
	turn(w);
	assert_int_equal(w->c.flows.count, 3);
	assert_int_equal(w->count.flows_evicted, 11);
	assert_int_equal(w->count.flows_refused, 0);
	fake_stop(w);
}

/* Descriptors run out: the same. */
static void test_out_of_sockets(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	w->io.max_open = 2;
	put(w, 1, "a", 1, 0);
	put(w, 2, "b", 1, 0);
	put(w, 3, "c", 1, 0);
	turn(w);
	assert_int_equal(w->c.flows.count, 2);
	assert_int_equal(w->count.flows_evicted, 1);
	w->io.max_open = 0;		/* nothing helps */
	put(w, 4, "d", 1, 0);
	turn(w);
	assert_int_equal(w->count.flows_refused, 1);
	fake_stop(w);
}

/* flows_refused is about caps; what else keeps a socket from being is none. */
static void test_caps(void **state)
{
	static const struct { int rc; unsigned int refused; } rows[] = {
		{ -EMFILE, 1 }, { -ENFILE, 1 }, { -ENOBUFS, 1 }, { -ENOMEM, 1 }, { -ENOSPC, 1 },
		{ -ENETUNREACH, 0 }, { -EHOSTUNREACH, 0 }, { -EACCES, 0 }, { -EPERM, 0 },
		{ -EADDRNOTAVAIL, 0 }, { -EINVAL, 0 }, { -EAFNOSUPPORT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_world *w = start(NULL);

		w->io.open_rc = rows[i].rc;
		put(w, 1, "a", 1, 0);
		turn(w);
		assert_int_equal(w->count.flows_refused, rows[i].refused);
		assert_int_equal(w->count.udp_tx_error, !rows[i].refused);
		assert_int_equal(w->c.flows.count, 0);
		fake_stop(w);
	}
}

static void syn(struct fake_world *w, uint16_t sport)
{
	const struct tcp t = {
		.sport = sport, .dport = 80, .seq = 5, .flags = TCPF_SYN, .wnd = 64240,
		.opt = TCP_OPTS_INIT,
	};

	fake_ingress_tcp(w, &c4, &r4, &t, NULL, 0);
	turn(w);
}

/* Of a table full of connections none makes way: RST for one more, silence for a
 * datagram; a datagram's flow makes way for a connection. */
static void test_full_of_tcp(void **state)
{
	struct fake_world *w = start(&(struct fake_setup){ .flows = 2 });
	struct fake_seen f;

	(void)state;
	put(w, 1, "a", 1, 0);
	syn(w, 2);
	syn(w, 3);
	assert_int_equal(w->count.flows_evicted, 1);
	assert_false(w->io.socks[0].open);
	fake_frames_drop(w);
	syn(w, 4);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.tcp.flags, TCPF_RST | TCPF_ACK);
	assert_int_equal(f.tcp.ack, 6);
	assert_int_equal(f.tcp.dport, 4);
	assert_int_equal(w->count.flows_refused, 1);
	put(w, 5, "a", 1, 0);
	turn(w);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.flows_refused, 2);
	assert_int_equal(w->c.flows.count, 2);
	assert_int_equal(w->io.opens, 3);
	fake_stop(w);
}

static void test_port_zero(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	assert_false(fake_ingress_udp(w, &c4, &r4, 4000, 0, "a", 1, 0));
	assert_int_equal(w->io.opens, 0);
	fake_stop(w);
}

/* An event of a flow that is gone, whose slot another has now. */
static void test_stale_event(void **state)
{
	struct fake_world *w = start(&(struct fake_setup){ .flows = 1 });
	struct fake_sock old;

	(void)state;
	put(w, 1, "a", 1, 0);
	turn(w);
	old = *fake_last(w);
	put(w, 2, "b", 1, 0);
	turn(w);
	assert_int_equal(fake_last(w)->flow, old.flow);
	fake_event(w, &old, true, true, true);
	assert_int_equal(w->c.flows.nready, 0);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network_changes), cmocka_unit_test(test_one), cmocka_unit_test(test_six),
		cmocka_unit_test(test_merge), cmocka_unit_test(test_two_flows),
		cmocka_unit_test(test_many), cmocka_unit_test(test_large),
		cmocka_unit_test(test_fragments_out),
		cmocka_unit_test(test_uso), cmocka_unit_test(test_no_gso),
		cmocka_unit_test(test_error_on_send), cmocka_unit_test(test_error_on_receive),
		cmocka_unit_test(test_no_route), cmocka_unit_test(test_receive_uso),
		cmocka_unit_test(test_receive_plain), cmocka_unit_test(test_receive_gro),
		cmocka_unit_test(test_time_outs), cmocka_unit_test(test_dns),
		cmocka_unit_test(test_configured_time_outs), cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_out_of_sockets), cmocka_unit_test(test_caps),
		cmocka_unit_test(test_full_of_tcp), cmocka_unit_test(test_port_zero),
		cmocka_unit_test(test_stale_event), cmocka_unit_test(test_refused_by_host),
		cmocka_unit_test(test_header_out), cmocka_unit_test(test_header_in),
		cmocka_unit_test(test_too_big), cmocka_unit_test(test_tftp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
