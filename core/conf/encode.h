/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode: struct conf to and from bytes, versioned, field by field (never the
 * struct's own memory), and its carrier: a memfd sealed against change, so
 * that what was validated is what is used.
 */
#ifndef CONF_ENCODE_H
#define CONF_ENCODE_H

#include <stddef.h>

#include "conf/conf.h"

#define ENCODE_VERSION	10
#define ENCODE_MAX	32768	/* bytes of one encoded configuration */

/* Encodes into buf; returns the length or -EMSGSIZE. */
int encode_conf(const struct conf *c, void *buf, size_t size);

/* Decodes exactly len bytes; trailing or missing bytes, an unknown version and
 * values out of range are -EBADMSG; *ret is untouched on failure. Strings come
 * out NUL-terminated. The caller validates. */
int encode_parse(const void *buf, size_t len, struct conf *ret);

/* A sealed memfd (F_SEAL_SEAL|SHRINK|GROW|WRITE) of c, or -errno. */
int encode_memfd(const struct conf *c);

/* Reads such a memfd; refuses one that is not sealed (-EPERM). */
int encode_from_memfd(int fd, struct conf *ret);

#endif
