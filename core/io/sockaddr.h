/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockaddr: struct addr to and from what the socket calls take. */
#ifndef IO_SOCKADDR_H
#define IO_SOCKADDR_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"

union sockaddr_any {
	struct sockaddr_storage any;
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* scope: interface index for IPv6 link-local, else 0. Returns the length. */
static inline socklen_t sockaddr_make(union sockaddr_any *sa, const struct addr *a, uint16_t port,
				      uint32_t scope)
{
	memset(sa, 0, sizeof(*sa));
	if (addr_is4(a)) {
		sa->v4.sin_family = AF_INET;
		sa->v4.sin_port = htons(port);
		memcpy(&sa->v4.sin_addr, addr_bytes(a), 4);
		return sizeof(sa->v4);
	}
	sa->v6.sin6_family = AF_INET6;
	sa->v6.sin6_port = htons(port);
	sa->v6.sin6_scope_id = scope;
	memcpy(&sa->v6.sin6_addr, a->b, 16);
	return sizeof(sa->v6);
}

/* ADDR_ANY where it is of neither family. */
static inline struct addr sockaddr_addr(const union sockaddr_any *sa)
{
	if (sa->sa.sa_family == AF_INET)
		return addr_from4(&sa->v4.sin_addr);
	return sa->sa.sa_family == AF_INET6 ? addr_from6(&sa->v6.sin6_addr) : ADDR_ANY;
}

#endif
