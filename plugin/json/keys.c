/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/json/keys.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf/forward.h"
#include "plugin/json/near.h"

#define KEY_PATH_MAX	96
#define ARGS_MAX	65536	/* bytes of CNI_ARGS */

/* What a setter works on. at: "" or the key we are inside of, with its dot. */
struct reader {
	struct keys *k;
	struct err *e;
	const char *at;
	enum origin from;
};

struct key {
	const char *name;
	unsigned int types;		/* 1 << enum json_type */
	int (*set)(struct reader *x, const struct key *k, struct json_object *v);
};

#define OVERFLOW_ID	65534	/* "nobody" where it has no name */

#define T_BOOL		(1U << json_type_boolean)
#define T_INT		(1U << json_type_int)
#define T_STR		(1U << json_type_string)
#define T_LIST		(1U << json_type_array)
#define T_OBJ		(1U << json_type_object)
#define T_ANY		(~0U)

static int bad(struct reader *x, int code, const char *key, struct json_object *v,
	       const char *why)
{
	return err_set(x->e, code, "%s%.64s: %.120s %s", x->at, key,
		       json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE), why);
}

/* --- from where (conf/origin.h) --------------------------------------------- */

/* The other names of a key, as they stand in runtimeConfig. */
static const char *plain_name(const char *path)
{
	static const char runtime[] = "runtimeConfig.";
	static const char *const other[][2] = { { "dns.servers", "dns.nameservers" },
						{ "dns.searches", "dns.search" } };

	if (strncmp(path, runtime, sizeof(runtime) - 1) == 0)
		path += sizeof(runtime) - 1;
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (strcasecmp(path, other[i][0]) == 0)
			return other[i][1];
	return path;
}

static void note_key(struct reader *x, const struct key *k)
{
	char path[KEY_PATH_MAX];
	enum origin_key key;

	snprintf(path, sizeof(path), "%s%s", x->at, k->name);
	key = origin_key_find(plain_name(path));
	if (key < ORIGIN_KEY_COUNT)
		x->k->conf.from[key] = (uint8_t)x->from;
}

static void note_family(struct reader *x, enum origin_key four, const struct addr *a)
{
	x->k->conf.from[addr_is4(a) ? four : four + 1] = (uint8_t)x->from;
}

static int ignore(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)x;
	(void)k;
	(void)v;
	return 0;
}

/* What asks for nothing: 0, "", [], {}, and objects of such. */
static bool asks_nothing(struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null:
		return true;
	case json_type_int:
		return json_object_get_int64(v) == 0;
	case json_type_string:
		return json_object_get_string_len(v) == 0;
	case json_type_array:
		return json_object_array_length(v) == 0;
	case json_type_object: {
		json_object_object_foreach(v, name, member) {
			(void)name;
			if (!asks_nothing(member))
				return false;
		}
		return true;
	}
	default:
		return false;
	}
}

/* A key that INTERFACES names and that does not work yet: only its default. */
static int later(struct reader *x, const struct key *k, struct json_object *v)
{
	if (asks_nothing(v))
		return 0;
	return bad(x, ERR_FIELD, k->name, v, "is not supported yet");
}

