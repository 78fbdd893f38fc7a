/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "io/io.h"
#include "main/msg.h"

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

/* One message of main; false: main is gone, or not to be believed. */
static bool serve_main(struct ctx *c, int main_fd)
{
	const struct msg_engine synced = { .kind = MSG_SYNCED };
	struct msg_forward m;
	FD_OWNED int fd = -1;
	int rc = msg_recv(main_fd, &m, sizeof(m), &fd);

	if (rc < 0 || !msg_forward_ok(&m) || (m.kind == MSG_FORWARD_OPEN) != (fd >= 0))
		return false;
	if (m.kind == MSG_SYNC)
		return msg_send(main_fd, &synced, sizeof(synced), -1) == 0;
	if (m.kind == MSG_FORWARD_CLOSE) {
		loop_unlisten(c, m.idx);
		return true;
	}
	m.forward.sock = fd_take(&fd);
	return loop_listen_one(c, m.idx, &m.forward) == 0;
}

int engine_main(const struct engine_args *args)
{
	const struct msg_engine running = { .kind = MSG_RUNNING, .pid = (uint32_t)getpid() };
	static struct ctx ctx;	/* large, and one a process: not on the stack */
	struct io io;
	int rc = loop_init(&ctx, &io, args->conf, args->net, args->counters, args->tap_fd,
			   args->tap_features, args->main_fd);

	if (rc == 0 && (rc = loop_listen(&ctx, args->forwards, args->nforwards)) < 0)
		loop_close(&ctx);
	if (rc < 0) {
		log_error("event=engine_start_failed error=\"%s\"", strerror(-rc));
		return EXIT_FAILURE;
	}
	rc = rawping_use(&ctx, args->rawping_fd);
	if (rc == 0)
		rc = msg_send(args->main_fd, &running, sizeof(running), -1);
	while (rc == 0 && loop_run(&ctx) && serve_main(&ctx, args->main_fd))
		continue;
	loop_close(&ctx);
	if (io.tap_gone)
		say_gone(args->main_fd);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
