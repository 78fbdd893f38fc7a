/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugin/forward.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "conf/forward.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/find.h"

static int misuse(bool *usage, struct err *e, const char *what)
{
	*usage = true;
	err_set(e, ERR_ENV, "forward: %s", what);
	return err_hint(e, "forward ID list, forward ID add|del tcp|udp RULE");
}

static int read_words(int n, char **words, struct control_request *ret, bool *usage, struct err *e)
{
	const char *why;
	int proto = 0;

	*ret = (struct control_request){ .magic = CONTROL_MAGIC, .verb = CONTROL_LIST };
	if (n == 2 && strcmp(words[1], "list") == 0)
		return 0;
	if (n != 4)
		return misuse(usage, e, "too few or too many words");
	if (strcmp(words[1], "add") == 0)
		ret->verb = CONTROL_ADD;
	else if (strcmp(words[1], "del") == 0)
		ret->verb = CONTROL_DEL;
	else
		return misuse(usage, e, "neither list, add nor del");
	while (proto < CONF_PROTO_COUNT && strcmp(words[2], conf_proto_names[proto]) != 0)
		proto++;
	if (proto == CONF_PROTO_COUNT)
		return misuse(usage, e, "neither tcp nor udp");
	why = forward_parse(words[3], (enum conf_proto)proto, &ret->rule);
	return why ? err_set(e, ERR_CONFIG, "forward.%s: \"%.80s\" %s", words[2], words[3], why) : 0;
}

static struct json_object *rule_json(const struct control_rule *r)
{
	struct json_object *o = json_object_new_object();
	char text[FORWARD_STRLEN];

	json_object_object_add(o, "protocol",
			       json_object_new_string(conf_proto_names[r->rule.proto]));
	json_object_object_add(o, "rule", json_object_new_string(forward_format(&r->rule, text)));
	json_object_object_add(o, "listeners", json_object_new_int64(r->listeners));
	if (r->picked)
		json_object_object_add(o, "port", json_object_new_int(r->picked));
	return o;
}

static void print_rule(const struct control_rule *r)
{
	char text[FORWARD_STRLEN];

	printf("%s %s", conf_proto_names[r->rule.proto], forward_format(&r->rule, text));
	if (r->picked)
		printf(" port %u", r->picked);
	if (r->rule.kind != CONF_FORWARD_EXCEPT)
		printf(" listeners %u", r->listeners);
	putchar('\n');
}

static struct json_object *show(const struct control_answer *a, bool want_json)
{
	struct json_object *list = want_json ? json_object_new_array() : NULL;

	for (uint32_t i = 0; i < a->nrules; i++) {
		if (list)
			json_object_array_add(list, rule_json(&a->rules[i]));
		else
			print_rule(&a->rules[i]);
	}
	return list;
}

int forward_command(int nwords, char **words, struct json_object **json, bool want_json,
		    bool *usage, struct err *e)
{
	struct found at = { .fd = -1 };
	struct control_request req;
	struct control_answer answer;
	int r;

	*json = NULL;
	if (read_words(nwords, words, &req, usage, e) < 0 ||
	    find_attachment(words[0], &at, e) < 0)
		return -1;
	r = ask_daemon(at.fd, &req, &answer, e);
	fd_drop(&at.fd);
	if (r < 0) {
		find_explain(&req.rule, 1, at.name, e);
		return -1;
	}
	*json = show(&answer, want_json);
	return 0;
}
