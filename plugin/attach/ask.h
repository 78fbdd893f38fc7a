/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ask: one request to a running daemon over its control socket (conf/control.h). */
#ifndef PLUGIN_ATTACH_ASK_H
#define PLUGIN_ATTACH_ASK_H

#include "conf/control.h"

/* state_fd: the attachment's folder. 0 with *ret, whose err.code is 0; else -1 with
 * *e: the daemon's own error, or why it could not be asked. */
int ask_daemon(int state_fd, const struct control_request *r, struct control_answer *ret,
	       struct err *e);

#endif
