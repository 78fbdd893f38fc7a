/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsagent: enters, gives up all but two capabilities, then answers one request
 * after the other. Each request's comment says why it is safe even if who asks
 * has been taken over: main never parses a frame, but its word is not believed.
 */
#include "main/nsagent.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "io/inner.h"
#include "io/listen.h"
#include "io/netlink.h"
#include "io/ns.h"
#include "io/tun.h"
#include "main/child.h"
#include "main/msg.h"
#include "sandbox/sandbox.h"

#define UDP_LOOKS	5	/* at the latest, whatever the hint says: 1 s */

struct agent {
	int main_fd;
	uint32_t ifindex;	/* of the interface, made here or before a restart; 0: not yet */
	bool no_tap;		/* ifindex is the loopback's */
	const bool *watch;	/* CONF_PROTO_COUNT of them: main is told */
	bool udp_with_tcp;
	struct diag diag;
	uint64_t udp_hint;	/* when UDP was looked at last, and ... */
	unsigned int udp_skipped;	/* ... how many looks ago that was */
	struct msg_ports *known;	/* what main was told last, one a protocol; NULL: nothing
				 * to watch, or not yet */
	int reuse_fd;		/* for inner_reuse_ports(); -1: cannot be had, or done */
	bool settled;		/* what is needed is open, the rest given up */
	bool told;		/* MSG_WATCH came: main may hear of ports */
	struct sandbox_who who;
	pid_t main_pid;
	int32_t *forbidden;	/* for sandbox_seal_nsagent() */
	struct err entered;	/* code 0: inside; else why not, the answer to everything */
};

union request {
	uint32_t kind;
	struct msg_setup setup;
	struct msg_inner inner;
	struct msg_listen listen;
	struct msg_move move;
};

static int make_loopback(struct msg_setup_done *done)
{
	int index = netlink_loopback(&done->err);

	done->ifindex = index > 0 ? (uint32_t)index : 0;
	return -1;
}

/* Makes the tap and configures it. Closing the tap undoes all of it. */
static int make_interface(const struct msg_setup *m, struct msg_setup_done *done)
{
	FD_OWNED int tap = -1;
	struct netlink_done link;

	if (m->tap == MSG_TAP_NONE)
		return make_loopback(done);
	tap = tun_create(m->net.ifname, m->tap == MSG_TAP_ADOPT, m->without, &done->features, &done->err);
	if (tap < 0 || netlink_configure(&m->net, &link, &done->err) < 0)
		return -1;
	done->ifindex = link.ifindex;
	done->ipv6_left_out = link.ipv6_left_out;
	return fd_take(&tap);
}

static bool watches(const struct agent *a)
{
	return a->ifindex && (a->watch[CONF_TCP] || a->watch[CONF_UDP]);
}

/* Without it rules of "auto" and "ready" stay closed; all else works. */
static void start_watch(struct agent *a)
{
	int rc;

	if (!watches(a) || a->known)
		return;
	a->known = malloc(CONF_PROTO_COUNT * sizeof(*a->known));
	if (!a->known) {
		log_error("ports cannot be watched: out of memory");
		return;
	}
	/* no set of ports: the first look is news in any case */
	memset(a->known, 0xff, CONF_PROTO_COUNT * sizeof(*a->known));
	a->udp_hint = UINT64_MAX;
	rc = diag_open(&a->diag);
	if (rc < 0)
		log_error("ports cannot be watched: %s", strerror(-rc));
}

/* Where it fails, the next look is soon. */
static bool read_ports(struct agent *a, bool tcp, struct msg_ports *ret)
{
	int rc = a->diag.fd < 0 ? -EBADF : diag_read(&a->diag, tcp, &ret->ports, ret->loopback);

	if (rc < 0 && rc != -EINTR)
		diag_ask_anew(&a->diag);
	return rc == 0;
}

/* UDP is looked at when the number of its sockets changed, and now and then. */
static bool is_due(struct agent *a, uint32_t proto)
{
	uint64_t hint;

	if (proto != CONF_UDP)
		return a->watch[proto] || a->udp_with_tcp;
	if (!a->watch[proto])
		return false;
	hint = diag_udp_hint(&a->diag);
	if (hint == a->udp_hint && ++a->udp_skipped < UDP_LOOKS)
		return false;
	a->udp_hint = hint;
	a->udp_skipped = 0;
	return true;
}

