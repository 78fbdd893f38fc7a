/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/dns.c over the fake world: whom a question goes to, what counts as its
 * answer, and what the container is told when there is none. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>

#include "fakeport.h"
#include "proto/dns.h"
#include "proto/network.h"
#include "proto/proto.h"
#include "wire/dns.h"

#define AB	"\1a\2bc"		/* a.bc */
#define HOST	"\4host\12containers\10internal"

static struct addr c4, c6, dns4, dns6;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A world with these resolvers, separated by spaces. */
static struct fake_world *start(const char *list)
{
	static const struct fake_setup usual;
	struct resolvers r = { .host = "box.example.org" };
	struct fake_world *w;
	char text[200], *save = NULL;

	c4 = parse("203.0.113.2");
	c6 = parse("2001:db8:1::2");
	dns4 = parse("169.254.1.1");
	dns6 = parse("fd00::a9fe:101");
	w = fake_start(&usual);
	snprintf(text, sizeof(text), "%s", list);
	for (char *s = strtok_r(text, " ", &save); s; s = strtok_r(NULL, " ", &save))
		r.list[r.n++].addr = parse(s);
	dns_set_resolvers(&w->c, &r);
	return w;
}

struct message {
	uint8_t b[300];
	size_t len;
};

/* A message about one name, its flags and counts as given. */
static struct message message(uint16_t id, uint16_t flags, const char *name, uint16_t type)
{
	struct message m;
	struct wr w = wr_init(m.b, sizeof(m.b));

