/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prometheus: `cni-passt stats --prometheus`: counters and gauges of one attachment or of
 * all in Prometheus' text exposition format 0.0.4, for node_exporter's textfile collector.
 * Base units in the names, all samples of a metric together, an attachment that does not
 * answer as cni_passt_up 0.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/command.h"
#include "plugin/crowd.h"
#include "plugin/json/get.h"

/* One attachment's answer; stats is NULL where there was none. */
struct sample {
	char container[CONF_ID_MAX + 1], interface[CONF_IFNAME_MAX + 1];
	struct json_object *stats;
};

struct samples {
	struct sample *list;
	size_t n;
	struct json_object *help;	/* of counters, by name; NULL: not known */
};

/* What stands in an answer itself, and the gauges. */
static const struct metric {
	const char *part, *name, *as, *type, *help;
	double unit;		/* the answer's number of these is one */
} metrics[] = {
	{ "", "uptime_ms", "uptime_seconds", "gauge", "since the attachment began", 1e3 },
	{ "", "cpu_us", "cpu_seconds_total", "counter", "processor time of all its processes", 1e6 },
	{ "", "engine_restarts", "engine_restarts_total", "counter", "engines started again", 1 },
	{ "", "nsagent_restarts", "nsagent_restarts_total", "counter", "nsagents started again", 1 },
	{ "gauges", "engine_up", "engine_up", "gauge", "1 while an engine answers", 1 },
	{ "gauges", "engine_hung", "engine_hung", "gauge", "1 while it runs and does not answer", 1 },
	{ "gauges", "engine_failing", "engine_failing", "gauge",
	  "1 while it dies again and again", 1 },
	{ "gauges", "nsagent_failing", "nsagent_failing", "gauge",
	  "1 while it dies again and again", 1 },
	{ "gauges", "listeners", "listeners", "gauge", "sockets that wait for clients", 1 },
	{ "gauges", "captures", "captures", "gauge", "captures under way", 1 },
	{ "gauges", "flows", "flows", "gauge", "connections and associations open", 1 },
	{ "gauges", "flows_max", "flows_max", "gauge", "of them at most", 1 },
	{ "gauges", "held_bytes", "held_bytes", "gauge", "taken and not passed on yet", 1 },
	{ "gauges", "reserved_bytes", "reserved_bytes", "gauge", "set aside for flows", 1 },
	{ "gauges", "arena_bytes", "arena_bytes", "gauge", "of them at most", 1 },
};

static void print_escaped(const char *s, bool quotes)
{
	for (; *s; s++)
		if (*s == '\n')
			fputs("\\n", stdout);
		else if (*s == '\\' || (*s == '"' && quotes))
			printf("\\%c", *s);
		else
			putchar(*s);
}

static void print_head(const char *as, const char *type, const char *help)
{
	if (help && help[0]) {
		printf("# HELP cni_passt_%s ", as);
		print_escaped(help, false);
		putchar('\n');
	}
	printf("# TYPE cni_passt_%s %s\n", as, type);
}

static void print_labels(const char *as, const struct sample *s)
{
	printf("cni_passt_%s{container=\"", as);
	print_escaped(s->container, true);
	fputs("\",interface=\"", stdout);
	print_escaped(s->interface, true);
	fputs("\"} ", stdout);
}

static struct json_object *part_of(struct json_object *stats, const char *part)
{
	return part[0] ? get_member(stats, part, json_type_object) : stats;
}

static void print_up(const struct samples *s)
{
	print_head("up", "gauge", "1 where the daemon answers");
	for (size_t i = 0; i < s->n; i++) {
		print_labels("up", &s->list[i]);
		puts(s->list[i].stats ? "1" : "0");
	}
}

static void print_metric(const struct samples *s, const struct metric *m)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		struct json_object *v;

		if (!json_object_object_get_ex(part_of(s->list[i].stats, m->part), m->name, &v))
			continue;
		if (!any)
			print_head(m->as, m->type, m->help);
		any = true;
		print_labels(m->as, &s->list[i]);
		if (json_object_is_type(v, json_type_boolean))
			puts(json_object_get_boolean(v) ? "1" : "0");
		else if (m->unit == 1)
			printf("%llu\n", (unsigned long long)json_object_get_int64(v));
		else
			printf("%.15g\n", (double)json_object_get_int64(v) / m->unit);
	}
}

