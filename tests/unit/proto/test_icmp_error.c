/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/icmp_error.c and hop.c: what the container hears of the errors its
 * packets met, from whom, and what they quote (RFC 792, RFC 1812, RFC 4443). */
#include "../unit.h"

#include <errno.h>

#include "fakeport.h"
#include "base/cksum.h"
#include "proto/icmp.h"
#include "proto/proto.h"
#include "wire/numbers.h"
#include "wire/quote.h"

#define SPORT 4000
#define DPORT 33434

static struct addr c4, r4, c6, r6, router4, router6;

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
	router4 = parse("192.0.2.1");
	router6 = parse("2001:db8:9::1");
	return 0;
}

static struct fake_world *start(void)
{
	return fake_start(&(struct fake_setup){ 0 });
}

static void settle(struct fake_world *w)
{
	do {
		fake_turn(w);
		fake_check(w);
	} while (proto_busy(&w->c));
}

static void send_udp(struct fake_world *w, bool v4, const char *data, size_t len)
{
	fake_ingress_udp(w, v4 ? &c4 : &c6, v4 ? &r4 : &r6, SPORT, DPORT, data, len, 0);
	settle(w);
}

static size_t echo(uint8_t *msg, bool v4, uint16_t id, uint16_t seq, size_t len)
{
	const struct icmp h = { .type = v4 ? ICMP4_ECHO : ICMP6_ECHO, .echo = { id, seq } };
	struct wr out = wr_init(msg, ICMP_HLEN + len);
	uint8_t data[1400];

	memset(data, 'd', sizeof(data));
	return icmp_write(&out, !v4, &h, v4 ? &c4 : &c6, v4 ? &r4 : &r6, data, len);
}

static void send_echo(struct fake_world *w, bool v4, uint8_t ttl)
{
	uint8_t msg[ICMP_HLEN + 32];
	struct fake_packet p = {
		.src = v4 ? c4 : c6, .dst = v4 ? r4 : r6, .ttl = ttl, .l4 = msg,
		.proto = v4 ? PROTO_ICMP : PROTO_ICMP6,
	};

	p.len = echo(msg, v4, 77, 5, 32);
	msg[2] = msg[3] = 0;
	fake_ingress(w, &p);
	settle(w);
}

/* The next frame is this error from that address about a packet of that protocol. */
static void expect(struct fake_world *w, struct fake_seen *f, const struct addr *from,
		   uint8_t type, uint8_t code, uint8_t proto, struct quote *ret)
{
	struct rd r;

	assert_true(fake_frame(w, f));
	assert_int_equal(f->ip.proto, f->ip.version == 4 ? PROTO_ICMP : PROTO_ICMP6);
	assert_int_equal(f->icmp.type, type);
	assert_int_equal(f->icmp.code, code);
	assert_true(addr_eq(&f->ip.src, from));
	assert_in_range(f->ip.hdr_len + f->ip.len, 0, f->ip.version == 4 ? 576 : 1280);
	r = rd_init(f->data, f->len);
	assert_int_equal(quote_read(&r, f->ip.version == 6, ret), WIRE_OK);
	assert_true(addr_eq(&ret->src, &f->ip.dst));
	assert_int_equal(ret->proto, proto);
}

static void arrive(struct fake_world *w, const struct port_err *e, const void *data, size_t len)
{
	fake_put_err(fake_last(w), e, data, len);
	fake_event(w, fake_last(w), false, false, true);
	settle(w);
}

/* Every kind a network makes comes through with its own sender, and with the
 * container's ports and data in it. */
