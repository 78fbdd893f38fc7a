/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/values.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "conf/forward.h"

struct values {
	struct jsonout *o;
	const struct conf *c;
	const struct netcfg *net;
	struct conf plain;	/* what it is where nobody says anything */
};

static void put(struct values *v, const char *key, const char *text, const char *from)
{
	jsonout_open(v->o, NULL, '{');
	jsonout_string(v->o, "key", key);
	jsonout_string(v->o, "value", text);
	jsonout_string(v->o, "from", from);
	jsonout_shut(v->o, '}');
}

/* A front end that notes no keys is one that reads a command line. */
static const char *origin(const struct values *v, enum origin_key key, bool differs)
{
	enum origin from = (enum origin)v->c->from[key];

	return origin_names[from == ORIGIN_DEFAULT && differs ? ORIGIN_OPTION : from];
}

static void put_text(struct values *v, enum origin_key key, const char *text, bool differs)
{
	if (text[0])
		put(v, origin_key_names[key], text, origin(v, key, differs));
}

static void put_bool(struct values *v, enum origin_key key, bool is, bool plain)
{
	put_text(v, key, is ? "true" : "false", is != plain);
}

static void put_number(struct values *v, enum origin_key key, uint32_t n, uint32_t plain)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	put_text(v, key, text, n != plain);
}

static void put_addr(struct values *v, const char *key, const struct addr *a, const char *from)
{
	char text[ADDR_STRLEN];

	if (!addr_is_any(a))
		put(v, key, addr_format(a, text), from);
}

/* A list of which every member has the same origin. */
static void put_addrs(struct values *v, enum origin_key key, const struct addr *list, uint32_t n,
		      const struct addr *plain, uint32_t nplain)
{
	bool differs = n != nplain || (n && memcmp(list, plain, n * sizeof(*list)) != 0);

	for (uint32_t i = 0; i < n; i++)
		put_addr(v, origin_key_names[key], &list[i], origin(v, key, differs));
	if (!n && differs)
		put(v, origin_key_names[key], "none", origin(v, key, true));
}

/* --- the interface ------------------------------------------------------------- */

static bool is_given(const struct conf *c, bool v4)
{
	for (uint32_t i = 0; i < c->naddresses; i++)
		if (addr_is4(&c->addresses[i].addr) == v4)
			return true;
	return false;
}

/* Those that the attachment chose itself: neither given nor the host's. */
static bool is_private(const struct conf *c, bool v4)
{
	return !is_given(c, v4) && c->addresses_private && !c->addresses_host;
}

/* One origin a family: given ones stand before the host's in theirs only. */
static const char *address_from(const struct values *v, bool v4)
{
	if (is_given(v->c, v4))
		return origin(v, v4 ? ORIGIN_KEY_ADDRESSES4 : ORIGIN_KEY_ADDRESSES6, true);
	return is_private(v->c, v4) ? "private" : origin_names[ORIGIN_HOST];
}

static void put_gateway(struct values *v, const struct addr *gw, bool v4)
{
	const char *from = origin_names[is_private(v->c, v4) ? ORIGIN_DEFAULT : ORIGIN_HOST];

	for (uint32_t i = 0; i < v->c->ngateways; i++)
		if (addr_eq(&v->c->gateways[i], gw))
			from = origin(v, v4 ? ORIGIN_KEY_GATEWAYS4 : ORIGIN_KEY_GATEWAYS6, true);
	put_addr(v, "gateways", gw, from);
}

static bool is_in(const struct addr *list, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_eq(&list[i], a))
			return true;
	return false;
}

/* Some lead to addresses that the daemon answers for, and are there for their sake. */
static const char *route_from(const struct values *v, const struct route *r)
{
	const struct conf *c = v->c;
	const struct addr *a = &r->dst.addr;

	if (r->dst.len == addr_size(a) * 8) {
		if (is_in(c->host_addresses, c->nhost_addresses, a))
			return origin(v, ORIGIN_KEY_HOST_ADDRESS, false);
		if (is_in(c->host_loopback, c->nhost_loopback, a))
			return origin(v, ORIGIN_KEY_HOST_LOOPBACK, true);
		if (is_in(c->dns_forward, c->ndns_forward, a))
			return origin(v, ORIGIN_KEY_DNS_FORWARD, false);
	}
	if (c->nroutes)
		return origin(v, ORIGIN_KEY_ROUTES, true);
	return is_private(c, addr_is4(a)) ? origin_names[ORIGIN_DEFAULT] : origin_names[ORIGIN_HOST];
}

