/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/dhcp6.h"

#include "proto/frame.h"
#include "proto/offer.h"
#include "wire/dhcp6.h"
#include "wire/name.h"
#include "wire/numbers.h"

#define DUID_LL		3	/* RFC 8415, 11.4: by link-layer address */
#define DUID_LL_LEN	10
#define HTYPE_ETHERNET	1
#define T1_S		(OFFER_PREFERRED_S / 2)		/* RFC 8415, 21.4: 0.5 and 0.8 */
#define T2_S		(OFFER_PREFERRED_S / 5 * 4)

#define FQDN_S		0x01	/* RFC 4704, 4.1; as in RFC 4702, other bits */
#define FQDN_O		0x02
#define FQDN_N		0x04

/* All_DHCP_Relay_Agents_and_Servers (RFC 8415, 7.1) */
static const struct addr all_servers = { { 0xff, 0x02, [13] = 1, 0, 2 } };

/* One answer being written. */
struct answer {
	struct ctx *c;
	const struct dhcp6 *q;
	struct addr src;	/* the client's */
	struct wr w;
};

bool dhcp6_is(const struct ctx *c, const struct ip *ip, const struct udp *u)
{
	struct addr own = offer_router6(c->net);

	return u->dport == PORT_DHCP6_SERVER &&
	       (addr_eq(&ip->dst, &all_servers) || addr_eq(&ip->dst, &own));
}

/* Stable as gw_mac is: by container id and interface name. */
static void own_duid(const struct ctx *c, uint8_t ret[DUID_LL_LEN])
{
	struct wr w = wr_init(ret, DUID_LL_LEN);

	wr_u16(&w, DUID_LL);
	wr_u16(&w, HTYPE_ETHERNET);
	wr_bytes(&w, c->net->gw_mac.b, sizeof(c->net->gw_mac.b));
}

static bool is_own_duid(const struct ctx *c, const struct rd *id)
{
	uint8_t own[DUID_LL_LEN];

	own_duid(c, own);
	return id->left == sizeof(own) && memcmp(id->p, own, sizeof(own)) == 0;
}

/* --- identity associations ---------------------------------------------------- */

/* What IA_NA and IA_PD differ in. */
struct ia_kind {
	uint16_t code, item;		/* options: the association, what it holds */
	uint16_t none;			/* status where there is nothing to give */
	const char *none_text;
	bool (*read)(struct rd data, struct dhcp6_addr *ret);
	bool (*write)(struct wr *w, const struct dhcp6_addr *a);
	/* Whether p is the container's; the i-th of the container's, false at the end. */
	bool (*at)(const struct ctx *c, uint32_t i, struct prefix *ret);
};

static bool address_at(const struct ctx *c, uint32_t i, struct prefix *ret)
{
	for (uint32_t k = 0; k < c->net->naddresses; k++)
		if (!addr_is4(&c->net->addresses[k].addr) && i-- == 0) {
			*ret = (struct prefix){ c->net->addresses[k].addr, 128 };
			return true;
		}
	return false;
}

static bool prefix_at(const struct ctx *c, uint32_t i, struct prefix *ret)
{
	*ret = c->conf->delegated;
	return i == 0 && ret->len;
}

static const struct ia_kind kinds[] = {
	{ DHCP6O_IA_NA, DHCP6O_IAADDR, DHCP6S_NO_ADDRS, "the addresses belong to another IA_NA",
	  dhcp6_iaaddr_read, dhcp6_iaaddr_write, address_at },
	{ DHCP6O_IA_PD, DHCP6O_IAPREFIX, DHCP6S_NO_PREFIX, "no prefix to delegate",
	  dhcp6_iaprefix_read, dhcp6_iaprefix_write, prefix_at },
};

static bool is_own(const struct ctx *c, const struct ia_kind *k, const struct prefix *p)
{
	struct prefix own;

	for (uint32_t i = 0; k->at(c, i, &own); i++)
		if (own.len == p->len && addr_eq(&own.addr, &p->addr))
			return true;
	return false;
}

/* The next of a kind's items in an association. */
static bool next_item(struct rd *opts, const struct ia_kind *k, struct dhcp6_addr *ret)
{
	struct rd data;
	uint16_t code;

	while (dhcp6_next(opts, &code, &data))
		if (code == k->item && k->read(data, ret))
			return true;
	return false;
}

