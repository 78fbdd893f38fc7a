/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/siphash.h"
#include "conf/forward.h"

#define SHOWN_MAX	80	/* bytes of a refused value that a message repeats */

const char *const conf_proto_names[CONF_PROTO_COUNT] = {
	[CONF_TCP] = "tcp",
	[CONF_UDP] = "udp",
};

/* Not a secret: it makes the addresses stable over hosts and restarts. */
static const struct sipkey mac_key = { { 0x636e692d70617373, 0x742d6d61632d7631 } };

static const struct addr default_host = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
					    169, 254, 1, 2 } };

/* The same number in both families. */
static const struct addr default_dns[] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254, 1, 1 } },
	{ { 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0xfe, 1, 1 } },
};

void conf_init(struct conf *c)
{
	*c = (struct conf){
		.ipv4 = true,
		.ipv6 = true,
		.follow = true,
		.addresses_host = true,
		.udp_timeout = CONF_UDP_TIMEOUT,
		.udp_stream = CONF_UDP_STREAM,
		.configure = true,
		.nhost_addresses = 1,
		.host_addresses = { default_host },
		.ndns_forward = ARRAY_LEN(default_dns),
		.dns_forward = { default_dns[0], default_dns[1] },
		.dns_host_names = true,
		.dns_told = true,
		.preserve_source = true,
		.log_level = LOGL_INFO,
		.log_target = LOGT_SYSLOG,
		.copy_routes4 = true,
		.copy_routes6 = true,
	};
}

/* first decides the kind: locally administered and unicast (IEEE 802, 8.2). */
static struct mac derive_mac(const struct conf *c, uint8_t first)
{
	uint8_t text[CONF_ID_MAX + CONF_IFNAME_MAX + 2];
	size_t n = strlen(c->container_id);
	struct mac m = { { first } };
	uint64_t h;

	memcpy(text, c->container_id, n);
	text[n++] = '/';
	memcpy(text + n, c->ifname, strlen(c->ifname));
	n += strlen(c->ifname);
	text[n++] = first;
	h = siphash(&mac_key, text, n);
	for (int i = 1; i < 6; i++)
		m.b[i] = (uint8_t)(h >> (8 * i));
	return m;
}