static void put_routes(struct values *v)
{
	char text[PREFIX_STRLEN + ADDR_STRLEN + 8], dst[PREFIX_STRLEN], gw[ADDR_STRLEN];

	for (uint32_t i = 0; i < v->net->nroutes; i++) {
		const struct route *r = &v->net->routes[i];

		snprintf(text, sizeof(text), "%s%s%s", prefix_format(&r->dst, dst),
			 addr_is_any(&r->gw) ? "" : " via ",
			 addr_is_any(&r->gw) ? "" : addr_format(&r->gw, gw));
		put(v, "routes", text, route_from(v, r));
	}
}

static void put_outer(struct values *v)
{
	const char *four = v->net->outer_ifname4, *six = v->net->outer_ifname6;
	const char *host = origin_names[ORIGIN_HOST];

	if (four[0])
		put(v, "outer", four, v->c->outbound_ifname4[0] ?
		    origin(v, ORIGIN_KEY_OUT_IFNAME, true) : host);
	if (six[0] && strcmp(six, four) != 0)
		put(v, "outer", six, v->c->outbound_ifname6[0] ?
		    origin(v, ORIGIN_KEY_OUT_IFNAME, true) : host);
}

static void put_link(struct values *v)
{
	const bool outer = v->net->outer_ifname4[0] || v->net->outer_ifname6[0];
	char mac[MAC_STRLEN], mtu[16];

	snprintf(mtu, sizeof(mtu), "%u", v->net->mtu);
	put(v, "mtu", mtu, v->c->mtu ? origin(v, ORIGIN_KEY_MTU, true) :
	    origin_names[outer ? ORIGIN_HOST : ORIGIN_DEFAULT]);
	put_text(v, ORIGIN_KEY_MAC, mac_format(&v->net->mac, mac), !mac_eq(&v->plain.mac, &v->net->mac));
	put_bool(v, ORIGIN_KEY_IPV4, v->c->ipv4, true);
	put_bool(v, ORIGIN_KEY_IPV6, v->c->ipv6, true);
	put_bool(v, ORIGIN_KEY_CONFIGURE, v->c->configure, true);
	put_bool(v, ORIGIN_KEY_FOLLOW, v->c->follow, true);
}

static void put_interface(struct values *v)
{
	char text[PREFIX_STRLEN];

	for (uint32_t i = 0; i < v->net->naddresses; i++)
		put(v, "addresses", prefix_format(&v->net->addresses[i], text),
		    address_from(v, addr_is4(&v->net->addresses[i].addr)));
	put_gateway(v, &v->net->gateway4, true);
	put_gateway(v, &v->net->gateway6, false);
	put_routes(v);
	put_link(v);
	put_outer(v);
}

/* --- the rest ------------------------------------------------------------------ */

static void put_names(struct values *v)
{
	const struct conf *c = v->c;
	const struct conf *p = &v->plain;

	put_addrs(v, ORIGIN_KEY_DNS_FORWARD, c->dns_forward, c->ndns_forward, p->dns_forward,
		  p->ndns_forward);
	for (uint32_t i = 0; i < v->net->nnameservers; i++)
		put_addr(v, "dns.nameservers", &v->net->nameservers[i],
			 c->nnameservers ? origin(v, ORIGIN_KEY_NAMESERVERS, true) :
					   origin(v, ORIGIN_KEY_DNS_FORWARD, false));
	put_text(v, ORIGIN_KEY_DOMAIN, c->domain, true);
	for (uint32_t i = 0; i < c->nsearch; i++)
		put_text(v, ORIGIN_KEY_SEARCH, c->search[i], true);
	put_bool(v, ORIGIN_KEY_HOST_NAMES, c->dns_host_names, p->dns_host_names);
	put_text(v, ORIGIN_KEY_PORTAL, c->captive_portal, true);
	if (c->ipv6_only_s)
		put_number(v, ORIGIN_KEY_IPV6_ONLY, c->ipv6_only_s, 0);
	if (c->delegated.len) {
		char text[PREFIX_STRLEN];

		put_text(v, ORIGIN_KEY_DELEGATED, prefix_format(&c->delegated, text), true);
	}
}

