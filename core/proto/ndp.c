/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ndp.h"

#include "proto/frame.h"
#include "wire/nd.h"
#include "wire/numbers.h"

bool ndp_is(uint8_t type)
{
	return type >= ICMP6_RS && type <= ICMP6_REDIRECT;
}

/* The container's own link-local address is not in netcfg: kernels and DHCP
 * clients make it themselves. */
static bool is_linklocal_of(const struct addr *a, const struct mac *m)
{
	const struct addr own = addr_linklocal6(m);

	return addr_eq(a, &own);
}

static void advertise(struct ctx *c, const struct ip *ip, const struct addr *target)
{
	const struct icmp h = {
		.type = ICMP6_NA, .rest = ND_NA_ROUTER | ND_NA_SOLICITED | ND_NA_OVERRIDE,
	};
	const struct flow_ip hdr = { .ttl = ND_HOPLIMIT, .df = true };
	uint8_t body[ND_NA_LEN], msg[ICMP_HLEN + ND_NA_LEN];
	struct wr w = wr_init(body, sizeof(body));
	size_t len;

	if (!nd_na_write(&w, target, &c->net->gw_mac))
		return;
	w = wr_init(msg, sizeof(msg));
	len = icmp_write(&w, true, &h, target, &ip->src, body, sizeof(body));
	if (len && frame_icmp(c, target, &ip->src, &hdr, msg, len) == 0)
		c->count->nd_replies++;
}

void ndp_message(struct ctx *c, const struct ip *ip, const struct icmp *h, struct rd *r)
{
	struct nd_ns ns;
	enum wire_err err;

	/* RFC 4861, 7.1.1: hop limit 255 and code 0, else it came from elsewhere. */
	if (ip->ttl != ND_HOPLIMIT || h->code != 0) {
		c->count->drop_martian++;
		return;
	}
	if (h->type != ICMP6_NS)	/* RS is answered when router advertisements are */
		return;
	err = nd_ns_read(r, &ns);
	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	/* From "::": duplicate address detection (RFC 4862, 5.4.3). */
	if (addr_is_any(&ip->src) || netcfg_has_address(c->net, &ns.target) ||
	    is_linklocal_of(&ns.target, &c->guest_mac))
		return;
	advertise(c, ip, &ns.target);
}
