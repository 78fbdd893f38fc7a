/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/icmp.c: ICMP errors of the container about what it was sent. (Echo is
 * in test_ingress.c, errors to the container in test_icmp_error.c.) */
#include "../unit.h"

#include "fakeport.h"
#include "proto/proto.h"
#include "wire/numbers.h"

static struct addr c4, r4, c6, r6;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static int addresses(void **state)
{
	(void)state;
	c4 = parse("203.0.113.2");
	r4 = parse("198.51.100.10");
	c6 = parse("2001:db8:1::2");
	r6 = parse("2001:db8:2::10");
	return 0;
}

/* An answered flow from port 4000 to 7000. */
static struct fake_world *with_flow(bool v4)
{
	struct fake_world *w = fake_start(&(struct fake_setup){ 0 });

	fake_ingress_udp(w, v4 ? &c4 : &c6, v4 ? &r4 : &r6, 4000, 7000, "q", 1, 0);
	fake_turn(w);
	fake_put_dgram(fake_last(w), "answer", 6, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	fake_turn(w);
	fake_frames_drop(w);
	assert_int_equal(w->c.flows.count, 1);
	return w;
}

/* An error about a packet of that protocol between these. */
struct about {
	struct addr from, to;		/* of the error */
	struct addr src, dst;		/* of the quoted packet */
	uint16_t sport, dport;
	uint8_t type, code, proto;
	uint32_t seq;			/* TCP */
	uint16_t mtu;			/* too big */
};

static void send_about(struct fake_world *w, const struct about *a)
{
	uint8_t msg[ICMP_HLEN + IP6_HLEN + UDP_HLEN] = {
		a->type, a->code, 0, 0, 0, 0, (uint8_t)(a->mtu >> 8), (uint8_t)a->mtu,
	};
	struct wr out = wr_init(msg + ICMP_HLEN, sizeof(msg) - ICMP_HLEN);
	const struct ip ip = {
		.version = addr_is4(&a->src) ? 4 : 6, .src = a->src, .dst = a->dst, .ttl = 63,
		.proto = a->proto, .len = 900,	/* most of it cut off */
	};

	assert_true(ip.version == 4 ? ip4_write(&out, &ip) : ip6_write(&out, &ip));
	if (a->seq) {
		wr_u16(&out, a->sport);
		wr_u16(&out, a->dport);
		wr_u32(&out, a->seq);
	} else {
		udp_write(&out, &(struct udp){ .sport = a->sport, .dport = a->dport, .len = 900 });
	}
	fake_ingress(w, &(struct fake_packet){
		.src = a->from, .dst = a->to, .l4 = msg, .len = sizeof(msg) - out.left,
		.proto = addr_is4(&a->from) ? PROTO_ICMP : PROTO_ICMP6,
	});
	fake_turn(w);
	fake_check(w);
}

static struct about port_unreachable(bool v4)
{
	return (struct about){
		.from = v4 ? c4 : c6, .to = v4 ? r4 : r6, .src = v4 ? r4 : r6,
		.dst = v4 ? c4 : c6, .sport = 7000, .dport = 4000, .proto = PROTO_UDP,
		.type = v4 ? ICMP4_UNREACH : ICMP6_UNREACH,
		.code = v4 ? ICMP4_UNREACH_PORT : ICMP6_UNREACH_PORT,
	};
}

/* The program has closed its socket: so do we, and the host tells the remote. */
static void test_closes(void **state)
{
	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		struct fake_world *w = with_flow(v4);
		const struct about a = port_unreachable(v4);

		send_about(w, &a);
		assert_int_equal(w->c.flows.count, 0);
		assert_false(fake_last(w)->open);
		assert_int_equal(w->count.icmp_errors_heeded, 1);
		send_about(w, &a);		/* again: about nothing */
		assert_int_equal(w->count.drop_icmp_error, 1);
		fake_stop(w);
	}
}

