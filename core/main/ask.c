/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask: questions of a front end. The configuration of a check is what state
 * file and prevResult say was made; it is compared and never used, so that it
 * is decoded but not validated.
 */
#include "main/ask.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/encode.h"
#include "conf/handoff.h"
#include "io/netlink.h"
#include "io/ns.h"
#include "io/tun.h"
#include "main/msg.h"

#define TRIAL_IFNAME	"trial0"

static int check(const struct conf *c, struct err *e)
{
	if (ns_enter(HANDOFF_FD_NETNS, e) < 0)
		return -1;
	return netlink_check(c, e);
}

/* A namespace like a container's: one of our own, in a user namespace of our
 * own where we lack the right to make it without. */
static int make_room(struct err *e)
{
	if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return 0;
	err_set(e, ERR_PRIVILEGE, "no user and network namespace can be made: %s",
		strerror(errno));
	return err_hint(e, "allow unprivileged user namespaces: sysctl user.max_user_namespaces,"
			   " kernel.unprivileged_userns_clone,"
			   " kernel.apparmor_restrict_unprivileged_userns");
}

static int status(const struct conf *c, struct err *e)
{
	struct netcfg net;
	uint32_t features;
	int tap;

	if (netlink_template(c, NULL, &net, e) < 0 || make_room(e) < 0)
		return -1;
	tap = tun_create(TRIAL_IFNAME, false, c->without, &features, e);
	return tap < 0 ? -1 : close(tap);
}

static int answer(int (*question)(const struct conf *c, struct err *e))
{
	struct ready ready = { .magic = HANDOFF_MAGIC, .pid = (uint32_t)getpid() };
	struct conf c;
	int r;

	signal(SIGPIPE, SIG_IGN);
	r = encode_from_memfd(HANDOFF_FD_CONF, &c);
	if (r == -EBADF || r == -EPERM) {
		fprintf(stderr, "cni-passt-core: this question is for the front ends to ask;"
			" use cni-passt CHECK or STATUS\n");
		return 2;
	}
	if (r < 0)
		err_set(&ready.err, ERR_DECODE, "the configuration handed over does not decode: %s",
			strerror(-r));
	else
		question(&c, &ready.err);
	return msg_send(HANDOFF_FD_FRONT, &ready, sizeof(ready), -1) < 0;
}

int ask_check(void)
{
	return answer(check);
}

int ask_status(void)
{
	return answer(status);
}
