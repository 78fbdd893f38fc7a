/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats: the command `cni-passt stats ID`: what passed, what was dropped and why, what is
 * in use. With --prometheus in the text exposition format, and without an id of all
 * attachments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/attach/find.h"
#include "plugin/command.h"
#include "plugin/json/get.h"
#include "plugin/table.h"

/* One protocol's line: counters of packets and bytes each way; "": it has none. */
struct line {
	const char *name, *out_packets, *out_bytes, *in_packets, *in_bytes;
};

static const struct line lines[] = {
	{ "tcp", "tcp_tx_segments", "tcp_tx_bytes", "tcp_rx_segments", "tcp_rx_bytes" },
	{ "udp", "udp_tx_datagrams", "udp_tx_bytes", "udp_rx_datagrams", "udp_rx_bytes" },
	{ "ping", "icmp_tx_echo", "icmp_tx_bytes", "icmp_rx_echo", "icmp_rx_bytes" },
	{ "splice", "", "splice_tx_bytes", "", "splice_rx_bytes" },
	{ "frames", "tap_rx_frames", "tap_rx_bytes", "tap_tx_frames", "tap_tx_bytes" },
};

/* What of the counters says that something did not pass. */
static bool tells_of_loss(const char *name)
{
	static const char *const parts[] = { "drop", "refused", "evicted", "error", "limited",
					     "no_socket", "timeouts", "badseg", "paws", "retransmits",
					     "echoes", "ignored", "no_pipe" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strstr(name, parts[i]))
			return true;
	return false;
}

static uint64_t counter(struct json_object *stats, const char *name)
{
	struct json_object *o = get_member(stats, "counters", json_type_object);

	if (strcmp(name, "splice_rx_bytes") == 0)
		return command_number(o, "splice_bytes") - command_number(o, "splice_tx_bytes");
	return command_number(o, name);
}

/* A second, since the look before; without one, since the attachment began. */
static uint64_t rate(struct json_object *now, struct json_object *before, const char *name)
{
	uint64_t ms = command_number(now, "uptime_ms") - command_number(before, "uptime_ms");

	return ms ? (counter(now, name) - counter(before, name)) * 1000 / ms : 0;
}

static void add_way(struct table *t, struct json_object *now, struct json_object *before,
		    const char *packets, const char *bytes)
{
	char text[TABLE_TEXT];

	if (packets[0])
		table_add(t, "%llu", (unsigned long long)counter(now, packets));
	else
		table_add(t, "%s", "");
	table_add(t, "%s", table_bytes(counter(now, bytes), text));
	table_add(t, "%s/s", table_bytes(rate(now, before, bytes), text));
}

static bool print_lines(struct json_object *now, struct json_object *before)
{
	static const struct table_column columns[] = {
		{ "", false, 0, 0 }, { "OUT", true, 1, 0 }, { "BYTES", true, 0, 0 },
		{ "RATE", true, 0, 0 }, { "IN", true, 1, 0 }, { "BYTES", true, 0, 0 },
		{ "RATE", true, 0, 0 },
	};
	struct table t = table_init(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		table_add(&t, "%s", lines[i].name);
		add_way(&t, now, before, lines[i].out_packets, lines[i].out_bytes);
		add_way(&t, now, before, lines[i].in_packets, lines[i].in_bytes);
	}
	return table_print(&t);
}

static void print_gauges(struct json_object *now)
{
	struct json_object *g = get_member(now, "gauges", json_type_object);
	char up[TABLE_TEXT], held[TABLE_TEXT], reserved[TABLE_TEXT], arena[TABLE_TEXT];

	printf("%s %s: up %s, cpu %.2f s, restarts of engine %llu, nsagent %llu\n",
	       get_str(now, "container"), get_str(now, "interface"),
	       table_time(command_number(now, "uptime_ms"), up),
	       (double)command_number(now, "cpu_us") / 1e6,
	       (unsigned long long)command_number(now, "engine_restarts"),
	       (unsigned long long)command_number(now, "nsagent_restarts"));
	printf("flows %llu of %llu, opened %llu; listeners %llu; held %s, reserved %s of %s\n\n",
	       (unsigned long long)command_number(g, "flows"),
	       (unsigned long long)command_number(g, "flows_max"),
	       (unsigned long long)counter(now, "flows_opened"),
	       (unsigned long long)command_number(g, "listeners"),
	       table_bytes(command_number(g, "held_bytes"), held),
	       table_bytes(command_number(g, "reserved_bytes"), reserved),
	       table_bytes(command_number(g, "arena_bytes"), arena));
}

