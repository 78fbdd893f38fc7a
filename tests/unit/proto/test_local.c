/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests what is for addresses of our own (ROUTE_LOCAL): echo requests are answered, all
 * else is refused at once, and nothing of it leaves, in proto/icmp.c, tcp_open.c, admit.c. */
#include "../unit.h"

#include "base/cksum.h"
#include "fakeport.h"
#include "proto/icmp.h"
#include "proto/proto.h"
#include "wire/eth.h"
#include "wire/numbers.h"
#include "wire/quote.h"

#define ECHO_MAX	65535u

static struct addr c4, c6, ours[5];	/* two of IPv4, three of IPv6 */
static uint8_t msg[ECHO_MAX];

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* A container whose gateways are made up. */
static struct fake_world *start(uint32_t mtu)
{
	struct fake_world *w = fake_start(&(struct fake_setup){ .mtu = mtu });

	w->net.gateway4 = parse("169.254.7.1");
	w->net.gateway6 = parse("fe80::1");
	w->net.gateway4_of = w->net.gateway6_of = NETCFG_GATEWAY_OURS;
	c4 = parse("203.0.113.2");
	c6 = parse("2001:db8:1::2");
	ours[0] = parse("169.254.1.1");
	ours[1] = w->net.gateway4;
	ours[2] = parse("fd00::a9fe:101");
	ours[3] = w->net.gateway6;
	ours[4] = addr_linklocal6(&w->net.gw_mac);
	return w;
}

static const struct addr *from(const struct addr *to)
{
	return addr_is4(to) ? &c4 : &c6;
}

static void turn(struct fake_world *w)
{
	fake_turn(w);
	fake_check(w);
}

/* Nothing left, and nothing is kept. */
static void stop(struct fake_world *w)
{
	struct fake_seen f;

	assert_false(fake_frame(w, &f));
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->count.flows_opened, 0);
	assert_int_equal(w->frags.used, 0);
	fake_stop(w);
}

/* An echo request in msg, with its checksum; its length. */
static size_t request(const struct addr *to, uint16_t seq, size_t len)
{
	const struct icmp h = {
		.type = addr_is4(to) ? ICMP4_ECHO : ICMP6_ECHO, .echo = { 0xbeef, seq },
	};
	struct wr w = wr_init(msg, sizeof(msg));

	for (size_t i = 0; i < len; i++)
		msg[ICMP_HLEN + i] = (uint8_t)(i * 7 / 3);
	return icmp_write(&w, !addr_is4(to), &h, from(to), to, msg + ICMP_HLEN, len);
}

/* Sends it, in pieces where one frame does not hold it. */
static void send(struct fake_world *w, const struct addr *to, uint8_t ttl, uint8_t tos, size_t len)
{
	bool v4 = addr_is4(to), whole = len <= 1400;

	for (size_t at = 0; at < len; at += 1400) {
		static uint8_t frame[FAKE_FRAME_MAX];
		struct wr out = wr_init(frame, sizeof(frame));
		size_t part = MIN_OF(len - at, (size_t)1400);
		struct ip ip = {
			.version = v4 ? 4 : 6, .src = *from(to), .dst = *to, .ttl = ttl,
			.tos = tos, .df = whole, .proto = v4 ? PROTO_ICMP : PROTO_ICMP6,
			.len = (uint16_t)part, .id = 9, .frag_off = (uint16_t)at,
			.more = at + part < len,
		}, outer = ip;

		if (!v4 && !whole) {
			outer.proto = PROTO_FRAGMENT;
			outer.len = (uint16_t)(part + IP6_FRAG_HLEN);
		}
		vnet_write(&out, &(struct vnet){ .gso_type = VNET_GSO_NONE });
		eth_write(&out, &(struct eth){ .dst = w->net.gw_mac, .src = w->net.mac,
					       .type = v4 ? ETYPE_IP4 : ETYPE_IP6 });
		assert_true(v4 ? ip4_write(&out, &ip) : ip6_write(&out, &outer));
		if (!v4 && !whole)
			assert_true(ip6_frag_write(&out, &ip));
		assert_true(wr_bytes(&out, msg + at, part));
		fake_ingress_raw(w, frame, sizeof(frame) - out.left);
	}
	turn(w);
}