static void test_udp(void **state)
{
	static const struct { uint8_t type, code; int err; } kinds[] = {
		{ ICMP4_UNREACH, ICMP4_UNREACH_NET, -ENETUNREACH },
		{ ICMP4_UNREACH, ICMP4_UNREACH_HOST, -EHOSTUNREACH },
		{ ICMP4_UNREACH, ICMP4_UNREACH_PORT, -ECONNREFUSED },
		{ ICMP4_UNREACH, ICMP4_UNREACH_ADMIN, -EHOSTUNREACH },
		{ ICMP4_TIMEX, 0, -EHOSTUNREACH }, { ICMP4_TIMEX, 1, -EHOSTUNREACH },
	};
	struct fake_world *w = start();
	struct fake_seen f;
	struct quote q;

	(void)state;
	send_udp(w, true, "hello", 5);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		arrive(w, &(struct port_err){ .type = kinds[i].type, .code = kinds[i].code,
					      .err = kinds[i].err, .offender = router4,
					      .ttl = 62 }, "hello", 5);
		expect(w, &f, &router4, kinds[i].type, kinds[i].code, PROTO_UDP, &q);
		assert_int_equal(f.ip.ttl, 61);		/* as it came, and one hop */
		assert_true(addr_eq(&q.dst, &r4));
		assert_int_equal(q.sport, SPORT);
		assert_int_equal(q.dport, DPORT);
		assert_int_equal(f.len, IP4_HLEN + UDP_HLEN + 5);
		assert_memory_equal(f.data + IP4_HLEN + UDP_HLEN, "hello", 5);
		assert_true(l4sum_ok(&c4, &r4, PROTO_UDP, f.data + IP4_HLEN, UDP_HLEN + 5));
		assert_false(fake_frame(w, &f));
	}
	assert_int_equal(w->count.icmp_errors_sent, ARRAY_LEN(kinds));
	fake_stop(w);
}

static void test_udp6(void **state)
{
	static const uint8_t codes[] = { 0, 1, 2, 3, 4, 5, 6 };
	static char data[1400];
	struct fake_world *w = start();
	struct fake_seen f;
	struct quote q;

	(void)state;
	send_udp(w, false, data, sizeof(data));
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		arrive(w, &(struct port_err){ .type = ICMP6_UNREACH, .code = codes[i],
					      .err = -EHOSTUNREACH, .offender = router6 },
		       data, sizeof(data));
		expect(w, &f, &router6, ICMP6_UNREACH, codes[i], PROTO_UDP, &q);
		assert_int_equal(f.ip.hdr_len + f.ip.len, 1280);	/* all that may be */
	}
	arrive(w, &(struct port_err){ .type = ICMP6_TOOBIG, .err = -EMSGSIZE, .mtu = 1300,
				      .offender = router6 }, data, sizeof(data));
	expect(w, &f, &router6, ICMP6_TOOBIG, 0, PROTO_UDP, &q);
	assert_int_equal(f.icmp.mtu, 1300);
	fake_stop(w);
}

static void test_too_big4(void **state)
{
	static char data[1400];
	struct fake_world *w = start();
	struct fake_seen f;
	struct quote q;

	(void)state;
	send_udp(w, true, data, sizeof(data));
	arrive(w, &(struct port_err){ .type = ICMP4_UNREACH, .code = ICMP4_UNREACH_FRAG,
				      .err = -EMSGSIZE, .mtu = 1300, .offender = router4 },
	       data, sizeof(data));
	expect(w, &f, &router4, ICMP4_UNREACH, ICMP4_UNREACH_FRAG, PROTO_UDP, &q);
	assert_int_equal(f.icmp.mtu, 1300);
	assert_int_equal(f.ip.hdr_len + f.ip.len, 576);
	arrive(w, &(struct port_err){ .type = ICMP4_UNREACH, .code = ICMP4_UNREACH_FRAG,
				      .err = -EMSGSIZE, .offender = router4 }, data, 0);
	expect(w, &f, &router4, ICMP4_UNREACH, ICMP4_UNREACH_FRAG, PROTO_UDP, &q);
	assert_int_equal(f.icmp.mtu, 0);		/* of a router before RFC 1191 */
	fake_stop(w);
}

