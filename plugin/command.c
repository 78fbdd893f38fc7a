/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "plugin/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugin/json/get.h"

int command_misuse(struct command *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->usage = true;
	err_set(c->err, ERR_ENV, "%s: %s", c->verb, text);
	return err_hint(c->err, "see cni-passt --help");
}

int command_find(struct command *c, struct found *ret)
{
	if (c->nwords != 1)
		return command_misuse(c, c->nwords ? "one word too many: %.40s" :
				      "the container's id is missing%s",
				      c->nwords ? c->words[1] : "");
	return find_attachment(c->words[0], ret, c->err);
}

int command_flush(struct command *c)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_set(c->err, ERR_IO, "stdout: %s", strerror(errno));
}

int command_print(struct command *c, struct json_object *o)
{
	json_object_object_del(o, "v");
	json_object_object_del(o, "ok");
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE |
					    (c->watch ? JSON_C_TO_STRING_PLAIN :
						       JSON_C_TO_STRING_PRETTY)));
	json_object_put(o);
	return command_flush(c);
}

void command_pause(int64_t from)
{
	int64_t left = from + COMMAND_WATCH_MS - clock_ms();

	if (left > 0)
		usleep((useconds_t)left * 1000);
}

void command_fresh(bool first)
{
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	else if (!first)
		putchar('\n');
}

uint64_t command_number(struct json_object *o, const char *key)
{
	struct json_object *v = get_member(o, key, json_type_int);

	return v ? (uint64_t)json_object_get_int64(v) : 0;
}
