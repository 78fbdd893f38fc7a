/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the words between front end and broker (plugin/attach/via.c): bytes of one
 * message, as each of the three. What is believed has bounds and ends. */
#include "fuzz.h"

#include "plugin/attach/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct via_hello h;
	struct via_request r;
	struct via_answer a;

	memset(&r, 0, sizeof(r));
	memcpy(&r, data, MIN_OF(size, sizeof(r)));
	for (uint32_t n = 0; n <= VIA_FDS_MAX + 1; n++)
		if (via_request_ok(&r, n))
			FUZZ_HOLDS(n >= 2 && n <= VIA_FDS_MAX && (r.fds & 3) == 3);
	memset(&a, 0, sizeof(a));
	memcpy(&a, data, MIN_OF(size, sizeof(a)));
	if (via_answer_ok(&a))
		FUZZ_HOLDS(strlen(a.err.msg) < ERR_MSG_MAX && strlen(a.err.details) < ERR_DETAILS_MAX &&
			   !a.pid == !!a.err.code);
	memset(&h, 0, sizeof(h));
	memcpy(&h, data, MIN_OF(size, sizeof(h)));
	if (!via_hello_ok(&h))
		return 0;
	FUZZ_HOLDS(h.names.nnameservers <= CONF_NAMESERVERS_MAX && strlen(h.names.domain) <= CONF_DOMAIN_MAX);
	for (uint32_t i = 0; i < h.names.nsearch; i++)
		FUZZ_HOLDS(strlen(h.names.search[i]) <= CONF_DOMAIN_MAX);
	return 0;
}
