/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list: the command `cni-passt list`: every attachment in the store. Each daemon is asked
 * twice, LIST_SAMPLE_MS apart, for the rates. A folder whose daemon is gone is shown once
 * and removed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/attach.h"
#include "plugin/attach/find.h"
#include "plugin/command.h"
#include "plugin/json/get.h"
#include "plugin/table.h"

#define LIST_SAMPLE_MS	200
#define TEXT_MAX	256	/* bytes of addresses or ports of one line */

/* What is known of one attachment; objects may be missing. */
struct row {
	const struct state_name *name;
	struct json_object *show, *first, *stats, *rules;
	const char *health;
};

/* A short-lived daemon or a slow one leaves gaps, and no error. */
static void ask_first(struct row *r, int root)
{
	FD_OWNED int fd = find_folder(root, r->name);
	struct ask a;

	if (fd < 0 || ask_open(&a, fd, NULL) < 0)
		return;
	r->show = ask_line(&a, ask_request(CONTROL_SHOW), NULL);
	if (r->show)
		r->first = ask_line(&a, ask_request(CONTROL_STATS), NULL);
	if (r->first)
		r->rules = ask_line(&a, ask_request(CONTROL_LIST), NULL);
	ask_close(&a);
}

static void ask_again(struct row *r, int root)
{
	FD_OWNED int fd = r->first ? find_folder(root, r->name) : -1;

	if (fd >= 0)
		r->stats = ask_daemon(fd, ask_request(CONTROL_STATS), NULL);
}

/* Who does not answer is gone, or not well; one that is gone leaves nothing. */
static const char *judge(const struct row *r)
{
	struct attach a;
	bool lives;

	if (r->stats) {
		struct json_object *gauges = get_member(r->stats, "gauges", json_type_object);

		if (json_object_get_boolean(get_member(gauges, "engine_failing", json_type_boolean)))
			return "failing";
		return json_object_get_boolean(get_member(gauges, "engine_up", json_type_boolean)) ?
		       "ok" : "restarting";
	}
	if (attach_try(&a, r->name->container_id, r->name->ifname, NULL) != 1)
		return "busy";
	lives = attach_lives(&a);
	if (lives)
		attach_done(&a);
	else
		attach_remove(&a, NULL);
	return lives ? "silent" : "gone";
}

/* The values of that key, or member of a list's objects, with commas. */
static void join(struct json_object *o, const char *list_key, const char *only,
		 const char *member, char ret[TEXT_MAX])
{
	size_t n, len = 0;
	struct json_object *list = get_list(o, list_key, &n), *v;

	ret[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (only && strcmp(get_str(v, "key"), only) != 0)
			continue;
		len += (size_t)snprintf(ret + len, TEXT_MAX - len, "%s%s%s%s", len ? "," : "",
					only ? "" : get_str(v, "protocol"), only ? "" : "/",
					get_str(v, member));
		if (len >= TEXT_MAX)
			return;
	}
}

static uint64_t counter(struct json_object *stats, const char *a, const char *b)
{
	struct json_object *o = get_member(stats, "counters", json_type_object);

	return command_number(o, a) + command_number(o, b);
}

/* Bytes a second between both looks. */
static uint64_t rate(const struct row *r, const char *a, const char *b)
{
	uint64_t ms = command_number(r->stats, "uptime_ms") - command_number(r->first, "uptime_ms");
	uint64_t n = counter(r->stats, a, b) - counter(r->first, a, b);

	return r->stats && ms ? n * 1000 / ms : 0;
}

static uint64_t out_rate(const struct row *r)
{
	return rate(r, "tap_rx_bytes", "splice_tx_bytes");
}

/* splice_bytes are both ways. */
static uint64_t in_rate(const struct row *r)
{
	uint64_t all = rate(r, "tap_tx_bytes", "splice_bytes"), out = rate(r, "splice_tx_bytes", "");

	return all > out ? all - out : 0;
}

static struct json_object *row_json(const struct row *r)
{
	struct json_object *o = json_object_new_object();
	struct json_object *gauges = get_member(r->stats, "gauges", json_type_object);
	char text[TEXT_MAX];

