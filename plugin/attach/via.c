/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/attach/via.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/pass.h"
#include "plugin/attach/netns.h"
#include "plugin/attach/state.h"
#include "plugin/attach/stop.h"

bool via_hello_ok(const struct via_hello *h)
{
	const struct via_names *n = &h->names;

	if (h->magic != VIA_MAGIC || n->nnameservers > CONF_NAMESERVERS_MAX ||
	    n->nsearch > CONF_SEARCH_MAX || !bytes_terminated(n->domain, sizeof(n->domain)) ||
	    !bytes_terminated(h->version, sizeof(h->version)))
		return false;
	for (uint32_t i = 0; i < n->nsearch; i++)
		if (!bytes_terminated(n->search[i], sizeof(n->search[i])))
			return false;
	return true;
}

bool via_request_ok(const struct via_request *r, uint32_t nfds)
{
	static const struct {
		uint32_t must, may;
	} verbs[VIA_VERB_COUNT] = {
		[VIA_ATTACH] = {
			VIA_BIT(HANDOFF_FD_CONF) | VIA_BIT(HANDOFF_FD_FRONT) |
			VIA_BIT(HANDOFF_FD_NETNS) | VIA_BIT(HANDOFF_FD_STATE) |
			VIA_BIT(HANDOFF_FD_LIFE),
			VIA_BIT(HANDOFF_FD_OWNER) | VIA_BIT(HANDOFF_FD_PLACE),
		},
		[VIA_STATUS] = { VIA_BIT(HANDOFF_FD_CONF) | VIA_BIT(HANDOFF_FD_FRONT), 0 },
	};

	if (r->magic != VIA_MAGIC || r->verb == 0 || r->verb >= VIA_VERB_COUNT)
		return false;
	return (r->fds & verbs[r->verb].must) == verbs[r->verb].must &&
	       !(r->fds & ~(verbs[r->verb].must | verbs[r->verb].may)) &&
	       (uint32_t)__builtin_popcount(r->fds) == nfds;
}

bool via_answer_ok(const struct via_answer *a)
{
	return a->magic == VIA_MAGIC && bytes_terminated(a->err.msg, sizeof(a->err.msg)) &&
	       bytes_terminated(a->err.details, sizeof(a->err.details)) &&
	       (a->err.code ? a->pid == 0 : a->pid > 0);
}

/* Where it listens: by the store's descriptor, whose path may be longer than an
 * address can be. -ENOENT: nowhere. */
static int find_address(struct sockaddr_un *sun, int *folder, struct err *e)
{
	const char *env = secure_getenv(VIA_ENV);

	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (env && env[0]) {
		if (env[0] != '/' || strlen(env) >= sizeof(sun->sun_path))
			return err_set(e, ERR_ENV, VIA_ENV ": \"%.80s\" is not an absolute path of"
				       " at most %zu bytes", env, sizeof(sun->sun_path) - 1);
		strcpy(sun->sun_path, env);
		return 0;
	}
	*folder = state_root(false, e);
	if (*folder < 0)
		return *folder;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "/proc/self/fd/%d/" VIA_NAME, *folder);
	return 0;
}

