/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes wire/dhcp6 and the server behind it: a byte for the world, then the data of
 * one datagram to port 547. What is answered must be a message that reads back, to
 * this request, whose associations give nothing but what is the container's.
 */
#include "fuzz.h"

#include "tests/unit/proto/fakeport.h"
#include "wire/dhcp6.h"
#include "wire/numbers.h"

enum { WORLD_NAMES = 1, WORLD_PREFIX = 2, WORLD_MANY = 4, WORLD_UNICAST = 8 };

static const struct addr servers = { { 0xff, 0x02, [13] = 1, 0, 2 } };
static const struct addr client = { { 0xfe, 0x80, [15] = 0x52 } };
static const struct addr router = { { 0xfe, 0x80, [15] = 1 } };

static void fill(struct fake_world *w, uint8_t kind)
{
	w->net.gateway6 = router;
	if (kind & WORLD_NAMES) {
		w->net.nameservers[w->net.nnameservers++] = w->net.addresses[1].addr;
		w->conf.nsearch = CONF_SEARCH_MAX;
		for (uint32_t i = 0; i < CONF_SEARCH_MAX; i++)
			snprintf(w->conf.search[i], sizeof(w->conf.search[i]), "%060u.%060u", i, i);
		memset(w->conf.captive_portal, 'x', CONF_URI_MAX);
	}
	if (kind & WORLD_PREFIX)
		FUZZ_HOLDS(prefix_parse("2001:db8:7::/48", &w->conf.delegated) == 0);
	while ((kind & WORLD_MANY) && w->net.naddresses < CONF_ADDRS_MAX) {
		w->net.addresses[w->net.naddresses] = w->net.addresses[1];
		w->net.addresses[w->net.naddresses].addr.b[14] = (uint8_t)w->net.naddresses;
		w->net.naddresses++;
	}
}

static void check_ia(struct fake_world *w, struct rd data, bool prefixes)
{
	struct dhcp6_ia ia;
	struct dhcp6_addr a;
	struct rd item;
	uint16_t code;

	FUZZ_HOLDS(dhcp6_ia_read(data, &ia));
	while (dhcp6_next(&ia.opts, &code, &item)) {
		if (code == DHCP6O_STATUS)
			continue;
		FUZZ_HOLDS(code == (prefixes ? DHCP6O_IAPREFIX : DHCP6O_IAADDR));
		FUZZ_HOLDS(prefixes ? dhcp6_iaprefix_read(item, &a) : dhcp6_iaaddr_read(item, &a));
		FUZZ_HOLDS(a.preferred <= a.valid);
		FUZZ_HOLDS(!a.valid || (prefixes ? addr_eq(&a.prefix.addr, &w->conf.delegated.addr)
						 : netcfg_has_address(&w->net, &a.prefix.addr)));
	}
}

static void check_reply(struct fake_world *w, const struct dhcp6 *q, const struct fake_seen *f)
{
	struct rd r = rd_init(f->data, f->len), data;
	struct dhcp6 m;
	uint16_t code;

	FUZZ_HOLDS(dhcp6_read(&r, &m) == WIRE_OK && m.xid == q->xid);
	FUZZ_HOLDS(m.type == DHCP6_REPLY || m.type == DHCP6_ADVERTISE);
	FUZZ_HOLDS(addr_eq(&f->ip.dst, &client) && f->udp.dport == PORT_DHCP6_CLIENT);
	FUZZ_HOLDS(dhcp6_find(m.opts, DHCP6O_SERVER_ID, &data));
	while (dhcp6_next(&m.opts, &code, &data))
		if (code == DHCP6O_IA_NA || code == DHCP6O_IA_PD)
			check_ia(w, data, code == DHCP6O_IA_PD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size), body;
	static const struct fake_setup setup;
	struct fake_world *w;
	struct fake_seen f;
	uint8_t kind = 0;
	struct dhcp6 m;

	rd_u8(&r, &kind);
	body = r;
	FUZZ_POISON(m);
	if (dhcp6_read(&r, &m) != WIRE_OK) {
		FUZZ_POISONED(m);
		return 0;
	}
	w = fake_start(&setup);
	fill(w, kind);
	fake_ingress_udp(w, &client, kind & WORLD_UNICAST ? &router : &servers, 546, 547, body.p,
			 body.left, 0);
	fake_turn(w);
	FUZZ_HOLDS(w->io.opens == 0);
	if (fake_frame(w, &f))
		check_reply(w, &m, &f);
	FUZZ_HOLDS(!fake_frame(w, &f));
	FUZZ_HOLDS(w->count.dhcp6_replies + w->count.dhcp_ignored == 1);
	fake_stop(w);
	return 0;
}
