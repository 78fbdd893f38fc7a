/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/hostwatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/base.h"
#include "base/fd.h"

/* The filter's loads. Every message's family is the first byte behind the header. */
#define TYPE		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type))
#define BYTE(at)	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + (at))
#define ROUTE(field)	BYTE(offsetof(struct rtmsg, field))
/* Instruction `here` goes on at `then` if the value is v, else at `other`. */
#define IF(here, v, then, other) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (v), (then) - (here) - 1, (other) - (here) - 1)

enum { ROUTES = 6, DROP = 17, TAKE = 18 };

/* Two bytes are loaded in network byte order, and the kernel's headers are not in it. */
static int attach_filter(int fd)
{
	struct sock_filter code[] = {
		TYPE,
		IF(1, htons(RTM_NEWROUTE), ROUTES, 2),
		IF(2, htons(RTM_DELROUTE), ROUTES, 3),
		IF(3, htons(RTM_NEWLINK), 4, TAKE),
		BYTE(0),			/* bridges speak of their ports too */
		IF(5, AF_BRIDGE, DROP, TAKE),
		[ROUTES] = ROUTE(rtm_type),
		IF(7, RTN_UNICAST, 8, DROP),
		ROUTE(rtm_table),
		IF(9, RT_TABLE_MAIN, 10, DROP),
		ROUTE(rtm_dst_len),
		IF(11, 0, TAKE, 12),
		ROUTE(rtm_protocol),
		IF(13, RTPROT_BOOT, TAKE, 14),
		IF(14, RTPROT_STATIC, TAKE, 15),
		IF(15, RTPROT_RA, TAKE, 16),
		IF(16, RTPROT_DHCP, TAKE, DROP),
		[DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
		[TAKE] = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog filter = { .len = ARRAY_LEN(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ?
	       -errno : 0;
}

int hostwatch_open(void)
{
	const struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	FD_OWNED int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
				 NETLINK_ROUTE);
	int rc = fd < 0 ? -errno : attach_filter(fd);

	if (rc == 0 && bind(fd, (const struct sockaddr *)&groups, sizeof(groups)) < 0)
		rc = -errno;
	return rc < 0 ? rc : fd_take(&fd);
}
