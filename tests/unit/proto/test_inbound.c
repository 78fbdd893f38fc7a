/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/inbound.c over the fake world: as whom the container sees a
 * client, ports that are taken, caps, and UDP by the listener. The handshake itself is
 * tests/packet/inbound*.pkt. */
#include "../unit.h"

#include <errno.h>

#include "fakeport.h"
#include "proto/inbound.h"
#include "proto/proto.h"
#include "proto/relay.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "wire/numbers.h"

static struct addr host, client, host6, client6, standin, lo, lo6;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct fake_world *start(const struct fake_setup *s)
{
	static const struct fake_setup usual;

	host = parse("203.0.113.2");
	client = parse("198.51.100.10");
	host6 = parse("2001:db8:1::2");
	client6 = parse("2001:db8:2::10");
	standin = parse("169.254.1.2");
	lo = parse("127.0.0.1");
	lo6 = parse("::1");
	return fake_start(s ? s : &usual);
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

/* The SYN to the container: from where to where. */
static struct fake_seen syn_for(struct fake_world *w, const struct addr *peer,
				const struct addr *local)
{
	struct fake_seen f;

	fake_client(w, peer, 4321, local);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_TCP);
	assert_int_equal(f.tcp.flags, TCPF_SYN);
	assert_int_equal(f.tcp.dport, FAKE_TO_PORT);
	return f;
}

static void assert_ends(const struct fake_seen *f, const struct addr *src, const struct addr *dst)
{
	assert_true(addr_eq(&f->ip.src, src));
	assert_true(addr_eq(&f->ip.dst, dst));
}

static void test_source_address(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f = syn_for(w, &client, &host);

	(void)state;
	assert_ends(&f, &client, &host);
	assert_int_equal(f.tcp.sport, 4321);
	f = syn_for(w, &client6, &host6);
	assert_ends(&f, &client6, &host6);
	fake_stop(w);
}

/* Where an accepted client's connection is joined to, by splice: not over the tap. */
static void assert_spliced(struct fake_world *w, const struct addr *peer, const struct addr *local,
			   const struct addr *to)
{
	struct fake_seen f;

	fake_client(w, peer, 4321, local);
	turn(w);
	assert_false(fake_frame(w, &f));
	assert_true(addr_eq(&fake_last(w)->outer, to));
	assert_int_equal(fake_last(w)->outer_port, FAKE_TO_PORT);
	assert_int_equal(fake_flow(w, fake_last(w))->key.proto, FLOW_SPLICE);
}

/* Clients whose own address means something else in the container. */
static void test_spliced(void **state)
{
	struct fake_world *w = start(NULL);
	struct addr second = parse("203.0.113.9"), inner_lo6 = parse("::1");

	(void)state;
	w->io.inner = 99;
	assert_spliced(w, &lo, &lo, &host);
	assert_spliced(w, &lo6, &lo6, &host6);
	assert_spliced(w, &host6, &host6, &host6);
	w->net.addresses[w->net.naddresses++] = (struct prefix){ second, 24 };
	assert_spliced(w, &second, &second, &second);
	w->conf.preserve_source = false;
	assert_spliced(w, &client, &host, &host);
	w->conf.preserve_source = true;
	w->forwards[FAKE_TCP].to = inner_lo6;	/* whatever the client's family is */
	assert_spliced(w, &client6, &host6, &inner_lo6);
	assert_spliced(w, &client, &host, &inner_lo6);
	assert_int_equal(w->io.inner, 99 - 7);
	w->forwards[FAKE_TCP].to = ADDR_ANY;
	w->net.naddresses = 1;			/* IPv4 only */
	assert_spliced(w, &lo6, &lo6, &host);
	w->net.naddresses = 0;
	fake_client(w, &lo, 1, &lo);
	turn(w);
	assert_int_equal(w->io.refused, 1);
	assert_int_equal(w->count.splice_refused, 1);
	fake_stop(w);
}

/* A listener in the container leads to the host's loopback. */
static void test_reverse(void **state)
{
	struct fake_world *w = start(NULL);
	struct addr other = parse("127.0.0.9");

	(void)state;
	w->forwards[FAKE_TCP].reverse = true;
	assert_spliced(w, &lo, &lo, &lo);
	assert_spliced(w, &lo6, &lo6, &lo6);
	w->forwards[FAKE_TCP].to = other;
	assert_spliced(w, &lo, &lo, &other);
	assert_int_equal(fake_last(w)->side, SPLICE_OUTER);
	assert_int_equal(fake_flow(w, fake_last(w))->splice.caller, SPLICE_INNER);
	fake_stop(w);
}