/* The next association of a kind in a message. */
static bool next_ia(struct rd *opts, const struct ia_kind *k, struct dhcp6_ia *ret)
{
	struct rd data;
	uint16_t code;

	while (dhcp6_next(opts, &code, &data))
		if (code == k->code && dhcp6_ia_read(data, ret))
			return true;
	return false;
}

static bool holds_own(const struct ctx *c, const struct ia_kind *k, const struct dhcp6_ia *ia)
{
	struct rd opts = ia->opts;
	struct dhcp6_addr item;

	while (next_item(&opts, k, &item))
		if (is_own(c, k, &item.prefix))
			return true;
	return false;
}

/* The association that gets what there is: the one that has it, else the first. */
static uint32_t owner(const struct answer *a, const struct ia_kind *k)
{
	struct rd opts = a->q->opts;
	struct dhcp6_ia ia;
	uint32_t first = 0;
	bool any = false;

	while (next_ia(&opts, k, &ia)) {
		if (holds_own(a->c, k, &ia))
			return ia.iaid;
		if (!any)
			first = ia.iaid;
		any = true;
	}
	return first;
}

static bool is_on_link(const struct ctx *c, const struct addr *a)
{
	for (uint32_t i = 0; i < c->net->naddresses; i++)
		if (prefix_contains(&c->net->addresses[i], a))
			return true;
	return false;
}

static bool is_all_on_link(const struct ctx *c, const struct ia_kind *k, const struct dhcp6_ia *ia)
{
	struct rd opts = ia->opts;
	struct dhcp6_addr item;

	while (next_item(&opts, k, &item))
		if (!is_on_link(c, &item.prefix.addr))
			return false;
	return true;
}

/* What the client has and shall not have goes back without a lifetime (RFC 8415,
 * 18.3.4 and 18.3.5). */
static void put_foreign(struct answer *a, const struct ia_kind *k, const struct dhcp6_ia *ia)
{
	struct rd opts = ia->opts;
	struct dhcp6_addr item;

	while (next_item(&opts, k, &item))
		if (!is_own(a->c, k, &item.prefix))
			k->write(&a->w, &(struct dhcp6_addr){ .prefix = item.prefix });
}

static bool put_own(struct answer *a, const struct ia_kind *k)
{
	struct dhcp6_addr item = { .preferred = OFFER_PREFERRED_S, .valid = OFFER_VALID_S };
	uint32_t n = 0;

	while (k->at(a->c, n, &item.prefix)) {
		k->write(&a->w, &item);
		n++;
	}
	return n > 0;
}

static void put_ia(struct answer *a, const struct ia_kind *k, const struct dhcp6_ia *ia)
{
	bool extends = a->q->type == DHCP6_RENEW || a->q->type == DHCP6_REBIND;
	uint8_t *opt = dhcp6_open(&a->w, k->code);

	wr_u32(&a->w, ia->iaid);
	wr_u32(&a->w, T1_S);
	wr_u32(&a->w, T2_S);
	/* RFC 8415, 18.3.2 */
	if (a->q->type == DHCP6_REQUEST && k->code == DHCP6O_IA_NA &&
	    !is_all_on_link(a->c, k, ia))
		dhcp6_status(&a->w, DHCP6S_NOT_ON_LINK, "not this link's");
	else if (ia->iaid != owner(a, k) || !put_own(a, k))
		dhcp6_status(&a->w, k->none, k->none_text);
	if (extends)
		put_foreign(a, k, ia);
	dhcp6_close(&a->w, opt);
}

static void put_ias(struct answer *a)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct rd opts = a->q->opts;
		struct dhcp6_ia ia;

		while (next_ia(&opts, &kinds[i], &ia))
			put_ia(a, &kinds[i], &ia);
	}
}

/* --- other options -------------------------------------------------------------- */

static void put_dns(struct answer *a)
{
	const struct netcfg *net = a->c->net;
	struct wr before = a->w;
	uint8_t *opt = dhcp6_open(&a->w, DHCP6O_DNS);
	uint32_t n = 0;

	for (uint32_t i = 0; i < net->nnameservers; i++)
		if (!addr_is4(&net->nameservers[i])) {
			wr_bytes(&a->w, net->nameservers[i].b, 16);
			n++;
		}
	dhcp6_close(&a->w, opt);
	if (!n)
		a->w = before;
}

static void put_search(struct answer *a)
{
	uint8_t names[OFFER_SEARCH_MAX];
	size_t n = offer_search(a->c->conf, names);

	if (n)
		dhcp6_put(&a->w, DHCP6O_SEARCH, names, n);
}

