/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/netavark.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/attach/front.h"
#include "plugin/json/cni.h"
#include "plugin/json/get.h"

#define RULE_MAX	(ADDR_STRLEN + 32)

/* --- options: texts of `podman network create --opt`, by key of ours ------- */

enum option_type { OPTION_INT, OPTION_BOOL, OPTION_STR, OPTION_LIST };

static const struct option {
	const char *name;
	const char *outer, *inner;	/* the key; inner: a member of it */
	enum option_type type;
} options[] = {
	{ "mtu", "mtu", NULL, OPTION_INT },
	{ "ipv4", "ipv4", NULL, OPTION_BOOL },
	{ "ipv6", "ipv6", NULL, OPTION_BOOL },
	{ "sourceCheck", "sourceCheck", NULL, OPTION_BOOL },
	{ "addresses", "addresses", NULL, OPTION_LIST },
	{ "gateways", "gateways", NULL, OPTION_LIST },
	{ "configure", "configure", NULL, OPTION_BOOL },
	{ "hostAddress", "hostAddress", NULL, OPTION_LIST },
	{ "hostLoopback", "hostLoopback", NULL, OPTION_LIST },
	{ "forward", "forward", "tcp", OPTION_LIST },
	{ "forward.tcp", "forward", "tcp", OPTION_LIST },
	{ "forward.udp", "forward", "udp", OPTION_LIST },
	{ "reverse", "reverse", "tcp", OPTION_LIST },
	{ "reverse.tcp", "reverse", "tcp", OPTION_LIST },
	{ "reverse.udp", "reverse", "udp", OPTION_LIST },
	{ "preserveSource", "preserveSource", NULL, OPTION_BOOL },
	{ "listen", "listen", NULL, OPTION_STR },
	{ "portConflict", "portConflict", NULL, OPTION_STR },
	{ "outbound.interface", "outbound", "interface", OPTION_STR },
	{ "outbound.addresses", "outbound", "addresses", OPTION_LIST },
	{ "via", "via", NULL, OPTION_STR },
	{ "log.level", "log", "level", OPTION_STR },
	{ "log.target", "log", "target", OPTION_STR },
};

static int bad_option(const char *name, const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_CONFIG, "option %.40s: \"%.120s\" %s", name, text, why);
}

/* A text as the key wants it; NULL with *e. */
static struct json_object *typed(const struct option *o, const char *text, struct err *e)
{
	struct json_object *list;
	char *end, *copy, *save = NULL;
	long n;

	switch (o->type) {
	case OPTION_INT:
		errno = 0;
		n = strtol(text, &end, 10);
		if (!errno && end != text && !*end)
			return json_object_new_int64(n);
		bad_option(o->name, text, "is not a number", e);
		return NULL;
	case OPTION_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_object_new_boolean(text[0] == 't');
		bad_option(o->name, text, "is not true or false", e);
		return NULL;
	case OPTION_LIST:
		copy = strdup(text);
		list = copy ? json_object_new_array() : NULL;
		for (char *s = copy ? strtok_r(copy, ",", &save) : NULL; s; s = strtok_r(NULL, ",", &save))
			json_object_array_add(list, json_object_new_string(s));
		free(copy);
		return list;
	default:
		return json_object_new_string(text);
	}
}

/* The member of that name, made where it is not there. */
static struct json_object *inside(struct json_object *conf, const char *name)
{
	struct json_object *o = get_member(conf, name, json_type_object);

	if (o)
		return o;
	o = json_object_new_object();
	json_object_object_add(conf, name, o);
	return o;
}

static int read_option(struct json_object *conf, const char *name, const char *text,
		       struct err *e)
{
	struct json_object *v;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strcmp(options[i].name, name) != 0)
			continue;
		v = typed(&options[i], text, e);
		if (!v)
			return e && e->code ? -1 : err_set(e, ERR_IO, "out of memory");
		if (options[i].inner)
			json_object_object_add(inside(conf, options[i].outer), options[i].inner, v);
		else
			json_object_object_add(conf, options[i].outer, v);
		return 0;
	}
	err_set(e, ERR_FIELD, "option %.40s: \"%.120s\" is not an option of cni-passt", name, text);
	return err_hint(e, "options are keys of cni-passt.conf(5): mtu, forward, forward.udp, via ...");
}

