/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supply: inner sockets on their way from nsagent through main to the engine. Main
 * waits for nobody: a child that takes nothing goes without, and the engine asks
 * again. */
#ifndef MAIN_SUPPLY_H
#define MAIN_SUPPLY_H

#include "main/child.h"
#include "main/msg.h"

/* The engine said MSG_INNER_WANTED. */
void supply_ask(const struct child *nsagent, const struct msg_engine *m);

/* nsagent has said MSG_INNER_DONE. 0, or -errno: nsagent is of no more use. */
int supply_pass(const struct child *nsagent, const struct child *engine);

#endif