static void put_captive_portal(struct answer *a)
{
	const char *uri = a->c->conf->captive_portal;

	if (uri[0])
		dhcp6_put(&a->w, DHCP6O_CAPTIVE_PORTAL, uri, strlen(uri));
}

/* RFC 8415, 21.23: for clients that have no lease to renew. */
static void put_refresh_time(struct answer *a)
{
	uint8_t s[4];
	struct wr w = wr_init(s, sizeof(s));

	wr_u32(&w, OFFER_VALID_S);
	if (a->q->type == DHCP6_INFORMATION_REQUEST)
		dhcp6_put(&a->w, DHCP6O_REFRESH_TIME, s, sizeof(s));
}

/* RFC 4704, 6: no name is updated here. */
static void put_fqdn(struct answer *a)
{
	uint8_t flags;
	struct rd d;
	uint8_t *opt;

	if (!dhcp6_find(a->q->opts, DHCP6O_FQDN, &d) || !rd_u8(&d, &flags))
		return;
	opt = dhcp6_open(&a->w, DHCP6O_FQDN);
	wr_u8(&a->w, FQDN_N | (flags & FQDN_S ? FQDN_O : 0));
	if (a->c->conf->fqdn[0])
		name_write(&a->w, a->c->conf->fqdn);
	else
		wr_bytes(&a->w, d.p, d.left);
	dhcp6_close(&a->w, opt);
}

static const struct {
	uint16_t code;
	bool unasked;		/* also to a client without Option Request option */
	void (*put)(struct answer *a);
} options[] = {
	{ DHCP6O_DNS, true, put_dns },
	{ DHCP6O_SEARCH, true, put_search },
	{ DHCP6O_REFRESH_TIME, false, put_refresh_time },
	{ DHCP6O_FQDN, false, put_fqdn },
	{ DHCP6O_CAPTIVE_PORTAL, false, put_captive_portal },
};

static bool is_requested(struct rd oro, uint16_t code)
{
	uint16_t c;

	while (rd_u16(&oro, &c))
		if (c == code)
			return true;
	return false;
}

static void put_options(struct answer *a)
{
	struct rd oro;
	bool asked = dhcp6_find(a->q->opts, DHCP6O_ORO, &oro);

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct wr before = a->w;

		if (asked ? is_requested(oro, options[i].code) : options[i].unasked)
			options[i].put(a);
		if (a->w.failed)	/* no room: the answer is worth more than it */
			a->w = before;
	}
}

/* --- messages --------------------------------------------------------------------- */

/* Each returns the type of the answer, 0: none. */

/* RFC 8415, 18.3.1. Ours is the only server: preference 255 spares the client the
 * wait for others (18.2.1). */
static uint8_t on_solicit(struct answer *a)
{
	static const uint8_t most = 255;
	struct rd data;
	bool rapid = dhcp6_find(a->q->opts, DHCP6O_RAPID_COMMIT, &data);

	if (rapid)
		dhcp6_put(&a->w, DHCP6O_RAPID_COMMIT, NULL, 0);
	else
		dhcp6_put(&a->w, DHCP6O_PREFERENCE, &most, 1);
	put_ias(a);
	put_options(a);
	return rapid ? DHCP6_REPLY : DHCP6_ADVERTISE;
}

/* Request, Renew and Rebind: 18.3.2, 18.3.4, 18.3.5. */
static uint8_t on_lease(struct answer *a)
{
	put_ias(a);
	put_options(a);
	return DHCP6_REPLY;
}

/* RFC 8415, 18.3.3: unanswered if it holds no address. */
static uint8_t on_confirm(struct answer *a)
{
	const struct ia_kind *k = &kinds[0];
	struct rd opts = a->q->opts, items;
	bool any = false, good = true;
	struct dhcp6_addr item;
	struct dhcp6_ia ia;

	while (next_ia(&opts, k, &ia)) {
		items = ia.opts;
		any |= next_item(&items, k, &item);
		good &= is_all_on_link(a->c, k, &ia);
	}
	if (!any)
		return 0;
	dhcp6_status(&a->w, good ? DHCP6S_SUCCESS : DHCP6S_NOT_ON_LINK,
		     good ? "" : "not this link's");
	return DHCP6_REPLY;
}

/* Release and Decline: 18.3.7, 18.3.8. Nothing is remembered, so nothing changes. */
static uint8_t on_release(struct answer *a)
{
	dhcp6_status(&a->w, DHCP6S_SUCCESS, "");
	return DHCP6_REPLY;
}