/* iperf3 and the like listen by TCP all the time, and by UDP when it is too late. */
static void add_tcp(const struct agent *a, struct msg_ports *udp)
{
	const struct msg_ports *tcp = &a->known[CONF_TCP];

	for (size_t i = 0; i < sizeof(udp->ports.bits); i++) {
		udp->ports.bits[i] |= tcp->ports.bits[i];
		for (int family = 0; family < 2; family++)
			udp->loopback[family].bits[i] |= tcp->loopback[family].bits[i];
	}
}

/* A look at what is listened on; main hears of changes only. < 0: main is gone. */
static int look(struct agent *a)
{
	struct msg_ports m = { .kind = MSG_PORTS };
	int rc = 0;

	for (m.proto = 0; m.proto < CONF_PROTO_COUNT && rc == 0; m.proto++) {
		if (!is_due(a, m.proto) || !read_ports(a, m.proto == CONF_TCP, &m))
			continue;
		if (m.proto == CONF_UDP && a->udp_with_tcp && a->known[CONF_TCP].kind == MSG_PORTS)
			add_tcp(a, &m);
		if (memcmp(&m, &a->known[m.proto], sizeof(m)) == 0)
			continue;
		a->known[m.proto] = m;
		if (m.proto == CONF_TCP)
			a->udp_hint = UINT64_MAX;	/* UDP is due */
		if (a->watch[m.proto])
			rc = msg_send(a->main_fd, &m, sizeof(m), -1);
	}
	return rc;
}

/* Waits for main, with a look at the ports meanwhile. */
static int wait_main(struct agent *a)
{
	const struct timespec look_again = { .tv_nsec = NSAGENT_LOOK_MS * 1000000L };
	struct pollfd p = { .fd = a->main_fd, .events = POLLIN };
	int n, rc = 0;

	while (rc == 0) {
		n = ppoll(&p, 1, a->known && a->told ? &look_again : NULL, NULL);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		rc = look(a);
	}
	return rc;
}

/* Opens what is needed later, then gives up to open anything. -1 with *e: not all can
 * be given up, and all must. */
static int settle(struct agent *a, struct err *e)
{
	struct err lack = ERR_INIT;

	a->settled = true;
	start_watch(a);
	if (a->reuse_fd < 0)
		a->reuse_fd = inner_open_reuse();
	malloc_trim(0);
	if (sandbox_settle(&a->who, &lack, e) < 0)
		return -1;
	child_bind(a->main_pid);	/* a change of user undid it */
	if (lack.code)
		log_warn("%s", lack.msg);
	if (sandbox_seal_nsagent(a->forbidden, &lack) == 0)
		return 0;
	if (a->who.strict) {
		*e = lack;
		return -1;
	}
	log_warn("%s", lack.msg);
	return 0;
}

/*
 * MSG_SETUP. Safe for a hostile asker: once only, so no second interface; a
 * new device or none (IFF_TUN_EXCL), or a tap that nobody has open, so nothing of the
 * container's own is touched besides the loopback's being up; every count and length is checked
 * before use; and the one who gets the tap owns the attachment anyway.
 */
static int do_setup(struct agent *a, const union request *req)
{
	struct msg_setup_done done = { .kind = MSG_SETUP_DONE };
	FD_OWNED int tap = -1;

	if (!msg_setup_ok(&req->setup) || a->ifindex)
		return -EBADMSG;
	if (a->entered.code)
		done.err = a->entered;
	else
		tap = make_interface(&req->setup, &done);
	/* Else it is done while others work, at MSG_WATCH. */
	if (!done.err.code && a->who.strict && settle(a, &done.err) < 0)
		fd_drop(&tap);
	a->ifindex = done.err.code ? 0 : done.ifindex;
	a->no_tap = req->setup.tap == MSG_TAP_NONE;
	return msg_send(a->main_fd, &done, sizeof(done), tap);
}

/*
 * MSG_INNER. Safe for a hostile asker: no more sockets than one message carries,
 * unbound and unconnected; what they can reach, everything in the container can.
 */
static int do_inner(struct agent *a, const union request *req)
{
	struct msg_inner done = { .kind = MSG_INNER_DONE, .proto = req->inner.proto,
				  .ipv4 = req->inner.ipv4 };
	int fd[MSG_FDS_MAX], r;

	if (!msg_inner_ok(&req->inner))
		return -EBADMSG;
	if (done.proto == CONF_TCP) {
		if (a->reuse_fd >= 0)
			inner_reuse_ports(a->reuse_fd);
		fd_drop(&a->reuse_fd);
	}
	while (done.count < req->inner.count &&
	       (r = inner_socket((enum conf_proto)done.proto, done.ipv4)) >= 0)
		fd[done.count++] = r;
	r = msg_send_fds(a->main_fd, &done, sizeof(done), fd, done.count);
	msg_close_fds(fd, done.count);
	return r == -EAGAIN || r == -ETOOMANYREFS ? 0 : r;
}

