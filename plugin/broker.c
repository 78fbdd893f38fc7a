/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * broker: one poll() loop over the listener, the signals and a table of clients.
 * A client is heard once: hello when it comes, its one request, an answer, the end.
 * What takes time, starting the network, is between the client and the core.
 */
#include "base/clock.h"
#include "plugin/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pass.h"
#include "plugin/attach/spawn.h"
#include "plugin/attach/state.h"
#include "plugin/attach/via.h"
#include "plugin/attach/resolv.h"

#define LISTEN_FD	3	/* sd_listen_fds(3), SD_LISTEN_FDS_START */
#define NAME_LEN	60	/* of a socket's last name: it must fit an address behind /proc/self/fd/ */
#define USERNS_DEPTH	33	/* user_namespaces(7): at most 32 below the first */

struct client {
	int sock;		/* -1: the place is free */
	int64_t since;
};

struct broker {
	int listener, signal_fd;
	int folder, lock;	/* of the socket, if it was made here; else -1 */
	char name[NAME_LEN + 1];
	bool ended;
	struct client clients[BROKER_CLIENTS];
};

/* --- the right to be served ---------------------------------------------- */

static int not_yours(struct err *e)
{
	err_set(e, ERR_PRIVILEGE, "the network namespace is not in a user namespace of the"
		" broker's user");
	return err_hint(e, "ask the broker of the user who started the container");
}

