/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/result.h"

#include <string.h>

#include "plugin/attach/front.h"

static void put(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

static void put_str(struct json_object *o, const char *key, const char *s)
{
	put(o, key, json_object_new_string(s));
}

static void put_addr(struct json_object *o, const char *key, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (!addr_is_any(a))
		put_str(o, key, addr_format(a, text));
}

static const struct addr *gateway_of(const struct netcfg *n, const struct addr *a)
{
	return addr_is4(a) ? &n->gateway4 : &n->gateway6;
}

/* Link-local IPv6 addresses are every interface's own affair: no plugin lists them. */
static bool is_listed(const struct addr *a)
{
	return addr_is4(a) || !addr_is_linklocal6(a);
}

static struct json_object *route_json(const struct route *r, enum cni_version version)
{
	struct json_object *o = json_object_new_object();
	char text[PREFIX_STRLEN];

	put_str(o, "dst", prefix_format(&r->dst, text));
	put_addr(o, "gw", &r->gw);
	if (version >= CNI_1_1_0 && r->metric)
		put(o, "priority", json_object_new_int64(r->metric));
	return o;
}

/* 0.1.0 and 0.2.0: the first address of each family. */
static struct json_object *ip_json(const struct result *r, const struct prefix *p)
{
	struct json_object *o = json_object_new_object(), *routes = json_object_new_array();
	const struct netcfg *n = r->net;
	char text[PREFIX_STRLEN];

	put_str(o, "ip", prefix_format(p, text));
	put_addr(o, "gateway", gateway_of(n, &p->addr));
	for (uint32_t i = 0; i < n->nroutes; i++)
		if (addr_is4(&n->routes[i].dst.addr) == addr_is4(&p->addr))
			json_object_array_add(routes, route_json(&n->routes[i], r->version));
	put(o, "routes", routes);
	return o;
}

static struct json_object *build_020(const struct result *r)
{
	struct json_object *o = json_object_new_object();
	const struct prefix *p;
	const char *key;

	put_str(o, "cniVersion", cni_version_names[r->version]);
	for (uint32_t i = 0; i < r->net->naddresses; i++) {
		p = &r->net->addresses[i];
		key = addr_is4(&p->addr) ? "ip4" : "ip6";
		if (is_listed(&p->addr) && !json_object_object_get_ex(o, key, NULL))
			put(o, key, ip_json(r, p));
	}
	put(o, "dns", json_object_get(r->dns));
	return o;
}

static struct json_object *interface_json(const struct result *r)
{
	struct json_object *o = json_object_new_object();
	char text[MAC_STRLEN];

	put_str(o, "name", r->net->ifname);
	put_str(o, "mac", mac_format(&r->net->mac, text));
	if (r->version >= CNI_1_1_0)
		put(o, "mtu", json_object_new_int64(r->net->mtu));
	put_str(o, "sandbox", r->sandbox);
	return o;
}

static struct json_object *address_json(const struct result *r, const struct prefix *p,
					size_t interface)
{
	struct json_object *o = json_object_new_object();
	char text[PREFIX_STRLEN];

	if (r->version < CNI_1_0_0)
		put_str(o, "version", addr_is4(&p->addr) ? "4" : "6");
	put_str(o, "address", prefix_format(p, text));
	put_addr(o, "gateway", gateway_of(r->net, &p->addr));
	put(o, "interface", json_object_new_int64((int64_t)interface));
	return o;
}

/* The list `key` of o, made where it is not there. */
static struct json_object *list_of(struct json_object *o, const char *key)
{
	struct json_object *list = NULL;

	if (!json_object_object_get_ex(o, key, &list) ||
	    !json_object_is_type(list, json_type_array)) {
		list = json_object_new_array();
		put(o, key, list);
	}
	return list;
}

/* Ours are appended, so that an index the earlier plugins gave stays true. */
static void append(struct json_object *o, const struct result *r)
{
	const struct netcfg *n = r->net;
	struct json_object *interfaces = list_of(o, "interfaces");
	struct json_object *ips = list_of(o, "ips"), *routes = list_of(o, "routes");
	size_t index = json_object_array_length(interfaces);
	struct json_object *dns = NULL;

	json_object_array_add(interfaces, interface_json(r));
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (is_listed(&n->addresses[i].addr))
			json_object_array_add(ips, address_json(r, &n->addresses[i], index));
	for (uint32_t i = 0; i < n->nroutes; i++)
		json_object_array_add(routes, route_json(&n->routes[i], r->version));
	if (!json_object_object_get_ex(o, "dns", &dns) || !dns ||
	    json_object_object_length(r->dns) > 0)
		put(o, "dns", json_object_get(r->dns));
}

struct json_object *result_build(const struct result *r)
{
	struct json_object *o = NULL;

	if (r->version < CNI_0_3_0)
		return build_020(r);
	if (r->prev && json_object_deep_copy(r->prev, &o, NULL) < 0)
		return NULL;
	if (!o)
		o = json_object_new_object();
	put_str(o, "cniVersion", cni_version_names[r->version]);
	append(o, r);
	return o;
}

struct json_object *result_error(enum cni_version version, const struct err *e)
{
	struct json_object *o = json_object_new_object();
	struct err clean = *e;

	front_clean(clean.msg);
	front_clean(clean.details);
	put_str(o, "cniVersion", cni_version_names[version]);
	put(o, "code", json_object_new_int(clean.code));
	put_str(o, "msg", clean.msg);
	if (clean.details[0])
		put_str(o, "details", clean.details);
	return o;
}

struct json_object *result_versions(enum cni_version asked)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (int i = 0; i < CNI_VERSION_COUNT; i++)
		json_object_array_add(list, json_object_new_string(cni_version_names[i]));
	put_str(o, "cniVersion", cni_version_names[asked]);
	put(o, "supportedVersions", list);
	return o;
}