void conf_default_macs(struct conf *c)
{
	static const struct mac zero;

	if (mac_eq(&c->mac, &zero))
		c->mac = derive_mac(c, 0x02);
	if (!mac_eq(&c->gw_mac, &zero))
		return;
	c->gw_mac = derive_mac(c, 0x06);
	if (mac_eq(&c->gw_mac, &c->mac))
		c->gw_mac.b[5] ^= 1;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool conf_id_ok(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > CONF_ID_MAX || !is_alnum(s[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(s[i]) && !strchr("_.-", s[i]))
			return false;
	return true;
}

bool conf_ifname_ok(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > CONF_IFNAME_MAX || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	/* '%': the kernel takes "eth%d" for a pattern and chooses the name. Bytes
	 * outside ASCII would make our JSON invalid. */
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || strchr("/:%", s[i]))
			return false;
	return true;
}

bool conf_domain_ok(const char *s)
{
	size_t n = strlen(s), label = 0;

	if (n < 1 || n > CONF_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		label = s[i] == '.' ? 0 : label + 1;
		if (label > 63 || (s[i] != '.' && !is_alnum(s[i]) && !strchr("-_", s[i])) ||
		    (s[i] == '.' && (i == 0 || s[i - 1] == '.')))
			return false;
	}
	return label > 0;
}

uint32_t conf_without_parse(const char *word)
{
	static const struct {
		const char *word;
		uint32_t bit;
	} words[] = {
		{ "offload", CONF_WITHOUT_OFFLOAD },
		{ "uso", CONF_WITHOUT_USO },
		{ "peek", CONF_WITHOUT_PEEK },
		{ "udpgso", CONF_WITHOUT_UDPGSO },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].bit;
	return 0;
}

/* A value fit for a one-line message. */
static const char *shown(const char *s, char buf[SHOWN_MAX])
{
	size_t i;

	for (i = 0; i < SHOWN_MAX - 1 && s[i]; i++)
		buf[i] = s[i] < ' ' || s[i] >= 0x7f ? '?' : s[i];
	buf[i] = '\0';
	return buf;
}

static int bad_addr(struct err *e, const char *key, const struct addr *a, const char *why)
{
	char text[ADDR_STRLEN];

	return err_set(e, ERR_CONFIG, "%s: \"%s\" %s", key, addr_format(a, text), why);
}

static int bad_prefix(struct err *e, const char *key, const struct prefix *p, const char *why)
{
	char text[PREFIX_STRLEN];

	return err_set(e, ERR_CONFIG, "%s: \"%s\" %s", key, prefix_format(p, text), why);
}

static bool family_on(const struct conf *c, const struct addr *a)
{
	return addr_is4(a) ? c->ipv4 : c->ipv6;
}

/* An address some host may have, of a family that is on. */
static int check_host(const struct conf *c, const char *key, const struct addr *a,
		      struct err *e)
{
	if (addr_is_unspecified(a))
		return bad_addr(e, key, a, "is unspecified, not a host's address");
	if (addr_is_loopback(a))
		return bad_addr(e, key, a, "is a loopback address");
	if (addr_is_multicast(a) || addr_is_broadcast(a))
		return bad_addr(e, key, a, "is not one host's address (multicast or broadcast)");
	if (!family_on(c, a))
		return bad_addr(e, key, a, addr_is4(a) ? "is IPv4, and \"ipv4\" is false"
						       : "is IPv6, and \"ipv6\" is false");
	return 0;
}

static uint32_t host_bits4(const struct prefix *p)
{
	const uint8_t *b = addr_bytes(&p->addr);
	uint32_t v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

	return p->len ? v & (uint32_t)((1ULL << (32 - p->len)) - 1) : v;
}

static bool is_given(const struct conf *c, const struct addr *a)
{
	for (uint32_t i = 0; i < c->naddresses; i++)
		if (addr_eq(&c->addresses[i].addr, a))
			return true;
	return false;
}

static int check_prefix(const struct conf *c, const struct prefix *p, struct err *e)
{
	uint32_t bits, all;

	if (check_host(c, "addresses", &p->addr, e) < 0)
		return -1;
	if (p->len == 0 || p->len > addr_size(&p->addr) * 8)
		return bad_prefix(e, "addresses", p, "has no usable prefix length");
	if (!addr_is4(&p->addr) || p->len > 30)
		return 0;
	bits = host_bits4(p);
	all = (uint32_t)((1ULL << (32 - p->len)) - 1);
	if ((bits == 0 && !c->net_address) || bits == all)
		return bad_prefix(e, "addresses", p,
				  "is the network's own or its broadcast address");
	return 0;
}

static int check_addresses(const struct conf *c, struct err *e)
{
	if (c->naddresses > CONF_ADDRS_MAX)
		return err_set(e, ERR_CONFIG, "addresses: %u entries, at most %d", c->naddresses,
			       CONF_ADDRS_MAX);
	if (c->addresses_host && c->addresses_private)
		return err_set(e, ERR_CONFIG, "addresses: \"host\" and \"private\" exclude each other");
	if (!c->naddresses && !c->addresses_host && !c->addresses_private)
		return err_set(e, ERR_CONFIG, "addresses: [] leaves the container without one");
	for (uint32_t i = 0; i < c->naddresses; i++) {
		if (check_prefix(c, &c->addresses[i], e) < 0)
			return -1;
		for (uint32_t j = 0; j < i; j++)
			if (addr_eq(&c->addresses[i].addr, &c->addresses[j].addr))
				return bad_prefix(e, "addresses", &c->addresses[i],
						  "stands there twice");
	}
	return 0;
}

static int check_gateways(const struct conf *c, struct err *e)
{
	if (c->ngateways > CONF_GATEWAYS_MAX)
		return err_set(e, ERR_CONFIG, "gateways: %u entries, at most one a family",
			       c->ngateways);
	for (uint32_t i = 0; i < c->ngateways; i++) {
		const struct addr *gw = &c->gateways[i];

		if (check_host(c, "gateways", gw, e) < 0)
			return -1;
		if (is_given(c, gw))
			return bad_addr(e, "gateways", gw, "is also in \"addresses\"");
		if (i && addr_is4(gw) == addr_is4(&c->gateways[0]))
			return bad_addr(e, "gateways", gw, "is the second of its family");
	}
	return 0;
}

/* Host bits to zero, as the kernel wants a destination. */
static void mask_prefix(struct prefix *p)
{
	uint8_t *b = p->addr.b + (addr_is4(&p->addr) ? 12 : 0);
	unsigned int size = (unsigned int)addr_size(&p->addr), whole = p->len / 8;

	if (whole >= size)
		return;
	b[whole] &= (uint8_t)(0xff00u >> (p->len % 8));
	memset(b + whole + 1, 0, size - whole - 1);
}

static int check_gw(const struct conf *c, struct route *r, struct err *e)
{
	if (addr_is_any(&r->gw))
		return 0;
	if (addr_is4(&r->gw) != addr_is4(&r->dst.addr))
		return bad_addr(e, "routes.gw", &r->gw, "is not of the destination's family");
	if (check_host(c, "routes.gw", &r->gw, e) < 0)
		return -1;
	if (is_given(c, &r->gw))
		return bad_addr(e, "routes.gw", &r->gw, "is also in \"addresses\"");
	return 0;
}

static int check_route(const struct conf *c, struct route *r, struct err *e)
{
	if (r->dst.len > addr_size(&r->dst.addr) * 8)
		return bad_prefix(e, "routes.dst", &r->dst, "has no usable prefix length");
	if (!family_on(c, &r->dst.addr))
		return bad_prefix(e, "routes.dst", &r->dst, "is of a family that is switched off");
	mask_prefix(&r->dst);
	if (addr_is_loopback(&r->dst.addr))
		return bad_prefix(e, "routes.dst", &r->dst, "is the loopback");
	return check_gw(c, r, e);
}

static int check_routes(struct conf *c, struct err *e)
{
	if (c->nroutes > CONF_ROUTES_MAX)
		return err_set(e, ERR_CONFIG, "routes: %u entries, at most %d", c->nroutes,
			       CONF_ROUTES_MAX);
	for (uint32_t i = 0; i < c->nroutes; i++) {
		struct route *r = &c->routes[i];

		if (check_route(c, r, e) < 0)
			return -1;
		for (uint32_t j = 0; j < i; j++)
			if (addr_eq(&r->dst.addr, &c->routes[j].dst.addr) &&
			    r->dst.len == c->routes[j].dst.len &&
			    r->metric == c->routes[j].metric)
				return bad_prefix(e, "routes.dst", &r->dst, "stands there twice");
	}
	return 0;
}

/* The default goes with its family: who wrote "ipv4": false did not ask for it. */
static void drop_default_host(struct conf *c)
{
	if (!c->ipv4 && c->nhost_addresses == 1 && addr_eq(&c->host_addresses[0], &default_host))
		c->nhost_addresses = 0;
}

static int check_host_list(const struct conf *c, const char *key, const struct addr *list,
			   uint32_t n, struct err *e)
{
	if (n > CONF_HOST_ADDRS_MAX)
		return err_set(e, ERR_CONFIG, "%s: %u entries, at most %d", key, n,
			       CONF_HOST_ADDRS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		if (check_host(c, key, &list[i], e) < 0)
			return -1;
		if (is_given(c, &list[i]))
			return bad_addr(e, key, &list[i], "is also in \"addresses\"");
		for (uint32_t j = 0; j < i; j++)
			if (addr_eq(&list[i], &list[j]))
				return bad_addr(e, key, &list[i], "stands there twice");
	}
	return 0;
}

static int check_host_addresses(struct conf *c, struct err *e)
{
	drop_default_host(c);
	if (check_host_list(c, "hostAddress", c->host_addresses, c->nhost_addresses, e) < 0 ||
	    check_host_list(c, "hostLoopback", c->host_loopback, c->nhost_loopback, e) < 0)
		return -1;
	for (uint32_t i = 0; i < c->nhost_loopback; i++)
		for (uint32_t j = 0; j < c->nhost_addresses; j++)
			if (addr_eq(&c->host_loopback[i], &c->host_addresses[j]))
				return bad_addr(e, "hostLoopback", &c->host_loopback[i],
						"is also in \"hostAddress\"");
	return 0;
}

static bool is_in_list(const struct addr *list, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_eq(&list[i], a))
			return true;
	return false;
}

