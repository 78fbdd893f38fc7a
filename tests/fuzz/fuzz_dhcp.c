/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzes wire/dhcp and the server behind it: a byte for the world, then the data of
 * one datagram to port 67. What is answered must be a message that reads back, to
 * this request, with no address but the container's, in a size that may be sent.
 */
#include "fuzz.h"

#include "tests/unit/proto/fakeport.h"
#include "wire/dhcp.h"
#include "wire/numbers.h"

enum { WORLD_NAMES = 1, WORLD_ROUTES = 2, WORLD_SMALL = 4, WORLD_NO_GATEWAY = 8 };

static void fill(struct fake_world *w, uint8_t kind)
{
	if (kind & WORLD_NAMES) {
		w->net.nameservers[w->net.nnameservers++] = addr_from4("\306\63\144\65");
		w->conf.nsearch = CONF_SEARCH_MAX;
		for (uint32_t i = 0; i < CONF_SEARCH_MAX; i++)
			snprintf(w->conf.search[i], sizeof(w->conf.search[i]), "%060u.example", i);
		memset(w->conf.captive_portal, 'x', CONF_URI_MAX);
		w->conf.ipv6_only_s = CONF_IPV6_ONLY_MIN;
	}
	w->net.nroutes = kind & WORLD_ROUTES ? CONF_ROUTES_MAX : 0;
	for (uint32_t i = 0; i < w->net.nroutes; i++) {
		w->net.routes[i].dst = (struct prefix){ addr_from4("\306\63\144\0"), 32 };
		w->net.routes[i].dst.addr.b[15] = (uint8_t)i;
		w->net.routes[i].gw = w->net.gateway4;
		w->net.routes[i].onlink = i & 1;
	}
	if (kind & WORLD_NO_GATEWAY)
		w->net.gateway4 = ADDR_ANY;
}

/* Each option's whole length is what pieces of it give, whatever room there is. */
static void check_options(const struct dhcp *m)
{
	uint8_t all[DHCP_MAX_LEN], part[7];

	for (int code = 1; code < DHCPO_END; code++) {
		int n = dhcp_option(m, (uint8_t)code, all, sizeof(all));

		FUZZ_HOLDS(n >= -1 && n <= DHCP_MAX_LEN);
		FUZZ_HOLDS(dhcp_option(m, (uint8_t)code, part, sizeof(part)) == n);
		FUZZ_HOLDS(n <= 0 || memcmp(all, part, MIN_OF((size_t)n, sizeof(part))) == 0);
	}
}

static void check_reply(struct fake_world *w, const struct dhcp *q, const struct fake_seen *f)
{
	struct rd r = rd_init(f->data, f->len);
	struct dhcp m;

	FUZZ_HOLDS(f->len >= DHCP_MIN_LEN && f->len + UDP_HLEN + IP4_HLEN <= w->net.mtu);
	FUZZ_HOLDS(dhcp_read(&r, &m) == WIRE_OK && m.op == BOOTP_REPLY && m.xid == q->xid);
	FUZZ_HOLDS(memcmp(m.chaddr, q->chaddr, DHCP_CHADDR_LEN) == 0);
	FUZZ_HOLDS(addr_is_unspecified(&m.yiaddr) || netcfg_has_address(&w->net, &m.yiaddr));
	check_options(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct addr none = addr_from4("\0\0\0\0"), all = addr_from4("\377\377\377\377");
	struct rd r = rd_init(data, size), body;
	struct fake_setup setup = { .mtu = 0 };
	struct fake_world *w;
	struct fake_seen f;
	uint8_t kind = 0;
	struct dhcp m;

	rd_u8(&r, &kind);
	body = r;
	FUZZ_POISON(m);
	if (dhcp_read(&r, &m) != WIRE_OK) {
		FUZZ_POISONED(m);
		return 0;
	}
	check_options(&m);
	setup.mtu = kind & WORLD_SMALL ? CONF_MTU_MIN : 1500;
	w = fake_start(&setup);
	fill(w, kind);
	fake_ingress_udp(w, &none, &all, 68, 67, body.p, body.left, 0);
	fake_turn(w);
	FUZZ_HOLDS(w->io.opens == 0);
	if (fake_frame(w, &f))
		check_reply(w, &m, &f);
	FUZZ_HOLDS(!fake_frame(w, &f));
	FUZZ_HOLDS(w->count.dhcp_replies + w->count.dhcp_ignored == 1);
	fake_stop(w);
	return 0;
}