static const struct key *find_key(const struct key *table, size_t n, const char *name,
				  bool any_case)
{
	for (size_t i = 0; i < n; i++)
		if (any_case ? strcasecmp(table[i].name, name) == 0
			     : strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const char *type_words(unsigned int types)
{
	static const struct {
		unsigned int types;
		const char *words;
	} names[] = {
		{ T_BOOL, "is not true or false" },
		{ T_INT, "is not an integer" },
		{ T_STR, "is not a string" },
		{ T_LIST, "is not a list" },
		{ T_OBJ, "is not an object" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].types == types)
			return names[i].words;
	return "is of the wrong type";
}

static int unknown(struct reader *x, const struct key *table, size_t n, const char *name,
		   struct json_object *v)
{
	struct near near = { .name = name };

	for (size_t i = 0; i < n; i++)
		near_try(&near, table[i].name);
	bad(x, ERR_FIELD, name, v, "is not a key of cni-passt");
	return near.best ? err_hint(x->e, "did you mean \"%s%s\"?", x->at, near.best) : -1;
}

/* Every member of an object through a table. null counts as absent: Go writes
 * it for empty lists. */
static int read_object(struct reader *x, struct json_object *o, const struct key *table,
		       size_t n, bool any_case)
{
	const struct key *k;

	json_object_object_foreach(o, name, v) {
		k = find_key(table, n, name, any_case);
		if (!k && strncmp(name, "cni.dev/", 8) == 0)
			continue;	/* reserved for the protocol */
		if (!k)
			return unknown(x, table, n, name, v);
		if (!v)
			continue;
		if (!(k->types & 1U << json_object_get_type(v)))
			return bad(x, ERR_CONFIG, name, v, type_words(k->types));
		if (k->set(x, k, v) < 0)
			return -1;
		note_key(x, k);
	}
	return 0;
}

/* The same one level deeper, with the names in messages as "outer.inner". */
static int read_inner(struct reader *x, const struct key *outer, struct json_object *o,
		      const struct key *table, size_t n, bool any_case)
{
	char at[KEY_PATH_MAX];
	struct reader inner = { .k = x->k, .e = x->e, .at = at, .from = x->from };

	snprintf(at, sizeof(at), "%s%s.", x->at, outer->name);
	return read_object(&inner, o, table, n, any_case);
}

/* The i-th member of a list, which must be a string: it, or NULL with *e. */
static const char *item(struct reader *x, const struct key *k, struct json_object *list, size_t i)
{
	struct json_object *v = json_object_array_get_idx(list, i);

	if (json_object_is_type(v, json_type_string))
		return json_object_get_string(v);
	bad(x, ERR_CONFIG, k->name, v, "is not a string");
	return NULL;
}

static int bad_item(struct reader *x, const struct key *k, struct json_object *list, size_t i,
		    const char *why)
{
	return bad(x, ERR_CONFIG, k->name, json_object_array_get_idx(list, i), why);
}

static int too_many(struct reader *x, const char *key, size_t n, int max)
{
	return err_set(x->e, ERR_CONFIG, "%s%s: %zu entries, at most %d", x->at, key, n, max);
}

static int set_name(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (s[0] && !conf_id_ok(s))
		return bad(x, ERR_CONFIG, k->name, v, "is not a network name"
			   " (letters, digits, \"_.-\", beginning with a letter or digit)");
	strcpy(x->k->conf.network, s);
	return 0;
}

static int set_mtu(struct reader *x, const struct key *k, struct json_object *v)
{
	int64_t mtu = json_object_get_int64(v);

	if (mtu != 0 && (mtu < CONF_MTU_MIN || mtu > CONF_MTU_MAX))
		return bad(x, ERR_CONFIG, k->name, v, "is not 0 or 576 to 65535");
	x->k->conf.mtu = (uint32_t)mtu;
	return 0;
}

static int set_ipv4(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.ipv4 = json_object_get_boolean(v);
	return 0;
}

static int set_ipv6(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.ipv6 = json_object_get_boolean(v);
	return 0;
}

static int set_follow(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.follow = json_object_get_boolean(v);
	return 0;
}

static int set_source_check(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.source_check = json_object_get_boolean(v);
	return 0;
}

static int set_metadata(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.metadata = json_object_get_boolean(v);
	return 0;
}

static int set_sandbox(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	x->k->conf.sandbox_strict = strcmp(s, "strict") == 0;
	if (x->k->conf.sandbox_strict || strcmp(s, "auto") == 0)
		return 0;
	return bad(x, ERR_CONFIG, k->name, v, "is neither \"auto\" nor \"strict\"");
}

static int set_user(struct reader *x, const struct key *k, struct json_object *v)
{
	const struct passwd *p = getpwnam(json_object_get_string(v));

	if (!p)
		return bad(x, ERR_CONFIG, k->name, v, "is no user of this machine");
	x->k->conf.run_uid = p->pw_uid;
	x->k->conf.run_gid = p->pw_gid;
	x->k->user_given = true;
	return 0;
}

static int set_configure(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.configure = json_object_get_boolean(v);
	return 0;
}

static int set_addresses(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;
	size_t n = json_object_array_length(v);
	const char *s;

	c->addresses_host = c->addresses_private = false;
	c->naddresses = 0;
	for (size_t i = 0; i < n; i++) {
		s = item(x, k, v, i);
		if (!s)
			return -1;
		if (strcmp(s, "host") == 0) {
			c->addresses_host = true;
			continue;
		}
		if (strcmp(s, "private") == 0) {
			c->addresses_private = true;
			continue;
		}
		if (c->naddresses == CONF_ADDRS_MAX)
			return too_many(x, k->name, n, CONF_ADDRS_MAX);
		if (prefix_parse(s, &c->addresses[c->naddresses]) < 0)
			return bad_item(x, k, v, i, "is not \"host\", \"private\" or an address with prefix");
		note_family(x, ORIGIN_KEY_ADDRESSES4, &c->addresses[c->naddresses++].addr);
	}
	return 0;
}

/* A list of plain addresses into `to`. */
static int read_addrs(struct reader *x, const struct key *k, struct json_object *v,
		      struct addr *to, uint32_t *count, uint32_t max)
{
	size_t n = json_object_array_length(v);
	const char *s;

	if (n > max)
		return too_many(x, k->name, n, (int)max);
	for (size_t i = 0; i < n; i++) {
		s = item(x, k, v, i);
		if (!s)
			return -1;
		if (addr_parse(s, &to[i]) < 0)
			return bad_item(x, k, v, i, "is not an IP address");
	}
	*count = (uint32_t)n;
	return 0;
}

static int set_gateways(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	if (read_addrs(x, k, v, c->gateways, &c->ngateways, CONF_GATEWAYS_MAX) < 0)
		return -1;
	for (uint32_t i = 0; i < c->ngateways; i++)
		note_family(x, ORIGIN_KEY_GATEWAYS4, &c->gateways[i]);
	return 0;
}

static int set_host_address(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	return read_addrs(x, k, v, c->host_addresses, &c->nhost_addresses, CONF_HOST_ADDRS_MAX);
}

static int set_host_loopback(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	return read_addrs(x, k, v, c->host_loopback, &c->nhost_loopback, CONF_HOST_ADDRS_MAX);
}

/* Keys of one route; it is the last of conf.routes while they are read. */

static struct route *this_route(struct reader *x)
{
	return &x->k->conf.routes[x->k->conf.nroutes - 1];
}

static int set_dst(struct reader *x, const struct key *k, struct json_object *v)
{
	if (prefix_parse(json_object_get_string(v), &this_route(x)->dst) < 0)
		return bad(x, ERR_CONFIG, k->name, v, "is not an address with prefix");
	return 0;
}

static int set_gw(struct reader *x, const struct key *k, struct json_object *v)
{
	if (json_object_get_string_len(v) == 0)
		return 0;
	if (addr_parse(json_object_get_string(v), &this_route(x)->gw) < 0)
		return bad(x, ERR_CONFIG, k->name, v, "is not an IP address");
	return 0;
}

static int set_priority(struct reader *x, const struct key *k, struct json_object *v)
{
	int64_t metric = json_object_get_int64(v);

	if (metric < 0 || metric > UINT32_MAX)
		return bad(x, ERR_CONFIG, k->name, v, "is not 0 to 4294967295");
	this_route(x)->metric = (uint32_t)metric;
	return 0;
}

static const struct key route_keys[] = {
	{ "dst", T_STR, set_dst },
	{ "gw", T_STR, set_gw },
	{ "priority", T_INT, set_priority },
	{ "mtu", T_INT, later },
	{ "advmss", T_INT, later },
	{ "table", T_INT, later },
	{ "scope", T_INT, later },
};

static int set_routes(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;
	size_t n = json_object_array_length(v);
	struct json_object *o, *dst;

	if (n > CONF_ROUTES_MAX)
		return too_many(x, k->name, n, CONF_ROUTES_MAX);
	c->nroutes = 0;
	for (size_t i = 0; i < n; i++) {
		o = json_object_array_get_idx(v, i);
		if (!json_object_is_type(o, json_type_object) ||
		    !json_object_object_get_ex(o, "dst", &dst) || !dst)
			return bad_item(x, k, v, i, "is not an object with \"dst\"");
		c->routes[c->nroutes++] = (struct route){ .metric = 0 };
		if (read_inner(x, k, o, route_keys, ARRAY_LEN(route_keys), false) < 0)
			return -1;
	}
	return 0;
}

static int set_mac(struct reader *x, const struct key *k, struct json_object *v)
{
	struct mac m;

	if (json_object_get_string_len(v) == 0)
		return 0;
	if (mac_parse(json_object_get_string(v), &m) < 0 || !mac_is_usable(&m))
		return bad(x, ERR_CONFIG, k->name, v, "is not a unicast MAC address");
	x->k->conf.mac = m;
	return 0;
}

/* --- forwarded ports ------------------------------------------------------ */

static int read_rules(struct reader *x, const struct key *k, struct json_object *v,
		      enum conf_proto proto, struct conf_forward *to, uint32_t *count, int max)
{
	size_t n = json_object_array_length(v);
	const char *s, *why;

	for (size_t i = 0; i < n; i++) {
		s = item(x, k, v, i);
		if (!s)
			return -1;
		if (*count == (uint32_t)max)
			return too_many(x, k->name, n, max);
		why = forward_parse(s, proto, &to[*count]);
		if (why)
			return bad_item(x, k, v, i, why);
		to[*count].from = (uint8_t)x->from;
		++*count;
	}
	return 0;
}

static enum conf_proto proto_of(const struct key *k)
{
	return strcmp(k->name, conf_proto_names[CONF_UDP]) == 0 ? CONF_UDP : CONF_TCP;
}

static int forward_rules(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	return read_rules(x, k, v, proto_of(k), c->forwards, &c->nforwards, CONF_FORWARDS_MAX);
}

static int reverse_rules(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	return read_rules(x, k, v, proto_of(k), c->reverses, &c->nreverses, CONF_REVERSES_MAX);
}

static int set_forward(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key protos[] = {
		{ "tcp", T_LIST, forward_rules },
		{ "udp", T_LIST, forward_rules },
	};

	return read_inner(x, k, v, protos, ARRAY_LEN(protos), false);
}

static int set_reverse(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key protos[] = {
		{ "tcp", T_LIST, reverse_rules },
		{ "udp", T_LIST, reverse_rules },
	};

	return read_inner(x, k, v, protos, ARRAY_LEN(protos), false);
}

static int set_preserve_source(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.preserve_source = json_object_get_boolean(v);
	return 0;
}

static int set_listen(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (strcmp(s, "always") != 0 && strcmp(s, "ready") != 0)
		return bad(x, ERR_CONFIG, k->name, v, "is not \"always\" or \"ready\"");
	x->k->listen_ready = s[0] == 'r';
	return 0;
}

static int set_conflict(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (strcmp(s, "error") != 0 && strcmp(s, "ignore") != 0)
		return bad(x, ERR_CONFIG, k->name, v, "is not \"error\" or \"ignore\"");
	x->k->conf.port_conflict = s[0] == 'e' ? CONF_CONFLICT_ERROR : CONF_CONFLICT_IGNORE;
	return 0;
}

/* Keys of one mapping (CONVENTIONS.md, "portMappings"); it stands behind the last
 * of conf.forwards while they are read. */

static struct conf_forward *this_mapping(struct reader *x)
{
	return &x->k->conf.forwards[x->k->conf.nforwards];
}

static int read_port(struct reader *x, const struct key *k, struct json_object *v, uint16_t *ret)
{
	int64_t port = json_object_get_int64(v);

	if (port < 0 || port > UINT16_MAX)
		return bad(x, ERR_CONFIG, k->name, v, "is not a port");
	*ret = (uint16_t)port;
	return 0;
}

static int set_host_port(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf_forward *f = this_mapping(x);
	int r = read_port(x, k, v, &f->first);

	f->last = f->first;
	return r;
}

static int set_container_port(struct reader *x, const struct key *k, struct json_object *v)
{
	return read_port(x, k, v, &this_mapping(x)->to_first);
}

static int set_protocol(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	for (int i = 0; i < CONF_PROTO_COUNT; i++)
		if (strcasecmp(s, conf_proto_names[i]) == 0) {
			this_mapping(x)->proto = (uint8_t)i;
			return 0;
		}
	return bad(x, ERR_FIELD, k->name, v, "is not supported, only tcp and udp are");
}

static int set_host_ip(struct reader *x, const struct key *k, struct json_object *v)
{
	if (json_object_get_string_len(v) == 0)
		return 0;
	if (addr_parse(json_object_get_string(v), &this_mapping(x)->addr) < 0)
		return bad(x, ERR_CONFIG, k->name, v, "is not an IP address");
	return 0;
}

static bool continues(const struct conf_forward *a, const struct conf_forward *b)
{
	return a->kind == CONF_FORWARD_PORTS && a->proto == b->proto && a->first &&
	       b->first == a->last + 1u && b->to_first == a->to_first + 1u + a->last - a->first &&
	       !a->ifname[0] && addr_eq(&a->addr, &b->addr) && addr_is_any(&a->to) &&
	       a->from == b->from;
}

/* Runtimes send a range as one mapping a port: what continues a rule joins it. */
static void keep_mapping(struct conf *c)
{
	const struct conf_forward *f = &c->forwards[c->nforwards];

	for (uint32_t i = c->nforwards; i; i--)
		if (continues(&c->forwards[i - 1], f)) {
			c->forwards[i - 1].last++;
			return;
		}
	c->nforwards++;
}

static int set_mappings(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key mapping_keys[] = {
		{ "hostPort", T_INT, set_host_port },
		{ "containerPort", T_INT, set_container_port },
		{ "protocol", T_STR, set_protocol },
		{ "hostIP", T_STR, set_host_ip },
	};
	struct conf *c = &x->k->conf;
	size_t n = json_object_array_length(v);
	struct json_object *o;

	for (size_t i = 0; i < n; i++) {
		o = json_object_array_get_idx(v, i);
		if (!json_object_is_type(o, json_type_object))
			return bad_item(x, k, v, i, "is not an object");
		if (c->nforwards == CONF_FORWARDS_MAX)
			return too_many(x, k->name, n, CONF_FORWARDS_MAX);
		*this_mapping(x) = (struct conf_forward){ .kind = CONF_FORWARD_PORTS,
							  .from = (uint8_t)x->from };
		if (read_inner(x, k, o, mapping_keys, ARRAY_LEN(mapping_keys), true) < 0) {
			/* Whose protocol or port it is says the mapping itself. */
			return err_hint(x->e, "in the mapping %.200s", json_object_to_json_string_ext(
				o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		}
		if (!this_mapping(x)->to_first)
			return bad_item(x, k, v, i, "has no containerPort");
		keep_mapping(c);
	}
	/* The place behind the last is again as conf_init() left it. */
	if (c->nforwards < CONF_FORWARDS_MAX)
		*this_mapping(x) = (struct conf_forward){ .kind = 0 };
	return 0;
}

static int set_via(struct reader *x, const struct key *k, struct json_object *v)
{
	static const char *const names[CONF_VIA_COUNT] = {
		[CONF_VIA_AUTO] = "auto", [CONF_VIA_DIRECT] = "direct",
		[CONF_VIA_BROKER] = "broker",
	};

	for (enum conf_via i = CONF_VIA_AUTO; i < CONF_VIA_COUNT; i++)
		if (strcmp(json_object_get_string(v), names[i]) == 0) {
			x->k->conf.via = i;
			return 0;
		}
	return bad(x, ERR_CONFIG, k->name, v, "is not \"auto\", \"direct\" or \"broker\"");
}

static int set_level(struct reader *x, const struct key *k, struct json_object *v)
{
	if (log_level_parse(json_object_get_string(v), &x->k->conf.log_level) < 0)
		return bad(x, ERR_CONFIG, k->name, v, "is not error, warn, info or debug");
	return 0;
}

/* A path stands for a file. */
static int set_target(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);
	struct conf *c = &x->k->conf;
	enum log_target target = LOGT_FILE;

	if (s[0] != '/' && (log_target_parse(s, &target) < 0 || target == LOGT_FILE))
		return bad(x, ERR_CONFIG, k->name, v,
			   "is not syslog, journal, stderr, none or the absolute path of a file");
	if (strlen(s) >= sizeof(c->log_path))
		return bad(x, ERR_CONFIG, k->name, v, "is too long a path");
	c->log_target = target;
	strcpy(c->log_path, target == LOGT_FILE ? s : "");
	return 0;
}

static int read_seconds(struct reader *x, const struct key *k, struct json_object *v, uint32_t *to)
{
	int64_t s = json_object_get_int64(v);

	if (s < 1 || s > CONF_UDP_MAX)
		return bad(x, ERR_CONFIG, k->name, v, "is not 1 to 86400 seconds");
	*to = (uint32_t)s;
	return 0;
}

static int set_timeout(struct reader *x, const struct key *k, struct json_object *v)
{
	return read_seconds(x, k, v, &x->k->conf.udp_timeout);
}

static int set_timeout_stream(struct reader *x, const struct key *k, struct json_object *v)
{
	return read_seconds(x, k, v, &x->k->conf.udp_stream);
}

static int set_udp(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key udp_keys[] = {
		{ "timeout", T_INT, set_timeout },
		{ "timeoutStream", T_INT, set_timeout_stream },
	};

	return read_inner(x, k, v, udp_keys, ARRAY_LEN(udp_keys), false);
}

static int set_log(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key log_keys[] = {
		{ "level", T_STR, set_level },
		{ "target", T_STR, set_target },
	};

	return read_inner(x, k, v, log_keys, ARRAY_LEN(log_keys), false);
}

/* dns goes into the result, under the result's own names, and into what the
 * container is told by DHCP and Router Advertisements. */

static void put_dns(struct reader *x, const char *name, struct json_object *v)
{
	json_object_object_add(x->k->dns, name, json_object_get(v));
}

static int dns_servers(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	if (read_addrs(x, k, v, c->nameservers, &c->nnameservers, CONF_NAMESERVERS_MAX) < 0)
		return -1;
	put_dns(x, "nameservers", v);
	return 0;
}

static int dns_forward(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	return read_addrs(x, k, v, c->dns_forward, &c->ndns_forward, CONF_HOST_ADDRS_MAX);
}

static int dns_host_names(struct reader *x, const struct key *k, struct json_object *v)
{
	(void)k;
	x->k->conf.dns_host_names = json_object_get_boolean(v);
	return 0;
}

/* Into `to` without the dot that a full name may end with; "." gives "". */
static int read_domain(struct reader *x, const struct key *k, struct json_object *v,
		       char to[CONF_DOMAIN_MAX + 1])
{
	const char *s = json_object_get_string(v);
	size_t n = strlen(s);

	n -= n && s[n - 1] == '.';
	if (n > CONF_DOMAIN_MAX)
		return bad(x, ERR_CONFIG, k->name, v, "is too long a domain name");
	memcpy(to, s, n);
	to[n] = '\0';
	if (n && !conf_domain_ok(to))
		return bad(x, ERR_CONFIG, k->name, v, "is not a domain name");
	return 0;
}

static int dns_search(struct reader *x, const struct key *k, struct json_object *v)
{
	size_t n = json_object_array_length(v);
	struct conf *c = &x->k->conf;

	if (n > CONF_SEARCH_MAX)
		return too_many(x, k->name, n, CONF_SEARCH_MAX);
	c->nsearch = 0;
	for (size_t i = 0; i < n; i++) {
		if (!item(x, k, v, i) ||
		    read_domain(x, k, json_object_array_get_idx(v, i), c->search[c->nsearch]) < 0)
			return -1;
		c->nsearch += c->search[c->nsearch][0] != '\0';
	}
	put_dns(x, "search", v);
	return 0;
}

static int dns_options(struct reader *x, const struct key *k, struct json_object *v)
{
	size_t n = json_object_array_length(v);

	for (size_t i = 0; i < n; i++)
		if (!item(x, k, v, i))
			return -1;
	put_dns(x, "options", v);
	return 0;
}

static int dns_domain(struct reader *x, const struct key *k, struct json_object *v)
{
	if (read_domain(x, k, v, x->k->conf.domain) < 0)
		return -1;
	put_dns(x, k->name, v);
	return 0;
}

static int set_dns(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key dns_keys[] = {
		{ "nameservers", T_LIST, dns_servers },
		{ "domain", T_STR, dns_domain },
		{ "search", T_LIST, dns_search },
		{ "options", T_LIST, dns_options },
		{ "forward", T_LIST, dns_forward },
		{ "hostNames", T_BOOL, dns_host_names },
	};

	return read_inner(x, k, v, dns_keys, ARRAY_LEN(dns_keys), false);
}

static int set_runtime_dns(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key dns_keys[] = {
		{ "servers", T_LIST, dns_servers },
		{ "searches", T_LIST, dns_search },
		{ "options", T_LIST, dns_options },
	};

	/* All of it in place of the configuration's (CONVENTIONS.md, "dns"). */
	if (!asks_nothing(v)) {
		json_object_put(x->k->dns);
		x->k->dns = json_object_new_object();
		x->k->conf.nnameservers = x->k->conf.nsearch = 0;
		x->k->conf.domain[0] = '\0';
	}
	return read_inner(x, k, v, dns_keys, ARRAY_LEN(dns_keys), true);
}

static int set_captive_portal(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (strlen(s) > CONF_URI_MAX)
		return bad(x, ERR_CONFIG, k->name, v, "is too long a URI");
	strcpy(x->k->conf.captive_portal, s);
	return 0;
}

static int set_ipv6_only(struct reader *x, const struct key *k, struct json_object *v)
{
	int64_t s = json_object_get_int64(v);

	if (s < 0 || s > UINT32_MAX)
		return bad(x, ERR_CONFIG, k->name, v, "is not 0 to 4294967295");
	x->k->conf.ipv6_only_s = (uint32_t)s;
	return 0;
}

static int set_capture(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (s[0] && s[0] != '/')
		return bad(x, ERR_CONFIG, k->name, v, "is not the absolute path of a file");
	if (strlen(s) >= sizeof(x->k->conf.capture))
		return bad(x, ERR_CONFIG, k->name, v, "is too long a path");
	strcpy(x->k->conf.capture, s);
	return 0;
}

static int set_delegated(struct reader *x, const struct key *k, struct json_object *v)
{
	if (json_object_get_string_len(v) == 0)
		return 0;
	if (prefix_parse(json_object_get_string(v), &x->k->conf.delegated) < 0 ||
	    !x->k->conf.delegated.len)
		return bad(x, ERR_CONFIG, k->name, v, "is not an IPv6 prefix");
	return 0;
}

static int set_dhcp(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key dhcp_keys[] = {
		{ "captivePortal", T_STR, set_captive_portal },
		{ "ipv6OnlyPreferred", T_INT, set_ipv6_only },
		{ "prefix", T_STR, set_delegated },
	};

	return read_inner(x, k, v, dhcp_keys, ARRAY_LEN(dhcp_keys), false);
}

static int set_out_interface(struct reader *x, const struct key *k, struct json_object *v)
{
	const char *s = json_object_get_string(v);

	if (s[0] && !conf_ifname_ok(s))
		return bad(x, ERR_CONFIG, k->name, v, "is not an interface name");
	strcpy(x->k->conf.outbound_ifname4, s);
	strcpy(x->k->conf.outbound_ifname6, s);
	return 0;
}

static int set_out_addresses(struct reader *x, const struct key *k, struct json_object *v)
{
	struct conf *c = &x->k->conf;

	return read_addrs(x, k, v, c->outbound, &c->noutbound, CONF_OUTBOUND_MAX);
}

static int set_outbound(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key outbound_keys[] = {
		{ "interface", T_STR, set_out_interface },
		{ "addresses", T_LIST, set_out_addresses },
	};

	return read_inner(x, k, v, outbound_keys, ARRAY_LEN(outbound_keys), false);
}

static int set_prev(struct reader *x, const struct key *k, struct json_object *v)
{
	static const char *const lists[] = { "interfaces", "ips", "routes" };
	struct json_object *list;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (json_object_object_get_ex(v, lists[i], &list) && list &&
		    !json_object_is_type(list, json_type_array))
			return bad(x, ERR_CONFIG, k->name, v, "is not a CNI result");
	json_object_put(x->k->prev);
	x->k->prev = json_object_get(v);
	return 0;
}

/* The addresses a runtime asks for come in place of the configured ones, in
 * their own family; the other family stays as configured. */
static void drop_family(struct conf *c, bool is4)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->naddresses; i++)
		if (addr_is4(&c->addresses[i].addr) != is4)
			c->addresses[n++] = c->addresses[i];
	c->naddresses = n;
}

static int set_ips(struct reader *x, const struct key *k, struct json_object *v)
{
	struct prefix asked[CONF_ADDRS_MAX];
	struct conf *c = &x->k->conf;
	size_t n = json_object_array_length(v);
	const char *s;

	if (n > CONF_ADDRS_MAX)
		return too_many(x, k->name, n, CONF_ADDRS_MAX);
	for (size_t i = 0; i < n; i++) {
		s = item(x, k, v, i);
		if (!s)
			return -1;
		if (prefix_parse(s, &asked[i]) < 0)
			return bad_item(x, k, v, i, "is not an IP address");
	}
	/* An IPAM plugin is told of them as we are; what it gives counts. */
	if (x->k->ipam)
		return 0;
	for (size_t i = 0; i < n; i++)
		drop_family(c, addr_is4(&asked[i].addr));
	if (c->naddresses + n > CONF_ADDRS_MAX)
		return too_many(x, k->name, c->naddresses + n, CONF_ADDRS_MAX);
	for (size_t i = 0; i < n; i++) {
		note_family(x, ORIGIN_KEY_ADDRESSES4, &asked[i].addr);
		c->addresses[c->naddresses++] = asked[i];
	}
	return 0;
}

/* Only the type is ours to read; the plugin reads the rest of it. {} is none. */
static int set_ipam(struct reader *x, const struct key *k, struct json_object *v)
{
	struct json_object *type;

	if (json_object_object_length(v) == 0)
		return 0;
	if (!json_object_object_get_ex(v, "type", &type) ||
	    !json_object_is_type(type, json_type_string))
		return bad(x, ERR_CONFIG, k->name, v, "has no \"type\", the name of a plugin");
	x->k->ipam_dhcp = strcmp(json_object_get_string(type), "dhcp") == 0;
	x->k->ipam = json_object_get_string_len(type) > 0 && !x->k->ipam_dhcp;
	x->k->conf.ipv4_late = x->k->ipam_dhcp;
	return 0;
}

static int set_ip_ranges(struct reader *x, const struct key *k, struct json_object *v)
{
	if (x->k->ipam || asks_nothing(v))
		return 0;
	bad(x, ERR_FIELD, k->name, v, "is for an IPAM plugin, and there is none");
	return err_hint(x->e, "give \"ipam\", or take the capability \"ipRanges\" away");
}

static int check_names(struct reader *x, const struct key *k, struct json_object *list)
{
	size_t n = json_object_array_length(list);

	for (size_t i = 0; i < n; i++)
		if (!item(x, k, list, i))
			return -1;
	return 0;
}

/* A list (CONVENTIONS.md), or one for each network, as podman sends it. Taken
 * and not used: names are for who serves them (dnsname, aardvark-dns). */
static int check_aliases(struct reader *x, const struct key *k, struct json_object *v)
{
	if (json_object_is_type(v, json_type_array))
		return check_names(x, k, v);
	json_object_object_foreach(v, network, list) {
		(void)network;
		if (list && !json_object_is_type(list, json_type_array))
			return bad(x, ERR_CONFIG, k->name, v, "is not a list for each network");
		if (list && check_names(x, k, list) < 0)
			return -1;
	}
	return 0;
}

/* args.cni.ips (CONVENTIONS.md); all else in args is others' metadata. */
static int set_args(struct reader *x, const struct key *k, struct json_object *v)
{
	static const struct key ips = { "args.cni.ips", T_LIST, set_ips };
	struct json_object *cni, *list;

	(void)k;
	if (!json_object_object_get_ex(v, "cni", &cni) ||
	    !json_object_is_type(cni, json_type_object) ||
	    !json_object_object_get_ex(cni, "ips", &list) || !list)
		return 0;
	if (!json_object_is_type(list, json_type_array))
		return bad(x, ERR_CONFIG, ips.name, list, type_words(T_LIST));
	return set_ips(x, &ips, list);
}

/* Keys inside runtimeConfig come in the case of whoever wrote them. */
static const struct key runtime_keys[] = {
	{ "portMappings", T_LIST, set_mappings },
	{ "ips", T_LIST, set_ips },
	{ "mac", T_STR, set_mac },
	{ "aliases", T_LIST | T_OBJ, check_aliases },
	{ "dns", T_OBJ, set_runtime_dns },
	{ "bandwidth", T_OBJ, later },
	{ "ipRanges", T_LIST, set_ip_ranges },
	{ "cgroupPath", T_ANY, ignore },
	{ "io.kubernetes.cri.pod-annotations", T_ANY, ignore },
};

static const struct key conf_keys[] = {
	/* the protocol's */
	{ "cniVersion", T_STR, ignore },
	{ "cniVersions", T_LIST, ignore },
	{ "name", T_STR, set_name },
	{ "type", T_STR, ignore },
	{ "capabilities", T_OBJ, ignore },
	{ "disableCheck", T_BOOL | T_STR, ignore },
	{ "disableGC", T_BOOL | T_STR, ignore },
	{ "args", T_OBJ, ignore },		/* read after all others */
	{ "runtimeConfig", T_OBJ, ignore },	/* so is this */
	{ "prevResult", T_OBJ, set_prev },
	{ "ipam", T_OBJ, set_ipam },
	{ "dns", T_OBJ, set_dns },
	/* ours */
	{ "mtu", T_INT, set_mtu },
	{ "ipv4", T_BOOL, set_ipv4 },
	{ "ipv6", T_BOOL, set_ipv6 },
	{ "follow", T_BOOL, set_follow },
	{ "sourceCheck", T_BOOL, set_source_check },
	{ "metadata", T_BOOL, set_metadata },
	{ "sandbox", T_STR, set_sandbox },
	{ "user", T_STR, set_user },
	{ "addresses", T_LIST, set_addresses },
	{ "gateways", T_LIST, set_gateways },
	{ "routes", T_LIST, set_routes },
	{ "mac", T_STR, set_mac },
	{ "configure", T_BOOL, set_configure },
	{ "dhcp", T_OBJ, set_dhcp },
	{ "hostAddress", T_LIST, set_host_address },
	{ "hostLoopback", T_LIST, set_host_loopback },
	{ "forward", T_OBJ, set_forward },
	{ "reverse", T_OBJ, set_reverse },
	{ "preserveSource", T_BOOL, set_preserve_source },
	{ "listen", T_STR, set_listen },
	{ "portConflict", T_STR, set_conflict },
	{ "outbound", T_OBJ, set_outbound },
	{ "via", T_STR, set_via },
	{ "udp", T_OBJ, set_udp },
	{ "log", T_OBJ, set_log },
	{ "capture", T_STR, set_capture },
};

/* One CNI_ARGS pair through the setter of the like key; the lists in them are
 * separated by commas, as the "static" IPAM plugin takes them. */
static int set_arg(struct reader *x, const struct key *k, char *value)
{
	struct json_object *v, *list = NULL;
	char *save = NULL;
	int r;

	if (k->types & T_LIST) {
		list = json_object_new_array();
		for (char *s = strtok_r(value, ",", &save); s; s = strtok_r(NULL, ",", &save))
			json_object_array_add(list, json_object_new_string(s));
	}
	v = list ? list : json_object_new_string(value);
	r = k->set(x, k, v);
	if (k->set == set_mac)
		x->k->conf.from[ORIGIN_KEY_MAC] = (uint8_t)x->from;
	json_object_put(v);
	if (r < 0 && x->e)
		x->e->code = ERR_ENV;
	return r;
}

static int read_args(struct reader *x, char *text)
{
	/* All others are for other plugins (K8S_*, IgnoreUnknown, NERDCTL_*). */
	static const struct key args[] = {
		{ "IP", T_LIST, set_ips },
		{ "MAC", T_STR, set_mac },
		{ "GATEWAY", T_LIST, set_gateways },
	};
	struct reader in_args = { .k = x->k, .e = x->e, .at = "CNI_ARGS: ",
				  .from = ORIGIN_ARGS };
	const struct key *k;
	char *save = NULL, *value;

	for (char *s = strtok_r(text, ";", &save); s; s = strtok_r(NULL, ";", &save)) {
		value = strchr(s, '=');
		if (!value)
			return err_set(x->e, ERR_ENV, "CNI_ARGS: a pair without \"=\"");
		*value++ = '\0';
		k = find_key(args, ARRAY_LEN(args), s, false);
		if (k && value[0] && set_arg(&in_args, k, value) < 0)
			return -1;
	}
	return 0;
}

static int copy_args(struct reader *x, const char *text)
{
	char *copy;
	int r;

	if (strlen(text) > ARGS_MAX)
		return err_set(x->e, ERR_ENV, "CNI_ARGS: longer than %d bytes", ARGS_MAX);
	copy = strdup(text);
	if (!copy)
		return err_set(x->e, ERR_IO, "CNI_ARGS: out of memory");
	r = read_args(x, copy);
	free(copy);
	return r;
}

/* A route without gateway takes its family's (SPEC, "routes": "gw"); where
 * none is given it stays on-link, which our own ARP and ND answers serve. */
static void fill_gateways(struct conf *c)
{
	for (uint32_t i = 0; i < c->nroutes; i++)
		for (uint32_t j = 0; j < c->ngateways; j++)
			if (addr_is_any(&c->routes[i].gw) &&
			    addr_is4(&c->routes[i].dst.addr) == addr_is4(&c->gateways[j]))
				c->routes[i].gw = c->gateways[j];
}

/* "listen" is of all rules, whichever key stood first. */
static void fill_ready(struct keys *k)
{
	for (uint32_t i = 0; i < k->conf.nforwards; i++)
		k->conf.forwards[i].ready = k->listen_ready;
	for (uint32_t i = 0; i < k->conf.nreverses; i++)
		k->conf.reverses[i].ready = k->listen_ready;
}

/* Root does not leave engine and nsagent as root: they are the system user that a
 * package may have made for them, else nobody. */
static void fill_user(struct keys *k)
{
	static const char *const names[] = { "cni-passt", "nobody" };

	if (k->user_given || geteuid() != 0)
		return;
	k->conf.run_uid = k->conf.run_gid = OVERFLOW_ID;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct passwd *p = getpwnam(names[i]);

		if (!p)
			continue;
		k->conf.run_uid = p->pw_uid;
		k->conf.run_gid = p->pw_gid;
		return;
	}
}

