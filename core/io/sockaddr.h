/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockaddr: struct addr to and from the kernel's socket addresses. */
#ifndef IO_SOCKADDR_H
#define IO_SOCKADDR_H

#include <netinet/in.h>
#include <string.h>

#include "base/addr.h"

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Of an IPv6 socket: IPv4 stands in it as ::ffff:a.b.c.d, as in struct addr. */
static inline socklen_t sockaddr_make6(union sockaddr_any *sa, const struct addr *a,
				       uint16_t port, uint32_t scope)
{
	memset(sa, 0, sizeof(*sa));
	sa->v6.sin6_family = AF_INET6;
	sa->v6.sin6_port = htons(port);
	sa->v6.sin6_scope_id = scope;
	memcpy(&sa->v6.sin6_addr, a->b, 16);
	return sizeof(sa->v6);
}

/* Of a socket of a's own family. */
static inline socklen_t sockaddr_make(union sockaddr_any *sa, const struct addr *a, uint16_t port,
				      uint32_t scope)
{
	if (!addr_is4(a))
		return sockaddr_make6(sa, a, port, scope);
	memset(sa, 0, sizeof(*sa));
	sa->v4.sin_family = AF_INET;
	sa->v4.sin_port = htons(port);
	memcpy(&sa->v4.sin_addr, addr_bytes(a), 4);
	return sizeof(sa->v4);
}

/* What the kernel wrote; port may be NULL. */
static inline void sockaddr_read(const union sockaddr_any *sa, struct addr *a, uint16_t *port)
{
	bool v4 = sa->sa.sa_family == AF_INET;

	*a = v4 ? addr_from4(&sa->v4.sin_addr) : addr_from6(&sa->v6.sin6_addr);
	if (port)
		*port = ntohs(v4 ? sa->v4.sin_port : sa->v6.sin6_port);
}

#endif
