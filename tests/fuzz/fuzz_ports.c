/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes cli/ports.c: any specification. What is taken makes rules that the validator
 * takes too, none of an excluded kind of nonsense; what is refused adds none. */
#include "fuzz.h"

#include "cli/ports.h"

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf_forward rules[CONF_FORWARDS_MAX];
	uint32_t n = 0;
	struct ports p = { .rules = rules, .n = &n, .max = CONF_FORWARDS_MAX, .proto = CONF_UDP };
	const struct ports_ephemeral eph = { 32768, 60999 };
	char text[TEXT_MAX + 1];
	const char *why;

	if (size > TEXT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	why = ports_add(&p, text, eph);
	FUZZ_HOLDS(n <= CONF_FORWARDS_MAX);
	FUZZ_HOLDS(!why || (n == 0 && p.kind == PORTS_DEFAULT));
	for (uint32_t i = 0; i < n; i++) {
		const struct conf_forward *f = &rules[i];

		FUZZ_HOLDS(f->proto == CONF_UDP);
		FUZZ_HOLDS(!f->ifname[0] || conf_ifname_ok(f->ifname));
		if (f->kind == CONF_FORWARD_AUTO)
			continue;
		FUZZ_HOLDS(f->first && f->first <= f->last);
		FUZZ_HOLDS(f->kind == CONF_FORWARD_EXCEPT ||
			   (f->to_first && (uint32_t)f->to_first + (f->last - f->first) <= 65535));
	}
	return 0;
}