/* RFC 8415, 18.3.6, and 16.12: one with an IA is no such message. */
static uint8_t on_information(struct answer *a)
{
	static const uint16_t ias[] = { DHCP6O_IA_NA, DHCP6O_IA_TA, DHCP6O_IA_PD };
	struct rd data;

	for (size_t i = 0; i < ARRAY_LEN(ias); i++)
		if (dhcp6_find(a->q->opts, ias[i], &data))
			return 0;
	put_options(a);
	return DHCP6_REPLY;
}

enum server_id { ID_MUST, ID_MUST_NOT, ID_MAY };

/* Which identifiers a message must have (RFC 8415, 16.2 to 16.12). One that names
 * its server and came by unicast, which we did not offer, is told so (18.4); others
 * may not come so at all (16). */
static const struct kind {
	uint8_t type;
	bool client_id;
	enum server_id server_id;
	uint8_t (*fn)(struct answer *a);
} messages[] = {
	{ DHCP6_SOLICIT, true, ID_MUST_NOT, on_solicit },
	{ DHCP6_REQUEST, true, ID_MUST, on_lease },
	{ DHCP6_CONFIRM, true, ID_MUST_NOT, on_confirm },
	{ DHCP6_RENEW, true, ID_MUST, on_lease },
	{ DHCP6_REBIND, true, ID_MUST_NOT, on_lease },
	{ DHCP6_RELEASE, true, ID_MUST, on_release },
	{ DHCP6_DECLINE, true, ID_MUST, on_release },
	{ DHCP6_INFORMATION_REQUEST, false, ID_MAY, on_information },
};

static const struct kind *find_kind(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

static bool is_valid(const struct ctx *c, const struct kind *k, const struct dhcp6 *q)
{
	struct rd id;

	if (dhcp6_find(q->opts, DHCP6O_CLIENT_ID, &id) ? !id.left || id.left > DHCP6_DUID_MAX
						       : k->client_id)
		return false;
	if (dhcp6_find(q->opts, DHCP6O_SERVER_ID, &id))
		return k->server_id != ID_MUST_NOT && is_own_duid(c, &id);
	return k->server_id != ID_MUST;
}

/* The identifiers, then what the message is answered with. */
static uint8_t write_body(struct answer *a, const struct kind *k, bool unicast)
{
	uint8_t duid[DUID_LL_LEN];
	struct rd id;

	own_duid(a->c, duid);
	dhcp6_put(&a->w, DHCP6O_SERVER_ID, duid, sizeof(duid));
	if (dhcp6_find(a->q->opts, DHCP6O_CLIENT_ID, &id))
		dhcp6_put(&a->w, DHCP6O_CLIENT_ID, id.p, id.left);
	if (!unicast)
		return k->fn(a);
	dhcp6_status(&a->w, DHCP6S_USE_MULTICAST, "");
	return k->server_id == ID_MUST ? DHCP6_REPLY : 0;
}

static bool reply(struct answer *a, const struct kind *k, bool unicast)
{
	uint8_t buf[DHCP6_MAX_LEN];
	struct wr head = wr_init(buf, DHCP6_HLEN);
	struct flow_key key = {
		.inner = a->src, .inner_port = PORT_DHCP6_CLIENT, .remote = offer_router6(a->c->net),
		.remote_port = PORT_DHCP6_SERVER, .proto = FLOW_UDP,
	};
	uint8_t type;

	a->w = wr_init(buf + DHCP6_HLEN, sizeof(buf) - DHCP6_HLEN);
	type = write_body(a, k, unicast);
	if (!type || a->w.failed)
		return false;
	dhcp6_write(&head, type, a->q->xid);
	return frame_udp_to(a->c, NULL, &key, buf, sizeof(buf) - a->w.left) == 0;
}

void dhcp6_message(struct ctx *c, const struct ip *ip, struct rd *r)
{
	const struct kind *k;
	struct answer a = { .c = c, .src = ip->src };
	enum wire_err err;
	struct dhcp6 q;

	err = dhcp6_read(r, &q);
	if (err != WIRE_OK) {
		c->count->drop_wire[err]++;
		return;
	}
	a.q = &q;
	k = find_kind(q.type);
	if (k && netcfg_primary(c->net, false) && is_valid(c, k, &q) &&
	    reply(&a, k, !addr_is_multicast(&ip->dst)))
		c->count->dhcp6_replies++;
	else
		c->count->dhcp_ignored++;
}