	wr_u16(&w, id);
	wr_u16(&w, flags);
	wr_u16(&w, 1);
	wr_zero(&w, 6);
	wr_bytes(&w, name, strlen(name) + 1);
	wr_u16(&w, type);
	wr_u16(&w, DNSC_IN);
	m.len = sizeof(m.b) - w.left;
	return m;
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

static void put(struct fake_world *w, uint16_t sport, const struct message *m)
{
	fake_ingress_udp(w, &c4, &dns4, sport, 53, m->b, m->len, 0);
	turn(w);
}

static void ask(struct fake_world *w, uint16_t id, const char *name, uint16_t type)
{
	const struct message m = message(id, DNSF_RD, name, type);

	put(w, 4000, &m);
}

static void pass_time(struct fake_world *w, uint64_t ms)
{
	w->c.now += ms;
	w->c.now_us = w->c.now * 1000;
	turn(w);
}

static uint16_t id_of(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* What the resolver behind s was asked last, by its own number. */
static uint16_t outer_id(const struct fake_sock *s)
{
	assert_true(s->nsent > 0);
	return id_of(s->sent[s->nsent - 1].data.p);
}

static void reply(struct fake_world *w, struct fake_sock *s, const struct message *m)
{
	fake_put_dgram(s, m->b, m->len, 0, 0);
	fake_event(w, s, true, false, false);
	turn(w);
}

static void answer(struct fake_world *w, struct fake_sock *s, uint16_t flags, const char *name)
{
	const struct message m = message(outer_id(s), DNSF_QR | DNSF_RD | flags, name, DNST_A);

	reply(w, s, &m);
}

static void assert_at(const struct fake_sock *s, const char *addr)
{
	const struct addr a = parse(addr);

	assert_true(s->open);
	assert_true(addr_eq(&s->outer, &a));
	assert_int_equal(s->outer_port, 53);
}

/* The one frame to the container: a DNS message from the forwarder; its flags. */
static uint16_t told(struct fake_world *w, uint16_t id, struct fake_seen *f)
{
	assert_true(fake_frame(w, f));
	assert_int_equal(f->ip.proto, PROTO_UDP);
	assert_int_equal(f->udp.sport, 53);
	assert_true(f->len >= DNS_HLEN);
	assert_int_equal(id_of(f->data), id);
	return id_of(f->data + 2);
}

static void assert_quiet(struct fake_world *w)
{
	struct fake_seen f;

	assert_false(fake_frame(w, &f));
}

/* The question passes but for its number, and so does the answer, with all behind it. */
static void test_question_and_answer(void **state)
{
	struct fake_world *w = start("198.51.100.53");
	struct message m = message(0x4711, DNSF_RD, AB, DNST_A), a;
	struct fake_seen f;
	struct fake_sock *s;

	(void)state;
	m.b[11] = 1;				/* an EDNS record */
	memcpy(m.b + m.len, "\0\0\51\4\320\0\0\200\0\0\0", 11);
	m.len += 11;
	put(w, 4000, &m);
	s = fake_last(w);
	assert_at(s, "198.51.100.53");
	assert_int_equal(s->nsent, 1);
	assert_int_equal(s->sent[0].data.len, m.len);
	assert_memory_equal(s->sent[0].data.p + 2, m.b + 2, m.len - 2);
	assert_quiet(w);
	a = message(outer_id(s), DNSF_QR | 0x0200 /* TC */, "\1A\2Bc", DNST_A);
	memcpy(a.b + a.len, "whatever", 8);
	a.len += 8;
	reply(w, s, &a);
	assert_int_equal(told(w, 0x4711, &f), DNSF_QR | 0x0200);
	assert_true(addr_eq(&f.ip.src, &dns4) && addr_eq(&f.ip.dst, &c4));
	assert_int_equal(f.udp.dport, 4000);
	assert_int_equal(f.len, a.len);
	assert_memory_equal(f.data + 2, a.b + 2, a.len - 2);
	assert_int_equal(w->c.flows.count, 0);
	assert_int_equal(w->count.dns_questions, 1);
	assert_int_equal(w->count.dns_answers, 1);
	fake_stop(w);
}

/* The forwarder's family is not the resolver's. */
static void test_families(void **state)
{
	struct fake_world *w = start("198.51.100.53");
	const struct message m = message(1, 0, AB, DNST_A);
	struct fake_seen f;

	(void)state;
	fake_ingress_udp(w, &c6, &dns6, 4000, 53, m.b, m.len, 0);
	turn(w);
	assert_at(fake_last(w), "198.51.100.53");
	answer(w, fake_last(w), 0, AB);
	told(w, 1, &f);
	assert_true(addr_eq(&f.ip.src, &dns6) && addr_eq(&f.ip.dst, &c6));
	fake_stop(w);
	w = start("::1");
	ask(w, 2, AB, DNST_A);
	assert_at(fake_last(w), "::1");		/* the host's loopback, and only here */
	fake_stop(w);
}

/* RFC 5452, 9.2: numbers by chance; each question has a socket of its own. */
static void test_numbers(void **state)
{
	struct fake_world *w = start("127.0.0.53");
	uint32_t same = 0, next = 0;
	uint16_t last = 0;

	(void)state;
	for (uint16_t i = 0; i < 32; i++) {
		ask(w, i, AB, DNST_A);
		same += outer_id(fake_last(w)) == i;
		next += outer_id(fake_last(w)) == (uint16_t)(last + 1);
		last = outer_id(fake_last(w));
	}
	assert_int_equal(w->io.opens, 32);
	assert_true(same < 3 && next < 3);
	fake_stop(w);
}

static void assert_strange(struct fake_world *w, struct fake_sock *s, const struct message *m)
{
	uint64_t before = w->count.dns_strange;

	reply(w, s, m);
	assert_quiet(w);
	assert_int_equal(w->count.dns_strange, before + 1);
	assert_int_equal(w->c.flows.count, 1);
}

/* RFC 5452, 9.1: what is not the answer to this question is none. */
static void test_strange_answers(void **state)
{
	struct fake_world *w = start("198.51.100.53");
	struct message m;
	struct fake_sock *s;
	struct fake_seen f;
	uint16_t id;

	(void)state;
	ask(w, 9, AB, DNST_A);
	s = fake_last(w);
	id = outer_id(s);
	m = message((uint16_t)(id + 1), DNSF_QR, AB, DNST_A);
	assert_strange(w, s, &m);
	m = message(id, 0, AB, DNST_A);				/* a question */
	assert_strange(w, s, &m);
	m = message(id, DNSF_QR | 0x2800, AB, DNST_A);		/* another opcode */
	assert_strange(w, s, &m);
	m = message(id, DNSF_QR, "\1a\2bd", DNST_A);
	assert_strange(w, s, &m);
	m = message(id, DNSF_QR, AB, DNST_AAAA);
	assert_strange(w, s, &m);
	m = message(id, DNSF_QR, AB, DNST_A);
	m.b[m.len - 1] = 3;					/* another class */
	assert_strange(w, s, &m);
	m = message(id, DNSF_QR, AB, DNST_A);
	m.len--;
	assert_strange(w, s, &m);
	m.len = 11;
	assert_strange(w, s, &m);
	m.len = 12;						/* no question, and no reason */
	m.b[5] = 0;
	assert_strange(w, s, &m);
	m.b[3] = DNSR_FORMERR;					/* it could not read it */
	reply(w, s, &m);
	assert_int_equal(told(w, 9, &f), DNSF_QR | DNSR_FORMERR);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* Silence: the next one's turn after DNS_WAIT_MS, round again, SERVFAIL in the end. */
static void test_silence(void **state)
{
	struct fake_world *w = start("192.0.2.1 192.0.2.2");
	struct fake_sock *first;
	struct fake_seen f;
	uint64_t begin;

	(void)state;
	ask(w, 5, AB, DNST_A);
	first = fake_last(w);
	assert_at(first, "192.0.2.1");
	pass_time(w, DNS_WAIT_MS - 1);
	assert_ptr_equal(fake_last(w), first);
	pass_time(w, 1);
	assert_false(first->open);
	assert_at(fake_last(w), "192.0.2.2");
	answer(w, fake_last(w), 0, AB);
	assert_int_equal(told(w, 5, &f), DNSF_QR | DNSF_RD);
	assert_int_equal(w->count.dns_next, 1);
	/* who was silent is not the first to be asked, for a while */
	ask(w, 6, AB, DNST_A);
	assert_at(fake_last(w), "192.0.2.2");
	answer(w, fake_last(w), 0, AB);
	told(w, 6, &f);
	pass_time(w, DNS_REST_MS);
	ask(w, 7, AB, DNST_A);
	assert_at(fake_last(w), "192.0.2.1");
	begin = w->c.now;
	while (w->c.flows.count)
		pass_time(w, DNS_WAIT_MS);
	assert_int_equal(w->c.now - begin, DNS_LIFE_MS);
	assert_int_equal(told(w, 7, &f), DNSF_QR | DNSF_RD | DNSF_RA | DNSR_SERVFAIL);
	assert_int_equal(w->count.dns_failed, 1);
	assert_quiet(w);
	fake_stop(w);
}

/* Who answered something meanwhile does not rest for one question's sake. */
static void test_slow_name(void **state)
{
	struct fake_world *w = start("192.0.2.1 192.0.2.2");
	struct fake_sock *slow;
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	slow = fake_last(w);
	pass_time(w, 1000);
	ask(w, 2, "\1x", DNST_A);
	answer(w, fake_last(w), 0, "\1x");
	told(w, 2, &f);
	pass_time(w, 1000);
	assert_false(slow->open);
	ask(w, 3, AB, DNST_A);
	assert_at(fake_last(w), "192.0.2.1");
	fake_stop(w);
}

/* One resolver alone is asked again by the same socket, and a late answer counts. */
static void test_alone(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct fake_sock *s;
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	s = fake_last(w);
	pass_time(w, DNS_WAIT_MS);
	assert_int_equal(s->nsent, 2);
	assert_int_equal(id_of(s->sent[0].data.p), id_of(s->sent[1].data.p));
	assert_int_equal(w->io.opens, 1);
	answer(w, s, 0, AB);
	told(w, 1, &f);
	fake_stop(w);
}

/* "Refused" by the host there is an answer of its own: no waiting. */
static void test_refused(void **state)
{
	struct fake_world *w = start("127.0.0.53 192.0.2.2");
	const struct port_err e = { .type = 3, .code = 3, .err = -ECONNREFUSED };
	struct fake_sock *s;
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	fake_put_dgram(fake_last(w), NULL, 0, 0, -ECONNREFUSED);
	fake_event(w, fake_last(w), true, false, false);
	turn(w);
	s = fake_last(w);
	assert_at(s, "192.0.2.2");
	fake_put_err(s, &e, "", 0);
	fake_event(w, s, true, false, true);
	turn(w);
	assert_int_equal(told(w, 1, &f), DNSF_QR | DNSF_RD | DNSF_RA | DNSR_SERVFAIL);
	assert_int_equal(w->c.flows.count, 0);
	w->io.open_rc = -ENETUNREACH;
	ask(w, 2, AB, DNST_A);
	assert_int_equal(told(w, 2, &f) & DNSF_RCODE, DNSR_SERVFAIL);
	fake_stop(w);
}

/* SERVFAIL, REFUSED, NOTIMP: the next one is asked; the last one's answer is the answer,
 * and NXDOMAIN is one at once. */
static void test_refusals(void **state)
{
	static const uint16_t codes[] = { DNSR_SERVFAIL, DNSR_REFUSED, DNSR_NOTIMP };
	struct fake_world *w = start("192.0.2.1 192.0.2.2");
	struct fake_seen f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		ask(w, 1, AB, DNST_A);
		assert_at(fake_last(w), "192.0.2.1");
		answer(w, fake_last(w), codes[i], AB);
		assert_quiet(w);
		assert_at(fake_last(w), "192.0.2.2");
		answer(w, fake_last(w), codes[i], AB);
		assert_int_equal(told(w, 1, &f), DNSF_QR | DNSF_RD | codes[i]);
		assert_int_equal(w->c.flows.count, 0);
	}
	ask(w, 2, AB, DNST_A);
	answer(w, fake_last(w), 3, AB);
	assert_int_equal(told(w, 2, &f), DNSF_QR | DNSF_RD | 3);
	fake_stop(w);
}

/* Questions under way go on; those that wait for another go to the new ones. */
static void test_change(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct resolvers r = { .n = 1 };
	struct fake_sock *old;
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	ask(w, 2, "\1x", DNST_A);
	old = fake_last(w);
	r.list[0].addr = parse("192.0.2.9");
	dns_set_resolvers(&w->c, &r);
	ask(w, 3, AB, DNST_A);
	assert_at(fake_last(w), "192.0.2.9");
	answer(w, old, 0, "\1x");
	told(w, 2, &f);
	answer(w, fake_last(w), 0, AB);
	told(w, 3, &f);
	pass_time(w, DNS_WAIT_MS);
	assert_at(fake_last(w), "192.0.2.9");
	answer(w, fake_last(w), 0, AB);
	told(w, 1, &f);
	fake_stop(w);
}

/* The host has another way out: what is under way is asked anew, from the first on. */
static void test_network(void **state)
{
	struct fake_world *w = start("192.0.2.1 192.0.2.2");
	struct netcfg now = w->net;
	struct fake_sock *old;
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	pass_time(w, DNS_WAIT_MS);
	old = fake_last(w);
	assert_at(old, "192.0.2.2");
	now.outer_ifindex4++;
	now.host4 = parse("203.0.113.9");
	network_change(&w->c, &now);
	turn(w);
	assert_false(old->open);
	assert_at(fake_last(w), "192.0.2.1");
	answer(w, fake_last(w), 0, AB);
	told(w, 1, &f);
	fake_stop(w);
}

/* The container's own patience is shorter: the same question is sent on once more. Another
 * one under its number and port takes its place. */
static void test_again(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct fake_sock *s;
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	s = fake_last(w);
	ask(w, 1, AB, DNST_A);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(s->nsent, 2);
	ask(w, 1, "\1x", DNST_A);
	assert_false(s->open);
	assert_int_equal(w->c.flows.count, 1);
	answer(w, fake_last(w), 0, "\1x");
	told(w, 1, &f);
	fake_stop(w);
}

/* RFC 9619: one question. What cannot be read gets FORMERR, what is no question nothing. */
/* The machine slept while the answer was on its way: it is taken before the timer that gives
 * up waiting for it. */
static void test_late(void **state)
{
	struct fake_world *w = start("198.51.100.10");
	struct fake_sock *s;
	struct message got;
	struct fake_seen f;
	unsigned int turns = 0;

	(void)state;
	ask(w, 7, AB, DNST_A);
	s = fake_last(w);
	got = message(outer_id(s), DNSF_QR | DNSF_RD, AB, DNST_A);
	assert_false(proto_late(&w->c));
	w->c.now += 3600000;
	w->c.now_us = w->c.now * 1000;
	assert_true(proto_late(&w->c));
	proto_catch_up(&w->c);
	proto_finish(&w->c);
	assert_false(fake_frame(w, &f));	/* no SERVFAIL, it is not there yet */
	fake_put_dgram(s, got.b, got.len, 0, 0);
	fake_event(w, s, true, false, false);
	assert_true(proto_late(&w->c));
	proto_catch_up(&w->c);
	proto_finish(&w->c);
	assert_int_equal(told(w, 7, &f), DNSF_QR | DNSF_RD);
	/* timers fire again after so many turns, and nothing is late then */
	while (proto_late(&w->c) && turns < 1000)
		turns++;
	assert_true(turns < PROTO_CATCH_UP);
	turn(w);
	assert_false(proto_late(&w->c));
	assert_int_equal(w->c.count->late_turns, 1);
	fake_stop(w);
}

/* After a suspend a question asks again at once, a resolver that rested is asked like others. */
static void test_resumed(void **state)
{
	struct fake_world *w = start("198.51.100.10");
	struct fake_sock *first, *second;
	struct fake_seen f;

	(void)state;
	ask(w, 7, AB, DNST_A);
	first = fake_last(w);
	network_resumed(&w->c);
	turn(w);
	second = fake_last(w);
	assert_ptr_not_equal(first, second);
	assert_int_equal(second->nsent, 1);
	assert_at(second, "198.51.100.10");
	answer(w, second, 0, AB);
	assert_int_equal(told(w, 7, &f), DNSF_QR | DNSF_RD);
	fake_stop(w);
}

static void test_malformed(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct message m = message(1, DNSF_RD, AB, DNST_A);
	uint8_t large[DNS_QUERY_MAX + 1] = { 0 };
	struct fake_seen f;

	(void)state;
	m.b[5] = 2;
	put(w, 4000, &m);
	assert_int_equal(told(w, 1, &f), DNSF_QR | DNSF_RD | DNSF_RA | DNSR_FORMERR);
	assert_int_equal(f.len, DNS_HLEN);
	m.b[5] = 1;
	m.len--;
	put(w, 4000, &m);
	assert_int_equal(told(w, 1, &f) & DNSF_RCODE, DNSR_FORMERR);
	m.len = DNS_HLEN - 1;
	put(w, 4000, &m);
	m = message(1, DNSF_QR, AB, DNST_A);
	put(w, 4000, &m);
	fake_ingress_udp(w, &c4, &dns4, 4000, 53, large, sizeof(large), 0);
	turn(w);
	assert_quiet(w);
	assert_int_equal(w->count.dns_malformed, 5);
	assert_int_equal(w->io.opens, 0);
	fake_stop(w);
}

/* At the cap of flows the oldest question makes way, as any datagram flow does. */
static void test_cap(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct fake_sock *first;

	(void)state;
	ask(w, 0, AB, DNST_A);
	first = fake_last(w);
	for (uint16_t i = 1; i <= FAKE_FLOWS; i++)
		ask(w, i, AB, DNST_A);
	assert_false(first->open && fake_flow(w, first) && fake_flow(w, first)->key.remote_port == 0);
	assert_int_equal(w->c.flows.count, FAKE_FLOWS);
	assert_int_equal(w->count.flows_evicted, 1);
	fake_stop(w);
}

/* The ring of CTX_QUESTIONS: the one that began so many questions ago makes way. */
static void test_ring(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct fake_sock *first;

	(void)state;
	ask(w, 1, AB, DNST_A);
	first = fake_last(w);
	w->c.dns.count += CTX_QUESTIONS - 1;
	ask(w, 2, AB, DNST_A);
	assert_false(first->open);
	assert_int_equal(w->c.flows.count, 1);
	assert_int_equal(w->count.dns_evicted, 1);
	fake_stop(w);
}

/* No resolver at all is known. */
static void test_none(void **state)
{
	struct fake_world *w = start("");
	struct fake_seen f;

	(void)state;
	ask(w, 1, AB, DNST_A);
	assert_int_equal(told(w, 1, &f) & DNSF_RCODE, DNSR_SERVFAIL);
	fake_stop(w);
}

/* A super-frame of several questions (udp(7), UDP_SEGMENT). */
static void test_gso(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct message m = message(1, 0, AB, DNST_A);
	uint8_t both[sizeof(m.b) * 2];

	(void)state;
	memcpy(both, m.b, m.len);
	memcpy(both + m.len, m.b, m.len);
	both[m.len + 1] = 2;
	fake_ingress_udp(w, &c4, &dns4, 4000, 53, both, m.len * 2, (uint16_t)m.len);
	turn(w);
	assert_int_equal(w->count.dns_questions, 2);
	assert_int_equal(w->c.flows.count, 2);
	fake_stop(w);
}

/* Other ports of its address, and its port elsewhere, are nobody's in particular. */
static void test_elsewhere(void **state)
{
	struct fake_world *w = start("127.0.0.53");
	const struct message m = message(1, 0, AB, DNST_A);
	const struct addr other = parse("169.254.1.9");

	(void)state;
	fake_ingress_udp(w, &c4, &dns4, 4000, 54, m.b, m.len, 0);
	fake_ingress_udp(w, &c4, &other, 4000, 53, m.b, m.len, 0);
	turn(w);
	assert_int_equal(w->count.dns_questions, 0);
	w->conf.ndns_forward = 0;
	fake_ingress_udp(w, &c4, &dns4, 4001, 53, m.b, m.len, 0);
	turn(w);
	assert_int_equal(w->count.dns_questions, 0);
	fake_stop(w);
}

/* --- the host's names --- */

/* Asks, and has the answer at once; how many records are in it. */
static unsigned int own(struct fake_world *w, const char *name, uint16_t type, struct fake_seen *f)
{
	ask(w, 7, name, type);
	assert_int_equal(told(w, 7, f), DNSF_QR | DNSF_AA | DNSF_RD | DNSF_RA);
	assert_int_equal(w->io.opens, 0);
	return f->data[7];
}

static void test_host_names(void **state)
{
	static const char *const names[] = {
		HOST, "\4host\6docker\10internal", "\3box\7example\3org", "\3BOX",
	};
	struct fake_world *w = start("192.0.2.1");
	struct fake_seen f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(own(w, names[i], DNST_A, &f), 1);
		assert_memory_equal(f.data + f.len - 4, "\251\376\1\2", 4);
		assert_int_equal(own(w, names[i], DNST_ANY, &f), 1);
		assert_int_equal(own(w, names[i], DNST_AAAA, &f), 0);	/* RFC 2308, 2.2 */
		assert_int_equal(own(w, names[i], 65, &f), 0);
	}
	assert_int_equal(w->count.dns_own, 16);
	w->conf.nhost_addresses = 2;
	w->conf.host_addresses[1] = parse("fd00::2");
	assert_int_equal(own(w, HOST, DNST_AAAA, &f), 1);
	assert_memory_equal(f.data + f.len - 16, w->conf.host_addresses[1].b, 16);
	assert_int_equal(own(w, HOST, DNST_ANY, &f), 2);
	fake_stop(w);
}

/* The way back (RFC 1035, 3.5; RFC 3596, 2.5). */
static void test_reverse(void **state)
{
	static const char four[] = "\0012\0011\003254\003169\7in-addr\4arpa";
	char six[100] = "\0012";
	struct fake_world *w = start("192.0.2.1");
	struct fake_seen f;

	(void)state;
	assert_int_equal(own(w, four, DNST_PTR, &f), 1);
	assert_memory_equal(f.data + f.len - sizeof(HOST), HOST, sizeof(HOST));
	assert_int_equal(own(w, four, DNST_A, &f), 0);
	w->conf.nhost_addresses = 2;
	w->conf.host_addresses[1] = parse("fd00::2");
	for (int i = 0; i < 29; i++)
		strcat(six, "\0010");
	strcat(six, "\001d\001f\3ip6\4arpa");
	assert_int_equal(own(w, six, DNST_PTR, &f), 1);
	fake_stop(w);
}

/* Not ours: switched off, nothing that leads to the host, another name, class or opcode. */
static void test_not_host_names(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct message m = message(3, 0x2000, HOST, DNST_A);	/* NOTIFY */

	(void)state;
	ask(w, 1, "\1x\4host\12containers\10internal", DNST_A);
	ask(w, 2, "\3org", DNST_A);
	put(w, 4000, &m);
	m = message(4, 0, HOST, DNST_A);
	m.b[m.len - 1] = 3;					/* CHAOS */
	put(w, 4000, &m);
	assert_int_equal(w->io.opens, 4);
	w->conf.dns_host_names = false;
	ask(w, 5, HOST, DNST_A);
	assert_int_equal(w->io.opens, 5);
	w->conf.dns_host_names = true;
	w->net.host4 = ADDR_ANY;				/* it leads nowhere */
	ask(w, 6, HOST, DNST_A);
	assert_int_equal(w->io.opens, 6);
	assert_int_equal(w->count.dns_own, 0);
	fake_stop(w);
}

/* A container with addresses of its own finds the host by its real ones, where there is
 * no hostAddress of that family. */
static void test_private(void **state)
{
	struct fake_world *w = start("192.0.2.1");
	struct fake_seen f;

	(void)state;
	w->net.host4 = parse("203.0.113.77");
	w->net.host6 = parse("2001:db8:1::77");
	assert_int_equal(own(w, HOST, DNST_A, &f), 1);
	assert_memory_equal(f.data + f.len - 4, "\251\376\1\2", 4);
	assert_int_equal(own(w, HOST, DNST_AAAA, &f), 1);
	assert_memory_equal(f.data + f.len - 16, w->net.host6.b, 16);
	w->conf.nhost_addresses = 0;
	assert_int_equal(own(w, HOST, DNST_A, &f), 1);
	assert_memory_equal(f.data + f.len - 4, "\313\0\161\115", 4);
	fake_stop(w);
}

/* --- TCP --- */

static void syn(struct fake_world *w, uint16_t dport)
{
	const struct tcp t = { .sport = 5000, .dport = dport, .seq = 1, .flags = 2, .wnd = 1000,
			       .opt = { .wscale = -1 } };

	fake_ingress_tcp(w, &c4, &dns4, &t, "", 0);
	turn(w);
}

/* Refused, or not taken in time: the next one; and a reset when there is none left. */
static void test_tcp(void **state)
{
	struct fake_world *w = start("127.0.0.53 2001:db8:2::53 192.0.2.3");
	struct fake_sock *s;
	struct fake_seen f;

	(void)state;
	w->io.open_rc = -EINPROGRESS;
	syn(w, 53);
	s = fake_last(w);
	assert_at(s, "127.0.0.53");
	s->err = -ECONNREFUSED;
	fake_event(w, s, false, true, true);
	turn(w);
	s = fake_last(w);
	assert_at(s, "2001:db8:2::53");
	assert_quiet(w);
	pass_time(w, DNS_WAIT_MS);
	s = fake_last(w);
	assert_at(s, "192.0.2.3");
	pass_time(w, DNS_WAIT_MS);
	assert_true(s->open);			/* the last has as long as it takes */
	fake_event(w, s, false, true, false);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_true(addr_eq(&f.ip.src, &dns4));
	assert_int_equal(f.tcp.sport, 53);
	assert_int_equal(f.tcp.flags & 0x12, 0x12);
	fake_stop(w);
}

static void test_tcp_refused(void **state)
{
	struct fake_world *w = start("2001:db8:2::53");
	struct fake_seen f;

	(void)state;
	w->io.open_rc = -EINPROGRESS;
	syn(w, 53);
	fake_last(w)->err = -ENETUNREACH;	/* said of another family: no ICMP error fits */
	fake_event(w, fake_last(w), false, true, true);
	turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, PROTO_TCP);
	assert_true(f.tcp.flags & 4);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* DNS over TLS goes to the first one, and other ports to none. */
/* A connection to the forwarder that stands; the resolver's socket. */
struct stream {
	struct fake_world *w;
	struct fake_sock *s;
	uint32_t seq, ack;
};

static struct stream connected(struct fake_world *w)
{
	struct stream st = { .w = w, .seq = 2 };
	struct tcp t = { .sport = 5000, .dport = 53, .seq = 2, .flags = 16, .wnd = 30000,
			 .opt = { .wscale = -1 } };
	struct fake_seen f;

