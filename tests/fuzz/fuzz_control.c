/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes core/base/jsonline.c and core/conf/control.c: a line as it comes from the
 * control socket. What is taken has a verb, and a rule or filter that can be written as text; what
 * is refused says why. Whatever it was can be told in an answer that is one line. */
#include "fuzz.h"

#include "base/jsonline.h"
#include "base/jsonout.h"
#include "conf/control.h"
#include "conf/forward.h"

/* A line that jsonout has written of any text. */
static void write_back(const char *text)
{
	char buf[8 * ERR_MSG_MAX];
	struct jsonout o = jsonout_init(buf, sizeof(buf));

	jsonout_open(&o, NULL, '{');
	jsonout_string(&o, "error", text);
	jsonout_shut(&o, '}');
	jsonout_line(&o);
	FUZZ_HOLDS(!o.failed && o.len > 0 && buf[o.len - 1] == '\n');
	FUZZ_HOLDS(memchr(buf, '\n', o.len) == buf + o.len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_request r;
	struct err e = ERR_INIT;
	char text[FORWARD_STRLEN], filter[CAPTURE_FILTER_TEXT];

	if (size > CONTROL_LINE_MAX || (size && memchr(data, '\n', size)))
		return 0;
	if (control_read((const char *)data, size, &r, &e) < 0) {
		FUZZ_HOLDS(e.code && e.msg[0]);
		write_back(e.msg);
		return 0;
	}
	FUZZ_HOLDS(!e.code && r.verb > 0 && r.verb < CONTROL_VERB_COUNT);
	if (r.verb == CONTROL_ADD || r.verb == CONTROL_DEL) {
		FUZZ_HOLDS(r.rule.proto < CONF_PROTO_COUNT &&
			   r.rule.kind < CONF_FORWARD_KIND_COUNT);
		FUZZ_HOLDS(strlen(forward_format(&r.rule, text)) < sizeof(text));
		write_back(text);
	}
	if (r.verb == CONTROL_CAPTURE) {
		FUZZ_HOLDS(capture_want_ok(&r.want));
		FUZZ_HOLDS(strlen(capture_filter(&r.want, filter)) < sizeof(filter));
		write_back(filter);
	}
	return 0;
}
