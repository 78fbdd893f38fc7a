/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv: the host's resolver configuration (resolv.conf(5)), for what DHCP and
 * Router Advertisements tell a container whose own configuration names none. Called
 * by front ends before an ADD. */
#ifndef PLUGIN_ATTACH_RESOLV_H
#define PLUGIN_ATTACH_RESOLV_H

#include "conf/conf.h"

/* Fills in what c does not name itself, if it names no servers: the host's search list
 * and domain where c has neither, and its name servers where there is no DNS forwarder
 * to ask. Best effort: a host without the file has nothing to tell. Where only the host
 * itself can reach its resolvers, those behind systemd-resolved are taken
 * (systemd-resolved.service(8)). */
void resolv_fill(struct conf *c);

/* The same of those files: the first that has something. */
void resolv_fill_from(struct conf *c, const char *const *files, size_t n);

/* What another place has into c, which has no servers: its servers, where there is no
 * forwarder, and where c names neither domain nor search list, that place's. */
void resolv_merge(struct conf *c, const struct conf *host);

#endif