/* Senders that the container must not or cannot take for what they are. */
static void test_senders(void **state)
{
	struct fake_world *w = start();
	const struct addr host = w->conf.host_addresses[0];
	const struct { const char *text; const struct addr *seen; } cases[] = {
		{ "198.51.100.10", &r4 },		/* the remote itself */
		{ "203.0.113.2", &host },		/* the host's, and the container's own */
		{ "127.0.0.1", &host }, { "0.0.0.0", &host }, { "255.255.255.255", &host },
		{ "224.0.0.1", &host }, { "2001:db8::1", &host }, { "::", &host },
		{ "203.0.113.1", &w->net.gateway4 }, { "10.0.0.1", NULL },
	};
	struct fake_seen f;
	struct quote q;
	struct addr us;

	(void)state;
	send_udp(w, true, "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct addr a = parse(cases[i].text);

		arrive(w, &(struct port_err){ .type = ICMP4_TIMEX, .err = -EHOSTUNREACH,
					      .offender = a }, "x", 1);
		expect(w, &f, cases[i].seen ? cases[i].seen : &a, ICMP4_TIMEX, 0, PROTO_UDP, &q);
	}
	send_udp(w, false, "x", 1);	/* no hostAddress in IPv6: our own link-local */
	arrive(w, &(struct port_err){ .type = ICMP6_UNREACH, .err = -ENETUNREACH,
				      .offender = w->net.host6 }, "x", 1);
	us = addr_linklocal6(&w->net.gw_mac);
	expect(w, &f, &us, ICMP6_UNREACH, 0, PROTO_UDP, &q);
	fake_stop(w);
}

