/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crowd: the same questions to many daemons at once: some that do not answer cost as
 * much time as one. */
#ifndef PLUGIN_CROWD_H
#define PLUGIN_CROWD_H

#include <json-c/json.h>

#include "conf/control.h"
#include "plugin/attach/state.h"

#define CROWD_MS	2000	/* for the answers of those asked together */
#define CROWD_MAX	64	/* asked together */

/* ret has nverbs places for each name: the answers, to put; NULL where none came. */
void crowd_ask(int root, const struct state_name *names, size_t n, const enum control_verb *verbs,
	       size_t nverbs, struct json_object **ret);

/* A line on standard error for each attachment of this user whose engine dies again and
 * again; nothing where that cannot be known. */
void crowd_tell_failing(void);

#endif
