/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netavark: netavark's plugin API (plugin-API.md of netavark, 1.0.0) in terms of
 * ours: a network and a container's part in it become a network configuration,
 * which keys.c reads as any other, and what an attachment became becomes a status
 * block. Pure: JSON to JSON. Called by main.c.
 */
#ifndef PLUGIN_NETAVARK_H
#define PLUGIN_NETAVARK_H

#include <json-c/json.h>

#include "conf/netcfg.h"
#include "plugin/json/keys.h"

#define NETAVARK_API		"1.0.0"
#define NETAVARK_PORTS_MAX	65536	/* of one mapping */

struct netavark {
	const char *container_id, *ifname;	/* the request's */
	struct keys keys;			/* identity fields empty */
};

/*
 * The request of setup and teardown. publish: whether its port mappings are ours to
 * open; a rootless podman opens them itself. 0, or -1 with *e; netavark_drop in any
 * case. *ret points into o.
 */
int netavark_read(struct json_object *o, bool publish, struct netavark *ret, struct err *e);
void netavark_drop(struct netavark *n);

/* Only whose it is: for teardown, which a wrong option must not hinder. */
int netavark_identify(struct json_object *o, struct netavark *ret, struct err *e);

/* create: checks a network, options above all, and completes it in place. */
int netavark_create(struct json_object *network, struct err *e);

/* The status block, for the caller to put; NULL without memory. */
struct json_object *netavark_status(const struct netcfg *net, struct json_object *dns);

/* What info prints, and the error object. */
struct json_object *netavark_info(const char *version);
struct json_object *netavark_error(const struct err *e);

#endif
