/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes core/conf/control.c: bytes as they come from the socket, as a request and as
 * an answer. What is taken can be written as text. */
#include "fuzz.h"

#include "conf/control.h"
#include "conf/forward.h"

static void use_rule(const struct conf_forward *f)
{
	char text[FORWARD_STRLEN];

	FUZZ_HOLDS(strlen(forward_format(f, text)) < sizeof(text) - 1);
	FUZZ_HOLDS(conf_proto_names[f->proto] && (f->ready == true || f->ready == false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct control_answer a;
	struct control_request r;

	memset(&r, 0, sizeof(r));
	memcpy(&r, data, MIN_OF(size, sizeof(r)));
	if (control_request_ok(&r, size))
		use_rule(&r.rule);
	memset(&a, 0, sizeof(a));
	memcpy(&a, data, MIN_OF(size, sizeof(a)));
	if (!control_answer_ok(&a, size))
		return 0;
	FUZZ_HOLDS(strlen(a.err.msg) < ERR_MSG_MAX && strlen(a.err.details) < ERR_DETAILS_MAX);
	for (uint32_t i = 0; i < a.nrules; i++)
		use_rule(&a.rules[i].rule);
	return 0;
}
