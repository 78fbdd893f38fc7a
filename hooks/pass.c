/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "hooks/pass.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/pass.h"
#include "base/siphash.h"
#include "plugin/attach/state.h"

/* No name of an attachment: it has no "@". */
#define NAME_FORMAT	"pass-%016" PRIx64
#define NAME_LEN	32
#define ANSWER_MS	20000	/* an attachment's time, with room */

/* An id is longer than a socket's name may be. */
static void name_of(const char *id, char ret[NAME_LEN])
{
	static const struct sipkey key = { { 0 } };

	snprintf(ret, NAME_LEN, NAME_FORMAT, siphash(&key, id, strlen(id)));
}

/* The store's folder is reached by its descriptor: its path may be long, too. */
static struct sockaddr_un address(int root, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", root, name);
	return a;
}

static int open_listener(int root, const char *name, struct err *e)
{
	FD_OWNED int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un a = address(root, name);

	unlinkat(root, name, 0);	/* of a hook that was killed */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return err_set(e, ERR_IO, "socket for the createContainer hook: %s", strerror(errno));
	return fd_take(&fd);
}

/* --- outside ------------------------------------------------------------ */

struct wait {
	int root, listen_fd, pidfd;
	char name[NAME_LEN];
};

/* The descriptor in one message, or -errno. */
static int receive(int sock)
{
	const struct pass_want want = { .len = 1, .most = 1 };
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int fd[PASS_FDS_MAX], r;
	uint32_t n;
	char byte;

	if (poll(&p, 1, ANSWER_MS) <= 0)
		return -ETIME;
	r = pass_recv(sock, &want, &byte, fd, &n);
	return r < 0 ? r : n ? fd[0] : -EBADMSG;
}

static void serve(struct wait *w, struct hook_call *c)
{
	FD_OWNED int sock = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct err e = ERR_INIT;
	/* Only this user's processes reach the folder, and root. */
	int netns = sock < 0 || !pass_peer_ok(sock, true) ? -EPERM : receive(sock);

	if (netns < 0)
		err_set(&e, ERR_NETNS, "the createContainer hook passed no namespace: %s",
			strerror(-netns));
	else
		hook_attach(c, netns, &e);
	if (e.code)
		log_error("failed code=%s: %s", err_name(e.code), e.msg);
	if (sock >= 0 && send(sock, &e, sizeof(e), MSG_NOSIGNAL) != sizeof(e) && !e.code)
		hook_detach(c->state.id, NULL);	/* nobody to hear of it: undone */
}

/* In the process left behind. Whoever waits for its children, or for the end of
 * its output, is not to wait for this one. */
static _Noreturn void wait_outside(struct wait *w, struct hook_call *c)
{
	struct pollfd p[] = { { .fd = w->listen_fd, .events = POLLIN },
			      { .fd = w->pidfd, .events = POLLIN } };
	int64_t end = clock_ms() + PASS_WAIT_MS, left;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), n;

	setsid();
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	do {
		left = end - clock_ms();
		n = poll(p, ARRAY_LEN(p), left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0 && p[0].revents)
		serve(w, c);
	unlinkat(w->root, w->name, 0);
	_exit(0);
}

int pass_wait(struct hook_call *c, struct err *e)
{
	FD_OWNED int root = state_root(true, e);
	FD_OWNED int pidfd = (int)syscall(SYS_pidfd_open, c->state.pid, 0);
	FD_OWNED int listen_fd = -1;
	struct wait w = { .root = root, .pidfd = pidfd };
	pid_t pid;

	if (root < 0)
		return -1;
	name_of(c->state.id, w.name);
	listen_fd = open_listener(root, w.name, e);
	if (listen_fd < 0)
		return -1;
	w.listen_fd = listen_fd;
	pid = fork();
	if (pid == 0)
		wait_outside(&w, c);
	return pid > 0 ? 0 : err_set(e, ERR_IO, "fork: %s", strerror(errno));
}

/* --- inside ------------------------------------------------------------- */

static int answer(int sock, struct err *e)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct err got;

	if (poll(&p, 1, ANSWER_MS) <= 0 || recv(sock, &got, sizeof(got), 0) != sizeof(got))
		return err_set(e, ERR_IO, "the createRuntime hook's process gave no answer");
	got.msg[ERR_MSG_MAX - 1] = '\0';
	got.details[ERR_DETAILS_MAX - 1] = '\0';
	if (!got.code)
		return 0;
	*e = got;
	return -1;
}

int pass_netns(const char *id, struct err *e)
{
	FD_OWNED int root = state_root(false, NULL);
	FD_OWNED int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	FD_OWNED int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct sockaddr_un a;
	char name[NAME_LEN];
	int r;

	if (root < 0)
		return 0;
	if (sock < 0 || netns < 0)
		return err_set(e, ERR_IO, "the container's namespace: %s", strerror(errno));
	name_of(id, name);
	a = address(root, name);
	if (connect(sock, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? 0 :
		       err_set(e, ERR_IO, "the createRuntime hook's socket: %s", strerror(errno));
	r = pass_send(sock, "", 1, &netns, 1, 0);
	if (r < 0)
		return err_set(e, ERR_IO, "the container's namespace cannot be passed on: %s",
			       strerror(-r));
	return answer(sock, e);
}
