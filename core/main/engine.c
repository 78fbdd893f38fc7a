/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/engine.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "io/io.h"
#include "io/stream.h"
#include "main/msg.h"
#include "proto/dns.h"
#include "proto/network.h"
#include "proto/orphan.h"
#include "sandbox/sandbox.h"
#include "wire/vnet.h"

#define KILL_S	2	/* main is long in ending if not by then */

/* Main ends the attachment then. To exit before it has read the message could
 * look like a crash to it: wait for the end. */
static void say_gone(int main_fd)
{
	const struct msg_engine gone = { .kind = MSG_TAP_GONE };
	char byte;

	if (msg_send(main_fd, &gone, sizeof(gone), -1) < 0)
		return;
	while (read(main_fd, &byte, sizeof(byte)) > 0)
		continue;
}

static_assert(IO_INNER <= MSG_FDS_MAX, "one message fills a pool");

/* What inner sockets are short of is asked for; without an answer it is asked for
 * again later. */
static void ask_for_inner(struct ctx *c, int main_fd)
{
	for (uint32_t i = 0; i < 2 * CONF_PROTO_COUNT; i++) {
		const enum conf_proto proto = (enum conf_proto)(i / 2);
		const struct msg_engine m = {
			.kind = MSG_INNER_WANTED, .proto = proto, .ipv4 = i % 2,
			.count = splice_inner_ask(c, proto, i % 2),
		};

		if (m.count)
			msg_send_fds(main_fd, &m, sizeof(m), NULL, 0);
	}
}

static bool take_inner(struct ctx *c, int main_fd)
{
	struct msg_inner m;
	int fd[MSG_FDS_MAX];
	uint32_t n;

	if (msg_recv_fds(main_fd, &m, sizeof(m), fd, &n) < 0)
		return false;
	if (!msg_inner_done_ok(&m, n)) {
		msg_close_fds(fd, n);
		return false;
	}
	splice_inner_add(c, (enum conf_proto)m.proto, m.ipv4, fd, n);
	return true;
}

/* Main checks what it reads there, and asks again only when this was said. */
static bool show(struct ctx *c, struct view_page *page, const struct msg_forward *m, int main_fd)
{
	const struct msg_engine viewed = { .kind = MSG_VIEWED, .seq = m->seq };

	view_fill(&c->flows, &c->pool, m->idx, c->now, page);
	page->seq = m->seq;
	return msg_send(main_fd, &viewed, sizeof(viewed), -1) == 0;
}

/* Two places for the network there is: what it was is still needed for the change. */
static bool take_network(struct ctx *c, int main_fd)
{
	static struct netcfg nets[2];
	struct netcfg *now = &nets[c->net == &nets[0]];
	struct msg_network m;

	if (msg_recv(main_fd, &m, sizeof(m), NULL) < 0 || !msg_network_ok(&m))
		return false;
	*now = m.net;
	network_change(c, now);
	return true;
}

static bool take_forward(struct ctx *c, struct view_page *page, int main_fd)
{
	const struct msg_engine synced = { .kind = MSG_SYNCED };
	struct msg_forward m;
	FD_OWNED int fd = -1;
	int rc = msg_recv(main_fd, &m, sizeof(m), &fd);

	if (rc < 0 || !msg_forward_ok(&m) || (m.kind == MSG_FORWARD_OPEN) != (fd >= 0))
		return false;
	if (m.kind == MSG_SYNC)
		return msg_send(main_fd, &synced, sizeof(synced), -1) == 0;
	if (m.kind == MSG_RESUMED) {
		network_resumed(c);
		return true;
	}
	if (m.kind == MSG_VIEW)
		return show(c, page, &m, main_fd);
	if (m.kind == MSG_FORWARD_CLOSE) {
		loop_unlisten(c, m.idx);
		return true;
	}
	m.forward.sock = fd_take(&fd);
	return loop_listen_one(c, m.idx, &m.forward) == 0;
}

static bool take_resolvers(struct ctx *c, int main_fd)
{
	struct msg_resolvers m;

	if (msg_recv(main_fd, &m, sizeof(m), NULL) < 0 || !msg_resolvers_ok(&m))
		return false;
	dns_set_resolvers(c, &m.resolvers);
	return true;
}

static bool take_capture(struct ctx *c, int main_fd)
{
	struct msg_capture m;

	if (msg_recv(main_fd, &m, sizeof(m), NULL) < 0 || !msg_capture_ok(&m))
		return false;
	capture_set(&c->io->capture, m.place, &m.order);
	return true;
}

