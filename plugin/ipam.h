/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipam: delegation to an IPAM plugin (CNI SPEC.md, section 4): found in
 * CNI_PATH, run with our environment and network configuration; its result's
 * addresses, gateways, routes and DNS go into struct keys. Called by main.c
 * and gc.c.
 */
#ifndef PLUGIN_IPAM_H
#define PLUGIN_IPAM_H

#include <json-c/json.h>

#include "base/err.h"
#include "conf/netcfg.h"
#include "plugin/json/keys.h"

#define IPAM_TIMEOUT_MS		60000	/* a DHCP client tries for long */
#define IPAM_OUTPUT_MAX		65536	/* bytes of a result */

/* On whose behalf: what the plugin finds in its environment. NULL where the
 * verb has none. */
struct ipam_for {
	const char *container_id, *ifname, *netns;
	int stop_fd;
};

/* Whether the configuration, of whatever quality, names an IPAM plugin. */
bool ipam_wanted(struct json_object *netconf);

/* ADD, its result put into *k. 0, or -1 with *e; then ipam_call(DEL) is due. */
int ipam_add(struct json_object *netconf, const struct ipam_for *who, struct keys *k,
	     struct err *e);

/* The part of ipam_add that reads: a result the plugin printed, len bytes with a
 * NUL behind them, into *k; `what` is for messages. 0, or -1 with *e. */
int ipam_take(const char *text, size_t len, const char *what, struct keys *k, struct err *e);

/*
 * The same for the plugin dhcp, whose client runs over the attachment's interface and is answered
 * by its own server: what it got must be among `leased`. 0, or -1 with *e.
 */
int ipam_add_dhcp(struct json_object *netconf, const struct ipam_for *who,
		  const struct netcfg *leased, struct err *e);

/* Any other verb. 0, also if no IPAM plugin is wanted, or -1 with *e: the
 * plugin's own error, with its name before it. */
int ipam_call(const char *verb, struct json_object *netconf, const struct ipam_for *who,
	      struct err *e);

#endif
