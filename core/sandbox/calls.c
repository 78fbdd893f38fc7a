/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif
#ifndef IP_UNICAST_IF
#define IP_UNICAST_IF 50
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

#define ENGINE	CALLS_ENGINE
#define NSAGENT	CALLS_NSAGENT
#define BOTH	(CALLS_ENGINE | CALLS_NSAGENT)

/* Checks of one argument. */
#define IS(n, v)	{ .arg = (n), .mask = UINT32_MAX, .value = (uint32_t)(v) }
#define OWN_PID(n)	{ .arg = (n), .mask = UINT32_MAX, .own_pid = true }
#define KIND(type)	{ .arg = 1, .mask = (uint32_t)~(SOCK_NONBLOCK | SOCK_CLOEXEC), .value = (type) }

/* Rows. */
#define ANY(call, by, file, reason) \
	{ .name = #call, .who = (by), .where = (file), .why = (reason) }
#define SOCKET(by, family, type, proto, file, reason) \
	{ .name = "socket", .who = (by), .where = (file), .why = (reason), \
	  .check = { IS(0, family), KIND(type), IS(2, proto) } }
#define SET(by, level, option, file, reason) \
	{ .name = "setsockopt", .who = (by), .where = (file), .why = (reason), \
	  .check = { IS(1, level), IS(2, option) } }
#define GET(by, level, option, file, reason) \
	{ .name = "getsockopt", .who = (by), .where = (file), .why = (reason), \
	  .check = { IS(1, level), IS(2, option) } }
#define FCNTL(by, command, file, reason) \
	{ .name = "fcntl", .who = (by), .where = (file), .why = (reason), \
	  .check = { IS(1, command) } }
#define REFUSE(call, by, answer, reason) \
	{ .name = #call, .who = (by), .refused = true, .error = (answer), .where = "libc", \
	  .why = (reason) }

static const struct call table[] = {
	/* --- the loop, and what it waits for --- */
	ANY(epoll_pwait, ENGINE, "io/loop.c", "waits for events"),
	ANY(epoll_ctl, ENGINE, "io/sock.c", "sockets come and go"),
	ANY(clock_gettime, BOTH, "io/loop.c", "the clock, where the vDSO has none; the log's stamps"),
	ANY(sched_yield, ENGINE, "io/loop.c", "others of this CPU first, while it polls"),
	ANY(ppoll, BOTH, "main/nsagent.c", "waits for main; in the engine, urgent data and main's end: io/sock.c, io/splice.c, main/engine.c"),
	ANY(restart_syscall, NSAGENT, "libc", "ppoll() goes on after the process was stopped"),

	/* --- the tap --- */
	ANY(read, ENGINE, "io/tap.c", "frames in"),
	ANY(writev, BOTH, "io/tap.c", "frames out; lines of the log"),

	/* --- sockets: made only as flows are --- */
	SOCKET(BOTH, AF_INET, SOCK_STREAM, 0, "io/sock.c", "TCP; inner sockets, listeners of reverse"),
	SOCKET(BOTH, AF_INET6, SOCK_STREAM, 0, "io/sock.c", "the same"),
	SOCKET(BOTH, AF_INET, SOCK_DGRAM, 0, "io/sock.c", "UDP; the same"),
	SOCKET(BOTH, AF_INET6, SOCK_DGRAM, 0, "io/sock.c", "UDP; the same"),
	SOCKET(ENGINE, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "io/sock.c", "echo; never raw"),
	SOCKET(ENGINE, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "io/sock.c", "echo; never raw"),
	SOCKET(NSAGENT, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "io/netlink.c", "deletes the interface"),
	SOCKET(NSAGENT, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG, "io/diag.c", "which ports are listened on"),
	{ .name = "socket", .who = BOTH, .refused = true, .error = EACCES, .check = { IS(0, AF_UNIX) },
	  .where = "libc", .why = "syslog(3) looks for a log daemon that was started again; not from here" },
	ANY(bind, BOTH, "io/sock.c", "source port and address, groups; listeners"),
	ANY(connect, ENGINE, "io/sock.c", "where core/flow/route.c lets the flow go"),
	ANY(listen, NSAGENT, "io/listen.c", "listeners of reverse"),
	ANY(accept4, ENGINE, "io/sock.c", "clients of forwarded ports"),
	ANY(getsockname, BOTH, "io/sock.c", "which address a client spoke to; the port a listener got"),
	ANY(shutdown, ENGINE, "io/sock.c", "a FIN passes as such; a virtual machine's connection ends"),
	ANY(close, BOTH, "io/sock.c", "the end of a flow"),
	ANY(sendto, BOTH, "io/splice.c", "bytes of a spliced flow; a question of sock_diag; syslog(3)"),
	ANY(sendmsg, BOTH, "io/sock.c", "bytes of a flow; messages to main; netlink"),
	ANY(sendmmsg, ENGINE, "io/sock.c", "datagrams of a batch; frames to a virtual machine"),
	ANY(recvfrom, BOTH, "io/sock.c", "discards what was acknowledged; peeks at messages; sock_diag"),
	ANY(recvmsg, BOTH, "io/sock.c", "bytes of a flow, error queues; messages of main; netlink"),
	ANY(recvmmsg, ENGINE, "io/sock.c", "datagrams; frames of a virtual machine"),
	GET(ENGINE, SOL_SOCKET, SO_ERROR, "io/sock.c", "how a connect ended"),
	GET(ENGINE, IPPROTO_IP, IP_MTU, "io/rawping.c", "path MTU for an error to the container"),
	GET(ENGINE, IPPROTO_IPV6, IPV6_MTU, "io/rawping.c", "the same"),
	{ .name = "ioctl", .who = ENGINE, .check = { IS(1, SIOCATMARK) }, .where = "io/sock.c",
	  .why = "where the urgent byte is" },
	{ .name = "ioctl", .who = ENGINE, .check = { IS(1, FIONREAD) }, .where = "io/sock.c",
	  .why = "where the urgent byte is" },
	SET(BOTH, IPPROTO_TCP, TCP_NODELAY, "io/sock.c", "the container did Nagle's waiting"),
	SET(BOTH, SOL_SOCKET, SO_OOBINLINE, "io/sock.c", "urgent bytes stay in the stream"),
	SET(BOTH, SOL_SOCKET, SO_KEEPALIVE, "io/sock.c", "a remote that vanished"),
	SET(ENGINE, IPPROTO_TCP, TCP_KEEPIDLE, "io/sock.c", "... as soon as the container asks"),
	SET(ENGINE, IPPROTO_TCP, TCP_KEEPINTVL, "io/sock.c", "... and until it answers"),
	SET(BOTH, SOL_SOCKET, SO_LINGER, "io/sock.c", "a close that resets"),
	SET(ENGINE, SOL_SOCKET, SO_PEEK_OFF, "io/sock.c", "the receive buffer is the retransmission queue"),
	SET(BOTH, SOL_SOCKET, SO_REUSEADDR, "io/sock.c", "ports of groups; TIME-WAIT of an attachment before"),
	SET(ENGINE, SOL_SOCKET, SO_REUSEPORT, "io/sock.c", "one port for one endpoint of the container"),
	SET(BOTH, SOL_SOCKET, SO_RCVBUF, "io/sock.c", "room for UDP; libnl's sockets; a near sender's window"),
	SET(ENGINE, IPPROTO_TCP, TCP_WINDOW_CLAMP, "io/near.c", "a near sender's window"),
	GET(ENGINE, SOL_SOCKET, SO_RCVBUF, "io/near.c", "whether that can be had"),
	GET(ENGINE, IPPROTO_TCP, TCP_INFO, "io/near.c", "whether a sender is near"),
	GET(ENGINE, IPPROTO_TCP, TCP_CONGESTION, "io/sock.c", "whether the host paces"),
	SET(NSAGENT, SOL_SOCKET, SO_SNDBUF, "io/netlink.c", "libnl's sockets"),
	SET(NSAGENT, SOL_SOCKET, SO_RCVTIMEO, "io/diag.c", "never waits for ever"),
	SET(NSAGENT, SOL_NETLINK, NETLINK_GET_STRICT_CHK, "io/netlink.c", "dumps are filtered"),
	SET(ENGINE, SOL_SOCKET, SO_BINDTODEVICE, "io/sock.c", "key outbound"),
	SET(ENGINE, SOL_SOCKET, SO_BROADCAST, "io/sock.c", "the container's broadcasts"),
	SET(BOTH, IPPROTO_UDP, UDP_GRO, "io/sock.c", "runs of datagrams"),
	SET(ENGINE, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, "io/sock.c", "key outbound"),
	SET(ENGINE, IPPROTO_IP, IP_TTL, "io/ancillary.c", "we are a router"),
	SET(ENGINE, IPPROTO_IP, IP_TOS, "io/ancillary.c", "the same"),
	SET(ENGINE, IPPROTO_IP, IP_MTU_DISCOVER, "io/ancillary.c", "DF"),
	SET(ENGINE, IPPROTO_IP, IP_RECVTTL, "io/ancillary.c", "we are a router"),
	SET(ENGINE, IPPROTO_IP, IP_RECVTOS, "io/ancillary.c", "the same"),
	SET(ENGINE, IPPROTO_IP, IP_RECVERR, "io/ancillary.c", "ICMP errors"),
	SET(ENGINE, IPPROTO_IP, IP_UNICAST_IF, "io/sock.c", "broadcasts leave by the outer interface"),
	SET(ENGINE, IPPROTO_IP, IP_MULTICAST_IF, "io/sock.c", "groups"),
	SET(ENGINE, IPPROTO_IP, IP_MULTICAST_TTL, "io/sock.c", "groups"),
	SET(ENGINE, IPPROTO_IP, IP_MULTICAST_ALL, "io/sock.c", "groups: none but those joined"),
	SET(ENGINE, IPPROTO_IP, IP_ADD_MEMBERSHIP, "io/sock.c", "groups"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_UNICAST_HOPS, "io/ancillary.c", "we are a router"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_TCLASS, "io/ancillary.c", "the same"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_MTU_DISCOVER, "io/ancillary.c", "DF"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, "io/ancillary.c", "we are a router"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_RECVTCLASS, "io/ancillary.c", "the same"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_RECVERR, "io/ancillary.c", "ICMP errors"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_MULTICAST_IF, "io/sock.c", "groups"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "io/sock.c", "groups"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_MULTICAST_ALL, "io/sock.c", "groups: none but those joined"),
	SET(ENGINE, IPPROTO_IPV6, IPV6_JOIN_GROUP, "io/sock.c", "groups"),
	SET(BOTH, IPPROTO_IPV6, IPV6_V6ONLY, "io/listen.c", "listeners of reverse; IPv6 flows leave IPv4 its ports"),

	/* --- pipes of spliced flows --- */
	ANY(pipe2, ENGINE, "io/splice.c", "a pipe for bulk"),
	FCNTL(ENGINE, F_SETPIPE_SZ, "io/splice.c", "its size"),
	FCNTL(ENGINE, F_GETPIPE_SZ, "io/splice.c", "its size"),
	ANY(splice, ENGINE, "io/splice.c", "bulk from socket to socket"),

	/* --- files that are open already --- */
	{ .name = "lseek", .who = BOTH, .refused = true, .where = "base/log.c",
	  .why = "how long the log file is: that is for main, which alone lets it start anew" },
	ANY(pread64, NSAGENT, "io/diag.c", "the kernel's count of sockets; a sysctl"),
	ANY(pwrite64, NSAGENT, "io/inner.c", "a sysctl of the container, opened before"),

	/* --- the C library's own --- */
	ANY(brk, BOTH, "libc", "malloc() of syslog(3) and libnl; nothing else allocates"),
	ANY(exit_group, BOTH, "libc", "the end"),
	ANY(getpid, BOTH, "libc", "abort(), lines for syslog(3), libnl's ports"),
	ANY(gettid, BOTH, "libc", "abort()"),
	{ .name = "tgkill", .who = BOTH, .check = { OWN_PID(0) }, .where = "libc",
	  .why = "abort(): of itself only" },
	REFUSE(rt_sigprocmask, BOTH, 0, "abort() blocks signals for a moment: it ends without it too"),
	REFUSE(mmap, BOTH, ENOMEM, "malloc() when brk() is at its end, assert() for its message"),
	REFUSE(munmap, BOTH, 0, "memory goes with the process"),
	{ .name = "madvise", .who = ENGINE, .check = { IS(2, MADV_DONTNEED) }, .where = "io/loop.c",
	  .why = "held memory goes back after a peak" },
	REFUSE(madvise, NSAGENT, 0, "memory goes with the process"),
};

const struct call *calls_table(size_t *n)
{
	*n = ARRAY_LEN(table);
	return table;
}
