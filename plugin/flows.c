/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows: the command `cni-passt flows ID`: who talks to whom. Asks for the table page by
 * page, keeps what the filters let through, sorts, prints.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/command.h"
#include "plugin/json/get.h"
#include "plugin/table.h"

static const char *const protocols[] = { "tcp", "udp", "ping" };
static const char *const states[] = { "opening", "open", "closing", "time-wait", "unanswered",
				      "answered" };
static const char *const sorts[] = { "age", "idle", "tx", "rx", "rtt", "retransmits" };
static const char *const sort_keys[] = { "age_ms", "idle_ms", "tx_bytes", "rx_bytes", "rtt_us",
					 "retransmits" };
static const char *const ends[] = { "inner", "remote", "outer" };

/* What passes, as it is compared. */
struct filter {
	const char *proto, *state;	/* NULL: any */
	uint64_t port;			/* 0: any; of any end */
	bool has_prefix;
	struct prefix prefix;
	const char *sort;		/* the member; NULL: as they stand in the table */
};

static int one_of(struct command *c, const char *option, const char *word,
		  const char *const *list, size_t n, size_t *ret)
{
	char all[160] = "";
	size_t len = 0;

	for (*ret = 0; *ret < n; ++*ret) {
		if (strcmp(list[*ret], word) == 0)
			return 0;
		len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", list[*ret]);
	}
	return command_misuse(c, "--%s: \"%.40s\" is none of%s", option, word, all);
}

static int read_port(struct command *c, struct filter *f)
{
	char *end;

	errno = 0;
	f->port = strtoul(c->port, &end, 10);
	if (errno || end == c->port || *end || !f->port || f->port > UINT16_MAX)
		return command_misuse(c, "--port: \"%.40s\" is not a port", c->port);
	return 0;
}

static int read_filter(struct command *c, struct filter *f)
{
	size_t i;

	*f = (struct filter){ .proto = c->proto, .state = c->state };
	if (c->proto && one_of(c, "proto", c->proto, protocols, ARRAY_LEN(protocols), &i) < 0)
		return -1;
	if (c->state && one_of(c, "state", c->state, states, ARRAY_LEN(states), &i) < 0)
		return -1;
	if (c->port && read_port(c, f) < 0)
		return -1;
	if (c->address && prefix_parse(c->address, &f->prefix) < 0)
		return command_misuse(c, "--address: \"%.60s\" is neither an address nor a prefix",
				      c->address);
	f->has_prefix = c->address != NULL;
	if (c->sort && one_of(c, "sort", c->sort, sorts, ARRAY_LEN(sorts), &i) < 0)
		return -1;
	f->sort = c->sort ? sort_keys[i] : NULL;
	return 0;
}

static bool has_port(struct json_object *flow, uint64_t port)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (command_number(get_member(flow, ends[i], json_type_object), "port") == port)
			return true;
	return false;
}

static bool has_address(struct json_object *flow, const struct prefix *p)
{
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (addr_parse(get_str(get_member(flow, ends[i], json_type_object), "address"),
			       &a) == 0 && prefix_contains(p, &a))
			return true;
	return false;
}

static bool passes(const struct filter *f, struct json_object *flow)
{
	return (!f->proto || strcmp(get_str(flow, "protocol"), f->proto) == 0) &&
	       (!f->state || strcmp(get_str(flow, "state"), f->state) == 0) &&
	       (!f->port || has_port(flow, f->port)) &&
	       (!f->has_prefix || has_address(flow, &f->prefix));
}

/* Adds the page's flows that pass. */
static void keep(const struct filter *f, struct json_object *page, struct json_object *ret)
{
	size_t n;
	struct json_object *list = get_list(page, "flows", &n), *flow;

	for (size_t i = 0; i < n; i++) {
		flow = json_object_array_get_idx(list, i);
		if (passes(f, flow))
			json_object_array_add(ret, json_object_get(flow));
	}
}

/* Page by page to the end. A list to put, or NULL with *e. */
static struct json_object *fetch(struct ask *a, const struct filter *f, struct err *e)
{
	struct json_object *ret = json_object_new_array(), *request, *page, *next;
	uint64_t from = 0;
	bool more = true;

	while (more) {
		request = ask_request(CONTROL_FLOWS);
		json_object_object_add(request, "from", json_object_new_int64((int64_t)from));
		page = ask_line(a, request, e);
		if (!page) {
			json_object_put(ret);
			return NULL;
		}
		keep(f, page, ret);
		next = get_member(page, "next", json_type_int);
		more = next && (uint64_t)json_object_get_int64(next) > from;
		from = next ? (uint64_t)json_object_get_int64(next) : 0;
		json_object_put(page);
	}
	return ret;
}

/* --- order ------------------------------------------------------------------- */

