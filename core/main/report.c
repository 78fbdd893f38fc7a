/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "main/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conf/forward.h"
#include "io/tun.h"
#include "main/values.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unreleased"
#endif

#define FLOW_ROOM	1024	/* bytes that one flow and the end of its page never need more of */

static void begin(struct jsonout *o, bool ok)
{
	jsonout_open(o, NULL, '{');
	jsonout_number(o, "v", CONTROL_VERSION);
	jsonout_bool(o, "ok", ok);
}

static void end(struct jsonout *o)
{
	jsonout_shut(o, '}');
	jsonout_line(o);
}

/* Who answers. */
static void identify(struct jsonout *o, const struct serve *s)
{
	jsonout_string(o, "container", s->conf->container_id);
	jsonout_string(o, "interface", s->conf->ifname);
}

void report_error(struct jsonout *o, const struct err *e)
{
	begin(o, false);
	jsonout_number(o, "code", (uint64_t)e->code);
	jsonout_string(o, "error", e->msg);
	if (e->details[0])
		jsonout_string(o, "hint", e->details);
	end(o);
}

/* --- rules ------------------------------------------------------------------ */

static void write_rule(struct jsonout *o, const struct control_rule *r)
{
	char text[FORWARD_STRLEN];

	jsonout_open(o, NULL, '{');
	jsonout_string(o, "protocol", conf_proto_names[r->rule.proto]);
	jsonout_string(o, "rule", forward_format(&r->rule, text));
	jsonout_number(o, "listeners", r->listeners);
	if (r->picked)
		jsonout_number(o, "port", r->picked);
	if (r->rule.kind != CONF_FORWARD_EXCEPT) {
		jsonout_number(o, "clients", r->clients);
		jsonout_number(o, "refused", r->refused);
		jsonout_number(o, "tx_bytes", r->tx_bytes);
		jsonout_number(o, "rx_bytes", r->rx_bytes);
	}
	jsonout_string(o, "from", origin_names[r->rule.from < ORIGIN_COUNT ? r->rule.from : 0]);
	jsonout_shut(o, '}');
}

void report_rules(struct jsonout *o, const struct serve *s, const struct control_answer *a)
{
	begin(o, true);
	identify(o, s);
	jsonout_open(o, "rules", '[');
	for (uint32_t i = 0; i < a->nrules; i++)
		write_rule(o, &a->rules[i]);
	jsonout_shut(o, ']');
	end(o);
}

void report_capture(struct jsonout *o, const struct serve *s)
{
	begin(o, true);
	identify(o, s);
	jsonout_string(o, "format", "pcapng");
	end(o);
}

/* --- flows ------------------------------------------------------------------ */

static void write_addr(struct jsonout *o, const char *key, const struct addr *a)
{
	char text[ADDR_STRLEN];

	jsonout_string(o, key, addr_format(a, text));
}

static void write_end(struct jsonout *o, const char *key, const struct addr *a, uint16_t port)
{
	jsonout_open(o, key, '{');
	write_addr(o, "address", a);
	jsonout_number(o, "port", port);
	jsonout_shut(o, '}');
}

static void write_tcp(struct jsonout *o, const struct view_flow *f)
{
	jsonout_number(o, "window", f->window);
	jsonout_number(o, "own_window", f->own_window);
	jsonout_number(o, "held_bytes", f->held);
	if (f->rtt_us)
		jsonout_number(o, "rtt_us", f->rtt_us);
	jsonout_number(o, "retransmits", f->retransmits);
}

static void write_flow(struct jsonout *o, const struct view_flow *f)
{
	char id[32];

	snprintf(id, sizeof(id), "%u.%u", f->id, f->gen);
	jsonout_open(o, NULL, '{');
	jsonout_string(o, "id", id);
	jsonout_string(o, "protocol", flow_proto_names[f->proto]);
	jsonout_string(o, "state", view_state_names[f->state]);
	jsonout_string(o, "path", view_path_names[f->path]);
	jsonout_bool(o, "inbound", f->inbound);
	write_end(o, "inner", &f->inner, f->inner_port);
	write_end(o, "remote", &f->remote, f->remote_port);
	write_end(o, "outer", &f->outer, f->outer_port);
	jsonout_number(o, "age_ms", f->age_ms);
	jsonout_number(o, "idle_ms", f->idle_ms);
	jsonout_number(o, "tx_bytes", f->tx_bytes);
	jsonout_number(o, "rx_bytes", f->rx_bytes);
	if (f->proto == FLOW_TCP && f->path == VIEW_TAP)
		write_tcp(o, f);
	jsonout_shut(o, '}');
}

/* What does not fit comes with the next page. */
void report_flows(struct jsonout *o, const struct view_page *page)
{
	uint32_t next = page->next;

	begin(o, true);
	jsonout_open(o, "flows", '[');
	for (uint32_t i = 0; i < page->n; i++) {
		if (jsonout_room(o) < FLOW_ROOM) {
			next = page->list[i].id;
			break;
		}
		write_flow(o, &page->list[i]);
	}
	jsonout_shut(o, ']');
	jsonout_number(o, "total", page->flows);
	if (next != VIEW_END)
		jsonout_number(o, "next", next);
	end(o);
}

