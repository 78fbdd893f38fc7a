/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/supply.h"

#include <errno.h>

void supply_ask(const struct child *nsagent, const struct msg_engine *m)
{
	const struct msg_inner ask = {
		.kind = MSG_INNER, .proto = m->proto, .ipv4 = m->ipv4, .count = m->count,
	};

	if (nsagent->sock >= 0)
		msg_send_fds(nsagent->sock, &ask, sizeof(ask), NULL, 0);
}

int supply_pass(const struct child *nsagent, const struct child *engine)
{
	struct msg_inner m;
	int fd[MSG_FDS_MAX];
	uint32_t n;
	int r = msg_recv_fds(nsagent->sock, &m, sizeof(m), fd, &n);

	if (r < 0)
		return r;
	if (!msg_inner_done_ok(&m, n))
		r = -EBADMSG;
	else if (engine->sock >= 0)
		msg_send_fds(engine->sock, &m, sizeof(m), fd, n);
	msg_close_fds(fd, n);
	return r;
}