static bool is_host_address(const struct conf *c, const struct addr *a)
{
	return is_in_list(c->host_addresses, c->nhost_addresses, a) ||
	       is_in_list(c->host_loopback, c->nhost_loopback, a);
}

/* The defaults go without a word where they cannot be. */
static void drop_default_dns(struct conf *c)
{
	if (c->ndns_forward != ARRAY_LEN(default_dns) ||
	    memcmp(c->dns_forward, default_dns, sizeof(default_dns)) != 0)
		return;
	c->ndns_forward = 0;
	for (size_t i = 0; i < ARRAY_LEN(default_dns); i++)
		if (family_on(c, &default_dns[i]) && !is_given(c, &default_dns[i]) &&
		    !is_host_address(c, &default_dns[i]))
			c->dns_forward[c->ndns_forward++] = default_dns[i];
}

static int check_dns_forward(struct conf *c, struct err *e)
{
	drop_default_dns(c);
	if (check_host_list(c, "dns.forward", c->dns_forward, c->ndns_forward, e) < 0)
		return -1;
	for (uint32_t i = 0; i < c->ndns_forward; i++) {
		if (addr_is_linklocal6(&c->dns_forward[i]))
			return bad_addr(e, "dns.forward", &c->dns_forward[i],
					"is link-local, which programs cannot ask without a scope");
		if (is_host_address(c, &c->dns_forward[i]))
			return bad_addr(e, "dns.forward", &c->dns_forward[i],
					"is also in \"hostAddress\" or \"hostLoopback\"");
	}
	return 0;
}

