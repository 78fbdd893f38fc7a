/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/group.c and flow/groups.c over the fake world: who is joined, on
 * which ports, for how long; who is heard; what is not given back. */
#include "../unit.h"

#include <errno.h>

#include "fakeport.h"
#include "proto/group.h"
#include "proto/proto.h"
#include "proto/udp.h"
#include "wire/numbers.h"

static struct addr c4, r4, c6, l6, mdns4, mdns6;

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
	r4 = parse("203.0.113.77");
	c6 = parse("2001:db8:1::2");
	l6 = parse("fe80::5054:ff:fe01:203");
	mdns4 = parse("224.0.0.251");
	mdns6 = parse("ff02::fb");
	return fake_start(s ? s : &usual);
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

static void pass_time(struct fake_world *w, uint64_t ms)
{
	w->c.now += ms;
	turn(w);
}

/* IGMPv2 or MLDv1: report or leave. */
static void report_ttl(struct fake_world *w, const struct addr *group, bool wanted, uint8_t ttl)
{
	bool v4 = addr_is4(group);
	uint8_t msg[24] = { v4 ? (wanted ? IGMP2_REPORT : IGMP_LEAVE) :
				 (wanted ? MLD_REPORT : MLD_DONE) };
	struct fake_packet p = {
		.src = v4 ? c4 : l6, .dst = *group, .proto = v4 ? PROTO_IGMP : PROTO_ICMP6,
		.ttl = ttl, .l4 = msg, .len = v4 ? 8 : 24,
	};

	memcpy(msg + (v4 ? 4 : 8), addr_bytes(group), addr_size(group));
	fake_ingress(w, &p);
	turn(w);
}

static void report(struct fake_world *w, const struct addr *group, bool wanted)
{
	report_ttl(w, group, wanted, 1);
}

static struct fake_sock *listener(struct fake_world *w, const struct addr *group, uint16_t port)
{
	for (uint32_t i = 0; i < FAKE_SOCKS; i++) {
		struct fake_sock *s = &w->io.socks[i];
		const struct flow *f = s->open ? fake_flow(w, s) : NULL;

		if (f && flow_is_listener(f) && addr_eq(&s->outer, group) && s->outer_port == port)
			return s;
	}
	return NULL;
}

static void send_to(struct fake_world *w, const struct addr *dst, uint16_t sport, uint16_t dport,
		    const char *text)
{
	assert_true(fake_ingress_udp(w, addr_is4(dst) ? &c4 : &l6, dst, sport, dport, text,
				     strlen(text), 0));
	turn(w);
}

static void receive(struct fake_world *w, struct fake_sock *s, const struct addr *from,
		    uint16_t port, const char *text)
{
	fake_put_from(s, from, port, text, strlen(text));
	fake_event(w, s, true, false, false);
	turn(w);
}

/* A known group: heard at its port, each datagram with its own source. */
static void test_known_group(void **state)
{
	const struct addr others[] = { parse("203.0.113.77"), parse("203.0.113.78") };
	struct fake_world *w = start(NULL);
	struct fake_sock *s;
	struct fake_seen f;

	(void)state;
	report(w, &mdns4, true);
	s = listener(w, &mdns4, 5353);
	assert_non_null(s);
	assert_int_equal(s->outer_scope, w->net.outer_ifindex4);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct mac to = { { 1, 0, 0x5e, 0, 0, 251 } };

		receive(w, s, &others[i], (uint16_t)(5353 + i), "announcement");
		assert_true(fake_frame(w, &f));
		assert_true(addr_eq(&f.ip.src, &others[i]) && addr_eq(&f.ip.dst, &mdns4));
		assert_true(mac_eq(&f.dst, &to));
		assert_int_equal(f.udp.sport, 5353 + i);
		assert_int_equal(f.udp.dport, 5353);
		assert_memory_equal(f.data, "announcement", 12);
	}
	report(w, &mdns4, true);		/* again: the same membership, the same socket */
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(w->count.groups_joined, 1);
	fake_stop(w);
}

static void test_six(void **state)
{
	struct fake_world *w = start(NULL);
	const struct addr from = parse("fe80::77");
	struct fake_seen f;

	(void)state;
	report(w, &mdns6, true);
	receive(w, listener(w, &mdns6, 5353), &from, 5353, "hi");
	assert_true(fake_frame(w, &f));
	assert_true(addr_eq(&f.ip.src, &from) && addr_eq(&f.ip.dst, &mdns6));
	assert_int_equal(f.dst.b[0], 0x33);
	assert_int_equal(f.dst.b[5], 0xfb);
	assert_int_equal(w->count.drop_proto + w->count.drop_martian, 0);
	fake_stop(w);
}

/* Groups without a program behind them, and reports that came through a router. */
static void test_not_joined(void **state)
{
	static const char *const texts[] = { "224.0.0.1", "ff02::1", "ff02::1:ff00:1" };
	struct fake_world *w = start(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct addr group = parse(texts[i]);

		report(w, &group, true);
	}
	assert_int_equal(w->c.groups.n, 0);
	report_ttl(w, &mdns4, true, 2);
	report_ttl(w, &mdns6, true, 64);
	assert_int_equal(w->c.groups.n, 0);
	assert_int_equal(w->count.drop_martian, 2);
	fake_stop(w);
}

