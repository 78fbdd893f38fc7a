/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "io/io.h"

#define TW_REUSE "/proc/sys/net/ipv4/tcp_tw_reuse"	/* of both families */

int inner_socket(enum conf_proto proto, bool v4)
{
	int type = proto == CONF_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (proto == CONF_TCP) {
		sock_stream_options(fd);
		sock_linger(fd, true);
	}
	return fd;
}

int inner_open_reuse(void)
{
	int fd = open(TW_REUSE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void inner_reuse_ports(int fd)
{
	char now = 0;

	if (fd < 0 || pread(fd, &now, 1, 0) != 1 || (now == '2' && pwrite(fd, "1", 1, 0) != 1))
		log_debug("sysctl=net.ipv4.tcp_tw_reuse not set: %s", strerror(errno));
}