static int check_resolvers(const struct conf *c, struct err *e)
{
	for (uint32_t i = 0; i < c->nresolvers; i++) {
		const struct addr *a = &c->resolvers[i];

		if (!addr_is_loopback(a) && (!addr_is_unicast(a) || addr_is_linklocal6(a)))
			return bad_addr(e, "resolvers", a, "is not one host's, or needs a scope");
	}
	return 0;
}

static int bad_forward(struct err *e, const char *key, const struct conf_forward *f,
		       const char *why)
{
	char text[FORWARD_STRLEN];

	return err_set(e, ERR_CONFIG, "%s.%s: \"%s\" %s", key, conf_proto_names[f->proto],
		       forward_format(f, text), why);
}

static int check_forward_ends(const struct conf *c, const char *key,
			      const struct conf_forward *f, struct err *e)
{
	const struct addr *const ends[] = { &f->addr, &f->to };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if (addr_is_any(ends[i]))
			continue;
		if (addr_is_multicast(ends[i]) || addr_is_broadcast(ends[i]))
			return bad_forward(e, key, f, "holds an address that is not one host's");
		if (!family_on(c, ends[i]))
			return bad_forward(e, key, f, "is of a family that is switched off");
	}
	if (!addr_is_any(&f->to) && addr_is_unspecified(&f->to))
		return bad_forward(e, key, f, "leads to an unspecified address");
	if (!addr_is_any(&f->addr) && !addr_is_any(&f->to) &&
	    addr_is4(&f->addr) != addr_is4(&f->to))
		return bad_forward(e, key, f, "leads from one family into the other");
	return 0;
}

static int check_forward(const struct conf *c, const char *key, const struct conf_forward *f,
			 struct err *e)
{
	if (f->proto >= CONF_PROTO_COUNT || f->kind >= CONF_FORWARD_KIND_COUNT)
		return err_set(e, ERR_CONFIG, "%s: a rule of protocol %u, kind %u", key, f->proto,
			       f->kind);
	if (f->ifname[0] && !conf_ifname_ok(f->ifname))
		return bad_forward(e, key, f, "names no interface");
	if (f->kind == CONF_FORWARD_AUTO)
		return check_forward_ends(c, key, f, e);
	if (f->first > f->last || (!f->first && f->last))
		return bad_forward(e, key, f, "is not a range of ports");
	if (f->kind == CONF_FORWARD_EXCEPT)
		return 0;
	if (!f->to_first || (uint32_t)f->to_first + (f->last - f->first) > UINT16_MAX)
		return bad_forward(e, key, f, "leads to no port");
	return check_forward_ends(c, key, f, e);
}

