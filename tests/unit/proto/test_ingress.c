/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests core/proto/ingress.c and the responders arp.c, ndp.c and icmp.c over the
 * fake world: who is answered, and that no martian destination opens a socket. */
#include "../unit.h"

#include <errno.h>

#include "base/cksum.h"
#include "fakeport.h"
#include "proto/icmp.h"
#include "proto/proto.h"
#include "wire/eth.h"
#include "wire/nd.h"
#include "wire/numbers.h"

static const struct fake_setup usual;
static struct addr c4, r4, c6, r6;

static struct addr parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct fake_world *start(void)
{
	c4 = parse("203.0.113.2");
	r4 = parse("198.51.100.10");
	c6 = parse("2001:db8:1::2");
	r6 = parse("2001:db8:2::10");
	return fake_start(&usual);
}

/* --- ICMP echo --- */

static bool ping(struct fake_world *w, const struct addr *src, const struct addr *dst, uint16_t id)
{
	uint8_t msg[ICMP_HLEN + 16] = { addr_is4(src) ? ICMP4_ECHO : ICMP6_ECHO };
	struct fake_packet p = {
		.src = *src, .dst = *dst, .proto = addr_is4(src) ? PROTO_ICMP : PROTO_ICMP6,
		.l4 = msg, .len = sizeof(msg),
	};

	msg[4] = (uint8_t)(id >> 8);
	msg[5] = (uint8_t)id;
	msg[7] = 9;
	memcpy(msg + ICMP_HLEN, "0123456789abcdef", 16);
	return fake_ingress(w, &p);
}

/* As a ping socket gives it: with the socket's own identifier. */
static void answer(struct fake_world *w, struct fake_sock *s, bool v4)
{
	uint8_t msg[ICMP_HLEN + 16] = { v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY };

	msg[4] = 0xde;
	msg[5] = 0xad;
	msg[7] = 9;
	memcpy(msg + ICMP_HLEN, "0123456789abcdef", 16);
	fake_put_dgram(s, msg, sizeof(msg), 0, 0);
	fake_event(w, s, true, false, false);
	fake_turn(w);
	fake_check(w);
}

static void echo(const struct addr *c, const struct addr *r)
{
	struct fake_world *w = start();
	struct fake_seen f;
	bool v4 = addr_is4(c);

	w->io.ping_ids_differ = true;
	ping(w, c, r, 0x1234);
	fake_turn(w);
	assert_int_equal(w->io.opens, 1);
	assert_int_equal(fake_last(w)->nsent, 1);
	assert_int_equal(fake_last(w)->sent[0].data.len, ICMP_HLEN + 16);
	answer(w, fake_last(w), v4);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.icmp.type, v4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY);
	assert_int_equal(f.icmp.echo.id, 0x1234);	/* the container's, whatever ours was */
	assert_int_equal(f.icmp.echo.seq, 9);
	assert_int_equal(f.len, 16);
	assert_memory_equal(f.data, "0123456789abcdef", 16);
	assert_true(addr_eq(&f.ip.src, r) && addr_eq(&f.ip.dst, c));
	ping(w, c, r, 0x1234);
	ping(w, c, r, 0x1235);			/* another identifier, another flow */
	fake_turn(w);
	assert_int_equal(w->io.opens, 2);
	w->c.now += ICMP_FLOW_MS;
	fake_turn(w);
	assert_int_equal(w->c.flows.count, 0);
	assert_int_equal(w->count.icmp_tx_echo, 3);
	assert_int_equal(w->count.icmp_rx_echo, 1);
	fake_stop(w);
}

static void test_echo(void **state)
{
	(void)state;
	fake_stop(start());		/* fills in the addresses */
	echo(&c4, &r4);
	echo(&c6, &r6);
}

