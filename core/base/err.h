/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * err: the error a person or a CNI runtime reads. Used while an attachment is
 * set up and torn down, never in the data path: there, a negative errno says
 * that the host failed and an enum wire_err that a peer sent nonsense.
 *
 * Codes below 100 are those of the CNI specification (SPEC.md, "Error"), 100
 * and above are ours.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

enum err_code {
	ERR_NONE = 0,
	ERR_VERSION = 1,	/* incompatible CNI version */
	ERR_FIELD = 2,		/* unsupported field; message holds key and value */
	ERR_CONTAINER = 3,	/* container unknown or gone */
	ERR_ENV = 4,		/* invalid environment variable or option, named */
	ERR_IO = 5,		/* host failed: read, write, fork, netlink ... */
	ERR_DECODE = 6,		/* JSON or hand-over does not decode */
	ERR_CONFIG = 7,		/* configuration decodes and makes no sense */
	ERR_NETNS = 8,		/* network namespace unusable */
	ERR_AGAIN = 11,		/* busy, try again later */
	ERR_UNAVAILABLE = 50,	/* STATUS: no ADD can be served */
	ERR_LIMITED = 51,	/* the same, and what exists may lack connectivity */
	ERR_PRIVILEGE = 100,	/* the caller lacks a right, or /dev/net/tun is closed */
	ERR_EXISTS = 101,	/* attachment or interface exists already */
	ERR_HOSTNET = 102,	/* the outer network has nothing to give */
	ERR_CHECK = 104,	/* the attachment is not as it was made */
	ERR_INTERNAL = 199,	/* our own bug, stated */
};

#define ERR_MSG_MAX	384
#define ERR_DETAILS_MAX	640

/* Plain values, so that it can cross a socket between our own processes. */
struct err {
	int32_t code;
	char msg[ERR_MSG_MAX];		/* one line: what failed and why */
	char details[ERR_DETAILS_MAX];	/* what to do about it; may be empty */
};

#define ERR_INIT ((struct err){ .code = ERR_NONE })

/* Fills *e (which may be NULL) and returns -1, so that a caller can write
 * `return err_set(...)`. The message is cut at ERR_MSG_MAX. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Says what the reader can do about the error already in *e. Returns -1. */
int err_hint(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "prefix: " before the message already in *e. Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code's name for logs ("privilege"), never NULL. */
const char *err_name(int code);

#endif
