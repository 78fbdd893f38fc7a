/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/dhcp.h"

#include "proto/frame.h"
#include "proto/offer.h"
#include "wire/dhcp.h"
#include "wire/name.h"
#include "wire/numbers.h"

#define HTYPE_ETHERNET	1	/* IANA arp-parameters */
#define UDP4_HLEN	(IP4_HLEN + UDP_HLEN)
#define SIZE_DEFAULT	576	/* of a packet every client takes (RFC 2131, 2) */

#define FQDN_S		0x01	/* RFC 4702, 2.1: the server shall update the DNS, */
#define FQDN_O		0x02	/* the server overrode S, */
#define FQDN_E		0x04	/* wire encoding of the name, */
#define FQDN_N		0x08	/* the server shall not and does not update */
#define FQDN_HLEN	3
#define FQDN_RCODE	255	/* 2.2: deprecated, always this */

/* One answer. */
struct answer {
	struct ctx *c;
	const struct dhcp *q;
	const struct prefix *addr;	/* what the client has or shall have; NULL in a NAK */
	uint8_t type;			/* DHCP_*, 0: BOOTP's */
	bool leased;			/* addr is leased by it: not to DHCPINFORM, BOOTP */
	bool rapid;			/* RFC 4039: committed without a DHCPREQUEST */
	struct dhcp_out out;
};

/* Server identifier and source of all answers: the gateway's address, which is
 * in the container's network, where it has one. */
static struct addr server_id(const struct netcfg *net)
{
	static const uint8_t local[4] = { 169, 254, 1, 1 };

	return addr_is_any(&net->gateway4) ? addr_from4(local) : net->gateway4;
}

bool dhcp_is(const struct ctx *c, const struct ip *ip, const struct udp *u)
{
	struct addr id = server_id(c->net);

	return u->dport == PORT_DHCP_SERVER &&
	       (addr_is_broadcast(&ip->dst) || addr_eq(&ip->dst, &id));
}

/* The container's address that a is, or NULL. */
static const struct prefix *own_address(const struct netcfg *net, const struct addr *a)
{
	for (uint32_t i = 0; i < net->naddresses; i++)
		if (addr_eq(&net->addresses[i].addr, a))
			return &net->addresses[i];
	return NULL;
}

static bool option_addr(const struct dhcp *m, uint8_t code, struct addr *ret)
{
	uint8_t b[4];

	if (dhcp_option(m, code, b, sizeof(b)) != sizeof(b))
		return false;
	*ret = addr_from4(b);
	return true;
}

/* --- options: each writes its data; false leaves it out ------------------- */

static bool put_addr(struct wr *w, const struct addr *a)
{
	return addr_is4(a) && wr_bytes(w, addr_bytes(a), 4);
}

static bool put_text(struct wr *w, const char *s)
{
	return s[0] && wr_bytes(w, s, strlen(s));
}

static uint32_t mask_of(uint8_t len)
{
	return len ? UINT32_MAX << (32 - len) : 0;
}

static bool opt_mask(const struct answer *a, struct wr *w)
{
	return wr_u32(w, mask_of(a->addr->len));
}

static bool opt_router(const struct answer *a, struct wr *w)
{
	return put_addr(w, &a->c->net->gateway4);
}

static bool opt_dns(const struct answer *a, struct wr *w)
{
	const struct netcfg *net = a->c->net;
	bool any = false;

	for (uint32_t i = 0; i < net->nnameservers; i++)
		any |= put_addr(w, &net->nameservers[i]);
	return any;
}

/* Else the client's own: nothing else knows the container's name. */
static bool opt_hostname(const struct answer *a, struct wr *w)
{
	uint8_t name[255];
	int n = dhcp_option(a->q, DHCPO_HOSTNAME, name, sizeof(name));

	if (a->c->conf->hostname[0])
		return put_text(w, a->c->conf->hostname);
	return n > 0 && n <= (int)sizeof(name) && wr_bytes(w, name, (size_t)n);
}

static bool opt_domain(const struct answer *a, struct wr *w)
{
	return put_text(w, offer_domain(a->c->conf));
}

static bool opt_mtu(const struct answer *a, struct wr *w)
{
	return wr_u16(w, (uint16_t)a->c->net->mtu);
}

static bool opt_broadcast(const struct answer *a, struct wr *w)
{
	struct rd r = rd_init(addr_bytes(&a->addr->addr), 4);
	uint32_t v;

	return a->addr->len <= 30 && rd_u32(&r, &v) && wr_u32(w, v | ~mask_of(a->addr->len));
}

