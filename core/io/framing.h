/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing: Ethernet frames in a stream of bytes, each behind its length (32 bits, most
 * significant byte first), as qemu's socket and stream backends have it; both ways, with
 * the bytes that have no whole frame yet, or no room in the socket. No system call:
 * stream.c makes them.
 *
 * All of it lies in memory that engines share, one after the other, so that an engine
 * that dies leaves to the next one exactly where in the stream it was. What makes that
 * exact: bytes move by recvmmsg(2) and sendmmsg(2), whose msg_len the kernel itself
 * writes, here, before the call ends; and all other changes of place are prepared in the
 * one of two structs that does not count, and take effect by one store.
 */
#ifndef IO_FRAMING_H
#define IO_FRAMING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/addr.h"

#define FRAMING_WORD	4u		/* bytes of a length */
#define FRAMING_LEAST	14u		/* an Ethernet header */
#define FRAMING_MOST	65600u		/* 65535 bytes of IP behind an Ethernet header, tags and all */
#define FRAMING_READ	(256u << 10)	/* bytes of one read, at most */
#define FRAMING_IN	(512u << 10)	/* two of them */
#define FRAMING_OUT	(4u << 20)	/* what one flow has to send at once fits in any case */
#define FRAMING_IOV	256		/* pieces of one frame, at most */

/* The bytes head..tail of a way's buffer are under way; in: and m.msg_len more behind
 * them. Out: of them, and then of `direct` bytes that lie elsewhere, m.msg_len have gone. */
struct framing_way {
	uint32_t head, tail;
	uint32_t direct;		/* a frame with its length, 0: none */
	uint8_t word[FRAMING_WORD];	/* that length */
	struct mmsghdr m;
};

struct framing {
	uint32_t seq;			/* of the connection that all this is about */
	uint32_t in_now, out_now;	/* which of the two counts */
	struct framing_way in[2], out[2];
	struct mac guest;		/* who spoke last; zero: nobody yet */
	uint8_t in_bytes[FRAMING_IN], out_bytes[FRAMING_OUT];
};

/* A new connection. */
void framing_reset(struct framing *f, uint32_t seq);

/* Takes over from an engine that died: what it had begun to write is ended, with zeros if
 * the rest of the frame is lost. False: this can be no such state, and no frame of the
 * connection could be told from another. */
bool framing_recover(struct framing *f);

/* --- in --- */

/* The message to receive with next. It takes the memory of frames that framing_next()
 * gave. No whole frame may be there. */
struct mmsghdr *framing_reading(struct framing *f, struct iovec *room);

/* The next frame, which stays where it is until framing_reading(): 1; 0: it is not whole
 * yet; -EBADMSG: a length that no frame has. */
int framing_next(struct framing *f, uint8_t **frame, uint32_t *len);

/* Whether framing_next() has something to say. */
bool framing_has(const struct framing *f);

/* --- out --- */

/* Bytes that wait. */
uint32_t framing_waiting(const struct framing *f);

/* A frame of n pieces, len bytes in all, is put to them. False: there is no room. */
bool framing_put(struct framing *f, const struct iovec *iov, int n, size_t len);

/* The message to send next: all that waits, and behind it that frame (n 0: none). pieces:
 * room for n + 2. */
struct mmsghdr *framing_writing(struct framing *f, struct iovec *pieces, const struct iovec *iov,
				int n, size_t len);

/* It was sent, as far as msg_len says; the same frame. True: it goes whole, what is left
 * of it waits. False: nothing of it went. */
bool framing_wrote(struct framing *f, const struct iovec *iov, int n);

#endif
