/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/ancillary.h"
#include "io/listen.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "io/sockaddr.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define UDP_RCVBUF	(4 << 20)	/* asked for; the host's rmem_max decides */
#define BACKLOG		4096		/* the host's somaxconn decides */
#define NAME_MAX_LEN	16		/* TASK_COMM_LEN */
#define PICK_TRIES	8		/* another may take a port between two calls */
#define STATE_LISTEN	0x0a		/* TCP_LISTEN, as /proc/net/tcp has it */
#define STATE_TIME_WAIT	0x06		/* TCP_TIME_WAIT; without an inode */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* --- opening ---------------------------------------------------------------- */

static int set_options(int fd, const struct forward *f, const struct listen_how *how, bool v6)
{
	bool dual = addr_is_any(&f->addr) && how->ipv4;
	int rc = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, !dual) : 0;

	if (rc == 0 && how->ifname[0] &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, how->ifname,
		       (socklen_t)strlen(how->ifname)) < 0)
		rc = -errno;
	if (rc == 0 && how->freebind)	/* ip(7): the IPv4 option serves IPv6 sockets as well */
		rc = set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (rc < 0)
		return rc;
	if (f->proto == CONF_TCP)	/* TIME-WAIT of an attachment before is no conflict */
		return set_int(fd, SOL_SOCKET, SO_REUSEADDR, !how->reserve);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, UDP_RCVBUF);
	if (how->udp_gro)
		set_int(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (how->local)
		return 0;
	/* Of IPv4 clients too, whichever family the socket is of. */
	ancillary_want(fd, true);
	if (v6)
		ancillary_want(fd, false);
	/* The answer must leave from the address that was spoken to. */
	return v6 ? set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
		  : set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/* A socket that does not listen yet keeps the port from others only while it, and
 * who was first to bind it, are without SO_REUSEADDR: so that is for when there is
 * nothing else, TIME-WAIT of an attachment before. */
static bool bind_again(int fd, const union sockaddr_any *sa, socklen_t len)
{
	return errno == EADDRINUSE && set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	       bind(fd, &sa->sa, len) == 0 && set_int(fd, SOL_SOCKET, SO_REUSEADDR, 0) == 0;
}

static int bind_and_listen(int fd, struct forward *f, const struct listen_how *how, bool v6)
{
	uint32_t scope = addr_is_linklocal6(&f->addr) ? if_nametoindex(how->ifname) : 0;
	union sockaddr_any sa;
	socklen_t len = v6 ? sockaddr_make6(&sa, &f->addr, f->port, scope)
			   : sockaddr_make(&sa, &f->addr, f->port, 0);
	struct addr bound;

	if (bind(fd, &sa.sa, len) < 0 && !(how->reserve && bind_again(fd, &sa, len)))
		return -errno;
	if (f->proto == CONF_TCP && !how->reserve && listen(fd, BACKLOG) < 0)
		return -errno;
	if (f->port)
		return 0;
	len = sizeof(sa);
	if (getsockname(fd, &sa.sa, &len) < 0)
		return -errno;
	sockaddr_read(&sa, &bound, &f->port);
	return 0;
}

static int open_socket(struct forward *f, const struct listen_how *how)
{
	bool v6 = !addr_is4(&f->addr);
	int type = f->proto == CONF_TCP ? SOCK_STREAM : SOCK_DGRAM, rc;
	FD_OWNED int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	rc = set_options(fd, f, how, v6);
	if (rc == 0)
		rc = bind_and_listen(fd, f, how, v6);
	if (rc == 0)
		f->sock = fd_take(&fd);
	return rc;
}

/* A port that the kernel picked is lost when listening stops; only one that was
 * asked for by number stays bound. So it is asked for again, by number. */
static int open_picked(struct forward *f, const struct listen_how *how)
{
	int rc = -EADDRINUSE;

	for (int i = 0; i < PICK_TRIES && rc == -EADDRINUSE; i++) {
		f->port = 0;
		rc = open_socket(f, how);
		if (rc == 0) {
			fd_drop(&f->sock);
			rc = open_socket(f, how);
		}
	}
	return rc;
}

static int open_one(struct forward *f, const struct listen_how *how)
{
	return how->reserve && !f->port ? open_picked(f, how) : open_socket(f, how);
}

int listen_open(struct forward *f, const struct listen_how *how)
{
	bool any = addr_is_any(&f->addr);
	int rc = -EAFNOSUPPORT;

	f->sock = -1;
	if (!any || how->ipv6)
		rc = open_one(f, how);
	/* No IPv6 in the container, or none in the host's kernel. */
	if (any && how->ipv4 && (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)) {
		f->addr = addr_from4("\0\0\0\0");
		rc = open_one(f, how);
	}
	return rc;
}

/* With SO_REUSEADDR, and so have the connections that come of it: without, those of
 * the last time would keep it from listening again. */
int listen_start(const struct forward *f)
{
	int rc = set_int(f->sock, SOL_SOCKET, SO_REUSEADDR, 1);

	return rc == 0 && listen(f->sock, BACKLOG) < 0 ? -errno : rc;
}

/* tcp(7) does not say so, but shutdown() is what undoes listen(): who waits to be
 * accepted is reset, the port stays bound. */
int listen_stop(const struct forward *f)
{
	if (shutdown(f->sock, SHUT_RDWR) < 0)
		return -errno;
	return set_int(f->sock, SOL_SOCKET, SO_REUSEADDR, 0);
}

bool listen_on_device(int sock, const char *ifname)
{
	uint32_t index = if_nametoindex(ifname);
	int bound = 0;
	socklen_t len = sizeof(bound);

	if (!index)
		return true;
	return getsockopt(sock, SOL_SOCKET, SO_BINDTOIFINDEX, &bound, &len) == 0 &&
	       (uint32_t)bound == index;
}

/* --- who holds a port --------------------------------------------------------- */

struct holder {
	unsigned long inode;	/* 0: not found */
	unsigned int uid;
	int pid;		/* 0: its process cannot be seen */
	bool waits;		/* a connection that has ended, and waits (TIME-WAIT) */
	char name[NAME_MAX_LEN + 1];
};

/* One of /proc/net/{tcp,udp}{,6}: the first socket on that port, which listens if
 * asked. The address is not compared: that it conflicts the kernel has said. */
static void find_socket(const char *path, const struct forward *f, bool listens,
			struct holder *ret)
{
	FILE *file = fopen(path, "re");
	unsigned int port, state, uid;
	unsigned long inode;
	char line[512];

	if (!file)
		return;
	while (!ret->inode && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x"
			   " %u %*d %lu", &port, &state, &uid, &inode) != 4)
			continue;
		if (port != f->port || (listens && state != STATE_LISTEN))
			continue;
		ret->waits |= f->proto == CONF_TCP && state == STATE_TIME_WAIT;
		ret->inode = inode;
		ret->uid = uid;
	}
	fclose(file);
}

