/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink: the one user of libnl. Reads the outer namespace's default routes
 * and their interfaces; configures the tap in the container's. Talks rtnetlink
 * by libnl's messages alone: its object caches would fetch every route and
 * link of the host for the few that are wanted.
 */
#ifndef IO_NETLINK_H
#define IO_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/netcfg.h"

/*
 * Fills *net for configuration c from the calling process's network namespace,
 * by the rules in template.h. A family's template is the interface of its
 * default route: main table, unicast, lowest metric, up, not the loopback; without
 * one (or with one whose interface has no address) the first that has an address:
 * global, else global on the loopback, else IPv4 link-local. outbound.interface
 * leaves that one only. before: as in template_apply(). 0, or -1 with *e; *net is then
 * not to be used.
 */
int netlink_template(const struct conf *c, const struct netcfg *before, struct netcfg *net,
		     struct err *e);

struct netlink_done {
	uint32_t ifindex;
	bool ipv6_left_out;	/* the namespace has IPv6 switched off, and we could not switch it on */
};

/*
 * Configures interface net->ifname, which must exist, in the calling process's
 * network namespace: loopback up; MAC, MTU, addresses without duplicate
 * address detection, IPv6 link-local address from the MAC; up; routes. 0, or
 * -1 with *e naming what failed; what was done until then stays, and goes
 * with the interface.
 */
int netlink_configure(const struct netcfg *net, struct netlink_done *done, struct err *e);

/* The loopback alone: up. Its index, or -1 with *e. */
int netlink_loopback(struct err *e);

/*
 * Makes that interface, which was configured as *was, what *now says: MTU, addresses,
 * routes. What *was does not have is the container's own and stays, also where it
 * stands in the way of something of *now. From the last nold addresses of *now nothing new is
 * to begin. Does all it can; 0, or -1 with the first
 * failure in *e. done->ipv6_left_out: IPv6 is new to it and not to be had there.
 */
int netlink_move(uint32_t ifindex, const struct netcfg *was, const struct netcfg *now,
		 uint32_t nold, struct netlink_done *done, struct err *e);

/* Which of those n addresses some interface of the calling process's network namespace has:
 * none, where it cannot be told. n <= CONF_ADDRS_MAX. */
void netlink_present(const struct prefix *list, uint32_t n, bool ret[CONF_ADDRS_MAX]);

/*
 * Compares interface want->ifname in the calling process's network namespace
 * with what is wanted of it: up, with a carrier (our daemon holds the tap),
 * want's MAC, its MTU unless 0, every address and every route; more of them is
 * fine. Then every gateway of these routes must answer for its address (ARP,
 * neighbour discovery): that is our engine, whose frames pass. 0, or -1 with *e
 * (ERR_CHECK) naming the first thing that differs.
 */
int netlink_check(const struct conf *want, struct err *e);

/* Deletes an interface of the calling process's network namespace; returns when
 * the kernel has freed it. 0 or -errno. */
int netlink_delete(uint32_t ifindex);

#endif
