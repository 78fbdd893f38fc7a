/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ancillary: what goes beside a datagram's bytes through sendmsg() and recvmsg()
 * (cmsg(3)): hop limit and traffic class (ip(7), ipv6(7)), segment size (udp(7)),
 * error queue entries; and the socket options of both families that belong to it.
 */
#ifndef IO_ANCILLARY_H
#define IO_ANCILLARY_H

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "proto/port.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Room for all that goes or comes with one message: an int each of hop limit, class
 * and segment size, an address of the host. Entries of an error queue have more
 * (ancillary_error()). */
union ancillary {
	struct cmsghdr align;
	char buf[3 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* Makes fd's packets carry *ip, from *was on, or from a new socket if NULL. */
void ancillary_set_ip(int fd, bool v4, bool stream, const struct flow_ip *ip,
		      const struct flow_ip *was);

/* Hop limit and class are to come with each datagram; errors are to be queued. */
void ancillary_want(int fd, bool v4);
void ancillary_want_errors(int fd, bool v4, bool want);

/* What d's message needs to say that the socket does not: nothing at best. Both add to
 * a message without control data at first. */
void ancillary_put(struct msghdr *m, union ancillary *a, bool v4, const struct port_dgram *d,
		   const struct flow_ip *usual);

/* Of a client's flow: the answer leaves from where the client's datagram came to. */
void ancillary_put_local(struct msghdr *m, union ancillary *a, const struct flow *f,
			 bool v6_socket);
void ancillary_get_local(struct msghdr *m, struct port_client *from);

/* Room for it in a message to be received; what came, into d->ip and d->gso_size. */
void ancillary_room(struct msghdr *m, union ancillary *a);
void ancillary_get(struct msghdr *m, struct port_dgram *d);

/* port_errqueue() of that socket. */
int ancillary_error(int fd, struct port_err *ret, void *buf, size_t size);

#endif
