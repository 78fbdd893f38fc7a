/* SPDX-License-Identifier: GPL-2.0-or-later */
/* forward: the command `cni-passt forward ID list|add|del`: published ports of a
 * running attachment. Called by main.c. */
#ifndef PLUGIN_FORWARD_H
#define PLUGIN_FORWARD_H

#include <json-c/json.h>

#include "base/err.h"

/*
 * words: "ID" "list", or "ID" "add|del" "tcp|udp" "RULE". Returns 0 with what is to be
 * printed: *json (the caller puts it), or, where that is not asked for, text on stdout. -1
 * with *e; *usage says whether the words were wrong.
 */
int forward_command(int nwords, char **words, struct json_object **json, bool want_json,
		    bool *usage, struct err *e);

#endif