	syn(w, 53);
	st.s = fake_last(w);
	assert_true(fake_frame(w, &f));
	st.ack = t.ack = f.tcp.seq + 1;
	fake_ingress_tcp(w, &c4, &dns4, &t, "", 0);
	turn(w);
	return st;
}

static void say(struct stream *st, const void *data, size_t len, uint8_t flags)
{
	const struct tcp t = { .sport = 5000, .dport = 53, .seq = st->seq, .ack = st->ack,
			       .flags = (uint8_t)(16 | flags), .wnd = 30000, .opt = { .wscale = -1 } };

	fake_ingress_tcp(st->w, &c4, &dns4, &t, data, len);
	st->seq += (uint32_t)len + (flags & 1);
	turn(st->w);
	turn(st->w);
}

/* All that has come of the stream since, acknowledged; its length. */
static size_t comes(struct stream *st, uint8_t *buf, size_t size)
{
	struct fake_seen f;
	size_t n = 0;

	for (int i = 0; i < 4; i++) {
		while (fake_frame(st->w, &f)) {
			assert_true(n + f.len <= size);
			if (!f.len)
				continue;
			assert_int_equal(f.tcp.seq, st->ack);
			memcpy(buf + n, f.data, f.len);
			n += f.len;
			st->ack += (uint32_t)f.len;
		}
		say(st, "", 0, 0);
	}
	return n;
}

struct framed {
	uint8_t b[302];
	size_t len;
};

static struct framed framed(uint16_t id, const char *name, uint16_t type)
{
	const struct message m = message(id, DNSF_RD, name, type);
	struct framed r = { .len = m.len + 2 };

