/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options: the command line of pasta (and passt4netns) and of passt: one table of all options
 * with their state, read into a struct conf and what else the run needs.
 * Starts nothing. The words are those of pasta's manual, so that programs which call it
 * (podman, buildah, RootlessKit) find what they know; what it does with them is ours.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/ports.h"
#include "conf/conf.h"

#define OPTIONS_MAX	96	/* rows of the table */
#define OPTIONS_MTU	65520	/* the default: the largest multiple of 4 below 65535 - 14 */

struct options {
	const char *name;		/* what we are called as: "pasta" */
	struct conf conf;		/* all but the identity */
	struct ports forward[CONF_PROTO_COUNT], reverse[CONF_PROTO_COUNT];
	struct ports_ephemeral ephemeral;
	bool done;			/* --help, --version: nothing to run */
	bool ipv4_only, ipv6_only;
	bool quiet, debug;
	bool ignored[OPTIONS_MAX];	/* row i of the table was given, and does nothing */
	bool foreground;
	bool tell_dns, tell_search;	/* --dhcp-dns, --dhcp-search */
	bool no_dns, no_search;		/* "none" */
	bool map_given;			/* --map-host-loopback */
	uint8_t netmask;		/* -n; 0: not given */
	uint8_t bare;			/* bit i: conf.addresses[i], one a family, came without a length */
	const char *ifname;		/* -I */
	const char *netns, *userns;
	bool netns_only, no_pidns;
	bool runas;			/* --runas, and whom: */
	uint32_t runas_uid, runas_gid;
	int32_t pid;			/* 0: not given */
	char **command;			/* NULL-terminated; NULL: a shell */
	const char *pid_file;
	/* passt's own (passt.h) */
	bool guest;			/* we are called as passt */
	int32_t socket_fd;		/* --fd; -1: not given */
	bool forward_given;		/* --dns-forward */
	bool auto_ignored;		/* "auto" was asked for where nothing can be seen */
};

/*
 * Reads argv. 0: *o is filled and its conf, but for the identity, as good as a look
 * at the words can tell; or o->done. -1 with *e; an unknown option, or an argument too many or
 * missing, has been said on stderr by getopt, and e->code is ERR_NONE then. Pointers
 * lead into argv.
 */
int options_read(struct options *o, const char *name, int argc, char **argv, struct err *e);

#endif
