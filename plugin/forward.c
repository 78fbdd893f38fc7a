/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/forward.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "conf/forward.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/find.h"
#include "plugin/command.h"
#include "plugin/json/get.h"
#include "plugin/table.h"

static int misuse(bool *usage, struct err *e, const char *what)
{
	*usage = true;
	err_set(e, ERR_ENV, "forward: %s", what);
	return err_hint(e, "forward ID list, forward ID add|del tcp|udp RULE");
}

/* What the words ask for; the rule is read here first, for the error's sake. */
static struct json_object *read_words(int n, char **words, struct conf_forward *rule, bool *usage,
				      struct err *e)
{
	struct json_object *o;
	const char *why;
	int proto = 0;
	bool add;

	if (n == 2 && strcmp(words[1], "list") == 0)
		return ask_request(CONTROL_LIST);
	add = n == 4 && strcmp(words[1], "add") == 0;
	if (n != 4)
		misuse(usage, e, "too few or too many words");
	else if (!add && strcmp(words[1], "del") != 0)
		misuse(usage, e, "neither list, add nor del");
	if (*usage)
		return NULL;
	while (proto < CONF_PROTO_COUNT && strcmp(words[2], conf_proto_names[proto]) != 0)
		proto++;
	if (proto == CONF_PROTO_COUNT) {
		misuse(usage, e, "neither tcp nor udp");
		return NULL;
	}
	why = forward_parse(words[3], (enum conf_proto)proto, rule);
	if (why) {
		*usage = true;
		err_set(e, ERR_CONFIG, "forward.%s: \"%.80s\" %s", words[2], words[3], why);
		return NULL;
	}
	o = ask_request(add ? CONTROL_ADD : CONTROL_DEL);
	json_object_object_add(o, "protocol", json_object_new_string(words[2]));
	json_object_object_add(o, "rule", json_object_new_string(words[3]));
	return o;
}

static void add_rule(struct table *t, struct json_object *o)
{
	static const char *const bytes[] = { "tx_bytes", "rx_bytes" };
	static const char *const numbers[] = { "listeners", "clients", "refused" };
	char text[TABLE_TEXT];

	table_text(t, get_str(o, "protocol"));
	table_text(t, get_str(o, "rule"));
	if (get_member(o, "port", json_type_int))
		table_number(t, command_number(o, "port"));
	else
		table_text(t, "");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (get_str(o, "rule")[0] == '~')
			table_text(t, "");
		else
			table_number(t, command_number(o, numbers[i]));
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
		table_text(t, get_str(o, "rule")[0] == '~' ? "" :
			      table_bytes(command_number(o, bytes[i]), text));
	table_text(t, get_str(o, "from"));
}

static int print_rules(struct json_object *list, size_t n, struct err *e)
{
	static const struct table_column columns[] = {
		{ "PROTO", false, 0, 0 }, { "RULE", false, 0, 0 }, { "PORT", true, 3, 0 },
		{ "LISTENERS", true, 2, 0 }, { "CLIENTS", true, 0, 0 }, { "REFUSED", true, 1, 0 },
		{ "OUT", true, 0, 0 }, { "IN", true, 0, 0 }, { "FROM", false, 4, 0 },
	};
	struct table t = table_init(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < n; i++)
		add_rule(&t, json_object_array_get_idx(list, i));
	if (!table_print(&t))
		return err_set(e, ERR_IO, "out of memory");
	return fflush(stdout) == 0 ? 0 : err_set(e, ERR_IO, "stdout: %s", strerror(errno));
}

int forward_command(int nwords, char **words, struct json_object **json, bool want_json,
		    bool *usage, struct err *e)
{
	struct found at = { .fd = -1 };
	struct json_object *request, *answer, *list;
	struct conf_forward rule = { .first = 0 };
	int r = 0;
	size_t n;

	*json = NULL;
	request = read_words(nwords, words, &rule, usage, e);
	if (!request)
		return -1;
	if (find_attachment(words[0], &at, e) < 0) {
		json_object_put(request);
		return -1;
	}
	answer = ask_daemon(at.fd, request, e);
	fd_drop(&at.fd);
	if (!answer) {
		find_explain(&rule, 1, at.name, e);
		return -1;
	}
	list = get_list(answer, "rules", &n);
	if (want_json)
		*json = json_object_get(list);
	else if (n)
		r = print_rules(list, n, e);
	json_object_put(answer);
	return r;
}
