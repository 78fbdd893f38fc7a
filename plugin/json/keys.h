/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys: the keys of a network configuration, of runtimeConfig and of CNI_ARGS,
 * each with its type and its setter, as tables. Unknown keys and keys that are
 * not built yet are refused by name. Types and texts are checked here; what
 * the values mean together is conf_validate's. Called by main.c.
 */
#ifndef PLUGIN_JSON_KEYS_H
#define PLUGIN_JSON_KEYS_H

#include <json-c/json.h>

#include "conf/conf.h"

struct keys {
	struct conf conf;
	struct json_object *dns;	/* the result's; an object; owned */
	struct json_object *prev;	/* prevResult or NULL; owned */
	bool ipam;			/* an IPAM plugin gives the addresses: keys_read_ipam */
	bool ipam_dhcp;			/* one that asks for them by DHCP, over the interface: of us */
	bool user_given;		/* key "user" */
	bool listen_ready;		/* "listen": "ready", for all rules */
};

/*
 * Fills *ret from netconf over conf_init's defaults, then from cni_args (the
 * text of CNI_ARGS or NULL), then from its runtimeConfig: each over the one
 * before. Identity fields but conf.network stay empty. Returns 0, or -1 with
 * *e (ERR_FIELD, ERR_CONFIG, ERR_ENV); keys_drop in any case.
 */
int keys_read(struct json_object *netconf, const char *cni_args, struct keys *ret,
	      struct err *e);

/*
 * The addresses, gateways, routes and dns an IPAM plugin gave, as an object of
 * those names with "ips" for the first: over what keys_read found, except for
 * dns, where the configuration's own goes first. 0, or -1 with *e.
 */
int keys_read_ipam(struct json_object *o, struct keys *k, struct err *e);

/* prevResult alone, unchecked keys beside it: 0, or -1 with *e. */
int keys_read_prev(struct json_object *netconf, struct keys *ret, struct err *e);

void keys_drop(struct keys *k);

#endif
