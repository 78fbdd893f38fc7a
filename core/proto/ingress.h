/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ingress: one frame of the container to whom it concerns. The first code that
 * touches hostile bytes: everything else sees what this has tested. */
#ifndef PROTO_INGRESS_H
#define PROTO_INGRESS_H

#include "proto/ctx.h"

/* A frame of len bytes, virtio-net header first where the tap has one. True if
 * the bytes must stay in place until proto_finish(), or until ingress_keeps() says false. */
bool ingress_frame(struct ctx *c, const void *frame, size_t len);

/* Whether bytes of any frame must stay. */
static inline bool ingress_keeps(const struct ctx *c) { return c->npending || c->nplaced; }

#endif
