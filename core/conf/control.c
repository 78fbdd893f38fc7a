/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/control.h"

#include <string.h>

static bool terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool rule_ok(const struct conf_forward *f)
{
	uint8_t ready, weak;

	memcpy(&ready, &f->ready, sizeof(ready));	/* may hold neither true nor false */
	memcpy(&weak, &f->weak, sizeof(weak));
	return f->proto < CONF_PROTO_COUNT && f->kind < CONF_FORWARD_KIND_COUNT && ready <= 1 && weak <= 1 &&
	       terminated(f->ifname, sizeof(f->ifname)) &&
	       (!f->ifname[0] || conf_ifname_ok(f->ifname));
}

bool control_request_ok(const struct control_request *r, size_t n)
{
	return n == sizeof(*r) && r->magic == CONTROL_MAGIC && r->verb &&
	       r->verb < CONTROL_VERB_COUNT && rule_ok(&r->rule);
}

bool control_answer_ok(const struct control_answer *a, size_t n)
{
	if (n < control_answer_size(0) || a->magic != CONTROL_MAGIC ||
	    a->nrules > CONF_FORWARDS_MAX || n != control_answer_size(a->nrules) ||
	    !terminated(a->err.msg, sizeof(a->err.msg)) ||
	    !terminated(a->err.details, sizeof(a->err.details)))
		return false;
	for (uint32_t i = 0; i < a->nrules; i++)
		if (!rule_ok(&a->rules[i].rule))
			return false;
	return true;
}