/* Reached as hostAddress, the host answers as that. */
static void test_host_address(void **state)
{
	struct fake_world *w = start();
	const struct addr host = w->conf.host_addresses[0];
	struct fake_seen f;
	struct quote q;

	(void)state;
	fake_ingress_udp(w, &c4, &host, SPORT, 9, "x", 1, 0);
	settle(w);
	arrive(w, &(struct port_err){ .type = ICMP4_UNREACH, .code = ICMP4_UNREACH_PORT,
				      .err = -ECONNREFUSED, .offender = w->net.host4 }, "x", 1);
	expect(w, &f, &host, ICMP4_UNREACH, ICMP4_UNREACH_PORT, PROTO_UDP, &q);
	assert_true(addr_eq(&q.dst, &host));
	assert_int_equal(f.ip.ttl, 64);		/* no router in between */
	fake_put_dgram(fake_last(w), "y", 1, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	settle(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.ttl, 64);
	fake_stop(w);
}

/* What is not about this flow's packet, or nothing a router tells hosts. */
static void test_not_passed_on(void **state)
{
	static const struct { uint8_t type, code; } kinds[] = {
		{ 4, 0 }, { 5, 1 }, { 12, 0 }, { 0, 0 }, { 8, 0 }, { 255, 0 },
	};
	struct fake_world *w = start();
	struct fake_seen f;

	(void)state;
	send_udp(w, true, "x", 1);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		arrive(w, &(struct port_err){ .type = kinds[i].type, .code = kinds[i].code,
					      .err = -EPROTO, .offender = router4 }, "x", 1);
	arrive(w, &(struct port_err){ .type = ICMP4_TIMEX, .err = -EHOSTUNREACH, .dst = c4,
				      .offender = router4 }, "x", 1);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

/* More in the queue than one turn tells: the rest the next. */
static void test_many(void **state)
{
	struct fake_world *w = start();
	struct fake_seen f;
	int n = 0;

	(void)state;
	send_udp(w, true, "x", 1);
	for (int i = 0; i < 60; i++)
		fake_put_err(fake_last(w), &(struct port_err){
			.type = ICMP4_TIMEX, .err = -EHOSTUNREACH, .offender = router4 }, "x", 1);
	fake_event(w, fake_last(w), false, false, true);
	fake_turn(w);
	assert_int_equal(w->io.nframes, 32);
	settle(w);
	while (fake_frame(w, &f))
		n++;
	assert_int_equal(n, 60);
	fake_stop(w);
}

/* An echo request of a ping socket with another identifier: its own comes back, with
 * its sequence number and a checksum that is right again. */
static void test_echo(void **state)
{
	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		struct fake_world *w = start();
		const struct addr *router = v4 ? &router4 : &router6;
		size_t hlen = v4 ? IP4_HLEN : IP6_HLEN, len;
		uint8_t msg[ICMP_HLEN + 32];
		struct fake_seen f;
		struct icmp h;
		struct quote q;
		struct rd r;

		w->io.ping_ids_differ = true;
		send_echo(w, v4, 9);
		assert_int_equal(fake_last(w)->sent[0].ip.ttl, 8);
		len = echo(msg, v4, (uint16_t)~77u, 5, 32);
		arrive(w, &(struct port_err){ .type = v4 ? ICMP4_TIMEX : ICMP6_TIMEX,
					      .err = -EHOSTUNREACH, .offender = *router },
		       msg, len);
		expect(w, &f, router, v4 ? ICMP4_TIMEX : ICMP6_TIMEX, 0,
		       v4 ? PROTO_ICMP : PROTO_ICMP6, &q);
		assert_int_equal(f.len, hlen + len);
		echo(msg, v4, 77, 5, 32);
		assert_memory_equal(f.data + hlen, msg, len);
		/* a router that quotes 8 bytes, and one that quotes nonsense */
		arrive(w, &(struct port_err){ .type = v4 ? ICMP4_TIMEX : ICMP6_TIMEX,
					      .err = -EHOSTUNREACH, .offender = *router },
		       msg, ICMP_HLEN);
		expect(w, &f, router, v4 ? ICMP4_TIMEX : ICMP6_TIMEX, 0, q.proto, &q);
		assert_int_equal(f.len, hlen + ICMP_HLEN);
		msg[0] = 99;
		arrive(w, &(struct port_err){ .type = v4 ? ICMP4_TIMEX : ICMP6_TIMEX,
					      .err = -EHOSTUNREACH, .offender = *router },
		       msg, len);
		expect(w, &f, router, v4 ? ICMP4_TIMEX : ICMP6_TIMEX, 0, q.proto, &q);
		r = rd_init(f.data + hlen, f.len - hlen);
		assert_int_equal(icmp_read(&r, !v4, &h), WIRE_OK);
		assert_int_equal(h.type, v4 ? ICMP4_ECHO : ICMP6_ECHO);
		assert_int_equal(h.echo.id, 77);
		fake_stop(w);
	}
}

/* The next frame is that error, and quotes the request as send_echo() makes it. */
static void quotes_all(struct fake_world *w, bool v4, uint8_t code, bool whole)
{
	uint8_t msg[ICMP_HLEN + 32];
	size_t hlen = v4 ? IP4_HLEN : IP6_HLEN, len = echo(msg, v4, 77, 5, 32);
	struct fake_seen f;
	struct icmp h;
	struct rd r;

	assert_true(fake_frame(w, &f));
	assert_int_equal(f.icmp.type, v4 ? ICMP4_UNREACH : ICMP6_UNREACH);
	assert_int_equal(f.icmp.code, code);
	assert_int_equal(f.len, hlen + (whole ? len : ICMP_HLEN));
	r = rd_init(f.data + hlen, f.len - hlen);
	assert_int_equal(icmp_read(&r, !v4, &h), WIRE_OK);
	assert_int_equal(h.echo.id, 77);
	assert_int_equal(h.echo.seq, 5);
	if (whole)
		assert_memory_equal(f.data + hlen, msg, len);
	assert_false(fake_frame(w, &f));
}

/* What we and the host refuse before anything leaves: ping and traceroute know by the
 * sequence number which request it is about. */
static void test_echo_refused_here(void **state)
{
	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		const struct addr r = v4 ? r4 : r6;
		struct fake_world *w = start();

		w->io.open_rc = -ENETUNREACH;		/* the host has no route */
		send_echo(w, v4, 64);
		quotes_all(w, v4, v4 ? ICMP4_UNREACH_NET : ICMP6_UNREACH_NOROUTE, true);
		assert_int_equal(w->count.flows_refused, 0);
		w->conf.ipv4 = w->conf.ipv6 = false;
		send_echo(w, v4, 64);
		quotes_all(w, v4, v4 ? ICMP4_UNREACH_NET : ICMP6_UNREACH_NOROUTE, true);
		w->conf.ipv4 = w->conf.ipv6 = true;
		*(v4 ? &r4 : &r6) = parse(v4 ? "169.254.169.254" : "fd00:ec2::254");
		send_echo(w, v4, 64);
		quotes_all(w, v4, v4 ? ICMP4_UNREACH_ADMIN : ICMP6_UNREACH_ADMIN, true);
		*(v4 ? &r4 : &r6) = r;
		assert_int_equal(w->io.opens, 1);
		/* later, by a receive, which knows no packet: the last request's number */
		w->io.open_rc = 0;
		send_echo(w, v4, 64);
		fake_put_dgram(fake_last(w), NULL, 0, 0, -EHOSTUNREACH);
		fake_event(w, fake_last(w), true, false, false);
		settle(w);
		quotes_all(w, v4, v4 ? ICMP4_UNREACH_HOST : ICMP6_UNREACH_ADDR, false);
		fake_stop(w);
	}
}

