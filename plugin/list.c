/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * list: the command `cni-passt list`: every attachment in the store. The daemons are asked
 * twice, LIST_SAMPLE_MS apart, for the rates. A folder whose daemon is gone is shown once
 * and removed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/attach.h"
#include "plugin/command.h"
#include "plugin/crowd.h"
#include "plugin/json/get.h"
#include "plugin/table.h"

#define LIST_SAMPLE_MS	200

enum question { ASK_SHOW, ASK_STATS, ASK_RULES, QUESTIONS };
static const enum control_verb questions[QUESTIONS] = { CONTROL_SHOW, CONTROL_STATS, CONTROL_LIST };

/* What is known of one attachment; objects may be missing: a short-lived daemon or a slow
 * one leaves gaps, and no error. */
struct row {
	const struct state_name *name;
	struct json_object **first;	/* by enum question */
	struct json_object *stats;	/* of the second look */
	const char *health;
};

/* Who does not answer is gone, or not well; one that is gone leaves nothing. */
static const char *judge(const struct row *r)
{
	struct attach a;
	bool lives;

	if (r->stats) {
		struct json_object *gauges = get_member(r->stats, "gauges", json_type_object);

		if (json_object_get_boolean(get_member(gauges, "engine_failing", json_type_boolean)))
			return "failing";
		if (json_object_get_boolean(get_member(gauges, "engine_hung", json_type_boolean)))
			return "hung";
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

/* The values of that key, or the rules, with commas, to free. */
static char *join(struct json_object *o, const char *list_key, const char *only)
{
	size_t n, size;
	struct json_object *list = get_list(o, list_key, &n), *v;
	char *ret = NULL;
	FILE *f = open_memstream(&ret, &size);
	bool any = false;

	for (size_t i = 0; f && i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (only && strcmp(get_str(v, "key"), only) != 0)
			continue;
		fputs(any ? "," : "", f);
		any = true;
		if (only)
			fputs(get_str(v, "value"), f);
		else
			fprintf(f, "%s/%s", get_str(v, "protocol"), get_str(v, "rule"));
	}
	if (f)
		fclose(f);
	return ret;
}

/* Takes the text. */
static void put_joined(struct table *t, char *text)
{
	table_text(t, text ? text : "");
	free(text);
}

static struct json_object *addresses(struct json_object *show)
{
	struct json_object *ret = json_object_new_array(), *v;
	size_t n;
	struct json_object *list = get_list(show, "values", &n);

	for (size_t i = 0; i < n; i++) {
		v = json_object_array_get_idx(list, i);
		if (strcmp(get_str(v, "key"), "addresses") == 0)
			json_object_array_add(ret, json_object_new_string(get_str(v, "value")));
	}
	return ret;
}

static uint64_t counter(struct json_object *stats, const char *a, const char *b)
{
	struct json_object *o = get_member(stats, "counters", json_type_object);

	return command_number(o, a) + command_number(o, b);
}

/* Bytes a second between both looks. */
static uint64_t rate(const struct row *r, const char *a, const char *b)
{
	uint64_t ms = command_number(r->stats, "uptime_ms") - command_number(r->first[ASK_STATS], "uptime_ms");
	uint64_t n = counter(r->stats, a, b) - counter(r->first[ASK_STATS], a, b);

	return r->stats && r->first[ASK_STATS] && ms ? n * 1000 / ms : 0;
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

	json_object_object_add(o, "container", json_object_new_string(r->name->container_id));
	json_object_object_add(o, "interface", json_object_new_string(r->name->ifname));
	json_object_object_add(o, "health", json_object_new_string(r->health));
	if (!r->first[ASK_SHOW] || !r->stats)
		return o;
	json_object_object_add(o, "network", json_object_new_string(get_str(r->first[ASK_SHOW], "network")));
	json_object_object_add(o, "addresses", addresses(r->first[ASK_SHOW]));
	json_object_object_add(o, "ports",
			       json_object_get(get_member(r->first[ASK_RULES], "rules", json_type_array)));
	json_object_object_add(o, "uptime_ms",
			       json_object_new_int64((int64_t)command_number(r->stats, "uptime_ms")));
	json_object_object_add(o, "flows",
			       json_object_new_int64((int64_t)command_number(gauges, "flows")));
	json_object_object_add(o, "out_bytes_per_second", json_object_new_int64((int64_t)out_rate(r)));
	json_object_object_add(o, "in_bytes_per_second", json_object_new_int64((int64_t)in_rate(r)));
	json_object_object_add(o, "engine_restarts",
			       json_object_new_int64((int64_t)command_number(r->stats, "engine_restarts")));
	json_object_object_add(o, "nsagent_restarts",
			       json_object_new_int64((int64_t)command_number(r->stats, "nsagent_restarts")));
	return o;
}

static void add_row(struct table *t, const struct row *r)
{
	struct json_object *gauges = get_member(r->stats, "gauges", json_type_object);
	const uint64_t restarts = command_number(r->stats, "engine_restarts") +
				  command_number(r->stats, "nsagent_restarts");
	char figure[TABLE_TEXT];

	table_text(t, r->name->container_id);
	table_text(t, r->name->ifname);
	table_text(t, r->health);
	table_add(t, "%s", r->stats ? table_time(command_number(r->stats, "uptime_ms"), figure) : "");
	table_add(t, "%llu", (unsigned long long)command_number(gauges, "flows"));
	table_add(t, "%s/s", table_bytes(out_rate(r), figure));
	table_add(t, "%s/s", table_bytes(in_rate(r), figure));
	table_number(t, restarts);
	put_joined(t, join(r->first[ASK_SHOW], "values", "addresses"));
	put_joined(t, join(r->first[ASK_RULES], "rules", NULL));
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

/* Of those that answered the first time. */
static void look_again(struct row *rows, size_t n, int root)
{
	struct state_name *names = calloc(n, sizeof(*names));
	struct json_object **answers = calloc(n, sizeof(*answers));
	size_t asked = 0;

	for (size_t i = 0; names && answers && i < n; i++)
		if (rows[i].first[ASK_STATS])
			names[asked++] = *rows[i].name;
	if (asked)
		crowd_ask(root, names, asked, &questions[ASK_STATS], 1, answers);
	for (size_t i = n; asked && i; i--)
		if (rows[i - 1].first[ASK_STATS])
			rows[i - 1].stats = answers[--asked];
	free(names);
	free(answers);
}

/* Both looks; the second not before LIST_SAMPLE_MS. */
static bool fill(struct row *rows, const struct state_name *names, size_t n, int root)
{
	const int64_t from = clock_ms();
	struct json_object **first = calloc(n + 1, QUESTIONS * sizeof(struct json_object *));
	int64_t left;

	if (!first)
		return false;
	if (!n) {
		free(first);
		return true;
	}
	crowd_ask(root, names, n, questions, QUESTIONS, first);
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct row){ .name = &names[i], .first = &first[i * QUESTIONS] };
	left = from + LIST_SAMPLE_MS - clock_ms();
	if (left > 0)
		usleep((useconds_t)left * 1000);
	look_again(rows, n, root);
	for (size_t i = 0; i < n; i++)
		rows[i].health = judge(&rows[i]);
	return true;
}

static void drop(struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < QUESTIONS; j++)
			json_object_put(rows[i].first[j]);
		json_object_put(rows[i].stats);
	}
	if (n)
		free(rows[0].first);
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
	if (rows && fill(rows, names, n, root)) {
		r = print(c, rows, n);
		drop(rows, n);
	} else {
		r = err_set(c->err, ERR_IO, "out of memory");
		free(rows);
	}
	free(names);
	return r;
}