static bool has_socket(int proc, const char *pid, unsigned long inode)
{
	char path[64], link[64], want[64];
	DIR *dir;
	int fd;
	bool found = false;
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/fd", pid);
	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return false;
	for (struct dirent *d; !found && (d = readdir(dir)) != NULL;) {
		n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, want) == 0;
	}
	closedir(dir);
	return found;
}

static void read_name(int proc, const char *pid, char name[NAME_MAX_LEN + 1])
{
	char path[64];
	FD_OWNED int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%.20s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, name, NAME_MAX_LEN);
	name[n > 0 ? n : 0] = '\0';
	name[strcspn(name, "\n")] = '\0';
}

static void find_process(struct holder *h)
{
	DIR *proc = opendir("/proc");

	if (!proc)
		return;
	for (struct dirent *d; !h->pid && (d = readdir(proc)) != NULL;) {
		int pid = atoi(d->d_name);

		if (pid <= 0 || !has_socket(dirfd(proc), d->d_name, h->inode))
			continue;
		h->pid = pid;
		read_name(dirfd(proc), d->d_name, h->name);
	}
	closedir(proc);
}

static void find_holder(const struct forward *f, struct holder *ret)
{
	static const char *const files[CONF_PROTO_COUNT][2] = {
		[CONF_TCP] = { "/proc/self/net/tcp", "/proc/self/net/tcp6" },
		[CONF_UDP] = { "/proc/self/net/udp", "/proc/self/net/udp6" },
	};

	*ret = (struct holder){ .inode = 0 };
	/* An outgoing connection may have the port as well, TCP or UDP. */
	for (int i = 0; i < 4 && !ret->inode; i++)
		find_socket(files[f->proto][i & 1], f, f->proto == CONF_TCP && i < 2, ret);
	if (ret->inode)
		find_process(ret);
}