static void test_target_address(void **state)
{
	struct fake_world *w = start(NULL);
	struct addr second = parse("203.0.113.9"), other = parse("203.0.113.10");
	struct fake_seen f;

	(void)state;
	w->net.addresses[w->net.naddresses++] = (struct prefix){ second, 24 };
	f = syn_for(w, &client, &second);	/* what was spoken to, if the container has it */
	assert_ends(&f, &client, &second);
	f = syn_for(w, &client, &other);
	assert_ends(&f, &client, &host);
	w->forwards[FAKE_TCP].to = second;
	fake_client(w, &client6, 1, &host6);	/* no way from one family to the other */
	turn(w);
	assert_int_equal(w->io.refused, 1);
	fake_stop(w);
}

/* The same client's port by two listeners: each connection is one of its own. */
static void test_port_taken(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f = syn_for(w, &client, &host);
	uint16_t ports[INBOUND_PORTS];

	(void)state;
	ports[0] = f.tcp.sport;
	for (unsigned int i = 1; i < INBOUND_PORTS; i++) {
		f = syn_for(w, &client, &host);
		assert_ends(&f, &client, &host);
		assert_true(f.tcp.sport >= 1024);
		for (unsigned int j = 0; j < i; j++)
			assert_int_not_equal(f.tcp.sport, ports[j]);
		ports[i] = f.tcp.sport;
	}
	fake_stop(w);
}

static void test_half_open_cap(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	w->c.half_open = TCP_HALF_OPEN_MAX - 1;
	fake_client(w, &client, 1, &host);
	fake_client(w, &client, 2, &host);
	fake_turn(w);
	assert_true(fake_frame(w, &f));
	assert_false(fake_frame(w, &f));	/* the second waits in the kernel's queue */
	assert_int_equal(w->io.nclients, 1);
	assert_int_equal(w->count.inbound_paused, 1);
	assert_false(proto_busy(&w->c));	/* without a busy loop */
	w->c.half_open -= TCP_HALF_OPEN_MAX - 1;
	assert_true(proto_busy(&w->c));
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.tcp.sport, 2);
	fake_stop(w);
}

static void test_descriptors(void **state)
{
	struct fake_world *w = start(NULL);
	struct addr other = parse("198.51.100.11");

	(void)state;
	/* a UDP flow of the container makes way ... */
	fake_ingress_udp(w, &host, &client, 4000, 53, "x", 1, 0);
	turn(w);
	w->io.max_open = 1;
	fake_client(w, &client, 1, &host);
	turn(w);
	assert_int_equal(w->count.flows_evicted, 1);
	assert_int_equal(w->count.inbound_tcp, 1);
	/* ... without one the client waits, and accept() with it, for a while */
	fake_client(w, &other, 1, &host);
	turn(w);
	assert_int_equal(w->count.inbound_tcp, 1);
	assert_false(proto_busy(&w->c));
	assert_true(proto_next(&w->c) <= w->c.now + INBOUND_PAUSE_MS);
	w->io.max_open = 2;
	w->c.now += INBOUND_PAUSE_MS;
	turn(w);
	assert_int_equal(w->count.inbound_tcp, 2);
	fake_stop(w);
}

static void test_accept_errors(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	w->io.accept_rc = -ECONNABORTED;	/* gone already: the next one, not for ever */
	fake_client(w, &client, 1, &host);
	turn(w);
	assert_true(proto_busy(&w->c));
	w->io.accept_rc = 0;
	w->io.adopt_rc = -ENOMEM;
	turn(w);
	assert_int_equal(w->count.inbound_tcp, 1);
	assert_int_equal(w->count.flows_refused, 1);
	assert_true(fake_last(w)->aborted);
	inbound_event(&w->c, FAKE_SHUT);	/* stale */
	inbound_event(&w->c, 4711);
	assert_false(proto_busy(&w->c));
	fake_stop(w);
}

/* --- UDP --- */

static struct fake_seen deliver(struct fake_world *w, const struct addr *peer, uint16_t port,
				const struct addr *local, const char *text)
{
	struct fake_seen f;

	fake_client_dgram(w, peer, port, local, text, strlen(text), 0);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_UDP);
	assert_int_equal(f.udp.dport, FAKE_TO_PORT);
	assert_int_equal(f.len, strlen(text));
	assert_memory_equal(f.data, text, f.len);
	return f;
}

/* The container answers the i-th datagram that the listener sends: to that client. */
static void answer(struct fake_world *w, const struct addr *to, uint16_t port, uint32_t i,
		   const struct addr *peer, const struct addr *local)
{
	const struct addr *inner = addr_is4(to) ? &host : &host6;

	fake_ingress_udp(w, inner, to, FAKE_TO_PORT, port, "answer", 6, 0);
	turn(w);
	assert_int_equal(w->io.listener.nsent, i + 1);
	assert_true(addr_eq(&w->io.to[i].peer, peer));
	assert_true(addr_eq(&w->io.to[i].local, local));
}