/* A group of no known port: from what the container sends there, before or after. */
static void test_learned_ports(void **state)
{
	struct fake_world *w = start(NULL);
	const struct addr group = parse("239.9.9.9");

	(void)state;
	send_to(w, &group, 4000, 9000, "before");
	report(w, &group, true);
	assert_non_null(listener(w, &group, 9000));
	send_to(w, &group, 4000, 9001, "after");
	assert_non_null(listener(w, &group, 9001));
	for (uint16_t port = 1; port < 20; port++)
		send_to(w, &group, 4000, port, "many");
	assert_int_equal(groups_find(&w->c.groups, &group)->nports, GROUP_PORTS_MAX);
	assert_null(listener(w, &group, 19));
	fake_stop(w);
}

/* The host's kernel gives listeners a copy of what we send: once, not back. */
static void test_echo(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_sock *s;
	struct fake_seen f;

	(void)state;
	report(w, &mdns4, true);
	s = listener(w, &mdns4, 5353);
	send_to(w, &mdns4, 5353, 5353, "who is there");
	receive(w, s, &w->net.host4, 5353, "who is there");
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.groups_echoes, 1);
	/* another host asks the same */
	receive(w, s, &r4, 5353, "who is there");
	assert_true(fake_frame(w, &f));
	/* a copy that never came is not waited for long */
	send_to(w, &mdns4, 5353, 5353, "lost");
	pass_time(w, GROUP_ECHO_MS + 1);
	receive(w, s, &r4, 5353, "lost");
	assert_true(fake_frame(w, &f));
	fake_stop(w);
}

/* The host's own daemon, whose address the container has too. */
static void test_from_host(void **state)
{
	struct fake_world *w = start(NULL);
	const struct addr host = parse("169.254.1.2");
	struct fake_seen f;

	(void)state;
	report(w, &mdns4, true);
	receive(w, listener(w, &mdns4, 5353), &w->net.host4, 5353, "hi");
	assert_true(fake_frame(w, &f));
	assert_true(addr_eq(&f.ip.src, &host));
	fake_stop(w);
}

/* Answers to a question come from anyone, to who asked. */
static void test_answers(void **state)
{
	static const char *const dsts[] = { "239.255.255.250", "255.255.255.255", "203.0.113.255",
					    "ff02::c" };
	const struct addr all = parse("255.255.255.255");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dsts); i++) {
		struct fake_world *w = start(NULL);
		const struct addr dst = parse(dsts[i]);
		const struct addr from = addr_is4(&dst) ? r4 : parse("fe80::77");
		struct fake_sock *s;
		struct fake_seen f;

		send_to(w, &dst, 40000, 1900, "M-SEARCH");
		s = fake_last(w);
		assert_true(addr_eq(&s->outer, addr_is_multicast(&dst) ? &dst : &all));
		assert_int_equal(s->outer_port, 1900);
		assert_int_equal(s->nsent, 1);
		assert_int_equal(s->sent[0].ip.ttl, 64);
		assert_false(s->sent[0].ip.df);
		receive(w, s, &from, 51000, "OK");
		assert_true(fake_frame(w, &f));
		assert_true(addr_eq(&f.ip.src, &from));
		assert_true(addr_eq(&f.ip.dst, addr_is4(&dst) ? &c4 : &l6));
		assert_int_equal(f.udp.sport, 51000);
		assert_int_equal(f.udp.dport, 40000);
		assert_int_equal(f.ip.ttl, 64);		/* as it came: no hop between */
		/* nothing of it is an error to the container (RFC 1122, 3.2.2) */
		s->queued_err = -EHOSTUNREACH;
		fake_event(w, s, true, false, true);
		turn(w);
		assert_false(fake_frame(w, &f));
		/* nothing that no host can be */
		receive(w, s, &s->outer, 1, "x");
		assert_false(fake_frame(w, &f));
		assert_int_equal(w->c.flows.count, 1);
		pass_time(w, udp_twoway_ms(&w->c));
		assert_int_equal(w->c.flows.count, 0);
		fake_stop(w);
	}
}

