/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/check.h"

#include <string.h>

#include "plugin/attach/ask.h"
#include "plugin/json/get.h"

/* Interfaces without a sandbox are the host's. */
static struct json_object *find_interface(struct json_object *prev, const char *ifname)
{
	size_t n;
	struct json_object *list = get_list(prev, "interfaces", &n), *o;

	for (size_t i = 0; i < n; i++) {
		o = json_object_array_get_idx(list, i);
		if (strcmp(get_str(o, "name"), ifname) == 0 && get_str(o, "sandbox")[0])
			return o;
	}
	return NULL;
}

/* A later plugin (tuning) may have given the interface another MAC address and,
 * which only results of 1.1.0 tell, another MTU. */
static int expect_link(struct json_object *prev, const char *netns, struct conf *want,
		       struct err *e)
{
	struct json_object *o = find_interface(prev, want->ifname);
	int64_t mtu;

	if (!o)
		return err_set(e, ERR_CONFIG, "prevResult: interfaces: no %s in a sandbox",
			       want->ifname);
	if (strcmp(get_str(o, "sandbox"), netns) != 0)
		return err_set(e, ERR_CONFIG, "prevResult: interfaces: %s is in %.200s, and"
			       " CNI_NETNS is %.200s", want->ifname, get_str(o, "sandbox"), netns);
	if (get_str(o, "mac")[0] && mac_parse(get_str(o, "mac"), &want->mac) < 0)
		return err_set(e, ERR_CONFIG, "prevResult: interfaces: mac: \"%.40s\" is not a"
			       " MAC address", get_str(o, "mac"));
	mtu = json_object_get_int64(get_member(o, "mtu", json_type_int));	/* 0 for NULL */
	want->mtu = mtu > 0 && mtu <= CONF_MTU_MAX ? (uint32_t)mtu : 0;
	return 0;
}

static bool has_address(struct json_object *prev, const struct prefix *p)
{
	size_t n;
	struct json_object *list = get_list(prev, "ips", &n);
	struct prefix q;

	for (size_t i = 0; i < n; i++)
		if (prefix_parse(get_str(json_object_array_get_idx(list, i), "address"), &q) == 0 &&
		    q.len == p->len && addr_eq(&q.addr, &p->addr))
			return true;
	return false;
}

static bool has_route(struct json_object *prev, const struct route *r)
{
	size_t n;
	struct json_object *list = get_list(prev, "routes", &n), *o;
	struct prefix dst;
	struct addr gw;

	for (size_t i = 0; i < n; i++) {
		o = json_object_array_get_idx(list, i);
		gw = ADDR_ANY;
		if (prefix_parse(get_str(o, "dst"), &dst) < 0 || dst.len != r->dst.len ||
		    !addr_eq(&dst.addr, &r->dst.addr))
			continue;
		if (get_str(o, "gw")[0] && addr_parse(get_str(o, "gw"), &gw) < 0)
			continue;
		if (addr_eq(&gw, &r->gw))
			return true;
	}
	return false;
}

/* Whether that is to be there: what came later only where we configured it. */
static bool expects_address(const struct netcfg *made, const struct netcfg *now,
			    struct json_object *prev, const struct prefix *p)
{
	if (!netcfg_has_prefix(made, p))
		return now->configure;
	return !prev || has_address(prev, p);
}

static bool expects_route(const struct netcfg *made, const struct netcfg *now,
			  struct json_object *prev, const struct route *r)
{
	bool was_made = false;

	for (uint32_t i = 0; i < made->nroutes; i++)
		was_made |= netcfg_route_eq(&made->routes[i], r);
	if (!was_made)
		return now->configure;
	return !prev || has_route(prev, r);
}

int check_expect(const struct state *made, const struct netcfg *now, struct json_object *prev,
		 const char *netns, struct conf *want, struct err *e)
{
	const struct netcfg *n = now ?: &made->net;

	conf_init(want);
	strcpy(want->container_id, made->container_id);
	strcpy(want->ifname, n->ifname);
	if (strlen(netns) >= sizeof(want->netns_path))
		return err_set(e, ERR_ENV, "CNI_NETNS: \"%.40s...\" is too long", netns);
	strcpy(want->netns_path, netns);
	want->mac = n->mac;
	want->mtu = n->mtu;
	if (prev && expect_link(prev, netns, want, e) < 0)
		return -1;
	if (n->mtu != made->net.mtu)
		want->mtu = n->configure && want->mtu == made->net.mtu ? n->mtu : 0;
	for (uint32_t i = 0; i < n->naddresses; i++)
		if (expects_address(&made->net, n, prev, &n->addresses[i]))
			want->addresses[want->naddresses++] = n->addresses[i];
	for (uint32_t i = 0; i < n->nroutes; i++)
		if (expects_route(&made->net, n, prev, &n->routes[i]))
			want->routes[want->nroutes++] = n->routes[i];
	return 0;
}

static int check_process(struct json_object *stats, const char *name, const char *failing,
			 const char *restarts, struct err *e)
{
	struct json_object *gauges = get_member(stats, "gauges", json_type_object);

	if (!json_object_get_boolean(get_member(gauges, failing, json_type_boolean)))
		return 0;
	err_set(e, ERR_CHECK, "the daemon's %s dies again and again: started again %lld times", name,
		(long long)json_object_get_int64(get_member(stats, restarts, json_type_int)));
	return err_hint(e, "the daemon's log says what it dies of; new connections fail meanwhile");
}

int check_processes(int state_fd, struct err *e)
{
	struct err unasked = ERR_INIT;
	struct json_object *stats = ask_daemon(state_fd, ask_request(CONTROL_STATS), &unasked);
	int r = 0;

	if (stats)
		r = check_process(stats, "engine", "engine_failing", "engine_restarts", e);
	if (stats && r == 0)
		r = check_process(stats, "nsagent", "nsagent_failing", "nsagent_restarts", e);
	json_object_put(stats);
	return r;
}