/* --- hop.c --- */

static void test_hops_end(void **state)
{
	(void)state;
	for (int v4 = 0; v4 < 2; v4++) {
		struct fake_world *w = start();
		const struct addr us = v4 ? w->conf.host_addresses[0] :
				       addr_linklocal6(&w->net.gw_mac);
		struct fake_seen f;
		struct quote q;

		send_echo(w, v4, 1);
		assert_int_equal(w->io.opens, 0);
		expect(w, &f, &us, v4 ? ICMP4_TIMEX : ICMP6_TIMEX, 0, v4 ? PROTO_ICMP :
		       PROTO_ICMP6, &q);
		assert_int_equal(f.len, (v4 ? IP4_HLEN : IP6_HLEN) + ICMP_HLEN + 32);
		assert_int_equal(w->count.drop_hops, 1);
		send_echo(w, v4, 2);
		assert_int_equal(fake_last(w)->sent[0].ip.ttl, 1);
		fake_stop(w);
	}
}

/* RFC 4443, 2.4 (f): a burst, then a rate. */
static void test_errors_limited(void **state)
{
	struct fake_world *w = start();

	(void)state;
	for (uint32_t i = 0; i < ICMP_ERRORS_BURST + 50; i++)
		send_echo(w, true, 1);
	assert_int_equal(w->count.icmp_errors_sent, ICMP_ERRORS_BURST);
	assert_int_equal(w->count.icmp_errors_limited, 50);
	w->c.now += 10 * 1000 / ICMP_ERRORS_PER_S;
	for (int i = 0; i < 20; i++)
		send_echo(w, true, 1);
	assert_int_equal(w->count.icmp_errors_sent, ICMP_ERRORS_BURST + 10);
	fake_stop(w);
}

/* To the host itself and on the outer link nothing is forwarded; about errors no error. */
static void test_hops_end_quietly(void **state)
{
	static const uint8_t timex[ICMP_HLEN + IP4_HLEN] = { ICMP4_TIMEX };
	struct fake_world *w = start();
	struct fake_packet p = {
		.src = c4, .dst = w->conf.host_addresses[0], .ttl = 1, .proto = PROTO_UDP,
		.l4 = "\x0f\xa0\0\x35\0\x08\0\0", .len = UDP_HLEN,
	};
	struct fake_seen f;

	(void)state;
	fake_ingress(w, &p);
	settle(w);
	assert_int_equal(fake_last(w)->nsent, 1);
	p.dst = parse("224.0.0.251");
	fake_ingress(w, &p);
	settle(w);
	assert_int_equal(fake_last(w)->nsent, 1);
	assert_int_equal(fake_last(w)->sent[0].ip.ttl, 1);
	p.dst = r4;
	p.proto = PROTO_ICMP;
	p.l4 = timex;
	p.len = sizeof(timex);
	fake_ingress(w, &p);
	settle(w);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.drop_hops, 1);
	assert_int_equal(w->io.opens, 2);
	fake_stop(w);
}