/* MSG_LISTEN. Safe for a hostile asker: only where nobody outside of the
 * container connects to. */
static int do_listen(struct agent *a, const union request *req)
{
	const struct listen_how how = {
		.ifname = "", .ipv4 = true, .ipv6 = true, .udp_gro = true, .local = true,
	};
	struct forward f = { .addr = req->listen.addr, .port = req->listen.port,
			     .proto = (uint8_t)req->listen.proto };
	struct msg_listen_done done = {
		.kind = MSG_LISTEN_DONE, .addr = f.addr, .port = f.port, .proto = f.proto,
	};
	int r;

	if (!msg_listen_ok(&req->listen))
		return -EBADMSG;
	done.error = listen_open(&f, &how);
	r = msg_send(a->main_fd, &done, sizeof(done), f.sock);
	fd_drop(&f.sock);
	return r;
}

/*
 * MSG_MOVE. Safe for a hostile asker: of the interface made here and no other; every
 * count and length is checked before use; what it could take from the container, it
 * could by ending the attachment.
 */
static int do_move(struct agent *a, const union request *req)
{
	struct msg_moved done = { .kind = MSG_MOVED };
	const struct msg_move *m = &req->move;
	struct netlink_done link = { .ipv6_left_out = false };
	int r;

	if (!msg_move_ok(m) || !a->ifindex || a->no_tap)
		return -EBADMSG;
	netlink_move(a->ifindex, &m->was, &m->now, m->nold, &link, &done.err);
	done.ipv6_left_out = link.ipv6_left_out;
	r = msg_send(a->main_fd, &done, sizeof(done), -1);
	malloc_trim(0);
	return r;
}

/*
 * MSG_WATCH: main has all the answers it waits for, and hears of ports from now on.
 * Safe for a hostile asker: it only takes rights away, and once.
 */
static int do_watch(struct agent *a, const union request *req)
{
	struct err e = ERR_INIT;

	(void)req;
	if (a->told)
		return -EBADMSG;
	a->told = true;
	return a->settled ? 0 : settle(a, &e);	/* strict: it is */
}

/* A kind that is not here is nonsense. */
static const struct {
	uint32_t kind;
	size_t size;
	int (*fn)(struct agent *a, const union request *req);	/* < 0 ends the conversation */
} requests[] = {
	{ MSG_SETUP, sizeof(struct msg_setup), do_setup },
	{ MSG_INNER, sizeof(struct msg_inner), do_inner },
	{ MSG_LISTEN, sizeof(struct msg_listen), do_listen },
	{ MSG_MOVE, sizeof(struct msg_move), do_move },
	{ MSG_WATCH, sizeof(struct msg_watch), do_watch },
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
	return a->ifindex && !a->no_tap && netlink_delete(a->ifindex) < 0;
}

int nsagent_main(const struct nsagent_args *args)
{
	struct agent a = {
		.main_fd = args->main_fd, .watch = args->watch, .diag = DIAG_INIT,
		.ifindex = args->ifindex, .no_tap = args->no_tap,
		.udp_with_tcp = args->udp_with_tcp, .reuse_fd = -1, .forbidden = args->forbidden,
		.who = args->who, .main_pid = getppid(), .told = args->ifindex != 0,
	};
	const struct msg_running running = { .kind = MSG_RUNNING };
	struct err e = ERR_INIT;
	int r;

	if (enter(args, a.main_pid, &a.entered) < 0 && args->ifindex) {
		log_error("cannot enter again: %s", a.entered.msg);
		return 1;
	}
	close(args->netns_fd);
	if (args->ifindex && settle(&a, &e) < 0) {
		log_error("%s", e.msg);
		return 1;
	}
	r = args->ifindex ? msg_send(a.main_fd, &running, sizeof(running), -1) : 0;
	while (r >= 0) {
		r = wait_main(&a);
		if (r >= 0)
			r = answer_one(&a);
	}
	if (r == -EPIPE)
		return delete_interface(&a);
	log_error("conversation with main ended: %s", strerror(-r));
	return 1;
}
