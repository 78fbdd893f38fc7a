/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/capture.h"

#include <stdio.h>

#include "base/bytes.h"

const char *const capture_proto_names[] = { "any", "tcp", "udp", "icmp", "arp" };
const char *const capture_way_names[] = { "both", "in", "out" };

bool capture_want_ok(const struct capture_want *w)
{
	return w->proto < CAPTURE_PROTO_COUNT && w->way < CAPTURE_WAY_COUNT &&
	       (!w->snap || (w->snap >= CAPTURE_SNAP_MIN && w->snap <= CAPTURE_SNAP_MAX)) &&
	       bytes_are_bool(&w->has_prefix) &&
	       w->prefix.len <= (addr_is4(&w->prefix.addr) ? 32 : 128);
}

char *capture_filter(const struct capture_want *w, char buf[CAPTURE_FILTER_TEXT])
{
	char address[PREFIX_STRLEN], port[16];

	snprintf(port, sizeof(port), " port %u", w->port);
	snprintf(buf, CAPTURE_FILTER_TEXT, "%s%s%s%s%s%s%s", w->proto ? " proto " : "",
		 w->proto ? capture_proto_names[w->proto] : "", w->port ? port : "",
		 w->has_prefix ? " address " : "",
		 w->has_prefix ? prefix_format(&w->prefix, address) : "",
		 w->way ? " direction " : "", w->way ? capture_way_names[w->way] : "");
	if (buf[0])
		memmove(buf, buf + 1, strlen(buf));
	return buf;
}
