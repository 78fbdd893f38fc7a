/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockaddr: our addresses as the kernel takes them, and what every TCP socket of
 * a flow is set to. */
#ifndef IO_SOCKADDR_H
#define IO_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/addr.h"

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* scope: interface index of an IPv6 link-local address, else 0. Returns the length. */
socklen_t sockaddr_make(union sockaddr_any *sa, const struct addr *a, uint16_t port,
			uint32_t scope);

/* Fails for no socket of ours. */
void sock_stream_options(int fd);

#endif