	r.b[0] = (uint8_t)(m.len >> 8);
	r.b[1] = (uint8_t)m.len;
	memcpy(r.b + 2, m.b, m.len);
	return r;
}

/* Over TCP: a name of ours is answered here, others go to the resolver, in pieces as small
 * as they come. */
static void test_tcp_own(void **state)
{
	const struct framed ours = framed(7, HOST, DNST_A), theirs = framed(8, AB, DNST_A);
	struct stream st = connected(start("198.51.100.53"));
	uint8_t got[600];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ours.len; i++)
		say(&st, ours.b + i, 1, 0);
	n = comes(&st, got, sizeof(got));
	assert_int_equal(n, ours.len + 16);
	assert_int_equal(id_of(got), n - 2);
	assert_int_equal(id_of(got + 2), 7);
	assert_memory_equal(got + n - 4, "\251\376\1\2", 4);
	assert_int_equal(st.s->out.len, 0);
	for (size_t i = 0; i < theirs.len; i++)
		say(&st, theirs.b + i, 1, 0);
	assert_int_equal(st.s->out.len, theirs.len);
	assert_memory_equal(st.s->out.p, theirs.b, theirs.len);
	assert_int_equal(comes(&st, got, sizeof(got)), 0);
	/* one of ours behind one of theirs, in one segment; and its end */
	memcpy(got, theirs.b, theirs.len);
	memcpy(got + theirs.len, ours.b, ours.len);
	say(&st, got, theirs.len + ours.len, 1);
	assert_int_equal(st.s->out.len, 2 * theirs.len);
	assert_true(st.s->shut);
	assert_int_equal(comes(&st, got, sizeof(got)), ours.len + 16);
	assert_int_equal(st.w->count.dns_own, 2);
	fake_check(st.w);
	fake_stop(st.w);
}

