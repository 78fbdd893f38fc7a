/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/passt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define BACKLOG		8
#define LOCK_TRIES	20	/* of ... */
#define LOCK_NS		50000000	/* ... so long each: who binds a socket is soon done */

/* The same in each daemon: a guest that was there before finds its gateway again. */
static const struct mac gateway = { .b = { 0x06, 0x70, 0x61, 0x73, 0x73, 0x74 } };

void passt_defaults(struct options *o)
{
	struct conf *c = &o->conf;
	struct conf plain;

	conf_init(&plain);
	o->tell_dns = o->tell_search = true;
	o->socket_fd = -1;
	c->guest = true;
	c->gw_mac = gateway;
	/* In the host's resolvers' place, which may be out of a guest's reach, and change. */
	c->ndns_forward = plain.ndns_forward;
	memcpy(c->dns_forward, plain.dns_forward, sizeof(c->dns_forward));
}

/* --- the socket ----------------------------------------------------------------- */

static bool make_name(struct sockaddr_un *sun, const char *path)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sun->sun_path))
		return false;
	strcpy(sun->sun_path, path);
	return true;
}

/* Two that start at once must not take each other's new file for an old one. The lock is
 * an abstract name, which leaves nothing behind; who holds it for long is none of ours. */
static int lock_path(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timespec pause = { .tv_nsec = LOCK_NS };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, "cni-passt-bind:%.90s", path);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 || errno != EADDRINUSE)
			break;
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* Whether a socket's file is there that nobody listens at. */
static bool is_stale(const struct sockaddr_un *sun)
{
	FD_OWNED int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	return fd >= 0 && lstat(sun->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
	       errno == ECONNREFUSED;
}

static int bind_private(int fd, const struct sockaddr_un *sun)
{
	mode_t old = umask(077);
	int rc = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 ? -errno : 0;

	umask(old);
	return rc;
}

/* A listening socket at that path, or -errno. */
static int listen_at(const char *path)
{
	FD_OWNED int lock = lock_path(path);
	FD_OWNED int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun;
	int rc;

	(void)lock;	/* held until we return */
	if (!make_name(&sun, path))
		return -ENAMETOOLONG;
	if (fd < 0)
		return -errno;
	rc = bind_private(fd, &sun);
	if (rc == -EADDRINUSE && is_stale(&sun) && unlink(path) == 0)
		rc = bind_private(fd, &sun);
	if (rc == 0 && listen(fd, BACKLOG) < 0)
		rc = -errno;
	return rc < 0 ? rc : fd_take(&fd);
}

static int explain(const char *path, int error, struct err *e)
{
	err_set(e, error == -EADDRINUSE ? ERR_EXISTS : ERR_IO, "--socket: %.200s: %s", path,
		error == -EADDRINUSE ? "another one listens there, or it is no socket"
				     : strerror(-error));
	return error == -ENAMETOOLONG ? err_hint(e, "a UNIX socket's path has at most 107 bytes")
				      : -1;
}

static int first_free(struct options *o, struct err *e)
{
	char *path = o->conf.socket_path;
	int fd = -EADDRINUSE;

	for (int i = 1; i <= PASST_PATHS && fd < 0; i++) {
		snprintf(path, CONF_PATH_MAX, "/tmp/passt_%d.socket", i);
		fd = listen_at(path);
	}
	if (fd >= 0)
		return fd;
	path[0] = '\0';
	err_set(e, ERR_EXISTS, "none of /tmp/passt_1.socket to /tmp/passt_%d.socket is free: %s",
		PASST_PATHS, strerror(-fd));
	return err_hint(e, "give another path with --socket");
}

/* The caller's own connection: where it ends, so does all. */
static int take_given(struct options *o, struct err *e)
{
	int fd = fcntl(o->socket_fd, F_DUPFD_CLOEXEC, 3), v = 0;
	socklen_t len = sizeof(v);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &v, &len) < 0 || v) {
		err_set(e, ERR_ENV, "--fd: descriptor %d is not a connected socket",
			o->socket_fd);
		fd_drop(&fd);
		return -1;
	}
	o->conf.guest_once = true;
	return fd;
}

int passt_open_socket(struct options *o, struct err *e)
{
	int fd;

	if (o->socket_fd >= 0)
		return take_given(o, e);
	if (!o->conf.socket_path[0])
		return first_free(o, e);
	fd = listen_at(o->conf.socket_path);
	if (fd >= 0)
		return fd;
	explain(o->conf.socket_path, fd, e);
	o->conf.socket_path[0] = '\0';	/* not ours to remove */
	return -1;
}

void passt_undo(const struct options *o)
{
	if (o->conf.socket_path[0])
		unlink(o->conf.socket_path);
}

/* --- what is said ----------------------------------------------------------------- */

/* In qemu's options a comma is written twice. */
static void print_doubled(const char *s)
{
	for (; *s; s++)
		fprintf(stderr, *s == ',' ? ",," : "%c", *s);
}

static void print_addr(const char *what, const struct addr *a)
{
	char text[ADDR_STRLEN];

	if (!addr_is_any(a))
		fprintf(stderr, ", %s %s", what, addr_format(a, text));
}

static void print_net(const struct netcfg *n)
{
	char text[PREFIX_STRLEN];

	fprintf(stderr, "guest:  MTU %u", n->mtu);
	for (uint32_t i = 0; i < n->naddresses; i++)
		fprintf(stderr, ", address %s", prefix_format(&n->addresses[i], text));
	print_addr("gateway", &n->gateway4);
	print_addr("gateway", &n->gateway6);
	for (uint32_t i = 0; i < n->nnameservers; i++)
		print_addr("name server", &n->nameservers[i]);
	fputc('\n', stderr);
}

void passt_tell(const struct options *o, const struct netcfg *net)
{
	const char *path = o->conf.socket_path;

	if (o->quiet)
		return;
	if (path[0]) {
		fprintf(stderr, "socket: %s\n"
			"qemu:   -device virtio-net-pci,netdev=net0"
			" -netdev stream,id=net0,server=off,addr.type=unix,addr.path=", path);
		print_doubled(path);
		fputc('\n', stderr);
	}
	print_net(net);
}
