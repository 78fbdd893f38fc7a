/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/gc.h"

#include <stdlib.h>
#include <string.h>

#include "plugin/attach/attach.h"
#include "plugin/json/get.h"
#include "plugin/ipam.h"

struct gc {
	struct json_object *netconf;
	const char *network;		/* "": none, nothing that lives is touched */
	struct json_object *valid;	/* the list, or NULL */
	int stop_fd;
	struct err *first;		/* error */
};

/* The key of the specification, then the one its tag 1.1.0 had (CNI #1101). */
static int find_valid(struct gc *g)
{
	static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };
	struct json_object *o;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!json_object_object_get_ex(g->netconf, keys[i], &g->valid) || !g->valid)
			continue;
		if (!json_object_is_type(g->valid, json_type_array))
			return err_set(g->first, ERR_CONFIG, "%s: is not a list", keys[i]);
		for (size_t j = 0; j < json_object_array_length(g->valid); j++) {
			o = json_object_array_get_idx(g->valid, j);
			/* Half understood, it would end what is valid. */
			if (!get_str(o, "containerID")[0] || !get_str(o, "ifname")[0])
				return err_set(g->first, ERR_CONFIG, "%s: entry %zu has no"
					       " \"containerID\" and \"ifname\"", keys[i], j);
		}
		return 0;
	}
	return 0;
}

static bool is_valid(const struct gc *g, const struct state_name *name)
{
	struct json_object *o;

	for (size_t i = 0; i < json_object_array_length(g->valid); i++) {
		o = json_object_array_get_idx(g->valid, i);
		if (strcmp(get_str(o, "containerID"), name->container_id) == 0 &&
		    strcmp(get_str(o, "ifname"), name->ifname) == 0)
			return true;
	}
	return false;
}

/* Whether it is of this network and no longer wanted. What cannot be read may be
 * another network's. */
static bool is_stale(const struct gc *g, const struct attach *a, const struct state_name *name)
{
	struct state s;

	return g->valid && g->network[0] && state_read(&a->dir, &s, NULL) == 1 &&
	       strcmp(s.network, g->network) == 0 && !is_valid(g, name);
}

/* Also where its daemon is gone: then its addresses are what is left of it. */
static int end_one(struct gc *g, struct attach *a, const struct state_name *name, struct err *e)
{
	const struct ipam_for who = { .container_id = name->container_id, .ifname = name->ifname,
				      .stop_fd = g->stop_fd };

	if (attach_stop(a, e) < 0 || ipam_call("DEL", g->netconf, &who, e) < 0) {
		attach_done(a);
		return -1;
	}
	return attach_remove(a, e);
}

static int look_at(struct gc *g, const struct state_name *name, struct err *e)
{
	struct attach a;
	int r = attach_try(&a, name->container_id, name->ifname, e);

	/* Another command is at it and will leave it as it should be. */
	if (r < 0 && e->code == ERR_AGAIN)
		return 0;
	if (r <= 0)
		return r;
	if (is_stale(g, &a, name))
		return end_one(g, &a, name, e);
	if (!attach_lives(&a))
		return attach_remove(&a, e);
	attach_done(&a);
	return 0;
}

static void note(struct gc *g, const struct err *e)
{
	if (!g->first->code)
		*g->first = *e;
}

int gc_run(struct json_object *netconf, int stop_fd, struct err *e)
{
	struct gc g = { .netconf = netconf, .stop_fd = stop_fd, .first = e };
	struct state_name *names = NULL;
	struct err one;
	size_t n = 0;

	if (netconf && find_valid(&g) < 0)
		return -1;
	g.network = get_str(netconf, "name");
	state_list(&names, &n, e);
	for (size_t i = 0; i < n; i++) {
		one = ERR_INIT;
		if (look_at(&g, &names[i], &one) < 0)
			note(&g, &one);
	}
	free(names);
	one = ERR_INIT;
	if (ipam_call("GC", netconf, &(struct ipam_for){ .stop_fd = stop_fd }, &one) < 0)
		note(&g, &one);
	return e->code ? -1 : 0;
}
