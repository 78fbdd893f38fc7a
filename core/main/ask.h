/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask: the core asked a question instead of being told to attach: whether an
 * interface is as it was made, whether one could be made. It goes the ways an
 * attachment goes (ns.c, tun.c, netlink.c), answers and ends; nothing stays.
 */
#ifndef MAIN_ASK_H
#define MAIN_ASK_H

/* Both run with the descriptors of enum handoff_fd that handoff.h says.
 * Return the exit status: 0 answered, 1 nobody took the answer, 2 nobody asked. */
int ask_check(void);
int ask_status(void);

#endif