/* Whether a socket bound to a takes b's place, by the kernel's rules. */
static bool covers(const struct addr *a, const struct addr *b)
{
	return addr_is_any(a) || addr_eq(a, b) ||
	       (addr_is_unspecified(a) && addr_is4(a) && addr_is4(b));
}

bool conf_forwards_meet(const struct conf_forward *a, const struct conf_forward *b)
{
	if (a->kind != CONF_FORWARD_PORTS || b->kind != CONF_FORWARD_PORTS ||
	    a->proto != b->proto || !a->first || !b->first)
		return false;
	if (a->first > b->last || b->first > a->last)
		return false;
	if (a->ifname[0] && b->ifname[0] && strcmp(a->ifname, b->ifname) != 0)
		return false;
	return covers(&a->addr, &b->addr) || covers(&b->addr, &a->addr);
}

static int check_forwards(const struct conf *c, const char *key, const struct conf_forward *f,
			  uint32_t n, uint32_t max, struct err *e)
{
	if (n > max)
		return err_set(e, ERR_CONFIG, "%s: %u rules, at most %u", key, n, max);
	for (uint32_t i = 0; i < n; i++) {
		if (check_forward(c, key, &f[i], e) < 0)
			return -1;
		for (uint32_t j = 0; j < i; j++)
			if (conf_forwards_meet(&f[i], &f[j]))
				return bad_forward(e, key, &f[i],
						   "listens where another rule does already");
	}
	return 0;
}

static bool is_elsewhere(const struct addr *a)
{
	return !addr_is_any(a) && !addr_is_loopback(a);
}

/* The one that every host has; or ADDR_ANY: both families'. */
static bool is_first_loopback(const struct addr *a)
{
	const struct addr lo = addr_loopback(addr_is4(a));

	return addr_is_any(a) || addr_eq(a, &lo);
}

/* Loopback to loopback, one port each: more could be reached without a rule. */
static int check_reverse(const struct conf_forward *f, struct err *e)
{
	if (f->kind == CONF_FORWARD_EXCEPT)
		return 0;
	if (f->ifname[0] || is_elsewhere(&f->addr))
		return bad_forward(e, "reverse", f, "listens elsewhere than on the container's"
				   " loopback");
	if (f->kind == CONF_FORWARD_AUTO && !is_first_loopback(&f->addr))
		return bad_forward(e, "reverse", f, "follows what 127.0.0.1 and ::1 have only");
	if (is_elsewhere(&f->to))
		return bad_forward(e, "reverse", f, "leads elsewhere than to the host's loopback");
	if (f->kind == CONF_FORWARD_PORTS && !f->first)
		return bad_forward(e, "reverse", f, "names no port to listen on");
	return 0;
}

/* Of the container's loopback only what every program means by it is followed. */
static int check_ready(const struct conf *c, struct err *e)
{
	for (uint32_t i = 0; i < c->nforwards; i++) {
		const struct conf_forward *f = &c->forwards[i];

		if (f->ready && addr_is_loopback(&f->to) && !is_first_loopback(&f->to))
			return bad_forward(e, "forward", f, "leads to another loopback address than"
					   " 127.0.0.1 or ::1, which \"listen\": \"ready\" does not follow");
	}
	return 0;
}

static int check_interface(const char *key, const char *name, struct err *e)
{
	char text[SHOWN_MAX];

	if (!name[0] || conf_ifname_ok(name))
		return 0;
	return err_set(e, ERR_CONFIG, "%s: \"%s\" is not an interface name", key,
		       shown(name, text));
}