/* The next frame is the answer of `to` to request(to, seq, len). */
static void answers(struct fake_world *w, const struct addr *to, uint16_t seq, size_t len,
		    uint8_t tos)
{
	bool v4 = addr_is4(to);
	struct fake_seen f;

	assert_true(fake_frame(w, &f));
	assert_int_equal(f.ip.proto, v4 ? PROTO_ICMP : PROTO_ICMP6);
	assert_int_equal(f.icmp.type, v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY);
	assert_int_equal(f.icmp.code, 0);
	assert_int_equal(f.icmp.echo.id, 0xbeef);
	assert_int_equal(f.icmp.echo.seq, seq);
	assert_int_equal(f.ip.ttl, 64);
	assert_int_equal(f.ip.tos, tos);
	assert_true(addr_eq(&f.ip.src, to) && addr_eq(&f.ip.dst, from(to)));
	assert_int_equal(f.len, len);
	assert_memory_equal(f.data, msg + ICMP_HLEN, len);
	assert_true(mac_eq(&f.src, &w->net.gw_mac));
}

static void test_echo(void **state)
{
	static const size_t sizes[] = { 0, 1, 56, 1372 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct fake_world *w = start(0);

		for (uint16_t n = 0; n < ARRAY_LEN(sizes); n++) {
			size_t len = request(&ours[i], (uint16_t)(n + 7), sizes[n]);

			/* with its last hop: it ends here. ECN is of each way alone */
			send(w, &ours[i], n ? 64 : 1, 0xbb, len);
			answers(w, &ours[i], (uint16_t)(n + 7), sizes[n], 0xb8);
		}
		assert_int_equal(w->count.icmp_own, ARRAY_LEN(sizes));
		assert_int_equal(w->count.drop_hops, 0);
		stop(w);
	}
}

/* RFC 1122, 3.2.2.6: not cut; in fragments where the MTU says so. */
static void test_echo_large(void **state)
{
	static const uint32_t mtus[] = { 1280, 1500, 65535 };

	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(mtus); m++) {
		for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
			bool v4 = addr_is4(&ours[i]);
			const size_t sizes[] = { 1400, 1472, 1473, 9000,
						 v4 ? 65507 : 65527 };
			struct fake_world *w = start(mtus[m]);
			size_t n = 0;

			for (; n < ARRAY_LEN(sizes); n++) {
				size_t len = request(&ours[i], 3, sizes[n]);

				send(w, &ours[i], 64, 0, len);
				answers(w, &ours[i], 3, sizes[n], 0);
			}
			assert_int_equal(w->count.icmp_own, n);
			stop(w);
		}
	}
}

/* One answer for each, and none waits for a tap that is full. */
static void test_echo_many(void **state)
{
	struct fake_world *w = start(0);
	struct fake_seen f;
	int n = 0;

	(void)state;
	w->io.tap_room = 10;
	for (uint16_t i = 0; i < 100; i++)
		send(w, &ours[0], 64, 0, request(&ours[0], i, 100));
	while (fake_frame(w, &f))
		n++;
	assert_int_equal(n, 10);
	assert_int_equal(w->count.icmp_own, 10);
	stop(w);
}

/* Whoever asks by which address, echo that is switched off has no answer; nor has a sum
 * that is wrong, or a family the container has not. */
static void test_echo_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct fake_world *w = start(0);
		size_t len = request(&ours[i], 1, 20);
		struct fake_seen f;

		w->conf.off = CONF_OFF_ICMP;
		send(w, &ours[i], 64, 0, len);
		assert_int_equal(w->count.drop_off, 1);
		w->conf.off = 0;
		msg[ICMP_HLEN] ^= 1;
		send(w, &ours[i], 64, 0, len);
		assert_int_equal(w->count.drop_wire[WIRE_CHECKSUM], 1);
		assert_false(fake_frame(w, &f));
		msg[ICMP_HLEN] ^= 1;
		w->conf.ipv4 = w->conf.ipv6 = false;
		send(w, &ours[i], 64, 0, len);
		assert_int_equal(w->count.icmp_own, 0);
		assert_true(fake_frame(w, &f));
		assert_int_equal(f.icmp.type, addr_is4(&ours[i]) ? ICMP4_UNREACH : ICMP6_UNREACH);
		stop(w);
	}
}

