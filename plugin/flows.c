/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows: the command `cni-passt flows ID`: who talks to whom. Asks for the table page by
 * page, keeps what the filters let through, sorts, prints.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "plugin/attach/ask.h"
#include "plugin/command.h"
#include "plugin/flowpage.h"
#include "plugin/table.h"

static const char *const protocols[] = { "tcp", "udp", "ping" };
static const char *const states[] = { "opening", "open", "closing", "time-wait", "unanswered",
				      "answered" };
static const char *const paths[] = { "tap", "splice", "relay", "dns" };
static const char *const sorts[] = { "age", "idle", "tx", "rx", "window", "rtt", "retransmits",
				     "container", "remote" };

enum sort { SORT_AGE, SORT_IDLE, SORT_TX, SORT_RX, SORT_WINDOW, SORT_RTT, SORT_RETRANSMITS,
	    SORT_CONTAINER, SORT_REMOTE };

/* What passes, as it is compared. */
struct filter {
	const char *proto, *state, *path;	/* NULL: any */
	uint64_t port;			/* 0: any; of any end */
	bool has_prefix;
	struct prefix prefix;
	bool sorted;			/* else as they stand in the table */
	enum sort sort;
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

	*f = (struct filter){ .proto = c->proto, .state = c->state, .path = c->path };
	if (c->proto && one_of(c, "proto", c->proto, protocols, ARRAY_LEN(protocols), &i) < 0)
		return -1;
	if (c->state && one_of(c, "state", c->state, states, ARRAY_LEN(states), &i) < 0)
		return -1;
	if (c->path && one_of(c, "path", c->path, paths, ARRAY_LEN(paths), &i) < 0)
		return -1;
	if (c->port && read_port(c, f) < 0)
		return -1;
	if (c->address && prefix_parse(c->address, &f->prefix) < 0)
		return command_misuse(c, "--address: \"%.60s\" is neither an address nor a prefix",
				      c->address);
	f->has_prefix = c->address != NULL;
	if (c->sort && one_of(c, "sort", c->sort, sorts, ARRAY_LEN(sorts), &i) < 0)
		return -1;
	f->sorted = c->sort != NULL;
	f->sort = c->sort ? (enum sort)i : SORT_AGE;
	return 0;
}

static bool has_port(const struct flow_row *r, uint64_t port)
{
	for (enum flow_end i = FLOW_INNER; i < FLOW_ENDS; i++)
		if (r->end[i].port == port)
			return true;
	return false;
}

static bool has_address(const struct flow_row *r, const struct prefix *p)
{
	struct addr a;

	for (enum flow_end i = FLOW_INNER; i < FLOW_ENDS; i++)
		if (flowpage_address(r, i, &a) && prefix_contains(p, &a))
			return true;
	return false;
}

static bool passes(const struct flow_row *r, void *arg)
{
	const struct filter *f = arg;

	return (!f->proto || scan_is(r->proto, f->proto)) &&
	       (!f->state || scan_is(r->state, f->state)) &&
	       (!f->path || scan_is(r->path, f->path)) &&
	       (!f->port || has_port(r, f->port)) &&
	       (!f->has_prefix || has_address(r, &f->prefix));
}

static int ask_page(struct ask *a, uint64_t from, struct err *e)
{
	struct json_object *request = ask_request(CONTROL_FLOWS);

	json_object_object_add(request, "from", json_object_new_int64((int64_t)from));
	return ask_send(a, request, e);
}

/* The page that comes; the next one is asked for before this one is read, so that daemon
 * and command work at the same time. 1: there is a next one; 0; or -1 with *e. */
static int take_page(struct ask *a, struct filter *f, uint64_t *from, struct flow_list *ret,
		     struct err *e)
{
	const char *text;
	uint64_t next = 0;
	size_t len;
	bool more;
	int rc;

	if (ask_text(a, e) < 0)
		return -1;
	len = a->len;
	text = flowpage_hold(ret, a->buf, len);
	if (!text)
		return err_set(e, ERR_IO, "out of memory");
	more = flowpage_next(text, len, &next) && next > *from;
	*from = next;
	if (more && ask_page(a, next, e) < 0)
		return -1;
	rc = flowpage_read(text, len, passes, f, ret);
	if (rc == -ENOMEM)
		return err_set(e, ERR_IO, "out of memory");
	return rc < 0 ? ask_refused(text, len, e) : more;
}

/* Page by page to the end. */
static int fetch(struct ask *a, struct filter *f, struct flow_list *ret, struct err *e)
{
	uint64_t from = 0;
	int more = ask_page(a, from, e) < 0 ? -1 : 1;

	while (more == 1)
		more = take_page(a, f, &from, ret, e);
	return more;
}

/* --- order ------------------------------------------------------------------- */

/* By these in turn, the smallest first. */
struct rank {
	uint64_t by[3];
	const struct flow_row *row;
};

static uint64_t figure(const struct flow_row *r, enum sort by)
{
	switch (by) {
	case SORT_AGE:
		return r->age_ms;
	case SORT_IDLE:
		return r->idle_ms;
	case SORT_TX:
		return r->tx_bytes;
	case SORT_RX:
		return r->rx_bytes;
	case SORT_WINDOW:
		return r->window;
	case SORT_RTT:
		return r->rtt_us;
	default:
		return r->retransmits;
	}
}

/* Figures: the largest first; ends: by address, then port. */
static struct rank rank_of(const struct flow_row *r, enum sort by)
{
	enum flow_end end = by == SORT_CONTAINER ? FLOW_INNER : FLOW_REMOTE;
	struct rank ret = { .row = r };
	struct addr a = { .b = { 0 } };