static int check_outbound(const struct conf *c, struct err *e)
{
	if (check_interface("outbound.interface", c->outbound_ifname4, e) < 0 ||
	    check_interface("outbound.interface", c->outbound_ifname6, e) < 0 ||
	    check_interface("interface", c->template_ifname, e) < 0)
		return -1;
	if (c->noutbound > CONF_OUTBOUND_MAX)
		return err_set(e, ERR_CONFIG, "outbound.addresses: %u entries, at most one a family",
			       c->noutbound);
	for (uint32_t i = 0; i < c->noutbound; i++) {
		if (check_host(c, "outbound.addresses", &c->outbound[i], e) < 0)
			return -1;
		if (i && addr_is4(&c->outbound[i]) == addr_is4(&c->outbound[0]))
			return bad_addr(e, "outbound.addresses", &c->outbound[i],
					"is the second of its family");
	}
	return 0;
}

/* Into a virtual machine nobody can look, and no socket can be made in there. */
static int check_guest(const struct conf *c, struct err *e)
{
	if (!c->guest)
		return 0;
	if (c->nreverses)
		return bad_forward(e, "reverse", &c->reverses[0], "is not for a virtual machine,"
				   " whose loopback is its own");
	for (uint32_t i = 0; i < c->nforwards; i++) {
		const struct conf_forward *f = &c->forwards[i];

		if (f->kind == CONF_FORWARD_AUTO || f->ready)
			return bad_forward(e, "forward", f, "is not for a virtual machine:"
					   " what it listens on cannot be seen");
		if (addr_is_loopback(&f->to))
			return bad_forward(e, "forward", f, "leads to a virtual machine's loopback,"
					   " which is its own");
	}
	return 0;
}

int conf_add_forward(struct conf *c, const struct conf_forward *f, struct err *e)
{
	if (c->nforwards == CONF_FORWARDS_MAX)
		return err_set(e, ERR_CONFIG, "forward: there are %d rules already",
			       CONF_FORWARDS_MAX);
	c->forwards[c->nforwards++] = *f;
	if (check_forwards(c, "forward", c->forwards, c->nforwards, CONF_FORWARDS_MAX, e) == 0 &&
	    check_ready(c, e) == 0 && check_guest(c, e) == 0)
		return 0;
	c->nforwards--;
	return -1;
}

bool conf_forward_eq(const struct conf_forward *a, const struct conf_forward *b)
{
	return a->proto == b->proto && a->kind == b->kind && a->first == b->first &&
	       a->last == b->last && a->to_first == b->to_first && addr_eq(&a->addr, &b->addr) &&
	       addr_eq(&a->to, &b->to) && strcmp(a->ifname, b->ifname) == 0;
}

static int check_publishing(const struct conf *c, struct err *e)
{
	if (c->splice_only && (c->guest || c->follow || c->preserve_source ||
			       (c->off & CONF_OFF_SPLICE)))
		return err_set(e, ERR_CONFIG, "no interface, and something that needs one");
	if ((unsigned int)c->port_conflict >= CONF_CONFLICT_COUNT)
		return err_set(e, ERR_CONFIG, "portConflict: %u is none",
			       (unsigned int)c->port_conflict);
	if (check_forwards(c, "forward", c->forwards, c->nforwards, CONF_FORWARDS_MAX, e) < 0 ||
	    check_forwards(c, "reverse", c->reverses, c->nreverses, CONF_REVERSES_MAX, e) < 0)
		return -1;
	for (uint32_t i = 0; i < c->nreverses; i++)
		if (check_reverse(&c->reverses[i], e) < 0)
			return -1;
	return check_ready(c, e) < 0 ? -1 : check_guest(c, e);
}

static int check_names(const struct conf *c, struct err *e)
{
	char text[SHOWN_MAX];

	if (c->nnameservers > CONF_NAMESERVERS_MAX)
		return err_set(e, ERR_CONFIG, "dns.nameservers: %u entries, at most %d",
			       c->nnameservers, CONF_NAMESERVERS_MAX);
	if (c->nsearch > CONF_SEARCH_MAX)
		return err_set(e, ERR_CONFIG, "dns.search: %u entries, at most %d", c->nsearch,
			       CONF_SEARCH_MAX);
	if (c->domain[0] && !conf_domain_ok(c->domain))
		return err_set(e, ERR_CONFIG, "dns.domain: \"%s\" is not a domain name",
			       shown(c->domain, text));
	for (uint32_t i = 0; i < c->nsearch; i++)
		if (!conf_domain_ok(c->search[i]))
			return err_set(e, ERR_CONFIG, "dns.search: \"%s\" is not a domain name",
				       shown(c->search[i], text));
	return 0;
}