/* A host that forbids ping sockets, and one that has no route. */
static void test_echo_refused(void **state)
{
	struct fake_world *w = start();
	struct fake_seen f;

	(void)state;
	w->io.open_rc = -EACCES;
	ping(w, &c4, &r4, 1);
	fake_turn(w);
	assert_false(fake_frame(w, &f));
	assert_int_equal(w->count.icmp_no_socket, 1);
	assert_int_equal(w->count.flows_refused, 0);	/* that is no cap */
	w->io.open_rc = -EHOSTUNREACH;
	ping(w, &c6, &r6, 1);
	fake_turn(w);
	assert_true(fake_frame(w, &f));
	assert_int_equal(f.icmp.type, ICMP6_UNREACH);
	assert_int_equal(w->c.flows.count, 0);
	fake_stop(w);
}

/* What is no answer to an echo is not passed on; nor what is no request. */
static void test_echo_only(void **state)
{
	struct fake_world *w = start();
	uint8_t msg[ICMP_HLEN] = { ICMP4_TIMEX };
	struct fake_packet p = {
		.src = c4, .dst = r4, .proto = PROTO_ICMP, .l4 = msg, .len = sizeof(msg),
	};
	struct fake_seen f;

	(void)state;
	fake_ingress(w, &p);
	msg[0] = ICMP4_ECHO_REPLY;
	fake_ingress(w, &p);
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->count.drop_proto, 1);
	assert_int_equal(w->count.drop_wire[WIRE_SHORT], 1);	/* an error that quotes nothing */
	ping(w, &c4, &r4, 1);
	fake_put_dgram(fake_last(w), "\3\1\0\0\0\0\0\0", 8, 0, 0);
	fake_put_dgram(fake_last(w), "\0\0\0", 3, 0, 0);
	fake_event(w, fake_last(w), true, false, false);
	fake_turn(w);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

/* --- ARP --- */

static bool ask_arp(struct fake_world *w, const char *target, const char *sender, uint16_t op)
{
	const struct arp q = {
		.op = op, .sha = w->net.mac, .spa = parse(sender), .tpa = parse(target),
	};
	uint8_t buf[VNET_HLEN + ETH_HLEN + ARP_LEN];
	struct wr out = wr_init(buf, sizeof(buf));
	struct fake_seen f;
	bool got;

	vnet_write(&out, &(struct vnet){ .gso_type = VNET_GSO_NONE });
	eth_write(&out, &(struct eth){ .dst = { { 255, 255, 255, 255, 255, 255 } },
				       .src = w->net.mac, .type = ETYPE_ARP });
	assert_true(arp_write(&out, &q));
	fake_ingress_raw(w, buf, sizeof(buf));
	fake_turn(w);
	got = fake_frame(w, &f);
	if (got) {
		assert_int_equal(f.etype, ETYPE_ARP);
		assert_int_equal(f.arp.op, ARP_REPLY);
		assert_true(addr_eq(&f.arp.spa, &q.tpa) && addr_eq(&f.arp.tpa, &q.spa));
		assert_true(mac_eq(&f.arp.sha, &w->net.gw_mac) && mac_eq(&f.arp.tha, &w->net.mac));
		assert_true(mac_eq(&f.dst, &w->net.mac));
	}
	return got;
}

static void test_arp(void **state)
{
	struct fake_world *w = start();

	(void)state;
	assert_true(ask_arp(w, "203.0.113.1", "203.0.113.2", ARP_REQUEST));
	assert_true(ask_arp(w, "203.0.113.77", "203.0.113.2", ARP_REQUEST));
	assert_true(ask_arp(w, "169.254.1.2", "203.0.113.2", ARP_REQUEST));
	assert_false(ask_arp(w, "203.0.113.2", "203.0.113.2", ARP_REQUEST));	/* gratuitous */
	assert_false(ask_arp(w, "203.0.113.2", "0.0.0.0", ARP_REQUEST));	/* its own probe */
	/* RFC 5227, 2.1.1 */
	assert_false(ask_arp(w, "203.0.113.9", "0.0.0.0", ARP_REQUEST));
	assert_false(ask_arp(w, "203.0.113.2", "203.0.113.9", ARP_REQUEST));
	assert_false(ask_arp(w, "203.0.113.1", "203.0.113.2", ARP_REPLY));
	assert_int_equal(w->count.arp_replies, 3);
	fake_stop(w);
}

/* --- Neighbor Discovery --- */

