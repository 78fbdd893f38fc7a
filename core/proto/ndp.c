/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/ndp.h"

#include "base/siphash.h"
#include "proto/frame.h"
#include "proto/offer.h"
#include "wire/nd.h"
#include "wire/numbers.h"

/* RFC 4861, 6.2.1 and 10 */
#define RA_INTERVAL_MAX_MS	600000u
#define RA_INTERVAL_MIN_MS	200000u		/* 0.33 * the former */
#define RA_INITIAL_MS		16000u		/* MAX_INITIAL_RTR_ADVERT_INTERVAL ... */
#define RA_INITIAL		3u		/* ... of so many */
#define RA_APART_MS		3000u		/* MIN_DELAY_BETWEEN_RAS */
#define RA_LIFETIME_S		1800u		/* AdvDefaultLifetime: 3 * the longest interval */
#define RA_MAX_LEN		(1280u - IP6_HLEN - ICMP_HLEN)

/* Either keeps us silent: a router is a neighbour too. */
#define RA_OFF	(CONF_OFF_RA | CONF_OFF_NDP)

static const struct addr all_nodes = { { 0xff, 0x02, [15] = 1 } };

bool ndp_is(uint8_t type)
{
	return type >= ICMP6_RS && type <= ICMP6_REDIRECT;
}

static bool is_in_prefix(const struct netcfg *net, const struct addr *a)
{
	for (uint32_t i = 0; i < net->naddresses; i++)
		if (net->addresses[i].len == 64 && prefix_contains(&net->addresses[i], a))
			return true;
	return false;
}

/* The container's own addresses by its MAC (RFC 4291, appendix A), link-local and
 * by SLAAC, are not in netcfg: kernels and DHCP clients make them themselves. */
static bool is_eui64_of(const struct ctx *c, const struct addr *a)
{
	struct addr ll = addr_linklocal6(&c->guest_mac);

	return (addr_is_linklocal6(a) || is_in_prefix(c->net, a)) &&
	       memcmp(a->b + 8, ll.b + 8, 8) == 0;
}

/* What comes with another hop limit was forwarded, and is refused (RFC 4861, 7.1). */
static const struct flow_ip nd_header = { .ttl = ND_HOPLIMIT, .df = true };

static void advertise(struct ctx *c, const struct ip *ip, const struct addr *target)
{
	const struct icmp h = {
		.type = ICMP6_NA, .rest = ND_NA_ROUTER | ND_NA_SOLICITED | ND_NA_OVERRIDE,
	};
	uint8_t body[ND_NA_LEN], msg[ICMP_HLEN + ND_NA_LEN];
	struct wr w = wr_init(body, sizeof(body));
	size_t len;

	if (!nd_na_write(&w, target, &c->net->gw_mac))
		return;
	w = wr_init(msg, sizeof(msg));
	len = icmp_write(&w, true, &h, target, &ip->src, body, sizeof(body));
	if (len && frame_icmp(c, target, &ip->src, &nd_header, 0, msg, len) == 0)
		c->count->nd_replies++;
}

static bool has_default6(const struct netcfg *net)
{
	for (uint32_t i = 0; i < net->nroutes; i++)
		if (!net->routes[i].dst.len && !addr_is4(&net->routes[i].dst.addr))
			return true;
	return false;
}

static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && prefix_contains(a, &b->addr);
}

/* Whether the i-th address is the first of its prefix that says anything: one of
 * its own (/128) has no link to be told of. */
static bool tells_prefix(const struct netcfg *net, uint32_t i)
{
	const struct prefix *p = &net->addresses[i];

	if (addr_is4(&p->addr) || p->len == 128)
		return false;
	while (i--)
		if (same_prefix(p, &net->addresses[i]))
			return false;
	return true;
}

/* SLAAC makes addresses of 64 bits behind 64 (RFC 4862, 5.5.3; RFC 2464, 4). */
static void put_prefixes(const struct ctx *c, struct wr *w, bool going)
{
	const struct netcfg *net = c->net;

	for (uint32_t i = 0; i < net->naddresses; i++) {
		const struct prefix *p = &net->addresses[i];

		if (tells_prefix(net, i))
			nd_opt_prefix(w, p, ND_PREFIX_ONLINK | (p->len == 64 ? ND_PREFIX_AUTO : 0),
				      going ? 0 : OFFER_VALID_S, going ? 0 : OFFER_PREFERRED_S);
	}
}

/* Options that would make the message longer than any link takes are left out. */
static void put_options(const struct ctx *c, struct wr *w, bool going)
{
	uint32_t life = going ? 0 : RA_LIFETIME_S;
	const struct netcfg *net = c->net;
	uint8_t names[OFFER_SEARCH_MAX];

	nd_opt_slla(w, &net->gw_mac);
	nd_opt_mtu(w, net->mtu);
	put_prefixes(c, w, going);
	nd_opt_rdnss(w, net->nameservers, net->nnameservers, life);
	nd_opt_dnssl(w, names, offer_search(c->conf, names), life);
	if (c->conf->captive_portal[0])
		nd_opt_captive_portal(w, c->conf->captive_portal);
	for (uint32_t i = 0; i < net->nroutes; i++)
		if (net->routes[i].dst.len && !addr_is4(&net->routes[i].dst.addr))
			nd_opt_route(w, &net->routes[i].dst, life);
}