/* 1: the user namespace is the user's; 0: look at its parent; -1 with *e. */
static int is_users(int userns, uid_t uid, struct err *e)
{
	struct stat it, ours;
	uid_t owner;

	if (fstat(userns, &it) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return err_set(e, ERR_IO, "user namespaces: %s", strerror(errno));
	if (it.st_dev == ours.st_dev && it.st_ino == ours.st_ino)
		return uid == 0 ? 1 : not_yours(e);
	if (ioctl(userns, NS_GET_OWNER_UID, &owner) < 0)
		return err_set(e, ERR_IO, "NS_GET_OWNER_UID: %s", strerror(errno));
	return owner == uid;
}

int broker_may(int netns_fd, uid_t uid, struct err *e)
{
	FD_OWNED int userns = -1;
	int r, up;

	if (ioctl(netns_fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, ERR_NETNS, "what was handed over is not a network namespace");
	userns = ioctl(netns_fd, NS_GET_USERNS);
	for (int i = 0; i < USERNS_DEPTH && userns >= 0; i++) {
		r = is_users(userns, uid, e);
		if (r)
			return r < 0 ? -1 : 0;
		up = ioctl(userns, NS_GET_PARENT);
		fd_drop(&userns);
		userns = up;
	}
	return not_yours(e);	/* EPERM: it is not below our own */
}

/* --- one request --------------------------------------------------------- */

/* The descriptors of a request by their numbers in the hand-over. */
static void sort_fds(const struct via_request *r, const int *fd, int to[VIA_FDS_MAX])
{
	for (uint32_t i = 0, n = 0; i < VIA_FDS_MAX; i++)
		to[i] = r->fds & (1u << i) ? fd[n++] : -1;
}

static int start_core(const struct via_request *r, const int fd[VIA_FDS_MAX], pid_t *pid,
		      struct err *e)
{
	static const char *const words[VIA_VERB_COUNT] = {
		[VIA_ATTACH] = HANDOFF_WORD, [VIA_STATUS] = HANDOFF_WORD_STATUS,
	};
	const struct spawn_fds fds = {
		.conf = fd[HANDOFF_FD_CONF - HANDOFF_FD_CONF],
		.netns = fd[HANDOFF_FD_NETNS - HANDOFF_FD_CONF],
		.state = fd[HANDOFF_FD_STATE - HANDOFF_FD_CONF],
		.life = fd[HANDOFF_FD_LIFE - HANDOFF_FD_CONF],
		.owner = fd[HANDOFF_FD_OWNER - HANDOFF_FD_CONF],
		.place = fd[HANDOFF_FD_PLACE - HANDOFF_FD_CONF],
	};
	char core[CONF_PATH_MAX];
	const struct spawn_program what = { .core = core, .word = words[r->verb] };
	int rc;

	if (fds.netns >= 0 && broker_may(fds.netns, geteuid(), e) < 0)
		return -1;
	/* Looked for each time: it may have been upgraded. */
	if (spawn_find_core(core, e) < 0)
		return -1;
	rc = spawn_exec(&what, &fds, fd[HANDOFF_FD_FRONT - HANDOFF_FD_CONF], pid);
	return rc < 0 ? err_set(e, ERR_IO, "cannot start %.200s: %s", core, strerror(-rc)) : 0;
}

static void serve(struct client *c)
{
	const struct pass_want want = {
		.len = sizeof(struct via_request), .most = VIA_FDS_MAX, .flags = MSG_DONTWAIT,
	};
	struct via_answer answer = { .magic = VIA_MAGIC };
	struct via_request req;
	int fd[PASS_FDS_MAX], by_number[VIA_FDS_MAX];
	uint32_t n;
	pid_t pid = 0;
	int r = pass_recv(c->sock, &want, &req, fd, &n);

	if (r == 0 && via_request_ok(&req, n)) {
		sort_fds(&req, fd, by_number);
		if (start_core(&req, by_number, &pid, &answer.err) < 0)
			log_warn("refused code=%s: %s", err_name(answer.err.code), answer.err.msg);
		else
			log_info("started pid=%d verb=%u", (int)pid, req.verb);
		answer.pid = (int32_t)pid;
		/* A client that does not take it goes without. */
		pass_send(c->sock, &answer, sizeof(answer), NULL, 0, MSG_DONTWAIT);
	} else if (r != -EPIPE) {
		log_warn("a request that is none");
	}
	pass_close(fd, n);
	fd_drop(&c->sock);
}

/* --- clients ------------------------------------------------------------- */

static bool may_ask(int sock)
{
	if (pass_peer_ok(sock, false))
		return true;
	log_warn("a client of another user was sent away");
	return false;
}

static void copy_names(struct via_names *to)
{
	struct conf host;

	conf_init(&host);
	host.ndns_forward = 0;	/* servers too: the client may want no forwarder */
	resolv_fill(&host);
	to->nnameservers = host.nnameservers;
	memcpy(to->nameservers, host.nameservers, sizeof(to->nameservers));
	memcpy(to->domain, host.domain, sizeof(to->domain));
	to->nsearch = host.nsearch;
	memcpy(to->search, host.search, sizeof(to->search));
}

static bool send_hello(int sock)
{
	struct via_hello h = { .magic = VIA_MAGIC };
	struct stat net, pid;

	if (stat("/proc/self/ns/net", &net) < 0 || stat("/proc/self/ns/pid", &pid) < 0)
		return false;
	snprintf(h.version, sizeof(h.version), "%s", PACKAGE_VERSION);
	h.net_dev = net.st_dev;
	h.net_ino = net.st_ino;
	h.pid_ns = pid.st_ino;
	copy_names(&h.names);
	return pass_send(sock, &h, sizeof(h), NULL, 0, MSG_DONTWAIT) == 0;
}

static struct client *free_place(struct broker *b)
{
	for (int i = 0; i < BROKER_CLIENTS; i++)
		if (b->clients[i].sock < 0)
			return &b->clients[i];
	return NULL;
}

static void take_client(struct broker *b)
{
	struct client *c = free_place(b);
	FD_OWNED int sock = c ? accept4(b->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;

	if (sock < 0 || !may_ask(sock) || !send_hello(sock))
		return;
	c->sock = fd_take(&sock);
	c->since = clock_ms();
}

/* Sends away who was silent for too long; until the next one is due, or -1. */
static int expire(struct broker *b)
{
	int64_t now = clock_ms(), left, least = -1;

	for (int i = 0; i < BROKER_CLIENTS; i++) {
		if (b->clients[i].sock < 0)
			continue;
		left = b->clients[i].since + BROKER_HEAR_MS - now;
		if (left <= 0)
			fd_drop(&b->clients[i].sock);
		else if (least < 0 || left < least)
			least = left;
	}
	return (int)least;
}

/* --- the service --------------------------------------------------------- */

/* A core that ended is a child of ours, as it was orphaned by its starter. */
static void on_signal(struct broker *b)
{
	struct signalfd_siginfo si;

	while (read(b->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo != SIGCHLD)
			b->ended = true;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static int loop(struct broker *b, struct err *e)
{
	struct pollfd p[BROKER_CLIENTS + 2];
	int wait;

	while (!b->ended) {
		wait = expire(b);
		p[0] = (struct pollfd){ .fd = b->signal_fd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = free_place(b) ? b->listener : -1, .events = POLLIN };
		for (int i = 0; i < BROKER_CLIENTS; i++)
			p[i + 2] = (struct pollfd){ .fd = b->clients[i].sock, .events = POLLIN };
		if (poll(p, ARRAY_LEN(p), wait) < 0 && errno != EINTR)
			return err_set(e, ERR_IO, "poll: %s", strerror(errno));
		if (p[0].revents)
			on_signal(b);
		for (int i = 0; i < BROKER_CLIENTS; i++)
			if (p[i + 2].fd >= 0 && p[i + 2].revents)
				serve(&b->clients[i]);
		if (p[1].fd >= 0 && p[1].revents)
			take_client(b);
	}
	return 0;
}

static int open_signals(struct broker *b, struct err *e)
{
	static const int held[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		sigaddset(&set, held[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		b->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return b->signal_fd < 0 ? err_set(e, ERR_IO, "signalfd: %s", strerror(errno)) : 0;
}

/* --- where it listens ---------------------------------------------------- */

static bool is_listener(int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

/* systemd's socket, sd_listen_fds(3): 1 taken, 0 there is none, -1 with *e. */
static int take_given(struct broker *b, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

	if (!pid || !n || strtol(pid, NULL, 10) != getpid())
		return 0;
	if (strcmp(n, "1") != 0 || !is_listener(LISTEN_FD)) {
		err_set(e, ERR_ENV, "LISTEN_FDS: not one listening socket of sequential packets");
		return err_hint(e, "the socket unit needs one line ListenSequentialPacket=");
	}
	b->listener = LISTEN_FD;
	fcntl(b->listener, F_SETFD, FD_CLOEXEC);
	fcntl(b->listener, F_SETFL, O_NONBLOCK);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return 1;
}

/* The folder and the name in it. */
static int open_folder(struct broker *b, const char *path, struct err *e)
{
	const char *slash = path ? strrchr(path, '/') : NULL, *name;
	char dir[PATH_MAX] = ".";

	if (!path) {
		strcpy(b->name, VIA_NAME);
		b->folder = state_root(true, e);
		return b->folder < 0 ? -1 : 0;
	}
	name = slash ? slash + 1 : path;
	if (!name[0] || strlen(name) > NAME_LEN || strlen(path) >= sizeof(dir))
		return err_set(e, ERR_ENV, "--listen: %.200s does not end in a name of at most %d"
			       " bytes", path, NAME_LEN);
	strcpy(b->name, name);
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)MAX_OF(slash - path, 1), path);
	b->folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return b->folder < 0 ? err_set(e, ERR_ENV, "--listen: %.200s: %s", dir, strerror(errno)) : 0;
}

/* One broker a socket: who holds the lock may take away what an earlier left. */
static int take_lock(struct broker *b, struct err *e)
{
	char name[NAME_LEN + 8];
	struct stat st;

	snprintf(name, sizeof(name), "%s.lock", b->name);
	b->lock = openat(b->folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (b->lock < 0)
		return err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
	if (flock(b->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, ERR_EXISTS, "another broker listens there");
	/* One that ended meanwhile took the file away: the lock would be nobody else's. */
	if (fstat(b->lock, &st) == 0 && st.st_nlink > 0)
		return 0;
	return err_set(e, ERR_AGAIN, "another broker was just ending there");
}

static int make_listener(struct broker *b, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask = umask(0177);
	int r;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%s", b->folder, b->name);
	unlinkat(b->folder, b->name, 0);
	b->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = b->listener < 0 ? -1 : bind(b->listener, (const struct sockaddr *)&sun, sizeof(sun));
	if (r == 0)
		r = listen(b->listener, BROKER_BACKLOG);
	umask(mask);
	return r < 0 ? err_set(e, ERR_IO, "%s: %s", b->name, strerror(errno)) : 0;
}

static int open_listener(struct broker *b, const char *path, struct err *e)
{
	int given = take_given(b, e);

	if (given)
		return given < 0 ? -1 : 0;
	if (open_folder(b, path, e) < 0 || take_lock(b, e) < 0)
		return -1;
	return make_listener(b, e);
}

static void close_all(struct broker *b)
{
	char name[NAME_LEN + 8];

	/* The socket goes before the lock does. systemd's stays: it is not ours. */
	if (b->folder >= 0 && b->listener >= 0) {
		snprintf(name, sizeof(name), "%s.lock", b->name);
		unlinkat(b->folder, b->name, 0);
		unlinkat(b->folder, name, 0);
	}
	for (int i = 0; i < BROKER_CLIENTS; i++)
		fd_drop(&b->clients[i].sock);
	fd_drop(&b->listener);
	fd_drop(&b->signal_fd);
	fd_drop(&b->lock);
	fd_drop(&b->folder);
}

int broker_run(const char *path, struct err *e)
{
	struct broker b = { .listener = -1, .signal_fd = -1, .folder = -1, .lock = -1 };
	int r;

	for (int i = 0; i < BROKER_CLIENTS; i++)
		b.clients[i].sock = -1;
	log_open(LOGT_STDERR, LOGL_INFO, "", "broker");
	/* What it starts is orphaned (spawn.c) and comes to us, to be reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	unsetenv("NOTIFY_SOCKET");
	r = open_signals(&b, e) < 0 || open_listener(&b, path, e) < 0 ? -1 : 0;
	if (r == 0) {
		log_info("listening on %s", b.folder < 0 ? "the socket of systemd" : b.name);
		r = loop(&b, e);
	}
	close_all(&b);
	return r;
}