static bool ask_nd(struct fake_world *w, const char *target, const char *src, uint8_t hops,
		   uint8_t code)
{
	uint8_t msg[ICMP_HLEN + 24] = { ICMP6_NS, code };
	const struct addr t = parse(target);
	struct fake_packet p = {
		.src = parse(src), .dst = parse("ff02::1:ff00:1"), .proto = PROTO_ICMP6,
		.ttl = hops, .l4 = msg, .len = sizeof(msg),
	};
	struct fake_seen f;
	bool got;

	memcpy(msg + ICMP_HLEN, t.b, 16);
	msg[ICMP_HLEN + 16] = msg[ICMP_HLEN + 17] = 1;
	memcpy(msg + ICMP_HLEN + 18, w->net.mac.b, 6);
	fake_ingress(w, &p);
	fake_turn(w);
	got = fake_frame(w, &f);
	if (got) {
		assert_int_equal(f.icmp.type, ICMP6_NA);
		assert_int_equal(f.ip.ttl, ND_HOPLIMIT);
		assert_int_equal(f.len, ND_NA_LEN);
		assert_memory_equal(f.data, t.b, 16);
		assert_memory_equal(f.data + 18, w->net.gw_mac.b, 6);
		assert_true(addr_eq(&f.ip.dst, &p.src));
		assert_true(f.icmp.rest & ND_NA_SOLICITED);
	}
	return got;
}

static void test_nd(void **state)
{
	struct fake_world *w = start();

	(void)state;
	assert_true(ask_nd(w, "2001:db8:1::1", "2001:db8:1::2", 255, 0));
	assert_true(ask_nd(w, "2001:db8:1::77", "2001:db8:1::2", 255, 0));
	assert_true(ask_nd(w, "fe80::1", "fe80::5054:ff:fe01:203", 255, 0));
	assert_false(ask_nd(w, "2001:db8:1::2", "2001:db8:1::2", 255, 0));	/* its own */
	/* RFC 4862, 5.4.3 */
	assert_false(ask_nd(w, "2001:db8:1::77", "::", 255, 0));
	assert_false(ask_nd(w, "fe80::5054:ff:fe01:203", "2001:db8:1::2", 255, 0));
	/* RFC 4861, 7.1.1 */
	assert_false(ask_nd(w, "2001:db8:1::1", "2001:db8:1::2", 254, 0));
	assert_false(ask_nd(w, "2001:db8:1::1", "2001:db8:1::2", 255, 1));
	assert_int_equal(w->count.nd_replies, 3);
	assert_int_equal(w->io.opens, 0);
	fake_stop(w);
}

/* --- martians --- */

static void try_all(struct fake_world *w, const struct addr *src, const struct addr *dst)
{
	struct tcp t = { .sport = 40000, .dport = 80, .flags = TCPF_SYN, .opt = TCP_OPTS_INIT };

	fake_ingress_tcp(w, src, dst, &t, NULL, 0);
	t.flags = TCPF_ACK;
	fake_ingress_tcp(w, src, dst, &t, NULL, 0);
	fake_ingress_udp(w, src, dst, 4000, 53, "a", 1, 0);
	ping(w, src, dst, 1);
	fake_turn(w);
	fake_check(w);
}

static void test_martian_destinations(void **state)
{
	static const char *const four[] = {
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "0.0.0.1", "203.0.113.2",
	};
	static const char *const six[] = { "::1", "::", "2001:db8:1::2", "ff01::1", "ff00::1" };
	struct fake_world *w = start();
	struct fake_seen f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(four); i++) {
		const struct addr dst = parse(four[i]);

		try_all(w, &c4, &dst);
	}
	for (size_t i = 0; i < ARRAY_LEN(six); i++) {
		const struct addr dst = parse(six[i]);

		try_all(w, &c6, &dst);
	}
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->c.flows.count, 0);
	while (fake_frame(w, &f))	/* an RST from nowhere at the most */
		assert_true(addr_is_unicast(&f.ip.src));
	fake_stop(w);
}

