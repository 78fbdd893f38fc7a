/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes core/conf/encode.c and the validator behind it: any bytes. What
 * decodes must encode to the very same bytes; what the validator takes it must
 * take again, unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int encode(const struct conf *c, uint8_t buf[ENCODE_MAX])
{
	int n = encode_conf(c, buf, ENCODE_MAX);

	if (n < 0)
		abort();
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[ENCODE_MAX], second[ENCODE_MAX];
	struct err e = ERR_INIT;
	struct conf c;
	int n;

	if (encode_parse(data, size, &c) < 0)
		return 0;
	n = encode(&c, first);
	if ((size_t)n != size || memcmp(first, data, size) != 0)
		abort();
	if (conf_validate(&c, &e) < 0) {
		if (!e.code || !e.msg[0])
			abort();
		return 0;
	}
	n = encode(&c, first);
	if (conf_validate(&c, &e) < 0 || encode(&c, second) != n ||
	    memcmp(first, second, (size_t)n) != 0)
		abort();
	return 0;
}
