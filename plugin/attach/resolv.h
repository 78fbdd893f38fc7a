/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv: the host's resolver configuration (resolv.conf(5)), for what DHCP and
 * Router Advertisements tell a container whose own configuration names none. */
#ifndef PLUGIN_ATTACH_RESOLV_H
#define PLUGIN_ATTACH_RESOLV_H

#include "conf/conf.h"

/* Fills in what c does not name itself: name servers, and with them, where c names
 * neither domain nor search list, the host's. Best effort: a host without the file
 * has nothing to tell. Where only the host itself can reach its resolvers, those
 * behind systemd-resolved are taken (systemd-resolved.service(8)). */
void resolv_fill(struct conf *c);

/* Name servers of another place into c, which has none or worse ones: with them, where
 * c names neither domain nor search list, that place's. */
void resolv_merge(struct conf *c, const struct conf *host);

/* One file of that format into c's empty nameservers, domain and search list, as
 * far as they are well-formed and have room. 0 or -errno if it cannot be read. */
int resolv_read(const char *path, struct conf *c);

#endif