/* --- counters ----------------------------------------------------------------- */

static void write_counters(struct jsonout *o, const struct counters *c)
{
	char name[48];

	jsonout_open(o, "counters", '{');
#define X(name, text) jsonout_number(o, #name, c->name);
	COUNTERS_TABLE(X)
#undef X
	for (int i = 0; i < WIRE_ERR_COUNT; i++) {
		if (!wire_err_names[i] || i == WIRE_OK)
			continue;
		snprintf(name, sizeof(name), "drop_wire_%s", wire_err_names[i]);
		jsonout_number(o, name, c->drop_wire[i]);
	}
	jsonout_shut(o, '}');
}

void report_counters(struct jsonout *o)
{
	char name[48], text[80];

	begin(o, true);
	jsonout_open(o, "counters", '{');
#define X(name, text) jsonout_string(o, #name, text);
	COUNTERS_TABLE(X)
#undef X
	for (int i = 0; i < WIRE_ERR_COUNT; i++) {
		if (!wire_err_names[i] || i == WIRE_OK)
			continue;
		snprintf(name, sizeof(name), "drop_wire_%s", wire_err_names[i]);
		snprintf(text, sizeof(text), "malformed frames and packets dropped: %s",
			 wire_err_names[i]);
		jsonout_string(o, name, text);
	}
	jsonout_shut(o, '}');
	end(o);
}

static void write_gauges(struct jsonout *o, const struct serve *s, const struct view_page *page,
			 bool hung)
{
	jsonout_open(o, "gauges", '{');
	jsonout_number(o, "listeners", s->publish->nopen);
	jsonout_number(o, "captures", s->captures);
	jsonout_bool(o, "engine_up", page != NULL);
	jsonout_bool(o, "engine_hung", hung);
	jsonout_bool(o, "engine_failing", child_is_failing(s->engine, s->now_ms));
	jsonout_bool(o, "nsagent_failing", child_is_failing(s->nsagent, s->now_ms));
	if (page) {
		jsonout_number(o, "flows", page->flows);
		jsonout_number(o, "flows_max", page->flows_max);
		jsonout_number(o, "held_bytes", page->held_bytes);
		jsonout_number(o, "reserved_bytes", page->reserved_bytes);
		jsonout_number(o, "arena_bytes", page->arena_bytes);
	}
	jsonout_shut(o, '}');
}

static uint64_t us_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

static uint64_t used_us(int who)
{
	struct rusage u;

	return getrusage(who, &u) < 0 ? 0 : us_of(&u.ru_utime) + us_of(&u.ru_stime);
}

/* All three processes, with those of engines that were replaced. */
static uint64_t cpu_us(const struct serve *s)
{
	return used_us(RUSAGE_SELF) + used_us(RUSAGE_CHILDREN) + child_cpu_us(s->engine) +
	       child_cpu_us(s->nsagent);
}

static void write_health(struct jsonout *o, const struct serve *s)
{
	jsonout_number(o, "uptime_ms", s->now_ms - s->started_ms);
	jsonout_number(o, "engine_restarts", s->engine->restarts);
	jsonout_number(o, "nsagent_restarts", s->nsagent->restarts);
	jsonout_number(o, "cpu_us", cpu_us(s));
}

void report_stats(struct jsonout *o, const struct serve *s, const struct view_page *page, bool hung)
{
	begin(o, true);
	identify(o, s);
	write_health(o, s);
	write_gauges(o, s, page, hung);
	write_counters(o, s->counters);
	end(o);
}

/* --- what it is ----------------------------------------------------------------- */

static void write_features(struct jsonout *o, uint32_t features)
{
	jsonout_open(o, "offloads", '[');
	if (features & TUN_F_CHECKSUM)
		jsonout_string(o, NULL, "checksum");
	if (features & TUN_F_TSO)
		jsonout_string(o, NULL, "tso");
	if (features & TUN_F_UDPSEG)
		jsonout_string(o, NULL, "uso");
	jsonout_shut(o, ']');
}

void report_show(struct jsonout *o, const struct serve *s)
{
	begin(o, true);
	identify(o, s);
	jsonout_string(o, "network", s->conf->network);
	if (s->conf->guest) {
		jsonout_string(o, "socket", s->conf->socket_path);
		jsonout_bool(o, "connected", s->connected);
	} else {
		jsonout_string(o, "netns", s->conf->netns_path);
	}
	jsonout_string(o, "version", PACKAGE_VERSION);
	jsonout_number(o, "pid", (uint64_t)getpid());
	jsonout_number(o, "engine_pid", (uint64_t)s->engine->pid);
	jsonout_number(o, "nsagent_pid", (uint64_t)s->nsagent->pid);
	jsonout_number(o, "since", (uint64_t)s->since);
	write_health(o, s);
	jsonout_string(o, "watch", s->watch);
	write_features(o, s->features);
	values_write(o, s->conf, s->net);
	end(o);
}