/* --- TCP --- */

static void syn(struct fake_world *w, uint16_t sport, uint8_t ttl, uint8_t tos)
{
	static const uint8_t seg[TCP_HLEN] = {
		0, 0, 0, 80, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, TCPF_SYN, 0x10,
	};
	uint8_t l4[TCP_HLEN];

	memcpy(l4, seg, sizeof(l4));
	l4[0] = (uint8_t)(sport >> 8);
	l4[1] = (uint8_t)sport;
	fake_ingress(w, &(struct fake_packet){ .src = c4, .dst = r4, .proto = PROTO_TCP, .ttl = ttl,
					       .tos = tos, .l4 = l4, .len = sizeof(l4) });
}

/* traceroute -T: the SYN's hop limit goes with it, and what a router says about it comes
 * back with the sequence number; no reset beside it. */
static void test_tcp_connecting(void **state)
{
	struct fake_world *w = start();
	struct fake_seen f;
	struct quote q;
	struct rd r;
	uint32_t seq;

	(void)state;
	w->io.open_rc = -EINPROGRESS;
	syn(w, SPORT, 3, 0xbb);
	settle(w);
	assert_int_equal(fake_last(w)->ip.ttl, 2);
	assert_int_equal(fake_last(w)->ip.tos, 0xb8);	/* ECN is the host's own */
	fake_last(w)->err = -EHOSTUNREACH;
	arrive(w, &(struct port_err){ .type = ICMP4_TIMEX, .err = -EHOSTUNREACH,
				      .offender = router4 }, NULL, 0);
	expect(w, &f, &router4, ICMP4_TIMEX, 0, PROTO_TCP, &q);
	assert_int_equal(q.sport, SPORT);
	assert_int_equal(q.dport, 80);
	r = rd_init(f.data + IP4_HLEN + 4, 4);
	assert_true(rd_u32(&r, &seq));
	assert_int_equal(seq, 9);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* DSCP that a program sets later (ssh) follows; afterwards routers' words are not asked for. */
static void test_tcp_open(void **state)
{
	struct tcp t = { .sport = SPORT, .dport = 80, .seq = 10, .flags = TCPF_ACK, .wnd = 4096,
			 .opt = TCP_OPTS_INIT };
	struct fake_world *w = start();
	uint8_t seg[TCP_HLEN];
	struct wr out = wr_init(seg, sizeof(seg));
	struct fake_seen f;

	(void)state;
	syn(w, SPORT, 64, 0);
	settle(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.tcp.flags, TCPF_SYN | TCPF_ACK);
	assert_true(fake_last(w)->connected);
	assert_int_equal(fake_last(w)->ip.ttl, 63);
	t.ack = f.tcp.seq + 1;
	assert_int_equal(tcp_write(&out, &t), TCP_HLEN);
	fake_ingress(w, &(struct fake_packet){ .src = c4, .dst = r4, .proto = PROTO_TCP, .ttl = 70,
					       .tos = 0x12, .l4 = seg, .len = sizeof(seg) });
	settle(w);
	assert_int_equal(fake_last(w)->ip.ttl, 69);
	assert_int_equal(fake_last(w)->ip.tos, 0x10);
	fake_stop(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp), cmocka_unit_test(test_udp6),
		cmocka_unit_test(test_too_big4), cmocka_unit_test(test_senders),
		cmocka_unit_test(test_host_address), cmocka_unit_test(test_not_passed_on),
		cmocka_unit_test(test_many), cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_refused_here),
		cmocka_unit_test(test_errors_limited), cmocka_unit_test(test_hops_end),
		cmocka_unit_test(test_hops_end_quietly),
		cmocka_unit_test(test_tcp_connecting), cmocka_unit_test(test_tcp_open),
	};

	return cmocka_run_group_tests(tests, addresses, NULL);
}
