/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: what an attachment by a hook shall be: defaults, over them the
 * configuration file, over that the container's annotations; of what concerns
 * the hook itself, its arguments over the file. The file is a network
 * configuration with one key more, "hook". Called by main.c.
 */
#ifndef HOOKS_SETTINGS_H
#define HOOKS_SETTINGS_H

#include "plugin/json/keys.h"

#define SETTINGS_NETWORK	"oci-hook"	/* network of all a hook makes: no CNI GC's */

/* From the command line; all may be absent. */
struct settings_args {
	const char *conf_path, *ifname;
	bool resolv_conf, hosts, skip_shared;
};

struct settings {
	struct keys keys;		/* conf without the container's identity */
	bool attach;			/* false: the annotations say that it shall not be */
	bool resolv_conf, hosts;	/* to be written */
	bool skip_shared;		/* no error where there is nothing to attach to */
};

/* annotations: an object or NULL. 0, or -1 with *e; settings_drop in any case. */
int settings_read(const struct settings_args *args, struct json_object *annotations,
		  struct settings *ret, struct err *e);
void settings_drop(struct settings *s);

#endif