static void put_reach(struct values *v)
{
	const struct conf *c = v->c;
	const struct conf *p = &v->plain;

	put_addrs(v, ORIGIN_KEY_HOST_ADDRESS, c->host_addresses, c->nhost_addresses,
		  p->host_addresses, p->nhost_addresses);
	put_addrs(v, ORIGIN_KEY_HOST_LOOPBACK, c->host_loopback, c->nhost_loopback, NULL, 0);
	put_text(v, ORIGIN_KEY_OUT_IFNAME, c->outbound_ifname4, true);
	if (strcmp(c->outbound_ifname4, c->outbound_ifname6) != 0)
		put_text(v, ORIGIN_KEY_OUT_IFNAME, c->outbound_ifname6, true);
	put_addrs(v, ORIGIN_KEY_OUT_ADDRESSES, c->outbound, c->noutbound, NULL, 0);
	put_bool(v, ORIGIN_KEY_METADATA, c->metadata, p->metadata);
	put_bool(v, ORIGIN_KEY_SOURCE_CHECK, c->source_check, p->source_check);
}

static void put_rules(struct values *v, const char *key, const struct conf_forward *list,
		      uint32_t n)
{
	char text[FORWARD_STRLEN + 8], rule[FORWARD_STRLEN];

	for (uint32_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s %s", conf_proto_names[list[i].proto],
			 forward_format(&list[i], rule));
		put(v, key, text, origin_names[list[i].from ? list[i].from : ORIGIN_OPTION]);
	}
}

static void put_ports(struct values *v)
{
	const struct conf *c = v->c;
	const bool ready = (c->nforwards && c->forwards[0].ready) ||
			   (c->nreverses && c->reverses[0].ready);

	put_rules(v, "forward", c->forwards, c->nforwards);
	put_rules(v, "reverse", c->reverses, c->nreverses);
	put_bool(v, ORIGIN_KEY_PRESERVE_SOURCE, c->preserve_source, true);
	put_text(v, ORIGIN_KEY_CONFLICT, c->port_conflict == CONF_CONFLICT_IGNORE ? "ignore" : "error",
		 c->port_conflict != CONF_CONFLICT_ERROR);
	if (c->nforwards || c->nreverses)
		put_text(v, ORIGIN_KEY_LISTEN, ready ? "ready" : "always", ready);
}

static void put_daemon(struct values *v)
{
	const struct conf *c = v->c;
	char user[16];

	put_text(v, ORIGIN_KEY_VIA, c->via == CONF_VIA_BROKER ? "broker" : "direct", false);
	put_text(v, ORIGIN_KEY_SANDBOX, c->sandbox_strict ? "strict" : "auto", c->sandbox_strict);
	snprintf(user, sizeof(user), "%u", c->run_uid);
	if (c->run_uid)
		put_text(v, ORIGIN_KEY_USER, user, false);
	put_number(v, ORIGIN_KEY_UDP_TIMEOUT, c->udp_timeout, CONF_UDP_TIMEOUT);
	put_number(v, ORIGIN_KEY_UDP_STREAM, c->udp_stream, CONF_UDP_STREAM);
	put_text(v, ORIGIN_KEY_LOG_LEVEL, log_level_names[c->log_level], c->log_level != LOGL_INFO);
	put_text(v, ORIGIN_KEY_LOG_TARGET, c->log_target == LOGT_FILE ? c->log_path :
		 log_target_names[c->log_target], c->log_target != LOGT_SYSLOG);
	put_text(v, ORIGIN_KEY_CAPTURE, c->capture, true);
}

/* What no key stands for: pasta's options. */
static void put_options(struct values *v)
{
	static const char *const off[] = { "tcp", "udp", "icmp", "dhcp", "dhcpv6", "ndp", "ra",
					   "splice" };
	const struct conf *c = v->c;
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "template", c->template_ifname }, { "hostname", c->hostname }, { "fqdn", c->fqdn },
		{ "freebind", c->freebind ? "true" : "" }, { "socket", c->socket_path },
	};

	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].text[0])
			put(v, texts[i].name, texts[i].text, origin_names[ORIGIN_OPTION]);
	for (uint32_t i = 0; i < c->nresolvers; i++)
		put_addr(v, "resolvers", &c->resolvers[i], origin_names[ORIGIN_OPTION]);
	for (uint32_t i = 0; i < ARRAY_LEN(off); i++)
		if (c->off & 1u << i)
			put(v, "off", off[i], origin_names[ORIGIN_OPTION]);
}

void values_write(struct jsonout *o, const struct conf *c, const struct netcfg *net)
{
	static struct values v;		/* large: not on the stack */

	v = (struct values){ .o = o, .c = c, .net = net };
	conf_init(&v.plain);
	strcpy(v.plain.container_id, c->container_id);
	strcpy(v.plain.ifname, c->ifname);
	conf_default_macs(&v.plain);
	jsonout_open(o, "values", '[');
	put_interface(&v);
	put_reach(&v);
	put_names(&v);
	put_ports(&v);
	put_daemon(&v);
	put_options(&v);
	jsonout_shut(o, ']');
}