static void test_udp(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_seen f = deliver(w, &client, 4000, &host, "question");

	(void)state;
	assert_ends(&f, &client, &host);
	assert_int_equal(f.udp.sport, 4000);
	answer(w, &client, 4000, 0, &client, &host);
	f = deliver(w, &client6, 4000, &host6, "six");
	assert_ends(&f, &client6, &host6);
	answer(w, &client6, 4000, 1, &client6, &host6);
	assert_int_equal(w->count.inbound_udp, 2);
	assert_int_equal(w->io.opens, 0);	/* no socket for a client */
	deliver(w, &client, 4000, &host, "again");
	assert_int_equal(w->count.inbound_udp, 2);
	fake_stop(w);
}

/* A datagram of a local client; the socket that its flow has by then. */
static struct fake_sock *local(struct fake_world *w, const struct addr *peer, uint16_t port,
			       const struct addr *at, const char *text)
{
	struct fake_seen f;

	fake_client_dgram(w, peer, port, at, text, strlen(text), 0);
	turn(w);
	assert_false(fake_frame(w, &f));
	return fake_last(w);
}

static void assert_sent(const struct fake_sock *s, uint32_t i, const char *text)
{
	assert_true(s->nsent > i);
	assert_int_equal(s->sent[i].data.len, strlen(text));
	assert_memory_equal(s->sent[i].data.p, text, strlen(text));
}

/* Whose address means something else in the container: from socket to socket. */
static void test_udp_relayed(void **state)
{
	struct fake_world *w = start(NULL);
	struct addr inner_lo = parse("127.0.0.1");
	struct fake_sock *s, *t;

	(void)state;
	w->io.inner = 3;
	s = local(w, &lo, 4000, &lo, "question");
	assert_true(addr_eq(&s->outer, &host));
	assert_int_equal(s->outer_port, FAKE_TO_PORT);
	assert_sent(s, 0, "question");
	assert_ptr_equal(local(w, &lo, 4000, &lo, ""), s);	/* empty ones count too */
	assert_sent(s, 1, "");
	fake_put_dgram(s, "answer", 6, 0, 0);
	fake_event(w, s, true, false, false);
	turn(w);
	assert_sent(&w->io.listener, 0, "answer");
	assert_true(addr_eq(&w->io.to[0].peer, &lo) && addr_eq(&w->io.to[0].local, &lo));
	assert_int_equal(w->io.to[0].port, 4000);
	/* nobody serves: the news costs no datagram, neither way */
	s->send_err = -ECONNREFUSED;
	local(w, &lo, 4000, &lo, "again");
	assert_sent(s, 2, "again");
	s->queued_err = -ECONNREFUSED;
	fake_put_dgram(s, "late", 4, 0, 0);
	fake_event(w, s, true, false, true);
	turn(w);
	turn(w);
	assert_sent(&w->io.listener, 1, "late");
	w->forwards[FAKE_UDP].to = inner_lo;	/* whoever the client is */
	t = local(w, &client, 4000, &host, "to the loopback");
	assert_ptr_not_equal(s, t);
	assert_true(addr_eq(&t->outer, &inner_lo));
	assert_int_equal(w->count.splice_udp, 2);
	w->forwards[FAKE_UDP].to = ADDR_ANY;
	w->conf.preserve_source = false;
	t = local(w, &client6, 4000, &host6, "all");
	assert_true(addr_eq(&t->outer, &host6));
	inbound_closed(&w->c, FAKE_UDP);
	fake_check(w);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* What comes before the inner socket does waits, in order, so much and no more. */
static void test_udp_waits(void **state)
{
	static uint8_t large[65507];
	struct fake_world *w = start(NULL);
	struct fake_seen f;
	struct fake_sock *s;

	(void)state;
	fake_client_dgram(w, &lo, 1, &lo, "one", 3, 0);
	fake_client_dgram(w, &lo, 2, &lo, "of two", 6, 3);
	turn(w);
	fake_client_dgram(w, &lo, 1, &lo, "two", 3, 0);
	turn(w);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->io.opens, 0);
	for (int i = 0; i < 3; i++)
		fake_client_dgram(w, &lo, 1, &lo, large, sizeof(large), 0);
	turn(w);
	assert_int_equal(w->count.splice_datagrams_lost, 1);	/* RELAY_HELD has room for two of them */
	w->io.inner = 1;
	relay_supplied(&w->c);
	fake_check(w);
	s = fake_last(w);
	if (s->nsent == 2) {		/* the other one got it */
		assert_sent(s, 0, "of ");
		assert_sent(s, 1, "two");
		w->io.inner = 1;
		relay_supplied(&w->c);
		s = fake_last(w);
	}
	assert_int_equal(s->nsent, 4);
	assert_sent(s, 0, "one");
	assert_sent(s, 1, "two");
	assert_int_equal(s->sent[2].data.len, sizeof(large));
	fake_client_dgram(w, &lo, 3, &lo, "waits for ever", 14, 0);
	turn(w);
	w->c.now += udp_twoway_ms(&w->c);
	turn(w);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* A listener in the container leads to the host's loopback. */
static void test_udp_reverse(void **state)
{
	struct fake_world *w = start(NULL);
	struct fake_sock *s;

	(void)state;
	w->forwards[FAKE_UDP].reverse = true;
	w->forwards[FAKE_UDP].addr = lo;
	s = local(w, &lo, 4000, &ADDR_ANY, "question");
	assert_true(addr_eq(&s->outer, &lo));
	assert_false(fake_flow(w, s)->inbound);
	assert_sent(s, 0, "question");
	assert_int_equal(w->count.splice_tx_bytes, 8);
	fake_stop(w);
}

/* Runs of several clients, mixed: every one gets its own, in order. */
static void test_udp_mixed(void **state)
{
	static const uint16_t ports[] = { 1, 1, 2, 1, 2, 2 };
	struct fake_world *w = start(NULL);
	struct fake_seen f;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_LEN(ports); i++)
		fake_client_dgram(w, &client, ports[i], &host, &"abcdef"[i], 1, 0);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.udp.sport, 1);
	assert_int_equal(f.gso_size, 1);
	assert_memory_equal(f.data, "ab", 2);
	assert_true(fake_frame(w, &f) && f.udp.sport == 2 && f.data[0] == 'c');
	assert_true(fake_frame(w, &f) && f.udp.sport == 1 && f.data[0] == 'd');
	assert_true(fake_frame(w, &f) && f.udp.sport == 2 && f.len == 2);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

