/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * life: a front end's side of the FIFO in an attachment's folder whose reader
 * is the daemon (conf/handoff.h): whether there is one, an order to it, the
 * wait for its end. True in every PID namespace, and never about a stranger.
 * Called by attach.c, ask.c and stop.c.
 */
#ifndef PLUGIN_ATTACH_LIFE_H
#define PLUGIN_ATTACH_LIFE_H

#include <stdbool.h>

#include "conf/handoff.h"

/* Makes the FIFO in folder dir (O_PATH will do) and opens it as the daemon's
 * end. Returns the descriptor, or -errno. */
int life_make(int dir);

/* The front end's end, if a daemon holds the other. Returns the descriptor,
 * -ENXIO if there is no daemon, or another -errno if that cannot be told. */
int life_open(int dir);

/* 0, or -errno: -EPIPE if the daemon has ended, -EAGAIN if it reads nothing. */
int life_order(int fd, enum handoff_order order);

/* True when the daemon has ended and all it made is gone; false on time-out. */
bool life_ended(int fd, int timeout_ms);

/* True when the daemon reads its orders; false on time-out, or if it ended. */
bool life_answers(int fd, int timeout_ms);

#endif