/* What the plugin dhcp cannot do. */
static int check_dhcp(const struct keys *k, struct err *e)
{
	if (!k->ipam_dhcp || (k->conf.configure && k->conf.ipv4))
		return 0;
	err_set(e, ERR_CONFIG, "ipam.type: \"dhcp\" with \"%s\": false leaves nothing to it",
		k->conf.configure ? "ipv4" : "configure");
	return err_hint(e, "take one of them away");
}

int keys_read(struct json_object *netconf, const char *cni_args, struct keys *ret,
	      struct err *e)
{
	static const struct key runtime = { "runtimeConfig", T_OBJ, ignore };
	struct reader x = { .k = ret, .e = e, .at = "", .from = ORIGIN_CONF };
	struct json_object *v;

	*ret = (struct keys){ .dns = json_object_new_object() };
	conf_init(&ret->conf);
	if (!ret->dns)
		return err_set(e, ERR_IO, "out of memory");
	if (read_object(&x, netconf, conf_keys, ARRAY_LEN(conf_keys), false) < 0 ||
	    (cni_args && copy_args(&x, cni_args) < 0))
		return -1;
	x.from = ORIGIN_ARGS;
	if (json_object_object_get_ex(netconf, "args", &v) && v && set_args(&x, NULL, v) < 0)
		return -1;
	x.from = ORIGIN_RUNTIME;
	if (json_object_object_get_ex(netconf, "runtimeConfig", &v) && v &&
	    read_inner(&x, &runtime, v, runtime_keys, ARRAY_LEN(runtime_keys), true) < 0)
		return -1;
	if (check_dhcp(ret, e) < 0)
		return -1;
	fill_gateways(&ret->conf);
	fill_ready(ret);
	fill_user(ret);
	return 0;
}

