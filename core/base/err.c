/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->code = code;
	e->details[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(e->details, sizeof(e->details), fmt, ap);
	va_end(ap);
	return -1;
}

/* Puts s at offset `at` of a message buffer, cut where the buffer ends. */
static void append(char msg[ERR_MSG_MAX], size_t at, const char *s)
{
	size_t n = strlen(s);

	if (at >= ERR_MSG_MAX - 1)
		return;
	if (n > ERR_MSG_MAX - 1 - at)
		n = ERR_MSG_MAX - 1 - at;
	memcpy(msg + at, s, n);
	msg[at + n] = '\0';
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char old[ERR_MSG_MAX];
	va_list ap;
	int n;

	if (!e)
		return -1;
	memcpy(old, e->msg, sizeof(old));
	old[sizeof(old) - 1] = '\0';
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	append(e->msg, (size_t)n, ": ");
	append(e->msg, strlen(e->msg), old);
	return -1;
}

const char *err_name(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ ERR_NONE, "none" },		{ ERR_VERSION, "version" },
		{ ERR_FIELD, "field" },		{ ERR_CONTAINER, "container" },
		{ ERR_ENV, "environment" },	{ ERR_IO, "io" },
		{ ERR_DECODE, "decode" },	{ ERR_CONFIG, "config" },
		{ ERR_NETNS, "netns" },		{ ERR_AGAIN, "again" },
		{ ERR_PRIVILEGE, "privilege" },	{ ERR_EXISTS, "exists" },
		{ ERR_HOSTNET, "host-network" }, { ERR_PORT, "port" },
		{ ERR_INTERNAL, "internal" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "unknown";
}