/* Those that are not zero. */
static void print_losses(struct json_object *now)
{
	struct json_object *o = get_member(now, "counters", json_type_object);
	bool any = false;

	if (!o)
		return;
	json_object_object_foreach(o, name, v) {
		if (!json_object_get_int64(v) || !tells_of_loss(name))
			continue;
		printf("%s%s %lld", any ? ", " : "\nnot passed or again: ", name,
		       (long long)json_object_get_int64(v));
		any = true;
	}
	if (any)
		putchar('\n');
}

static int print(struct command *c, struct json_object *now, struct json_object *before)
{
	print_gauges(now);
	if (!print_lines(now, before))
		return err_set(c->err, ERR_IO, "out of memory");
	print_losses(now);
	return command_flush(c);
}

/* --- --prometheus -------------------------------------------------------------- */

/* Every attachment's answer; a list to put. */
static struct json_object *ask_all(struct command *c)
{
	struct json_object *all = json_object_new_array(), *o;
	struct state_name *names = NULL;
	FD_OWNED int root = state_root(false, c->err);
	size_t n = 0;

	if (root >= 0 && state_list(&names, &n, c->err) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		FD_OWNED int fd = find_folder(root, &names[i]);

		o = fd < 0 ? NULL : ask_daemon(fd, ask_request(CONTROL_STATS), NULL);
		if (o)
			json_object_array_add(all, o);
	}
	free(names);
	return all;
}

/* The samples of one metric stand together, as the format wants it. part: the member that
 * has it, "" for the answer itself. */
static void print_metric(struct json_object *all, const char *part, const char *name,
			 const char *as, const char *type)
{
	printf("# TYPE cni_passt_%s %s\n", as, type);
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *o = json_object_array_get_idx(all, i);
		struct json_object *p = part[0] ? get_member(o, part, json_type_object) : o;

		if (get_member(p, name, json_type_int))
			printf("cni_passt_%s{container=\"%s\",interface=\"%s\"} %llu\n", as,
			       get_str(o, "container"), get_str(o, "interface"),
			       (unsigned long long)command_number(p, name));
	}
}

static void print_members(struct json_object *all, const char *part, const char *suffix,
			  const char *type)
{
	struct json_object *o = get_member(json_object_array_get_idx(all, 0), part,
					   json_type_object);
	char as[96];

	if (!o)
		return;
	json_object_object_foreach(o, name, v) {
		if (!json_object_is_type(v, json_type_int))
			continue;
		snprintf(as, sizeof(as), "%s%s", name, suffix);
		print_metric(all, part, name, as, type);
	}
}

static int print_prometheus(struct command *c, struct json_object *all)
{
	if (json_object_array_length(all)) {
		print_metric(all, "", "uptime_ms", "uptime_milliseconds", "gauge");
		print_metric(all, "", "cpu_us", "cpu_microseconds_total", "counter");
		print_metric(all, "", "engine_restarts", "engine_restarts_total", "counter");
		print_metric(all, "", "nsagent_restarts", "nsagent_restarts_total", "counter");
		print_members(all, "gauges", "", "gauge");
		print_members(all, "counters", "_total", "counter");
	}
	json_object_put(all);
	return command_flush(c);
}

static int prometheus(struct command *c, struct ask *a)
{
	struct json_object *all, *one;

	if (c->watch || c->json)
		return command_misuse(c, "--prometheus goes with neither --watch nor --json");
	if (a->fd < 0)
		return print_prometheus(c, ask_all(c));
	one = ask_line(a, ask_request(CONTROL_STATS), c->err);
	if (!one)
		return -1;
	all = json_object_new_array();
	json_object_array_add(all, one);
	return print_prometheus(c, all);
}

/* --- one attachment -------------------------------------------------------------- */

static int look(struct command *c, struct ask *a)
{
	struct json_object *before = NULL, *now;
	bool first = true;
	int r;

	do {
		const int64_t from = clock_ms();

		now = ask_line(a, ask_request(CONTROL_STATS), c->err);
		if (!now)
			break;
		if (c->watch && !c->json)
			command_fresh(first);
		r = c->json ? command_print(c, json_object_get(now)) : print(c, now, before);
		json_object_put(before);
		before = now;
		first = false;
		if (c->watch && r == 0)
			command_pause(from);
	} while (c->watch && r == 0);
	json_object_put(before);
	return now ? r : -1;
}

int stats_command(struct command *c)
{
	struct found at = { .fd = -1 };
	struct ask a = ASK_INIT;
	int r = 0;

	if (!(c->prometheus && !c->nwords)) {
		r = command_find(c, &at);
		if (r == 0)
			r = ask_open(&a, at.fd, c->err);
	}
	if (r == 0)
		r = c->prometheus ? prometheus(c, &a) : look(c, &a);
	ask_close(&a);
	fd_drop(&at.fd);
	return r;
}