/* The hop limit that bounds how far a question goes is the container's. */
static void test_hop_limit(void **state)
{
	struct fake_world *w = start(NULL);
	uint8_t dgram[UDP_HLEN + 1] = { 0x10, 0, 0x20, 0, 0, 9 };
	struct fake_packet p = { .src = c4, .dst = parse("239.1.1.1"), .proto = PROTO_UDP,
				 .l4 = dgram, .len = sizeof(dgram) };

	(void)state;
	for (uint8_t ttl = 1; ttl < 4; ttl++) {
		p.ttl = ttl;
		fake_ingress(w, &p);
		fake_ingress(w, &p);
	}
	turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(fake_last(w)->nsent, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(fake_last(w)->sent[i].ip.ttl, 1 + i / 2);
	fake_stop(w);
}

/* We ask while there are members; who does not answer is forgotten. */
static void test_queries(void **state)
{
	struct fake_world *w = start(NULL);
	uint64_t from;

	(void)state;
	assert_true(proto_next(&w->c) == UINT64_MAX);
	report(w, &mdns4, true);
	from = w->c.now;
	for (int i = 1; i <= 4; i++) {
		assert_int_equal(groups_next(&w->c.groups), from + GROUP_QUERY_MS);
		assert_true(proto_next(&w->c) <= from + GROUP_QUERY_MS);
		w->c.now = from += GROUP_QUERY_MS;
		turn(w);
		assert_int_equal(w->count.groups_queries, 2 * i);	/* a family each */
		fake_frames_drop(w);
		report(w, &mdns4, true);
		assert_non_null(listener(w, &mdns4, 5353));
	}
	pass_time(w, GROUP_TIMEOUT_MS - 1);
	assert_int_equal(w->c.groups.n, 1);
	assert_non_null(listener(w, &mdns4, 5353));
	pass_time(w, 1);
	assert_int_equal(w->c.groups.n, 0);
	assert_null(listener(w, &mdns4, 5353));
	pass_time(w, 2 * GROUP_QUERY_MS);
	assert_true(proto_next(&w->c) == UINT64_MAX);	/* nobody left to ask */
	fake_frames_drop(w);
	fake_stop(w);
}

static void test_leave(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	for (int stays = 0; stays < 2; stays++) {
		report(w, &mdns4, true);
		report(w, &mdns4, false);
		assert_int_equal(w->count.groups_queries, 2 * (stays + 1));	/* at once */
		if (stays)
			report(w, &mdns4, true);	/* another member behind the tap */
		pass_time(w, GROUP_LEAVE_MS);
		assert_int_equal(w->c.groups.n, stays);
		assert_int_equal(listener(w, &mdns4, 5353) != NULL, stays);
	}
	fake_frames_drop(w);
	fake_stop(w);
}

/* An answer to a question that came by a group leaves from the group's port; but no
 * other port is shared, and none with everybody. */
static void test_shared_port(void **state)
{
	struct fake_world *w = start(NULL);
	const struct addr group = parse("239.9.9.9");

	(void)state;
	send_to(w, &r4, 5353, 40000, "no member");
	assert_false(group_shares_port(&w->c, fake_flow(w, fake_last(w))));
	report(w, &mdns4, true);
	report(w, &group, true);
	send_to(w, &r4, 5353, 40001, "answer");
	assert_true(group_shares_port(&w->c, fake_flow(w, fake_last(w))));
	send_to(w, &group, 5353, 9000, "to another group");
	assert_int_equal(listener(w, &group, 9000) != NULL, true);
	send_to(w, &r4, 9000, 40002, "from a port that was learned");
	assert_false(group_shares_port(&w->c, fake_flow(w, fake_last(w))));
	send_to(w, &group, 5353, 9001, "unconnected");
	assert_false(group_shares_port(&w->c, fake_flow(w, fake_last(w))));
	fake_stop(w);
}

static void test_caps(void **state)
{
	struct fake_world *w = start(NULL);
	struct addr group = parse("239.7.7.0");

	(void)state;
	for (uint32_t i = 0; i < GROUPS_MAX + 10; i++) {
		group.b[15] = (uint8_t)i;
		report(w, &group, true);
	}
	assert_int_equal(w->c.groups.n, GROUPS_MAX);
	assert_int_equal(w->count.groups_refused, 10);
	assert_int_equal(w->io.opens, 0);	/* no port, no socket */
	fake_stop(w);
}

/* A listener that made way for other flows comes back with the next report; a table
 * with room for one only does not confuse anybody. */
static void test_evicted(void **state)
{
	struct fake_world *w = start(&(struct fake_setup){ .flows = 1 });

	(void)state;
	report(w, &mdns4, true);
	assert_non_null(listener(w, &mdns4, 5353));
	send_to(w, &r4, 1, 7, "x");
	assert_null(listener(w, &mdns4, 5353));
	send_to(w, &mdns4, 5353, 5353, "y");
	send_to(w, &mdns4, 5353, 5354, "learns a port, whose listener must go at once");
	assert_int_equal(w->c.flows.count, 1);
	report(w, &mdns4, true);
	assert_int_equal(w->c.flows.count, 1);
	fake_stop(w);
}

static void test_family_off(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	w->net.outer_ifindex4 = 0;		/* the host has none */
	report(w, &mdns4, true);
	assert_false(fake_ingress_udp(w, &c4, &mdns4, 5353, 5353, "a", 1, 0));
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->count.drop_multicast, 2);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_group), cmocka_unit_test(test_six),
		cmocka_unit_test(test_not_joined), cmocka_unit_test(test_learned_ports),
		cmocka_unit_test(test_echo), cmocka_unit_test(test_from_host),
		cmocka_unit_test(test_answers), cmocka_unit_test(test_hop_limit),
		cmocka_unit_test(test_queries), cmocka_unit_test(test_leave),
		cmocka_unit_test(test_shared_port), cmocka_unit_test(test_caps), cmocka_unit_test(test_evicted),
		cmocka_unit_test(test_family_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