/* --- errors ------------------------------------------------------------------- */

int listen_room(uint32_t n, struct err *e)
{
	struct rlimit files;

	if (!n || getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY ||
	    (uint64_t)n + LISTEN_SPARE <= files.rlim_cur)
		return 0;
	err_set(e, ERR_PORT, "forward: %u ports need a limit of %u open files, and it is %llu", n,
		n + LISTEN_SPARE, (unsigned long long)files.rlim_cur);
	return err_hint(e, "raise the hard limit (ulimit -Hn, LimitNOFILE=) or forward fewer ports");
}

/* podman and nerdctl hold published ports themselves (facts of their sources). */
static int hint_holder(const struct holder *h, struct err *e)
{
	if (strcmp(h->name, "podman") == 0 || strcmp(h->name, "conmon") == 0)
		return err_hint(e, "podman reserves the ports it publishes: set"
				" enable_port_reservation=false in the [engine] section of"
				" containers.conf");
	if (strcmp(h->name, "sleep") == 0 || strcmp(h->name, "nerdctl") == 0)
		return err_hint(e, "nerdctl reserves the ports it publishes; with \"portConflict\":"
				" \"ignore\" the attachment goes without them");
	return err_hint(e, "end that process, or choose another port");
}

static int explain_in_use(const struct forward *f, const char *where, struct err *e)
{
	struct holder h;

	find_holder(f, &h);
	if (h.pid) {
		err_set(e, ERR_PORT, "%s is in use, by %s (pid %d)", where, h.name, h.pid);
		return hint_holder(&h, e);
	}
	if (!h.inode && h.waits) {
		err_set(e, ERR_PORT, "%s is in use, by a connection that ended less than a minute ago",
			where);
		return err_hint(e, "try again in a minute, or choose a port that is not in"
				" net.ipv4.ip_local_port_range");
	}
	if (h.inode)
		err_set(e, ERR_PORT, "%s is in use, by a process of user %u that may not be looked"
			" into", where, h.uid);
	else
		err_set(e, ERR_PORT, "%s is in use", where);
	return err_hint(e, "another attachment may have it; choose another port, or end that one");
}

int listen_explain(const struct forward *f, const struct listen_how *how, int err, struct err *e)
{
	char where[128], text[ADDR_STRLEN];

	snprintf(where, sizeof(where), "forward.%s: port %u of %s%s%.15s", conf_proto_names[f->proto],
		 f->port, addr_is_any(&f->addr) ? "all addresses" : addr_format(&f->addr, text),
		 how->ifname[0] ? " on " : "", how->ifname);
	switch (err) {
	case -EADDRINUSE:
		return explain_in_use(f, where, e);
	case -EACCES:
	case -EPERM:
		err_set(e, ERR_PRIVILEGE, "%s: no right to listen there", where);
		return err_hint(e, "choose a port from 1024 on, or as root lower"
				" net.ipv4.ip_unprivileged_port_start");
	case -EADDRNOTAVAIL:
		err_set(e, ERR_PORT, "%s: the host has no such address", where);
		return err_hint(e, "see the host's addresses with: ip address");
	case -ENODEV:
		err_set(e, ERR_PORT, "%s: the host has no such interface", where);
		return err_hint(e, "see the host's interfaces with: ip link");
	default:
		return err_set(e, ERR_PORT, "%s cannot be listened on: %s", where, strerror(-err));
	}
}