static int read_options(struct json_object *conf, struct json_object *network, struct err *e)
{
	struct json_object *o = get_member(network, "options", json_type_object);

	if (!o)
		return 0;
	json_object_object_foreach(o, name, v) {
		if (!json_object_is_type(v, json_type_string))
			return err_set(e, ERR_CONFIG, "option %.40s is not a string", name);
		if (read_option(conf, name, json_object_get_string(v), e) < 0)
			return -1;
	}
	return 0;
}

/* --- the network ----------------------------------------------------------- */

static bool is_true(struct json_object *o, const char *key)
{
	struct json_object *v = get_member(o, key, json_type_boolean);

	return v && json_object_get_boolean(v);
}

/* The subnet an address is of: its length, and its gateway into gateways. */
static uint8_t find_length(struct json_object *network, const struct addr *a,
			   struct json_object *gateways)
{
	struct json_object *list, *s;
	struct prefix p;
	size_t n;

	list = get_list(network, "subnets", &n);
	for (size_t i = 0; i < n; i++) {
		s = json_object_array_get_idx(list, i);
		if (prefix_parse(get_str(s, "subnet"), &p) < 0 || !prefix_contains(&p, a))
			continue;
		if (get_str(s, "gateway")[0])
			json_object_array_add(gateways, json_object_new_string(get_str(s, "gateway")));
		return p.len;
	}
	return (uint8_t)(addr_size(a) * 8);
}

static int add_addresses(struct json_object *conf, struct json_object *network,
			 struct json_object *part, struct err *e)
{
	struct json_object *list, *ips, *gateways;
	char text[PREFIX_STRLEN];
	struct prefix p;
	const char *s;
	size_t n;

	list = get_list(part, "static_ips", &n);
	if (!n)
		return 0;
	ips = json_object_new_array();
	gateways = json_object_new_array();
	json_object_object_add(conf, "addresses", ips);
	for (size_t i = 0; i < n; i++) {
		s = json_object_get_string(json_object_array_get_idx(list, i)) ?: "";
		if (addr_parse(s, &p.addr) < 0) {
			json_object_put(gateways);
			return err_set(e, ERR_CONFIG, "static_ips: \"%.60s\" is not an address", s);
		}
		p.len = find_length(network, &p.addr, gateways);
		json_object_array_add(ips, json_object_new_string(prefix_format(&p, text)));
	}
	json_object_object_add(conf, "gateways", gateways);
	return 0;
}

static void add_routes(struct json_object *conf, struct json_object *network)
{
	struct json_object *list, *routes, *r, *from;
	size_t n;

	list = get_list(network, "routes", &n);
	if (!n)
		return;
	routes = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		from = json_object_array_get_idx(list, i);
		r = json_object_new_object();
		json_object_object_add(r, "dst", json_object_new_string(get_str(from, "destination")));
		json_object_object_add(r, "gw", json_object_new_string(get_str(from, "gateway")));
		json_object_array_add(routes, r);
	}
	json_object_object_add(conf, "routes", routes);
}

/* The network alone, as create has it too. */
static int add_network(struct json_object *conf, struct json_object *network, struct err *e)
{
	struct json_object *list;
	size_t n;

	if (is_true(network, "internal")) {
		err_set(e, ERR_CONFIG, "internal networks are not possible: the container gets the"
			" host's connectivity");
		return err_hint(e, "leave out --internal");
	}
	json_object_object_add(conf, "cniVersion", json_object_new_string("1.1.0"));
	json_object_object_add(conf, "name", json_object_new_string(get_str(network, "name")));
	json_object_object_add(conf, "type", json_object_new_string(CNI_TYPE));
	json_object_object_add(conf, "ipv6", json_object_new_boolean(is_true(network, "ipv6_enabled")));
	list = get_list(network, "network_dns_servers", &n);
	if (n)
		json_object_object_add(inside(conf, "dns"), "nameservers", json_object_get(list));
	add_routes(conf, network);
	return read_options(conf, network, e);
}

/* --- port mappings --------------------------------------------------------- */

static int64_t number(struct json_object *o, const char *key)
{
	struct json_object *v = get_member(o, key, json_type_int);

	return v ? json_object_get_int64(v) : 0;
}

