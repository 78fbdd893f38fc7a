/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/ipam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conf/conf.h"
#include "plugin/attach/run.h"
#include "plugin/json/cni.h"
#include "plugin/json/get.h"

#define ENV_COUNT	4

/* The plugin's name, "" if none is wanted. */
static const char *type_of(struct json_object *netconf)
{
	return get_str(get_member(netconf, "ipam", json_type_object), "type");
}

bool ipam_wanted(struct json_object *netconf)
{
	return type_of(netconf)[0];
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The first regular file of that name in CNI_PATH. */
static int find(const char *type, char path[CONF_PATH_MAX], struct err *e)
{
	const char *dir = getenv("CNI_PATH"), *end;

	if (strchr(type, '/'))
		return err_set(e, ERR_CONFIG, "ipam.type: \"%.80s\" is not the name of a plugin",
			       type);
	if (!dir || !dir[0]) {
		err_set(e, ERR_ENV, "CNI_PATH is not set: the IPAM plugin \"%.80s\" is looked for"
			" there", type);
		return err_hint(e, "set it to the folders of the CNI plugins, as"
				   " /opt/cni/bin:/usr/lib/cni");
	}
	for (; *dir; dir = *end ? end + 1 : end) {
		end = strchrnul(dir, ':');
		if (end > dir && snprintf(path, CONF_PATH_MAX, "%.*s/%s", (int)(end - dir), dir,
					  type) < CONF_PATH_MAX && is_file(path))
			return 0;
	}
	err_set(e, ERR_ENV, "CNI_PATH: no IPAM plugin \"%.80s\" in %.200s", type,
		getenv("CNI_PATH"));
	return err_hint(e, "install it (package containernetworking-plugins), or mend ipam.type");
}

/* The plugin said no: in its own words, if they can be read. */
static int refused(const char *type, const struct run_result *r, struct err *e)
{
	const char *msg, *details;
	struct request answer;
	int code;

	if (cni_decode(r->output, r->output_len, "", false, &answer, NULL) < 0 &&
	    !answer.netconf) {
		if (WIFSIGNALED(r->status))
			return err_set(e, ERR_IO, "IPAM plugin %.80s was killed by signal %d",
				       type, WTERMSIG(r->status));
		if (WEXITSTATUS(r->status) == RUN_EXEC_FAILED)
			return err_set(e, ERR_IO, "IPAM plugin %.80s cannot be executed", type);
		return err_set(e, ERR_IO, "IPAM plugin %.80s ended with status %d and no error"
			       " object", type, WEXITSTATUS(r->status));
	}
	code = json_object_get_int(get_member(answer.netconf, "code", json_type_int));
	msg = get_str(answer.netconf, "msg");
	details = get_str(answer.netconf, "details");
	err_set(e, code > 0 ? code : ERR_IO, "IPAM plugin %.80s: %.250s", type,
		msg[0] ? msg : "failed");
	if (details[0])
		err_hint(e, "%.600s", details);
	cni_drop(&answer);
	return -1;
}

static int set_env(char *env[ENV_COUNT + 1], const char *verb, const struct ipam_for *who,
		   struct err *e)
{
	const char *const values[ENV_COUNT][2] = {
		{ "CNI_COMMAND", verb },	{ "CNI_CONTAINERID", who->container_id },
		{ "CNI_IFNAME", who->ifname },	{ "CNI_NETNS", who->netns },
	};

	for (size_t i = 0; i < ENV_COUNT; i++)
		if (asprintf(&env[i], "%s=%s", values[i][0], values[i][1] ?: "") < 0) {
			env[i] = NULL;
			return err_set(e, ERR_IO, "out of memory");
		}
	return 0;
}

static void free_env(char *env[ENV_COUNT + 1])
{
	for (size_t i = 0; i < ENV_COUNT; i++)
		free(env[i]);
}

/* Runs the plugin; on success *ret is its output, to be freed. */
static int delegate(const char *verb, struct json_object *netconf, const struct ipam_for *who,
		    struct run_result *ret, struct err *e)
{
	const char *type = type_of(netconf);
	char path[CONF_PATH_MAX], *env[ENV_COUNT + 1] = { NULL };
	struct run run = {
		.path = path, .env = env, .output_max = IPAM_OUTPUT_MAX,
		.timeout_ms = IPAM_TIMEOUT_MS, .stop_fd = who->stop_fd,
	};
	int r;

	run.input = json_object_to_json_string_length(netconf, JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE,
						      &run.input_len);
	if (!run.input)
		return err_set(e, ERR_IO, "out of memory");
	if (find(type, path, e) < 0)
		return -1;
	r = set_env(env, verb, who, e);
	if (r == 0)
		r = run_program(&run, ret, e);
	free_env(env);
	if (r == 0 && ret->status != 0) {
		r = refused(type, ret, e);
		free(ret->output);
	}
	return r;
}

int ipam_call(const char *verb, struct json_object *netconf, const struct ipam_for *who,
	      struct err *e)
{
	struct run_result out;

	if (!ipam_wanted(netconf))
		return 0;
	if (delegate(verb, netconf, who, &out, e) < 0)
		return -1;
	free(out.output);
	return 0;
}

static void add_text(struct json_object *list, const char *s)
{
	if (s[0])
		json_object_array_add(list, json_object_new_string(s));
}

/* A gateway a family, the first. */
static void add_gateway(struct json_object *list, const char *s)
{
	struct addr a, b;

	if (addr_parse(s, &a) < 0)
		return;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (addr_parse(json_object_get_string(json_object_array_get_idx(list, i)),
			       &b) == 0 && addr_is4(&a) == addr_is4(&b))
			return;
	add_text(list, s);
}

static void add_routes(struct json_object *to, struct json_object *from)
{
	size_t n;
	struct json_object *list = get_list(from, "routes", &n);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(to, json_object_get(json_object_array_get_idx(list, i)));
}

/* Results of 0.1.0 and 0.2.0: "ip4" and "ip6", each with routes of its own. */
static void read_old(struct json_object *o, struct json_object *ips,
		     struct json_object *gateways, struct json_object *routes)
{
	static const char *const families[] = { "ip4", "ip6" };
	struct json_object *ip;

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		ip = get_member(o, families[i], json_type_object);
		add_text(ips, get_str(ip, "ip"));
		add_gateway(gateways, get_str(ip, "gateway"));
		add_routes(routes, ip);
	}
}