	if (by < SORT_CONTAINER) {
		ret.by[0] = UINT64_MAX - figure(r, by);
		return ret;
	}
	flowpage_address(r, end, &a);
	memcpy(ret.by, a.b, sizeof(a.b));
	ret.by[0] = be64toh(ret.by[0]);
	ret.by[1] = be64toh(ret.by[1]);
	ret.by[2] = r->end[end].port;
	return ret;
}

/* Equal ones stay as they stand in the table. */
static int compare(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	for (size_t i = 0; i < ARRAY_LEN(x->by); i++)
		if (x->by[i] != y->by[i])
			return x->by[i] < y->by[i] ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

/* All rows in the order to print; to free. NULL: out of memory. */
static struct rank *order(const struct flow_list *l, const struct filter *f)
{
	struct rank *ret = calloc(l->n ? l->n : 1, sizeof(*ret));

	for (size_t i = 0; ret && i < l->n; i++)
		ret[i] = f->sorted ? rank_of(&l->rows[i], f->sort) :
				     (struct rank){ .row = &l->rows[i] };
	if (ret && f->sorted && l->n)
		qsort(ret, l->n, sizeof(*ret), compare);
	return ret;
}

/* --- printing ------------------------------------------------------------------ */

static void put_text(struct table *t, struct scan_text text)
{
	table_put(t, text.p, text.n);
}

static void put_end(struct table *t, const struct flow_row *r, enum flow_end end, bool port)
{
	const struct scan_text address = r->end[end].address;
	bool v6 = address.n && memchr(address.p, ':', address.n) != NULL;

	if (!port)
		put_text(t, address);
	else
		table_add(t, v6 ? "[%.*s]:%llu" : "%.*s:%llu", (int)MIN_OF(address.n, 64U), address.p,
			  (unsigned long long)r->end[end].port);
}

static void put_time(struct table *t, uint64_t ms)
{
	char text[TABLE_TEXT];

	table_text(t, table_time(ms, text));
}

static void put_bytes(struct table *t, bool there, uint64_t v)
{
	char text[TABLE_TEXT];

	if (there && v < 1000)
		table_number(t, v);
	else if (there)
		table_text(t, table_bytes(v, text));
	else
		table_text(t, "");
}

static void add_flow(struct table *t, const struct flow_row *r)
{
	put_text(t, r->proto);
	put_text(t, r->state);
	if (r->inbound)
		table_add(t, "%.*s,in", (int)MIN_OF(r->path.n, 64U), r->path.p);
	else
		put_text(t, r->path);
	put_end(t, r, FLOW_INNER, true);
	put_end(t, r, FLOW_REMOTE, !scan_is(r->proto, "ping"));
	put_time(t, r->age_ms);
	put_time(t, r->idle_ms);
	put_bytes(t, true, r->tx_bytes);
	put_bytes(t, true, r->rx_bytes);
	put_bytes(t, r->has_window, r->window);
	if (r->has_rtt)
		table_add(t, "%.1fms", (double)r->rtt_us / 1000);
	else
		table_text(t, "");
	put_bytes(t, r->has_window, r->retransmits);
}

static int print_table(struct command *c, const struct rank *list, size_t n)
{
	static const struct table_column columns[] = {
		{ "PROTO", false, 0, 0 }, { "STATE", false, 0, 0 }, { "PATH", false, 4, 0 },
		{ "CONTAINER", false, 0, 0 }, { "REMOTE", false, 0, 0 }, { "AGE", true, 6, 0 },
		{ "IDLE", true, 5, 0 }, { "OUT", true, 2, 0 }, { "IN", true, 1, 0 },
		{ "WINDOW", true, 9, 0 }, { "RTT", true, 8, 0 }, { "RETR", true, 7, 0 },
	};
	struct table t = table_init(columns, ARRAY_LEN(columns));

	for (size_t i = 0; i < n; i++)
		add_flow(&t, list[i].row);
	if (!table_print(&t))
		return err_set(c->err, ERR_IO, "out of memory");
	return command_flush(c);
}

/* Each as the daemon wrote it, one a line; with --watch all on one. */
static int print_json(struct command *c, const struct rank *list, size_t n)
{
	const char *before = c->watch ? "" : "\n    ";

	fputs(c->watch ? "{\"flows\":[" : "{\n  \"flows\": [", stdout);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "," : "", stdout);
		fputs(before, stdout);
		fwrite(list[i].row->whole.p, 1, list[i].row->whole.n, stdout);
	}
	fputs(c->watch ? "]}\n" : n ? "\n  ]\n}\n" : "]\n}\n", stdout);
	return command_flush(c);
}

/* One look: 0, or -1 with *c->err. */
static int look(struct command *c, struct ask *a, struct filter *f, bool first)
{
	struct flow_list l = { .n = 0 };
	struct rank *list = NULL;
	int r = fetch(a, f, &l, c->err);

	if (r == 0)
		list = order(&l, f);
	if (r == 0 && !list)
		r = err_set(c->err, ERR_IO, "out of memory");
	if (r == 0 && c->watch && !c->json)
		command_fresh(first);
	if (r == 0)
		r = c->json ? print_json(c, list, l.n) : print_table(c, list, l.n);
	free(list);
	flowpage_drop(&l);
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

		r = look(c, &a, &f, first);
		first = false;
		if (c->watch && r == 0)
			command_pause(from);
	} while (c->watch && r == 0);
	ask_close(&a);
	fd_drop(&at.fd);
	return r;
}