static int bad_mapping(struct json_object *m, const char *why, struct err *e)
{
	return err_set(e, ERR_CONFIG, "port_mappings: %.160s %s",
		       json_object_to_json_string_ext(m, JSON_C_TO_STRING_PLAIN), why);
}

/* "192.0.2.1:8000-8009:80-89", as the key "forward" has it. */
static int format_rule(struct json_object *m, char rule[RULE_MAX], struct err *e)
{
	const char *host = get_str(m, "host_ip");
	int64_t range = number(m, "range"), from = number(m, "host_port"),
		to = number(m, "container_port");
	struct addr a;
	int n = 0;

	range = MAX_OF(range, (int64_t)1);
	if (range > NETAVARK_PORTS_MAX || from < 1 || to < 1 || from > NETAVARK_PORTS_MAX - range ||
	    to > NETAVARK_PORTS_MAX - range)
		return bad_mapping(m, "has a port that is none", e);
	if (host[0] && addr_parse(host, &a) < 0)
		return bad_mapping(m, "has a host_ip that is no address", e);
	if (host[0])
		n = snprintf(rule, RULE_MAX, addr_is4(&a) ? "%.45s:" : "[%.45s]:", host);
	snprintf(rule + n, RULE_MAX - (size_t)n, "%u-%u:%u-%u", (unsigned int)from,
		 (unsigned int)(from + range - 1), (unsigned int)to, (unsigned int)(to + range - 1));
	return 0;
}

/* One protocol of "tcp,udp". */
static int add_rule(struct json_object *conf, struct json_object *m, const char *proto,
		    const char *rule, struct err *e)
{
	struct json_object *forward = inside(conf, "forward"), *list;
	size_t n;

	if (strcmp(proto, "tcp") != 0 && strcmp(proto, "udp") != 0)
		return bad_mapping(m, "has a protocol other than tcp and udp", e);
	list = get_list(forward, proto, &n);
	if (!list) {
		list = json_object_new_array();
		json_object_object_add(forward, proto, list);
	}
	json_object_array_add(list, json_object_new_string(rule));
	return 0;
}

static int add_mapping(struct json_object *conf, struct json_object *m, struct err *e)
{
	const char *text = get_str(m, "protocol");
	char protos[32], rule[RULE_MAX], *save = NULL;

	if (format_rule(m, rule, e) < 0)
		return -1;
	if (strlen(text) >= sizeof(protos))
		return bad_mapping(m, "has a protocol other than tcp and udp", e);
	strcpy(protos, text[0] ? text : "tcp");
	for (char *s = strtok_r(protos, ",", &save); s; s = strtok_r(NULL, ",", &save))
		if (add_rule(conf, m, s, rule, e) < 0)
			return -1;
	return 0;
}

static int add_mappings(struct json_object *conf, struct json_object *o, struct err *e)
{
	struct json_object *list;
	size_t n;

	list = get_list(o, "port_mappings", &n);
	for (size_t i = 0; i < n; i++)
		if (add_mapping(conf, json_object_array_get_idx(list, i), e) < 0)
			return -1;
	return 0;
}

/* --- requests -------------------------------------------------------------- */

int netavark_identify(struct json_object *o, struct netavark *ret, struct err *e)
{
	struct json_object *part = get_member(o, "network_options", json_type_object);

	*ret = (struct netavark){
		.container_id = get_str(o, "container_id"),
		.ifname = get_str(part, "interface_name"),
	};
	if (!conf_id_ok(ret->container_id))
		return err_set(e, ERR_CONFIG, "container_id: \"%.80s\" is not a container id",
			       ret->container_id);
	if (!conf_ifname_ok(ret->ifname))
		return err_set(e, ERR_CONFIG, "network_options.interface_name: \"%.40s\" is not an"
			       " interface name", ret->ifname);
	return 0;
}

static int fill(struct json_object *conf, struct json_object *o, bool publish, struct err *e)
{
	struct json_object *network = get_member(o, "network", json_type_object),
			   *part = get_member(o, "network_options", json_type_object);

	if (!network)
		return err_set(e, ERR_CONFIG, "network: is missing");
	if (add_network(conf, network, e) < 0 || add_addresses(conf, network, part, e) < 0)
		return -1;
	if (get_str(part, "static_mac")[0])
		json_object_object_add(conf, "mac", json_object_new_string(get_str(part, "static_mac")));
	return publish ? add_mappings(conf, o, e) : 0;
}