/* The result's parts under the names that keys.c reads. */
static struct json_object *as_keys(struct json_object *o)
{
	struct json_object *keys = json_object_new_object(), *list, *v;
	struct json_object *ips = json_object_new_array(), *gateways = json_object_new_array(),
			   *routes = json_object_new_array();
	size_t n;

	read_old(o, ips, gateways, routes);
	list = get_list(o, "ips", &n);
	for (size_t i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		add_text(ips, get_str(v, "address"));
		add_gateway(gateways, get_str(v, "gateway"));
	}
	add_routes(routes, o);
	json_object_object_add(keys, "ips", ips);
	json_object_object_add(keys, "gateways", gateways);
	json_object_object_add(keys, "routes", routes);
	if (json_object_object_get_ex(o, "dns", &v))
		json_object_object_add(keys, "dns", json_object_get(v));
	return keys;
}

int ipam_take(const char *text, size_t len, const char *what, struct keys *k, struct err *e)
{
	struct json_object *keys = NULL;
	struct request result;
	int r = cni_decode(text, len, what, false, &result, e);

	if (r == 0) {
		keys = as_keys(result.netconf);
		r = keys_read_ipam(keys, k, e);
	}
	if (r < 0 && e && strncmp(e->msg, what, strlen(what)) != 0)
		err_prefix(e, "%s", what);
	json_object_put(keys);
	cni_drop(&result);
	return r;
}

int ipam_add(struct json_object *netconf, const struct ipam_for *who, struct keys *k,
	     struct err *e)
{
	struct run_result out;
	char what[128];
	int r;

	if (delegate("ADD", netconf, who, &out, e) < 0)
		return -1;
	snprintf(what, sizeof(what), "result of IPAM plugin %.80s", type_of(netconf));
	r = ipam_take(out.output, out.output_len, what, k, e);
	free(out.output);
	return r;
}

/* Another's lease would be of no use here. */
static int check_lease(const struct conf *got, const struct netcfg *leased, struct err *e)
{
	char text[PREFIX_STRLEN];

	for (uint32_t i = 0; i < got->naddresses; i++) {
		const struct prefix *p = &got->addresses[i];

		if (!addr_is4(&p->addr) || netcfg_has_prefix(leased, p))
			continue;
		return err_set(e, ERR_IO, "IPAM plugin dhcp got %s, which is no lease of this"
			       " attachment's", prefix_format(p, text));
	}
	return 0;
}

int ipam_add_dhcp(struct json_object *netconf, const struct ipam_for *who,
		  const struct netcfg *leased, struct err *e)
{
	struct keys got = { .dns = json_object_new_object() };
	int r;

	conf_init(&got.conf);
	if (!netcfg_primary(leased, true)) {
		err_set(e, ERR_HOSTNET, "IPAM plugin dhcp: there is no IPv4 address to lease");
		r = err_hint(e, "the host has none; \"addresses\": [\"private\"] gives one in any case");
	} else {
		r = ipam_add(netconf, who, &got, e);
	}
	if (r == 0)
		r = check_lease(&got.conf, leased, e);
	keys_drop(&got);
	return r;
}
