/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats: the command `cni-passt stats ID`: what passed, what was dropped and why, what is
 * in use. (--prometheus is prometheus.c's.)
 */
#include <stdio.h>
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

/* What says that something did not pass, or had to be done again: kinds of it, by parts of
 * the names. */
static const struct loss {
	const char *kind, *parts[8];
} losses[] = {
	{ "dropped", { "drop", "lost", "malformed", "frag_timeouts", "frag_refused", "ignored" } },
	{ "sent again", { "retransmits", "tcp_timeouts", "dns_next" } },
	{ "refused", { "refused", "no_socket", "limited", "paused", "failed" } },
	{ "evicted", { "evicted" } },
	{ "strange", { "badseg", "paws", "strange", "tx_error", "orphans", "no_pipe", "starved" } },
};

static const char *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(losses); i++)
		for (size_t j = 0; j < ARRAY_LEN(losses[i].parts) && losses[i].parts[j]; j++)
			if (strstr(name, losses[i].parts[j]))
				return losses[i].kind;
	return NULL;
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
	if (!json_object_get_boolean(get_member(g, "engine_up", json_type_boolean))) {
		printf("flows unknown: %s; opened %llu; listeners %llu\n\n",
		       json_object_get_boolean(get_member(g, "engine_hung", json_type_boolean)) ?
		       "the engine runs and does not answer" : "there is no engine now",
		       (unsigned long long)counter(now, "flows_opened"),
		       (unsigned long long)command_number(g, "listeners"));
		return;
	}
	printf("flows %llu of %llu, opened %llu; listeners %llu; held %s, reserved %s of %s\n\n",
	       (unsigned long long)command_number(g, "flows"),
	       (unsigned long long)command_number(g, "flows_max"),
	       (unsigned long long)counter(now, "flows_opened"),
	       (unsigned long long)command_number(g, "listeners"),
	       table_bytes(command_number(g, "held_bytes"), held),
	       table_bytes(command_number(g, "reserved_bytes"), reserved),
	       table_bytes(command_number(g, "arena_bytes"), arena));
}

static void add_losses(struct table *t, struct json_object *counters, const char *kind,
		       struct json_object *help)
{
	json_object_object_foreach(counters, name, v) {
		const char *is = kind_of(name);

		if (!json_object_get_int64(v) || !is || strcmp(is, kind) != 0)
			continue;
		table_text(t, kind);
		table_text(t, name);
		table_number(t, (uint64_t)json_object_get_int64(v));
		table_text(t, get_str(help, name));
	}
}

/* Those that are not zero, by kind. */
static bool print_losses(struct json_object *now, struct json_object *help)
{
	static const struct table_column columns[] = {
		{ "WHAT", false, 0, 0 }, { "BY REASON", false, 0, 0 }, { "COUNT", true, 0, 0 },
		{ "MEANING", false, 1, 0 },
	};
	struct json_object *o = get_member(now, "counters", json_type_object);
	struct table t = table_init(columns, ARRAY_LEN(columns));

	for (size_t i = 0; o && i < ARRAY_LEN(losses); i++)
		add_losses(&t, o, losses[i].kind, help);
	if (!t.n) {
		table_drop(&t);
		puts("\nnothing was dropped, refused or sent again");
		return true;
	}
	putchar('\n');
	return table_print(&t);
}

static int print(struct command *c, struct json_object *now, struct json_object *before,
		 struct json_object *help)
{
	print_gauges(now);
	if (!print_lines(now, before) || !print_losses(now, help))
		return err_set(c->err, ERR_IO, "out of memory");
	return command_flush(c);
}

/* --- one attachment -------------------------------------------------------------- */

static int look(struct command *c, struct ask *a)
{
	/* a daemon of an older version does not tell */
	struct json_object *help = c->json ? NULL : ask_line(a, ask_request(CONTROL_COUNTERS), NULL);
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
		r = c->json ? command_print(c, json_object_get(now)) : print(c, now, before,
				get_member(help, "counters", json_type_object));
		json_object_put(before);
		before = now;
		first = false;
		if (c->watch && r == 0)
			command_pause(from);
	} while (c->watch && r == 0);
	json_object_put(before);
	json_object_put(help);
	return now ? r : -1;
}

int stats_command(struct command *c)
{
	struct found at = { .fd = -1 };
	struct ask a = ASK_INIT;
	int r;

	if (c->prometheus)
		return prometheus_command(c);
	r = command_find(c, &at);
	if (r == 0)
		r = ask_open(&a, at.fd, c->err);
	if (r == 0)
		r = look(c, &a);
	ask_close(&a);
	fd_drop(&at.fd);
	return r;
}
