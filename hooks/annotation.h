/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * annotation: a container's annotations io.cni-passt.NAME, as keys of a network
 * configuration: a table from names to keys and the texts they take. Makes JSON
 * of them and judges no value: plugin/json/keys.c and the validator do. Which
 * of them a container may have is the administrator's list.
 */
#ifndef HOOKS_ANNOTATION_H
#define HOOKS_ANNOTATION_H

#include <json-c/json.h>
#include <stdbool.h>

#include "base/err.h"
#include "conf/conf.h"

#define ANNOTATION_PREFIX	"io.cni-passt."
#define ANNOTATION_VALUE_MAX	16384	/* bytes of one value */

/*
 * Puts those of `annotations` (an object or NULL) into netconf, each in place of
 * the key it stands for. allowed: list of names, "*" for all of them; NULL: those
 * that open nothing of the host but ports. *attach: what
 * io.cni-passt.attach says, else true. 0, or -1 with *e naming the annotation.
 */
int annotation_apply(struct json_object *annotations, struct json_object *allowed,
		     struct json_object *netconf, bool *attach, struct err *e);

/* Notes in *c, read from that netconf, which keys the annotations gave. */
void annotation_note(struct json_object *annotations, struct conf *c);

/* Whether there is such an annotation: for the administrator's list. */
bool annotation_known(const char *name);

#endif