/* IPv4-mapped addresses in IPv6 packets name IPv4 destinations by the back door. */
static void test_mapped(void **state)
{
	static const char *const texts[] = {
		"127.0.0.1", "0.0.0.0", "198.51.100.10", "203.0.113.2",
	};
	struct fake_world *w = start();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (int back = 0; back < 2; back++) {
			const struct addr mapped = parse(texts[i]);	/* as ::ffff:a.b.c.d */
			const struct addr *src = back ? &mapped : &c6, *dst = back ? &c6 : &mapped;
			uint8_t buf[VNET_HLEN + ETH_HLEN + IP6_HLEN + UDP_HLEN];
			struct wr out = wr_init(buf, sizeof(buf));

			vnet_write(&out, &(struct vnet){ .flags = VNET_F_DATA_VALID });
			eth_write(&out, &(struct eth){ .dst = w->net.gw_mac, .src = w->net.mac,
						       .type = ETYPE_IP6 });
			wr_u32(&out, 0x60000000);
			wr_u16(&out, UDP_HLEN);
			wr_u8(&out, PROTO_UDP);
			wr_u8(&out, 64);
			wr_bytes(&out, src->b, 16);
			wr_bytes(&out, dst->b, 16);
			udp_write(&out, &(struct udp){ .sport = 1, .dport = 53, .len = UDP_HLEN });
			assert_int_equal(out.left, 0);
			assert_false(fake_ingress_raw(w, buf, sizeof(buf)));
		}
	}
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->count.drop_wire[WIRE_ADDRESS], 2 * ARRAY_LEN(texts));
	fake_stop(w);
}

static void test_martian_sources(void **state)
{
	static const char *const texts[] = { "127.0.0.1", "0.0.0.0", "::1", "::" };
	struct fake_world *w = start();
	struct fake_seen f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct addr src = parse(texts[i]);

		try_all(w, &src, addr_is4(&src) ? &r4 : &r6);
	}
	assert_int_equal(w->io.opens, 0);
	assert_false(fake_frame(w, &f));
	fake_stop(w);
}

static void test_host_address(void **state)
{
	struct fake_world *w = start();
	const struct addr host = parse("169.254.1.2");
	struct fake_seen f;

	(void)state;
	try_all(w, &c4, &host);
	assert_int_equal(w->io.opens, 3);
	for (int i = 0; i < 3; i++)
		assert_true(addr_eq(&w->io.socks[i].outer, &w->net.host4));
	assert_true(fake_frame(w, &f));
	assert_true(addr_eq(&f.ip.src, &host));		/* the SYN-ACK comes from there */
	fake_stop(w);
}

static void test_host_loopback(void **state)
{
	struct fake_world *w = start();
	const struct addr to = parse("169.254.1.3"), lo = addr_loopback(true);

	(void)state;
	w->conf.host_loopback[w->conf.nhost_loopback++] = to;
	try_all(w, &c4, &to);
	assert_int_equal(w->io.opens, 3);
	for (int i = 0; i < 3; i++)
		assert_true(addr_eq(&w->io.socks[i].outer, &lo));
	fake_stop(w);
}

static void test_family_off(void **state)
{
	struct fake_world *w = start();
	struct fake_seen f;

	(void)state;
	w->conf.ipv6 = false;
	try_all(w, &c6, &r6);
	assert_int_equal(w->io.opens, 0);
	assert_int_equal(w->count.drop_noroute, 3);
	while (fake_frame(w, &f))
		if (f.ip.proto == PROTO_ICMP6)
			assert_int_equal(f.icmp.type, ICMP6_UNREACH);
	fake_stop(w);
}

static void test_link_local_scope(void **state)
{
	struct fake_world *w = start();
	const struct addr dst = parse("fe80::9");

	(void)state;
	fake_ingress_udp(w, &c6, &dst, 1, 53, "a", 1, 0);
	fake_turn(w);
	assert_int_equal(fake_last(w)->outer_scope, w->net.outer_ifindex6);
	fake_stop(w);
}

/* --- frames that are dropped --- */