/* Its answer waits until a message of the resolver is whole, however that comes. */
static void test_tcp_between(void **state)
{
	const struct framed ours = framed(7, HOST, DNST_A), theirs = framed(8, AB, DNST_A);
	struct stream st = connected(start("198.51.100.53"));
	uint8_t got[900];

	(void)state;
	say(&st, theirs.b, theirs.len, 0);
	for (size_t i = 0; i + 1 < theirs.len; i++) {
		fake_put(st.s, theirs.b + i, 1);
		fake_event(st.w, st.s, true, false, false);
		turn(st.w);
		if (i == 0)	/* half of a length */
			say(&st, ours.b, ours.len, 0);
	}
	assert_int_equal(comes(&st, got, sizeof(got)), theirs.len - 1);
	assert_memory_equal(got, theirs.b, theirs.len - 1);
	fake_put(st.s, theirs.b + theirs.len - 1, 1);
	fake_event(st.w, st.s, true, false, false);
	turn(st.w);
	assert_int_equal(comes(&st, got, sizeof(got)), 1 + ours.len + 16);
	assert_int_equal(got[0], theirs.b[theirs.len - 1]);
	assert_int_equal(id_of(got + 3), 7);
	fake_stop(st.w);
}

/* What is no question of ours passes as it is, also what is none at all. */
static void test_tcp_strange(void **state)
{
	static const uint8_t none[] = { 0, 0, 0, 3, 1, 2, 3, 0xff };
	struct stream st = connected(start("198.51.100.53"));
	static uint8_t large[3000] = { 2900 >> 8, 2900 & 0xff };
	uint8_t got[100];

	(void)state;
	say(&st, none, 7, 0);
	assert_int_equal(st.s->out.len, 7);
	say(&st, large, 1000, 0);		/* longer than any of ours: at once */
	assert_int_equal(st.s->out.len, 1007);
	say(&st, large + 1000, 1902, 0);
	assert_int_equal(st.s->out.len, 2909);
	say(&st, none + 7, 1, 0);		/* half of a length, and the end */
	assert_int_equal(st.s->out.len, 2909);
	say(&st, "", 0, 1);
	assert_int_equal(st.s->out.len, 2910);
	assert_true(st.s->shut);
	assert_int_equal(comes(&st, got, sizeof(got)), 0);
	fake_stop(st.w);
}