/* The configured gateway of a family the plugin gave none for. */
static void keep_gateways(struct conf *c, const struct conf *old)
{
	bool given;

	for (uint32_t i = 0; i < old->ngateways; i++) {
		given = false;
		for (uint32_t j = 0; j < c->ngateways; j++)
			given |= addr_is4(&c->gateways[j]) == addr_is4(&old->gateways[i]);
		if (!given && c->ngateways < CONF_GATEWAYS_MAX)
			c->gateways[c->ngateways++] = old->gateways[i];	/* from[] is as it was */
	}
}

int keys_read_ipam(struct json_object *o, struct keys *k, struct err *e)
{
	static const struct key ipam_keys[] = {
		{ "ips", T_LIST, set_ips },
		{ "gateways", T_LIST, set_gateways },
		{ "routes", T_LIST, set_routes },
		{ "dns", T_OBJ, set_dns },
	};
	struct reader x = { .k = k, .e = e, .at = "", .from = ORIGIN_IPAM };
	struct conf old = k->conf;
	struct json_object *v;

	if (!json_object_object_get_ex(o, "ips", &v) || asks_nothing(v))
		return err_set(e, ERR_IO, "no address in it");
	/* What is empty leaves the configuration's as it is. */
	for (size_t i = 1; i < ARRAY_LEN(ipam_keys); i++)
		if (json_object_object_get_ex(o, ipam_keys[i].name, &v) && asks_nothing(v))
			json_object_object_del(o, ipam_keys[i].name);
	if (json_object_object_length(k->dns) > 0)
		json_object_object_del(o, "dns");
	k->ipam = false;	/* these are the ones */
	if (read_object(&x, o, ipam_keys, ARRAY_LEN(ipam_keys), false) < 0)
		return -1;
	keep_gateways(&k->conf, &old);
	fill_gateways(&k->conf);
	return 0;
}

int keys_read_prev(struct json_object *netconf, struct keys *ret, struct err *e)
{
	static const struct key prev = { "prevResult", T_OBJ, set_prev };
	struct reader x = { .k = ret, .e = e, .at = "" };
	struct json_object *v;

	*ret = (struct keys){ .dns = NULL };
	if (!json_object_object_get_ex(netconf, prev.name, &v) || !v) {
		err_set(e, ERR_CONFIG, "prevResult: is missing");
		return err_hint(e, "a CHECK compares with the result of the ADD before it");
	}
	if (!json_object_is_type(v, json_type_object))
		return bad(&x, ERR_CONFIG, prev.name, v, type_words(T_OBJ));
	return set_prev(&x, &prev, v);
}

void keys_drop(struct keys *k)
{
	json_object_put(k->dns);
	json_object_put(k->prev);
	k->dns = NULL;
	k->prev = NULL;
}