static bool opt_lease(const struct answer *a, struct wr *w)
{
	return a->leased && wr_u32(w, OFFER_VALID_S);
}

static bool opt_t1(const struct answer *a, struct wr *w)
{
	return a->leased && wr_u32(w, OFFER_VALID_S / 2);	/* RFC 2131, 4.4.5 */
}

static bool opt_t2(const struct answer *a, struct wr *w)
{
	return a->leased && wr_u32(w, OFFER_VALID_S / 8 * 7);
}

/* Who does not say how it would have it encoded gets it as RFC 4702, 2.3 has it. */
static bool put_given_fqdn(const struct answer *a, struct wr *w, uint8_t flags)
{
	wr_u8(w, flags);
	wr_u8(w, FQDN_RCODE);
	wr_u8(w, FQDN_RCODE);
	return flags & FQDN_E ? name_write(w, a->c->conf->fqdn) : put_text(w, a->c->conf->fqdn);
}

/* RFC 4702, 4: the flags tell that no name is updated here. */
static bool opt_fqdn(const struct answer *a, struct wr *w)
{
	uint8_t d[255];
	int n = dhcp_option(a->q, DHCPO_FQDN, d, sizeof(d));
	bool given = a->c->conf->fqdn[0];

	if (n < FQDN_HLEN || n > (int)sizeof(d))
		return given && put_given_fqdn(a, w, FQDN_E | FQDN_N);
	if (given)
		return put_given_fqdn(a, w, (uint8_t)((d[0] & FQDN_E) | FQDN_N |
						      (d[0] & FQDN_S ? FQDN_O : 0)));
	d[0] = (uint8_t)((d[0] & FQDN_E) | FQDN_N | (d[0] & FQDN_S ? FQDN_O : 0));
	d[1] = d[2] = FQDN_RCODE;
	return wr_bytes(w, d, (size_t)n);
}

static bool opt_ipv6_only(const struct answer *a, struct wr *w)
{
	return a->c->conf->ipv6_only_s && netcfg_primary(a->c->net, false) &&
	       wr_u32(w, a->c->conf->ipv6_only_s);
}

static bool opt_captive_portal(const struct answer *a, struct wr *w)
{
	return put_text(w, a->c->conf->captive_portal);
}

static bool opt_search(const struct answer *a, struct wr *w)
{
	uint8_t names[OFFER_SEARCH_MAX];
	size_t n = offer_search(a->c->conf, names);

	return n && wr_bytes(w, names, n);
}

/* RFC 3442: prefix length, the prefix's bytes that count, the router. */
static void put_route(struct wr *w, const struct prefix *dst, const struct addr *gw)
{
	wr_u8(w, dst->len);
	wr_bytes(w, addr_bytes(&dst->addr), (dst->len + 7u) / 8);
	if (!put_addr(w, gw))
		wr_u32(w, 0);		/* on-link */
}

/* All routes: who understands this option does not look at the router option.
 * A gateway outside the client's network needs an on-link route before. */
static bool opt_routes(const struct answer *a, struct wr *w)
{
	const struct netcfg *net = a->c->net;
	bool any = false;

	for (uint32_t i = 0; i < net->nroutes; i++) {
		const struct route *r = &net->routes[i];

		if (!addr_is4(&r->dst.addr))
			continue;
		if (r->onlink)
			put_route(w, &(struct prefix){ r->gw, 32 }, &ADDR_ANY);
		put_route(w, &r->dst, &r->gw);
		any = true;
	}
	return any;
}

static const struct option {
	uint8_t code;
	bool unasked;		/* also to a client that sends no list of parameters */
	bool (*write)(const struct answer *a, struct wr *w);
} options[] = {
	{ DHCPO_MASK, true, opt_mask },
	{ DHCPO_ROUTER, true, opt_router },
	{ DHCPO_DNS, true, opt_dns },
	{ DHCPO_DOMAIN, true, opt_domain },
	{ DHCPO_BROADCAST, true, opt_broadcast },
	{ DHCPO_T1, true, opt_t1 },
	{ DHCPO_T2, true, opt_t2 },
	{ DHCPO_MTU, true, opt_mtu },
	{ DHCPO_HOSTNAME, true, opt_hostname },
	{ DHCPO_IPV6_ONLY, false, opt_ipv6_only },
	{ DHCPO_CAPTIVE_PORTAL, false, opt_captive_portal },
	{ DHCPO_SEARCH, false, opt_search },
	{ DHCPO_ROUTES, false, opt_routes },
};

