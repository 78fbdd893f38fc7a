/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oci: what an OCI runtime tells a hook: its state on standard input and the
 * bundle's config.json (runtime-spec, runtime.md "State", config.md,
 * config-linux.md "Namespaces"). Takes what it needs and lets all else be, but
 * what it needs must be of the right type. Reads nothing itself; main.c does.
 */
#ifndef HOOKS_OCI_H
#define HOOKS_OCI_H

#include <json-c/json.h>
#include <stdbool.h>

#include "conf/conf.h"

enum oci_status {
	OCI_NONE,		/* absent, or none that this knows */
	OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_STOPPED, OCI_STATUS_COUNT
};

struct oci_state {
	char id[CONF_ID_MAX + 1];
	enum oci_status status;
	int32_t pid;			/* as the hook sees it; 0: absent */
	char bundle[CONF_PATH_MAX];	/* absolute; empty: absent */
	struct json_object *annotations;	/* an object or NULL; owned */
};

/* len bytes with a NUL behind them. 0, or -1 with *e; what was good before the
 * fault is in *ret, so that a detach can go by the id. oci_drop_state in any case. */
int oci_read_state(const char *text, size_t len, struct oci_state *ret, struct err *e);
void oci_drop_state(struct oci_state *s);

enum oci_net { OCI_NET_SHARED, OCI_NET_PATH, OCI_NET_OWN };

struct oci_bundle {
	struct json_object *config;	/* owned; what is below is borrowed from it */
	enum oci_net net;
	const char *netns;		/* of OCI_NET_PATH, absolute */
	const char *rootfs;		/* root.path, relative to the bundle or absolute; NULL: none */
	const char *hostname;		/* NULL: none */
	struct json_object *annotations;	/* an object or NULL */
	struct json_object *mounts;	/* a list or NULL */
};

/* Likewise config.json. oci_drop_bundle in any case. */
int oci_read_bundle(const char *text, size_t len, struct oci_bundle *ret, struct err *e);
void oci_drop_bundle(struct oci_bundle *b);

/* Whether a mount of the configuration covers that path of the container: what
 * is written below it in the root file system is not seen there. */
bool oci_is_mounted(const struct oci_bundle *b, const char *path);

/* Whether the bundle has a hook of that name ("createContainer") with `word` among
 * its arguments. */
bool oci_has_hook(const struct oci_bundle *b, const char *name, const char *word);

#endif