/* Names are the daemons': those of the first that answers (of one version they have the
 * same). */
static void print_counters(const struct samples *s)
{
	struct json_object *first = NULL;

	for (size_t i = 0; i < s->n && !first; i++)
		first = get_member(s->list[i].stats, "counters", json_type_object);
	if (!first)
		return;
	json_object_object_foreach(first, name, v) {
		char as[96];

		if (!json_object_is_type(v, json_type_int))
			continue;
		snprintf(as, sizeof(as), "%s_total", name);
		print_metric(s, &(struct metric){ "counters", name, as, "counter",
						  get_str(s->help, name), 1 });
	}
}

/* --- asking -------------------------------------------------------------------- */

static void name(struct sample *s, const char *container, const char *interface)
{
	snprintf(s->container, sizeof(s->container), "%s", container);
	snprintf(s->interface, sizeof(s->interface), "%s", interface);
}

/* What counters mean, of the first daemon that knows: one of an older version does not. */
static void ask_help(struct samples *s, const char *container, const char *interface)
{
	char id[CONF_ID_MAX + CONF_IFNAME_MAX + 2];
	struct found at = { .fd = -1 };
	struct json_object *answer;

	snprintf(id, sizeof(id), "%s/%s", container, interface);
	if (find_attachment(id, &at, NULL) < 0)
		return;
	answer = ask_daemon(at.fd, ask_request(CONTROL_COUNTERS), NULL);
	fd_drop(&at.fd);
	s->help = json_object_get(get_member(answer, "counters", json_type_object));
	json_object_put(answer);
}

static int fill_all(struct samples *s, struct err *e)
{
	static const enum control_verb verb = CONTROL_STATS;
	struct state_name *names = NULL;
	struct json_object **answers = NULL;
	FD_OWNED int root = state_root(false, e);
	bool there;

	if (root == -ENOENT)
		return 0;
	if (root < 0 || state_list(&names, &s->n, e) < 0)
		return -1;
	s->list = calloc(s->n ? s->n : 1, sizeof(*s->list));
	answers = calloc(s->n ? s->n : 1, sizeof(*answers));
	there = s->list && answers;
	if (there)
		crowd_ask(root, names, s->n, &verb, 1, answers);
	for (size_t i = 0; there && i < s->n; i++) {
		name(&s->list[i], names[i].container_id, names[i].ifname);
		s->list[i].stats = answers[i];
	}
	s->n = there ? s->n : 0;
	free(answers);
	free(names);
	return there ? 0 : err_set(e, ERR_IO, "out of memory");
}

static int fill_one(struct command *c, struct samples *s)
{
	struct found at = { .fd = -1 };
	struct json_object *stats;

	if (command_find(c, &at) < 0)
		return -1;
	stats = ask_daemon(at.fd, ask_request(CONTROL_STATS), c->err);
	fd_drop(&at.fd);
	if (!stats)
		return -1;
	s->list = calloc(1, sizeof(*s->list));
	if (!s->list) {
		json_object_put(stats);
		return err_set(c->err, ERR_IO, "out of memory");
	}
	s->list->stats = stats;
	name(s->list, get_str(stats, "container"), get_str(stats, "interface"));
	s->n = 1;
	return 0;
}

static void drop(struct samples *s)
{
	for (size_t i = 0; i < s->n; i++)
		json_object_put(s->list[i].stats);
	free(s->list);
	json_object_put(s->help);
}

int prometheus_command(struct command *c)
{
	struct samples s = { .n = 0 };
	int r;

	if (c->watch || c->json)
		return command_misuse(c, "--prometheus goes with neither --watch nor --json");
	r = c->nwords ? fill_one(c, &s) : fill_all(&s, c->err);
	for (size_t i = 0; r == 0 && i < s.n && !s.help; i++)
		if (s.list[i].stats)
			ask_help(&s, s.list[i].container, s.list[i].interface);
	if (r == 0 && s.n) {
		print_up(&s);
		for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
			print_metric(&s, &metrics[i]);
		print_counters(&s);
	}
	if (r == 0)
		r = command_flush(c);
	drop(&s);
	return r;
}