static void test_checksums(void **state)
{
	struct fake_world *w = start();
	uint8_t seg[UDP_HLEN + 4] = { 0, 1, 0, 53, 0, 12 };
	struct fake_packet p = { .src = c4, .dst = r4, .proto = PROTO_UDP, .l4 = seg, .len = 12 };
	uint8_t buf[VNET_HLEN + ETH_HLEN + IP4_HLEN + 12] = { 0 };
	struct wr out = wr_init(buf, sizeof(buf));
	const struct ip ip = { .version = 4, .src = c4, .dst = r4, .proto = PROTO_UDP, .ttl = 64,
			       .len = 12 };

	(void)state;
	p.sum_later = true;		/* virtio: still to be made */
	assert_true(fake_ingress(w, &p));
	p.sum_later = false;
	assert_true(fake_ingress(w, &p));
	fake_turn(w);
	vnet_write(&out, &(struct vnet){ .gso_type = VNET_GSO_NONE });
	eth_write(&out, &(struct eth){ .dst = w->net.gw_mac, .src = w->net.mac,
				       .type = ETYPE_IP4 });
	ip4_write(&out, &ip);
	wr_bytes(&out, seg, sizeof(seg));
	buf[sizeof(buf) - 6] = 0xab;	/* a wrong one */
	assert_false(fake_ingress_raw(w, buf, sizeof(buf)));
	assert_int_equal(w->count.drop_wire[WIRE_CHECKSUM], 1);
	buf[0] = VNET_F_DATA_VALID;	/* the kernel vouches for it */
	assert_true(fake_ingress_raw(w, buf, sizeof(buf)));
	for (size_t n = 0; n < sizeof(buf); n++)	/* cut anywhere */
		assert_false(fake_ingress_raw(w, buf, n));
	fake_turn(w);
	fake_stop(w);
}

static void test_others(void **state)
{
	struct fake_world *w = start();
	uint8_t seg[16] = { 0 };
	struct fake_packet p = { .src = c4, .dst = r4, .proto = PROTO_SCTP, .l4 = seg, .len = 16 };
	uint8_t buf[VNET_HLEN + ETH_HLEN + 46] = { 0 };
	struct wr out = wr_init(buf, sizeof(buf));

	(void)state;
	fake_ingress(w, &p);
	p.proto = PROTO_ICMP6;		/* not in IPv4 */
	fake_ingress(w, &p);
	p.src = c6;
	p.dst = r6;
	p.proto = PROTO_ICMP;
	fake_ingress(w, &p);
	assert_int_equal(w->count.drop_proto, 3);
	vnet_write(&out, &(struct vnet){ .gso_type = VNET_GSO_NONE });
	eth_write(&out, &(struct eth){ .dst = w->net.gw_mac, .src = w->net.mac, .type = 0x88cc });
	fake_ingress_raw(w, buf, sizeof(buf));
	assert_int_equal(w->count.drop_ethertype, 1);
	assert_int_equal(w->io.opens, 0);
	fake_stop(w);
}

/* A container that changes its MAC is answered there. */
static void test_mac_learned(void **state)
{
	struct fake_world *w = start();
	const struct mac other = { { 2, 0, 0, 0, 0, 9 } }, none = { { 0 } };
	struct fake_seen f;

	(void)state;
	w->net.mac = other;
	ping(w, &c4, &r4, 1);
	answer(w, fake_last(w), true);
	assert_true(fake_frame(w, &f));
	assert_true(mac_eq(&f.dst, &other));
	w->net.mac = none;		/* not one of a host */
	ping(w, &c4, &r4, 1);
	answer(w, fake_last(w), true);
	assert_true(fake_frame(w, &f));
	assert_true(mac_eq(&f.dst, &other));
	fake_stop(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo), cmocka_unit_test(test_echo_refused),
		cmocka_unit_test(test_echo_only), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_nd), cmocka_unit_test(test_martian_destinations),
		cmocka_unit_test(test_mapped), cmocka_unit_test(test_martian_sources),
		cmocka_unit_test(test_host_address),
		cmocka_unit_test(test_host_loopback), cmocka_unit_test(test_family_off),
		cmocka_unit_test(test_link_local_scope), cmocka_unit_test(test_checksums),
		cmocka_unit_test(test_others), cmocka_unit_test(test_mac_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