/* With a filter of the container in between, and with datagrams still to leave. */
static void test_prohibited(void **state)
{
	struct fake_world *w = with_flow(true);
	struct about a = port_unreachable(true);

	(void)state;
	a.code = ICMP4_UNREACH_ADMIN;
	fake_ingress_udp(w, &c4, &r4, 4000, 7000, "q", 1, 0);
	send_about(w, &a);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

static void stays(const struct about *a)
{
	struct fake_world *w = with_flow(true);
	struct fake_seen f;

	send_about(w, a);
	assert_int_equal(w->c.flows.count, 1);
	assert_true(fake_last(w)->open);
	assert_int_equal(w->count.icmp_errors_heeded, 0);
	assert_int_equal(w->count.drop_icmp_error, 1);
	assert_false(fake_frame(w, &f));	/* no error about an error */
	fake_stop(w);
}

/* What differs from the one right packet in one thing ends nothing. */
static void test_stays(void **state)
{
	const struct addr other = parse("203.0.113.77");
	struct about a = port_unreachable(true);

	(void)state;
	a.sport++;
	stays(&a);
	a = port_unreachable(true);
	a.dport++;
	stays(&a);
	a = port_unreachable(true);
	a.proto = PROTO_TCP;
	stays(&a);
	a = port_unreachable(true);
	a.src = other;
	stays(&a);
	a = port_unreachable(true);
	a.dst = other;
	stays(&a);
	a = port_unreachable(true);
	a.from = other;
	stays(&a);
	a = port_unreachable(true);
	a.to = other;
	stays(&a);
	a = port_unreachable(true);
	a.code = ICMP4_UNREACH_HOST;		/* may be mended */
	stays(&a);
	a.code = ICMP4_UNREACH_FRAG;		/* of the MTU that is known */
	a.mtu = 1500;
	stays(&a);
	a.type = ICMP4_TIMEX;
	stays(&a);
}

/* A router inside has a smaller link (RFC 1191, 4; RFC 4443, 3.2): the remote cannot be told, so
 * what is larger goes in fragments from then on. */
static void test_too_big(void **state)
{
	const uint8_t data[1400] = { 0 };
	struct fake_seen f;

	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		struct fake_world *w = with_flow(v4);
		struct about a = port_unreachable(v4);

		a.from = v4 ? parse("203.0.113.77") : parse("2001:db8:1::77");
		a.type = v4 ? ICMP4_UNREACH : ICMP6_TOOBIG;
		a.code = v4 ? ICMP4_UNREACH_FRAG : 0;
		a.mtu = 1300;
		send_about(w, &a);
		assert_int_equal(w->count.icmp_errors_heeded, 1);
		fake_put_dgram(fake_last(w), data, sizeof(data), 0, 0);
		fake_put_dgram(fake_last(w), data, 1200, 0, 0);
		fake_event(w, fake_last(w), true, false, false);
		fake_turn(w);
		assert_int_equal(w->count.frag_tx, 2);
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.len, sizeof(data));
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.len, 1200);
		send_about(w, &a);		/* no news */
		a.mtu = 20;			/* taken for the least */
		send_about(w, &a);
		assert_int_equal(w->count.icmp_errors_heeded, 2);
		fake_put_dgram(fake_last(w), data, 1240, 0, 0);
		fake_event(w, fake_last(w), true, false, false);
		fake_turn(w);
		assert_int_equal(w->count.frag_tx, 2 + (v4 ? 3 : 2));
		a.to = v4 ? c4 : c6;		/* not to whom it was from */
		send_about(w, &a);
		assert_int_equal(w->count.icmp_errors_heeded, 2);
		assert_int_equal(w->c.flows.count, 1);
		fake_stop(w);
	}
}

/* Echo replies likewise: their identifier says whose they are. */
static void test_too_big_echo(void **state)
{
	uint8_t msg[ICMP_HLEN + IP4_HLEN + ICMP_HLEN] = {
		ICMP4_UNREACH, ICMP4_UNREACH_FRAG, [6] = 1300 >> 8, 1300 & 255,
	};
	uint8_t echo[ICMP_HLEN + 1400] = { ICMP4_ECHO, [5] = 9, [7] = 1 };
	struct wr out = wr_init(msg + ICMP_HLEN, sizeof(msg) - ICMP_HLEN);
	const struct ip ip = {
		.version = 4, .src = r4, .dst = c4, .ttl = 63, .proto = PROTO_ICMP, .len = 1408,
	};
	struct fake_packet p = {
		.src = c4, .dst = r4, .l4 = echo, .len = sizeof(echo), .proto = PROTO_ICMP,
	};
	struct fake_world *w = fake_start(&(struct fake_setup){ 0 });

	(void)state;
	fake_ingress(w, &p);
	fake_turn(w);
	ip4_write(&out, &ip);
	wr_bytes(&out, echo, ICMP_HLEN);
	p.l4 = msg;
	p.len = sizeof(msg);
	fake_ingress(w, &p);			/* a request's, which was not ours */
	fake_turn(w);
	assert_int_equal(w->count.icmp_errors_heeded, 0);
	msg[ICMP_HLEN + IP4_HLEN] = ICMP4_ECHO_REPLY;
	fake_ingress(w, &p);
	fake_turn(w);
	assert_int_equal(w->count.icmp_errors_heeded, 1);
	echo[0] = ICMP4_ECHO_REPLY;
	fake_put_dgram(fake_last(w), echo, sizeof(echo), 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	fake_turn(w);
	assert_int_equal(w->count.frag_tx, 2);
	fake_stop(w);
}

/* A filter of the container refuses our SYN: the client is reset at once. It must know the
 * SYN's number, and of a connection that stands nothing is believed (RFC 5927). */
static void test_syn_refused(void **state)
{
	struct fake_world *w = fake_start(&(struct fake_setup){ 0 });
	struct about a = port_unreachable(true);
	struct fake_seen f;
	struct fake_sock *s;

	(void)state;
	fake_client(w, &r4, 4321, &c4);
	fake_turn(w);
	assert_true(fake_frame(w, &f));
	s = fake_last(w);
	a.proto = PROTO_TCP;
	a.sport = f.tcp.sport;
	a.dport = f.tcp.dport;
	a.seq = f.tcp.seq + 1;
	send_about(w, &a);
	assert_true(s->open);
	a.seq--;
	a.code = ICMP4_UNREACH_HOST;
	send_about(w, &a);
	assert_true(s->open);
	assert_int_equal(w->count.drop_icmp_error, 2);
	a.code = ICMP4_UNREACH_ADMIN;
	send_about(w, &a);
	assert_true(s->aborted);
	assert_int_equal(w->c.flows.count, 0);
	assert_int_equal(w->count.inbound_refused, 1);
	assert_int_equal(w->count.icmp_errors_heeded, 1);
	fake_stop(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closes),
		cmocka_unit_test(test_prohibited),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_too_big_echo),
		cmocka_unit_test(test_syn_refused),
	};

	return cmocka_run_group_tests(tests, addresses, NULL);
}