static void test_udp_idle(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	deliver(w, &client, 4000, &host, "question");
	deliver(w, &client, 4001, &host, "question");
	answer(w, &client, 4001, 0, &client, &host);
	w->c.now += udp_oneway_ms(&w->c);
	turn(w);
	assert_int_equal(w->c.flows.count, 1);	/* never answered: one way */
	w->c.now += udp_twoway_ms(&w->c) - udp_oneway_ms(&w->c);
	turn(w);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* The container spoke from that port to that place before: who speaks last wins. */
static void test_udp_own_flow(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	fake_ingress_udp(w, &host, &client, FAKE_TO_PORT, 4000, "x", 1, 0);
	turn(w);
	assert_int_equal(w->io.opens, 1);
	deliver(w, &client, 4000, &host, "question");
	assert_int_equal(w->io.nopen, 0);
	answer(w, &client, 4000, 0, &client, &host);
	fake_stop(w);
}

static void test_udp_closed(void **state)
{
	struct fake_world *w = start(NULL);

	(void)state;
	deliver(w, &client, 4000, &host, "question");
	fake_ingress_udp(w, &host, &client, 5000, 53, "x", 1, 0);
	turn(w);
	inbound_closed(&w->c, FAKE_UDP);
	w->forwards[FAKE_UDP].sock = -1;
	fake_check(w);
	assert_int_equal(w->c.flows.count, 1);	/* the container's own stays */
	fake_stop(w);
}

static void test_udp_refused(void **state)
{
	const struct fake_setup few = { .flows = 1 };
	struct fake_world *w = start(&few);
	struct addr bad = parse("224.0.0.1");
	struct fake_seen f;

	(void)state;
	fake_client_dgram(w, &client, 0, &host, "from port 0", 11, 0);
	w->conf.nhost_addresses = 0;
	w->net.gateway4 = ADDR_ANY;
	fake_client_dgram(w, &bad, 1, &host, "from a group", 12, 0);
	turn(w);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.inbound_udp_dropped, 2);
	deliver(w, &client, 1, &host, "first");
	deliver(w, &client, 2, &host, "second");	/* the table is full: the first makes way */
	assert_int_equal(w->count.flows_evicted, 1);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_address),
		cmocka_unit_test(test_spliced), cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_target_address),
		cmocka_unit_test(test_port_taken),
		cmocka_unit_test(test_half_open_cap),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_accept_errors),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_udp_relayed),
		cmocka_unit_test(test_udp_waits),
		cmocka_unit_test(test_udp_reverse),
		cmocka_unit_test(test_udp_mixed),
		cmocka_unit_test(test_udp_idle),
		cmocka_unit_test(test_udp_own_flow),
		cmocka_unit_test(test_udp_closed),
		cmocka_unit_test(test_udp_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
