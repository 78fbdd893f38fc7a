/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inner: what nsagent opens in the container's namespace for others to use. */
#ifndef IO_INNER_H
#define IO_INNER_H

#include <stdbool.h>

#include "conf/conf.h"

/* A non-blocking socket in the caller's own namespace, a TCP one set as spliced flows have
 * them; or -errno. */
int inner_socket(enum conf_proto proto, bool v4);

/* The sysctl that inner_reuse_ports() writes, in the caller's namespace; -errno: it
 * cannot be. */
int inner_open_reuse(void);

/*
 * Who connects to one port of the container all the time, and closes first, has each
 * source port in TIME-WAIT for a minute: 470 connections a second at most. Between
 * loopback addresses Linux uses such a port again after a second
 * (tcp_tw_reuse 2), but our connections, from the container's address to itself,
 * do not look like that to it. Asks for the same for all (1), unless
 * somebody has switched it off (0).
 */
void inner_reuse_ports(int fd);

#endif
