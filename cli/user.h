/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user: who root becomes. --runas changes this whole program, with all it starts; without
 * it engine and nsagent alone are another (conf.run_uid). Called by options.c and pasta.c.
 */
#ifndef CLI_USER_H
#define CLI_USER_H

#include "conf/conf.h"

/* UID, UID:GID, LOGIN or LOGIN:GROUP; a user's group is that of the user database. NULL,
 * or what is wrong with it ("is not ..."). */
const char *user_parse(const char *spec, uint32_t *uid, uint32_t *gid);

/* Whom root leaves engine and nsagent to: the system user that a package may have made
 * for them, else nobody. */
void user_default(struct conf *c);

/* Becomes that user for good. 0, or -1 with *e. */
int user_become(uint32_t uid, uint32_t gid, struct err *e);

#endif
