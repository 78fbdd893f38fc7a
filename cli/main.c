/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: the program behind the names pasta, passt4netns and passt: one more front end, which
 * cni-passt-core becomes when it is run under them, so that the daemon itself
 * holds neither a command line's parser nor a store's. Prints errors once.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/pasta.h"
#include "plugin/attach/front.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int main(int argc, char *argv[])
{
	static struct options o;	/* large: not on the stack */
	struct err e = ERR_INIT;
	const char *name = argc ? base_name(argv[0]) : "pasta";
	int status = 1;

	front_fill_std_fds();
	log_role(name);
	if (options_read(&o, name, argc, argv, &e) == 0)
		status = o.done ? 0 : pasta_run(&o, &e);
	front_clean(e.msg);
	front_clean(e.details);
	if (e.code)
		fprintf(stderr, "%s: %s%s%s\n", name, e.msg, e.details[0] ? "; " : "", e.details);
	return status;
}