/* The same address where it is the host's router, or where hostAddress is it. */
static void test_not_ours(void **state)
{
	struct fake_world *w = start(0);
	struct fake_seen f;

	(void)state;
	w->net.gateway4_of = w->net.gateway6_of = NETCFG_GATEWAY_HOST;
	w->conf.host_addresses[0] = parse("fd00::2");
	ours[2] = w->conf.host_addresses[0];
	for (size_t i = 1; i < 4; i++)
		send(w, &ours[i], 64, 0, request(&ours[i], 1, 20));
	assert_int_equal(w->io.opens, 3);
	assert_true(addr_eq(&w->io.socks[0].outer, &w->net.gateway4));
	assert_true(addr_eq(&w->io.socks[1].outer, &w->net.host6));
	assert_true(addr_eq(&w->io.socks[2].outer, &w->net.gateway6));
	assert_int_equal(w->count.icmp_own, 0);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

static void test_tcp(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct fake_world *w = start(0);
		struct tcp t = { .sport = 4000, .dport = 80, .seq = 77, .flags = TCPF_SYN,
				 .wnd = 64240, .opt = TCP_OPTS_INIT };
		struct fake_seen f;

		fake_ingress_tcp(w, from(&ours[i]), &ours[i], &t, NULL, 0);
		turn(w);
		assert_true(fake_frame(w, &f));
		assert_true(addr_eq(&f.ip.src, &ours[i]));
		assert_int_equal(f.tcp.flags, TCPF_RST | TCPF_ACK);
		assert_int_equal(f.tcp.ack, 78);
		assert_int_equal(f.tcp.sport, 80);
		assert_int_equal(f.tcp.dport, 4000);
		assert_int_equal(w->count.drop_port, 1);
		w->conf.off = CONF_OFF_TCP;
		fake_ingress_tcp(w, from(&ours[i]), &ours[i], &t, NULL, 0);
		turn(w);
		stop(w);
	}
}

/* Port unreachable, from the address itself, with the datagram in it. */
static void test_udp(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct fake_world *w = start(0);
		bool v4 = addr_is4(&ours[i]);
		struct fake_seen f;
		struct quote q;
		struct rd r;

		for (int gso = 0; gso < 2; gso++) {	/* of several in a frame the first */
			fake_ingress_udp(w, from(&ours[i]), &ours[i], 4000, 80, "hello world",
					 gso ? 11 : 5, gso ? 5 : 0);
			turn(w);
			assert_true(fake_frame(w, &f));
			assert_true(addr_eq(&f.ip.src, &ours[i]));
			assert_int_equal(f.icmp.type, v4 ? ICMP4_UNREACH : ICMP6_UNREACH);
			assert_int_equal(f.icmp.code, v4 ? ICMP4_UNREACH_PORT : ICMP6_UNREACH_PORT);
			r = rd_init(f.data, f.len);
			assert_int_equal(quote_read(&r, !v4, &q), WIRE_OK);
			assert_true(addr_eq(&q.src, from(&ours[i])) && addr_eq(&q.dst, &ours[i]));
			assert_int_equal(q.sport, 4000);
			assert_int_equal(q.dport, 80);
			assert_int_equal(f.len, (v4 ? IP4_HLEN : IP6_HLEN) + UDP_HLEN + 5);
			assert_memory_equal(f.data + f.len - 5, "hello", 5);
			assert_false(fake_frame(w, &f));
		}
		assert_int_equal(w->count.drop_port, 2);
		w->conf.off = CONF_OFF_UDP;
		fake_ingress_udp(w, from(&ours[i]), &ours[i], 4000, 80, "hello", 5, 0);
		turn(w);
		stop(w);
	}
}

/* Other protocols: their error is that address's own word too. */
static void test_protocols(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct fake_world *w = start(0);
		struct fake_seen f;

		fake_ingress(w, &(struct fake_packet){
			.src = *from(&ours[i]), .dst = ours[i], .proto = PROTO_SCTP,
			.l4 = "0123456789abcdef", .len = 16 });
		turn(w);
		assert_true(fake_frame(w, &f));
		assert_true(addr_eq(&f.ip.src, &ours[i]));
		stop(w);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo), cmocka_unit_test(test_echo_large),
		cmocka_unit_test(test_echo_many), cmocka_unit_test(test_echo_off),
		cmocka_unit_test(test_not_ours), cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_udp), cmocka_unit_test(test_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
