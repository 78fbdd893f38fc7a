/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cni: the CNI request: versions spoken, the network configuration read with a
 * size cap and decoded strictly. Other JSON of runtimes is read the same way. Knows no key of ours but "cniVersion" (keys.c
 * does) and prints nothing (result.c, main.c). CNI SPEC.md, sections 1 and 2.
 */
#ifndef PLUGIN_JSON_CNI_H
#define PLUGIN_JSON_CNI_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CNI_REQUEST_MAX	(1U << 20)	/* bytes of one configuration */
#define CNI_DEPTH_MAX	32		/* its nesting */
#define CNI_TYPE	"cni-passt"	/* our entry in a list of plugins */

enum cni_version {
	CNI_0_1_0, CNI_0_2_0, CNI_0_3_0, CNI_0_3_1, CNI_0_4_0, CNI_1_0_0, CNI_1_1_0,
	CNI_VERSION_COUNT
};

#define CNI_NEWEST	CNI_1_1_0

extern const char *const cni_version_names[CNI_VERSION_COUNT];

struct request {
	struct json_object *netconf;	/* an object; owned */
	enum cni_version version;
};

/* By exact text; -1 if it is none of ours. */
int cni_version_parse(const char *s);

/* Reads fd to its end, NUL-terminated; `what` is for messages. Returns memory
 * to free, or NULL with *e (ERR_IO, ERR_DECODE if too long). */
char *cni_read(int fd, const char *what, size_t *len, struct err *e);

/* One JSON object, len bytes with a NUL behind them: strict, UTF-8, no trailing
 * bytes; errors name line and column. The caller puts it; NULL with *e. */
struct json_object *cni_parse(const char *text, size_t len, const char *what, struct err *e);

/*
 * Decodes one configuration, len bytes with a NUL behind them, as cni_parse()
 * does. With `list`, a list of plugins (*.conflist) is taken too and its entry of our type used,
 * with the list's name and version. On failure -1 with *e, and ret->version as
 * far as known. cni_drop in any case.
 */
int cni_decode(const char *text, size_t len, const char *what, bool list,
	       struct request *ret, struct err *e);
void cni_drop(struct request *r);

#endif
