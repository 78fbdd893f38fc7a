/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show: the command `cni-passt show ID`: what an attachment is, and from where each
 * value came. */
#include <stdio.h>
#include <time.h>

#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/front.h"
#include "plugin/command.h"
#include "plugin/json/get.h"
#include "plugin/table.h"

/* Names are others': a terminal gets them without control characters. */
static void print_text(const char *label, struct json_object *o, const char *key)
{
	char text[CONF_PATH_MAX];

	snprintf(text, sizeof(text), "%s", get_str(o, key));
	front_clean(text);
	printf("%-10s %s\n", label, text);
}

static void print_since(struct json_object *o)
{
	time_t since = (time_t)command_number(o, "since");
	char stamp[32] = "", text[TABLE_TEXT];
	struct tm tm;

	if (gmtime_r(&since, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("since      %s (%s)\n", stamp, table_time(command_number(o, "uptime_ms"), text));
}

static void print_list(struct json_object *o, const char *key)
{
	size_t n;
	struct json_object *list = get_list(o, key, &n);

	printf("%s  ", key);
	for (size_t i = 0; i < n; i++)
		printf(" %s", json_object_get_string(json_object_array_get_idx(list, i)));
	puts(n ? "" : " none");
}

static void print_head(struct json_object *o)
{
	bool guest = get_str(o, "socket")[0] != '\0';

	print_text("container", o, "container");
	print_text("interface", o, "interface");
	print_text("network", o, "network");
	print_text(guest ? "socket" : "namespace", o, guest ? "socket" : "netns");
	print_text("version", o, "version");
	printf("processes  main %llu, engine %llu, nsagent %llu\n",
	       (unsigned long long)command_number(o, "pid"),
	       (unsigned long long)command_number(o, "engine_pid"),
	       (unsigned long long)command_number(o, "nsagent_pid"));
	print_since(o);
	printf("restarts   engine %llu, nsagent %llu\n",
	       (unsigned long long)command_number(o, "engine_restarts"),
	       (unsigned long long)command_number(o, "nsagent_restarts"));
	printf("cpu        %.2f s\n", (double)command_number(o, "cpu_us") / 1e6);
	print_text("end seen", o, "watch");
	print_list(o, "offloads");
	putchar('\n');
}

static int print_values(struct command *c, struct json_object *o)
{
	static const struct table_column columns[] = { { "KEY", false, 0, 0 },
						       { "VALUE", false, 0, 0 },
						       { "FROM", false, 0, 0 } };
	struct table t = table_init(columns, ARRAY_LEN(columns));
	size_t n;
	struct json_object *list = get_list(o, "values", &n);

	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		table_text(&t, get_str(v, "key"));
		table_text(&t, get_str(v, "value"));
		table_text(&t, get_str(v, "from"));
	}
	return table_print(&t) ? 0 : err_set(c->err, ERR_IO, "out of memory");
}

int show_command(struct command *c)
{
	struct found at = { .fd = -1 };
	struct json_object *o;
	int r = command_find(c, &at);

	if (r < 0)
		return r;
	o = ask_daemon(at.fd, ask_request(CONTROL_SHOW), c->err);
	fd_drop(&at.fd);
	if (!o)
		return -1;
	if (c->json)
		return command_print(c, o);
	print_head(o);
	r = print_values(c, o);
	json_object_put(o);
	return r < 0 ? r : command_flush(c);
}