/* Bytes of a URI (RFC 3986, 2): printable ASCII. */
static bool uri_ok(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static int check_dhcp(struct conf *c, struct err *e)
{
	char text[SHOWN_MAX];

	if (!uri_ok(c->captive_portal))
		return err_set(e, ERR_CONFIG, "dhcp.captivePortal: \"%s\" is not a URI",
			       shown(c->captive_portal, text));
	if (c->ipv6_only_s && c->ipv6_only_s < CONF_IPV6_ONLY_MIN)
		return err_set(e, ERR_CONFIG, "dhcp.ipv6OnlyPreferred: %u is not 0 or at least %d",
			       c->ipv6_only_s, CONF_IPV6_ONLY_MIN);
	if (c->hostname[0] && !conf_domain_ok(c->hostname))
		return err_set(e, ERR_CONFIG, "hostname: \"%s\" is not a host's name",
			       shown(c->hostname, text));
	if (c->fqdn[0] && !conf_domain_ok(c->fqdn))
		return err_set(e, ERR_CONFIG, "fqdn: \"%s\" is not a host's name",
			       shown(c->fqdn, text));
	if (!c->delegated.len)
		return 0;
	if (addr_is4(&c->delegated.addr) || c->delegated.len > 128 ||
	    addr_is_linklocal(&c->delegated.addr))
		return bad_prefix(e, "dhcp.prefix", &c->delegated, "is not a global IPv6 prefix");
	/* first: the core checks what is left once more */
	mask_prefix(&c->delegated);
	return check_host(c, "dhcp.prefix", &c->delegated.addr, e);
}

static int check_path(const char *key, const char *path, int code, struct err *e)
{
	char text[SHOWN_MAX];

	if (strnlen(path, CONF_PATH_MAX) == CONF_PATH_MAX)
		return err_set(e, code, "%s: longer than %d bytes", key, CONF_PATH_MAX - 1);
	if (path[0] != '/')
		return err_set(e, code, "%s: \"%s\" is not an absolute path", key,
			       shown(path, text));
	return 0;
}

static int check_identity(const struct conf *c, struct err *e)
{
	char text[SHOWN_MAX];

	if (!conf_id_ok(c->container_id))
		return err_set(e, ERR_ENV, "CNI_CONTAINERID: \"%s\" is not a container id"
			       " (letters, digits, \"_.-\", at most %d)",
			       shown(c->container_id, text), CONF_ID_MAX);
	if (!conf_ifname_ok(c->ifname))
		return err_set(e, ERR_ENV, "CNI_IFNAME: \"%s\" is not an interface name"
			       " (1 to %d bytes, no space, \"/\", \":\", \"%%\")",
			       shown(c->ifname, text), CONF_IFNAME_MAX);
	if (c->network[0] && !conf_id_ok(c->network))
		return err_set(e, ERR_CONFIG, "name: \"%s\" is not a network name"
			       " (letters, digits, \"_.-\", at most %d)",
			       shown(c->network, text), CONF_ID_MAX);
	if ((!c->guest && check_path("CNI_NETNS", c->netns_path, ERR_ENV, e) < 0) ||
	    check_path("state folder", c->state_dir, ERR_IO, e) < 0)
		return -1;
	if (c->owner_pid < 0)
		return err_set(e, ERR_ENV, "--pid: %d is not a process id", c->owner_pid);
	return 0;
}

static int check_link(const struct conf *c, struct err *e)
{
	char text[MAC_STRLEN];

	if (!c->ipv4 && !c->ipv6)
		return err_set(e, ERR_CONFIG, "ipv4, ipv6: both false: no family is left");
	if (c->mtu && (c->mtu < CONF_MTU_MIN || c->mtu > CONF_MTU_MAX))
		return err_set(e, ERR_CONFIG, "mtu: %u is not 0 or %d to %d", c->mtu,
			       CONF_MTU_MIN, CONF_MTU_MAX);
	if (c->mtu && c->ipv6 && c->mtu < 1280) {
		err_set(e, ERR_CONFIG, "mtu: %u is below the 1280 that IPv6 needs", c->mtu);
		return err_hint(e, "raise it or set \"ipv6\": false");
	}
	if (!mac_is_usable(&c->mac))
		return err_set(e, ERR_CONFIG, "mac: \"%s\" is not a unicast address",
			       mac_format(&c->mac, text));
	if (!mac_is_usable(&c->gw_mac))
		return err_set(e, ERR_CONFIG, "gateway's mac: \"%s\" is not a unicast address",
			       mac_format(&c->gw_mac, text));
	if (mac_eq(&c->mac, &c->gw_mac))
		return err_set(e, ERR_CONFIG, "mac: \"%s\" is the gateway's own",
			       mac_format(&c->mac, text));
	return 0;
}

static int check_udp(const struct conf *c, struct err *e)
{
	if (c->udp_timeout < 1 || c->udp_timeout > CONF_UDP_MAX)
		return err_set(e, ERR_CONFIG, "udp.timeout: %u is not 1 to %d seconds",
			       c->udp_timeout, CONF_UDP_MAX);
	if (c->udp_stream < c->udp_timeout || c->udp_stream > CONF_UDP_MAX)
		return err_set(e, ERR_CONFIG, "udp.timeoutStream: %u is not \"timeout\" (%u)"
			       " to %d seconds", c->udp_stream, c->udp_timeout, CONF_UDP_MAX);
	return 0;
}

static int check_log(const struct conf *c, struct err *e)
{
	if ((unsigned int)c->log_level >= LOGL_COUNT)
		return err_set(e, ERR_CONFIG, "log.level: %u is none", (unsigned)c->log_level);
	if ((unsigned int)c->log_target >= LOGT_COUNT)
		return err_set(e, ERR_CONFIG, "log.target: %u is none", (unsigned)c->log_target);
	if ((c->log_target == LOGT_FILE || c->log_path[0]) &&
	    check_path("log.target", c->log_path, ERR_CONFIG, e) < 0)
		return -1;
	if (c->stats_s > CONF_STATS_MAX)
		return err_set(e, ERR_CONFIG, "stats: %u is more than %d seconds", c->stats_s,
			       CONF_STATS_MAX);
	return c->capture[0] ? check_path("capture", c->capture, ERR_CONFIG, e) : 0;
}

static int check_socket(const struct conf *c, struct err *e)
{
	return c->guest && c->socket_path[0] ?
	       check_path("--socket", c->socket_path, ERR_CONFIG, e) : 0;
}

int conf_validate(struct conf *c, struct err *e)
{
	const uint32_t known = CONF_WITHOUT_OFFLOAD | CONF_WITHOUT_USO | CONF_WITHOUT_PEEK |
			       CONF_WITHOUT_UDPGSO;

	if (check_identity(c, e) < 0)
		return -1;
	conf_default_macs(c);
	if (c->guest)
		c->off |= CONF_OFF_SPLICE;
	if (check_link(c, e) < 0 || check_addresses(c, e) < 0 || check_gateways(c, e) < 0 ||
	    check_routes(c, e) < 0 || check_host_addresses(c, e) < 0 ||
	    check_dns_forward(c, e) < 0 || check_resolvers(c, e) < 0 ||
	    check_publishing(c, e) < 0 || check_udp(c, e) < 0 || check_names(c, e) < 0 ||
	    check_outbound(c, e) < 0 || check_dhcp(c, e) < 0 || check_log(c, e) < 0 ||
	    check_socket(c, e) < 0)
		return -1;
	if (c->without & ~known)
		return err_set(e, ERR_ENV, "CNI_PASST_WITHOUT: unknown bits %#x",
			       c->without & ~known);
	return 0;
}