/* Who asks and does not read: the answers wait, then the questions do; none is lost. */
static void test_tcp_unread(void **state)
{
	const struct framed ours = framed(7, HOST, DNST_A);
	struct stream st = connected(start("198.51.100.53"));
	uint32_t asked = 0, answered;
	struct fake_seen f;

	(void)state;
	/* what the window takes, without an ACK of the answers */
	for (int i = 0; i < 2000; i++) {
		const struct flow *fl = fake_flow(st.w, st.s);

		if (fl->tcp.rcv_adv - st.seq < ours.len)
			break;
		say(&st, ours.b, ours.len, 0);
		asked++;
		while (fake_frame(st.w, &f))
			continue;
	}
	assert_true(asked > 800 && asked < 2000);
	assert_true(fake_flow(st.w, st.s)->tcp.ring.len <= 65536);
	for (int i = 0; i < 4000; i++) {
		const struct flow *fl = fake_flow(st.w, st.s);

		st.ack = fl->tcp.snd_nxt;
		say(&st, "", 0, 0);
		while (fake_frame(st.w, &f))
			continue;
	}
	answered = (uint32_t)st.w->count.dns_own;
	assert_int_equal(answered, asked);
	assert_int_equal(st.s->out.len, 0);
	fake_stop(st.w);
}

static void test_tls(void **state)
{
	struct fake_world *w = start("127.0.0.53 192.0.2.2");
	struct addr there;

	(void)state;
	w->io.open_rc = -EINPROGRESS;
	syn(w, 853);
	there = parse("127.0.0.53");
	assert_true(addr_eq(&fake_last(w)->outer, &there));
	assert_int_equal(fake_last(w)->outer_port, 853);
	fake_last(w)->err = -ECONNREFUSED;
	fake_event(w, fake_last(w), false, true, true);
	turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(w->c.flows.count, 0);
	fake_frames_drop(w);
	syn(w, 80);			/* nothing else is there, or leaves (test_local.c) */
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(w->count.drop_port, 1);
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_and_answer),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strange_answers),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_slow_name),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_gso),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_host_names),
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_not_host_names),
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_refused),
		cmocka_unit_test(test_tcp_own),
		cmocka_unit_test(test_tcp_between),
		cmocka_unit_test(test_tcp_strange),
		cmocka_unit_test(test_tcp_unread),
		cmocka_unit_test(test_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