static bool take_stream(struct ctx *c, int main_fd)
{
	struct msg_stream m;
	FD_OWNED int fd = -1;

	if (msg_recv(main_fd, &m, sizeof(m), &fd) < 0 || !msg_stream_ok(&m) || fd < 0 ||
	    !c->io->stream)
		return false;
	stream_connect(c, fd_take(&fd), m.seq);
	return true;
}

static bool say_stream_gone(struct ctx *c, int main_fd)
{
	const struct msg_engine gone = {
		.kind = MSG_STREAM_GONE, .seq = c->io->stream_seq, .why = (uint32_t)c->io->stream_why,
	};

	c->io->stream_gone = false;
	return msg_send(main_fd, &gone, sizeof(gone), -1) == 0;
}

/* One message of main; false: main is gone, or not to be believed. */
static bool serve_main(struct ctx *c, struct view_page *page, int main_fd)
{
	uint32_t kind;

	if (msg_peek_kind(main_fd, &kind) < 0)
		return false;
	switch (kind) {
	case MSG_INNER_DONE:
		return take_inner(c, main_fd);
	case MSG_RESOLVERS:
		return take_resolvers(c, main_fd);
	case MSG_NETWORK:
		return take_network(c, main_fd);
	case MSG_CAPTURE:
		return take_capture(c, main_fd);
	case MSG_STREAM:
		return take_stream(c, main_fd);
	default:
		return take_forward(c, page, main_fd);
	}
}

static void run(struct ctx *c, struct view_page *page, int main_fd)
{
	for (;;) {
		switch (loop_run(c)) {
		case LOOP_INNER:
			ask_for_inner(c, main_fd);
			break;
		case LOOP_MAIN:
			if (serve_main(c, page, main_fd))
				break;
			return;
		case LOOP_STREAM:
			if (say_stream_gone(c, main_fd))
				break;
			return;
		case LOOP_END:
			return;
		}
	}
}

static int seal(const struct engine_args *args)
{
	struct err e = ERR_INIT;

	if (sandbox_seal_engine(&args->counters->forbidden_engine, &e) == 0)
		return 0;
	log_warn("%s", e.msg);
	return args->conf->sandbox_strict ? -EPERM : 0;
}

/* Main's end of our socket closes when main kills us, or dies itself and its other files close
 * beside it. Whoever sees a virtual machine's connection end may start the next passt, for the
 * same socket and ports: all of main's is gone once we are killed too (PDEATHSIG), so the
 * connection stays until then. */
static void await_kill(int main_fd)
{
	const struct timespec none = { 0 }, patience = { .tv_sec = KILL_S };
	struct pollfd p = { .fd = main_fd };

	if (ppoll(&p, 1, &none, NULL) == 1 && (p.revents & POLLHUP))
		ppoll(NULL, 0, &patience, NULL);
}

int engine_main(const struct engine_args *args)
{
	const struct msg_engine running = { .kind = MSG_RUNNING, .pid = (uint32_t)getpid() };
	static struct ctx ctx;	/* large, and one a process: not on the stack */
	struct io io;
	int rc = loop_init(&ctx, &io, args->conf, args->net, args->counters,
			   args->framing ? -1 : args->tap_fd, args->tap_features, args->main_fd);

	if (rc == 0 && (rc = loop_listen(&ctx, args->forwards, args->nforwards)) < 0)
		loop_close(&ctx);
	if (rc < 0) {
		log_error("event=engine_start_failed error=\"%s\"", strerror(-rc));
		return EXIT_FAILURE;
	}
	ctx.flows.tallies = args->tallies;
	orphan_start(&ctx, args->roster, args->number);
	capture_use(&io.capture, &args->capture, ctx.tap_vnet ? VNET_HLEN : 0, ctx.now_us);
	dns_set_resolvers(&ctx, args->resolvers);
	if (args->framing)
		stream_use(&ctx, args->framing);
	if (args->framing && args->tap_fd >= 0)
		stream_connect(&ctx, args->tap_fd, args->stream_seq);
	rc = rawping_use(&ctx, args->rawping_fd);
	if (rc == 0)
		rc = seal(args);
	if (rc == 0)
		rc = msg_send(args->main_fd, &running, sizeof(running), -1);
	if (rc == 0)
		run(&ctx, args->page, args->main_fd);
	loop_close(&ctx);
	if (io.tap_gone)
		say_gone(args->main_fd);
	if (args->framing)
		await_kill(args->main_fd);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
