/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes core/conf/forward.c: any text. What is taken must be written as text that
 * is read as the same rule; what is refused leaves the rule untouched. */
#include "fuzz.h"

#include "conf/forward.h"

#define TEXT_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1], buf[FORWARD_STRLEN], again[FORWARD_STRLEN];
	struct conf_forward f, g;

	if (size > TEXT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	FUZZ_POISON(f);
	if (forward_parse(text, CONF_TCP, &f)) {
		FUZZ_POISONED(f);
		return 0;
	}
	forward_format(&f, buf);
	FUZZ_HOLDS(strlen(buf) < FORWARD_STRLEN - 1);
	FUZZ_HOLDS(forward_parse(buf, CONF_TCP, &g) == NULL);
	FUZZ_HOLDS(strcmp(forward_format(&g, again), buf) == 0);
	FUZZ_HOLDS(f.first == g.first && f.last == g.last && f.to_first == g.to_first);
	FUZZ_HOLDS(addr_eq(&f.addr, &g.addr) && addr_eq(&f.to, &g.to));
	return 0;
}
