/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest: main's side of a virtual machine's connection: the listening socket that its
 * qemu connects to, one connection at a time, and where in it the engines are. Main
 * keeps both open, so that an engine's death ends neither. Reads no byte of it.
 */
#ifndef MAIN_GUEST_H
#define MAIN_GUEST_H

#include <sys/types.h>

#include "base/log.h"
#include "io/framing.h"
#include "main/serve.h"

#define GUEST_PAUSE_MS	100
#define GUEST_BUFFER	(512 << 10)	/* of the socket, as far as the host's limit lets it */

struct guest {
	int listen_fd;		/* -1: the connection itself was handed over */
	int fd;			/* the connection's; -1: there is none */
	uint32_t seq;		/* its number, from 1 on */
	struct framing *framing;	/* shared with the engines; NULL: no virtual machine */
	dev_t dev;		/* of the socket's file, ... */
	ino_t ino;		/* ... 0: none of ours */
	uint64_t again_ms;	/* accept() found no descriptor: not before then */
	struct log_limit said, said_end, said_refused;	/* one line a minute each */
};

#define GUEST_INIT ((struct guest){ .listen_fd = -1, .fd = -1 })

/* fd, which becomes the guest's: a listening socket, or a connected one. 0, or -1 with *e. */
int guest_open(struct guest *g, const struct conf *c, int fd, struct err *e);

/* What to poll for POLLIN, or -1, and when to look again, -1: never. */
int guest_poll_fd(const struct guest *g, uint64_t now_ms);
int guest_wait_ms(const struct guest *g, uint64_t now_ms);

/* It is readable: takes the connection, and tells the engine. While there
 * is one that lives, another is closed at once. */
void guest_accept(struct guest *g, struct serve *s);

/* The engine said that a connection is over. Whether it was the one there is. */
bool guest_gone(struct guest *g, const struct serve_stream *end, uint64_t now_ms);

/* In a forked child: closes what is main's alone. An engine keeps the connection. */
void guest_leave(struct guest *g);

/* Closes everything, and removes the socket's file if it is ours. */
void guest_close(struct guest *g, const struct conf *c);

#endif
