/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/origin.h"

#include <assert.h>
#include <string.h>

#include "base/base.h"

const char *const origin_names[] = {
	"default", "configuration", "CNI_ARGS", "runtimeConfig", "ipam", "annotation", "host",
	"command line", "command",
};

const char *const origin_key_names[] = {
#define X(key, name) name,
	ORIGIN_KEYS(X)
#undef X
};

static_assert(ARRAY_LEN(origin_names) == ORIGIN_COUNT, "a name for each origin");

enum origin_key origin_key_find(const char *name)
{
	int i = 0;

	while (i < ORIGIN_KEY_COUNT && (!name[0] || strcmp(origin_key_names[i], name) != 0))
		i++;
	return (enum origin_key)i;
}
