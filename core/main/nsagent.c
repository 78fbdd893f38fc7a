/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsagent: enters, gives up all but two capabilities, then answers one request
 * after the other. Each request's comment says why it is safe even if who asks
 * has been taken over: main never parses a frame, but its word is not believed.
 */
#include "main/nsagent.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "io/netlink.h"
#include "io/ns.h"
#include "io/tun.h"
#include "main/child.h"
#include "main/msg.h"
#include "sandbox/sandbox.h"

struct agent {
	int main_fd;
	bool is_setup;		/* the interface has been made, here or before a restart */
	uint32_t ifindex;	/* its number, then */
	struct err entered;	/* code 0: inside; else why not, the answer to everything */
};

union request {
	uint32_t kind;
	struct msg_setup setup;
};

/* Makes the tap and configures it. Closing the tap undoes all of it. */
static int make_interface(const struct msg_setup *m, struct msg_setup_done *done)
{
	FD_OWNED int tap = -1;
	struct netlink_done link;

	tap = tun_create(m->net.ifname, m->without, &done->features, &done->err);
	if (tap < 0 || netlink_configure(&m->net, &link, &done->err) < 0)
		return -1;
	done->ifindex = link.ifindex;
	done->ipv6_left_out = link.ipv6_left_out;
	return fd_take(&tap);
}

/*
 * MSG_SETUP. Safe for a hostile asker: once only, so no second interface; a
 * new device or none (IFF_TUN_EXCL), so nothing of the container's own is
 * touched besides the loopback's being up; every count and length is checked
 * before use; and the one who gets the tap owns the attachment anyway.
 */
static int do_setup(struct agent *a, const union request *req)
{
	struct msg_setup_done done = { .kind = MSG_SETUP_DONE };
	FD_OWNED int tap = -1;
	int r;

	if (!msg_setup_ok(&req->setup) || a->is_setup)
		return -EBADMSG;
	if (a->entered.code)
		done.err = a->entered;
	else
		tap = make_interface(&req->setup, &done);
	a->is_setup = tap >= 0;
	a->ifindex = done.ifindex;
	r = msg_send(a->main_fd, &done, sizeof(done), tap);
	malloc_trim(0);
	return r;
}

/* A kind that is not here is nonsense. */
static const struct {
	uint32_t kind;
	size_t size;
	int (*fn)(struct agent *a, const union request *req);	/* < 0 ends the conversation */
} requests[] = {
	{ MSG_SETUP, sizeof(struct msg_setup), do_setup },
};

static int answer_one(struct agent *a)
{
	union request req;
	uint32_t kind;
	int r;

	r = msg_peek_kind(a->main_fd, &kind);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (requests[i].kind != kind)
			continue;
		r = msg_recv(a->main_fd, &req, requests[i].size, NULL);
		return r < 0 ? r : requests[i].fn(a, &req);
	}
	return -EBADMSG;
}

/* Into the namespaces, out of the rights. */
static int enter(const struct nsagent_args *args, pid_t parent, struct err *e)
{
	if (ns_enter(args->netns_fd, e) < 0 || sandbox_nsagent(e) < 0)
		return -1;
	child_bind(parent);	/* entering undid it */
	return 0;
}

/*
 * Main is ending. Closing the tap would delete the interface too, but whoever
 * closes it waits for RCU to free it, 15 ms and more; here it is this process
 * that waits, while main sees the interface gone (tun_gone()) and ends.
 */
static int delete_interface(const struct agent *a)
{
	return a->is_setup && netlink_delete(a->ifindex) < 0;
}

int nsagent_main(const struct nsagent_args *args)
{
	struct agent a = { .main_fd = args->main_fd, .is_setup = args->restarted,
			   .ifindex = args->ifindex };
	int r;

	if (enter(args, getppid(), &a.entered) < 0 && args->restarted) {
		log_error("cannot enter again: %s", a.entered.msg);
		return 1;
	}
	close(args->netns_fd);
	do {
		r = answer_one(&a);
	} while (r >= 0);
	if (r == -EPIPE)
		return delete_interface(&a);
	log_error("conversation with main ended: %s", strerror(-r));
	return 1;
}