	json_object_object_add(o, "container", json_object_new_string(r->name->container_id));
	json_object_object_add(o, "interface", json_object_new_string(r->name->ifname));
	json_object_object_add(o, "health", json_object_new_string(r->health));
	if (!r->show || !r->stats)
		return o;
	json_object_object_add(o, "network", json_object_new_string(get_str(r->show, "network")));
	join(r->show, "values", "addresses", "value", text);
	json_object_object_add(o, "addresses", json_object_new_string(text));
	json_object_object_add(o, "ports",
			       json_object_get(get_member(r->rules, "rules", json_type_array)));
	json_object_object_add(o, "uptime_ms",
			       json_object_new_int64((int64_t)command_number(r->stats, "uptime_ms")));
	json_object_object_add(o, "flows",
			       json_object_new_int64((int64_t)command_number(gauges, "flows")));
	json_object_object_add(o, "out_bytes_per_second", json_object_new_int64((int64_t)out_rate(r)));
	json_object_object_add(o, "in_bytes_per_second", json_object_new_int64((int64_t)in_rate(r)));
	json_object_object_add(o, "engine_restarts",
			       json_object_new_int64((int64_t)command_number(r->stats, "engine_restarts")));
	return o;
}

static void add_row(struct table *t, const struct row *r)
{
	struct json_object *gauges = get_member(r->stats, "gauges", json_type_object);
	char text[TEXT_MAX], figure[TABLE_TEXT];

	table_add(t, "%.24s", r->name->container_id);
	table_add(t, "%s", r->name->ifname);
	table_add(t, "%s", r->health);
	table_add(t, "%s", r->stats ? table_time(command_number(r->stats, "uptime_ms"), figure) : "");
	table_add(t, "%llu", (unsigned long long)command_number(gauges, "flows"));
	table_add(t, "%s/s", table_bytes(out_rate(r), figure));
	table_add(t, "%s/s", table_bytes(in_rate(r), figure));
	table_add(t, "%llu", (unsigned long long)command_number(r->stats, "engine_restarts"));
	join(r->show, "values", "addresses", "value", text);
	table_add(t, "%s", text);
	join(r->rules, "rules", NULL, "rule", text);
	table_add(t, "%s", text);
}

static int print(struct command *c, const struct row *rows, size_t n)
{
	static const struct table_column columns[] = {
		{ "CONTAINER", false, 0, 24 }, { "INTERFACE", false, 4, 0 },
		{ "HEALTH", false, 0, 0 }, { "AGE", true, 6, 0 }, { "FLOWS", true, 5, 0 },
		{ "OUT", true, 3, 0 }, { "IN", true, 2, 0 }, { "RESTARTS", true, 7, 0 },
		{ "ADDRESSES", false, 0, 0 }, { "PORTS", false, 1, 0 },
	};
	struct table t = table_init(columns, ARRAY_LEN(columns));
	struct json_object *o, *list;

	if (!c->json) {
		for (size_t i = 0; i < n; i++)
			add_row(&t, &rows[i]);
		return table_print(&t) ? command_flush(c) :
					 err_set(c->err, ERR_IO, "out of memory");
	}
	o = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, row_json(&rows[i]));
	json_object_object_add(o, "attachments", list);
	return command_print(c, o);
}

static void fill(struct row *rows, size_t n, int root)
{
	for (size_t i = 0; i < n; i++)
		ask_first(&rows[i], root);
	if (n)
		usleep(LIST_SAMPLE_MS * 1000);
	for (size_t i = 0; i < n; i++)
		ask_again(&rows[i], root);
	for (size_t i = 0; i < n; i++)
		rows[i].health = judge(&rows[i]);
}

static void drop(struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_object_put(rows[i].show);
		json_object_put(rows[i].first);
		json_object_put(rows[i].stats);
		json_object_put(rows[i].rules);
	}
	free(rows);
}

int list_command(struct command *c)
{
	struct state_name *names = NULL;
	FD_OWNED int root = -1;
	struct row *rows;
	size_t n = 0;
	int r;

	if (c->nwords)
		return command_misuse(c, "one word too many: %.40s", c->words[0]);
	root = state_root(false, c->err);
	if (root == -1 || (root >= 0 && state_list(&names, &n, c->err) < 0))
		return -1;
	rows = calloc(n ? n : 1, sizeof(*rows));
	for (size_t i = 0; rows && i < n; i++)
		rows[i].name = &names[i];
	if (rows)
		fill(rows, n, root);
	r = rows ? print(c, rows, n) : err_set(c->err, ERR_IO, "out of memory");
	if (rows)
		drop(rows, n);
	free(names);
	return r;
}