static void add_option(struct answer *a, uint8_t code, bool (*write)(const struct answer *a,
								     struct wr *w))
{
	uint8_t data[DHCP_OPT_MAX];
	struct wr w = wr_init(data, sizeof(data));

	if (write(a, &w) && !w.failed)
		dhcp_put(&a->out, code, data, sizeof(data) - w.left);
}

static void add_by_code(struct answer *a, uint8_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].code == code)
			add_option(a, code, options[i].write);
}

/* What was asked for, in the order asked (RFC 2132, 9.8), but the mask before any
 * router (3.3); without a list what every client can use. */
static void add_parameters(struct answer *a)
{
	uint8_t list[255];
	bool done[256] = { false };
	int n = dhcp_option(a->q, DHCPO_PARAMETERS, list, sizeof(list));

	if (n <= 0) {
		for (size_t i = 0; i < ARRAY_LEN(options); i++)
			if (options[i].unasked)
				add_option(a, options[i].code, options[i].write);
		return;
	}
	n = MIN_OF(n, (int)sizeof(list));
	if (memchr(list, DHCPO_MASK, (size_t)n)) {
		add_by_code(a, DHCPO_MASK);
		done[DHCPO_MASK] = true;
	}
	for (int i = 0; i < n; i++) {
		if (!done[list[i]])
			add_by_code(a, list[i]);
		done[list[i]] = true;
	}
}

/* Those of RFC 2131, tables 3; the client identifier comes back by RFC 6842. */
static void add_options(struct answer *a)
{
	struct addr id = server_id(a->c->net);
	uint8_t client[255];
	int n = dhcp_option(a->q, DHCPO_CLIENT_ID, client, sizeof(client));

	if (a->type) {
		dhcp_put(&a->out, DHCPO_TYPE, &a->type, 1);
		dhcp_put(&a->out, DHCPO_SERVER, addr_bytes(&id), 4);
		if (n > 0 && n <= (int)sizeof(client))
			dhcp_put(&a->out, DHCPO_CLIENT_ID, client, (size_t)n);
	}
	if (a->type == DHCP_NAK) {
		static const char why[] = "not this container's address";

		dhcp_put(&a->out, DHCPO_MESSAGE, why, sizeof(why) - 1);
		return;
	}
	add_option(a, DHCPO_LEASE, opt_lease);
	if (a->rapid)
		dhcp_put(&a->out, DHCPO_RAPID_COMMIT, NULL, 0);
	add_option(a, DHCPO_FQDN, opt_fqdn);
	add_parameters(a);
}

/* --- sending ---------------------------------------------------------------- */

/* The longest answer the client takes, as option 57 says it of the whole packet
 * (RFC 2132, 9.10). */
static size_t size_limit(const struct answer *a)
{
	size_t mtu = MIN_OF((size_t)a->c->net->mtu, (size_t)DHCP_MAX_LEN + UDP4_HLEN);
	uint8_t b[2];
	struct rd r = rd_init(b, sizeof(b));
	uint16_t max = SIZE_DEFAULT;

	if (!a->type)
		return DHCP_MIN_LEN;
	if (dhcp_option(a->q, DHCPO_MAX_SIZE, b, sizeof(b)) == sizeof(b))
		rd_u16(&r, &max);
	return MIN_OF(MAX_OF((size_t)max, (size_t)SIZE_DEFAULT), mtu) - UDP4_HLEN;
}

static bool is_set(const struct addr *a)
{
	return !addr_is_unspecified(a);
}

/* Where the answer goes (RFC 2131, 4.1; 4.3.2 for a DHCPNAK; RFC 1542, 4). */
static void address_it(const struct answer *a, const struct dhcp *m, struct flow_key *key,
		       struct mac *link)
{
	const struct dhcp *q = a->q;
	const uint8_t ones[4] = { 255, 255, 255, 255 };

	*link = a->c->guest_mac;
	key->inner_port = PORT_DHCP_CLIENT;
	if (is_set(&q->giaddr)) {
		key->inner = q->giaddr;
		key->inner_port = PORT_DHCP_SERVER;
	} else if (a->type != DHCP_NAK && is_set(&q->ciaddr)) {
		key->inner = q->ciaddr;
	} else if (a->type == DHCP_NAK || (q->flags & DHCP_F_BROADCAST) || !is_set(&m->yiaddr) ||
		   q->htype != HTYPE_ETHERNET || q->hlen != sizeof(link->b)) {
		key->inner = addr_from4(ones);
		memset(link->b, 0xff, sizeof(link->b));
	} else {
		/* The client has no address yet: by hardware address, not by ARP. */
		key->inner = m->yiaddr;
		memcpy(link->b, q->chaddr, sizeof(link->b));
	}
}