struct ranked {
	uint64_t value;
	size_t place;		/* equal ones stay as they were */
	struct json_object *flow;
};

static int descending(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* The largest first. Puts the list and returns another, or NULL without memory. */
static struct json_object *sorted(struct json_object *list, const char *key)
{
	size_t n = json_object_array_length(list);
	struct ranked *r = calloc(n ? n : 1, sizeof(*r));
	struct json_object *ret = r ? json_object_new_array() : NULL;

	for (size_t i = 0; r && i < n; i++) {
		struct json_object *flow = json_object_array_get_idx(list, i);

		r[i] = (struct ranked){ command_number(flow, key), i, flow };
	}
	if (r && n)
		qsort(r, n, sizeof(*r), descending);
	for (size_t i = 0; ret && i < n; i++)
		json_object_array_add(ret, json_object_get(r[i].flow));
	free(r);
	json_object_put(list);
	return ret;
}

/* --- printing ------------------------------------------------------------------ */

static void add_end(struct table *t, struct json_object *flow, const char *key, bool port)
{
	struct json_object *o = get_member(flow, key, json_type_object);
	const char *address = get_str(o, "address");
	bool v6 = strchr(address, ':') != NULL;

	if (!port)
		table_add(t, "%s", address);
	else
		table_add(t, "%s%s%s:%llu", v6 ? "[" : "", address, v6 ? "]" : "",
			  (unsigned long long)command_number(o, "port"));
}

static void add_flow(struct table *t, struct json_object *flow)
{
	bool ping = strcmp(get_str(flow, "protocol"), "ping") == 0;
	bool tcp = get_member(flow, "window", json_type_int) != NULL;
	char text[TABLE_TEXT];

	table_add(t, "%s", get_str(flow, "protocol"));
	table_add(t, "%s", get_str(flow, "state"));
	table_add(t, "%s%s", get_str(flow, "path"),
		  json_object_get_boolean(get_member(flow, "inbound", json_type_boolean)) ?
		  ",in" : "");
	add_end(t, flow, "inner", true);
	add_end(t, flow, "remote", !ping);
	table_add(t, "%s", table_time(command_number(flow, "age_ms"), text));
	table_add(t, "%s", table_time(command_number(flow, "idle_ms"), text));
	table_add(t, "%s", table_bytes(command_number(flow, "tx_bytes"), text));
	table_add(t, "%s", table_bytes(command_number(flow, "rx_bytes"), text));
	table_add(t, "%s", tcp ? table_bytes(command_number(flow, "window"), text) : "");
	if (get_member(flow, "rtt_us", json_type_int))
		table_add(t, "%.1fms", (double)command_number(flow, "rtt_us") / 1000);
	else
		table_add(t, "%s", "");
	table_add(t, "%s", tcp ? table_bytes(command_number(flow, "retransmits"), text) : "");
}

static int print_table(struct command *c, struct json_object *list)
{
	static const struct table_column columns[] = {
		{ "PROTO", false }, { "STATE", false }, { "PATH", false }, { "CONTAINER", false },
		{ "REMOTE", false }, { "AGE", true }, { "IDLE", true }, { "OUT", true },
		{ "IN", true }, { "WINDOW", true }, { "RTT", true }, { "RETR", true },
	};
	struct table t = table_init(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < json_object_array_length(list); i++)
		add_flow(&t, json_object_array_get_idx(list, i));
	if (!table_print(&t))
		return err_set(c->err, ERR_IO, "out of memory");
	return command_flush(c);
}

static int print(struct command *c, const struct filter *f, struct json_object *list)
{
	struct json_object *o;
	int r;

	if (f->sort)
		list = sorted(list, f->sort);
	if (!list)
		return err_set(c->err, ERR_IO, "out of memory");
	if (c->json) {
		o = json_object_new_object();
		json_object_object_add(o, "flows", list);
		return command_print(c, o);
	}
	r = print_table(c, list);
	json_object_put(list);
	return r;
}

int flows_command(struct command *c)
{
	struct found at = { .fd = -1 };
	struct ask a = ASK_INIT;
	struct filter f;
	bool first = true;
	int r = -1;

	if (read_filter(c, &f) < 0 || command_find(c, &at) < 0 || ask_open(&a, at.fd, c->err) < 0) {
		fd_drop(&at.fd);
		return -1;
	}
	do {
		const int64_t from = clock_ms();
		struct json_object *list = fetch(&a, &f, c->err);

		if (c->watch && !c->json && list)
			command_fresh(first);
		r = list ? print(c, &f, list) : -1;
		first = false;
		if (c->watch && r == 0)
			command_pause(from);
	} while (c->watch && r == 0);
	ask_close(&a);
	fd_drop(&at.fd);
	return r;
}
