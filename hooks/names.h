/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names: the text of the container's resolv.conf and hosts entries, from what
 * the attachment became. Writes nothing; rootfs.c does. resolv.conf(5), hosts(5).
 */
#ifndef HOOKS_NAMES_H
#define HOOKS_NAMES_H

#include "conf/netcfg.h"
#include "plugin/json/keys.h"

/* resolv.conf into buf; false if there is no name server to name, or no room. */
bool names_resolv_conf(const struct keys *k, const struct netcfg *net, char *buf, size_t size);

/* Lines of hosts: the container's addresses with its name, and the host's. */
bool names_hosts(const struct conf *c, const struct netcfg *net, const char *hostname,
		 char *buf, size_t size);

#endif