static void send_answer(struct answer *a)
{
	struct dhcp m = {
		.op = BOOTP_REPLY, .htype = a->q->htype, .hlen = a->q->hlen, .xid = a->q->xid,
		.flags = a->q->flags, .giaddr = a->q->giaddr,
	};
	struct flow_key key = {
		.remote = server_id(a->c->net), .remote_port = PORT_DHCP_SERVER, .proto = FLOW_UDP,
	};
	uint8_t buf[DHCP_MAX_LEN];
	struct wr w = wr_init(buf, sizeof(buf));
	struct mac link;

	memcpy(m.chaddr, a->q->chaddr, sizeof(m.chaddr));
	if (a->leased || !a->type)
		m.yiaddr = a->addr->addr;
	if (a->type && a->type != DHCP_OFFER && a->type != DHCP_NAK)
		m.ciaddr = a->q->ciaddr;
	if (a->type == DHCP_NAK && is_set(&m.giaddr))
		m.flags |= DHCP_F_BROADCAST;	/* RFC 2131, 4.3.2 */
	dhcp_begin(&a->out, size_limit(a), a->type != 0);
	add_options(a);
	address_it(a, &m, &key, &link);
	if (!dhcp_write(&w, &m, &a->out) ||
	    frame_udp_to(a->c, &link, &key, buf, sizeof(buf) - w.left) < 0)
		return;
	a->c->count->dhcp_replies++;
	a->c->count->dhcp_naks += a->type == DHCP_NAK;
}

/* --- messages --------------------------------------------------------------- */

/* RFC 2131, 4.3.1. The address asked for, if it is one of the container's. */
static void on_discover(struct answer *a)
{
	struct addr want;

	if (option_addr(a->q, DHCPO_REQUESTED, &want) && own_address(a->c->net, &want))
		a->addr = own_address(a->c->net, &want);
	a->rapid = dhcp_option(a->q, DHCPO_RAPID_COMMIT, NULL, 0) == 0;
	a->type = a->rapid ? DHCP_ACK : DHCP_OFFER;
	a->leased = true;
}

/* RFC 2131, 4.3.2: selecting with a server identifier and a requested address,
 * init-reboot with the latter alone, renewing and rebinding with ciaddr. Ours is
 * the only server here, so one with a wrong address hears it. */
static void on_request(struct answer *a)
{
	struct addr id = server_id(a->c->net), server, want;

	if (option_addr(a->q, DHCPO_SERVER, &server) && !addr_eq(&server, &id))
		return;			/* the client took another's offer */
	if (!option_addr(a->q, DHCPO_REQUESTED, &want))
		want = a->q->ciaddr;
	if (!is_set(&want))
		return;
	a->addr = own_address(a->c->net, &want);
	a->leased = a->addr != NULL;
	a->type = a->leased ? DHCP_ACK : DHCP_NAK;
}

/* RFC 2131, 4.3.5: parameters without an address. */
static void on_inform(struct answer *a)
{
	const struct prefix *has = own_address(a->c->net, &a->q->ciaddr);

	if (!is_set(&a->q->ciaddr))
		return;
	if (has)
		a->addr = has;
	a->type = DHCP_ACK;
}

/* DHCPDECLINE (4.3.3) and DHCPRELEASE (4.3.4) change nothing where nothing is
 * remembered, and have no answer. */
static const struct {
	uint8_t type;
	void (*fn)(struct answer *a);
} handlers[] = {
	{ DHCP_DISCOVER, on_discover },
	{ DHCP_REQUEST, on_request },
	{ DHCP_INFORM, on_inform },
};

static void handle(struct answer *a, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
		if (handlers[i].type == type)
			handlers[i].fn(a);
	if (a->type)
		send_answer(a);
	else
		a->c->count->dhcp_ignored++;
}

void dhcp_message(struct ctx *c, struct rd *r)
{
	struct answer a = { .c = c, .addr = netcfg_primary(c->net, true) };
	enum wire_err err;
	struct dhcp q;
	uint8_t type;
	int n;

	err = dhcp_read(r, &q);
	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	n = dhcp_option(&q, DHCPO_TYPE, &type, 1);
	a.q = &q;
	if (q.op != BOOTP_REQUEST || !a.addr || (n >= 0 && n != 1))
		c->count->dhcp_ignored++;
	else if (n < 0)
		send_answer(&a);	/* BOOTP (RFC 1534, 2) */
	else
		handle(&a, type);
}
