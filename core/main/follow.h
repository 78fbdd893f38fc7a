/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow: listeners that come and go with those of the container's programs: rules
 * of "auto", and all of "listen": "ready". nsagent tells what is listened on.
 *
 * A TCP port of "ready" stays bound all the time, so that nobody takes it, and
 * listens or not; all others are opened and closed.
 */
#ifndef MAIN_FOLLOW_H
#define MAIN_FOLLOW_H

#include "main/msg.h"
#include "main/serve.h"

/* Whether any rule of that protocol has to be followed. */
bool follow_wanted(const struct conf *c, enum conf_proto proto);

/* What the container listens on from now on. */
void follow_ports(struct serve *s, const struct msg_ports *m);

#endif