/* Managed and Other: DHCPv6 (dhcp6.h) has the addresses and the rest. */
static uint8_t flags_of(const struct conf *c)
{
	return c->off & CONF_OFF_DHCP6 ? 0 : ND_RA_MANAGED | ND_RA_OTHER;
}

static void send_ra(struct ctx *c, const struct addr *dst, bool going)
{
	uint16_t lifetime = going || !has_default6(c->net) ? 0 : RA_LIFETIME_S;
	const struct icmp h = {
		.type = ICMP6_RA,
		.rest = nd_ra_rest(IP_DEFAULT_TTL, flags_of(c->conf), lifetime),
	};
	struct addr src = offer_router6(c->net);
	uint8_t body[RA_MAX_LEN], msg[ICMP_HLEN + RA_MAX_LEN];
	struct wr w = wr_init(body, sizeof(body));
	size_t len;

	nd_ra_write(&w, 0, 0);
	put_options(c, &w, going);
	len = sizeof(body) - w.left;
	w = wr_init(msg, sizeof(msg));
	len = icmp_write(&w, true, &h, &src, dst, body, len);
	if (len && frame_icmp(c, &src, dst, &nd_header, 0, msg, len) == 0)
		c->count->nd_router_adverts++;
}

/* RFC 4861, 6.2.4: at random between two intervals, the first few sooner. */
static void schedule(struct ctx *c)
{
	uint64_t random = siphash(&c->isn_key, &c->now_us, sizeof(c->now_us));
	uint64_t wait = RA_INTERVAL_MIN_MS + random % (RA_INTERVAL_MAX_MS - RA_INTERVAL_MIN_MS);

	c->ra_due = c->now + (c->ra_initial < RA_INITIAL ? MIN_OF(wait, RA_INITIAL_MS) : wait);
}

void ndp_start(struct ctx *c)
{
	if (!c->conf->configure && !(c->conf->off & RA_OFF) && netcfg_primary(c->net, false))
		c->ra_due = c->now;
}

void ndp_timer(struct ctx *c)
{
	if (!c->ra_due || c->now < c->ra_due)
		return;
	c->ra_last = c->now;
	c->ra_initial += c->ra_initial < RA_INITIAL;
	schedule(c);
	send_ra(c, &all_nodes, false);
}

/* Whether IPv6 is not quite what it was, for who learns it from advertisements. */
static bool is_news(const struct netcfg *was, const struct netcfg *now)
{
	const uint32_t told = 1u << NETCFG_ADDRESSES | 1u << NETCFG_ROUTES | 1u << NETCFG_GATEWAYS |
			      1u << NETCFG_MTU | 1u << NETCFG_NAMESERVERS;

	return netcfg_diff(was, now) & told;
}

/* Nobody listens who neither configures himself nor has ever asked. */
static bool is_listening(const struct ctx *c)
{
	return !(c->conf->off & RA_OFF) && (!c->conf->configure || c->ra_due || c->ra_last);
}

bool ndp_network_ends(struct ctx *c, const struct netcfg *now)
{
	if (!is_listening(c) || !is_news(c->net, now))
		return false;
	c->ra_due = 0;
	if (netcfg_primary(c->net, false))
		send_ra(c, &all_nodes, true);
	return true;
}

/* What stays gets its lifetimes back before anything could notice; and all of it is
 * said again soon, as at a start. */
void ndp_network_begins(struct ctx *c)
{
	c->ra_initial = 0;
	if (netcfg_primary(c->net, false))
		c->ra_due = c->now;
}

void ndp_repeat(struct ctx *c)
{
	if (is_listening(c))
		ndp_network_begins(c);
}

/* RFC 4861, 6.2.6: one host is on this link, so nobody is to be waited for; but
 * those to all stay apart. */
static void on_rs(struct ctx *c, const struct ip *ip, struct rd *r)
{
	struct nd_rs rs;
	enum wire_err err = nd_rs_read(r, &rs);
	uint64_t apart = c->ra_last ? c->ra_last + RA_APART_MS : 0;

	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	if (addr_is_any(&ip->src) && rs.has_slla) {	/* 6.1.1 */
		c->count->drop_martian++;
		return;
	}
	if (!netcfg_primary(c->net, false))
		return;
	if (!c->ra_due)
		schedule(c);
	if (addr_is_any(&ip->src))
		c->ra_due = MIN_OF(c->ra_due, MAX_OF(c->now, apart));
	else
		send_ra(c, &ip->src, false);
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
	if (h->type == ICMP6_RS && !(c->conf->off & RA_OFF))
		on_rs(c, ip, r);
	if (h->type != ICMP6_NS)
		return;
	err = nd_ns_read(r, &ns);
	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	/* From "::": duplicate address detection (RFC 4862, 5.4.3). */
	if (addr_is_any(&ip->src) || netcfg_has_address(c->net, &ns.target) ||
	    is_eui64_of(c, &ns.target))
		return;
	advertise(c, ip, &ns.target);
}
