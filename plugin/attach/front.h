/* SPDX-License-Identifier: GPL-2.0-or-later */
/* front: what the programs of all front ends do alike before and around their
 * work. Owns nothing. Called by the main.c of each. */
#ifndef PLUGIN_ATTACH_FRONT_H
#define PLUGIN_ATTACH_FRONT_H

#include <stdint.h>

#include "base/err.h"

/* A missing 0, 1 or 2 would be taken by the next thing opened, and an answer
 * written into that. Opened so that using them fails as if they were missing. */
void front_fill_std_fds(void);

/* Signals that end us arrive by descriptor, so that a half-made attachment is
 * always undone. Returns a signalfd, or -1: then they end us as ever. */
int front_hold_signals(void);

/* The words of CNI_PASST_WITHOUT, if it is set, into *ret. 0, or -1 with *e. */
int front_without(uint32_t *ret, struct err *e);

/* Makes a message fit for JSON and for one line: what is not UTF-8 and what is
 * not printable becomes '?'. A value cut in the middle of a letter is such. */
void front_clean(char *s);

#endif
