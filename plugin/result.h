/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * result: what a runtime gets back, in the shape of the version it speaks:
 * results (CNI SPEC.md, section 5, and the older specifications), errors and
 * the answer to VERSION. Builds JSON and writes nothing. Called by main.c.
 */
#ifndef PLUGIN_RESULT_H
#define PLUGIN_RESULT_H

#include <json-c/json.h>

#include "conf/netcfg.h"
#include "plugin/json/cni.h"

struct result {
	enum cni_version version;
	const struct netcfg *net;
	const char *sandbox;		/* exactly as the caller gave it */
	struct json_object *dns;	/* an object, may be empty; borrowed */
	struct json_object *prev;	/* prevResult or NULL; borrowed, unchanged */
};

/* All return an object the caller puts; NULL only without memory. */
struct json_object *result_build(const struct result *r);
struct json_object *result_error(enum cni_version version, const struct err *e);
struct json_object *result_versions(enum cni_version asked);

#endif