/* Neither waits without an end. */
static int make_socket(void)
{
	const struct timeval patience = { .tv_sec = VIA_WAIT_MS / 1000 };
	FD_OWNED int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* What we hand over is not for another user's process. */
static int check_user(int sock, struct err *e)
{
	if (pass_peer_ok(sock, false))
		return 0;
	return err_set(e, ERR_PRIVILEGE, "the broker belongs to another user");
}

static int hear_hello(int sock, struct via_hello *ret, struct err *e)
{
	const struct pass_want want = { .len = sizeof(*ret) };
	int none[PASS_FDS_MAX], r;
	uint32_t n;

	r = pass_recv(sock, &want, ret, none, &n);
	if (r == -EAGAIN)
		return err_set(e, ERR_AGAIN, "the broker did not answer within %d s",
			       VIA_WAIT_MS / 1000);
	if (r == 0 && via_hello_ok(ret))
		return 0;
	err_set(e, ERR_IO, "the broker does not speak as expected");
	return err_hint(e, "it may be of another version: restart it");
}

/* A conversation begun: a socket, -ENOENT if there is no broker, -1 with *e. */
static int begin(struct via_hello *hello, struct err *e)
{
	struct sockaddr_un sun;
	FD_OWNED int folder = -1;
	FD_OWNED int sock = -1;
	int r = find_address(&sun, &folder, e);

	if (r < 0)
		return r;
	sock = make_socket();
	if (sock < 0)
		return err_set(e, ERR_IO, "broker: socket: %s", strerror(-sock));
	if (connect(sock, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return -ENOENT;
		return err_set(e, ERR_IO, "the broker cannot be reached: %s", strerror(errno));
	}
	if (check_user(sock, e) < 0 || hear_hello(sock, hello, e) < 0)
		return -1;
	return fd_take(&sock);
}

static int no_broker(struct err *e)
{
	err_set(e, ERR_AGAIN, "via: no broker answers");
	return err_hint(e, "start it in the host's network namespace: systemctl --user enable --now"
			   " cni-passt-broker.socket, or cni-passt broker");
}

int via_choose(struct via *v, enum conf_via how, struct err *e)
{
	struct err why = ERR_INIT;
	FD_OWNED int sock = -1;

	*v = VIA_INIT;
	if (how == CONF_VIA_DIRECT)
		return 0;
	sock = begin(&v->hello, &why);
	if (sock >= 0) {
		v->brokered = how == CONF_VIA_BROKER || netns_is_own(v->hello.net_dev, v->hello.net_ino) != 1;
		return 0;
	}
	if (how == CONF_VIA_AUTO) {
		/* Without it there is a network all the same; not silently. */
		if (sock != -ENOENT)
			fprintf(stderr, "cni-passt: %s; the daemon is started from here\n",
				why.msg);
		return 0;
	}
	if (sock == -ENOENT)
		return no_broker(e);
	if (e)
		*e = why;
	return -1;
}

int via_look(struct via_hello *ret, struct err *e)
{
	FD_OWNED int sock = begin(ret, e);

	return sock >= 0 ? 1 : sock == -ENOENT ? 0 : -1;
}

static int hear_answer(int sock, struct via_answer *ret, struct err *e)
{
	const struct pass_want want = { .len = sizeof(*ret) };
	int none[PASS_FDS_MAX], r;
	uint32_t n;

	r = pass_recv(sock, &want, ret, none, &n);
	if (r < 0 || !via_answer_ok(ret))
		return err_set(e, ERR_IO, "the broker did not start the daemon: %s",
			       r < 0 ? strerror(-r) : "its answer makes no sense");
	if (!ret->err.code)
		return 0;
	if (e)
		*e = ret->err;
	return -1;
}

int via_start(const struct via *v, enum via_verb verb, const int fd[VIA_FDS_MAX], pid_t *pid,
	      struct err *e)
{
	struct via_request req = { .magic = VIA_MAGIC, .verb = verb };
	struct via_hello hello;
	struct via_answer answer;
	int sent[VIA_FDS_MAX], r;
	uint32_t n = 0;
	FD_OWNED int sock = begin(&hello, e);

	if (sock < 0)
		return sock == -ENOENT ? no_broker(e) : -1;
	for (uint32_t i = 0; i < VIA_FDS_MAX; i++) {
		if (fd[i] < 0)
			continue;
		req.fds |= 1u << i;
		sent[n++] = fd[i];
	}
	r = pass_send(sock, &req, sizeof(req), sent, n, 0);
	if (r < 0)
		return err_set(e, ERR_IO, "the broker cannot be asked: %s", strerror(-r));
	if (hear_answer(sock, &answer, e) < 0)
		return -1;
	*pid = v->hello.pid_ns == stop_pid_ns() ? answer.pid : 0;
	return 0;
}