int netavark_read(struct json_object *o, bool publish, struct netavark *ret, struct err *e)
{
	struct json_object *conf;
	int r = netavark_identify(o, ret, e);

	conf = r < 0 ? NULL : json_object_new_object();
	if (r == 0 && !conf)
		r = err_set(e, ERR_IO, "out of memory");
	if (r == 0)
		r = fill(conf, o, publish, e);
	if (r == 0)
		r = keys_read(conf, NULL, &ret->keys, e);
	json_object_put(conf);
	return r;
}

void netavark_drop(struct netavark *n)
{
	keys_drop(&n->keys);
}

/* As a whole, with an identity that is good and nobody's. */
static int validate(struct conf *c, struct err *e)
{
	strcpy(c->container_id, "create");
	strcpy(c->ifname, "eth0");
	strcpy(c->netns_path, "/proc/self/ns/net");
	strcpy(c->state_dir, "/");
	return conf_validate(c, e);
}

int netavark_create(struct json_object *network, struct err *e)
{
	struct json_object *conf = json_object_new_object();
	struct keys k = { .dns = NULL };
	size_t n;
	int r;

	/* Without subnets the host's addresses are copied, of both families, and no
	 * name server of podman's runs for us. */
	get_list(network, "subnets", &n);
	if (!n)
		json_object_object_add(network, "ipv6_enabled", json_object_new_boolean(true));
	json_object_object_add(network, "dns_enabled", json_object_new_boolean(false));
	r = conf ? add_network(conf, network, e) : err_set(e, ERR_IO, "out of memory");
	if (r == 0)
		r = keys_read(conf, NULL, &k, e);
	if (r == 0)
		r = validate(&k.conf, e);
	keys_drop(&k);
	json_object_put(conf);
	return r;
}

/* --- answers --------------------------------------------------------------- */

static struct json_object *subnet(const struct netcfg *net, const struct prefix *p)
{
	const struct addr *gw = addr_is4(&p->addr) ? &net->gateway4 : &net->gateway6;
	struct json_object *o = json_object_new_object();
	char text[PREFIX_STRLEN];

	json_object_object_add(o, "ipnet", json_object_new_string(prefix_format(p, text)));
	if (!addr_is_any(gw))
		json_object_object_add(o, "gateway", json_object_new_string(addr_format(gw, text)));
	return o;
}

static struct json_object *copied(struct json_object *dns, const char *key)
{
	struct json_object *list;
	size_t n;

	list = get_list(dns, key, &n);
	return list ? json_object_get(list) : json_object_new_array();
}

struct json_object *netavark_status(const struct netcfg *net, struct json_object *dns)
{
	struct json_object *o = json_object_new_object(), *interfaces = json_object_new_object(),
			   *it = json_object_new_object(), *subnets = json_object_new_array();
	char text[MAC_STRLEN];

	json_object_object_add(o, "dns_search_domains", copied(dns, "search"));
	json_object_object_add(o, "dns_server_ips", copied(dns, "nameservers"));
	json_object_object_add(o, "interfaces", interfaces);
	json_object_object_add(interfaces, net->ifname, it);
	json_object_object_add(it, "mac_address", json_object_new_string(mac_format(&net->mac, text)));
	for (uint32_t i = 0; i < net->naddresses; i++)
		json_object_array_add(subnets, subnet(net, &net->addresses[i]));
	json_object_object_add(it, "subnets", subnets);
	return o;
}

struct json_object *netavark_info(const char *version)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "version", json_object_new_string(version));
	json_object_object_add(o, "api_version", json_object_new_string(NETAVARK_API));
	return o;
}

struct json_object *netavark_error(const struct err *e)
{
	char text[ERR_MSG_MAX + ERR_DETAILS_MAX + 4];
	struct json_object *o = json_object_new_object();

	snprintf(text, sizeof(text), "%s%s%s", e->msg, e->details[0] ? "; " : "", e->details);
	front_clean(text);
	json_object_object_add(o, "error", json_object_new_string(text));
	return o;
}
